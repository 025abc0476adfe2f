//! The dense registers: six bits each, packed from the lowest bit up.

use super::REGISTERS;

const REGISTER_BITS: usize = 6;
const MASK: u16 = (1 << REGISTER_BITS) - 1;

/// Bytes of all registers.
pub(super) const BYTES: usize = REGISTERS * REGISTER_BITS / 8;

/// Raises a register to `value` if it is lower, and tells whether it was.
pub(super) fn set(registers: &mut [u8], index: usize, value: u8) -> bool {
    let bit = index * REGISTER_BITS;
    let (byte, shift) = (bit / 8, bit % 8);
    let low = registers[byte];
    // The last register ends with the last byte, so it has no next one.
    let high = registers.get(byte + 1).copied().unwrap_or(0);
    let pair = u16::from_le_bytes([low, high]);
    if (pair >> shift) & MASK >= u16::from(value) {
        return false;
    }
    let [low, high] = ((pair & !(MASK << shift)) | (u16::from(value) << shift)).to_le_bytes();
    registers[byte] = low;
    if let Some(next) = registers.get_mut(byte + 1) {
        *next = high;
    }
    true
}

/// The values of all registers in order: four in every three bytes.
pub(super) fn values(registers: &[u8]) -> impl Iterator<Item = u8> {
    registers.as_chunks::<3>().0.iter().flat_map(|&[a, b, c]| {
        let group = u32::from_le_bytes([a, b, c, 0]);
        [0, 6, 12, 18].map(|shift| (group >> shift) as u8 & MASK as u8)
    })
}
