//! A stream over a connection, whose handshake is done.
//!
//! ```text
//! owner                                    copy
//!       ◄── Acks: how far it had come ──
//!       ── Records ─────────────────────►        one write per wake, whatever has gathered by then
//!       ◄── Acks ───────────────────────         one per read, whatever that brought
//! ```

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use rondache_protocol::bus::{
    frame::{self, FrameError},
    identity::Identity,
    replicate::{Ack, FRAME_HEAD_LEN, PART_LEN_MAX, ReplicateError, put_ack},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{Replication, apply::Applier};
use crate::store::replicate::outgoing::{Frame, Outgoing};

/// The kind of frames with records.
pub const KIND_RECORDS: u8 = frame::KINDS_FROM;
/// The kind of frames with answers.
pub const KIND_ACKS: u8 = frame::KINDS_FROM + 1;

/// A frame holds what gathers before it is closed, and one record more.
const PAYLOAD_LEN_MAX: usize = 4 * PART_LEN_MAX + FRAME_HEAD_LEN;
/// Bytes per write, about.
const WRITE_LEN_MAX: usize = 512 * 1024;
/// Room for reading.
const READ_LEN: usize = 256 * 1024;
/// Answers are short.
const ACKS_READ_LEN: usize = 4096;
/// A copy that acknowledges nothing of what it was sent for this long is taken for gone: idle streams carry a heartbeat a
/// second. The stream goes on over the next connection.
const ACK_SILENCE_MAX: Duration = Duration::from_secs(5);
/// A side that takes nothing for this long is taken for gone. The stream goes on over the next connection.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket failed, or was closed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame holds something else than it should.
    #[error(transparent)]
    Replicate(#[from] ReplicateError),
    /// A frame of a kind that does not belong here.
    #[error("a frame of kind {0} does not belong on this connection")]
    Kind(u8),
    /// The other side took nothing, or did not begin, for too long.
    #[error("the other side is silent")]
    Silent,
}

/// The owner's side: sends a stream over a connection until either ends. `Ok`: the stream has ended, its peer is gone for
/// good; else another connection is to be made.
///
/// # Errors
/// See [`LinkError`].
pub async fn send(
    replication: &Replication,
    outgoing: &Arc<Outgoing>,
    connection: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<(), LinkError> {
    let (mut reader, mut writer) = tokio::io::split(connection);
    let mut acks = FrameReader::new(ACKS_READ_LEN);
    let mut has_resumed = false;
    while !has_resumed {
        timeout(SILENCE_MAX, acks.read(&mut reader)).await.map_err(|_| LinkError::Silent)??;
        acks.for_each(KIND_ACKS, |payload| {
            has_resumed |= replication.on_first_acks(outgoing, payload)?;
            Ok(())
        })?;
    }
    let sending = async {
        let mut out = Vec::new();
        let mut frames: Vec<Arc<Frame>> = Vec::new();
        loop {
            poll_fn(|cx| outgoing.poll_work(cx)).await;
            replication.forward_events(outgoing);
            if outgoing.is_closed() {
                return Ok(());
            }
            outgoing.take_frames(&mut frames, WRITE_LEN_MAX);
            for taken in frames.drain(..) {
                frame::encode(&mut out, KIND_RECORDS, 0, &taken.bytes, PAYLOAD_LEN_MAX)?;
            }
            timeout(SILENCE_MAX, writer.write_all(&out)).await.map_err(|_| LinkError::Silent)??;
            out.clear();
            out.shrink_to(2 * WRITE_LEN_MAX);
        }
    };
    let hearing = async {
        loop {
            match timeout(ACK_SILENCE_MAX, acks.read(&mut reader)).await {
                Ok(read) => read?,
                Err(_) if outgoing.lag(0).records > 0 => return Err(LinkError::Silent),
                Err(_) => continue,
            }
            acks.for_each(KIND_ACKS, |payload| replication.on_acks(outgoing, payload))?;
        }
    };
    tokio::select! {
        ended = sending => ended,
        failed = hearing => failed,
    }
}

/// The copy's side: applies a stream of `from`, in that `session`, that comes over a connection, until that ends.
///
/// # Errors
/// Always: see [`LinkError`]. That the other side closed is one.
pub async fn receive(
    replication: &Arc<Replication>,
    from: Identity,
    (stream, session): (u16, u64),
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<(), LinkError> {
    let mut applier = Applier::new(replication, from, stream, session);
    let mut records = FrameReader::new(READ_LEN);
    let (mut payload, mut out) = (Vec::new(), Vec::new());
    applier.put_refusals(&mut payload);
    loop {
        put_ack(&mut payload, &Ack::Applied { position: applier.applied() });
        frame::encode(&mut out, KIND_ACKS, 0, &payload, PAYLOAD_LEN_MAX)?;
        payload.clear();
        timeout(SILENCE_MAX, connection.write_all(&out)).await.map_err(|_| LinkError::Silent)??;
        out.clear();
        timeout(SILENCE_MAX, records.read(&mut connection)).await.map_err(|_| LinkError::Silent)??;
        records.for_each(KIND_RECORDS, |frame| applier.apply(frame, &mut payload))?;
        replication.node.memory.publish();
    }
}

/// Reads frames in large pieces.
struct FrameReader {
    buf: Vec<u8>,
    read_len: usize,
}

impl FrameReader {
    const fn new(read_len: usize) -> Self {
        Self { buf: Vec::new(), read_len }
    }

    /// Reads once; cancelling it loses nothing.
    async fn read(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<(), LinkError> {
        self.buf.reserve(self.read_len);
        match reader.read_buf(&mut self.buf).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    /// Calls `visit` with the payload of each complete frame, and keeps the rest.
    fn for_each(
        &mut self,
        kind: u8,
        mut visit: impl FnMut(&[u8]) -> Result<(), ReplicateError>,
    ) -> Result<(), LinkError> {
        let mut from = 0;
        while let Some((frame, len)) = frame::decode(&self.buf[from..], PAYLOAD_LEN_MAX)? {
            if frame.kind != kind {
                return Err(LinkError::Kind(frame.kind));
            }
            visit(frame.payload)?;
            from += len;
        }
        self.buf.drain(..from);
        Ok(())
    }
}

/// Between two tries to connect.
const REDIAL_DELAY: Duration = Duration::from_millis(200);

/// Carries a stream over one connection after the other, each made by `dial`, until its peer is gone for good or the node
/// stops. [`super::Outlets::opened`] tells of streams that want this.
pub async fn keep_sending<C: AsyncRead + AsyncWrite + Unpin, E: std::fmt::Display, D: Future<Output = Result<C, E>>>(
    replication: Arc<Replication>,
    outgoing: Arc<Outgoing>,
    mut dial: impl FnMut(Arc<Outgoing>) -> D,
) {
    let shutdown = replication.node.shutdown.clone();
    let sending = async {
        while !outgoing.is_closed() {
            let (to, stream) = (outgoing.to, outgoing.stream);
            match dial(outgoing.clone()).await {
                Ok(connection) => match send(&replication, &outgoing, connection).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(?to, stream, %error, "a replication stream broke"),
                },
                Err(error) => tracing::debug!(?to, stream, %error, "a replication stream has no connection"),
            }
            tokio::time::sleep(REDIAL_DELAY).await;
        }
    };
    tokio::select! {
        () = sending => {}
        () = shutdown.cancelled() => {}
    }
}
