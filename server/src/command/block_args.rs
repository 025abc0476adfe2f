//! What the blocking commands have in common: their timeout.

use super::{args::Args, error::CommandError};
use crate::util::number;

/// A blocking command's timeout: given in seconds, fractions included, returned in ms; `None`: for ever.
///
/// # Errors
/// It is not a number, negative, or beyond what a deadline can hold.
pub fn timeout_ms(args: &Args<'_>, index: usize, now_ms: u64) -> Result<Option<u64>, CommandError> {
    const OUT_OF_RANGE: CommandError = CommandError::coded("ERR timeout is out of range");
    let seconds =
        number::parse_f64(args.get(index)).ok_or(CommandError::coded("ERR timeout is not a float or out of range"))?;
    let timeout_ms = (seconds * 1000.0).ceil();
    if timeout_ms > i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    if timeout_ms < 0.0 {
        return Err(CommandError::coded("ERR timeout is negative"));
    }
    // In range by the checks above; a fraction of a millisecond counts as a whole one.
    let timeout_ms = timeout_ms as u64;
    if timeout_ms.checked_add(now_ms).is_none_or(|deadline_ms| deadline_ms > i64::MAX as u64) {
        return Err(OUT_OF_RANGE);
    }
    Ok((timeout_ms > 0).then_some(timeout_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::args::OwnedArgs;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn parse(text: &str) -> Result<Option<u64>, String> {
        timeout_ms(&OwnedArgs::from_parts([text]).as_args(), 0, NOW_MS).map_err(|error| error.to_string())
    }

    #[test]
    fn zero_waits_for_ever() {
        assert_eq!(parse("0"), Ok(None));
        assert_eq!(parse("0.0"), Ok(None));
    }

    #[test]
    fn fractions_round_up_to_a_millisecond() {
        assert_eq!(parse("0.0001"), Ok(Some(1)));
        assert_eq!(parse("1.5"), Ok(Some(1500)));
    }

    #[test]
    fn what_is_no_timeout_is_refused_in_the_words_that_clients_know() {
        assert_eq!(parse("abc"), Err("ERR timeout is not a float or out of range".to_owned()));
        assert_eq!(parse("-1"), Err("ERR timeout is negative".to_owned()));
        assert_eq!(parse("9223372036854775808"), Err("ERR timeout is out of range".to_owned()));
        assert_eq!(parse("0x7FFFFFFFFFFFFF"), Err("ERR timeout is out of range".to_owned()));
        assert_eq!(parse("inf"), Err("ERR timeout is out of range".to_owned()));
        assert_eq!(parse("9223372036854775"), Err("ERR timeout is out of range".to_owned()));
    }
}
