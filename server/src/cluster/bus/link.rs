//! One link to a member: connects, sends what is queued, notices its end, and connects again.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rondache_protocol::bus::{hello::Purpose, identity::Identity};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{credentials::Credentials, dial::dial};
use crate::cluster::member::View;

/// The first pause between two attempts to connect; it doubles with every failure …
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// … up to this.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long the member may take to take what is sent to it, before the link counts as broken.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);
/// Queued messages are sent together up to this many bytes.
const GATHER_BYTES: usize = 64 * 1024;
/// How long a link to a member waits that is not in the view yet.
const UNKNOWN_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Link {
    pub(super) to: Identity,
    pub(super) frames: mpsc::Receiver<Vec<u8>>,
    pub(super) queued_bytes: Arc<AtomicUsize>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) absent: mpsc::Sender<Identity>,
}

/// Runs the link until the member is dead, or nobody can send to it any more.
pub(super) async fn run(mut link: Link) {
    let mut pause = PAUSE_MIN;
    let mut is_reported = false;
    while let Some(addr) = link.addr().await {
        match dial(addr, link.credentials.local(), Purpose::Control, Some(link.to)).await {
            Ok((stream, _)) => {
                (pause, is_reported) = (PAUSE_MIN, false);
                match link.serve(stream).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(peer = ?link.to, %error, "a control link broke"),
                }
                continue;
            }
            Err(error) => {
                if error.proves_absence() {
                    // Full: the same was told many times already.
                    let _ = link.absent.try_send(link.to);
                }
                if !error.is_of_joining() && !std::mem::replace(&mut is_reported, true) {
                    tracing::info!(peer = ?link.to, %addr, %error, "no control link; trying again");
                }
            }
        }
        // Between half and the whole of it, so that nodes do not all come back at once.
        let share = 0.5 + fastrand::f64() / 2.0;
        sleep(pause.mul_f64(share)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

impl Link {
    /// Where the member listens; `None`: it is dead, or was never known.
    async fn addr(&mut self) -> Option<SocketAddr> {
        let to = self.to;
        let known = |view: &Arc<View>| view.members.get(&to.id).is_some_and(|member| member.info.identity >= to);
        let found = timeout(UNKNOWN_PATIENCE, self.view.wait_for(known)).await.ok()?.ok()?;
        found.get(&to).filter(|member| member.may_serve()).map(|member| member.info.addrs.bus)
    }

    /// Sends until the connection breaks (an error), or there is no more need for it.
    async fn serve(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let mut out = Vec::new();
        let mut unexpected = [0; 64];
        loop {
            let frame = tokio::select! {
                frame = self.frames.recv() => frame,
                // The member sends nothing here: what can be read is the connection's end.
                read = stream.read(&mut unexpected) => match read? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => continue,
                },
                changed = self.view.changed() => {
                    if changed.is_err() || !self.view.borrow_and_update().is_alive(&self.to) {
                        return Ok(());
                    }
                    continue;
                }
            };
            let Some(frame) = frame else { return Ok(()) };
            out.clear();
            self.gather(&mut out, frame);
            while out.len() < GATHER_BYTES {
                let Ok(frame) = self.frames.try_recv() else { break };
                self.gather(&mut out, frame);
            }
            match timeout(WRITE_DEADLINE, stream.write_all(&out)).await {
                Ok(written) => written?,
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    fn gather(&self, out: &mut Vec<u8>, frame: Vec<u8>) {
        self.queued_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        if out.is_empty() { *out = frame } else { out.extend_from_slice(&frame) }
    }
}
