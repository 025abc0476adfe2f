//! Reads fields off the front of a record.

use super::ReplicateError;
use crate::slot::SLOTS;

/// The bytes of a record that were not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], ReplicateError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(ReplicateError::CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReplicateError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ReplicateError::CutShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ReplicateError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, ReplicateError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ReplicateError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, ReplicateError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn u128(&mut self) -> Result<u128, ReplicateError> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    pub(super) fn slot(&mut self) -> Result<u16, ReplicateError> {
        let slot = self.u16()?;
        if slot < SLOTS { Ok(slot) } else { Err(ReplicateError::Slot(slot)) }
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], ReplicateError> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
