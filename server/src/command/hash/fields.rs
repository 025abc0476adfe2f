//! `FIELDS numfields field …`, with which the commands on field deadlines name their fields.

use super::super::{CommandError, args::Args};

/// The fields that a command names, each possibly with a value behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    args: Args<'a>,
    first: usize,
    count: usize,
    /// 1: fields; 2: fields and values in turns.
    step: usize,
}

impl<'a> Fields<'a> {
    /// Reads the fields from the word `FIELDS` at `at` to the last argument. `bad_count` is the error for a count that is
    /// no positive integer.
    pub(super) fn parse(
        args: &Args<'a>,
        at: usize,
        step: usize,
        bad_count: &'static str,
    ) -> Result<Self, CommandError> {
        if !args.is(at, "FIELDS") {
            return Err(CommandError::coded("ERR Mandatory argument FIELDS is missing or not at the right position"));
        }
        let count = args.integer_from(at + 1, 1, bad_count)?;
        let first = at + 2;
        let count = usize::try_from(count)
            .ok()
            .filter(|count| count.checked_mul(step) == Some(args.len().saturating_sub(first)))
            .ok_or(CommandError::coded("ERR The `numfields` parameter must match the number of arguments"))?;
        Ok(Self { args: *args, first, count, step })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.args.from(self.first).step_by(self.step)
    }

    /// The names with their values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.names().zip(self.args.from(self.first + 1).step_by(self.step))
    }
}

/// The error of most commands for a count of fields that is none.
pub(super) const BAD_COUNT: &str = "ERR Number of fields must be a positive integer";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::args::OwnedArgs;

    fn parse(words: &[&str], step: usize) -> Result<Vec<Vec<u8>>, String> {
        let owned = OwnedArgs::from_parts(words);
        let fields = Fields::parse(&owned.as_args(), 0, step, BAD_COUNT).map_err(|error| error.to_string())?;
        Ok(fields.names().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn as_many_fields_as_announced_are_read() {
        assert_eq!(parse(&["fields", "2", "a", "b"], 1), Ok(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(parse(&["FIELDS", "2", "a", "1", "b", "2"], 2), Ok(vec![b"a".to_vec(), b"b".to_vec()]));
    }

    #[test]
    fn a_count_that_does_not_match_is_refused() {
        assert!(parse(&["FIELDS", "1", "a", "b"], 1).is_err());
        assert!(parse(&["FIELDS", "2", "a", "b"], 2).is_err());
        assert!(parse(&["FIELDS", "3", "a", "b"], 1).is_err());
        assert!(parse(&["FIELDS", "9223372036854775807"], 2).is_err());
        assert!(parse(&["FIELDS", "0"], 1).is_err());
        assert!(parse(&["FIELDS"], 1).is_err());
        assert!(parse(&["1", "a"], 1).is_err());
    }
}
