//! One call: from a command to its reply, through as many attempts as its deadline allows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::time::{sleep, timeout_at};

use crate::{
    Cmd,
    attempts::{Attempts, Repeatable},
    client::Inner,
    cmd::{Merge, Routing},
    config::WhenBusy,
    conn::{Conn, Outcome, Payload, Refusal, refusal_error, request_error},
    error::{ClientError, ServerError},
    topology::Link,
    trace,
};

impl Inner {
    /// Executes a command of any kind.
    pub(crate) async fn execute(
        self: &Arc<Self>,
        cmd: &Cmd,
        started: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        self.check_len(cmd)?;
        cmd.check_shareable()?;
        if cmd.is_blocking() {
            return self.execute_blocking(cmd, started, deadline).await;
        }
        let routing = cmd.routing()?;
        if matches!(routing, Routing::Slot(_))
            && let Some(value) = self.execute_locally(cmd)
        {
            return settled(value);
        }
        match routing {
            Routing::Slot(slot) if self.reads_copies() && cmd.is_read_only() => {
                Box::pin(self.read(cmd, slot, started, deadline)).await
            }
            Routing::Slot(slot) => self.call(cmd, Some(slot), started, deadline).await,
            Routing::Any => self.call(cmd, None, started, deadline).await,
            // Boxed, so that the usual call's future stays small.
            Routing::Split => Box::pin(self.execute_split(cmd, started, deadline)).await,
        }
    }

    /// Executes a command whose keys are in one slot, or that has none.
    pub(crate) async fn call(
        &self,
        cmd: &Cmd,
        slot: Option<u16>,
        started: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        self.retry_budget.deposit();
        let mut attempts = Attempts::default();
        let (link, error) = match self.attempt(cmd, slot, &mut attempts, started, deadline).await? {
            Ok(value) => return Ok(value),
            Err(failed) => failed,
        };
        Box::pin(self.call_again(cmd, slot, attempts, link, error, deadline)).await
    }

    /// The attempts after the first failed one.
    pub(crate) async fn call_again(
        &self,
        cmd: &Cmd,
        slot: Option<u16>,
        mut attempts: Attempts,
        mut link: Arc<Link>,
        mut error: ClientError,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        loop {
            let pause = attempts.judge(self, cmd, slot, &link, error.clone())?;
            let now = Instant::now();
            if now + pause >= deadline {
                return Err(attempts.last(error));
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
            match self.attempt(cmd, slot, &mut attempts, Instant::now(), deadline).await? {
                Ok(value) => return Ok(value),
                Err(failed) => (link, error) = failed,
            }
        }
    }

    /// One attempt. The outer error is for the caller as it is, the inner one to be judged.
    #[inline]
    async fn attempt(
        &self,
        cmd: &Cmd,
        slot: Option<u16>,
        attempts: &mut Attempts,
        now: Instant,
        deadline: Instant,
    ) -> Result<Result<Value, (Arc<Link>, ClientError)>, ClientError> {
        if self.is_closed() {
            return Err(ClientError::Closed);
        }
        let target = self.with_topology(|topology| attempts.target(topology, slot));
        let link = target.ok_or(ClientError::Closed)?;
        let asking = std::mem::take(&mut attempts.asking);
        let outcome = self.attempt_at(&link, cmd, asking, now, deadline).await;
        Ok(outcome.map_err(|error| (link, error)))
    }

    /// One attempt at a node; what becomes of it is counted.
    #[inline]
    pub(crate) async fn attempt_at(
        &self,
        link: &Link,
        cmd: &Cmd,
        asking: bool,
        now: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        let until = if cmd.may_repeat() { deadline.min(now + self.config.attempt_timeout) } else { deadline };
        let prefix;
        let both;
        let payload = if asking {
            prefix = Cmd::new("ASKING");
            both = [&prefix, cmd];
            Payload::Many(&both)
        } else {
            Payload::One(cmd)
        };
        let outcome = self.send(link, payload, until).await;
        let took = now.elapsed();
        link.metrics.record(cmd.group(), took, outcome.as_ref().is_ok_and(Outcome::is_ok));
        self.note_health(link, &outcome, took);
        match outcome {
            Ok(Outcome::One(value)) => settled(value),
            Ok(Outcome::Many(mut values)) => settled(values.pop().unwrap_or(Value::Null)),
            Ok(Outcome::Failed(failure)) => Err(request_error(&link.name(), &failure, until.duration_since(now))),
            Err(refusal) => Err(refusal_error(&link.name(), refusal)),
        }
    }

    /// Tells a node's breaker how a request ended. Only silence counts against the node: connections that break or cannot
    /// be made have a back-off of their own, and who was in a hurry has learnt nothing.
    #[inline]
    pub(crate) fn note_health(&self, link: &Link, outcome: &Result<Outcome, Refusal>, took: Duration) {
        match outcome {
            Ok(Outcome::One(_) | Outcome::Many(_)) if link.breaker.is_surely_well() => {}
            Ok(Outcome::One(_) | Outcome::Many(_)) => link.breaker.record_success(Instant::now()),
            Ok(Outcome::Failed(failure)) if failure.is_silence() && took * 2 >= self.config.attempt_timeout => {
                link.breaker.record_failure(Instant::now(), &mut fastrand::Rng::new());
            }
            Ok(Outcome::Failed(_)) | Err(_) => {}
        }
    }

    /// Sends to a node; where the limits say so, waits for room before.
    pub(crate) async fn send(&self, link: &Link, payload: Payload<'_>, until: Instant) -> Result<Outcome, Refusal> {
        let conn: &Conn = link.conn().ok_or(Refusal::Closed)?;
        trace::attempt(link);
        let outcome = conn.request(payload, until).await;
        match outcome {
            Err(Refusal::Busy(limit)) if self.config.link.when_busy == WhenBusy::Wait => {
                Box::pin(wait_and_send(conn, payload, until, Refusal::Busy(limit))).await
            }
            outcome => outcome,
        }
    }

    /// Executes a command with keys in several slots as one command a slot, and puts the replies together.
    async fn execute_split(
        self: &Arc<Self>,
        cmd: &Cmd,
        started: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        let split = cmd.split()?;
        let (cmds, positions): (Vec<Cmd>, Vec<Vec<usize>>) = split.parts.into_iter().unzip();
        let replies = self.execute_batch(&cmds, started, deadline).await;
        let mut merged = Merged { sum: 0, places: vec![Value::Null; split.keys] };
        for (reply, positions) in replies.into_iter().zip(positions) {
            merged.add(split.merge, reply?, &positions)?;
        }
        Ok(match split.merge {
            Merge::Positions => Value::Array(merged.places),
            Merge::Sum => Value::Integer(merged.sum),
            Merge::AllOk => Value::Simple(bytes::Bytes::from_static(b"OK")),
        })
    }
}

/// The replies of a split command so far.
struct Merged {
    sum: i64,
    places: Vec<Value>,
}

impl Merged {
    fn add(&mut self, merge: Merge, reply: Value, positions: &[usize]) -> Result<(), ClientError> {
        match (merge, reply) {
            (Merge::AllOk, _) => {}
            (Merge::Sum, Value::Integer(count)) => self.sum = self.sum.saturating_add(count),
            (Merge::Positions, Value::Array(values)) if values.len() == positions.len() => {
                for (value, position) in values.into_iter().zip(positions) {
                    if let Some(place) = self.places.get_mut(*position) {
                        *place = value;
                    }
                }
            }
            (_, other) => return Err(crate::ConvertError::new("part of a split command's reply", &other).into()),
        }
        Ok(())
    }
}

/// An error reply is an error.
#[inline]
pub(crate) fn settled(value: Value) -> Result<Value, ClientError> {
    match value.as_error() {
        None => Ok(value),
        Some(text) => Err(ClientError::Server(ServerError::parse(text))),
    }
}

async fn wait_and_send(
    conn: &Conn,
    payload: Payload<'_>,
    until: Instant,
    mut refusal: Refusal,
) -> Result<Outcome, Refusal> {
    loop {
        if timeout_at(until.into(), conn.room()).await.is_err() {
            return Err(refusal);
        }
        match conn.request(payload, until).await {
            Err(busy @ Refusal::Busy(_)) => refusal = busy,
            outcome => return outcome,
        }
        // Others that waited too may have taken the room.
        tokio::task::yield_now().await;
    }
}

/// Longest wait of a call that may wait forever.
pub(crate) const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
