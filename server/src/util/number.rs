//! Numbers as Redis reads and writes them.
//!
//! Clients compare replies byte for byte, so what counts as a number and how it is printed is part of the protocol:
//! integers follow `string2ll`, scores follow `strtod` and `d2string`, INCRBYFLOAT follows the 80-bit `long double`.

mod bignum;
mod long_double;

pub use long_double::LongDouble;

use std::io::Write;

/// Integers of a magnitude up to this are printed as integers; above it a score takes its floating form.
const MAX_PLAIN_INTEGER: f64 = (i64::MAX / 2) as f64;

/// Longest number that [`parse_f64`] looks at; nothing longer is a sensible score.
const MAX_FLOAT_CHARS: usize = 5 * 1024;

/// Reads a canonical signed 64-bit integer.
///
/// Only the one text that [`write_i64`] would print is accepted: no plus sign, no leading zeros, no spaces, no `-0`.
/// A string that passes can therefore be stored as an integer and printed back unchanged.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    // "-9223372036854775808" is the longest.
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Reads a canonical unsigned 64-bit integer, as strict as [`parse_i64`].
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= 20 => {}
        _ => return None,
    }
    text.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Reads a score or an increment, as C's `strtod` would, but of the whole text.
///
/// Infinities (`inf`, `+inf`, `-infinity`, in any case) and hexadecimal floats are accepted. Refused are NaN, spaces,
/// trailing bytes, and numbers whose magnitude a double cannot hold: too large, or so small that they would read as 0.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(value) = parse_short_integer(text) {
        return Some(value);
    }
    if text.len() > MAX_FLOAT_CHARS {
        return None;
    }
    if let Some(value) = parse_hex_f64(text) {
        return Some(value);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let named_infinity = value.is_infinite() && text.iter().any(|byte| byte.eq_ignore_ascii_case(&b'n'));
    let out_of_range = (value.is_infinite() && !named_infinity) || (value == 0.0 && has_nonzero_digit(text));
    (!value.is_nan() && !out_of_range).then_some(value)
}

/// Reads up to 15 digits with an optional minus sign: what most scores are, far cheaper than in general, and exact.
#[inline]
fn parse_short_integer(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let magnitude = digits.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| value * 10 + u64::from(digit))
    })?;
    let value = magnitude as f64;
    Some(if negative { -value } else { value })
}

/// Whether the digits before the exponent name anything but zero.
fn has_nonzero_digit(text: &[u8]) -> bool {
    text.iter().take_while(|byte| !matches!(byte, b'e' | b'E')).any(|byte| matches!(byte, b'1'..=b'9'))
}

/// A hexadecimal float such as `0x1.8p3`, or `None` if the text is not one (or out of range).
fn parse_hex_f64(text: &[u8]) -> Option<f64> {
    let (negative, hex) = split_hex(text)?;
    let (mantissa, exponent) = hex_parts(hex)?;
    if mantissa == 0 {
        return Some(if negative { -0.0 } else { 0.0 });
    }
    // Two steps keep the scale itself finite; the clamp bounds them without changing an out-of-range outcome.
    let exponent = exponent.clamp(-3000, 3000) as i32;
    let half = exponent / 2;
    let value = mantissa as f64 * 2f64.powi(half) * 2f64.powi(exponent - half);
    let value = if negative { -value } else { value };
    (value.is_finite() && value != 0.0).then_some(value)
}

/// Splits a sign and the `0x` prefix off; the rest follows the prefix.
fn split_hex(text: &[u8]) -> Option<(bool, &[u8])> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => Some((negative, rest)),
        _ => None,
    }
}

/// Mantissa and power of two of the hexadecimal float whose prefix was removed.
///
/// Digits beyond the first sixteen only leave a trace in the lowest bit, which is what rounding needs to know of them.
fn hex_parts(hex: &[u8]) -> Option<(u64, i64)> {
    let (mut mantissa, mut exponent) = (0u64, 0i64);
    let (mut seen_digit, mut seen_point) = (false, false);
    let mut rest = hex;
    while let [byte, tail @ ..] = rest {
        match char::from(*byte).to_digit(16) {
            Some(digit) => {
                seen_digit = true;
                if mantissa >> 60 == 0 {
                    mantissa = (mantissa << 4) | u64::from(digit);
                    exponent -= if seen_point { 4 } else { 0 };
                } else {
                    mantissa |= u64::from(digit != 0);
                    exponent += if seen_point { 0 } else { 4 };
                }
            }
            None if *byte == b'.' && !seen_point => seen_point = true,
            None => break,
        }
        rest = tail;
    }
    if !seen_digit {
        return None;
    }
    match rest {
        [] => Some((mantissa, exponent)),
        [b'p' | b'P', power @ ..] => Some((mantissa, exponent + parse_exponent(power)?)),
        _ => None,
    }
}

/// A decimal exponent with an optional sign, saturated far outside of any format's range.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, &digit| (value * 10 + i64::from(digit - b'0')).min(1_000_000_000));
    Some(if negative { -value } else { value })
}

/// Appends `value` in decimal.
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a score the way replies print it: the shortest digits that read back to the same double.
///
/// Whole numbers up to 2⁶² print as integers; others plainly where that is short, with an exponent (`1e+20`) where not.
/// Infinities are `inf` and `-inf`, negative zero is `-0`.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= MAX_PLAIN_INTEGER && (value as i64) as f64 == value {
        write_i64(out, value as i64);
    } else {
        write_shortest(out, value);
    }
}

/// Appends a finite, non-zero double from its shortest decimal digits.
fn write_shortest(out: &mut Vec<u8>, value: f64) {
    // "-1.2345678901234567e-308" is the longest scientific form.
    let mut scientific = [0u8; 32];
    let mut cursor = std::io::Cursor::new(&mut scientific[..]);
    // Cannot fail: the buffer holds the longest form.
    let _ = write!(cursor, "{:e}", value.abs());
    let written = cursor.position() as usize;

    let mut digits = [0u8; 20];
    let mut digit_count = 0;
    let mut exponent = 0;
    for (position, &byte) in scientific[..written].iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits[digit_count] = byte;
                digit_count += 1;
            }
            b'e' => {
                exponent = parse_exponent(&scientific[position + 1..written]).unwrap_or(0) as i32;
                break;
            }
            _ => {}
        }
    }
    if value < 0.0 {
        out.push(b'-');
    }
    write_digits(out, &digits[..digit_count], exponent);
}

/// Lays out `d.ddd × 10^exponent`, choosing between the plain and the scientific form as Redis does.
fn write_digits(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let count = digits.len() as i32;
    // Power of ten of the last digit.
    let last = exponent + 1 - count;
    let magnitude = exponent.abs();
    if last >= 0 && magnitude < count + 7 {
        out.extend_from_slice(digits);
        out.resize(out.len() + last as usize, b'0');
    } else if last < 0 && (last > -7 || magnitude < 4) {
        let whole = count + last;
        if whole <= 0 {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + whole.unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits);
        } else {
            let (before, after) = digits.split_at(whole as usize);
            out.extend_from_slice(before);
            out.push(b'.');
            out.extend_from_slice(after);
        }
    } else {
        let (first, rest) = digits.split_at(1);
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.push(b'e');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        write_i64(out, i64::from(magnitude));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn integers_are_read_only_in_their_canonical_form() {
        let accepted: [(&str, i64); 6] = [
            ("0", 0),
            ("7", 7),
            ("-1", -1),
            ("1234567890", 1_234_567_890),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ];
        for (text, value) in accepted {
            assert_eq!(parse_i64(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "-", "+1", "-0", "00", "01", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808"] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_i64(b"-9223372036854775809"), None);
        assert_eq!(parse_i64(b"99999999999999999999"), None);
    }

    #[test]
    fn unsigned_integers_reach_the_full_range() {
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"0"), Some(0));
        for text in ["", "-1", "01", "+1", "1a"] {
            assert_eq!(parse_u64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn floats_are_read_as_strtod_reads_them() {
        let accepted: [(&str, f64); 17] = [
            ("3.5", 3.5),
            ("-17", -17.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+1e3", 1000.0),
            ("1E-2", 0.01),
            ("inf", f64::INFINITY),
            ("+Inf", f64::INFINITY),
            ("-INFINITY", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("-0x1.8p1", -3.0),
            ("0x.8P+2", 2.0),
            ("0e400", 0.0),
            ("007", 7.0),
            ("-0012", -12.0),
            ("999999999999999", 999_999_999_999_999.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
        ];
        for (text, value) in accepted {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
        assert!(parse_f64(b"-0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
    }

    #[test]
    fn what_is_not_wholly_a_float_is_refused() {
        let refused = [
            "", " 1", "1 ", "nan", "-NaN", "1e", "e5", ".", "1.2.3", "abc", "0x", "0x.", "0x1p", "1e400", "-1e400",
            "1e-400", "in", "infi", "1\u{0}2", "0x1p5000", "--1", "1_000",
        ];
        for text in refused {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_f64(&[0xff, b'1']), None);
        assert_eq!(parse_f64(&vec![b'1'; 6000]), None);
    }

    #[test]
    fn scores_print_as_known_clients_expect() {
        let table: [(f64, &str); 22] = [
            (3.0, "3"),
            (-17.0, "-17"),
            (0.0, "0"),
            (-0.0, "-0"),
            (3.1, "3.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000"),
            (1e18, "1000000000000000000"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (4_611_686_018_427_387_904.0, "4611686018427387904"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1.5e300, "1.5e+300"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (-0.001, "-0.001"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for (value, text) in table {
            assert_eq!(printed(value), text);
        }
    }

    proptest! {
        #[test]
        fn any_integer_survives_being_printed_and_read(value: i64) {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            prop_assert_eq!(parse_i64(&out), Some(value));
        }

        #[test]
        fn any_finite_double_survives_being_printed_and_read(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(parse_f64(printed(value).as_bytes()), Some(value));
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (parse_i64(&text), parse_u64(&text), parse_f64(&text));
        }
    }
}
