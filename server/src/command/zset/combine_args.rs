//! The arguments of ZUNION, ZINTER, ZDIFF and their kin.

use super::super::{CommandError, args::Args};
use crate::util::number::{parse_f64, parse_i64};

/// How the scores of a member of several sets become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    /// Joins a further score. The sum of opposite infinities is 0.
    pub(super) fn join(self, total: f64, score: f64) -> f64 {
        match self {
            Self::Sum => not_nan(total + score),
            Self::Min if score < total => score,
            Self::Max if score > total => score,
            Self::Min | Self::Max => total,
        }
    }
}

/// A score, or 0 where it is not a number.
pub(super) fn not_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// Which options a command takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accepts {
    /// WEIGHTS and AGGREGATE.
    pub(super) weights: bool,
    /// WITHSCORES
    pub(super) scores: bool,
    /// LIMIT
    pub(super) limit: bool,
}

/// The options behind the keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Factors of the scores of each set; empty where all are 1.
    weights: Vec<f64>,
    pub(super) aggregate: Aggregate,
    pub(super) with_scores: bool,
    /// Members to count at most; 0: no limit.
    pub(super) limit: usize,
}

impl Options {
    /// Reads the options from argument `at` on.
    pub(super) fn parse(args: &Args<'_>, mut at: usize, keys: usize, accepts: Accepts) -> Result<Self, CommandError> {
        let mut options = Self::default();
        while at < args.len() {
            let behind = args.len() - at - 1;
            if accepts.weights && behind >= keys && args.is(at, "weights") {
                let weight =
                    |index| parse_f64(args.get(index)).ok_or(CommandError::coded("ERR weight value is not a float"));
                options.weights = (at + 1..=at + keys).map(weight).collect::<Result<_, _>>()?;
                at += keys;
            } else if accepts.weights && behind >= 1 && args.is(at, "aggregate") {
                at += 1;
                options.aggregate = match args.get(at) {
                    word if word.eq_ignore_ascii_case(b"sum") => Aggregate::Sum,
                    word if word.eq_ignore_ascii_case(b"min") => Aggregate::Min,
                    word if word.eq_ignore_ascii_case(b"max") => Aggregate::Max,
                    _ => return Err(CommandError::Syntax),
                };
            } else if accepts.scores && args.is(at, "withscores") {
                options.with_scores = true;
            } else if accepts.limit && behind >= 1 && args.is(at, "limit") {
                at += 1;
                options.limit = parse_i64(args.get(at))
                    .and_then(|limit| usize::try_from(limit).ok())
                    .ok_or(CommandError::coded("ERR LIMIT can't be negative"))?;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }

    /// The factor of the scores of the set that was named at `index`.
    pub(super) fn weight(&self, index: usize) -> f64 {
        self.weights.get(index).copied().unwrap_or(1.0)
    }
}

/// The number of keys at `count_at`, all of which are there.
pub(super) fn number_of_keys(args: &Args<'_>, count_at: usize, command: &str) -> Result<usize, CommandError> {
    let count = args.integer(count_at)?;
    if count < 1 {
        return Err(CommandError::err(format_args!("at least 1 input key is needed for '{command}' command")));
    }
    usize::try_from(count).ok().filter(|&count| count < args.len() - count_at).ok_or(CommandError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::Aggregate;

    #[test]
    fn opposite_infinities_sum_up_to_zero() {
        assert_eq!(Aggregate::Sum.join(f64::INFINITY, f64::NEG_INFINITY), 0.0);
    }

    #[test]
    fn the_least_and_the_greatest_ignore_what_is_not_a_number() {
        assert_eq!(Aggregate::Min.join(2.0, f64::NAN), 2.0);
        assert_eq!(Aggregate::Max.join(2.0, f64::NAN), 2.0);
        assert_eq!(Aggregate::Min.join(2.0, 1.0), 1.0);
        assert_eq!(Aggregate::Max.join(2.0, 3.0), 3.0);
    }
}
