//! A connection whose batch has requests for other nodes: it waits for all replies, and sends them in order.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Instant,
};

use super::{Connection, Turn, waiting::READ_WHILE_BLOCKED_MAX};
use crate::{
    cluster::{
        forward::{link::start_tasks, links::WaveKey, wave::Wave},
        replication::withheld::{self, Withheld},
    },
    net::{
        entry::{Entry, Progress},
        worker::{Worker, with_worker},
    },
    node::clock,
    session::{placing::Slots, transaction},
    store::keyspace::{Circumstances, Keyspace},
};

/// A wave whose requests all have their replies.
enum Through {
    /// They are sent; `false`: the connection is gone.
    Sent(bool),
    /// Copies must confirm first what was written here.
    Written(Vec<Withheld>),
}

impl Connection {
    /// Runs a batch on a node that has met others.
    pub(super) fn execute_clustered(
        &mut self,
        worker: &mut Worker,
        buf: &[u8],
        from: &mut usize,
        out: &mut Vec<u8>,
    ) -> Turn {
        if !self.node.cluster.guard.may_run(clock::boot_ms()) {
            // The node was frozen, and has to find out first whether it still owns what it owned.
            (self.has_more, self.after_wave) = (true, Turn::Wait);
            self.parser.restart();
            return Turn::Frozen;
        }
        let mut entry = Entry::new(&self.node, &mut self.session, worker);
        let (end, wave) = entry.collect(&mut self.parser, buf, from, out, Instant::now);
        let turn = self.turn_after(end);
        let Some(wave) = wave else {
            self.release_if_done(worker);
            return turn;
        };
        self.after_wave = turn;
        Turn::Elsewhere(wave)
    }

    /// Waits until every request of the wave has its reply, and sends them; `false`: the connection is gone.
    pub(super) async fn wait_elsewhere(&mut self, key: WaveKey) -> bool {
        /// What happens while a wave is under way.
        enum Event {
            Done(bool),
            Confirm(Vec<Withheld>),
            Unblock(bool),
            Input,
        }
        let client = self.session.client.clone();
        let may_take_long = |wave: &mut Wave| wave.is_blocking() || wave.wait.is_some();
        let is_blocking = with_worker(|worker| worker.links.wave(key).is_some_and(may_take_long));
        if is_blocking {
            client.begin_wait_elsewhere();
        }
        let is_alive = loop {
            let may_read = self.pending.len() < READ_WHILE_BLOCKED_MAX;
            let event = poll_fn(|cx| {
                match with_worker(|worker| self.poll_wave(cx, worker, key)) {
                    Poll::Ready(Through::Sent(is_alive)) => return Poll::Ready(Event::Done(is_alive)),
                    Poll::Ready(Through::Written(withheld)) => return Poll::Ready(Event::Confirm(withheld)),
                    Poll::Pending => {}
                }
                if !is_blocking {
                    return Poll::Pending;
                }
                // First the waker, then the look: what comes in between is not missed.
                let has_mail = client.mailbox.register(cx.waker());
                if let Some(with_error) = client.take_unblock() {
                    return Poll::Ready(Event::Unblock(with_error));
                }
                let has_input = has_mail || may_read && self.stream.poll_read_ready(cx).is_ready();
                if has_input { Poll::Ready(Event::Input) } else { Poll::Pending }
            })
            .await;
            match event {
                Event::Done(is_alive) => break is_alive,
                Event::Confirm(mut withheld) => {
                    withheld::wait(&self.node, &mut withheld, withheld::patience(&self.node)).await;
                    with_worker(|worker| worker.links.wave(key).into_iter().for_each(|wave| wave.disavow(&withheld)));
                }
                Event::Unblock(with_error) => with_worker(|worker| match worker.links.wave(key) {
                    Some(wave) if wave.wait.is_some() => wave.end_wait(with_error),
                    _ => worker.links.unblock(client.id, with_error),
                }),
                Event::Input => {
                    if !self.take_input_while_blocked(may_read).await {
                        with_worker(|worker| drop(worker.links.remove(key)));
                        break false;
                    }
                }
            }
        };
        is_alive && (self.unsent.is_empty() || self.write_unsent().await)
    }

    fn poll_wave(&mut self, cx: &mut Context<'_>, worker: &mut Worker, key: WaveKey) -> Poll<Through> {
        let node = self.node.clone();
        let mut entry = Entry::new(&node, &mut self.session, worker);
        let progress = entry.go_on(key, Instant::now());
        if let Some(blocked) = entry.came_home.take() {
            self.after_wave = Turn::Block(blocked);
        }
        start_tasks(&node, worker);
        match progress {
            Progress::Gone => Poll::Ready(Through::Sent(false)),
            Progress::Written(withheld) => Poll::Ready(Through::Written(withheld)),
            Progress::Through => Poll::Ready(Through::Sent(self.finish_wave(worker, key))),
            Progress::Waiting => {
                match worker.links.wave(key).map(|wave| &mut wave.waker) {
                    Some(Some(waker)) => waker.clone_from(cx.waker()),
                    Some(none) => *none = Some(cx.waker().clone()),
                    None => {}
                }
                Poll::Pending
            }
        }
    }

    /// Sends the replies of a wave that is through.
    fn finish_wave(&mut self, worker: &mut Worker, key: WaveKey) -> bool {
        let Some(wave) = worker.links.remove(key) else { return false };
        let mut out = std::mem::take(&mut worker.out);
        out.clear();
        let is_straight = wave.is_straight();
        if !is_straight {
            wave.assemble(&mut out);
        }
        let replies = if is_straight { &wave.replies } else { &out };
        if wave.keeps_watch {
            self.forget_watch();
        }
        self.session.note_written(&wave.written);
        // Before the reply leaves: who has it may wait anew, and it is that wait which CLIENT UNBLOCK is to end then.
        self.session.client.end_wait_elsewhere();
        let is_sent = replies.is_empty() || !self.is_over_limit(worker, replies.len()) && self.send(worker, replies);
        if !is_sent {
            self.unsent.clear();
        }
        worker.out = out;
        worker.links.give_back(wave);
        self.release_if_done(worker);
        is_sent
    }

    /// The transaction that watched is over.
    fn forget_watch(&mut self) {
        let circumstances = Circumstances {
            db: self.session.db,
            now_ms: clock::unix_ms(),
            client_id: self.session.client.id,
            touch: false,
        };
        let mut ks = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        transaction::forget_watch(&mut self.session, &mut ks);
    }

    /// Tells other nodes to forget the client, once it has no state there any more.
    fn release_if_done(&mut self, worker: &mut Worker) {
        if self.session.is_held_elsewhere && self.session.watched_elsewhere == Slots::None {
            self.session.is_held_elsewhere = false;
            worker.links.release(self.session.client.id);
        }
    }
}
