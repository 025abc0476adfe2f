//! The records of a stream.

use super::{ReplicateError, SlotPosition, reader::Reader};
use crate::{
    bus::identity::{Identity, NodeId, WriteId},
    resp::request::ArgRange,
};

/// A record with more bytes than this travels in parts of at most this size.
pub const PART_LEN_MAX: usize = 256 * 1024;

mod kind {
    pub(super) const EFFECT: u8 = 1;
    pub(super) const ENTRY: u8 = 2;
    pub(super) const WROTE: u8 = 3;
    pub(super) const FILL_BEGIN: u8 = 4;
    pub(super) const FILL_END: u8 = 5;
    pub(super) const LEAD: u8 = 6;
    pub(super) const GRANT: u8 = 7;
    pub(super) const DROP: u8 = 8;
    pub(super) const DIGEST: u8 = 9;
    pub(super) const HEARTBEAT: u8 = 10;
    pub(super) const PART: u8 = 11;
    pub(super) const CAUGHT_UP: u8 = 12;
}

/// In an effect's flags: it names the forwarded write that caused it.
const HAS_WRITE: u8 = 1;
/// In an entry's flags: it has a deadline.
const HAS_DEADLINE: u8 = 1;
/// In a part's flags: the record ends with it.
const IS_LAST: u8 = 1;
/// Copies in a row at most: more are no row.
const COPIES_MAX: u16 = 1024;

/// A forwarded write and its reply, for retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write<'a> {
    /// Which write.
    pub id: WriteId,
    /// Its reply as the client reads it; `None`: too large to keep.
    pub reply: Option<&'a [u8]>,
}

/// What an effect says besides its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectHead<'a> {
    /// The slot.
    pub slot: u16,
    /// The owner's epoch, and the slot's count of effects with this one.
    pub at: SlotPosition,
    /// The database.
    pub db: u8,
    /// The owner's time when it executed the command (unix ms).
    pub now_ms: u64,
    /// The forwarded write behind it.
    pub write: Option<Write<'a>>,
}

/// One deterministic write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect<'a> {
    /// Where it belongs.
    pub head: EffectHead<'a>,
    /// The command.
    pub words: EffectWords<'a>,
}

/// A command's words, each behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectWords<'a> {
    count: u32,
    bytes: &'a [u8],
}

/// One key with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The slot.
    pub slot: u16,
    /// The owner's epoch.
    pub epoch: u64,
    /// The database.
    pub db: u8,
    /// When it expires (unix ms).
    pub deadline_ms: Option<u64>,
    /// What it remembers of its last use.
    pub access: u32,
    /// The key.
    pub key: &'a [u8],
    /// Its value as DUMP writes it.
    pub payload: &'a [u8],
}

/// A row of the slot table, as a grant carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The slot.
    pub slot: u16,
    /// Counts the slot's owners.
    pub epoch: u64,
    /// Counts the owner's changes within the epoch.
    pub version: u32,
    /// The claim's firm epoch.
    pub firm_epoch: u64,
    /// Takeovers without a majority since then.
    pub provisional: u32,
    /// The owner.
    pub owner: Identity,
    /// The copies in sync.
    pub copies: Vec<Identity>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A write.
    Effect(Effect<'a>),
    /// A key of a slot that is being copied, as it is now.
    Entry(Entry<'a>),
    /// A write whose effect a copy under way does not need: only its reply.
    Wrote {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
        /// The owner's time when it was executed (unix ms).
        now_ms: u64,
        /// The write.
        write: Write<'a>,
    },
    /// A slot is copied from here on: what the copy holds of it is dropped.
    FillBegin {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
    },
    /// The copy now holds all that the owner holds.
    FillEnd {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
    },
    /// A new owner begins, with what it holds.
    Lead {
        /// The slot.
        slot: u16,
        /// The new owner's epoch.
        epoch: u64,
        /// Where it stood before: a copy that stands elsewhere is none.
        before: SlotPosition,
    },
    /// The receiver owns the slot from here on.
    Grant(Row),
    /// The copy is no longer wanted.
    Drop {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
    },
    /// What the slot holds at this point of its order, for comparison.
    Digest {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
        /// The digest.
        digest: u128,
    },
    /// The owner is there.
    Heartbeat {
        /// Its time (unix ms).
        now_ms: u64,
    },
    /// A piece of a record that is too large for a frame.
    Part {
        /// Whether the record ends with it.
        is_last: bool,
        /// The piece.
        bytes: &'a [u8],
    },
    /// The slot is parked: nothing follows before a grant or another effect.
    CaughtUp {
        /// The slot.
        slot: u16,
    },
}

/// Writes a record around its fields, whose length is put in front of them.
fn put(buf: &mut Vec<u8>, kind: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    let from = buf.len();
    buf.extend_from_slice(&[0, 0, 0, 0, kind]);
    fields(buf);
    let len = (buf.len() - from - 4) as u32;
    buf[from..from + 4].copy_from_slice(&len.to_le_bytes());
}

fn put_position(buf: &mut Vec<u8>, at: SlotPosition) {
    buf.extend_from_slice(&at.epoch.to_le_bytes());
    buf.extend_from_slice(&at.seq.to_le_bytes());
}

fn put_bytes(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    buf.extend_from_slice(bytes);
}

fn put_identity(buf: &mut Vec<u8>, identity: &Identity) {
    buf.extend_from_slice(&identity.generation.to_le_bytes());
    buf.extend_from_slice(&identity.id.0.to_le_bytes());
}

fn put_write(buf: &mut Vec<u8>, write: &Write<'_>) {
    buf.extend_from_slice(&write.id.origin.to_le_bytes());
    buf.extend_from_slice(&write.id.number.to_le_bytes());
    buf.push(u8::from(write.reply.is_some()));
    put_bytes(buf, write.reply.unwrap_or_default());
}

/// Begins the words of a command that [`put_word`] appends one by one, as [`put_effect`] takes them.
pub fn put_words_count(words: &mut Vec<u8>, count: usize) {
    words.extend_from_slice(&(count as u32).to_le_bytes());
}

/// Appends one word.
#[inline]
pub fn put_word(words: &mut Vec<u8>, word: &[u8]) {
    put_bytes(words, word);
}

/// Appends an effect whose words are encoded already.
#[inline]
pub fn put_effect(buf: &mut Vec<u8>, head: &EffectHead<'_>, words: &[u8]) {
    put(buf, kind::EFFECT, |buf| {
        let mut fixed = [0_u8; 28];
        fixed[0] = if head.write.is_some() { HAS_WRITE } else { 0 };
        fixed[1..3].copy_from_slice(&head.slot.to_le_bytes());
        fixed[3] = head.db;
        fixed[4..12].copy_from_slice(&head.at.epoch.to_le_bytes());
        fixed[12..20].copy_from_slice(&head.at.seq.to_le_bytes());
        fixed[20..28].copy_from_slice(&head.now_ms.to_le_bytes());
        buf.extend_from_slice(&fixed);
        if let Some(write) = &head.write {
            put_write(buf, write);
        }
        buf.extend_from_slice(words);
    });
}

/// Appends an effect with these words.
pub fn put_effect_words(buf: &mut Vec<u8>, head: &EffectHead<'_>, words: &[&[u8]]) {
    let mut encoded = Vec::new();
    put_words_count(&mut encoded, words.len());
    words.iter().for_each(|word| put_word(&mut encoded, word));
    put_effect(buf, head, &encoded);
}

/// Appends a key with its value.
pub fn put_entry(buf: &mut Vec<u8>, entry: &Entry<'_>) {
    put(buf, kind::ENTRY, |buf| {
        buf.push(if entry.deadline_ms.is_some() { HAS_DEADLINE } else { 0 });
        buf.extend_from_slice(&entry.slot.to_le_bytes());
        buf.push(entry.db);
        buf.extend_from_slice(&entry.epoch.to_le_bytes());
        if let Some(deadline_ms) = entry.deadline_ms {
            buf.extend_from_slice(&deadline_ms.to_le_bytes());
        }
        buf.extend_from_slice(&entry.access.to_le_bytes());
        put_bytes(buf, entry.key);
        buf.extend_from_slice(entry.payload);
    });
}

/// Appends a write's reply.
pub fn put_wrote(buf: &mut Vec<u8>, slot: u16, epoch: u64, now_ms: u64, write: &Write<'_>) {
    put(buf, kind::WROTE, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
        buf.extend_from_slice(&now_ms.to_le_bytes());
        put_write(buf, write);
    });
}

fn put_at(buf: &mut Vec<u8>, kind: u8, slot: u16, at: SlotPosition) {
    put(buf, kind, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        put_position(buf, at);
    });
}

/// Appends the beginning of a copy.
pub fn put_fill_begin(buf: &mut Vec<u8>, slot: u16, at: SlotPosition) {
    put_at(buf, kind::FILL_BEGIN, slot, at);
}

/// Appends the end of a copy.
pub fn put_fill_end(buf: &mut Vec<u8>, slot: u16, at: SlotPosition) {
    put_at(buf, kind::FILL_END, slot, at);
}

/// Appends a new owner's beginning.
pub fn put_lead(buf: &mut Vec<u8>, slot: u16, epoch: u64, before: SlotPosition) {
    put(buf, kind::LEAD, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
        put_position(buf, before);
    });
}

/// Appends a grant.
pub fn put_grant(buf: &mut Vec<u8>, row: &Row) {
    put(buf, kind::GRANT, |buf| {
        buf.extend_from_slice(&row.slot.to_le_bytes());
        buf.extend_from_slice(&row.epoch.to_le_bytes());
        buf.extend_from_slice(&row.version.to_le_bytes());
        buf.extend_from_slice(&row.firm_epoch.to_le_bytes());
        buf.extend_from_slice(&row.provisional.to_le_bytes());
        put_identity(buf, &row.owner);
        let copies = &row.copies[..row.copies.len().min(usize::from(COPIES_MAX))];
        buf.extend_from_slice(&(copies.len() as u16).to_le_bytes());
        copies.iter().for_each(|copy| put_identity(buf, copy));
    });
}

/// Appends that a copy is no longer wanted.
pub fn put_drop(buf: &mut Vec<u8>, slot: u16, epoch: u64) {
    put(buf, kind::DROP, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
    });
}

/// Appends a digest.
pub fn put_digest(buf: &mut Vec<u8>, slot: u16, at: SlotPosition, digest: u128) {
    put(buf, kind::DIGEST, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        put_position(buf, at);
        buf.extend_from_slice(&digest.to_le_bytes());
    });
}

/// Appends a sign of life.
pub fn put_heartbeat(buf: &mut Vec<u8>, now_ms: u64) {
    put(buf, kind::HEARTBEAT, |buf| buf.extend_from_slice(&now_ms.to_le_bytes()));
}

/// Appends a piece of a record, the bytes of which include its length and kind.
pub fn put_part(buf: &mut Vec<u8>, bytes: &[u8], is_last: bool) {
    put(buf, kind::PART, |buf| {
        buf.push(if is_last { IS_LAST } else { 0 });
        buf.extend_from_slice(bytes);
    });
}

/// Appends a marker whose acknowledgement says that the copy has applied all of a parked slot's effects.
pub fn put_caught_up(buf: &mut Vec<u8>, slot: u16) {
    put(buf, kind::CAUGHT_UP, |buf| buf.extend_from_slice(&slot.to_le_bytes()));
}

impl<'a> EffectWords<'a> {
    /// The words that [`put_words_count`] and [`put_word`] wrote.
    ///
    /// # Errors
    /// There are not even as many bytes as a count takes.
    pub fn new(encoded: &'a [u8]) -> Result<Self, ReplicateError> {
        let mut reader = Reader(encoded);
        Ok(Self { count: reader.u32()?, bytes: reader.0 })
    }

    /// The bytes that [`EffectWords::ranges`] point into.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends where each word stands in [`EffectWords::bytes`].
    ///
    /// # Errors
    /// A length is wrong.
    pub fn ranges(&self, out: &mut Vec<ArgRange>) -> Result<(), ReplicateError> {
        let mut at = 0_usize;
        for _ in 0..self.count {
            let head = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
            let start = at + 4;
            let end = start + u32::from_le_bytes(*head.ok_or(ReplicateError::CutShort)?) as usize;
            if end > self.bytes.len() {
                return Err(ReplicateError::CutShort);
            }
            let narrow = |offset| u32::try_from(offset).map_err(|_| ReplicateError::CutShort);
            out.push(ArgRange { start: narrow(start)?, end: narrow(end)? });
            at = end;
        }
        if at == self.bytes.len() { Ok(()) } else { Err(ReplicateError::TooLong(kind::EFFECT)) }
    }
}

/// The records of a frame.
#[derive(Clone, Debug)]
pub struct Records<'a>(Reader<'a>);

impl<'a> Records<'a> {
    /// Those in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Reader(bytes))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, ReplicateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.0.bytes().and_then(read_record);
        if read.is_err() {
            self.0 = Reader(&[]);
        }
        Some(read)
    }
}

fn read_record(bytes: &[u8]) -> Result<Record<'_>, ReplicateError> {
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    let record = match kind {
        kind::EFFECT => Record::Effect(read_effect(&mut reader)?),
        kind::ENTRY => Record::Entry(read_entry(&mut reader)?),
        kind::WROTE => Record::Wrote {
            slot: reader.slot()?,
            epoch: reader.u64()?,
            now_ms: reader.u64()?,
            write: read_write(&mut reader)?,
        },
        kind::FILL_BEGIN => Record::FillBegin { slot: reader.slot()?, at: read_position(&mut reader)? },
        kind::FILL_END => Record::FillEnd { slot: reader.slot()?, at: read_position(&mut reader)? },
        kind::LEAD => Record::Lead { slot: reader.slot()?, epoch: reader.u64()?, before: read_position(&mut reader)? },
        kind::GRANT => Record::Grant(read_row(&mut reader)?),
        kind::DROP => Record::Drop { slot: reader.slot()?, epoch: reader.u64()? },
        kind::DIGEST => {
            Record::Digest { slot: reader.slot()?, at: read_position(&mut reader)?, digest: reader.u128()? }
        }
        kind::HEARTBEAT => Record::Heartbeat { now_ms: reader.u64()? },
        kind::PART => {
            let is_last = reader.u8()? & IS_LAST != 0;
            Record::Part { is_last, bytes: std::mem::take(&mut reader.0) }
        }
        kind::CAUGHT_UP => Record::CaughtUp { slot: reader.slot()? },
        unknown => return Err(ReplicateError::UnknownKind(unknown)),
    };
    if reader.is_empty() { Ok(record) } else { Err(ReplicateError::TooLong(kind)) }
}

fn read_position(reader: &mut Reader<'_>) -> Result<SlotPosition, ReplicateError> {
    Ok(SlotPosition { epoch: reader.u64()?, seq: reader.u64()? })
}

fn read_identity(reader: &mut Reader<'_>) -> Result<Identity, ReplicateError> {
    Ok(Identity { generation: reader.u64()?, id: NodeId(reader.u128()?) })
}

fn read_write<'a>(reader: &mut Reader<'a>) -> Result<Write<'a>, ReplicateError> {
    let id = WriteId { origin: reader.u64()?, number: reader.u64()? };
    let has_reply = reader.u8()? != 0;
    let reply = reader.bytes()?;
    Ok(Write { id, reply: has_reply.then_some(reply) })
}

fn read_effect<'a>(reader: &mut Reader<'a>) -> Result<Effect<'a>, ReplicateError> {
    let flags = reader.u8()?;
    let (slot, db) = (reader.slot()?, reader.u8()?);
    let (at, now_ms) = (read_position(reader)?, reader.u64()?);
    let write = if flags & HAS_WRITE != 0 { Some(read_write(reader)?) } else { None };
    let words = EffectWords::new(std::mem::take(&mut reader.0))?;
    Ok(Effect { head: EffectHead { slot, at, db, now_ms, write }, words })
}

fn read_entry<'a>(reader: &mut Reader<'a>) -> Result<Entry<'a>, ReplicateError> {
    let flags = reader.u8()?;
    let (slot, db, epoch) = (reader.slot()?, reader.u8()?, reader.u64()?);
    let deadline_ms = if flags & HAS_DEADLINE != 0 { Some(reader.u64()?) } else { None };
    let access = reader.u32()?;
    let key = reader.bytes()?;
    let payload = std::mem::take(&mut reader.0);
    Ok(Entry { slot, epoch, db, deadline_ms, access, key, payload })
}

fn read_row(reader: &mut Reader<'_>) -> Result<Row, ReplicateError> {
    let (slot, epoch, version) = (reader.slot()?, reader.u64()?, reader.u32()?);
    let (firm_epoch, provisional) = (reader.u64()?, reader.u32()?);
    let owner = read_identity(reader)?;
    let count = reader.u16()?;
    if count > COPIES_MAX {
        return Err(ReplicateError::Field(kind::GRANT));
    }
    let copies = (0..count).map(|_| read_identity(reader)).collect::<Result<_, _>>()?;
    Ok(Row { slot, epoch, version, firm_epoch, provisional, owner, copies })
}
