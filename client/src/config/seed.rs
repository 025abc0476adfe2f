//! Addresses and URLs of seeds.

use std::sync::Arc;

use crate::error::ConfigError;

const DEFAULT_PORT: u16 = 6379;

/// Where a node listens: a host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Seed {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

impl Seed {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Reads `host:port`, as redirections have it; IPv6 with or without brackets.
    pub(crate) fn from_redirect(text: &str, same_host: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let is_unknown = host.is_empty() || host == "?";
        Some(Self::new(if is_unknown { same_host } else { host }, port))
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What the text of a seed says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ParsedSeed {
    pub(crate) seed: Seed,
    pub(crate) is_url: bool,
    pub(crate) tls: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) db: Option<u32>,
}

/// Reads `host`, `host:port`, or `redis[s]://[[user]:password@]host[:port][/db]`.
pub(crate) fn parse(text: &str) -> Result<ParsedSeed, ConfigError> {
    let fail = |problem| ConfigError::Seed { seed: without_password(text), problem };
    let (tls, is_url, rest) = match text.split_once("://") {
        Some(("redis" | "valkey" | "rondache", rest)) => (false, true, rest),
        Some(("rediss" | "valkeys" | "rondaches", rest)) => (true, true, rest),
        Some(_) => return Err(fail("unknown scheme")),
        None => (false, false, text),
    };
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) if is_url => (Some(login), rest),
        Some(_) => return Err(fail("a login needs a URL")),
        None => (None, rest),
    };
    let (address, db) = match rest.split_once('/') {
        Some((address, "")) if is_url => (address, None),
        Some((address, db)) if is_url => (address, Some(db.parse().map_err(|_| fail("the database is not a number"))?)),
        Some(_) => return Err(fail("unexpected /")),
        None => (rest, None),
    };
    let (username, password) = match login {
        None => (None, None),
        Some(login) => {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let decode = |part: &str| percent_decoded(part).ok_or_else(|| fail("invalid % escape in the login"));
            let some = |part: String| (!part.is_empty()).then_some(part);
            (some(decode(user)?), some(decode(password)?))
        }
    };
    let (host, port) = split_port(address).map_err(fail)?;
    Ok(ParsedSeed { seed: Seed::new(host, port), is_url, tls, username, password, db })
}

fn split_port(address: &str) -> Result<(&str, u16), &'static str> {
    let number = |port: &str| match port.parse() {
        Ok(0) | Err(_) => Err("the port is not a number from 1 to 65535"),
        Ok(port) => Ok(port),
    };
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket is not closed")?;
        match rest.strip_prefix(':') {
            Some(port) => (host, number(port)?),
            None if rest.is_empty() => (host, DEFAULT_PORT),
            None => return Err("unexpected text behind the bracket"),
        }
    } else {
        match address.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err("an IPv6 address stands in brackets"),
            Some((host, port)) => (host, number(port)?),
            None => (address, DEFAULT_PORT),
        }
    };
    let is_plain = |char: char| char.is_ascii_graphic() && !"?#@/\\".contains(char);
    match host {
        "" => Err("the host is missing"),
        host if !host.chars().all(is_plain) => Err("the host has characters that no host has"),
        host => Ok((host, port)),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        decoded.push((high * 16 + low) as u8);
    }
    String::from_utf8(decoded).ok()
}

/// The text for an error message.
fn without_password(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (scheme, Some(at)) => {
            let start = scheme.map_or(0, |scheme| (scheme + 3).min(at));
            format!("{}***{}", text.get(..start).unwrap_or_default(), text.get(at..).unwrap_or_default())
        }
        (_, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Seed, parse, without_password};
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        let seed = |text| parse(text).map(|parsed| parsed.seed);
        assert_eq!(seed("cache-1"), Ok(Seed::new("cache-1", 6379)));
        assert_eq!(seed("127.0.0.1:7001"), Ok(Seed::new("127.0.0.1", 7001)));
        assert_eq!(seed("[::1]:7001"), Ok(Seed::new("::1", 7001)));
        assert_eq!(seed("[::1]"), Ok(Seed::new("::1", 6379)));
        assert_eq!(Seed::new("::1", 1).to_string(), "[::1]:1");
    }

    #[test]
    fn urls_tell_login_database_and_tls() {
        let parsed = parse("rediss://ann:p%40ss@host:1/3").expect("a URL");
        assert!(parsed.tls && parsed.is_url);
        assert_eq!(parsed.username.as_deref(), Some("ann"));
        assert_eq!(parsed.password.as_deref(), Some("p@ss"));
        assert_eq!(parsed.db, Some(3));
        let parsed = parse("redis://:secret@host").expect("a URL");
        assert_eq!((parsed.username, parsed.password.as_deref()), (None, Some("secret")));
    }

    #[test]
    fn a_bad_seed_is_told_without_its_password() {
        for text in [
            "",
            ":1",
            "host:0",
            "host:x",
            "host:70000",
            "::1",
            "[::1",
            "http://h",
            "redis://u:secret@h/x",
            "redis://u:%z@h",
            "u:secret@h",
            "h/1",
            "a b:1",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(without_password("redis://u:p@h:1"), "redis://***@h:1");
    }

    #[test]
    fn redirections_may_leave_the_host_out() {
        assert_eq!(Seed::from_redirect(":7", "me"), Some(Seed::new("me", 7)));
        assert_eq!(Seed::from_redirect("?:7", "me"), Some(Seed::new("me", 7)));
        assert_eq!(Seed::from_redirect("::1:7", "me"), Some(Seed::new("::1", 7)));
        assert_eq!(Seed::from_redirect("h:0", "me"), None);
        assert_eq!(Seed::from_redirect("h", "me"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = parse(&text);
            let _ = Seed::from_redirect(&text, "h");
        }
    }
}
