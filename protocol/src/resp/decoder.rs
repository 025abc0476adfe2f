//! The decoder of replies, for clients: incremental, and bounded in all it holds.
//!
//! Elements of a reply are consumed as they arrive, so that a long reply needs no buffer that holds all of its bytes.
//! What is open, outermost first, stands on an explicit stack: no input makes the decoder recurse.

use super::{number, value::Value};
use bytes::Bytes;

/// What a server may send. A reply beyond a limit is an error, and ends the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// How deep aggregates may be nested. Values are dropped and compared recursively, so keep it moderate.
    pub depth_max: usize,
    /// Longest string in bytes.
    pub bulk_len_max: usize,
    /// Longest line in bytes.
    pub line_len_max: usize,
    /// Most values in one reply, at all depths together; a value takes some 50 bytes of memory beside its text.
    pub elements_max: usize,
    /// Longest whole reply in bytes.
    pub reply_len_max: usize,
}

impl Default for ReplyLimits {
    /// 64 deep, 512 MB a string, 64 KB a line, 16,777,216 values and 1 GB a reply.
    fn default() -> Self {
        Self {
            depth_max: 64,
            bulk_len_max: 512 * 1024 * 1024,
            line_len_max: 64 * 1024,
            elements_max: 16 * 1024 * 1024,
            reply_len_max: 1024 * 1024 * 1024,
        }
    }
}

/// A malformed reply, or one beyond the limits. Where the next reply begins is unknown: drop the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No kind of reply begins with this byte.
    #[error("reply begins with an unknown type byte 0x{0:02x}")]
    UnknownType(u8),
    /// A line isn't ended by `\r\n`.
    #[error("line of a reply doesn't end in CR LF")]
    BadLineEnd,
    /// A line is longer than [`ReplyLimits::line_len_max`].
    #[error("line of a reply is too long")]
    LineTooLong,
    /// A length isn't a number, or negative.
    #[error("invalid length in a reply")]
    InvalidLength,
    /// A string is longer than [`ReplyLimits::bulk_len_max`].
    #[error("string in a reply is too long")]
    BulkTooLong,
    /// There are more values than [`ReplyLimits::elements_max`].
    #[error("reply has too many elements")]
    TooManyElements,
    /// Aggregates are nested deeper than [`ReplyLimits::depth_max`].
    #[error("reply is nested too deeply")]
    TooDeep,
    /// The whole is longer than [`ReplyLimits::reply_len_max`].
    #[error("reply is too long")]
    ReplyTooLong,
    /// A number, a boolean, a null or a verbatim string isn't spelled as it must be.
    #[error("invalid value in a reply")]
    InvalidValue,
    /// The length is `?`: a streamed string or aggregate, which no server sends and this decoder doesn't read.
    #[error("streamed replies are not supported")]
    Streamed,
}

/// What [`ReplyDecoder::decode`] did.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Bytes that were consumed: drop them. More than zero is possible without a value.
    pub consumed: usize,
    /// The reply, once it is complete.
    pub value: Option<Value>,
}

/// Decodes one reply after the other.
#[derive(Debug, Default)]
pub struct ReplyDecoder {
    limits: ReplyLimits,
    /// The aggregates that are open, outermost first.
    open: Vec<Open>,
    /// The string whose header was consumed.
    bulk: Option<(BulkKind, usize)>,
    /// How much of the buffer's first line holds no line end.
    scanned: usize,
    bytes_wanted: usize,
    /// Bytes and values of the reply so far; values that were announced count already.
    reply_len: usize,
    elements: usize,
}

#[derive(Debug)]
struct Open {
    kind: OpenKind,
    values: Vec<Value>,
    left: usize,
}

#[derive(Debug)]
enum OpenKind {
    Array,
    Set,
    Push,
    Map,
    Attributes,
    /// Attributes that are complete, and wait for their value.
    Attributed(Vec<(Value, Value)>),
}

#[derive(Clone, Copy, Debug)]
enum BulkKind {
    Bulk,
    Error,
    Verbatim,
}

/// What a line of a reply turned out to be.
enum Item {
    Value(Value),
    /// A string of this kind and length follows.
    Bulk(BulkKind, usize),
    /// So many values follow.
    Aggregate(OpenKind, usize),
}

impl ReplyDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// How many more bytes the string being read is known to need, with its line end; 0 if unknown.
    #[must_use]
    pub fn bytes_wanted(&self) -> usize {
        self.bytes_wanted
    }

    /// Consumes bytes from the front of `buf` until a reply is complete or more bytes are needed. The next call must
    /// begin with the first byte that wasn't consumed.
    ///
    /// # Errors
    /// A [`DecodeError`] ends the stream: close the connection and drop the decoder.
    pub fn decode(&mut self, buf: &[u8]) -> Result<Decoded, DecodeError> {
        let mut consumed = 0;
        loop {
            let rest = buf.get(consumed..).unwrap_or_default();
            let Some((item, len)) = self.take_item(rest)? else {
                return Ok(Decoded { consumed, value: None });
            };
            consumed += len;
            self.reply_len = self.reply_len.saturating_add(len);
            if self.reply_len > self.limits.reply_len_max {
                return Err(DecodeError::ReplyTooLong);
            }
            let value = match item {
                Item::Value(value) => value,
                Item::Bulk(kind, len) => {
                    self.bulk = Some((kind, len));
                    continue;
                }
                Item::Aggregate(kind, left) => {
                    self.open(kind, left)?;
                    match self.close_full() {
                        Some(value) => value,
                        None => continue,
                    }
                }
            };
            if let Some(value) = self.place(value) {
                (self.reply_len, self.elements) = (0, 0);
                return Ok(Decoded { consumed, value: Some(value) });
            }
        }
    }

    /// Reads the next line, or the string whose header came before, and tells its length.
    fn take_item(&mut self, rest: &[u8]) -> Result<Option<(Item, usize)>, DecodeError> {
        if let Some((kind, len)) = self.bulk {
            let Some(text) = self.take_bulk(rest, len)? else {
                return Ok(None);
            };
            self.bulk = None;
            return Ok(Some((Item::Value(bulk_value(kind, text)?), len + 2)));
        }
        let Some((&kind, line)) = rest.split_first() else {
            return Ok(None);
        };
        if !b"+-:$*_#,(!=%~>|".contains(&kind) {
            return Err(DecodeError::UnknownType(kind));
        }
        let Some(line) = self.take_line(line)? else {
            return Ok(None);
        };
        Ok(Some((self.read_line(kind, line)?, line.len() + 3)))
    }

    /// The string at the front, if all of it arrived, and its line end too.
    fn take_bulk<'a>(&mut self, rest: &'a [u8], len: usize) -> Result<Option<&'a [u8]>, DecodeError> {
        let whole = len + 2;
        self.bytes_wanted = whole.saturating_sub(rest.len());
        let Some((text, behind)) = rest.split_at_checked(len) else {
            return Ok(None);
        };
        match behind {
            [b'\r', b'\n', ..] => Ok(Some(text)),
            [] | [b'\r'] => Ok(None),
            _ => Err(DecodeError::BadLineEnd),
        }
    }

    /// The line at the front without its end, if it arrived.
    fn take_line<'a>(&mut self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, DecodeError> {
        let limit = self.limits.line_len_max.saturating_add(1);
        let window = rest.get(self.scanned..rest.len().min(limit)).unwrap_or_default();
        let end = match window.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            Some(offset) => self.scanned + offset,
            None if rest.len() >= limit => return Err(DecodeError::LineTooLong),
            None => {
                self.scanned = rest.len();
                return Ok(None);
            }
        };
        match rest.get(end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {
                self.scanned = 0;
                Ok(rest.get(..end))
            }
            [b'\r'] => {
                self.scanned = end;
                Ok(None)
            }
            _ => Err(DecodeError::BadLineEnd),
        }
    }

    fn read_line(&self, kind: u8, line: &[u8]) -> Result<Item, DecodeError> {
        let text = || Bytes::copy_from_slice(line);
        let value = match kind {
            b'+' => Value::Simple(text()),
            b'-' => Value::Error(text()),
            b':' => Value::Integer(parse_integer(line)?),
            b',' => Value::Double(parse_double(line)?),
            b'(' if is_big_number(line) => Value::BigNumber(text()),
            b'_' if line.is_empty() => Value::Null,
            b'#' if line == b"t" => Value::Boolean(true),
            b'#' if line == b"f" => Value::Boolean(false),
            b'$' | b'*' if line == b"-1" => Value::Null,
            b'$' => return self.bulk(BulkKind::Bulk, line),
            b'!' => return self.bulk(BulkKind::Error, line),
            b'=' => return self.bulk(BulkKind::Verbatim, line),
            b'*' => return Ok(Item::Aggregate(OpenKind::Array, parse_length(line)?)),
            b'~' => return Ok(Item::Aggregate(OpenKind::Set, parse_length(line)?)),
            b'>' => return Ok(Item::Aggregate(OpenKind::Push, parse_length(line)?)),
            b'%' => return pairs(OpenKind::Map, line),
            b'|' => return pairs(OpenKind::Attributes, line),
            _ => return Err(DecodeError::InvalidValue),
        };
        Ok(Item::Value(value))
    }

    fn bulk(&self, kind: BulkKind, line: &[u8]) -> Result<Item, DecodeError> {
        let len = parse_length(line)?;
        if len > self.limits.bulk_len_max || len > usize::MAX - 2 {
            return Err(DecodeError::BulkTooLong);
        }
        // Told now, so that nobody gathers bytes for a string that will be refused.
        if self.reply_len.saturating_add(len) > self.limits.reply_len_max {
            return Err(DecodeError::ReplyTooLong);
        }
        Ok(Item::Bulk(kind, len))
    }

    /// Opens an aggregate. Its values get room as they come, whatever was announced.
    fn open(&mut self, kind: OpenKind, left: usize) -> Result<(), DecodeError> {
        if self.open.len() >= self.limits.depth_max {
            return Err(DecodeError::TooDeep);
        }
        self.elements = self.elements.saturating_add(left);
        if self.elements > self.limits.elements_max {
            return Err(DecodeError::TooManyElements);
        }
        self.open.push(Open { kind, values: Vec::new(), left });
        Ok(())
    }

    /// Puts a value into the innermost open aggregate and closes what that fills. Answers the whole reply if nothing is
    /// open any more.
    fn place(&mut self, mut value: Value) -> Option<Value> {
        loop {
            let Some(innermost) = self.open.last_mut() else {
                return Some(value);
            };
            innermost.values.push(value);
            innermost.left -= 1;
            value = self.close_full()?;
        }
    }

    /// Closes the innermost aggregate if it is full. Attributes that are full stay open for their value.
    fn close_full(&mut self) -> Option<Value> {
        let full = self.open.pop_if(|innermost| innermost.left == 0)?;
        Some(match full.kind {
            OpenKind::Array => Value::Array(full.values),
            OpenKind::Set => Value::Set(full.values),
            OpenKind::Push => Value::Push(full.values),
            OpenKind::Map => Value::Map(paired(full.values)),
            OpenKind::Attributed(attributes) => {
                let value = full.values.into_iter().next().unwrap_or(Value::Null);
                Value::Attributed { attributes, value: Box::new(value) }
            }
            OpenKind::Attributes => {
                let kind = OpenKind::Attributed(paired(full.values));
                self.open.push(Open { kind, values: Vec::new(), left: 1 });
                return None;
            }
        })
    }
}

fn bulk_value(kind: BulkKind, text: &[u8]) -> Result<Value, DecodeError> {
    Ok(match kind {
        BulkKind::Bulk => Value::Bulk(Bytes::copy_from_slice(text)),
        BulkKind::Error => Value::Error(Bytes::copy_from_slice(text)),
        BulkKind::Verbatim => match text {
            [a, b, c, b':', text @ ..] => Value::Verbatim { format: [*a, *b, *c], text: Bytes::copy_from_slice(text) },
            _ => return Err(DecodeError::InvalidValue),
        },
    })
}

fn paired(values: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(values.len() / 2);
    let mut values = values.into_iter();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn pairs(kind: OpenKind, line: &[u8]) -> Result<Item, DecodeError> {
    let values = parse_length(line)?.checked_mul(2).ok_or(DecodeError::TooManyElements)?;
    Ok(Item::Aggregate(kind, values))
}

fn parse_length(line: &[u8]) -> Result<usize, DecodeError> {
    if line == b"?" {
        return Err(DecodeError::Streamed);
    }
    let length = number::parse_i64(line).ok_or(DecodeError::InvalidLength)?;
    usize::try_from(length).map_err(|_| DecodeError::InvalidLength)
}

/// The protocol's description allows a `+` here.
fn parse_integer(line: &[u8]) -> Result<i64, DecodeError> {
    let digits = match line {
        [b'+', digits @ ..] if !digits.starts_with(b"-") => digits,
        digits => digits,
    };
    number::parse_i64(digits).ok_or(DecodeError::InvalidValue)
}

fn parse_double(line: &[u8]) -> Result<f64, DecodeError> {
    let text = std::str::from_utf8(line).map_err(|_| DecodeError::InvalidValue)?;
    text.parse().map_err(|_| DecodeError::InvalidValue)
}

fn is_big_number(line: &[u8]) -> bool {
    let digits = match line {
        [b'-' | b'+', digits @ ..] => digits,
        digits => digits,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
