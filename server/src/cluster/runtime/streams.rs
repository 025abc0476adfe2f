//! Replication streams and forward links on the workers: each stream's sockets are served by one worker, at both ends.

use std::{net::TcpStream, sync::Arc};

use rondache_protocol::bus::{
    hello::{Peer, Purpose},
    identity::Identity,
};
use tokio::sync::mpsc;

use crate::{
    cluster::{
        bus::{
            credentials::Credentials,
            dial::{DialError, dial},
            listener::OnStream,
        },
        replication::{Replication, link},
    },
    net::worker::Workers,
    store::replicate::outgoing::Outgoing,
};

/// Gives what arrives at the bus port to the workers.
pub(super) fn on_stream(replication: &Arc<Replication>, workers: &Workers) -> OnStream {
    let (replication, workers) = (replication.clone(), workers.clone());
    Arc::new(move |peer: Peer, stream: TcpStream| match peer.purpose {
        Purpose::Replicate { stream: number, session, .. } => {
            let receiving = receive(replication.clone(), peer.identity, (number, session), stream);
            let workers = workers.clone();
            tokio::spawn(async move { workers.spawn(usize::from(number), receiving).await });
        }
        _ => {
            if !workers.serve_peer(stream) {
                tracing::debug!(peer = ?peer.identity, "no worker has room for another node's requests");
            }
        }
    })
}

async fn receive(replication: Arc<Replication>, from: Identity, (number, session): (u16, u64), stream: TcpStream) {
    let shutdown = replication.node.shutdown.clone();
    let receiving = async {
        let stream = tokio::net::TcpStream::from_std(stream)?;
        link::receive(&replication, from, (number, session), stream).await
    };
    tokio::select! {
        ended = receiving => if let Err(error) = ended {
            tracing::debug!(?from, stream = number, %error, "a replication stream's connection ended");
        },
        () = shutdown.cancelled() => {}
    }
}

/// Has each stream that is opened carried by a worker, until the node shuts down.
pub(super) async fn carry(
    replication: Arc<Replication>,
    credentials: Arc<Credentials>,
    workers: Workers,
    mut opened: mpsc::UnboundedReceiver<Arc<Outgoing>>,
) {
    while let Some(outgoing) = opened.recv().await {
        let turn = usize::from(outgoing.stream);
        let (replication, credentials) = (replication.clone(), credentials.clone());
        workers
            .spawn(
                turn,
                link::keep_sending(replication.clone(), outgoing, move |outgoing| {
                    connect(replication.clone(), credentials.clone(), outgoing)
                }),
            )
            .await;
    }
}

/// Connects a stream to its copy.
async fn connect(
    replication: Arc<Replication>,
    credentials: Arc<Credentials>,
    outgoing: Arc<Outgoing>,
) -> Result<tokio::net::TcpStream, DialError> {
    let routing = &replication.node.cluster.routing;
    let peer = routing.index_of(&outgoing.to).and_then(|index| routing.peer(index));
    let Some(peer) = peer else { return Err(DialError::Timeout) };
    let purpose = Purpose::Replicate {
        stream: outgoing.stream,
        streams: replication.stream_count(),
        session: outgoing.session,
        first: 0,
    };
    dial(peer.addrs.bus, credentials.local(), purpose, Some(outgoing.to)).await.map(|(stream, _)| stream)
}
