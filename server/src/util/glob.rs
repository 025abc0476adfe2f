//! Glob patterns as KEYS, SCAN and PSUBSCRIBE understand them.
//!
//! `*` matches any run of bytes, `?` any one byte, `[a-c]` and `[^a]` one byte in or out of a set, and `\` takes the next
//! byte literally. Matching is over bytes, not characters.

/// Whether `pattern` matches the whole of `text`; with `nocase`, ASCII letters match in either case.
///
/// Takes at most `pattern.len() × text.len()` steps and no stack: only the last `*` is ever tried again, since what
/// stands before it matched as early as it could.
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where to go on in the pattern and in the text when the current try fails: one byte more for the last star.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            while pattern.get(at) == Some(&b'*') {
                at += 1;
            }
            if at == pattern.len() {
                return true;
            }
            retry = Some((at, position));
            continue;
        }
        let step = match text.get(position) {
            None if at == pattern.len() => return true,
            // The text is used up; a star that takes more of it only makes that worse.
            None => return false,
            Some(_) if at == pattern.len() => None,
            Some(&byte) => match_one(&pattern[at..], byte, nocase),
        };
        match (step, retry) {
            (Some(length), _) => {
                at += length;
                position += 1;
            }
            (None, Some((star, from))) => {
                retry = Some((star, from + 1));
                at = star;
                position = from + 1;
            }
            (None, None) => return false,
        }
    }
}

/// Whether a pattern has no special byte, so that it names exactly one text.
pub fn is_literal(pattern: &[u8]) -> bool {
    memchr::memchr3(b'*', b'?', b'[', pattern).is_none() && memchr::memchr(b'\\', pattern).is_none()
}

/// Matches `byte` against the first element of a pattern that is not empty and does not start with a star: the
/// element's length, or `None` if it does not match.
fn match_one(pattern: &[u8], byte: u8, nocase: bool) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let (inside, length) = match_set(rest, byte, nocase);
            inside.then_some(length + 1)
        }
        [b'\\', literal, ..] => same(*literal, byte, nocase).then_some(2),
        [literal, ..] => same(*literal, byte, nocase).then_some(1),
        [] => None,
    }
}

/// Matches `byte` against a set whose opening bracket was removed: the answer, and the set's length with its closing
/// bracket. A set that is never closed reaches to the pattern's end.
fn match_set(set: &[u8], byte: u8, nocase: bool) -> (bool, usize) {
    let negated = set.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &set[at..] {
            [] => break,
            [b'\\', literal, ..] => {
                // An escaped byte in a set is compared as it is, even without regard to case.
                found |= *literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [from, b'-', to, ..] => {
                found |= in_range(*from, *to, byte, nocase);
                at += 3;
            }
            [literal, ..] => {
                found |= same(*literal, byte, nocase);
                at += 1;
            }
        }
    }
    (found != negated, at)
}

/// Whether `byte` lies between the two ends, which may stand in either order.
fn in_range(from: u8, to: u8, byte: u8, nocase: bool) -> bool {
    let (low, high) = (from.min(to), from.max(to));
    if nocase {
        (low.to_ascii_lowercase()..=high.to_ascii_lowercase()).contains(&byte.to_ascii_lowercase())
    } else {
        (low..=high).contains(&byte)
    }
}

fn same(a: u8, b: u8, nocase: bool) -> bool {
    a == b || (nocase && a.eq_ignore_ascii_case(&b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), false)
    }

    #[test]
    fn patterns_match_what_they_should() {
        let table = [
            ("", ""),
            ("*", ""),
            ("**", "abc"),
            ("foo*", "foobar"),
            ("*bar", "foobar"),
            ("f*o*r", "foobar"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-c]llo", "hbllo"),
            ("h[c-a]llo", "hbllo"),
            ("a\\*c", "a*c"),
            ("a\\", "a\\"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("a[^", "ab"),
            ("*a*b", "aab"),
            ("*?", "a"),
            ("[a-]", "a"),
        ];
        for (pattern, text) in table {
            assert!(glob(pattern, text), "{pattern} should match {text}");
        }
    }

    #[test]
    fn patterns_leave_what_they_should() {
        let table = [
            ("", "a"),
            ("a", ""),
            ("?", ""),
            ("h?llo", "hllo"),
            ("h[^e]llo", "hello"),
            ("h[a-b]llo", "hcllo"),
            ("a\\*c", "abc"),
            ("foo*", "fo"),
            ("*a", "ab"),
            ("[", "a"),
            ("[]", "a"),
            ("a*b", "a"),
        ];
        for (pattern, text) in table {
            assert!(!glob(pattern, text), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn case_is_ignored_only_when_asked() {
        assert!(matches(b"HeL[L-M]o*", b"hEllO!", true));
        assert!(!matches(b"HeLlo", b"hello", false));
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        let text = vec![b'a'; 50_000];
        let pattern = [b"a*".repeat(100), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &text, false));
    }

    #[test]
    fn literals_are_told_from_patterns() {
        assert!(is_literal(b"user:1"));
        for pattern in ["a*", "a?", "[a]", "a\\b"] {
            assert!(!is_literal(pattern.as_bytes()), "{pattern}");
        }
    }

    /// The obvious exponential definition, as the judge.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..])),
            ([], _) | (_, []) => false,
            (_, [byte, after @ ..]) => {
                match_one(pattern, *byte, false).is_some_and(|length| naive(&pattern[length..], after))
            }
        }
    }

    proptest! {
        #[test]
        fn retrying_only_the_last_star_loses_nothing(pattern in "[ab*?\\[\\]^\\\\-]{0,10}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), false), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
