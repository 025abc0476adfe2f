//! What HSCAN, SSCAN and ZSCAN have in common: their options, and the form of their reply.

use rondache_protocol::resp::writer::ReplyWriter;

use super::{args::Args, error::CommandError};
use crate::util::{glob, number};

/// Elements visited by a call that names no `COUNT`.
const COUNT_DEFAULT: usize = 10;

/// Which collection is walked: it decides on the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// `SSCAN`
    Set,
    /// `HSCAN`, which has `NOVALUES`.
    Hash,
    /// `ZSCAN`, which has `NOSCORES`.
    SortedSet,
}

/// The options of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanArgs<'a> {
    /// Only elements that match this glob are answered.
    pub pattern: Option<&'a [u8]>,
    /// About how many elements to visit.
    pub count: usize,
    /// Values or scores are left out (`NOVALUES`, `NOSCORES`).
    pub only_names: bool,
}

impl<'a> ScanArgs<'a> {
    /// Reads the options from the argument at `from` on.
    ///
    /// # Errors
    /// Unknown options, or a `COUNT` that is no positive integer.
    pub fn parse(args: &Args<'a>, from: usize, scanned: Scanned) -> Result<Self, CommandError> {
        let mut options = Self { pattern: None, count: COUNT_DEFAULT, only_names: false };
        let mut at = from;
        while at < args.len() {
            let has_value = at + 1 < args.len();
            if has_value && args.is(at, "COUNT") {
                let count = args.integer(at + 1)?;
                options.count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or(CommandError::Syntax)?;
                at += 2;
            } else if has_value && args.is(at, "MATCH") {
                options.pattern = Some(args.get(at + 1)).filter(|&pattern| pattern != b"*");
                at += 2;
            } else if args.is(at, "NOVALUES") {
                if scanned != Scanned::Hash {
                    return Err(CommandError::coded("ERR NOVALUES option can only be used in HSCAN"));
                }
                options.only_names = true;
                at += 1;
            } else if args.is(at, "NOSCORES") {
                if scanned != Scanned::SortedSet {
                    return Err(CommandError::coded("ERR NOSCORES option can only be used in ZSCAN"));
                }
                options.only_names = true;
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether an element is to be answered.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }
}

/// The cursor at an argument.
///
/// # Errors
/// It is no cursor.
pub fn cursor(args: &Args<'_>, index: usize) -> Result<u64, CommandError> {
    number::parse_u64(args.get(index)).ok_or(CommandError::coded("ERR invalid cursor"))
}

/// The reply for a key that is missing: the walk is over.
pub fn reply_nothing(reply: &mut ReplyWriter<'_>) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(0);
}

/// The reply of one call. `visit` writes the elements and returns the next cursor and how many replies it wrote.
pub fn reply_page(reply: &mut ReplyWriter<'_>, visit: impl FnOnce(&mut ReplyWriter<'_>) -> (u64, usize)) {
    let from = reply.len();
    let (next_cursor, count) = visit(reply);
    // The cursor stands before the elements, but is known only after them.
    let elements_end = reply.len();
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(next_cursor).as_bytes());
    reply.array(count);
    let head_len = reply.len() - elements_end;
    if let Some(page) = reply.buf().get_mut(from..) {
        page.rotate_right(head_len);
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::resp::writer::RespVersion;

    use super::*;
    use crate::command::args::OwnedArgs;

    fn parse(words: &[&str], scanned: Scanned) -> Result<(Option<Vec<u8>>, usize, bool), CommandError> {
        let owned = OwnedArgs::from_parts(words);
        let options = ScanArgs::parse(&owned.as_args(), 0, scanned)?;
        Ok((options.pattern.map(<[u8]>::to_vec), options.count, options.only_names))
    }

    #[test]
    fn options_stand_in_any_order_and_case() {
        let expected = (Some(b"a*".to_vec()), 7, true);
        assert_eq!(parse(&["novalues", "Count", "7", "MATCH", "a*"], Scanned::Hash), Ok(expected));
        assert_eq!(parse(&[], Scanned::Set), Ok((None, COUNT_DEFAULT, false)));
    }

    #[test]
    fn a_count_below_one_is_refused() {
        assert_eq!(parse(&["COUNT", "0"], Scanned::Set), Err(CommandError::Syntax));
        assert_eq!(parse(&["COUNT", "x"], Scanned::Set), Err(CommandError::NotInteger));
        assert_eq!(parse(&["COUNT"], Scanned::Set), Err(CommandError::Syntax));
    }

    #[test]
    fn options_of_other_collections_are_refused() {
        assert!(parse(&["NOVALUES"], Scanned::Set).is_err());
        assert!(parse(&["NOSCORES"], Scanned::Hash).is_err());
        assert_eq!(parse(&["NOSCORES"], Scanned::SortedSet), Ok((None, COUNT_DEFAULT, true)));
    }

    #[test]
    fn the_cursor_comes_before_the_elements() {
        let mut out = b"+OK\r\n".to_vec();
        reply_page(&mut ReplyWriter::new(&mut out, RespVersion::V2), |reply| {
            reply.bulk(b"a");
            (12, 1)
        });
        assert_eq!(out, b"+OK\r\n*2\r\n$2\r\n12\r\n*1\r\n$1\r\na\r\n");
    }
}
