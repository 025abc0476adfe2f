//! The options of SET.

use super::super::{CommandError, args::Args, expire_args::ExpireForm};

/// When SET writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// In any case.
    #[default]
    None,
    /// `NX`: where there is no such key.
    Absent,
    /// `XX`: where there is one.
    Present,
    /// `IFEQ`: where the key holds this string.
    Equals(&'a [u8]),
}

/// What becomes of the TTL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TtlOption<'a> {
    /// It goes.
    #[default]
    Clear,
    /// `KEEPTTL`
    Keep,
    /// `EX`, `PX`, `EXAT`, `PXAT` with their argument, yet to be read.
    Expire(ExpireForm, &'a [u8]),
}

/// SET's options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SetOptions<'a> {
    pub(super) condition: Condition<'a>,
    pub(super) ttl: TtlOption<'a>,
    /// `GET`: the reply is the old value.
    pub(super) get: bool,
}

impl<'a> SetOptions<'a> {
    /// Reads the options that stand from argument 3 on. One that is repeated counts as often as it says the same thing;
    /// of several TTLs in one form the last counts.
    ///
    /// # Errors
    /// [`CommandError::Syntax`]
    pub(super) fn parse(args: &Args<'a>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        let mut at = 3;
        while at < args.len() {
            let operands = options.take(args.get(at), (at + 1 < args.len()).then(|| args.get(at + 1)));
            at += 1 + operands.ok_or(CommandError::Syntax)?;
        }
        Ok(options)
    }

    /// Takes one option in and tells how many operands it has, or `None` where it does not fit.
    fn take(&mut self, option: &[u8], operand: Option<&'a [u8]>) -> Option<usize> {
        let condition = if option.eq_ignore_ascii_case(b"NX") {
            Condition::Absent
        } else if option.eq_ignore_ascii_case(b"XX") {
            Condition::Present
        } else if option.eq_ignore_ascii_case(b"IFEQ") {
            Condition::Equals(operand?)
        } else if option.eq_ignore_ascii_case(b"GET") {
            self.get = true;
            return Some(0);
        } else {
            return self.take_ttl(option, operand);
        };
        if self.condition != Condition::None && self.condition != condition {
            return None;
        }
        self.condition = condition;
        Some(usize::from(matches!(condition, Condition::Equals(_))))
    }

    fn take_ttl(&mut self, option: &[u8], operand: Option<&'a [u8]>) -> Option<usize> {
        if option.eq_ignore_ascii_case(b"KEEPTTL") {
            let fits = matches!(self.ttl, TtlOption::Clear | TtlOption::Keep);
            self.ttl = TtlOption::Keep;
            return fits.then_some(0);
        }
        let form = ExpireForm::of(option)?;
        match self.ttl {
            TtlOption::Keep => return None,
            TtlOption::Expire(other, _) if other != form => return None,
            _ => {}
        }
        self.ttl = TtlOption::Expire(form, operand?);
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::args::OwnedArgs;

    fn parse(options: &str, check: impl FnOnce(Result<SetOptions<'_>, CommandError>)) {
        let args = OwnedArgs::from_parts("SET k v".split(' ').chain(options.split_whitespace()));
        check(SetOptions::parse(&args.as_args()));
    }

    #[test]
    fn options_combine_in_any_order_and_case() {
        parse("px 100 Get nx", |options| {
            let ttl = TtlOption::Expire(ExpireForm::Milliseconds, b"100");
            assert_eq!(options, Ok(SetOptions { condition: Condition::Absent, ttl, get: true }));
        });
        parse("KEEPTTL IFEQ old", |options| {
            let condition = Condition::Equals(b"old");
            assert_eq!(options, Ok(SetOptions { condition, ttl: TtlOption::Keep, get: false }));
        });
    }

    #[test]
    fn an_option_may_be_repeated() {
        parse("XX XX GET GET EX 1 EX 2", |options| {
            let ttl = TtlOption::Expire(ExpireForm::Seconds, b"2");
            assert_eq!(options, Ok(SetOptions { condition: Condition::Present, ttl, get: true }));
        });
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for options in ["NX XX", "XX IFEQ v", "EX 1 PX 1", "EX 1 KEEPTTL", "KEEPTTL EXAT 1", "IFEQ a IFEQ b"] {
            parse(options, |parsed| assert_eq!(parsed, Err(CommandError::Syntax), "{options}"));
        }
    }

    #[test]
    fn a_missing_operand_or_an_unknown_word_is_refused() {
        for options in ["EX", "IFEQ", "GET PX", "PERSIST", "10"] {
            parse(options, |parsed| assert_eq!(parsed, Err(CommandError::Syntax), "{options}"));
        }
    }
}
