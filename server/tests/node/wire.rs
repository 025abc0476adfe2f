//! A bare connection: what is sent and what is read, byte by byte, in the order in which it comes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::support::TestNode;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection without a client library: line ends are written `|` on both sides.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) fn connect(node: &TestNode) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", node.port)).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
        Self(stream)
    }

    /// A connection that speaks RESP3, with its id.
    pub(crate) fn connect_resp3(node: &TestNode) -> (Self, u64) {
        let mut wire = Self::connect(node);
        wire.send("HELLO 3|CLIENT ID");
        wire.read_until("modules|*0|");
        let id = wire.read_until("|");
        (wire, id.trim_matches([':', '|']).parse().expect("an id"))
    }

    /// Sends inline commands.
    pub(crate) fn send(&mut self, commands: &str) {
        let text = format!("{commands}|").replace('|', "\r\n");
        self.0.write_all(text.as_bytes()).expect("the node reads");
    }

    /// Reads exactly what is expected.
    #[track_caller]
    pub(crate) fn expect(&mut self, reply: &str) {
        let mut read = vec![0; reply.replace('|', "\r\n").len()];
        let mut len = 0;
        while len < read.len() {
            match self.0.read(&mut read[len..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => len += more,
            }
        }
        assert_eq!(String::from_utf8_lossy(&read[..len]).replace("\r\n", "|"), reply);
    }

    /// Reads up to and with the first `end`.
    #[track_caller]
    pub(crate) fn read_until(&mut self, end: &str) -> String {
        let end = end.replace('|', "\r\n");
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            let mut byte = [0];
            let so_far = String::from_utf8_lossy(&read).into_owned();
            self.0.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {so_far:?}"));
            read.push(byte[0]);
        }
        String::from_utf8_lossy(&read).replace("\r\n", "|")
    }

    /// Sends a command and reads exactly what is expected.
    #[track_caller]
    pub(crate) fn call(&mut self, command: &str, reply: &str) {
        self.send(command);
        self.expect(reply);
    }

    /// Reads to the end of the connection.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the connection goes on"),
        }
    }
}
