//! Ranges of members, in each of the ways that commands name them.

use std::ops::Range;

use super::super::{CommandError, args::Args};
use crate::types::zset::{LexRange, ScoreRange, ZSet};

/// What a range's ends are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// A range of members.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bounds<'a> {
    /// Positions of the first and the last member; negative ones count from the end.
    Ranks {
        start: i64,
        stop: i64,
    },
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the ends from two arguments.
    pub(super) fn parse(by: By, args: &Args<'a>, min_at: usize, max_at: usize) -> Result<Self, CommandError> {
        let (min, max) = (args.get(min_at), args.get(max_at));
        match by {
            By::Rank => Ok(Self::Ranks { start: args.integer(min_at)?, stop: args.integer(max_at)? }),
            By::Score => ScoreRange::parse(min, max)
                .map(Self::Scores)
                .ok_or(CommandError::coded("ERR min or max is not a float")),
            By::Lex => LexRange::parse(min, max)
                .map(Self::Members)
                .ok_or(CommandError::coded("ERR min or max not valid string range item")),
        }
    }

    /// The ranks of the range's members, from the lowest. `reverse` has positions count from the highest.
    pub(super) fn ranks(&self, set: &ZSet, reverse: bool) -> Range<usize> {
        match self {
            Self::Scores(range) => set.score_ranks(range),
            Self::Members(range) => set.lex_ranks(range),
            Self::Ranks { start, stop } => {
                let ranks = positions(*start, *stop, set.len());
                if reverse { set.len() - ranks.end..set.len() - ranks.start } else { ranks }
            }
        }
    }
}

/// The positions from `start` to `stop`, both included, of a sequence of `len`.
fn positions(start: i64, stop: i64, len: usize) -> Range<usize> {
    let clamp = |position: i64, offset: i64| {
        let len_signed = i64::try_from(len).unwrap_or(i64::MAX);
        let from_front = if position < 0 { position.saturating_add(len_signed) } else { position };
        usize::try_from(from_front.saturating_add(offset)).unwrap_or(0).min(len)
    };
    let (start, end) = (clamp(start, 0), clamp(stop, 1));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn positions_may_count_from_the_end() {
        assert_eq!(positions(0, -1, 5), 0..5);
        assert_eq!(positions(-2, -1, 5), 3..5);
        assert_eq!(positions(1, 1, 5), 1..2);
    }

    #[test]
    fn positions_beyond_the_ends_are_cut() {
        assert_eq!(positions(-9, 2, 5), 0..3);
        assert_eq!(positions(3, 99, 5), 3..5);
        assert_eq!(positions(i64::MIN, i64::MAX, 5), 0..5);
    }

    #[test]
    fn ranges_without_room_are_empty() {
        assert!(positions(3, 2, 5).is_empty());
        assert!(positions(5, 9, 5).is_empty());
        assert!(positions(0, -9, 5).is_empty());
        assert!(positions(0, -1, 0).is_empty());
    }
}
