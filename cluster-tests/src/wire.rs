//! A connection that speaks RESP2. It never retries and never reconnects: what a client would see is what is seen.

use std::{io, net::SocketAddr, time::Duration};

use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Nothing here takes longer, however bad the cluster's day.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection failed, or the node closed it.
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    /// The node sent something that is no RESP.
    #[error("reply: {0}")]
    Malformed(#[from] rondache_protocol::resp::decoder::DecodeError),
    /// No reply within [`PATIENCE`].
    #[error("no reply within {PATIENCE:?}")]
    Silence,
    /// The node answered with an error.
    #[error("{0}")]
    Refused(String),
}

/// One connection to one node.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
    decoder: ReplyDecoder,
    unread: Vec<u8>,
    out: Vec<u8>,
}

/// Appends a request.
pub fn encode(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

impl Conn {
    /// Connects.
    ///
    /// # Errors
    /// The node does not accept.
    pub async fn open(addr: SocketAddr) -> Result<Self, WireError> {
        let stream = timeout(PATIENCE, TcpStream::connect(addr)).await.map_err(|_| WireError::Silence)??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, decoder: ReplyDecoder::default(), unread: Vec::new(), out: Vec::new() })
    }

    /// Asks once and waits for the reply; an error reply is an error.
    ///
    /// # Errors
    /// There is none, or it is an error.
    pub async fn call(&mut self, words: &[&[u8]]) -> Result<Value, WireError> {
        self.send(|out| encode(out, words)).await?;
        match self.read().await? {
            Value::Error(text) => Err(WireError::Refused(String::from_utf8_lossy(&text).into_owned())),
            value => Ok(value),
        }
    }

    /// Sends what `write` writes.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), WireError> {
        self.out.clear();
        write(&mut self.out);
        timeout(PATIENCE, self.stream.write_all(&self.out)).await.map_err(|_| WireError::Silence)??;
        Ok(())
    }

    /// Reads the next reply, errors included.
    ///
    /// # Errors
    /// The connection failed, or nothing came.
    pub async fn read(&mut self) -> Result<Value, WireError> {
        loop {
            let decoded = self.decoder.decode(&self.unread)?;
            self.unread.drain(..decoded.consumed);
            if let Some(value) = decoded.value {
                return Ok(value);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread));
            if read.await.map_err(|_| WireError::Silence)?? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}
