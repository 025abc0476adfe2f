//! A small client for the tools: one connection, one request at a time.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use rondache_protocol::resp::{
    decoder::{DecodeError, ReplyDecoder},
    value::Value,
};

use super::Target;
use crate::cluster::status::ClusterStatus;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be reached, or is gone.
    #[error("{node}: {source}")]
    Unreachable {
        /// The node.
        node: String,
        /// Why.
        source: io::Error,
    },
    /// It refuses.
    #[error("{node} answers: {refusal}")]
    Refused {
        /// The node.
        node: String,
        /// Its words.
        refusal: String,
    },
    /// What it sends is not what a node sends.
    #[error("{node} does not answer as a Rondache node: {problem}")]
    NotANode {
        /// The node.
        node: String,
        /// What is wrong.
        problem: String,
    },
}

impl ClientError {
    /// Whether there was nobody to talk to.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// A connection to a node.
#[derive(Debug)]
pub struct Client {
    node: String,
    stream: TcpStream,
    decoder: ReplyDecoder,
    unread: Vec<u8>,
}

impl Client {
    /// Connects, and authenticates where there is a password.
    ///
    /// # Errors
    /// The node cannot be reached, or refuses the password.
    pub fn connect(target: &Target) -> Result<Self, ClientError> {
        let unreachable = |source| ClientError::Unreachable { node: target.node.clone(), source };
        let stream = dial(&target.node).map_err(unreachable)?;
        let mut client =
            Self { node: target.node.clone(), stream, decoder: ReplyDecoder::default(), unread: Vec::new() };
        if let Some(password) = &target.password {
            client.ask(&["AUTH", password])?;
        }
        Ok(client)
    }

    /// Sends a command and reads its reply.
    ///
    /// # Errors
    /// The connection broke, or the reply is an error.
    pub fn ask(&mut self, words: &[&str]) -> Result<Value, ClientError> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
        let node = self.node.clone();
        let unreachable = |source| ClientError::Unreachable { node: node.clone(), source };
        self.stream.write_all(&request).map_err(unreachable)?;
        loop {
            let decoded = self.decoder.decode(&self.unread).map_err(|error: DecodeError| self.not_a_node(error))?;
            self.unread.drain(..decoded.consumed);
            match decoded.value {
                Some(Value::Error(refusal)) => {
                    return Err(ClientError::Refused { node, refusal: String::from_utf8_lossy(&refusal).into_owned() });
                }
                Some(value) => return Ok(value),
                None => {}
            }
            let mut buf = [0; 16 * 1024];
            match self.stream.read(&mut buf).map_err(unreachable)? {
                0 => return Err(unreachable(io::ErrorKind::UnexpectedEof.into())),
                len => self.unread.extend_from_slice(&buf[..len]),
            }
        }
    }

    /// What the node knows of its cluster.
    ///
    /// # Errors
    /// As [`Client::ask`], or the answer is not of this version's form.
    pub fn status(&mut self) -> Result<ClusterStatus, ClientError> {
        let reply = self.ask(&["CLUSTER", "STATUS"])?;
        let Some(json) = reply.as_bytes() else { return Err(self.not_a_node("an answer of another kind")) };
        serde_json::from_slice(json).map_err(|error| self.not_a_node(error))
    }

    fn not_a_node(&self, problem: impl std::fmt::Display) -> ClientError {
        ClientError::NotANode { node: self.node.clone(), problem: problem.to_string() }
    }
}

fn dial(node: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for addr in node.to_socket_addrs()? {
        match TcpStream::connect_timeout(&addr, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
