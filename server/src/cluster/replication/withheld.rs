//! Replies that are withheld until enough copies have applied the writes that they tell of: `write-acks`.
//!
//! A batch that wrote notes, while it holds each command's shards, which copies are to have the write and where in their
//! streams it stands. The next commands run on; the batch's replies wait, all of them once. A reply whose write is not
//! confirmed at the deadline becomes an error. Where its slot went to another owner who may not have it, nobody will ever confirm
//! it: then the wait ends early, and that owner is asked, if the write has an id by which he can tell.

use std::{
    future::poll_fn,
    ops::Range,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use crate::{
    cluster::forward::error::ForwardFailure,
    node::Node,
    store::{keyspace::Written, replicate::outgoing::Outgoing},
};

/// How often a write that waits looks for copies that were made since.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The streams of a slot's copies, and the place in each behind which the copy has a write.
type Copies = Vec<(Arc<Outgoing>, u64)>;

/// A write whose reply is withheld.
#[derive(Debug)]
pub(crate) struct Withheld {
    /// Where the slot stands with it.
    pub(crate) written: Written,
    /// Other slots that it wrote to, with the same copies (FLUSHALL).
    pub(crate) others: Vec<Written>,
    /// The slot's copies: their streams, and the place in each behind which the copy has the write.
    pub(crate) copies: Copies,
    /// How many of them must have it.
    pub(crate) wanted: usize,
    /// Where among the batch's replies its reply stands.
    pub(crate) reply: Range<usize>,
    /// Of requests that are told apart: which of them it was.
    pub(crate) nth: Option<usize>,
    /// Whether a slot that it wrote to was lost here since, and not handed over: nobody will confirm it.
    pub(crate) is_lost: bool,
}

impl Withheld {
    /// What its client reads, where nothing more can be done for it.
    pub(crate) fn failure(&self) -> ForwardFailure {
        if self.is_lost { ForwardFailure::OutcomeUnknown } else { ForwardFailure::Unconfirmed }
    }

    fn is_confirmed(&self) -> bool {
        let has_all = |(outgoing, position): &&(Arc<Outgoing>, u64)| {
            std::iter::once(&self.written).chain(&self.others).all(|at| outgoing.is_applied(at.slot, *position))
        };
        self.copies.iter().filter(has_all).count() >= self.wanted
    }

    /// One write to many slots: those with the same copies are looked at together.
    pub(crate) fn grouped(
        slots: impl Iterator<Item = (Written, Copies)>,
        wanted: usize,
        reply: &Range<usize>,
        nth: Option<usize>,
    ) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (written, copies) in slots {
            let is_same = |group: &&mut Self| {
                group.copies.len() == copies.len()
                    && group.copies.iter().zip(&copies).all(|((one, _), (other, _))| Arc::ptr_eq(one, other))
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => {
                    group.others.push(written);
                    // Behind the furthest place a copy has them all.
                    group.copies.iter_mut().zip(&copies).for_each(|((_, at), (_, of_slot))| *at = (*at).max(*of_slot));
                }
                None => {
                    let reply = reply.clone();
                    groups.push(Self { written, others: Vec::new(), copies, wanted, reply, nth, is_lost: false });
                }
            }
        }
        groups
    }

    /// Copies may have been lost, and others made. A slot that this node gave away meanwhile has one more holder: the taker had
    /// all by then, and this node remained its copy. Where more are wanted, the copies that there were count on. A slot that was taken
    /// away has an owner who may know nothing of the write: what its copies here say is worth nothing then.
    fn look_again(mut self, node: &Node) -> Vec<Self> {
        let mut slots = Vec::new();
        for written in std::iter::once(&self.written).chain(&self.others) {
            let (copies, is_held, is_granted) = node.store.control(written.slot, |control| {
                let is_held = control.holds(written.at);
                let copies = if is_held { control.acks() } else { Vec::new() };
                (copies, is_held, control.has_granted(written.at))
            });
            if !is_held && !is_granted {
                self.is_lost = true;
                return vec![self];
            }
            if is_granted && self.wanted <= 1 {
                continue;
            }
            if !is_granted && copies.len() < self.wanted {
                node.cluster.awaited.insert(written.slot);
            }
            slots.push((*written, if copies.is_empty() { self.copies.clone() } else { copies }));
        }
        Self::grouped(slots.into_iter(), self.wanted, &self.reply, self.nth)
    }
}

/// Waits until enough copies have the writes or their slots are lost, at most for `patience`. What is left then was not confirmed.
pub(crate) async fn wait(node: &Node, withheld: &mut Vec<Withheld>, patience: Duration) {
    withheld.retain(|write| !write.is_confirmed());
    if withheld.is_empty() {
        return;
    }
    let deadline = Instant::now() + patience;
    let mut lost = Vec::new();
    loop {
        let until = deadline.min(Instant::now() + LOOK_INTERVAL);
        let confirmed = timeout_at(until, poll_fn(|cx| poll(withheld, cx))).await;
        if confirmed.is_ok() || Instant::now() >= deadline {
            break;
        }
        *withheld = std::mem::take(withheld).into_iter().flat_map(|write| write.look_again(node)).collect();
        lost.extend(withheld.extract_if(.., |write| write.is_lost));
    }
    withheld.append(&mut lost);
}

/// Ready once all are confirmed, which are taken out.
fn poll(withheld: &mut Vec<Withheld>, cx: &Context<'_>) -> Poll<()> {
    withheld.retain(|write| !write.is_confirmed());
    for (outgoing, position) in withheld.iter().flat_map(|write| &write.copies) {
        let _ = outgoing.poll_acked(*position, cx);
    }
    // An acknowledgement may have come before there was a waker for it.
    withheld.retain(|write| !write.is_confirmed());
    if withheld.is_empty() { Poll::Ready(()) } else { Poll::Pending }
}

/// How long a node that executed a write waits for its copies: it answers before whoever asked gives up.
pub(crate) fn patience(node: &Node) -> Duration {
    Duration::from_millis(node.settings.load().cluster.request_deadline_ms * 4 / 5)
}
