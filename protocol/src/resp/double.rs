//! Floating-point numbers as Redis writes them: the fewest digits that read back as the same number.

use std::fmt::{self, Write as _};

/// More than the longest number takes: a sign, 17 digits, a point, and `e-308`.
const LEN_MAX: usize = 32;

/// A number's text, without allocation.
#[derive(Clone, Copy)]
pub struct DoubleText {
    bytes: [u8; LEN_MAX],
    len: usize,
}

impl DoubleText {
    const EMPTY: Self = Self { bytes: [0; LEN_MAX], len: 0 };

    /// The text, in ASCII.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            self.len = end;
        }
    }

    fn push_zeros(&mut self, count: i32) {
        for _ in 0..count {
            self.push(b"0");
        }
    }
}

impl fmt::Display for DoubleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(std::str::from_utf8(self.as_bytes()).unwrap_or_default())
    }
}

impl fmt::Debug for DoubleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Write for DoubleText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

/// Writes a number as Redis does in replies and scores: `3`, `3.5`, `-0`, `inf`, `nan`, `1e+20`.
///
/// Whole numbers up to 2⁶² are written plainly. Otherwise the shortest digits are, plainly if that takes few zeros, else
/// with an exponent.
#[must_use]
pub fn double_text(value: f64) -> DoubleText {
    const PLAIN_MAX: f64 = (1_i64 << 62) as f64;
    let mut text = DoubleText::EMPTY;
    if value.is_nan() {
        text.push(b"nan");
    } else if value.is_infinite() {
        text.push(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        text.push(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= PLAIN_MAX && value.trunc() == value {
        text.push(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        if value < 0.0 {
            text.push(b"-");
        }
        push_shortest(value.abs(), &mut text);
    }
    text
}

/// Writes a positive finite number.
fn push_shortest(value: f64, text: &mut DoubleText) {
    let mut scientific = DoubleText::EMPTY;
    // Writing into the buffer cannot fail.
    let _ = write!(scientific, "{value:e}");
    let (digits, exponent) = split_scientific(scientific.as_bytes());
    let digits = digits.as_bytes();
    let count = digits.len() as i32;
    // The number is `digits × 10^scale`.
    let scale = exponent - (count - 1);
    if scale >= 0 && exponent.abs() < count + 7 {
        text.push(digits);
        text.push_zeros(scale);
    } else if scale < 0 && (scale > -7 || exponent.abs() < 4) {
        let whole = usize::try_from(count + scale).unwrap_or(0);
        let (before, behind) = digits.split_at(whole.min(digits.len()));
        text.push(if before.is_empty() { b"0" } else { before });
        text.push(b".");
        text.push_zeros(-(count + scale));
        text.push(behind);
    } else {
        let (first, others) = digits.split_at(1.min(digits.len()));
        text.push(first);
        if !others.is_empty() {
            text.push(b".");
            text.push(others);
        }
        text.push(if exponent < 0 { b"e-" } else { b"e+" });
        text.push(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
    }
}

/// Splits `d.ddde-7` into all its digits and the exponent of the first.
fn split_scientific(text: &[u8]) -> (DoubleText, i32) {
    let mut digits = DoubleText::EMPTY;
    let mut parts = text.split(|byte| *byte == b'e');
    for part in parts.next().unwrap_or_default().split(|byte| *byte == b'.') {
        digits.push(part);
    }
    let exponent = parts.next().and_then(|part| std::str::from_utf8(part).ok());
    (digits, exponent.and_then(|part| part.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::double_text;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_written_as_redis_writes_them() {
        let cases: [(f64, &str); 25] = [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-3.0, "-3"),
            (3.5, "3.5"),
            (0.1, "0.1"),
            (-0.25, "-0.25"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (1e15, "1000000000000000"),
            (4e18, "4000000000000000000"),
            (1e20, "1e+20"),
            (-1.5e20, "-1.5e+20"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.25e-7, "1.25e-7"),
            (0.001_234_567_89, "0.00123456789"),
            (123_456.789, "123456.789"),
            // Many digits behind the point take an exponent, even for a moderate number.
            (123_456.789_012_3, "1.234567890123e+5"),
            (1e-100, "1e-100"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ];
        for (value, text) in cases {
            assert_eq!(double_text(value).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn the_text_reads_back_as_the_same_number(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            let text = double_text(value).to_string();
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits), "{}", text);
        }
    }
}
