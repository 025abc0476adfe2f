//! FORWARD frames: requests for the peer to execute, in groups that run in one manner.

use super::{ForwardError, Reader, put};
use crate::bus::identity::WriteId;

/// Most requests of one group.
pub const GROUP_LEN_MAX: usize = u16::MAX as usize;

/// Bytes of a group before its requests.
const GROUP_HEAD_LEN: usize = 1 + 1 + 2 + 4 + 8 + 8 + 4;
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
            let group = read_group(&mut reader, origin);
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

fn read_group<'a>(reader: &mut Reader<'a>, origin: u64) -> Result<Group<'a>, ForwardError> {
    let [db, flags] = reader.array()?;
    let count = reader.array().map(u16::from_le_bytes)?;
    let (age_ms, client, number) = (reader.u32()?, reader.u64()?, reader.u64()?);
    let len = reader.u32()? as usize;
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
    Ok(Group { manner, count, first: WriteId { origin, number }, requests: reader.take(len)? })
}
