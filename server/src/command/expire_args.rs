//! Times of expiry as clients give them: EX, PX, EXAT, PXAT and the arguments of the EXPIRE family.

use super::CommandError;
use crate::util::number;

/// How a command writes a time of expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpireForm {
    /// `EX`: a TTL in seconds.
    Seconds,
    /// `PX`: a TTL in ms.
    Milliseconds,
    /// `EXAT`: a unix time in seconds.
    AtSecond,
    /// `PXAT`: a unix time in ms.
    AtMillisecond,
}

impl ExpireForm {
    /// The form that an option names, in any case.
    #[must_use]
    pub fn of(option: &[u8]) -> Option<Self> {
        const OPTIONS: [(&[u8], ExpireForm); 4] = [
            (b"EX", ExpireForm::Seconds),
            (b"PX", ExpireForm::Milliseconds),
            (b"EXAT", ExpireForm::AtSecond),
            (b"PXAT", ExpireForm::AtMillisecond),
        ];
        OPTIONS.iter().find(|(name, _)| option.eq_ignore_ascii_case(name)).map(|&(_, form)| form)
    }

    const fn is_seconds(self) -> bool {
        matches!(self, Self::Seconds | Self::AtSecond)
    }
}

/// When a key or a field expires; [`Ctx::deadline_ms`](super::ctx::Ctx::deadline_ms) makes a deadline of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many ms from now: subject to jitter. Added to the time of the command it fits an `i64`.
    After(i64),
    /// At this unix time in ms.
    At(i64),
}

impl Expiry {
    /// Reads a time that may lie in the past or be negative (the EXPIRE family, where it deletes the key). `command`
    /// stands in the error.
    ///
    /// # Errors
    /// [`CommandError::NotInteger`], or [`CommandError::InvalidExpire`] when the deadline in ms does not fit 64 bits.
    pub fn parse(command: &'static str, form: ExpireForm, value: &[u8], now_ms: u64) -> Result<Self, CommandError> {
        let value = number::parse_i64(value).ok_or(CommandError::NotInteger)?;
        Self::checked(form, value, now_ms).ok_or(CommandError::InvalidExpire(command.into()))
    }

    /// Reads a time that has to be positive (SET, GETEX, SETEX …). `command` stands in the error.
    ///
    /// # Errors
    /// As [`Expiry::parse`], and [`CommandError::InvalidExpire`] for zero and below.
    pub fn parse_positive(
        command: &'static str,
        form: ExpireForm,
        value: &[u8],
        now_ms: u64,
    ) -> Result<Self, CommandError> {
        match Self::parse(command, form, value, now_ms)? {
            Self::After(ms) | Self::At(ms) if ms <= 0 => Err(CommandError::InvalidExpire(command.into())),
            expiry => Ok(expiry),
        }
    }

    /// `None` where the deadline overflows.
    fn checked(form: ExpireForm, value: i64, now_ms: u64) -> Option<Self> {
        let ms = if form.is_seconds() { value.checked_mul(1000)? } else { value };
        match form {
            ExpireForm::AtSecond | ExpireForm::AtMillisecond => Some(Self::At(ms)),
            ExpireForm::Seconds | ExpireForm::Milliseconds => {
                ms.checked_add_unsigned(now_ms)?;
                Some(Self::After(ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn positive(form: ExpireForm, value: &str) -> Result<Expiry, CommandError> {
        Expiry::parse_positive("set", form, value.as_bytes(), NOW_MS)
    }

    #[test]
    fn options_are_known_in_any_case() {
        assert_eq!(ExpireForm::of(b"pXat"), Some(ExpireForm::AtMillisecond));
        assert_eq!(ExpireForm::of(b"ex"), Some(ExpireForm::Seconds));
        assert_eq!(ExpireForm::of(b"EXA"), None);
    }

    #[test]
    fn seconds_become_milliseconds() {
        assert_eq!(positive(ExpireForm::Seconds, "5"), Ok(Expiry::After(5000)));
        assert_eq!(positive(ExpireForm::AtSecond, "5"), Ok(Expiry::At(5000)));
        assert_eq!(positive(ExpireForm::Milliseconds, "5"), Ok(Expiry::After(5)));
        assert_eq!(positive(ExpireForm::AtMillisecond, "5"), Ok(Expiry::At(5)));
    }

    #[test]
    fn what_does_not_fit_is_an_invalid_expire_time() {
        let invalid = Err(CommandError::InvalidExpire("set".into()));
        assert_eq!(positive(ExpireForm::Seconds, "9223372036854775"), invalid);
        assert_eq!(positive(ExpireForm::Seconds, "9223372036854776"), invalid);
        assert_eq!(positive(ExpireForm::Milliseconds, "9223372036854775807"), invalid);
        assert_eq!(positive(ExpireForm::AtMillisecond, "9223372036854775807"), Ok(Expiry::At(i64::MAX)));
    }

    #[test]
    fn zero_and_below_are_only_for_those_who_allow_them() {
        for value in ["0", "-1"] {
            assert_eq!(positive(ExpireForm::Seconds, value), Err(CommandError::InvalidExpire("set".into())));
        }
        assert_eq!(Expiry::parse("expire", ExpireForm::Seconds, b"-1", NOW_MS), Ok(Expiry::After(-1000)));
        let lowest = Expiry::parse("expire", ExpireForm::Seconds, b"-9223372036854775808", NOW_MS);
        assert_eq!(lowest, Err(CommandError::InvalidExpire("expire".into())));
    }

    #[test]
    fn what_is_no_integer_is_said_to_be_none() {
        assert_eq!(positive(ExpireForm::Seconds, "1.5"), Err(CommandError::NotInteger));
    }
}
