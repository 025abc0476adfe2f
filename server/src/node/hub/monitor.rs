//! Clients that see every command: MONITOR.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::Live;
use crate::session::client::Client;

/// Those who read MONITOR's lines.
#[derive(Debug)]
pub struct Monitors {
    /// How many there are: looked at before each command.
    len: AtomicUsize,
    /// One lock, so that all read the commands in the same order.
    list: Mutex<Vec<Arc<Client>>>,
    live: Arc<Live>,
}

impl Monitors {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self { len: AtomicUsize::new(0), list: Mutex::default(), live }
    }

    /// How many there are.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "see Hub::has_monitors")]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Shows a client every command from now on.
    pub fn add(&self, client: &Arc<Client>) {
        let mut list = self.list.lock();
        if list.iter().all(|other| other.id != client.id) {
            list.push(client.clone());
            client.facts.lock().is_monitor = true;
        }
        self.len.store(list.len(), Ordering::Relaxed);
    }

    /// Shows it nothing more.
    pub fn remove(&self, client: &Client) {
        if !std::mem::take(&mut client.facts.lock().is_monitor) {
            return;
        }
        let mut list = self.list.lock();
        list.retain(|other| other.id != client.id);
        self.len.store(list.len(), Ordering::Relaxed);
    }

    /// Shows a command to all monitors.
    pub fn show<'a>(&self, now_us: u64, db: usize, addr: SocketAddr, args: impl Iterator<Item = &'a [u8]>) {
        let line = Bytes::from(line(now_us, db, addr, args));
        let limit = self.live.push_limit();
        for client in self.list.lock().iter() {
            client.mailbox.push(line.clone(), &limit);
        }
    }
}

/// A command as monitors read it: when, which database, who, and its quoted words.
fn line<'a>(now_us: u64, db: usize, addr: SocketAddr, args: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut line = format!("+{}.{:06} [{db} {addr}]", now_us / 1_000_000, now_us % 1_000_000).into_bytes();
    for arg in args {
        line.extend_from_slice(b" \"");
        for &byte in arg {
            quote(&mut line, byte);
        }
        line.push(b'"');
    }
    line.extend_from_slice(b"\r\n");
    line
}

fn quote(line: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'\\' | b'"' => line.extend_from_slice(&[b'\\', byte]),
        b'\n' => line.extend_from_slice(b"\\n"),
        b'\r' => line.extend_from_slice(b"\\r"),
        b'\t' => line.extend_from_slice(b"\\t"),
        7 => line.extend_from_slice(b"\\a"),
        8 => line.extend_from_slice(b"\\b"),
        b' '..=b'~' => line.push(byte),
        _ => line.extend_from_slice(&[b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_when_where_and_who_and_quotes_what_is_not_printable() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 5000));
        let args: [&[u8]; 3] = [b"set", b"a\"\\", b"\x00\n\xff "];
        let line = line(1_700_000_000_000_042, 3, addr, args.into_iter());
        let expected = r#"+1700000000.000042 [3 127.0.0.1:5000] "set" "a\"\\" "\x00\n\xff ""#;
        assert_eq!(String::from_utf8(line).unwrap(), format!("{expected}\r\n"));
    }
}
