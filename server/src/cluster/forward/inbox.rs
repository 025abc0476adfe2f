//! Cuts what a connection between nodes brings into frames.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rondache_protocol::bus::frame::{self, Frame};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::FRAME_LEN_MAX;

/// A buffer for a frame cut short that grew beyond this is given back.
const PENDING_KEPT_MAX: usize = 256 * 1024;

/// Bytes read at once behind a frame that is cut short: they grow with what has come, never with what is promised.
const STEP_MIN: usize = 64 * 1024;
const STEP_MAX: usize = 1024 * 1024;

/// What was received of a frame that is not complete.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pending: Vec<u8>,
}

impl Inbox {
    /// Reads once and hands out the frames that are complete. `scratch` is where most reads go; nothing is copied unless
    /// a frame is cut short.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut TcpStream,
        scratch: &mut [u8],
        each: impl FnMut(Frame<'_>) -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        if self.pending.is_empty() {
            let len = ready!(poll_once(cx, stream, scratch))?;
            let bytes = scratch.get(..len).unwrap_or_default();
            let used = take_frames(bytes, each)?;
            self.pending.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return Poll::Ready(Ok(()));
        }
        let before = self.pending.len();
        self.pending.resize(before + before.clamp(STEP_MIN, STEP_MAX), 0);
        let read = poll_once(cx, stream, self.pending.get_mut(before..).unwrap_or_default());
        let len = if let Poll::Ready(Ok(len)) = &read { *len } else { 0 };
        self.pending.truncate(before + len);
        ready!(read)?;
        let used = take_frames(&self.pending, each)?;
        self.pending.drain(..used);
        if self.pending.is_empty() {
            self.pending.shrink_to(PENDING_KEPT_MAX);
        }
        Poll::Ready(Ok(()))
    }
}

fn poll_once(cx: &mut Context<'_>, stream: &mut TcpStream, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(stream).poll_read(cx, &mut buf))?;
    let len = buf.filled().len();
    Poll::Ready(if len == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(len) })
}

/// Hands out the frames that are complete; answers how many bytes they were.
///
/// # Errors
/// What stands there is no frame, or `each` refuses it.
pub(in crate::cluster) fn take_frames(
    bytes: &[u8],
    mut each: impl FnMut(Frame<'_>) -> io::Result<()>,
) -> io::Result<usize> {
    let mut used = 0;
    while let Some((frame, len)) =
        frame::decode(bytes.get(used..).unwrap_or_default(), FRAME_LEN_MAX).map_err(io::Error::other)?
    {
        each(frame)?;
        used += len;
    }
    Ok(used)
}
