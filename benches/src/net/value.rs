//! Whole replies, for the few housekeeping commands whose content matters.

use std::io::{self, BufRead, Read};

/// Deepest nesting that a housekeeping reply may have.
const DEPTH_MAX: u32 = 16;
/// Longest bulk string or aggregate that a housekeeping reply may have.
const LENGTH_MAX: i64 = 64 << 20;

/// A RESP value, with RESP3's finer types folded into the coarse ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A null of any kind.
    Null,
    /// A simple string, number, boolean, double or big number, as text.
    Text(String),
    /// An integer.
    Int(i64),
    /// A bulk or verbatim string.
    Bulk(Vec<u8>),
    /// An error line.
    Error(String),
    /// An array, set, push or map (as a flat list).
    List(Vec<Value>),
}

impl Value {
    /// The reply as text, for display; aggregates are not expanded.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null => "(null)".to_owned(),
            Value::Text(text) | Value::Error(text) => text.clone(),
            Value::Int(n) => n.to_string(),
            Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::List(items) => format!("({} elements)", items.len()),
        }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// The stream's own errors, and `InvalidData` for what is no RESP or exceeds the bounds.
    pub fn read(input: &mut impl BufRead) -> io::Result<Value> {
        read_value(input, 0)
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

fn read_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    input.take(LENGTH_MAX as u64).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn read_value(input: &mut impl BufRead, depth: u32) -> io::Result<Value> {
    if depth > DEPTH_MAX {
        return Err(invalid("a reply is nested too deeply"));
    }
    let line = read_line(input)?;
    let kind = *line.as_bytes().first().ok_or_else(|| invalid("an empty line"))?;
    let rest = line.get(1..).unwrap_or_default();
    let number = || rest.parse::<i64>().map_err(|_| invalid("a number was expected"));
    match kind {
        b'+' | b',' | b'#' | b'(' => Ok(Value::Text(rest.to_owned())),
        b'-' => Ok(Value::Error(rest.to_owned())),
        b'_' => Ok(Value::Null),
        b':' => Ok(Value::Int(number()?)),
        b'$' | b'=' | b'!' => {
            let len = number()?;
            if len < 0 {
                return Ok(Value::Null);
            }
            if len > LENGTH_MAX {
                return Err(invalid("a bulk string is too long"));
            }
            let mut body = vec![0; len as usize + 2];
            input.read_exact(&mut body)?;
            body.truncate(len as usize);
            Ok(if kind == b'!' { Value::Error(String::from_utf8_lossy(&body).into_owned()) } else { Value::Bulk(body) })
        }
        b'*' | b'~' | b'>' | b'%' => {
            let len = number()?;
            if len < 0 {
                return Ok(Value::Null);
            }
            let len = if kind == b'%' { len.saturating_mul(2) } else { len };
            if len > LENGTH_MAX {
                return Err(invalid("an aggregate is too long"));
            }
            (0..len).map(|_| read_value(input, depth + 1)).collect::<io::Result<_>>().map(Value::List)
        }
        _ => Err(invalid("an unknown type byte")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_read_whole() {
        let mut input = &b"*3\r\n:1\r\n$2\r\nab\r\n%1\r\n+k\r\n_\r\n"[..];
        let value = Value::read(&mut input).expect("well formed");
        assert_eq!(
            value,
            Value::List(vec![
                Value::Int(1),
                Value::Bulk(b"ab".to_vec()),
                Value::List(vec![Value::Text("k".into()), Value::Null]),
            ])
        );
        assert!(input.is_empty());
    }

    #[test]
    fn endless_nesting_is_refused() {
        let deep = b"*1\r\n".repeat(1000);
        assert!(Value::read(&mut &deep[..]).is_err());
    }
}
