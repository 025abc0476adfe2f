//! The accepting side of the handshake.

use rondache_protocol::bus::hello::{Accepter, HelloError, Local, Peer, Refusal};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{
    credentials,
    dial::{DialError, HELLO_DEADLINE, refuse, run},
};

/// Shakes hands with whoever has connected. `gate` says whether the proven peer is welcome.
///
/// # Errors
/// The peer speaks something else, is too slow, or one side refuses the other.
pub async fn accept(
    stream: &mut TcpStream,
    local: Local,
    gate: impl FnOnce(&Peer) -> Result<(), Refusal>,
) -> Result<Peer, DialError> {
    let _ = stream.set_nodelay(true);
    let mut accepter = Accepter::new(local, credentials::nonce());
    let shaken = timeout(HELLO_DEADLINE, run(stream, |frame| accepter.on_frame(frame)));
    let (peer, ready) = shaken.await.map_err(|_| DialError::Timeout)??;
    if let Err(refusal) = gate(&peer) {
        refuse(stream, &refusal).await;
        return Err(HelloError::Refusing(refusal).into());
    }
    stream.write_all(&ready).await?;
    Ok(peer)
}
