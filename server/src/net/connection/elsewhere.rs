//! A connection whose batch has requests for other nodes: it waits for all replies, and sends them in order.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rondache_protocol::{
    bus::{forward::Status, identity::WriteId},
    resp::{
        request::{RequestLimits, RequestParser},
        writer::{ReplyWriter, RespVersion},
    },
};

use super::{Connection, Turn, waiting::READ_WHILE_BLOCKED_MAX};
use crate::{
    cluster::{
        forward::{
            error::ForwardFailure,
            link::start_tasks,
            links::WaveKey,
            wave::{Item, State, Wave},
        },
        replication::withheld::{self, Withheld},
        routing::{Route, Routing},
    },
    net::{
        running::{keep_last_reply, run_batch},
        worker::{Worker, with_worker},
    },
    node::clock,
    session::{
        Session,
        away::{Away, Served},
        batch::BatchEnd,
        collect::{owners, push_count},
        placing::Slots,
        transaction,
    },
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
        worker.refused.clear();
        worker.withheld.clear();
        let mut wave = worker.links.lend();
        let away = Away::Collect(&mut wave);
        let end = run_batch(&self.node, worker, &mut self.session, &mut self.parser, buf, from, out, away);
        let turn = self.turn_after(end);
        wave.withheld.append(&mut worker.withheld);
        if wave.is_empty() && wave.withheld.is_empty() {
            worker.links.give_back(wave);
            self.release_if_done(worker);
            return turn;
        }
        self.after_wave = turn;
        wave.began = Instant::now();
        let patience = Duration::from_millis(worker.settings.cluster.request_deadline_ms);
        let wait = wave.wait.map(|wait| wait.deadline(wave.began, patience));
        wave.deadline = wait.or(Some(wave.began + patience));
        Turn::Elsewhere(worker.links.insert(wave))
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
        let routing = &node.cluster.routing;
        loop {
            let Some(wave) = worker.links.wave(key) else { return Poll::Ready(Through::Sent(false)) };
            if !wave.gathers.is_empty() {
                wave.leave_out(|peer| routing.peer(peer).is_none_or(|peer| peer.is_dead));
            }
            if wave.unresolved == 0 && !wave.withheld.is_empty() {
                return Poll::Ready(Through::Written(std::mem::take(&mut wave.withheld)));
            }
            if wave.unresolved == 0 {
                if wave.wait.is_some() {
                    self.count_again(worker, key);
                    continue;
                }
                if !wave.gathers.is_empty() && wave.ask_again(Instant::now(), || owners(routing)) {
                    worker.links.pause(key, Instant::now());
                    continue;
                }
                return Poll::Ready(Through::Sent(self.finish_wave(worker, key)));
            }
            let now = Instant::now();
            if wave.is_blocking() && !wave.has_waiting() {
                // It waits at its owner, which alone decides when that ends; reaching an owner has its deadline.
                wave.deadline = Some(now + Duration::from_millis(worker.settings.cluster.request_deadline_ms));
            }
            if wave.deadline.is_some_and(|deadline| deadline <= now) {
                if wave.end_late_wait(now) {
                    continue;
                }
                let deadline_ms = worker.settings.cluster.request_deadline_ms;
                if wave.give_up_copies() && !std::mem::replace(&mut wave.is_extended, true) {
                    (wave.deadline, wave.retry_at) = (Some(now + Duration::from_millis(deadline_ms / 5)), None);
                    continue;
                }
                wave.give_up(|item| why_waiting(routing, item));
                continue;
            }
            let is_due = wave.retry_at.is_none_or(|at| at <= now) || wave.has_new_route(routing);
            if !is_due || !wave.has_waiting() {
                match &mut wave.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
            worker.links.dispatch(key, routing, now);
            start_tasks(&node, worker);
            self.run_here(worker, key, now);
        }
    }

    /// Answers a WAIT whose owners have been asked, or has them asked again a little later.
    fn count_again(&mut self, worker: &mut Worker, key: WaveKey) {
        let now = Instant::now();
        let is_alone = !self.node.cluster.routing.has_others();
        let Some(at) = worker.links.wave(key).and_then(|wave| wave.count_again(now, is_alone)) else { return };
        let patience = Duration::from_millis(worker.settings.cluster.request_deadline_ms);
        let Some(wave) = worker.links.ask_anew(key, at) else { return };
        if let Some(wait) = wave.wait {
            push_count(&self.node.cluster.routing, &self.session, wait.joining, wave);
            wave.deadline = Some(wait.deadline(now, patience));
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

    /// Runs what has come to be this node's own business: slots that it took over meanwhile, and its part of commands
    /// that were split.
    fn run_here(&mut self, worker: &mut Worker, key: WaveKey, now: Instant) {
        let Some(mut wave) = worker.links.borrow(key) else { return };
        let here = std::mem::take(&mut wave.here);
        let mut rest = here.as_slice();
        worker.refused.clear();
        while let Some((first, others)) = rest.split_first() {
            let mut last = *first;
            let run_len = 1 + others
                .iter()
                .take_while(|index| joins(&wave, std::mem::replace(&mut last, **index), **index))
                .count();
            let (run, behind) = rest.split_at(run_len);
            self.run_items(worker, &mut wave, run);
            rest = behind;
        }
        let is_refused =
            here.iter().any(|index| wave.items.get(*index).is_some_and(|item| item.state == State::Waiting));
        wave.here = here;
        worker.links.put_back(key, wave);
        if is_refused {
            worker.links.pause(key, now);
        }
    }

    /// Runs items whose requests stand one behind another.
    fn run_items(&mut self, worker: &mut Worker, wave: &mut Wave, indexes: &[usize]) {
        let (Some(first), Some(last)) = (indexes.first(), indexes.last()) else { return };
        let (Some(first), Some(last)) = (wave.items.get(*first), wave.items.get(*last)) else { return };
        let range = first.request.start..last.request.end;
        let manner = first.manner;
        if manner.is_watched && self.session.watch.is_none() {
            return abort(wave, indexes);
        }
        let mut served = Served {
            ends: std::mem::take(&mut worker.ends),
            first: WriteId { origin: worker.links.origin(), number: first.number },
            is_unit: manner.is_unit,
            is_retry: first.may_have_run,
            reads_copy: false,
            age_ms: u32::try_from(wave.began.elapsed().as_millis()).unwrap_or(u32::MAX),
            full_at: usize::MAX,
        };
        // The session itself may have gone on to another database, or into a transaction.
        let mut session = Session::new(self.session.client.clone(), true);
        (session.db, session.no_touch) = (usize::from(manner.db), manner.no_touch);
        session.resp = if manner.is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
        session.tracking = self.session.tracking.take();
        session.watch = self.session.watch.take_if(|_| manner.is_watched);
        // Messages between the parts of a reply would be taken for parts of it: they come behind the wave.
        session.is_remote = true;
        session.refresh_mode();
        let mut parser = RequestParser::new(RequestLimits::default());
        let mut replies = std::mem::take(&mut wave.replies);
        let mut from = replies.len();
        let requests = wave.requests.get(range).unwrap_or_default();
        worker.withheld.clear();
        worker.written.clear();
        let away = Away::Serve(&mut served);
        let end = run_batch(&self.node, worker, &mut session, &mut parser, requests, &mut 0, &mut replies, away);
        self.session.tracking = session.tracking.take();
        if manner.is_watched {
            // Where it has yet to run, it goes on watching.
            self.session.watch = session.watch.take();
        }
        if let Some(BatchEnd::Blocked(blocked)) = end {
            // It has come home: from here on it waits as any other. It was alone in its wave.
            self.after_wave = Turn::Block(blocked);
            served.ends.push((Status::Done, replies.len()));
        }
        if served.is_unit {
            keep_last_reply(&mut replies, from, &mut served.ends);
        }
        wave.written.append(&mut worker.written);
        for mut write in worker.withheld.drain(..) {
            let nth = if manner.is_unit { 0 } else { write.nth.unwrap_or(0) };
            write.nth = indexes.get(nth).copied();
            wave.withheld.push(write);
        }
        for (index, (status, end)) in indexes.iter().zip(&served.ends) {
            match status {
                Status::Done => wave.resolve(*index, State::Done { from, len: end - from }),
                Status::Unknown => wave.resolve(*index, State::Failed(ForwardFailure::OutcomeUnknown)),
                Status::TooFewCopies => wave.note_lacking(*index, true),
                Status::NotMine | Status::Moved => wave.note_lacking(*index, false),
                Status::Later | Status::Unconfirmed => {}
            }
            from = *end;
        }
        wave.replies = replies;
        served.ends.clear();
        worker.ends = served.ends;
    }
}

/// Answers transactions whose watched keys nobody has kept an eye on as if one had changed.
fn abort(wave: &mut Wave, indexes: &[usize]) {
    for index in indexes {
        let Some(item) = wave.items.get(*index) else { continue };
        let version = if item.manner.is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
        let from = wave.replies.len();
        ReplyWriter::new(&mut wave.replies, version).null_array();
        wave.resolve(*index, State::Done { from, len: wave.replies.len() - from });
    }
}

/// Whether two items may run as one batch.
fn joins(wave: &Wave, before: usize, after: usize) -> bool {
    let (Some(before), Some(after)) = (wave.items.get(before), wave.items.get(after)) else { return false };
    before.request.end == after.request.start
        && before.manner == after.manner
        && before.number + 1 == after.number
        && !before.manner.is_unit
        && !before.may_have_run
        && !after.may_have_run
}

/// Why a request that was never executed could not be, at its deadline.
fn why_waiting(routing: &Routing, item: &Item) -> ForwardFailure {
    match item.target {
        crate::cluster::forward::wave::Target::Owner if !matches!(routing.route(item.slot), Route::Peer(_)) => {
            ForwardFailure::BetweenOwners
        }
        _ => ForwardFailure::Unreachable,
    }
}
