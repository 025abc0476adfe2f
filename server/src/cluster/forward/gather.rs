//! Commands that were split over several slots or nodes, and how the parts' replies become one.

use rondache_protocol::{
    resp::writer::{ReplyWriter, RespVersion},
    slot::SLOTS,
};

use super::{error::ForwardFailure, wave::Wave};

/// How the parts' replies become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    /// Integers are added up (DEL, EXISTS, DBSIZE …).
    Sum,
    /// All say OK (MSET).
    Ok,
    /// Each tells which slots it has emptied (FLUSHALL): together that must be all.
    Flushed,
    /// Elements of arrays take the places that [`Gather::places`] says (MGET).
    Places,
    /// Arrays are put one behind another (KEYS).
    Concat,
    /// The first reply that is not null (RANDOMKEY).
    First,
    /// The least integer; what failed is none (WAIT).
    Least,
}

/// A command whose parts are consecutive items of a wave.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    pub(crate) combine: Combine,
    /// How many items.
    pub(crate) parts: usize,
    /// For each element of the parts' arrays in turn, its place in the whole.
    pub(crate) places: Vec<u32>,
    pub(crate) is_resp3: bool,
}

impl Gather {
    /// Appends the whole's reply to `out`, whose first part is the wave's item `first`. The first error among the parts is
    /// the error of the whole.
    pub(crate) fn write(&self, wave: &Wave, first: usize, out: &mut Vec<u8>) {
        if self.combine == Combine::Least {
            return ReplyWriter::new(out, RespVersion::V2).integer(self.least(wave, first));
        }
        let parts = first..first + self.parts;
        let replies: Vec<Result<&[u8], ForwardFailure>> = parts.map(|index| wave.reply(index)).collect();
        let version = if self.is_resp3 { RespVersion::V3 } else { RespVersion::V2 };
        let failed = replies.iter().find(|reply| !reply.is_ok_and(is_done)).copied();
        let is_write = wave.items.get(first).is_some_and(|part| part.is_write) || self.combine == Combine::Flushed;
        match failed {
            None => {
                let replies: Vec<&[u8]> = replies.into_iter().flatten().collect();
                self.combine(&replies, &mut ReplyWriter::new(out, version));
            }
            // One part that ran, or may have run, makes it a lie that nothing did.
            Some(failed) if is_write && !may_have_run(failed) && replies.iter().any(|reply| may_have_run(*reply)) => {
                ReplyWriter::new(out, version).error(ForwardFailure::OutcomeUnknown.to_string());
            }
            Some(Ok(error)) => out.extend_from_slice(error),
            Some(Err(failure)) => ReplyWriter::new(out, version).error(failure.to_string()),
        }
    }

    /// The least integer among the parts, whose failures are zeros.
    pub(crate) fn least(&self, wave: &Wave, first: usize) -> i64 {
        let count = |index| wave.reply(index).ok().and_then(header).map_or(0, |(count, _)| count);
        (first..first + self.parts).map(count).min().unwrap_or(0)
    }

    /// Whether a flush has missed slots: they moved to a node that had been asked before, from one that was asked behind.
    pub(crate) fn has_gaps(&self, wave: &Wave, first: usize) -> bool {
        if self.combine != Combine::Flushed {
            return false;
        }
        let mut emptied = vec![0_u8; usize::from(SLOTS) / 8];
        for index in first..first + self.parts {
            // An error is an answer: it is passed on.
            let Some((_, slots)) = wave.reply(index).ok().filter(|reply| reply.starts_with(b"$")).and_then(header)
            else {
                return false;
            };
            emptied.iter_mut().zip(slots).for_each(|(all, of_node)| *all |= of_node);
        }
        emptied.iter().any(|bits| *bits != u8::MAX)
    }

    fn combine(&self, replies: &[&[u8]], reply: &mut ReplyWriter<'_>) {
        match self.combine {
            Combine::Ok | Combine::Flushed => reply.ok(),
            // It is combined where failures are still known.
            Combine::Least => reply.integer(0),
            Combine::Sum => reply.integer(replies.iter().filter_map(|part| header(part)).map(|(sum, _)| sum).sum()),
            Combine::First => {
                let found = replies.iter().find(|part| part.starts_with(b"$") && !part.starts_with(b"$-"));
                match found {
                    Some(found) => reply.raw(found),
                    None => reply.null(),
                }
            }
            Combine::Concat => {
                let arrays: Vec<_> = replies.iter().filter_map(|part| header(part)).collect();
                reply.array(arrays.iter().map(|(count, _)| usize::try_from(*count).unwrap_or(0)).sum());
                arrays.iter().for_each(|(_, elements)| reply.raw(elements));
            }
            Combine::Places => {
                let mut elements: Vec<Option<&[u8]>> = vec![None; self.places.len()];
                let mut places = self.places.iter();
                for (count, mut rest) in replies.iter().filter_map(|part| header(part)) {
                    for place in places.by_ref().take(usize::try_from(count).unwrap_or(0)) {
                        let Some((element, behind)) = split_string(rest) else { break };
                        rest = behind;
                        if let Some(slot) = elements.get_mut(*place as usize) {
                            *slot = Some(element);
                        }
                    }
                }
                reply.array(elements.len());
                for element in elements {
                    match element {
                        Some(element) => reply.raw(element),
                        None => reply.null(),
                    }
                }
            }
        }
    }
}

/// Whether a reply is none of an error.
fn is_done(reply: &[u8]) -> bool {
    !reply.starts_with(b"-")
}

/// Whether a part with that reply, or that failure, may have been executed.
fn may_have_run(reply: Result<&[u8], ForwardFailure>) -> bool {
    match reply {
        Ok(reply) => is_done(reply),
        Err(failure) => matches!(failure, ForwardFailure::OutcomeUnknown | ForwardFailure::Unconfirmed),
    }
}

/// The number in a reply's first line, and what follows the line.
fn header(reply: &[u8]) -> Option<(i64, &[u8])> {
    let end = memchr::memchr(b'\r', reply)?;
    let number = std::str::from_utf8(reply.get(1..end)?).ok()?.parse().ok()?;
    Some((number, reply.get(end + 2..)?))
}

/// A string or null at the beginning of `replies`, and what follows it.
fn split_string(replies: &[u8]) -> Option<(&[u8], &[u8])> {
    if replies.starts_with(b"_") {
        return replies.split_at_checked(3);
    }
    let (len, rest) = header(replies)?;
    let head_len = replies.len() - rest.len();
    let body_len = usize::try_from(len).map_or(0, |len| len.saturating_add(2));
    replies.split_at_checked(head_len.checked_add(body_len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combined(combine: Combine, places: &[u32], parts: &[&[u8]]) -> String {
        let gather = Gather { combine, parts: parts.len(), places: places.to_vec(), is_resp3: false };
        let mut out = Vec::new();
        gather.combine(parts, &mut ReplyWriter::new(&mut out, RespVersion::V2));
        out.escape_ascii().to_string()
    }

    #[test]
    fn strings_take_the_places_of_their_keys() {
        let parts: [&[u8]; 2] = [b"*2\r\n$1\r\na\r\n$-1\r\n", b"*1\r\n$2\r\nbb\r\n"];
        assert_eq!(combined(Combine::Places, &[2, 0, 1], &parts), "*3\\r\\n$-1\\r\\n$2\\r\\nbb\\r\\n$1\\r\\na\\r\\n");
    }

    #[test]
    fn counts_are_added_up_and_lists_put_together() {
        assert_eq!(combined(Combine::Sum, &[], &[b":2\r\n", b":40\r\n"]), ":42\\r\\n");
        let parts: [&[u8]; 2] = [b"*1\r\n$1\r\na\r\n", b"*0\r\n"];
        assert_eq!(combined(Combine::Concat, &[], &parts), "*1\\r\\n$1\\r\\na\\r\\n");
        assert_eq!(combined(Combine::First, &[], &[b"$-1\r\n", b"$1\r\nk\r\n"]), "$1\\r\\nk\\r\\n");
    }

    #[test]
    fn a_part_that_is_no_reply_does_no_harm() {
        for part in [&b""[..], b"*", b"*9\r\n", b"*1\r\n$99\r\na", b":x\r\n", b"$\r\n"] {
            for combine in [Combine::Sum, Combine::Ok, Combine::Places, Combine::Concat, Combine::First] {
                combined(combine, &[0, 7], &[part, part]);
            }
        }
    }
}
