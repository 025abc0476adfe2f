//! Many commands at once: dealt out by owner, sent to all in parallel, their replies in order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::time::sleep;

use crate::{
    Cmd,
    attempts::Attempts,
    call::settled,
    client::Inner,
    cmd::Routing,
    conn::{Outcome, Payload, refusal_error, request_error},
    error::ClientError,
    join::join_all,
    topology::Link,
};

/// A command of a batch.
struct Entry<'a> {
    cmd: &'a Cmd,
    slot: Option<u16>,
    attempts: Attempts,
    result: Option<Result<Value, ClientError>>,
}

/// The commands for one node, by their places in the batch.
struct Group {
    link: Arc<Link>,
    places: Vec<usize>,
}

impl Inner {
    /// Executes commands; commands for one node are sent together in their order. Commands that can be split are executed
    /// beside the others.
    pub(crate) async fn execute_batch(
        self: &Arc<Self>,
        cmds: &[Cmd],
        started: Instant,
        deadline: Instant,
    ) -> Vec<Result<Value, ClientError>> {
        let mut entries: Vec<Entry<'_>> = Vec::with_capacity(cmds.len());
        let mut alone: Vec<usize> = Vec::new();
        for cmd in cmds {
            let mut entry = Entry { cmd, slot: None, attempts: Attempts::default(), result: None };
            match self.place(cmd) {
                Ok(Some(slot)) => entry.slot = slot,
                Ok(None) => alone.push(entries.len()),
                Err(error) => entry.result = Some(Err(error)),
            }
            entries.push(entry);
        }
        let mut pending: Vec<usize> = (0..entries.len())
            .filter(|place| !alone.contains(place) && entries.get(*place).is_some_and(|entry| entry.result.is_none()))
            .collect();
        pending.iter().for_each(|_| self.retry_budget.deposit());
        while !pending.is_empty() {
            pending = self.round(&mut entries, pending, deadline).await;
        }
        for place in alone {
            if let Some(entry) = entries.get_mut(place) {
                entry.result = Some(Box::pin(self.execute(entry.cmd, started, deadline)).await);
            }
        }
        entries.into_iter().map(|entry| entry.result.unwrap_or(Err(ClientError::Closed))).collect()
    }

    /// Where a command of a batch goes; `None` if it has to be executed for itself.
    fn place(&self, cmd: &Cmd) -> Result<Option<Option<u16>>, ClientError> {
        if self.is_closed() {
            return Err(ClientError::Closed);
        }
        self.check_len(cmd)?;
        cmd.check_shareable()?;
        if cmd.is_blocking() {
            return Ok(None);
        }
        Ok(match cmd.routing()? {
            Routing::Slot(slot) => Some(Some(slot)),
            Routing::Any => Some(None),
            Routing::Split => None,
        })
    }

    /// Sends what is pending and answers what has to be sent again.
    async fn round(&self, entries: &mut [Entry<'_>], pending: Vec<usize>, deadline: Instant) -> Vec<usize> {
        let groups = self.group(entries, &pending);
        let now = Instant::now();
        let until = deadline.min(now + self.config.attempt_timeout);
        let sent = groups.iter().map(|group| {
            let cmds: Vec<&Cmd> = group.places.iter().filter_map(|place| entries.get(*place)).map(|e| e.cmd).collect();
            // What may not be repeated waits for as long as it can.
            let until = if cmds.iter().all(|cmd| cmd.is_idempotent()) { until } else { deadline };
            async move {
                let outcome = self.send(&group.link, Payload::Many(&cmds), until).await;
                (outcome, until.duration_since(now), now.elapsed())
            }
        });
        let outcomes = join_all(sent).await;
        let (mut again, mut pause) = (Vec::new(), Duration::ZERO);
        for (group, (outcome, after, latency)) in groups.into_iter().zip(outcomes) {
            self.note_health(&group.link, &outcome, latency);
            let name = group.link.name();
            let (replies, error) = match outcome {
                Ok(Outcome::Many(replies)) => (replies, ClientError::Closed),
                Ok(Outcome::One(reply)) => (vec![reply], ClientError::Closed),
                Ok(Outcome::Failed(mut failure)) => {
                    (std::mem::take(&mut failure.replies), request_error(&name, &failure, after))
                }
                Err(refusal) => (Vec::new(), refusal_error(&name, refusal)),
            };
            let mut replies = replies.into_iter();
            for place in group.places {
                let Some(entry) = entries.get_mut(place) else {
                    continue;
                };
                let reply = replies.next().map_or_else(|| Err(error.clone()), settled);
                group.link.metrics.record(entry.cmd.group(), latency, reply.is_ok());
                if let Some(wait) = self.weigh(entry, &group.link, reply, deadline) {
                    pause = pause.max(wait);
                    again.push(place);
                }
            }
        }
        // Groups come in any order, commands of one slot stay in theirs.
        again.sort_unstable();
        if !pause.is_zero() {
            sleep(pause).await;
        }
        again
    }

    /// Takes a result in, or answers after how long the command is to be sent again.
    fn weigh(
        &self,
        entry: &mut Entry<'_>,
        link: &Link,
        reply: Result<Value, ClientError>,
        deadline: Instant,
    ) -> Option<Duration> {
        let error = match reply {
            Ok(value) => {
                entry.result = Some(Ok(value));
                return None;
            }
            Err(error) => error,
        };
        let verdict = entry.attempts.judge(self, entry.cmd, entry.slot, link, error.clone());
        match verdict {
            Ok(pause) if Instant::now() + pause < deadline => Some(pause),
            Ok(_) => {
                entry.result = Some(Err(entry.attempts.last(error)));
                None
            }
            Err(error) => {
                entry.result = Some(Err(error));
                None
            }
        }
    }

    fn group(&self, entries: &mut [Entry<'_>], pending: &[usize]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut keyless: Option<Arc<Link>> = None;
        let topology = self.topology();
        // A read behind a write of the same pipeline must not miss it.
        let reads_copies = self.reads_copies() && entries.iter().all(|entry| entry.cmd.is_read_only());
        for place in pending {
            let Some(entry) = entries.get_mut(*place) else {
                continue;
            };
            // Commands without keys go to one node together, unless they were sent elsewhere.
            let target = match (&keyless, entry.slot) {
                (Some(link), None) if entry.attempts.is_first() => Some(link.clone()),
                (_, Some(slot)) if reads_copies && entry.attempts.is_first() => self.reader(&topology, slot),
                _ => entry.attempts.target(&topology, entry.slot),
            };
            let Some(link) = target else {
                entry.result = Some(Err(ClientError::Closed));
                continue;
            };
            if entry.slot.is_none() {
                keyless.get_or_insert_with(|| link.clone());
            }
            match groups.iter_mut().find(|group| Arc::ptr_eq(&group.link, &link)) {
                Some(group) => group.places.push(*place),
                None => groups.push(Group { link, places: vec![*place] }),
            }
        }
        groups
    }
}
