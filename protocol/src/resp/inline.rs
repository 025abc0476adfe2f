//! Inline requests: a line of words, as a person types them into telnet.

use super::request::ProtocolError;

/// Splits a line (without its line end) into words.
///
/// Words are separated by blanks. A double-quoted part may hold blanks and the escapes `\n \r \t \b \a \xHH` and
/// `\` + any other byte for that byte; a single-quoted part knows only `\'`. A closing quote must end its word.
///
/// # Errors
/// [`ProtocolError::UnbalancedQuotes`] if a quote isn't closed, or is closed in the middle of a word.
pub(crate) fn split_words(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = rest.get(blanks..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(words);
        }
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?;
        words.push(word);
    }
}

/// What C's `isspace` calls a space.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Moves the word at the start of `rest` into `word` and returns what stands behind it.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match rest {
            [] => return Ok(rest),
            // Vertical tab and form feed separate words but don't end one: that is how Redis reads them.
            [b' ' | b'\n' | b'\r' | b'\t', tail @ ..] => return Ok(tail),
            [b'"', tail @ ..] => return take_double_quoted(tail, word),
            [b'\'', tail @ ..] => return take_single_quoted(tail, word),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', tail @ ..] => return closed(tail),
            [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex_value(*high) << 4 | hex_value(*low), tail)
            }
            [b'\\', escaped, tail @ ..] => (unescape(*escaped), tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        word.push(byte);
        rest = tail;
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', tail @ ..] => return closed(tail),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        word.push(byte);
        rest = tail;
    }
}

/// Checks that a quote that was just closed also ends its word.
fn closed(tail: &[u8]) -> Result<&[u8], ProtocolError> {
    match tail.first() {
        Some(byte) if !is_blank(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(tail),
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::{ProtocolError, split_words};

    fn words(line: &[u8]) -> Vec<String> {
        let words = split_words(line).expect("balanced quotes");
        words.iter().map(|word| word.escape_ascii().to_string()).collect()
    }

    #[test]
    fn blanks_separate_words() {
        assert_eq!(words(b"  set  a\t1 "), ["set", "a", "1"]);
        assert_eq!(words(b""), [""; 0]);
        assert_eq!(words(b" \x0b\x0c "), [""; 0]);
    }

    #[test]
    fn double_quotes_know_escapes() {
        assert_eq!(words(br#"set "a b" "\x41\xfF\n\q\"" """#), ["set", "a b", r#"A\xff\nq\""#, ""]);
        assert_eq!(words(br#""\xZZ""#), ["xZZ"]);
    }

    #[test]
    fn single_quotes_know_only_their_own_escape() {
        assert_eq!(words(br"'a\n' 'it\'s'"), [r"a\\n", r"it\'s"]);
    }

    #[test]
    fn a_quote_may_open_in_the_middle_of_a_word_but_must_end_it() {
        assert_eq!(words(br#"ab"c d""#), ["abc d"]);
        for line in [&br#""a"b"#[..], b"'a'b", b"\"a", b"'a", b"\"a\\", b"a\"\\x4"] {
            assert_eq!(split_words(line), Err(ProtocolError::UnbalancedQuotes), "{}", line.escape_ascii());
        }
    }
}
