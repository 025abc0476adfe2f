//! Integers of any width at any place in a string of bits: the arithmetic of BITFIELD.

use super::super::CommandError;
use crate::util::number;

/// The type of a field: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldType {
    is_signed: bool,
    pub(super) bits: u32,
}

/// What happens to a value that its field cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Its lowest bits are kept.
    Wrap,
    /// The nearest value is stored that the field can hold.
    Saturate,
    /// Nothing is stored.
    Fail,
}

impl FieldType {
    /// Reads a type.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn parse(text: &[u8]) -> Result<Self, CommandError> {
        const INVALID: CommandError = CommandError::coded(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        );
        let (is_signed, bits_max, bits) = match text {
            [b'i', bits @ ..] => (true, 64, bits),
            [b'u', bits @ ..] => (false, 63, bits),
            _ => return Err(INVALID),
        };
        match number::parse_i64(bits) {
            Some(bits) if (1..=bits_max).contains(&bits) => Ok(Self { is_signed, bits: bits as u32 }),
            _ => Err(INVALID),
        }
    }

    /// The value of the field at a bit offset; what lies behind the end of `bytes` is zero.
    pub(super) fn read(self, bytes: &[u8], offset: usize) -> i64 {
        // A field of 64 bits touches up to nine bytes.
        let window =
            (0..9).fold(0u128, |window, at| window << 8 | u128::from(bytes.get(offset / 8 + at).copied().unwrap_or(0)));
        let value = window >> (72 - (offset % 8) as u32 - self.bits) & self.mask();
        self.extend(value)
    }

    /// Writes the field at a bit offset. All its bytes lie within `bytes`; those that don't stay unwritten.
    pub(super) fn write(self, bytes: &mut [u8], offset: usize, value: i64) {
        let shift = 72 - (offset % 8) as u32 - self.bits;
        let (mask, value) = (self.mask() << shift, (u128::from(value as u64) & self.mask()) << shift);
        for at in 0..9 {
            let (mask, value) = ((mask >> (64 - at * 8)) as u8, (value >> (64 - at * 8)) as u8);
            if mask != 0
                && let Some(byte) = bytes.get_mut(offset / 8 + at)
            {
                *byte = *byte & !mask | value;
            }
        }
    }

    /// What a field becomes that is to hold `value`; `None` where that overflows and must not.
    pub(super) fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.bounds();
        if (min..=max).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.extend(value as u128 & self.mask())),
            Overflow::Saturate => Some(value.clamp(min, max) as i64),
            Overflow::Fail => None,
        }
    }

    /// The number that SET's argument stands for: an unsigned field takes a negative one for its two's complement.
    pub(super) const fn widen(self, value: i64) -> i128 {
        if self.is_signed { value as i128 } else { value as u64 as i128 }
    }

    const fn mask(self) -> u128 {
        (1 << self.bits) - 1
    }

    const fn bounds(self) -> (i128, i128) {
        if self.is_signed { (-1 << (self.bits - 1), (1 << (self.bits - 1)) - 1) } else { (0, (1 << self.bits) - 1) }
    }

    /// The field's bits as a number.
    const fn extend(self, bits: u128) -> i64 {
        if self.is_signed {
            let unused = 64 - self.bits;
            ((bits as u64) << unused) as i64 >> unused
        } else {
            bits as i64
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::bits, *};

    fn field(text: &str) -> FieldType {
        FieldType::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn types_are_as_wide_as_an_i64_can_tell() {
        assert_eq!(field("i64"), FieldType { is_signed: true, bits: 64 });
        assert_eq!(field("u63"), FieldType { is_signed: false, bits: 63 });
        for text in ["u64", "i65", "u0", "i", "", "8", "u08", "u-1", "U8"] {
            assert!(FieldType::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_documented_layout_is_kept() {
        let mut bytes = [0; 2];
        field("u5").write(&mut bytes, 7, 23);
        assert_eq!(bytes, [0b0000_0001, 0b0111_0000]);
    }

    #[test]
    fn overflow_wraps_saturates_or_fails() {
        use Overflow::{Fail, Saturate, Wrap};
        let cases = [
            ("u8", 256, Some(0), Some(255)),
            ("u8", -1, Some(255), Some(0)),
            ("i8", 128, Some(-128), Some(127)),
            ("i8", -129, Some(127), Some(-128)),
            ("i64", i128::from(i64::MAX) + 1, Some(i64::MIN), Some(i64::MAX)),
            ("i64", i128::from(i64::MIN) - 1, Some(i64::MAX), Some(i64::MIN)),
            ("u63", 1 << 63, Some(0), Some(i64::MAX)),
        ];
        for (text, value, wrapped, saturated) in cases {
            assert_eq!(field(text).fit(value, Wrap), wrapped, "{text} {value}");
            assert_eq!(field(text).fit(value, Saturate), saturated, "{text} {value}");
            assert_eq!(field(text).fit(value, Fail), None, "{text} {value}");
        }
        assert_eq!(field("i8").fit(-128, Fail), Some(-128));
    }

    #[test]
    fn a_negative_number_for_an_unsigned_field_is_a_large_one() {
        assert_eq!(field("u8").fit(field("u8").widen(-1), Overflow::Saturate), Some(255));
        assert_eq!(field("u8").fit(field("u8").widen(-2), Overflow::Wrap), Some(254));
        assert_eq!(field("i8").fit(field("i8").widen(-1), Overflow::Fail), Some(-1));
    }

    proptest! {
        #[test]
        fn a_field_is_read_as_it_was_written_and_leaves_the_rest_alone(
            bytes: [u8; 12], offset in 0usize..24, bits in 1u32..=64, is_signed: bool, value: i64,
        ) {
            let field = FieldType { is_signed, bits: if is_signed { bits } else { bits.min(63) } };
            let value = field.fit(field.widen(value), Overflow::Wrap).unwrap();
            let mut written = bytes;
            field.write(&mut written, offset, value);
            prop_assert_eq!(field.read(&written, offset), value);
            for at in (0..96).filter(|at| !(offset..offset + field.bits as usize).contains(at)) {
                prop_assert_eq!(bits::get(&written, at), bits::get(&bytes, at));
            }
        }
    }
}
