//! Commands that wait on the server get connections of their own: they would hold up everything behind them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rondache_protocol::resp::value::Value;

use crate::{
    Cmd,
    attempts::Attempts,
    call::{FOREVER, settled},
    client::Inner,
    cmd::Routing,
    config::{Config, LinkConfig, seed::Seed},
    conn::{Conn, Outcome, Payload, refusal_error, request_error},
    error::{BusyLimit, ClientError},
    topology::Link,
    trace,
};

/// Connections for blocking commands, kept for the next one.
pub(crate) struct BlockingPool {
    idle: Mutex<Vec<Conn>>,
    count: AtomicUsize,
    count_max: usize,
    link_config: Arc<LinkConfig>,
}

/// A connection that one blocking command has for itself. Dropped early, it is closed: the server must not hand an element
/// to someone who no longer listens.
struct Loan<'a> {
    pool: &'a BlockingPool,
    conn: Option<Conn>,
}

impl BlockingPool {
    pub(crate) fn new(config: &Config) -> Self {
        // Silence is what these connections are for, and observers follow the shared ones only.
        let link = LinkConfig { silence_max: FOREVER, observers: Vec::new(), ..config.link.clone() };
        Self {
            idle: Mutex::default(),
            count: AtomicUsize::new(0),
            count_max: config.blocking_connections_max,
            link_config: Arc::new(link),
        }
    }

    fn borrow(&self, addr: &Seed, inner: &Inner) -> Result<Loan<'_>, ClientError> {
        let mut idle = self.idle.lock();
        // Those that were lost while they waited here.
        let before = idle.len();
        idle.retain(Conn::is_up);
        self.count.fetch_sub(before - idle.len(), Ordering::Relaxed);
        if let Some(place) = idle.iter().position(|conn| conn.addr() == addr) {
            return Ok(Loan { pool: self, conn: Some(idle.swap_remove(place)) });
        }
        if self.count.load(Ordering::Relaxed) >= self.count_max {
            // One to another node may go.
            if idle.pop().is_none() {
                let limit = BusyLimit::Connections(self.count_max);
                return Err(ClientError::Busy { node: addr.to_string().into(), limit });
            }
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let conn = Conn::new(addr.clone(), self.link_config.clone(), inner.registry.runtime().clone());
        Ok(Loan { pool: self, conn: Some(conn) })
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        self.count.fetch_sub(idle.len(), Ordering::Relaxed);
    }
}

impl Loan<'_> {
    /// The command is through: the connection may serve the next one.
    fn give_back(mut self) {
        if let Some(conn) = self.conn.take() {
            self.pool.idle.lock().push(conn);
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if self.conn.take().is_some() {
            self.pool.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// Executes a command that may wait on the server: until its own timeout and, for the way there and back, the call's
    /// deadline beyond.
    pub(crate) async fn execute_blocking(
        self: &Arc<Self>,
        cmd: &Cmd,
        started: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        let slot = match cmd.routing()? {
            Routing::Slot(slot) => Some(slot),
            Routing::Any | Routing::Split => None,
        };
        let deadline = deadline + block_timeout(cmd);
        let mut attempts = Attempts::default();
        loop {
            if self.is_closed() {
                return Err(ClientError::Closed);
            }
            let target = self.with_topology(|topology| attempts.target(topology, slot));
            let link: Arc<Link> = target.ok_or(ClientError::Closed)?;
            let loan = self.blocking.borrow(&link.addr, self)?;
            let conn = loan.conn.as_ref().ok_or(ClientError::Closed)?;
            trace::attempt(&link);
            let error = match conn.request(Payload::One(cmd), deadline).await {
                Ok(Outcome::One(value)) => {
                    loan.give_back();
                    match settled(value) {
                        Ok(value) => return Ok(value),
                        Err(error) => error,
                    }
                }
                Ok(Outcome::Many(_)) => ClientError::Closed,
                Ok(Outcome::Failed(failure)) => request_error(conn.name(), &failure, started.elapsed()),
                Err(refusal) => refusal_error(conn.name(), refusal),
            };
            let pause = attempts.judge(self, cmd, slot, &link, error.clone())?;
            if Instant::now() + pause >= deadline {
                return Err(attempts.last(error));
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long a command waits on the server, as its arguments say.
fn block_timeout(cmd: &Cmd) -> Duration {
    let name = cmd.name().to_ascii_lowercase();
    let timeout = match name.as_slice() {
        // Timeout first.
        b"blmpop" | b"bzmpop" => cmd.get(1),
        // WAIT counts in milliseconds.
        b"wait" => {
            let ms = cmd.get(2).and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse().ok());
            return ms.filter(|ms| *ms > 0).map_or(FOREVER, Duration::from_millis);
        }
        _ => cmd.get(cmd.argc().saturating_sub(1)),
    };
    let seconds: Option<f64> =
        timeout.and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse().ok());
    match seconds {
        // An invalid timeout is refused at once by the server.
        None => Duration::ZERO,
        Some(seconds) if seconds > 0.0 => {
            Duration::try_from_secs_f64(seconds).map_or(FOREVER, |wait| wait.min(FOREVER))
        }
        Some(_) => FOREVER,
    }
}

#[cfg(test)]
mod tests {
    use super::{FOREVER, block_timeout};
    use crate::Cmd;
    use std::time::Duration;

    #[test]
    fn the_timeout_is_found_where_each_command_has_it() {
        assert_eq!(block_timeout(&Cmd::new("BLPOP").arg("k").arg(1.5)), Duration::from_millis(1500));
        assert_eq!(block_timeout(&Cmd::new("blmpop").arg(2).arg(1).arg("k").arg("LEFT")), Duration::from_secs(2));
        assert_eq!(block_timeout(&Cmd::new("BRPOP").arg("k").arg(0)), FOREVER);
        assert_eq!(block_timeout(&Cmd::new("BRPOP").arg("k").arg("1e300")), FOREVER);
        assert_eq!(block_timeout(&Cmd::new("BRPOP").arg("k").arg("soon")), Duration::ZERO);
        assert_eq!(block_timeout(&Cmd::new("WAIT").arg(1).arg(50)), Duration::from_millis(50));
    }
}
