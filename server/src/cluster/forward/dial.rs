//! How a link gets its connection.

use std::{future::Future, io, net::TcpStream, pin::Pin};

use crate::cluster::routing::Peer;

/// A connection to come: established, known to be the right peer, and ready for frames.
pub type Dialled = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Opens connections that carry requests to a peer. Called on worker threads.
pub trait Dial: Send + Sync {
    /// Connects to the peer's bus.
    fn dial(&self, peer: Peer) -> Dialled;
}

/// Connects without any handshake: for tests of what travels on a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainDial;

impl Dial for PlainDial {
    fn dial(&self, peer: Peer) -> Dialled {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect(peer.addrs.bus).await?;
            stream.set_nodelay(true)?;
            stream.into_std()
        })
    }
}
