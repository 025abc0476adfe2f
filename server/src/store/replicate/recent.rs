//! The forwarded writes that were executed lately, with their replies: a retry of one is answered, not executed again.

use std::collections::VecDeque;

use rondache_protocol::bus::{identity::WriteId, replicate::Write};

/// A longer reply is not kept: the retry's client is told that the outcome is unknown.
pub const REPLY_LEN_MAX: usize = 1024;

/// How long a write is remembered, in ms: longer than any request's deadline, counted on another node's clock.
pub const KEPT_MS: u64 = 12_000;

/// How many writes are remembered, per shard.
const LEN_MAX: usize = 8192;

/// Where a write stands that is forgotten before its time.
const NO_SLOT: u16 = u16::MAX;

/// What is known of a write that is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It was executed, with this reply.
    Done(Vec<u8>),
    /// It was executed, and its reply was too large to keep.
    ReplyTooLarge,
    /// Nothing is known: so many writes came since that it may have been forgotten.
    Forgotten,
    /// It was not executed.
    NotExecuted,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    id: WriteId,
    slot: u16,
    has_reply: bool,
    reply_len: u32,
    time_ms: u64,
}

/// The writes of one shard, oldest first.
///
/// Bounds: [`LEN_MAX`] writes, and as old as [`KEPT_MS`].
#[derive(Debug, Default)]
pub(crate) struct RecentWrites {
    writes: VecDeque<Remembered>,
    /// Their replies, one behind the other.
    replies: VecDeque<u8>,
    /// Writes up to this time were forgotten for want of room.
    forgotten_until_ms: u64,
}

impl RecentWrites {
    /// Remembers a write.
    pub(crate) fn put(&mut self, slot: u16, now_ms: u64, write: &Write<'_>) {
        while self.writes.front().is_some_and(|oldest| oldest.time_ms + KEPT_MS < now_ms) {
            self.drop_oldest();
        }
        if self.writes.len() >= LEN_MAX
            && let Some(oldest) = self.drop_oldest()
        {
            self.forgotten_until_ms = self.forgotten_until_ms.max(oldest.time_ms);
        }
        let reply = write.reply.filter(|reply| reply.len() <= REPLY_LEN_MAX);
        self.replies.extend(reply.unwrap_or_default());
        let reply_len = reply.map_or(0, |reply| reply.len() as u32);
        self.writes.push_back(Remembered {
            id: write.id,
            slot,
            has_reply: reply.is_some(),
            reply_len,
            time_ms: now_ms,
        });
    }

    fn drop_oldest(&mut self) -> Option<Remembered> {
        let oldest = self.writes.pop_front()?;
        self.replies.drain(..oldest.reply_len as usize);
        Some(oldest)
    }

    /// What the slot held is gone: who tries a write again that was part of it is not to be told that it was executed.
    pub(crate) fn forget_slot(&mut self, slot: u16) {
        self.writes.iter_mut().filter(|write| write.slot == slot).for_each(|write| write.slot = NO_SLOT);
    }

    /// What is known of a write to a slot that was first tried at `tried_ms`.
    pub(crate) fn find(&self, slot: u16, id: WriteId, tried_ms: u64) -> Retried {
        match self.iter().find(|(remembered, _)| remembered.slot == slot && remembered.id == id) {
            Some((found, from)) => self.reply_at(found, from).map_or(Retried::ReplyTooLarge, Retried::Done),
            None if tried_ms <= self.forgotten_until_ms => Retried::Forgotten,
            None => Retried::NotExecuted,
        }
    }

    /// Calls `visit` with the time and each write of a slot, oldest first.
    pub(crate) fn for_each_of(&self, slot: u16, mut visit: impl FnMut(u64, &Write<'_>)) {
        for (remembered, from) in self.iter().filter(|(remembered, _)| remembered.slot == slot) {
            let reply = self.reply_at(remembered, from);
            visit(remembered.time_ms, &Write { id: remembered.id, reply: reply.as_deref() });
        }
    }

    fn reply_at(&self, remembered: &Remembered, from: usize) -> Option<Vec<u8>> {
        let to = from + remembered.reply_len as usize;
        remembered.has_reply.then(|| self.replies.range(from..to).copied().collect())
    }

    /// The writes, and where their replies begin.
    fn iter(&self) -> impl Iterator<Item = (&Remembered, usize)> {
        let mut at = 0;
        self.writes.iter().map(move |remembered| {
            let from = at;
            at += remembered.reply_len as usize;
            (remembered, from)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn id(number: u64) -> WriteId {
        WriteId { origin: 1, number }
    }

    #[test]
    fn a_write_is_answered_with_its_reply() {
        let mut recent = RecentWrites::default();
        recent.put(1, 10, &Write { id: id(1), reply: Some(b":1\r\n") });
        recent.put(1, 11, &Write { id: id(2), reply: Some(b":2\r\n") });
        recent.put(1, 12, &Write { id: id(3), reply: None });
        assert_eq!(recent.find(1, id(2), 5), Retried::Done(b":2\r\n".to_vec()));
        assert_eq!(recent.find(1, id(3), 5), Retried::ReplyTooLarge);
        assert_eq!(recent.find(1, id(4), 5), Retried::NotExecuted);
    }

    #[test]
    fn a_write_to_a_slot_that_was_dropped_was_not_executed() {
        let mut recent = RecentWrites::default();
        recent.put(1, 10, &Write { id: id(1), reply: Some(b":1\r\n") });
        recent.put(2, 10, &Write { id: id(2), reply: Some(b":2\r\n") });
        recent.forget_slot(1);
        recent.put(1, 11, &Write { id: id(3), reply: Some(b":3\r\n") });
        assert_eq!(recent.find(1, id(1), 5), Retried::NotExecuted);
        assert_eq!(recent.find(2, id(2), 5), Retried::Done(b":2\r\n".to_vec()));
        assert_eq!(recent.find(1, id(3), 5), Retried::Done(b":3\r\n".to_vec()));
    }

    #[test]
    fn a_reply_that_is_too_large_is_not_kept() {
        let mut recent = RecentWrites::default();
        recent.put(1, 10, &Write { id: id(1), reply: Some(&[b'x'; REPLY_LEN_MAX + 1]) });
        assert_eq!(recent.find(1, id(1), 5), Retried::ReplyTooLarge);
    }

    #[test]
    fn old_writes_are_forgotten_and_give_their_room_back() {
        let mut recent = RecentWrites::default();
        recent.put(1, 10, &Write { id: id(1), reply: Some(b":1\r\n") });
        recent.put(1, 11 + KEPT_MS, &Write { id: id(2), reply: Some(b":2\r\n") });
        assert_eq!((recent.writes.len(), recent.replies.len()), (1, 4));
    }

    #[test]
    fn a_write_that_may_have_been_forgotten_for_want_of_room_is_not_said_to_be_new() {
        let mut recent = RecentWrites::default();
        for number in 0..=LEN_MAX as u64 {
            recent.put(1, 100 + number, &Write { id: id(number), reply: Some(b"+OK\r\n") });
        }
        assert_eq!(recent.find(1, id(0), 99), Retried::Forgotten);
        assert_eq!(recent.find(1, id(9_999_999), 101), Retried::NotExecuted);
    }
}
