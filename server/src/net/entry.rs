//! The entry node's part in requests for others, without a socket: batches whose requests join waves, and waves that go
//! on until each of their requests has its reply.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rondache_protocol::{
    bus::{forward::Status, identity::WriteId},
    resp::{
        request::{RequestLimits, RequestParser},
        writer::RespVersion,
    },
};

use super::{
    running::{keep_last_reply, run_batch},
    worker::Worker,
};
use crate::{
    cluster::{
        Cluster,
        forward::{
            error::ForwardFailure,
            links::WaveKey,
            wave::{Item, State, Target, Wave},
        },
        replication::withheld::Withheld,
        routing::Route,
    },
    node::{Node, clock},
    session::{
        Session, Watch,
        away::{Away, Served},
        batch::BatchEnd,
        blocking::Blocked,
        collect::{owners, push_count},
    },
};

/// How far a wave is.
pub(crate) enum Progress {
    /// There is no such wave any more.
    Gone,
    /// It waits for replies, for another route, or for a while.
    Waiting,
    /// Copies must confirm first what was written here.
    Written(Vec<Withheld>),
    /// All of its requests have their replies.
    Through,
}

/// A client's session on a worker of the node that it is connected to.
pub(crate) struct Entry<'e> {
    node: &'e Arc<Node>,
    session: &'e mut Session,
    worker: &'e mut Worker,
    /// A blocking command whose slot has come to be this node's own: from here on it waits as any other.
    pub(crate) came_home: Option<Blocked>,
}

impl<'e> Entry<'e> {
    pub(crate) fn new(node: &'e Arc<Node>, session: &'e mut Session, worker: &'e mut Worker) -> Self {
        Self { node, session, worker, came_home: None }
    }

    /// Runs a batch. What it ended with, and the wave of what others, or copies, have to answer first.
    pub(crate) fn collect(
        &mut self,
        parser: &mut RequestParser,
        buf: &[u8],
        from: &mut usize,
        out: &mut Vec<u8>,
        now: impl FnOnce() -> Instant,
    ) -> (Option<BatchEnd>, Option<WaveKey>) {
        let worker = &mut *self.worker;
        worker.refused.clear();
        worker.withheld.clear();
        let mut wave = worker.links.lend();
        let end = run_batch(self.node, worker, self.session, parser, buf, from, out, Away::Collect(&mut wave));
        wave.withheld.append(&mut worker.withheld);
        if wave.is_empty() && wave.withheld.is_empty() {
            worker.links.give_back(wave);
            return (end, None);
        }
        wave.began = now();
        let patience = Duration::from_millis(worker.settings.cluster.request_deadline_ms);
        let wait = wave.wait.map(|wait| wait.deadline(wave.began, patience));
        wave.deadline = wait.or(Some(wave.began + patience));
        (end, Some(worker.links.insert(wave)))
    }

    /// Lets a wave go on as far as it can now.
    pub(crate) fn go_on(&mut self, key: WaveKey, now: Instant) -> Progress {
        let node = self.node;
        let routing = &node.cluster.routing;
        loop {
            let Some(wave) = self.worker.links.wave(key) else { return Progress::Gone };
            if !wave.gathers.is_empty() {
                wave.leave_out(|peer| routing.peer(peer).is_none_or(|peer| peer.is_dead));
            }
            if wave.unresolved == 0 && !wave.withheld.is_empty() {
                return Progress::Written(std::mem::take(&mut wave.withheld));
            }
            if wave.unresolved == 0 {
                if wave.wait.is_some() {
                    self.count_again(key, now);
                    continue;
                }
                if !wave.gathers.is_empty() && wave.ask_again(now, || owners(routing)) {
                    self.worker.links.pause(key, now);
                    continue;
                }
                return Progress::Through;
            }
            let patience = Duration::from_millis(self.worker.settings.cluster.request_deadline_ms);
            if wave.is_blocking() {
                // While it waits at its owner, that alone decides when this ends; reaching an owner, each time, has its deadline.
                let reaches_by = wave.deadline.unwrap_or(now + patience);
                wave.deadline = wave.has_waiting().then_some(reaches_by);
            }
            if wave.deadline.is_some_and(|deadline| deadline <= now) {
                if wave.end_late_wait(now) {
                    continue;
                }
                if wave.give_up_copies() && !std::mem::replace(&mut wave.is_extended, true) {
                    (wave.deadline, wave.retry_at) = (Some(now + patience / 5), None);
                    continue;
                }
                wave.give_up(|item| why_waiting(&node.cluster, item));
                continue;
            }
            let is_due = wave.retry_at.is_none_or(|at| at <= now) || wave.has_new_route(routing);
            if !is_due || !wave.has_waiting() {
                return Progress::Waiting;
            }
            self.worker.links.dispatch(key, routing, now);
            self.run_here(key, now);
        }
    }

    /// Answers a WAIT whose owners have been asked, or has them asked again a little later.
    fn count_again(&mut self, key: WaveKey, now: Instant) {
        let worker = &mut *self.worker;
        let is_alone = !self.node.cluster.routing.has_others();
        let Some(at) = worker.links.wave(key).and_then(|wave| wave.count_again(now, is_alone)) else { return };
        let patience = Duration::from_millis(worker.settings.cluster.request_deadline_ms);
        let Some(wave) = worker.links.ask_anew(key, at) else { return };
        if let Some(wait) = wave.wait {
            push_count(&self.node.cluster.routing, self.session, wait.joining, wave);
            wave.deadline = Some(wait.deadline(now, patience));
        }
    }

    /// Runs what has come to be this node's own business: slots that it took over meanwhile, and its part of commands
    /// that were split.
    fn run_here(&mut self, key: WaveKey, now: Instant) {
        let Some(mut wave) = self.worker.links.borrow(key) else { return };
        let here = std::mem::take(&mut wave.here);
        // Where the node was frozen since the last look, it has to find out first whether it still owns anything.
        let may_run = here.is_empty() || self.node.cluster.guard.may_run(clock::boot_ms());
        let mut rest = if may_run { here.as_slice() } else { &[] };
        self.worker.refused.clear();
        while let Some((first, others)) = rest.split_first() {
            let mut last = *first;
            let run_len = 1 + others
                .iter()
                .take_while(|index| joins(&wave, std::mem::replace(&mut last, **index), **index))
                .count();
            let (run, behind) = rest.split_at(run_len);
            self.run_items(&mut wave, run, now);
            rest = behind;
        }
        let is_refused =
            here.iter().any(|index| wave.items.get(*index).is_some_and(|item| item.state == State::Waiting));
        wave.here = here;
        self.worker.links.put_back(key, wave);
        if is_refused {
            self.worker.links.pause(key, now);
        }
    }

    /// Runs items whose requests stand one behind another.
    fn run_items(&mut self, wave: &mut Wave, indexes: &[usize], now: Instant) {
        let (Some(first), Some(last)) = (indexes.first(), indexes.last()) else { return };
        let (Some(first), Some(last)) = (wave.items.get(*first), wave.items.get(*last)) else { return };
        let range = first.request.start..last.request.end;
        let manner = first.manner;
        let worker = &mut *self.worker;
        let mut served = Served {
            ends: std::mem::take(&mut worker.ends),
            first: WriteId { origin: worker.links.origin(), number: first.number },
            is_unit: manner.is_unit,
            is_retry: first.may_have_run,
            reads_copy: false,
            age_ms: u32::try_from(now.saturating_duration_since(wave.began).as_millis()).unwrap_or(u32::MAX),
            full_at: usize::MAX,
        };
        // The session itself may have gone on to another database, or into a transaction.
        let mut session = Session::new(self.session.client.clone(), true);
        (session.db, session.no_touch) = (usize::from(manner.db), manner.no_touch);
        session.resp = if manner.is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
        session.tracking = self.session.tracking.take();
        let watch = self.session.watch.take_if(|_| manner.is_watched);
        let is_unwatched = manner.is_watched && watch.is_none();
        // What it watches is another node's no more: it is aborted, unless it is one that an owner has executed before.
        session.watch = if is_unwatched { Some(Watch::broken()) } else { watch };
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
        let end = run_batch(self.node, worker, &mut session, &mut parser, requests, &mut 0, &mut replies, away);
        self.session.tracking = session.tracking.take();
        if manner.is_watched && !is_unwatched {
            // Where it has yet to run, it goes on watching.
            self.session.watch = session.watch.take();
        }
        if let Some(BatchEnd::Blocked(blocked)) = end {
            // It has come home: from here on it waits as any other. It was alone in its wave.
            self.came_home = Some(blocked);
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
                // The last two are said of what has waited for copies.
                Status::Later | Status::Unconfirmed | Status::Lost => {}
            }
            from = *end;
        }
        wave.replies = replies;
        served.ends.clear();
        worker.ends = served.ends;
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
fn why_waiting(cluster: &Cluster, item: &Item) -> ForwardFailure {
    match item.target {
        // Without a majority, where that matters, nobody takes a slot over: it is not between owners.
        Target::Owner if cluster.may_write() && !matches!(cluster.routing.route(item.slot), Route::Peer(_)) => {
            ForwardFailure::BetweenOwners
        }
        _ => ForwardFailure::Unreachable,
    }
}
