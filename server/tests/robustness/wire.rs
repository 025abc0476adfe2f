//! A connection that sends any bytes, be they requests or not.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};

/// A node that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    decoder: ReplyDecoder,
    received: Vec<u8>,
}

impl Wire {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the node accepts connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket option");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, decoder: ReplyDecoder::default(), received: Vec::new() }
    }

    /// A second handle of the socket, to write from another thread.
    pub(crate) fn stream(&self) -> TcpStream {
        self.stream.try_clone().expect("a second handle of the socket")
    }

    /// Sends bytes. The node may have closed the connection, which is for the caller to find out by reading.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next reply, leaving out what is pushed; `None`: the node closed the connection.
    ///
    /// # Panics
    /// If what comes is no reply, or nothing comes.
    pub(crate) fn reply(&mut self) -> Option<Value> {
        loop {
            let decoded = self.decoder.decode(&self.received).expect("the node sends well-formed replies");
            self.received.drain(..decoded.consumed);
            match decoded.value {
                Some(Value::Push(_)) => {}
                Some(value) => return Some(value),
                None if !self.receive() => return None,
                None => {}
            }
        }
    }

    /// Reads once; `false` at the end of the stream.
    fn receive(&mut self) -> bool {
        let mut chunk = [0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(len) => {
                self.received.extend_from_slice(&chunk[..len]);
                true
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("the node neither answers nor closes the connection")
            }
            // Closed by the node while bytes of ours were on their way.
            Err(_) => false,
        }
    }

    /// Sends a request and waits for its reply; `None`: the node closed the connection.
    pub(crate) fn call(&mut self, args: &[impl AsRef<[u8]>]) -> Option<Value> {
        self.send(&request(args));
        self.reply()
    }

    /// Sends a request whose words are separated by blanks, and answers its reply as a text.
    ///
    /// # Panics
    /// If the node closes the connection.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        text_of(&self.call(&words).unwrap_or_else(|| panic!("{line} closed the connection")))
    }

    /// Reads replies until the node closes the connection, and answers the last one as a text.
    pub(crate) fn last_words(&mut self) -> String {
        let mut last = String::new();
        while let Some(reply) = self.reply() {
            last = text_of(&reply);
        }
        last
    }
}

/// A request as clients send it.
pub(crate) fn request(args: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A reply in short: texts and errors as they are, the rest as Rust shows it.
pub(crate) fn text_of(reply: &Value) -> String {
    match reply {
        Value::Simple(text) | Value::Error(text) | Value::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
