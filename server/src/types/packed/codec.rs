//! One element of a packed sequence: its length, its bytes, and its length mirrored.
//!
//! The length is a little-endian base-128 number whose bytes but the last have the top bit set. The copy behind the
//! bytes has the same digits in reverse order, so that it reads the same way from behind.

/// Most bytes of a length: ten 7-bit digits hold any `usize`.
const LEN_DIGITS_MAX: usize = 10;

/// Number of base-128 digits of a length.
#[inline]
fn digits(len: usize) -> usize {
    if len < 0x80 { 1 } else { (len.ilog2() as usize) / 7 + 1 }
}

/// Bytes of an element of `len` bytes with both of its lengths.
#[inline]
pub(super) fn entry_size(len: usize) -> usize {
    len.saturating_add(2 * digits(len))
}

/// Writes an element into a slice of exactly its size.
#[inline]
pub(super) fn write_entry(out: &mut [u8], value: &[u8]) {
    debug_assert_eq!(out.len(), entry_size(value.len()));
    if value.len() < 0x80
        && let [first, bytes @ .., last] = out
    {
        (*first, *last) = (value.len() as u8, value.len() as u8);
        bytes.copy_from_slice(value);
        return;
    }
    let width = digits(value.len());
    let mut rest = value.len();
    for at in 0..width {
        let more = if at + 1 < width { 0x80 } else { 0 };
        let digit = (rest & 0x7f) as u8 | more;
        rest >>= 7;
        out[at] = digit;
        out[width + value.len() + (width - 1 - at)] = digit;
    }
    out[width..width + value.len()].copy_from_slice(value);
}

/// Appends an element to a buffer.
#[inline]
pub(super) fn append_entry(out: &mut Vec<u8>, value: &[u8]) {
    if value.len() < 0x80 {
        let len = value.len() as u8;
        out.push(len);
        out.extend_from_slice(value);
        out.push(len);
    } else {
        let at = out.len();
        out.resize(at + entry_size(value.len()), 0);
        write_entry(&mut out[at..], value);
    }
}

/// The first element of `data` and what follows it; `None` at the end.
#[inline]
pub(super) fn split_first(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, tail) = data.split_first()?;
    let (width, len) = if first < 0x80 { (1, usize::from(first)) } else { read_len(data.iter())? };
    let (bytes, after) = tail.get(width - 1..)?.split_at_checked(len)?;
    Some((bytes, after.get(width..)?))
}

/// The last element of `data` and what precedes it; `None` at the start.
#[inline]
pub(super) fn split_last(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let &last = data.last()?;
    let (width, len) = if last < 0x80 { (1, usize::from(last)) } else { read_len(data.iter().rev())? };
    let body = data.get(..data.len() - width)?;
    let (before, bytes) = body.split_at_checked(body.len().checked_sub(len)?)?;
    Some((bytes, before.get(..before.len().checked_sub(width)?)?))
}

/// A length of several digits, and how many they are.
#[cold]
fn read_len<'a>(bytes: impl Iterator<Item = &'a u8>) -> Option<(usize, usize)> {
    let mut len = 0_usize;
    for (at, byte) in bytes.take(LEN_DIGITS_MAX).enumerate() {
        len |= usize::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return Some((at + 1, len));
        }
    }
    None
}
