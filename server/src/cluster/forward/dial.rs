//! How a link gets its connection.

use std::{future::Future, io, net::TcpStream, pin::Pin, sync::Arc};

use rondache_protocol::bus::hello::Purpose;

use crate::cluster::{
    bus::{credentials::Credentials, dial::dial},
    routing::Peer,
};

/// A connection to come: established, known to be the right peer, and ready for frames.
pub type Dialled = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Opens connections that carry requests to a peer. Called on worker threads.
pub trait Dial: Send + Sync {
    /// Connects to the peer's bus.
    fn dial(&self, peer: Peer) -> Dialled;
}

/// Connects as the bus wants it: both sides prove that they know the cluster's secret, and that the peer is who it was
/// taken for.
#[derive(Clone, Debug)]
pub struct BusDial {
    /// This node's part of every handshake.
    pub credentials: Arc<Credentials>,
}

impl Dial for BusDial {
    fn dial(&self, peer: Peer) -> Dialled {
        let local = self.credentials.local();
        Box::pin(async move {
            let dialled = dial(peer.addrs.bus, local, Purpose::Forward, Some(peer.identity)).await;
            let (stream, _) = dialled.map_err(io::Error::other)?;
            stream.into_std()
        })
    }
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
