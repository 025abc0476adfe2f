//! The 80-bit extended-precision float of x86, in software.
//!
//! INCRBYFLOAT and HINCRBYFLOAT compute in C's `long double`, so their replies show its 64-bit mantissa: 1.1 + 2.2 prints
//! `3.3` where doubles would print `3.3000000000000003`. Reading and printing are exact here on every architecture.

use super::bignum::Bignum;
use super::{hex_parts, parse_exponent, split_hex};

/// Bits of the mantissa, the leading one included.
const MANTISSA_BITS: i32 = 64;
/// Power of two of the lowest mantissa bit of the smallest subnormal.
const MIN_LOW_EXPONENT: i32 = -16445;
/// Power of two of the lowest mantissa bit of the largest finite number.
const MAX_LOW_EXPONENT: i32 = 16383 - (MANTISSA_BITS - 1);
/// Digits after the decimal point in print, before trailing zeros go.
const PRINTED_DECIMALS: usize = 17;
/// Longest text that is read.
const MAX_CHARS: usize = 5 * 1024;

/// A `long double`: sign, 64-bit mantissa, power of two; or an infinity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongDouble(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// `mantissa × 2^exponent`; the mantissa has its top bit set unless the number is subnormal or zero.
    Finite {
        negative: bool,
        mantissa: u64,
        exponent: i32,
    },
    Infinite {
        negative: bool,
    },
    Nan,
}

impl LongDouble {
    /// Zero, what a missing key counts as.
    pub const ZERO: Self = Self(Kind::Finite { negative: false, mantissa: 0, exponent: 0 });

    /// Reads a number as C's `strtold` would, but of the whole text.
    ///
    /// Infinities and hexadecimal floats are accepted; NaN, spaces, trailing bytes and numbers out of range are refused.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() >= MAX_CHARS {
            return None;
        }
        if let Some((negative, hex)) = split_hex(text) {
            let (mantissa, exponent) = hex_parts(hex)?;
            return Self::rounded(negative, u128::from(mantissa), false, i32::try_from(exponent).ok()?);
        }
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Some(Self(Kind::Infinite { negative }));
        }
        Self::parse_decimal(negative, unsigned)
    }

    fn parse_decimal(negative: bool, text: &[u8]) -> Option<Self> {
        let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match number.iter().position(|&byte| byte == b'.') {
            Some(at) => (&number[..at], &number[at + 1..]),
            None => (number, &[][..]),
        };
        let digits: Vec<u8> = whole.iter().chain(fraction).copied().collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut numerator = Bignum::from_decimal(&digits);
        if numerator.is_zero() {
            return Some(Self(Kind::Finite { negative, mantissa: 0, exponent: 0 }));
        }
        let exponent = exponent - fraction.len() as i64;
        // Bounds the work: outside of these powers of ten the number is out of range whatever its digits are.
        if !(-16_000..=16_000).contains(&exponent) {
            return None;
        }
        let power = exponent.unsigned_abs() as usize;
        let mut divisor = Bignum::from_u64(1);
        if exponent >= 0 {
            numerator.multiply_by_power_of_ten(power);
        } else {
            divisor.multiply_by_power_of_ten(power);
        }
        // Scaled so that the quotient has at least one bit more than the mantissa keeps.
        let wanted = divisor.bits() + MANTISSA_BITS as usize + 2;
        let shift = wanted as i64 - numerator.bits() as i64;
        let mut sticky = false;
        if shift >= 0 {
            numerator.shift_left(shift as usize);
        } else {
            sticky = numerator.shift_right(shift.unsigned_abs() as usize);
        }
        let (quotient, inexact) = numerator.divide(&divisor);
        Self::rounded(negative, quotient, sticky || inexact, -i32::try_from(shift).ok()?)
    }

    /// An integer, exactly.
    pub fn from_i64(value: i64) -> Self {
        Self::rounded(value < 0, u128::from(value.unsigned_abs()), false, 0).unwrap_or(Self::ZERO)
    }

    /// A double, exactly: every double is a `long double`.
    pub fn from_f64(value: f64) -> Self {
        const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
        let negative = value.is_sign_negative();
        if value.is_nan() {
            return Self(Kind::Nan);
        }
        if value.is_infinite() {
            return Self(Kind::Infinite { negative });
        }
        let bits = value.to_bits();
        let biased = (bits >> FRACTION_BITS) as i32 & 0x7ff;
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        // Subnormals have no hidden bit and the lowest normal exponent.
        let (significand, exponent) = if biased == 0 { (fraction, 1) } else { (fraction | 1 << FRACTION_BITS, biased) };
        Self::rounded(negative, u128::from(significand), false, exponent - 1023 - FRACTION_BITS as i32)
            .unwrap_or(Self::ZERO)
    }

    /// Whether this is neither an infinity nor NaN.
    pub fn is_finite(self) -> bool {
        matches!(self.0, Kind::Finite { .. })
    }

    /// Rounds `significand × 2^exponent` (plus something below its lowest bit if `sticky`) to the nearest number, ties
    /// to even. `None` if that would overflow, or turn a number that is not zero into zero.
    fn rounded(negative: bool, significand: u128, sticky: bool, exponent: i32) -> Option<Self> {
        if significand == 0 {
            return Some(Self(Kind::Finite { negative, mantissa: 0, exponent: 0 }));
        }
        let bits = 128 - significand.leading_zeros() as i32;
        let low = exponent.checked_add(bits - MANTISSA_BITS)?.max(MIN_LOW_EXPONENT);
        let drop = i64::from(low) - i64::from(exponent);
        let mut mantissa = match drop {
            ..=0 => significand << drop.unsigned_abs(),
            1..=127 => significand >> drop,
            _ => 0,
        };
        if drop > 0 {
            let half = if drop <= 128 { 1u128 << (drop - 1) } else { 0 };
            let rest = if drop < 128 { significand & ((1u128 << drop) - 1) } else { significand };
            let above_half = half != 0 && (rest > half || (rest == half && (sticky || mantissa & 1 == 1)));
            mantissa += u128::from(above_half);
        }
        let mut exponent = low;
        if mantissa >> MANTISSA_BITS != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
        let mantissa = mantissa as u64;
        (mantissa != 0 && exponent <= MAX_LOW_EXPONENT).then_some(Self(Kind::Finite { negative, mantissa, exponent }))
    }

    /// Appends the number in plain decimal, 17 decimals with trailing zeros cut, never as `-0`.
    pub fn write(self, out: &mut Vec<u8>) {
        let (negative, mantissa, exponent) = match self.0 {
            Kind::Finite { negative, mantissa, exponent } => (negative, mantissa, exponent),
            Kind::Infinite { negative } => {
                return out.extend_from_slice(if negative { b"-inf" } else { b"inf" });
            }
            Kind::Nan => return out.extend_from_slice(b"nan"),
        };
        let mut scaled = Bignum::from_u64(mantissa);
        scaled.multiply_by_power_of_ten(PRINTED_DECIMALS);
        if exponent >= 0 {
            scaled.shift_left(exponent as usize);
        } else {
            let drop = exponent.unsigned_abs() as usize;
            let below = scaled.shift_right(drop - 1);
            let half = scaled.shift_right(1);
            if half && (below || scaled.is_odd()) {
                scaled.increment();
            }
        }
        if scaled.is_zero() {
            out.push(b'0');
            return;
        }
        let mut digits = scaled.into_decimal();
        if digits.len() <= PRINTED_DECIMALS {
            let missing = PRINTED_DECIMALS + 1 - digits.len();
            digits.splice(0..0, std::iter::repeat_n(b'0', missing));
        }
        let (whole, fraction) = digits.split_at(digits.len() - PRINTED_DECIMALS);
        let kept = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        if negative {
            out.push(b'-');
        }
        out.extend_from_slice(whole);
        if kept > 0 {
            out.push(b'.');
            out.extend_from_slice(&fraction[..kept]);
        }
    }
}

impl std::ops::Add for LongDouble {
    type Output = Self;

    /// The sum, rounded to nearest; an overflow is an infinity, and infinities of both signs make NaN.
    fn add(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Kind::Nan, _) | (_, Kind::Nan) => Self(Kind::Nan),
            (Kind::Infinite { negative: a }, Kind::Infinite { negative: b }) if a != b => Self(Kind::Nan),
            (Kind::Infinite { .. }, _) => self,
            (_, Kind::Infinite { .. }) => other,
            (
                Kind::Finite { negative, mantissa, exponent },
                Kind::Finite { negative: other_negative, mantissa: other_mantissa, exponent: other_exponent },
            ) => {
                if mantissa == 0 {
                    return other;
                }
                if other_mantissa == 0 {
                    return self;
                }
                if (exponent, mantissa) >= (other_exponent, other_mantissa) {
                    add_finite((negative, mantissa, exponent), (other_negative, other_mantissa, other_exponent))
                } else {
                    add_finite((other_negative, other_mantissa, other_exponent), (negative, mantissa, exponent))
                }
            }
        }
    }
}

/// Adds two numbers (sign, mantissa, exponent) that are not zero, the one with the larger exponent first.
fn add_finite(large: (bool, u64, i32), small: (bool, u64, i32)) -> LongDouble {
    // One spare bit on top for the carry; what the small one loses at the bottom only matters for rounding.
    const HEADROOM: u32 = 62;
    let gap = large.2.abs_diff(small.2);
    let wide = u128::from(large.1) << HEADROOM;
    let aligned = u128::from(small.1) << HEADROOM;
    let (mut narrow, lost) = match gap {
        0..=127 => (aligned >> gap, gap > 0 && aligned << (128 - gap) != 0),
        _ => (0, true),
    };
    let significand = if large.0 == small.0 {
        wide + narrow
    } else {
        // A lost tail makes the subtrahend larger than its kept bits: take one unit more and mark the rest.
        narrow += u128::from(lost);
        wide.saturating_sub(narrow)
    };
    if significand == 0 {
        return LongDouble::ZERO;
    }
    LongDouble::rounded(large.0, significand, lost, large.2 - HEADROOM as i32)
        .unwrap_or(LongDouble(Kind::Infinite { negative: large.0 }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(a: &str, b: &str) -> String {
        let total =
            LongDouble::parse(a.as_bytes()).expect("a number") + LongDouble::parse(b.as_bytes()).expect("a number");
        let mut out = Vec::new();
        total.write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn sums_print_as_the_x87_prints_them() {
        let table = [
            ("0", "1.23", "1.23"),
            ("1.23", "0.77", "2"),
            ("2", "-0.1", "1.9"),
            ("1", "-1.1", "-0.1"),
            ("1.1", "2.2", "3.3"),
            ("3.0", "0.1", "3.1"),
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("17179869184", "1.5", "17179869185.5"),
            ("17179869184", "17179869184", "34359738368"),
            ("0.0243902439024390244", "-0.0243902439024390244", "0"),
            ("0", "0.0000005", "0.0000005"),
            ("1e30", "0", "1000000000000000000024696061952"),
            ("0", "1e-30", "0"),
            ("-1e-30", "0", "0"),
            ("5e-18", "0", "0"),
            ("1.5e-17", "0", "0.00000000000000002"),
            ("0x10", "0x1p-1", "16.5"),
            ("9007199254740993", "0", "9007199254740993"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551616", "-1", "18446744073709551615"),
        ];
        for (a, b, expected) in table {
            assert_eq!(sum(a, b), expected, "{a} + {b}");
        }
    }

    #[test]
    fn doubles_print_their_exact_value_to_17_decimals() {
        let table = [
            (13.361389338970184, "13.36138933897018433"),
            (38.1155563954963, "38.11555639549629859"),
            (-0.5, "-0.5"),
            (3.0, "3"),
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "0"),
            (f64::INFINITY, "inf"),
        ];
        for (value, expected) in table {
            let mut out = Vec::new();
            LongDouble::from_f64(value).write(&mut out);
            assert_eq!(out, expected.as_bytes(), "{value}");
        }
    }

    #[test]
    fn infinities_are_read_and_contagious() {
        assert_eq!(sum("+inf", "1"), "inf");
        assert_eq!(sum("1", "-Infinity"), "-inf");
        assert_eq!(sum("inf", "-inf"), "nan");
        assert_eq!(sum("1e4932", "1e4932"), "inf");
        assert!(!LongDouble::parse(b"inf").expect("a number").is_finite());
    }

    #[test]
    fn the_range_is_that_of_the_x87() {
        for text in ["1e4933", "-1e5000", "1e999999999999", "1e-4960", "1e-99999999999", "0x1p16384", "0x1p-16500"] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        for text in ["1e4932", "1e-4950", "0x1p16383", "0x1p-16445", "0e99999999"] {
            assert!(LongDouble::parse(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_not_wholly_a_number_is_refused() {
        for text in ["", " 1", "1 ", "nan", "1e", ".", "e1", "1.2.3", "v", "1\u{0}2", "+-1", "0x", "--1"] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn sums_of_integers_are_exact(a: i32, b: i32) {
            let total = LongDouble::from_i64(a.into()) + LongDouble::from_i64(b.into());
            prop_assert_eq!(total, LongDouble::from_i64(i64::from(a) + i64::from(b)));
        }

        #[test]
        fn addition_commutes_and_subtracting_itself_gives_zero(a in "-?[0-9]{1,18}\\.[0-9]{1,6}(e-?[0-9]{1,2})?", b in "-?[0-9]{1,9}\\.[0-9]{1,9}") {
            let (x, y) = (LongDouble::parse(a.as_bytes()).expect("a number"), LongDouble::parse(b.as_bytes()).expect("a number"));
            prop_assert_eq!(x + y, y + x);
            let negated = match a.strip_prefix('-') { Some(rest) => rest.to_owned(), None => format!("-{a}") };
            prop_assert_eq!(sum(&a, &negated), "0");
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-+0-9.eEpPxXa-f]{0,24}") {
            let _ = LongDouble::parse(text.as_bytes());
        }
    }
}
