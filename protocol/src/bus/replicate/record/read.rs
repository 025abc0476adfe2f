//! Records as they are read from a frame: views of its bytes.

use super::{
    COPIES_MAX, Effect, EffectHead, EffectWords, Entry, HAS_DEADLINE, HAS_WRITE, IS_LAST, Record, Row, Write, kind,
};
use crate::bus::{
    identity::{Identity, NodeId, WriteId},
    replicate::{ReplicateError, SlotPosition, reader::Reader},
};

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
