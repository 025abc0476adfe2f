//! Counts replies in a byte stream without building them.
//!
//! A load generator only needs to know that a reply is complete, and whether it was a value, a null or an error.
//! Nesting needs no stack: an aggregate of *n* elements simply adds *n* to the number of elements still owed before the
//! top-level reply is complete.

use crate::error::{BenchError, Result};

/// Error lines are kept up to this many bytes; their first word is what gets counted.
const ERROR_BYTES_MAX: usize = 256;

/// The largest length or element count that a reply may announce.
const LENGTH_MAX: u64 = 1 << 40;

/// What a completed top-level reply was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Any value, including an empty collection.
    Value,
    /// A null bulk string, null array or RESP3 null.
    Null,
    /// An error; for one inside an aggregate the first is reported. Holds the error line without its type byte.
    Error(&'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next byte is a type byte.
    Type,
    /// Inside a line whose content does not matter.
    Line,
    /// Inside an error line, which is kept.
    ErrorLine,
    /// Inside the number after a type byte.
    Length { kind: u8, value: u64, negative: bool },
    /// Inside a bulk string's body and its line end.
    Body { left: u64 },
    /// Inside a bulk error's body and its line end.
    ErrorBody { left: u64 },
}

/// Follows one connection's replies across any split of the stream.
#[derive(Debug)]
pub struct ReplySkipper {
    state: State,
    /// Elements still owed before the current top-level reply is complete; 0 between replies.
    owed: u64,
    /// The current top-level frame is a push message, which answers no request.
    push: bool,
    null: bool,
    failed: bool,
    error: Vec<u8>,
}

impl Default for ReplySkipper {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplySkipper {
    /// A skipper at the start of a stream.
    pub fn new() -> Self {
        Self { state: State::Type, owed: 0, push: false, null: false, failed: false, error: Vec::new() }
    }

    /// Consumes `bytes` and calls `on_reply` for every top-level reply that they complete.
    ///
    /// # Errors
    /// [`BenchError::Protocol`] when the bytes are no RESP; the stream cannot be followed afterwards.
    pub fn feed(&mut self, bytes: &[u8], mut on_reply: impl FnMut(Reply<'_>)) -> Result<()> {
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::Body { left } => {
                    let step = left.min((bytes.len() - at) as u64);
                    at += step as usize;
                    self.state = State::Body { left: left - step };
                    if left == step {
                        self.element_done(&mut on_reply);
                    }
                }
                State::ErrorBody { left } => {
                    let step = left.min((bytes.len() - at) as u64);
                    self.keep_error(&bytes[at..at + step as usize]);
                    at += step as usize;
                    self.state = State::ErrorBody { left: left - step };
                    if left == step {
                        self.finish_error(&mut on_reply);
                    }
                }
                State::Line => match bytes[at..].iter().position(|&b| b == b'\n') {
                    Some(end) => {
                        at += end + 1;
                        self.element_done(&mut on_reply);
                    }
                    None => at = bytes.len(),
                },
                State::ErrorLine => {
                    let end = bytes[at..].iter().position(|&b| b == b'\n');
                    let stop = end.map_or(bytes.len(), |end| at + end);
                    self.keep_error(&bytes[at..stop]);
                    at = stop;
                    if end.is_some() {
                        at += 1;
                        self.finish_error(&mut on_reply);
                    }
                }
                State::Type => {
                    self.begin(bytes[at])?;
                    at += 1;
                }
                State::Length { kind, value, negative } => {
                    let byte = bytes[at];
                    at += 1;
                    self.length_byte(kind, value, negative, byte, &mut on_reply)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, kind: u8) -> Result<()> {
        if self.owed == 0 {
            self.owed = 1;
            self.null = false;
            self.failed = false;
            self.push = kind == b'>';
        }
        self.state = match kind {
            b'+' | b':' | b',' | b'#' | b'(' => State::Line,
            b'_' => {
                self.null |= self.owed == 1;
                State::Line
            }
            b'-' => {
                self.begin_error();
                State::ErrorLine
            }
            b'$' | b'*' | b'%' | b'~' | b'>' | b'=' | b'!' | b'|' => State::Length { kind, value: 0, negative: false },
            other => {
                return Err(BenchError::Protocol(format!("type byte {:?}", char::from(other))));
            }
        };
        Ok(())
    }

    fn length_byte(
        &mut self,
        kind: u8,
        value: u64,
        negative: bool,
        byte: u8,
        on_reply: &mut impl FnMut(Reply<'_>),
    ) -> Result<()> {
        match byte {
            b'0'..=b'9' => {
                let value = value * 10 + u64::from(byte - b'0');
                if value > LENGTH_MAX {
                    return Err(BenchError::Protocol(format!("length {value}")));
                }
                self.state = State::Length { kind, value, negative };
            }
            b'-' if value == 0 => {
                self.state = State::Length { kind, value, negative: true };
            }
            b'\r' => {}
            b'\n' if negative => {
                self.null |= self.owed == 1;
                self.element_done(on_reply);
            }
            b'\n' => self.length_known(kind, value, on_reply),
            other => {
                return Err(BenchError::Protocol(format!("{:?} in a length", char::from(other))));
            }
        }
        Ok(())
    }

    fn length_known(&mut self, kind: u8, value: u64, on_reply: &mut impl FnMut(Reply<'_>)) {
        match kind {
            b'$' | b'=' => self.state = State::Body { left: value + 2 },
            b'!' => {
                self.begin_error();
                self.state = State::ErrorBody { left: value + 2 };
            }
            // An attribute stands before the reply that it describes and is no element itself.
            b'|' => {
                self.owed += 2 * value;
                self.state = State::Type;
            }
            b'%' => {
                self.owed += 2 * value;
                self.element_done(on_reply);
            }
            _ => {
                self.owed += value;
                self.element_done(on_reply);
            }
        }
    }

    fn begin_error(&mut self) {
        if !self.failed {
            self.error.clear();
        }
    }

    fn keep_error(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        let room = ERROR_BYTES_MAX.saturating_sub(self.error.len());
        self.error.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn finish_error(&mut self, on_reply: &mut impl FnMut(Reply<'_>)) {
        self.failed = true;
        self.element_done(on_reply);
    }

    fn element_done(&mut self, on_reply: &mut impl FnMut(Reply<'_>)) {
        self.state = State::Type;
        self.owed -= 1;
        if self.owed > 0 || self.push {
            return;
        }
        on_reply(if self.failed {
            Reply::Error(self.error.trim_ascii_end())
        } else if self.null {
            Reply::Null
        } else {
            Reply::Value
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"+OK\r\n$5\r\nhel\r\n\r\n$-1\r\n*-1\r\n_\r\n:12\r\n-ERR no such thing\r\n\
*2\r\n*3\r\n:1\r\n$0\r\n\r\n$-1\r\n+x\r\n*0\r\n%1\r\n+a\r\n*1\r\n,1.5\r\n~0\r\n>2\r\n+message\r\n$1\r\nx\r\n\
|1\r\n+ttl\r\n:9\r\n$2\r\nab\r\n!9\r\nBOOM text\r\n=7\r\ntxt:abc\r\n#t\r\n(123\r\n\
*2\r\n-WRONGTYPE a\r\n-ERR b\r\n";

    fn kinds(chunks: &[&[u8]]) -> Vec<String> {
        let mut skipper = ReplySkipper::new();
        let mut seen = Vec::new();
        for chunk in chunks {
            skipper
                .feed(chunk, |reply| {
                    seen.push(match reply {
                        Reply::Value => "value".to_owned(),
                        Reply::Null => "null".to_owned(),
                        Reply::Error(text) => String::from_utf8_lossy(text).into_owned(),
                    })
                })
                .expect("the stream is well formed");
        }
        seen
    }

    #[test]
    fn every_kind_of_reply_counts_once_and_pushes_count_never() {
        let seen = kinds(&[STREAM]);
        let expected = [
            "value",
            "value",
            "null",
            "null",
            "null",
            "value",
            "ERR no such thing",
            "value",
            "value",
            "value",
            "value",
            "value",
            "BOOM text",
            "value",
            "value",
            "value",
            "WRONGTYPE a",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn any_split_in_two_gives_the_same_replies() {
        let whole = kinds(&[STREAM]);
        for cut in 0..=STREAM.len() {
            let (a, b) = STREAM.split_at(cut);
            assert_eq!(kinds(&[a, b]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn single_bytes_give_the_same_replies() {
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(kinds(&bytes), kinds(&[STREAM]));
    }

    #[test]
    fn bytes_that_are_no_resp_are_an_error() {
        for bad in [&b"hello\r\n"[..], b"$x\r\n", b"*99999999999999999999\r\n", b"$1-\r\n"] {
            assert!(ReplySkipper::new().feed(bad, |_| ()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_long_error_line_is_kept_only_up_to_its_bound() {
        let mut line = vec![b'-'];
        line.resize(10_000, b'e');
        line.extend_from_slice(b"\r\n");
        let mut kept = 0;
        ReplySkipper::new()
            .feed(&line, |reply| {
                if let Reply::Error(text) = reply {
                    kept = text.len();
                }
            })
            .expect("well formed");
        assert_eq!(kept, ERROR_BYTES_MAX);
    }
}
