//! Requests that travel from an entry node to the owners of their slots, and the replies to them.
//!
//! ```text
//! FORWARD  id u64 · origin u64 · groups: [ db u8 · flags u8 · count u16 · age_ms u32 · client u64 · number u64 · len u32 · requests ]
//! REPLY    id u64 · count u32 · [ status u8 · len u32 ] × count · replies
//! TRACK    wants u8
//! INVALIDATE  what u8 · key
//! RELEASE  client u64
//! UNBLOCK  client u64 · with_error u8
//! PUBLISH  kind u8 · channel_len u32 · channel · message
//! WRITTEN  id u64 · [ slot u16 · epoch u64 · seq u64 ]
//! ```
//! Numbers are little-endian. Requests and replies are RESP, as clients send and read them: they are copied, never
//! translated. Encoding appends to the link's buffer in place; decoding borrows from the received frame, allocates
//! nothing, and answers malformed input with [`ForwardError`].

mod invalidation;
mod written;

pub use self::{
    invalidation::Invalidation,
    written::{decode_written, encode_written},
};
use super::identity::WriteId;

/// The kinds of frame on a link that carries requests.
pub mod kind {
    /// Requests for the peer to execute.
    pub const FORWARD: u8 = 0x10;
    /// The replies to one [`FORWARD`] frame.
    pub const REPLY: u8 = 0x11;
    /// Copies that the peer's clients hold are stale.
    pub const INVALIDATE: u8 = 0x12;
    /// A client has no more state at the peer, or has gone.
    pub const RELEASE: u8 = 0x13;
    /// Ends a client's wait at the peer.
    pub const UNBLOCK: u8 = 0x14;
    /// A message for the peer's subscribers.
    pub const PUBLISH: u8 = 0x15;
    /// The sender's clients keep copies of what they read, or no longer do: whether [`INVALIDATE`] is wanted.
    pub const TRACK: u8 = 0x16;
    /// Where slots stand with what a [`FORWARD`] frame wrote; comes in front of its [`REPLY`].
    pub const WRITTEN: u8 = 0x17;
}

/// Most requests of one group.
pub const GROUP_LEN_MAX: usize = u16::MAX as usize;

/// Bytes of a group before its requests.
const GROUP_HEAD_LEN: usize = 1 + 1 + 2 + 4 + 8 + 8 + 4;
/// Bytes of an entry in a reply's table.
const ITEM_LEN: usize = 1 + 4;
/// In front of a REPLY frame's table: the frame that it answers, and the count.
const REPLY_HEAD_LEN: usize = 8 + 4;

/// A frame's content contradicts its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// It ends too early.
    #[error("a frame is cut short")]
    CutShort,
    /// There is more than its form allows.
    #[error("a frame has bytes behind its end")]
    Trailing,
    /// A status that this version does not know.
    #[error("unknown status {0} of a reply")]
    UnknownStatus(u8),
    /// A kind of channel that this version does not know.
    #[error("unknown kind {0} of a published message")]
    UnknownChannelKind(u8),
    /// An invalidation that this version does not know.
    #[error("unknown kind {0} of an invalidation")]
    UnknownInvalidation(u8),
}

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
            other => Err(ForwardError::UnknownStatus(other)),
        }
    }
}

/// How the requests of a group are to run. Requests share a group as long as these are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// The selected database.
    pub db: u8,
    /// Whether replies are written in RESP3.
    pub is_resp3: bool,
    /// Whether reads do not count as accesses (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// Whether the peer may have executed these requests already.
    pub is_retry: bool,
    /// Whether the group is one transaction: all of its requests run without others between, and have one reply.
    pub is_unit: bool,
    /// Whether the unit is to run only if the client watches keys at the peer and none of them has changed.
    pub is_watched: bool,
    /// Whether the peer may answer from its copy.
    pub reads_copy: bool,
    /// Whether the client does not want to hear of changes that it makes itself.
    pub is_noloop: bool,
    /// How long ago the requests came, in ms.
    pub age_ms: u32,
    /// The client whose state at the peer matters; 0: none does.
    pub client: u64,
}

mod flag {
    pub(super) const RESP3: u8 = 1;
    pub(super) const NO_TOUCH: u8 = 1 << 1;
    pub(super) const RETRY: u8 = 1 << 2;
    pub(super) const UNIT: u8 = 1 << 3;
    pub(super) const WATCHED: u8 = 1 << 4;
    pub(super) const READS_COPY: u8 = 1 << 5;
    pub(super) const NOLOOP: u8 = 1 << 6;
}

/// Writes the payload of a FORWARD frame, group by group.
#[derive(Debug)]
pub struct ForwardEncoder {
    /// Where the open group's head stands.
    group_at: Option<usize>,
    manner: Manner,
    /// The number that the next request of the open group must have.
    next_number: u64,
    count: u16,
}

impl ForwardEncoder {
    /// Begins a payload at the end of `buf`.
    pub fn begin(buf: &mut Vec<u8>, id: u64, origin: u64) -> Self {
        buf.extend_from_slice(&id.to_le_bytes());
        buf.extend_from_slice(&origin.to_le_bytes());
        Self { group_at: None, manner: Manner::default(), next_number: 0, count: 0 }
    }

    /// Appends a request, or of a unit all of its requests. `number` names it among the origin's requests.
    pub fn request(&mut self, buf: &mut Vec<u8>, manner: Manner, number: u64, request: &[u8]) {
        let fits = self.group_at.is_some()
            && !manner.is_unit
            && self.manner == manner
            && self.next_number == number
            && usize::from(self.count) < GROUP_LEN_MAX;
        if !fits {
            self.close_group(buf);
            self.open_group(buf, manner, number);
        }
        self.count += 1;
        self.next_number = number + 1;
        buf.extend_from_slice(request);
    }

    /// Ends the payload.
    pub fn finish(mut self, buf: &mut [u8]) {
        self.close_group(buf);
    }

    fn open_group(&mut self, buf: &mut Vec<u8>, manner: Manner, number: u64) {
        self.group_at = Some(buf.len());
        (self.manner, self.count) = (manner, 0);
        let flags = [
            (manner.is_resp3, flag::RESP3),
            (manner.no_touch, flag::NO_TOUCH),
            (manner.is_retry, flag::RETRY),
            (manner.is_unit, flag::UNIT),
            (manner.is_watched, flag::WATCHED),
            (manner.reads_copy, flag::READS_COPY),
            (manner.is_noloop, flag::NOLOOP),
        ];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |flags, (_, flag)| flags | flag);
        buf.extend_from_slice(&[manner.db, flags, 0, 0]);
        buf.extend_from_slice(&manner.age_ms.to_le_bytes());
        buf.extend_from_slice(&manner.client.to_le_bytes());
        buf.extend_from_slice(&number.to_le_bytes());
        buf.extend_from_slice(&[0; 4]);
    }

    fn close_group(&mut self, buf: &mut [u8]) {
        let Some(at) = self.group_at.take() else { return };
        let len = (buf.len() - at - GROUP_HEAD_LEN) as u32;
        put(buf, at + 2, &self.count.to_le_bytes());
        put(buf, at + GROUP_HEAD_LEN - 4, &len.to_le_bytes());
    }
}

fn put(buf: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buf.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// A received FORWARD frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// Names the frame in its reply.
    pub id: u64,
    /// Who numbers the requests: see [`WriteId`].
    pub origin: u64,
    groups: &'a [u8],
}

/// Requests that run in one manner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// How they run.
    pub manner: Manner,
    /// How many replies there are to be: one per request, or one for a unit.
    pub count: u16,
    /// Names the first; the others follow.
    pub first: WriteId,
    /// The requests.
    pub requests: &'a [u8],
}

impl<'a> Forward<'a> {
    /// Reads a payload; its groups are read by [`Forward::groups`].
    ///
    /// # Errors
    /// It is cut short.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ForwardError> {
        let mut reader = Reader(payload);
        let (id, origin) = (reader.u64()?, reader.u64()?);
        Ok(Self { id, origin, groups: reader.0 })
    }

    /// The groups in order; nothing follows an error.
    pub fn groups(&self) -> impl Iterator<Item = Result<Group<'a>, ForwardError>> + use<'a> {
        let (mut reader, origin) = (Reader(self.groups), self.origin);
        std::iter::from_fn(move || {
            if reader.0.is_empty() {
                return None;
            }
            let group = reader.group(origin);
            if group.is_err() {
                reader.0 = &[];
            }
            Some(group)
        })
    }

    /// How many replies the frame is to have.
    ///
    /// # Errors
    /// A group is malformed.
    pub fn count(&self) -> Result<usize, ForwardError> {
        self.groups().try_fold(0, |sum, group| Ok(sum + usize::from(group?.count)))
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

/// Which subscribers a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Those of a channel, and of patterns.
    Plain = 0,
    /// Those of a shard channel.
    Shard = 1,
}

/// A message for the peer's subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Whose.
    pub kind: ChannelKind,
    /// The channel.
    pub channel: &'a [u8],
    /// The message.
    pub message: &'a [u8],
}

impl<'a> Publish<'a> {
    /// Appends the payload to `buf`.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        buf.push(self.kind as u8);
        buf.extend_from_slice(&(self.channel.len() as u32).to_le_bytes());
        buf.extend_from_slice(self.channel);
        buf.extend_from_slice(self.message);
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// It is cut short, or of an unknown kind.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ForwardError> {
        let mut reader = Reader(payload);
        let kind = match reader.u8()? {
            0 => ChannelKind::Plain,
            1 => ChannelKind::Shard,
            other => return Err(ForwardError::UnknownChannelKind(other)),
        };
        let len = reader.u32()? as usize;
        Ok(Self { kind, channel: reader.take(len)?, message: reader.0 })
    }
}

/// Reads the payload of TRACK: whether invalidations are wanted.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_track(payload: &[u8]) -> Result<bool, ForwardError> {
    let mut reader = Reader(payload);
    let wants = reader.u8()? != 0;
    reader.end().map(|()| wants)
}

/// Reads the payload of RELEASE: the client.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_release(payload: &[u8]) -> Result<u64, ForwardError> {
    let mut reader = Reader(payload);
    let client = reader.u64()?;
    reader.end().map(|()| client)
}

/// Reads the payload of UNBLOCK: the client, and whether its reply is to be an error.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_unblock(payload: &[u8]) -> Result<(u64, bool), ForwardError> {
    let mut reader = Reader(payload);
    let (client, with_error) = (reader.u64()?, reader.u8()? != 0);
    reader.end().map(|()| (client, with_error))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ForwardError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(ForwardError::CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], ForwardError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ForwardError::CutShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, ForwardError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, ForwardError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ForwardError> {
        self.array().map(u64::from_le_bytes)
    }

    fn end(&self) -> Result<(), ForwardError> {
        if self.0.is_empty() { Ok(()) } else { Err(ForwardError::Trailing) }
    }

    fn group(&mut self, origin: u64) -> Result<Group<'a>, ForwardError> {
        let [db, flags] = self.array()?;
        let count = self.array().map(u16::from_le_bytes)?;
        let (age_ms, client, number) = (self.u32()?, self.u64()?, self.u64()?);
        let len = self.u32()? as usize;
        let manner = Manner {
            db,
            is_resp3: flags & flag::RESP3 != 0,
            no_touch: flags & flag::NO_TOUCH != 0,
            is_retry: flags & flag::RETRY != 0,
            is_unit: flags & flag::UNIT != 0,
            is_watched: flags & flag::WATCHED != 0,
            reads_copy: flags & flag::READS_COPY != 0,
            is_noloop: flags & flag::NOLOOP != 0,
            age_ms,
            client,
        };
        Ok(Group { manner, count, first: WriteId { origin, number }, requests: self.take(len)? })
    }
}

#[cfg(test)]
mod tests;
