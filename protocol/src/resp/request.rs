//! The parser of requests: arrays of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) and inline lines (`GET k\r\n`).
//!
//! It hands out byte ranges of the caller's buffer instead of copies, reads each byte of a request once however many
//! reads it arrives in, and allocates only for inline requests and for requests that are cut by a buffer's end.

use super::{inline, number};

/// Where one argument stands in the buffer handed to the parser: byte offsets `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgRange {
    /// Offset of the argument's first byte.
    pub start: u32,
    /// Offset behind the argument's last byte.
    pub end: u32,
}

impl ArgRange {
    /// The argument's bytes in the buffer that was parsed; empty if `buf` is another, shorter one.
    #[inline]
    #[must_use]
    pub fn of<'a>(&self, buf: &'a [u8]) -> &'a [u8] {
        buf.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Most arguments, and longest bulk string, that a client may send before it has authenticated.
const UNAUTHENTICATED_ARGS_MAX: usize = 10;
const UNAUTHENTICATED_BULK_LEN_MAX: usize = 16 * 1024;

/// An interrupted request's list of arguments that grew beyond this many is given back rather than kept.
const PARTIAL_CAPACITY_KEPT: usize = 1024;

/// What a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Longest bulk string in bytes (`proto-max-bulk-len`).
    pub bulk_len_max: usize,
    /// Most arguments of one request.
    pub args_max: usize,
    /// Longest inline request, and longest header line, in bytes.
    pub inline_len_max: usize,
}

impl RequestLimits {
    /// What is granted to a client that has yet to authenticate: enough for `HELLO … AUTH … SETNAME …`.
    #[must_use]
    pub const fn unauthenticated() -> Self {
        Self {
            bulk_len_max: UNAUTHENTICATED_BULK_LEN_MAX,
            args_max: UNAUTHENTICATED_ARGS_MAX,
            inline_len_max: 64 * 1024,
        }
    }

    /// Whether a refusal should tell that authenticating would help. `proto-max-bulk-len` cannot be set as low.
    const fn are_unauthenticated(&self) -> bool {
        self.bulk_len_max <= UNAUTHENTICATED_BULK_LEN_MAX && self.args_max <= UNAUTHENTICATED_ARGS_MAX
    }

    fn args_error(&self) -> ProtocolError {
        if self.are_unauthenticated() {
            ProtocolError::UnauthenticatedMultibulkLength
        } else {
            ProtocolError::InvalidMultibulkLength
        }
    }

    fn bulk_error(&self) -> ProtocolError {
        if self.are_unauthenticated() {
            ProtocolError::UnauthenticatedBulkLength
        } else {
            ProtocolError::InvalidBulkLength
        }
    }
}

impl Default for RequestLimits {
    /// Redis's defaults: 512 MB a bulk string, 1,048,576 arguments, 64 KB a line.
    fn default() -> Self {
        Self { bulk_len_max: 512 * 1024 * 1024, args_max: 1024 * 1024, inline_len_max: 64 * 1024 }
    }
}

/// A malformed request. The text is what Redis prints behind `-ERR Protocol error: `; the connection cannot go on,
/// because where the next request begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The `*` line doesn't end within [`RequestLimits::inline_len_max`].
    #[error("too big mbulk count string")]
    TooBigMultibulkCount,
    /// More arguments than an unauthenticated client may send.
    #[error("unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    /// The count of arguments isn't a number, or above [`RequestLimits::args_max`].
    #[error("invalid multibulk length")]
    InvalidMultibulkLength,
    /// The `$` line doesn't end within [`RequestLimits::inline_len_max`].
    #[error("too big bulk count string")]
    TooBigBulkCount,
    /// A longer argument than an unauthenticated client may send.
    #[error("unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// The length of an argument isn't a number, negative, or above [`RequestLimits::bulk_len_max`].
    #[error("invalid bulk length")]
    InvalidBulkLength,
    /// An argument begins with this byte instead of `$`.
    #[error("expected '$', got '{}'", printable(*.0))]
    ExpectedDollar(u8),
    /// The line doesn't end within [`RequestLimits::inline_len_max`].
    #[error("too big inline request")]
    TooBigInline,
    /// A quote of an inline request isn't closed, or is closed in the middle of a word.
    #[error("unbalanced quotes in request")]
    UnbalancedQuotes,
}

/// A line end inside an error reply would end it: Redis replaces it by a blank.
fn printable(byte: u8) -> char {
    match byte {
        b'\r' | b'\n' => ' ',
        other => char::from(other),
    }
}

/// What [`RequestParser::next`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request of `argc` arguments, whose ranges were appended to the list. Zero of them is legal (an empty line,
    /// `*0`): skip it.
    Request {
        /// How many ranges were appended.
        argc: usize,
        /// Offset behind the request.
        end: usize,
    },
    /// A request typed as a line. Its words are copies, since unescaping makes bytes that the buffer doesn't hold.
    Inline {
        /// The words, possibly none.
        args: Vec<Vec<u8>>,
        /// Offset behind the line.
        end: usize,
    },
    /// More bytes are needed.
    Incomplete,
}

/// Finds one request after the other in a buffer that the caller fills and drains.
#[derive(Debug, Default)]
pub struct RequestParser {
    limits: RequestLimits,
    /// Where an interrupted request goes on.
    place: Place,
    /// The arguments of the interrupted request so far, as offsets from the request's start.
    partial: Vec<ArgRange>,
    bytes_wanted: usize,
}

/// How far a request has been read. Offsets count from the request's start, because the caller may move its bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// What was consumed; 0 means that nothing is known about the request yet.
    pos: usize,
    /// Up to where a line's end was looked for in vain.
    scanned: usize,
    args_left: usize,
    /// The length of the argument at `pos`, once its header was read.
    bulk_len: Option<usize>,
}

impl RequestParser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new(limits: RequestLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Changes what the client may send, from the next header on.
    pub fn set_limits(&mut self, limits: RequestLimits) {
        self.limits = limits;
    }

    /// Forgets an interrupted request: the next call starts at a request's first byte. For a caller that parsed ahead and
    /// then did not consume what it had parsed.
    pub fn restart(&mut self) {
        self.place = Place::default();
        self.partial.clear();
        self.bytes_wanted = 0;
    }

    /// How many more bytes the argument being read is known to need, with its line end; 0 if unknown. Lets the reader
    /// size its buffer, within what it is willing to hold.
    #[must_use]
    pub fn bytes_wanted(&self) -> usize {
        self.bytes_wanted
    }

    /// Parses the next request of `buf`, which begins at offset `from`.
    ///
    /// On [`Step::Request`] the argument ranges (offsets in `buf`) were appended to `args`. On [`Step::Incomplete`]
    /// `args` is as before and the parser keeps its place relative to `from`: the next call must pass a buffer that
    /// holds the same unconsumed bytes, and more of them, at its `from`. So a request that arrives in many reads is
    /// parsed once, not from its start each time.
    ///
    /// # Errors
    /// A [`ProtocolError`] ends the stream: send it, close the connection and drop the parser.
    #[inline]
    pub fn next(&mut self, buf: &[u8], from: usize, args: &mut Vec<ArgRange>) -> Result<Step, ProtocolError> {
        let rest = buf.get(from..).unwrap_or_default();
        if self.place.pos == 0
            && self.place.scanned == 0
            && let Some((argc, header_len)) = short_header(b'*', rest)
            && argc.wrapping_sub(1) < self.limits.args_max
            && buf.len() <= u32::MAX as usize
        {
            let before = args.len();
            let mut place = Place { pos: header_len, args_left: argc, ..Place::default() };
            self.take_short_bulks(rest, from, &mut place, args);
            if place.args_left == 0 {
                return Ok(Step::Request { argc, end: from + place.pos });
            }
            self.suspend(place, from, args, before);
        }
        self.resume(buf, from, args)
    }

    /// Takes arguments as long as they stand whole in the buffer behind headers of one or two digits: nearly always
    /// all of them. `base` is added to their offsets.
    #[inline]
    fn take_short_bulks(&self, rest: &[u8], base: usize, place: &mut Place, args: &mut Vec<ArgRange>) {
        let bulk_len_max = self.limits.bulk_len_max;
        let (mut pos, mut left) = (place.pos, place.args_left);
        while left > 0 {
            let Some((len, header_len)) = short_header(b'$', rest.get(pos..).unwrap_or_default()) else {
                break;
            };
            let start = pos + header_len;
            let end = start + len;
            if len > bulk_len_max || end + 2 > rest.len() {
                break;
            }
            args.push(ArgRange { start: (base + start) as u32, end: (base + end) as u32 });
            pos = end + 2;
            left -= 1;
        }
        (place.pos, place.args_left) = (pos, left);
    }

    /// Puts a request aside that the fast path could not finish.
    #[cold]
    fn suspend(&mut self, place: Place, from: usize, args: &mut Vec<ArgRange>, before: usize) {
        let from = from as u32;
        let taken = args.drain(before..);
        self.partial.extend(taken.map(|arg| ArgRange { start: arg.start - from, end: arg.end - from }));
        self.place = place;
    }

    /// The general path: starts or goes on with a request of any kind.
    fn resume(&mut self, buf: &[u8], from: usize, args: &mut Vec<ArgRange>) -> Result<Step, ProtocolError> {
        let rest = buf.get(from..).unwrap_or_default();
        if buf.len() > u32::MAX as usize {
            return Err(ProtocolError::InvalidBulkLength);
        }
        self.bytes_wanted = 0;
        if self.place.pos == 0 {
            match rest.first() {
                None => return Ok(Step::Incomplete),
                Some(b'*') => {}
                Some(_) => return self.take_inline(rest, from),
            }
            let Some((count, behind)) = self.take_header(rest, 0, ProtocolError::TooBigMultibulkCount)? else {
                return Ok(Step::Incomplete);
            };
            let count = number::parse_i64(count).ok_or(ProtocolError::InvalidMultibulkLength)?;
            // Redis ignores negative counts too.
            let argc = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
            if argc == 0 {
                self.place = Place::default();
                return Ok(Step::Request { argc: 0, end: from + behind });
            }
            if argc > self.limits.args_max {
                return Err(self.limits.args_error());
            }
            self.place = Place { pos: behind, args_left: argc, ..Place::default() };
        }
        self.take_bulks(rest, from, args)
    }

    /// Goes on with the arguments of the request that is put aside.
    fn take_bulks(&mut self, rest: &[u8], from: usize, args: &mut Vec<ArgRange>) -> Result<Step, ProtocolError> {
        while self.place.args_left > 0 {
            let bulk_len = match self.place.bulk_len {
                Some(bulk_len) => bulk_len,
                None => match self.take_bulk_header(rest)? {
                    Some(bulk_len) => bulk_len,
                    None => return Ok(Step::Incomplete),
                },
            };
            let start = self.place.pos;
            let end = start.saturating_add(bulk_len);
            // Offsets are 32 bits wide; waiting for a buffer that cannot be described would be waiting for ever.
            if end > u32::MAX as usize - 2 {
                return Err(ProtocolError::InvalidBulkLength);
            }
            if end + 2 > rest.len() {
                self.bytes_wanted = end + 2 - rest.len();
                return Ok(Step::Incomplete);
            }
            // The two bytes behind the argument aren't looked at, as in Redis.
            self.partial.push(ArgRange { start: start as u32, end: end as u32 });
            self.place = Place { pos: end + 2, args_left: self.place.args_left - 1, ..Place::default() };
        }
        let argc = self.partial.len();
        let shift = from as u32;
        args.extend(self.partial.drain(..).map(|arg| ArgRange { start: arg.start + shift, end: arg.end + shift }));
        self.partial.shrink_to(PARTIAL_CAPACITY_KEPT);
        let end = from + self.place.pos;
        self.place = Place::default();
        Ok(Step::Request { argc, end })
    }

    /// Reads the header of the argument at the current place.
    fn take_bulk_header(&mut self, rest: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let pos = self.place.pos;
        match rest.get(pos) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => return Err(ProtocolError::ExpectedDollar(*other)),
        }
        let Some((length, behind)) = self.take_header(rest, pos, ProtocolError::TooBigBulkCount)? else {
            return Ok(None);
        };
        let length = number::parse_i64(length).ok_or(ProtocolError::InvalidBulkLength)?;
        let length = usize::try_from(length).map_err(|_| ProtocolError::InvalidBulkLength)?;
        if length > self.limits.bulk_len_max {
            return Err(self.limits.bulk_error());
        }
        self.place.pos = behind;
        self.place.bulk_len = Some(length);
        Ok(Some(length))
    }

    /// The header line that begins at `pos`, without its first byte and its end, and the offset behind it; `None`
    /// while its end hasn't arrived.
    fn take_header<'a>(
        &mut self,
        rest: &'a [u8],
        pos: usize,
        too_big: ProtocolError,
    ) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
        match self.find_line_end(rest, pos, b'\r', too_big)? {
            // The byte behind `\r` has to be there, but isn't looked at, as in Redis.
            Some(end) if end + 2 <= rest.len() => Ok(Some((rest.get(pos + 1..end).unwrap_or_default(), end + 2))),
            _ => Ok(None),
        }
    }

    /// Offset of the first `wanted` at or behind `pos`, if it arrived. Lines are limited by their length alone, not by
    /// what of them has arrived, so that it doesn't matter how the stream was cut.
    fn find_line_end(
        &mut self,
        rest: &[u8],
        pos: usize,
        wanted: u8,
        too_big: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let searched_from = pos.max(self.place.scanned);
        let limit = pos.saturating_add(self.limits.inline_len_max).saturating_add(1);
        let window = rest.get(searched_from..rest.len().min(limit)).unwrap_or_default();
        match window.iter().position(|byte| *byte == wanted) {
            Some(offset) => {
                self.place.scanned = searched_from + offset;
                Ok(Some(searched_from + offset))
            }
            None if rest.len() >= limit => Err(too_big),
            None => {
                self.place.scanned = rest.len();
                Ok(None)
            }
        }
    }

    /// Reads a line of words.
    #[cold]
    fn take_inline(&mut self, rest: &[u8], from: usize) -> Result<Step, ProtocolError> {
        let Some(newline) = self.find_line_end(rest, 0, b'\n', ProtocolError::TooBigInline)? else {
            return Ok(Step::Incomplete);
        };
        let line = rest.get(..newline).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let args = inline::split_words(line)?;
        self.place = Place::default();
        let end = from + newline + 1;
        if args.is_empty() { Ok(Step::Request { argc: 0, end }) } else { Ok(Step::Inline { args, end }) }
    }
}

/// Reads a header of one or two digits, `*3\r\n` or `$16\r\n`: its number and its length. `None` means that the
/// general path has to look at it, not that it is malformed. No whole request is shorter than the five bytes it needs
/// to see. Like the general path it doesn't verify the `\n`.
#[inline(always)]
fn short_header(kind: u8, rest: &[u8]) -> Option<(usize, usize)> {
    let [first, a, b, c, _] = *rest.first_chunk::<5>()?;
    let high = a.wrapping_sub(b'0');
    if first != kind || high > 9 {
        return None;
    }
    if b == b'\r' {
        return Some((usize::from(high), 4));
    }
    let low = b.wrapping_sub(b'0');
    if low > 9 || c != b'\r' || high == 0 {
        return None;
    }
    Some((usize::from(high) * 10 + usize::from(low), 5))
}

#[cfg(test)]
mod tests;
