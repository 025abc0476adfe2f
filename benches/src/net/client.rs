//! A small blocking client for set-up and sampling: INFO, DBSIZE, CONFIG, and pipelines of prepared requests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{BenchError, Context, Result};
use crate::net::encode::push_request;
use crate::net::skipper::{Reply, ReplySkipper};
use crate::net::value::Value;

/// No housekeeping reply takes longer than this.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
const READ_BUFFER_BYTES: usize = 64 << 10;

/// One blocking connection.
#[derive(Debug)]
pub struct Client {
    addr: SocketAddr,
    reader: BufReader<TcpStream>,
    out: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`BenchError::Io`] when the server does not accept.
    pub fn connect(addr: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect_timeout(&addr, Duration::from_secs(5)).context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true).context(|| "setting TCP_NODELAY".into())?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT)).context(|| "setting a timeout".into())?;
        Ok(Self { addr, reader: BufReader::with_capacity(READ_BUFFER_BYTES, stream), out: Vec::new() })
    }

    /// The server's address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sends one command and returns its reply, errors included.
    ///
    /// # Errors
    /// [`BenchError::Io`] when the connection fails.
    pub fn call(&mut self, args: &[&str]) -> Result<Value> {
        let raw: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        self.out.clear();
        push_request(&mut self.out, &raw);
        let addr = self.addr;
        let what = || format!("{} to {addr}", args.first().unwrap_or(&""));
        self.reader.get_mut().write_all(&self.out).context(what)?;
        Value::read(&mut self.reader).context(what)
    }

    /// As [`Client::call`], but an error reply is an error.
    ///
    /// # Errors
    /// [`BenchError::Refused`] for an error reply, [`BenchError::Io`] when the connection fails.
    pub fn call_ok(&mut self, args: &[&str]) -> Result<Value> {
        match self.call(args)? {
            Value::Error(reply) => Err(BenchError::Refused { command: args.join(" "), reply }),
            value => Ok(value),
        }
    }

    /// Sends `requests`, already encoded, and hands their `expected` replies to `on_reply` in order.
    ///
    /// The caller keeps pipelines short enough for the socket buffers: everything is written before anything is read.
    ///
    /// # Errors
    /// [`BenchError::Io`] when the connection fails, [`BenchError::Protocol`] for malformed replies.
    pub fn pipeline(&mut self, requests: &[u8], expected: usize, on_reply: impl FnMut(Reply<'_>)) -> Result<()> {
        self.send(requests)?;
        self.receive(expected, on_reply)
    }

    /// Writes encoded requests without waiting for their replies.
    ///
    /// # Errors
    /// [`BenchError::Io`] when the connection fails.
    pub fn send(&mut self, requests: &[u8]) -> Result<()> {
        let addr = self.addr;
        self.reader.get_mut().write_all(requests).context(|| format!("writing to {addr}"))
    }

    /// Waits for `expected` replies to requests that were sent before.
    ///
    /// # Errors
    /// As [`Client::pipeline`].
    pub fn receive(&mut self, expected: usize, mut on_reply: impl FnMut(Reply<'_>)) -> Result<()> {
        let addr = self.addr;
        let mut skipper = ReplySkipper::new();
        let mut seen = 0;
        while seen < expected {
            let chunk = self.reader.fill_buf().context(|| format!("reading from {addr}"))?;
            let n = chunk.len();
            if n == 0 {
                return Err(BenchError::ConnectionClosed { addr, outstanding: (expected - seen) as u64 });
            }
            skipper.feed(chunk, |reply| {
                seen += 1;
                on_reply(reply);
            })?;
            self.reader.consume(n);
        }
        Ok(())
    }

    /// The fields of an INFO section (`"all"` for every one).
    ///
    /// # Errors
    /// As [`Client::call_ok`].
    pub fn info(&mut self, section: &str) -> Result<HashMap<String, String>> {
        let text = self.call_ok(&["INFO", section])?.to_text();
        Ok(text
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// One numeric INFO field.
    ///
    /// # Errors
    /// As [`Client::call_ok`], and [`BenchError::Protocol`] when the field is missing or no number.
    pub fn info_number(&mut self, section: &str, field: &str) -> Result<u64> {
        self.info(section)?
            .get(field)
            .and_then(|value| value.parse().ok())
            .ok_or_else(|| BenchError::Protocol(format!("INFO {section} has no number {field}")))
    }

    /// The number of keys in the current database.
    ///
    /// # Errors
    /// As [`Client::call_ok`].
    pub fn dbsize(&mut self) -> Result<u64> {
        match self.call_ok(&["DBSIZE"])? {
            Value::Int(n) => Ok(n.max(0) as u64),
            other => Err(BenchError::Protocol(format!("DBSIZE answered {}", other.to_text()))),
        }
    }
}
