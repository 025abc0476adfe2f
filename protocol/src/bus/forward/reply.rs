//! REPLY frames: what became of the requests of one FORWARD frame.

use super::{ForwardError, Reader, put};

/// Bytes of an entry in a reply's table.
const ITEM_LEN: usize = 1 + 4;
/// In front of a REPLY frame's table: the frame that it answers, and the count.
const REPLY_HEAD_LEN: usize = 8 + 4;

/// What became of a forwarded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ran, and this is its reply.
    Done = 0,
    /// Nothing was executed: the peer does not own the slot, or does not know yet that it does.
    NotMine = 1,
    /// It is a retry of a write of which the peer can't tell whether it was executed.
    Unknown = 2,
    /// It waited for its key until the slot went to another owner; nothing was executed.
    Moved = 3,
    /// Nothing was executed: the replies before it fill the frame, or the peer holds commands back. It may be sent again.
    Later = 4,
    /// It ran, but too few copies confirmed that they have what it wrote.
    Unconfirmed = 5,
    /// Nothing was executed: the slot has fewer copies than the write must have, and others are being made.
    TooFewCopies = 6,
    /// It ran, but the slot went away before enough copies had what it wrote, which may be lost. The next owner can tell, by the
    /// write's id, whether it is to run there.
    Lost = 7,
}

impl Status {
    fn from_byte(byte: u8) -> Result<Self, ForwardError> {
        match byte {
            0 => Ok(Self::Done),
            1 => Ok(Self::NotMine),
            2 => Ok(Self::Unknown),
            3 => Ok(Self::Moved),
            4 => Ok(Self::Later),
            5 => Ok(Self::Unconfirmed),
            6 => Ok(Self::TooFewCopies),
            7 => Ok(Self::Lost),
            other => Err(ForwardError::UnknownStatus(other)),
        }
    }
}

/// A REPLY payload that is being written: a table that is filled in while the replies are appended behind it.
#[derive(Debug)]
pub struct ReplyEncoder {
    table_at: usize,
    count: usize,
    done: usize,
    /// Where the next reply begins.
    from: usize,
}

impl ReplyEncoder {
    /// Begins a payload of `count` replies at the end of `buf`.
    pub fn begin(buf: &mut Vec<u8>, id: u64, count: usize) -> Self {
        buf.extend_from_slice(&id.to_le_bytes());
        buf.extend_from_slice(&(count as u32).to_le_bytes());
        let table_at = buf.len();
        buf.resize(table_at + count * ITEM_LEN, 0);
        Self { table_at, count, done: 0, from: buf.len() }
    }

    /// The next reply ends where `buf` ends. One more than was announced is left out of the table.
    pub fn end_reply(&mut self, buf: &mut Vec<u8>, status: Status) {
        if self.done == self.count {
            return buf.truncate(self.from);
        }
        let len = (buf.len() - self.from) as u32;
        let at = self.table_at + self.done * ITEM_LEN;
        put(buf, at, &[status as u8]);
        put(buf, at + 1, &len.to_le_bytes());
        self.done += 1;
        self.from = buf.len();
    }

    /// Several replies at once: their statuses, and where in `buf` each ends. The first begins where the last one ended.
    pub fn end_replies(&mut self, buf: &mut [u8], ends: &[(Status, usize)]) {
        for (status, end) in ends.iter().take(self.count - self.done) {
            let len = end.saturating_sub(self.from) as u32;
            let at = self.table_at + self.done * ITEM_LEN;
            put(buf, at, &[*status as u8]);
            put(buf, at + 1, &len.to_le_bytes());
            self.done += 1;
            self.from = *end;
        }
    }

    /// How many replies have ended.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done
    }

    /// Gives what has no reply yet the status `rest`, so that there are as many as were announced.
    pub fn finish(mut self, buf: &mut Vec<u8>, rest: Status) {
        buf.truncate(self.from);
        while self.done < self.count {
            self.end_reply(buf, rest);
        }
    }
}

/// Changes what became of a request in a REPLY payload that is complete.
pub fn set_reply_status(payload: &mut [u8], index: usize, status: Status) {
    let count = payload.get(8..REPLY_HEAD_LEN).and_then(|count| count.try_into().ok()).map_or(0, u32::from_le_bytes);
    if index < count as usize {
        put(payload, REPLY_HEAD_LEN + index * ITEM_LEN, &[status as u8]);
    }
}

/// A received REPLY frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The FORWARD frame that it answers.
    pub id: u64,
    table: &'a [u8],
    replies: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// It is cut short, or has more bytes than replies.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ForwardError> {
        let mut reader = Reader(payload);
        let (id, count) = (reader.u64()?, reader.u32()? as usize);
        let table_len = count.checked_mul(ITEM_LEN).ok_or(ForwardError::CutShort)?;
        let table = reader.take(table_len)?;
        let reply = Self { id, table, replies: reader.0 };
        let mut len = 0_usize;
        for item in table.chunks_exact(ITEM_LEN) {
            Status::from_byte(item[0])?;
            len = len.saturating_add(item_len(item));
        }
        match len.cmp(&reply.replies.len()) {
            std::cmp::Ordering::Less => Err(ForwardError::Trailing),
            std::cmp::Ordering::Equal => Ok(reply),
            std::cmp::Ordering::Greater => Err(ForwardError::CutShort),
        }
    }

    /// How many replies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len() / ITEM_LEN
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// All replies, without their statuses.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.replies
    }

    /// Each reply's status and length, in the order of the requests.
    pub fn items(&self) -> impl Iterator<Item = (Status, usize)> + use<'a> {
        self.table.chunks_exact(ITEM_LEN).map(|item| {
            // All were looked at when the payload was read.
            (Status::from_byte(item[0]).unwrap_or(Status::Unknown), item_len(item))
        })
    }
}

fn item_len(item: &[u8]) -> usize {
    item.get(1..ITEM_LEN).and_then(|len| len.try_into().ok()).map_or(0, |len| u32::from_le_bytes(len) as usize)
}
