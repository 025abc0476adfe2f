//! The client itself.

use std::sync::Arc;

use rondache_protocol::resp::value::Value;

use crate::{ClientBuilder, Cmd, config::Config, convert::FromValue, error::ClientError};

/// A client of a node or a cluster. Cloning is cheap: clones share connections and topology.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    _config: Config,
}

impl Client {
    /// Begins a client's settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) async fn connect(config: Config) -> Result<Self, ClientError> {
        Ok(Self { inner: Arc::new(Inner { _config: config }) })
    }

    /// Sends a command to where it belongs and answers the reply.
    ///
    /// # Errors
    /// Any [`ClientError`]; an error reply is [`ClientError::Server`].
    pub async fn cmd(&self, cmd: Cmd) -> Result<Value, ClientError> {
        let _ = (&self.inner, cmd.routing()?);
        Err(ClientError::Closed)
    }

    /// As [`cmd`](Self::cmd), with the reply converted.
    ///
    /// # Errors
    /// As [`cmd`](Self::cmd), and [`ClientError::Convert`].
    pub async fn query<T: FromValue>(&self, cmd: Cmd) -> Result<T, ClientError> {
        Ok(T::from_value(self.cmd(cmd).await?)?)
    }
}
