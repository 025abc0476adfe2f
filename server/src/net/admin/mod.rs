//! HTTP for operators and their programs, on the control thread: `/metrics` for Prometheus, `/livez` and `/readyz` for
//! orchestrators and load balancers, `/cluster` for people and scripts.

mod cluster_metrics;
mod exposition;
mod metrics;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::node::Node;

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 64;
/// Longest head of a request, in bytes. Bodies are not read at all.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a client may take to send a head; between requests too.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may last: a client that does not read its response holds its place no longer.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(120);
/// How long to pause when the system has no descriptor left.
const PAUSE_WHEN_EXHAUSTED: Duration = Duration::from_millis(100);

/// What a client from elsewhere reads in protected mode.
const FORBIDDEN: &[u8] =
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 92\r\n\r\n\
protected mode: only from this machine, until there is a password or --protected-mode is no\n";

/// Serves until the node shuts down.
pub(crate) async fn serve(listener: std::net::TcpListener, node: Arc<Node>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let router = router(node.clone());
    loop {
        // A semaphore that is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
        let accepted = tokio::select! {
            biased;
            () = node.shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let is_welcome = peer.ip().to_canonical().is_loopback() || !node.settings.load().is_protected();
                let router = is_welcome.then(|| router.clone());
                tokio::spawn(async move {
                    // Whatever becomes of it, the place is free afterwards.
                    let _ = tokio::time::timeout(CONNECTION_PATIENCE, serve_one(stream, peer, router)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept an admin connection");
                tokio::time::sleep(PAUSE_WHEN_EXHAUSTED).await;
            }
        }
    }
}

async fn serve_one(mut stream: TcpStream, peer: SocketAddr, router: Option<Router>) {
    let Some(router) = router else {
        // Best effort: it is refused either way.
        let _ = stream.write_all(FORBIDDEN).await;
        return;
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "an admin connection ended");
    }
}

fn router(node: Arc<Node>) -> Router {
    let exposition = Arc::new(exposition::Exposition::new(&node));
    Router::new()
        .route("/metrics", get(move || async move { metrics_of(&exposition) }))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/cluster", get(cluster))
        .fallback(|| async { (StatusCode::NOT_FOUND, "try /metrics, /livez, /readyz or /cluster\n") })
        .with_state(node)
}

fn metrics_of(exposition: &exposition::Exposition) -> Response {
    match exposition.text() {
        Ok(text) => ([(header::CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Ready means: send requests here. It does not flip while slots move.
async fn ready(State(node): State<Arc<Node>>) -> (StatusCode, &'static str) {
    if node.is_ready() {
        (StatusCode::OK, "ready\n")
    } else if node.cluster.desk.is_leaving() || node.shutdown.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "leaving\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "joining: its share is not warm yet\n")
    }
}

async fn cluster(State(node): State<Arc<Node>>) -> impl IntoResponse {
    Json(node.cluster_status_with(node.count_keys().owned))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = String::from_utf8(super::FORBIDDEN.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
