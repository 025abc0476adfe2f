//! Bit offsets as clients give them.

use super::super::CommandError;
use crate::{config::settings::Settings, util::number};

/// Reads a bit offset.
///
/// # Errors
/// It is no integer, negative, or behind the longest string that `proto-max-bulk-len` allows.
pub(super) fn parse(text: &[u8], settings: &Settings) -> Result<usize, CommandError> {
    checked(number::parse_i64(text), settings)
}

/// As [`parse`], of a field of `bits` bits: `#n` means the place of the field with number n.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_field(text: &[u8], bits: u32, settings: &Settings) -> Result<usize, CommandError> {
    match text {
        [b'#', number @ ..] => {
            checked(number::parse_i64(number).and_then(|number| number.checked_mul(i64::from(bits))), settings)
        }
        _ => parse(text, settings),
    }
}

fn checked(offset: Option<i64>, settings: &Settings) -> Result<usize, CommandError> {
    offset
        .and_then(|offset| usize::try_from(offset).ok())
        .filter(|offset| offset / 8 < settings.bulk_len_max)
        .ok_or(CommandError::coded("ERR bit offset is not an integer or out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_ends_with_the_longest_string() {
        let settings = Settings { bulk_len_max: 4, ..Settings::default() };
        assert_eq!(parse(b"31", &settings), Ok(31));
        for text in [&b"32"[..], b"-1", b"1.5", b"", b"#1", b"9223372036854775808"] {
            assert!(parse(text, &settings).is_err(), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_numbered_field_stands_behind_those_before_it() {
        let settings = Settings::default();
        assert_eq!(parse_field(b"#3", 5, &settings), Ok(15));
        assert_eq!(parse_field(b"3", 5, &settings), Ok(3));
        assert!(parse_field(b"#9223372036854775807", 64, &settings).is_err());
        assert!(parse_field(b"##1", 5, &settings).is_err());
    }
}
