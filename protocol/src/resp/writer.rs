//! Writes replies in the version of the protocol that the client chose.

use super::double::double_text;

/// The protocol's version, as `HELLO` sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RespVersion {
    /// RESP2, with which every connection begins.
    #[default]
    V2,
    /// RESP3.
    V3,
}

/// Whole replies that handlers give all the time.
pub mod shared {
    /// The line end.
    pub const CRLF: &[u8] = b"\r\n";
    /// Done.
    pub const OK: &[u8] = b"+OK\r\n";
    /// The answer to PING.
    pub const PONG: &[u8] = b"+PONG\r\n";
    /// The answer to a command inside a transaction.
    pub const QUEUED: &[u8] = b"+QUEUED\r\n";
    /// Zero, or no.
    pub const ZERO: &[u8] = b":0\r\n";
    /// One, or yes.
    pub const ONE: &[u8] = b":1\r\n";
    /// Minus one.
    pub const MINUS_ONE: &[u8] = b":-1\r\n";
    /// The missing string of RESP2.
    pub const NULL_BULK: &[u8] = b"$-1\r\n";
    /// The missing array of RESP2.
    pub const NULL_ARRAY: &[u8] = b"*-1\r\n";
    /// The missing value of RESP3.
    pub const NULL: &[u8] = b"_\r\n";
    /// An array without elements.
    pub const EMPTY_ARRAY: &[u8] = b"*0\r\n";
    /// A string without bytes.
    pub const EMPTY_BULK: &[u8] = b"$0\r\n\r\n";
}

/// The longest header: a type byte, 20 digits, a line end.
const HEADER_LEN_MAX: usize = 24;

/// Appends replies to a buffer. Aggregates are written as a header with a count, then that many elements.
#[derive(Debug)]
pub struct ReplyWriter<'a> {
    buf: &'a mut Vec<u8>,
    version: RespVersion,
}

/// Where an aggregate stands whose length is told at its end; see [`ReplyWriter::begin`].
#[derive(Debug)]
#[must_use = "an aggregate that isn't ended has no header"]
pub struct OpenAggregate {
    at: usize,
}

impl<'a> ReplyWriter<'a> {
    /// A writer that appends to `buf`.
    #[inline]
    pub fn new(buf: &'a mut Vec<u8>, version: RespVersion) -> Self {
        Self { buf, version }
    }

    /// The version that is written.
    #[inline]
    #[must_use]
    pub fn version(&self) -> RespVersion {
        self.version
    }

    /// Writes in another version from here on (HELLO).
    pub fn set_version(&mut self, version: RespVersion) {
        self.version = version;
    }

    /// Whether RESP3 is written.
    #[inline]
    #[must_use]
    pub fn is_resp3(&self) -> bool {
        self.version == RespVersion::V3
    }

    /// The buffer, for what was encoded elsewhere.
    #[inline]
    pub fn buf(&mut self) -> &mut Vec<u8> {
        self.buf
    }

    /// Bytes in the buffer, those that stood there before included.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    /// Whether the buffer is empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// Appends an encoded reply, such as those of [`shared`].
    #[inline]
    pub fn raw(&mut self, reply: &[u8]) {
        self.buf.extend_from_slice(reply);
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(shared::OK);
    }

    /// A short text without line ends; one that has them gets blanks instead.
    pub fn simple(&mut self, text: &str) {
        self.simple_bytes(text.as_bytes());
    }

    /// As [`simple`](Self::simple), of any bytes.
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// An error: its code, a blank, and what is wrong. Line ends, which would end it early, become blanks.
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        self.line(b'-', text.as_ref());
    }

    /// An error of any bytes, line ends included; in RESP2, which has no such thing, they become blanks.
    pub fn blob_error(&mut self, text: &[u8]) {
        if !self.is_resp3() {
            return self.error(text);
        }
        self.header(b'!', text.len());
        self.raw(text);
        self.raw(shared::CRLF);
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match value {
            0..=9 => self.buf.extend_from_slice(&[b':', b'0' + value as u8, b'\r', b'\n']),
            _ => self.number_line(b':', itoa::Buffer::new().format(value)),
        }
    }

    /// A count, which is below 2⁶³ by far.
    #[inline]
    pub fn count(&mut self, value: usize) {
        self.integer(i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.buf.reserve(bytes.len() + HEADER_LEN_MAX + shared::CRLF.len());
        self.header(b'$', bytes.len());
        self.buf.extend_from_slice(bytes);
        self.buf.extend_from_slice(shared::CRLF);
    }

    /// A string, or null if there is none.
    #[inline]
    pub fn optional_bulk(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// An integer as a string.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// The number of bytes of a string that the caller appends through [`buf`](Self::buf), with a line end behind.
    #[inline]
    pub fn bulk_header(&mut self, len: usize) {
        self.header(b'$', len);
    }

    /// The missing value: in RESP2 a missing string.
    #[inline]
    pub fn null(&mut self) {
        self.raw(if self.is_resp3() { shared::NULL } else { shared::NULL_BULK });
    }

    /// The missing value where there would be an array: in RESP2 a missing array.
    #[inline]
    pub fn null_array(&mut self) {
        self.raw(if self.is_resp3() { shared::NULL } else { shared::NULL_ARRAY });
    }

    /// The header of an array.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// The header of a map of `pairs`; in RESP2 an array of keys and values in turns.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        if self.is_resp3() {
            self.header(b'%', pairs);
        } else {
            self.header(b'*', pairs.saturating_mul(2));
        }
    }

    /// The header of a set; in RESP2 an array.
    #[inline]
    pub fn set(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, len);
    }

    /// The header of a message that answers no request; in RESP2 an array.
    #[inline]
    pub fn push(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, len);
    }

    /// The header of attributes, which precede the reply that they are about. RESP2 has none: if this is `false`,
    /// leave the pairs out.
    #[must_use]
    pub fn attribute(&mut self, pairs: usize) -> bool {
        if self.is_resp3() {
            self.header(b'|', pairs);
        }
        self.is_resp3()
    }

    /// A floating-point number; in RESP2 a string.
    pub fn double(&mut self, value: f64) {
        let text = double_text(value);
        if self.is_resp3() {
            self.line(b',', text.as_bytes());
        } else {
            self.bulk(text.as_bytes());
        }
    }

    /// Yes or no; in RESP2 one or zero.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.raw(match (self.version, value) {
            (RespVersion::V2, false) => shared::ZERO,
            (RespVersion::V2, true) => shared::ONE,
            (RespVersion::V3, false) => b"#f\r\n",
            (RespVersion::V3, true) => b"#t\r\n",
        });
    }

    /// An integer of any size, in decimal digits; in RESP2 a string.
    pub fn big_number(&mut self, digits: impl AsRef<[u8]>) {
        if self.is_resp3() {
            self.line(b'(', digits.as_ref());
        } else {
            self.bulk(digits.as_ref());
        }
    }

    /// A text for people, of a format of three letters (`txt`, `mkd`); in RESP2 a string.
    pub fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        if !self.is_resp3() {
            return self.bulk(text);
        }
        self.header(b'=', text.len() + format.len() + 1);
        self.raw(&format);
        self.raw(b":");
        self.raw(text);
        self.raw(shared::CRLF);
    }

    /// Begins an aggregate whose length isn't known yet. Its elements are appended as usual; then
    /// [`end_array`](Self::end_array), [`end_map`](Self::end_map) or [`end_set`](Self::end_set) puts the header in
    /// front of them, which moves them once.
    #[inline]
    pub fn begin(&mut self) -> OpenAggregate {
        OpenAggregate { at: self.buf.len() }
    }

    /// Ends an array.
    pub fn end_array(&mut self, open: OpenAggregate, len: usize) {
        self.end(open, |writer| writer.array(len));
    }

    /// Ends a map.
    pub fn end_map(&mut self, open: OpenAggregate, pairs: usize) {
        self.end(open, |writer| writer.map(pairs));
    }

    /// Ends a set.
    pub fn end_set(&mut self, open: OpenAggregate, len: usize) {
        self.end(open, |writer| writer.set(len));
    }

    fn end(&mut self, open: OpenAggregate, header: impl FnOnce(&mut Self)) {
        let elements_end = self.buf.len();
        header(self);
        let header_len = self.buf.len() - elements_end;
        if let Some(aggregate) = self.buf.get_mut(open.at..) {
            aggregate.rotate_right(header_len);
        }
    }

    /// A type byte and a count.
    #[inline]
    fn header(&mut self, kind: u8, count: usize) {
        match count {
            0..=9 => self.buf.extend_from_slice(&[kind, b'0' + count as u8, b'\r', b'\n']),
            10..=99 => {
                let (tens, units) = (count as u8 / 10, count as u8 % 10);
                self.buf.extend_from_slice(&[kind, b'0' + tens, b'0' + units, b'\r', b'\n']);
            }
            _ => self.number_line(kind, itoa::Buffer::new().format(count)),
        }
    }

    fn number_line(&mut self, kind: u8, digits: &str) {
        self.buf.reserve(HEADER_LEN_MAX);
        self.buf.push(kind);
        self.buf.extend_from_slice(digits.as_bytes());
        self.buf.extend_from_slice(shared::CRLF);
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.buf.reserve(text.len() + 3);
        self.buf.push(kind);
        self.buf.extend(text.iter().map(|byte| match byte {
            b'\r' | b'\n' => b' ',
            other => *other,
        }));
        self.buf.extend_from_slice(shared::CRLF);
    }
}

#[cfg(test)]
mod tests {
    use super::{ReplyWriter, RespVersion};

    /// What is written in both versions, escaped.
    fn written(reply: impl Fn(&mut ReplyWriter<'_>)) -> (String, String) {
        let write = |version| {
            let mut buf = Vec::new();
            reply(&mut ReplyWriter::new(&mut buf, version));
            buf.escape_ascii().to_string().replace("\\r\\n", "|")
        };
        (write(RespVersion::V2), write(RespVersion::V3))
    }

    #[test]
    fn what_both_versions_share_is_written_alike() {
        type Reply = fn(&mut ReplyWriter<'_>);
        let cases: [(Reply, &str); 13] = [
            (|w| w.ok(), "+OK|"),
            (|w| w.simple("a\r\nb"), "+a  b|"),
            (|w| w.error("ERR x\ny"), "-ERR x y|"),
            (|w| w.error(b"ERR \xff"), "-ERR \\xff|"),
            (|w| w.integer(7), ":7|"),
            (|w| w.integer(-10), ":-10|"),
            (|w| w.integer(i64::MIN), ":-9223372036854775808|"),
            (|w| w.bulk(b"a\r\nb"), "$4|a|b|"),
            (|w| w.bulk(&[b'x'; 12]), "$12|xxxxxxxxxxxx|"),
            (|w| w.array(1000), "*1000|"),
            (|w| w.bulk_integer(-42), "$3|-42|"),
            (|w| w.array(0), "*0|"),
            (|w| w.array(99), "*99|"),
        ];
        for (reply, text) in cases {
            assert_eq!(written(reply), (text.to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn what_only_resp3_has_is_replaced_in_resp2() {
        type Reply = fn(&mut ReplyWriter<'_>);
        let cases: [(Reply, &str, &str); 13] = [
            (|w| w.null(), "$-1|", "_|"),
            (|w| w.null_array(), "*-1|", "_|"),
            (|w| w.optional_bulk(None), "$-1|", "_|"),
            (|w| w.map(2), "*4|", "%2|"),
            (|w| w.set(2), "*2|", "~2|"),
            (|w| w.push(3), "*3|", ">3|"),
            (|w| assert_eq!(w.attribute(1), w.is_resp3()), "", "|1|"),
            (|w| w.double(3.5), "$3|3.5|", ",3.5|"),
            (|w| w.boolean(true), ":1|", "#t|"),
            (|w| w.boolean(false), ":0|", "#f|"),
            (|w| w.big_number("123"), "$3|123|", "(123|"),
            (|w| w.verbatim(*b"txt", b"hi"), "$2|hi|", "=6|txt:hi|"),
            (|w| w.blob_error(b"ERR a\r\nb"), "-ERR a  b|", "!8|ERR a|b|"),
        ];
        for (reply, resp2, resp3) in cases {
            assert_eq!(written(reply), (resp2.to_owned(), resp3.to_owned()));
        }
    }

    #[test]
    fn a_length_told_at_the_end_stands_in_front() {
        let (resp2, resp3) = written(|w| {
            w.ok();
            let outer = w.begin();
            let inner = w.begin();
            w.integer(1);
            w.integer(2);
            w.end_map(inner, 1);
            let empty = w.begin();
            w.end_array(empty, 0);
            w.end_set(outer, 2);
        });
        assert_eq!(resp2, "+OK|*2|*2|:1|:2|*0|");
        assert_eq!(resp3, "+OK|~2|%1|:1|:2|*0|");
    }
}
