//! Ranges of scores and of members, as ZRANGEBYSCORE and ZRANGEBYLEX name them.

use crate::util::number::parse_f64;

/// An interval of scores; each end may be exclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The lower end.
    pub min: f64,
    /// The upper end.
    pub max: f64,
    /// Whether a score equal to `min` is outside.
    pub min_exclusive: bool,
    /// Whether a score equal to `max` is outside.
    pub max_exclusive: bool,
}

impl ScoreRange {
    /// Both ends included.
    pub fn inclusive(min: f64, max: f64) -> Self {
        Self { min, max, min_exclusive: false, max_exclusive: false }
    }

    /// Reads the two ends, such as `-inf`, `1.5` or `(1.5`; `None` if one is not a number.
    pub fn parse(min: &[u8], max: &[u8]) -> Option<Self> {
        let (min, min_exclusive) = parse_score_end(min)?;
        let (max, max_exclusive) = parse_score_end(max)?;
        Some(Self { min, max, min_exclusive, max_exclusive })
    }

    /// Whether no score at all can lie within.
    pub fn is_empty(&self) -> bool {
        self.min > self.max || (self.min == self.max && (self.min_exclusive || self.max_exclusive))
    }

    /// Whether `score` lies below the range.
    pub fn starts_after(&self, score: f64) -> bool {
        score < self.min || (self.min_exclusive && score == self.min)
    }

    /// Whether `score` lies above the range.
    pub fn ends_before(&self, score: f64) -> bool {
        score > self.max || (self.max_exclusive && score == self.max)
    }

    /// Whether `score` lies within.
    pub fn contains(&self, score: f64) -> bool {
        !self.starts_after(score) && !self.ends_before(score)
    }
}

fn parse_score_end(text: &[u8]) -> Option<(f64, bool)> {
    match text {
        [b'(', rest @ ..] => Some((parse_f64(rest)?, true)),
        _ => Some((parse_f64(text)?, false)),
    }
}

/// One end of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: before every member.
    First,
    /// `+`: after every member.
    Last,
    /// `[x`: at `x`, which belongs to the range.
    Inclusive(&'a [u8]),
    /// `(x`: at `x`, which does not belong to the range.
    Exclusive(&'a [u8]),
}

impl<'a> LexBound<'a> {
    /// Reads `-`, `+`, `[member` or `(member`.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            b"-" => Some(Self::First),
            b"+" => Some(Self::Last),
            [b'[', member @ ..] => Some(Self::Inclusive(member)),
            [b'(', member @ ..] => Some(Self::Exclusive(member)),
            _ => None,
        }
    }
}

/// An interval of members in byte order, for sorted sets whose scores are all equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    /// The lower end.
    pub min: LexBound<'a>,
    /// The upper end.
    pub max: LexBound<'a>,
}

impl<'a> LexRange<'a> {
    /// Reads the two ends; `None` if one does not start as an end must.
    pub fn parse(min: &'a [u8], max: &'a [u8]) -> Option<Self> {
        Some(Self { min: LexBound::parse(min)?, max: LexBound::parse(max)? })
    }

    /// Whether `member` lies below the range.
    pub fn starts_after(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::First => false,
            LexBound::Last => true,
            LexBound::Inclusive(end) => member < end,
            LexBound::Exclusive(end) => member <= end,
        }
    }

    /// Whether `member` lies above the range.
    pub fn ends_before(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::First => true,
            LexBound::Last => false,
            LexBound::Inclusive(end) => member > end,
            LexBound::Exclusive(end) => member >= end,
        }
    }

    /// Whether `member` lies within.
    pub fn contains(&self, member: &[u8]) -> bool {
        !self.starts_after(member) && !self.ends_before(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_ends_may_be_open_and_infinite() {
        let range = ScoreRange::parse(b"(1.5", b"+inf").expect("valid");
        assert!(!range.contains(1.5) && range.contains(1.6) && range.contains(f64::INFINITY));
        let open = ScoreRange::parse(b"(-inf", b"(inf").expect("valid");
        assert!(!open.contains(f64::NEG_INFINITY) && open.contains(0.0) && !open.contains(f64::INFINITY));
    }

    #[test]
    fn scores_that_are_no_numbers_are_refused() {
        for text in ["str", "(", "(nan", "1 ", "[1"] {
            assert_eq!(ScoreRange::parse(text.as_bytes(), b"1"), None, "{text}");
            assert_eq!(ScoreRange::parse(b"1", text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ranges_without_room_are_empty() {
        for (min, max) in [("2", "1"), ("(1", "1"), ("1", "(1"), ("inf", "-inf")] {
            assert!(ScoreRange::parse(min.as_bytes(), max.as_bytes()).expect("valid").is_empty(), "{min} {max}");
        }
        assert!(!ScoreRange::inclusive(1.0, 1.0).is_empty());
    }

    #[test]
    fn lex_ends_need_their_prefix() {
        for text in ["", "a", "--", "+a", "1"] {
            assert_eq!(LexBound::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(LexBound::parse(b"["), Some(LexBound::Inclusive(b"")));
    }

    #[test]
    fn lex_ends_include_or_exclude() {
        let range = LexRange::parse(b"[b", b"(d").expect("valid");
        assert_eq!(["a", "b", "c", "d"].map(|member| range.contains(member.as_bytes())), [false, true, true, false]);
        let none = LexRange::parse(b"+", b"-").expect("valid");
        assert!(!none.contains(b"a"));
        let all = LexRange::parse(b"-", b"+").expect("valid");
        assert!(all.contains(b"") && all.contains(b"\xff\xff"));
    }
}
