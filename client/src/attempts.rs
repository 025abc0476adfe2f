//! What to do after an attempt failed: the rules, in one place for single calls and pipelines.

use std::{sync::Arc, time::Duration};

use crate::{
    Cmd,
    client::Inner,
    config::seed::Seed,
    error::{ClientError, RequestError, ServerErrorKind},
    policy::Backoff,
    topology::{Link, Topology},
};

/// The wait before an attempt that could only fail like the last one at once. A takeover takes about a second.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(200) };

/// Redirections that are followed without a pause.
const REDIRECTS_AT_ONCE: u32 = 2;

/// What a call has been through.
#[derive(Default)]
pub(crate) struct Attempts {
    redirects: u32,
    retries: u32,
    /// Where a redirection pointed.
    target: Option<Arc<Link>>,
    /// Whether that was for this one request only.
    pub(crate) asking: bool,
    /// Nodes don't agree on the owner: go through an entry, which finds it, or waits until there is one.
    through_entry: bool,
    /// The owner could not serve it: go through an entry, but not through this node.
    avoid: Option<Seed>,
    /// The first failure after which it may have been executed.
    uncertain: Option<ClientError>,
}

impl Attempts {
    /// Whether an attempt has failed before.
    pub(crate) fn is_first(&self) -> bool {
        self.redirects == 0 && self.retries == 0
    }

    /// The node for the next attempt.
    #[inline]
    pub(crate) fn target(&mut self, topology: &Topology, slot: Option<u16>) -> Option<Arc<Link>> {
        if let Some(target) = self.target.take() {
            return Some(target);
        }
        if std::mem::take(&mut self.through_entry) {
            return topology.entry(None).cloned();
        }
        let owner = slot.and_then(|slot| topology.owner(slot));
        match (owner, &self.avoid) {
            // A silent owner is given its time by those who probe it; all others go through a node that answers.
            (Some(owner), None) if !topology.entries_forward || !owner.is_avoided() => Some(owner.clone()),
            (Some(owner), None) => topology.entry(topology.main_of(&owner.addr).as_ref()).cloned(),
            // Where entries don't forward they can only point back to the owner: it is tried again itself.
            (Some(owner), Some(avoid)) if owner.addr != *avoid || !topology.entries_forward && self.retries > 1 => {
                Some(owner.clone())
            }
            (_, avoid) => {
                let avoid = avoid.as_ref().map(|avoid| topology.main_of(avoid).unwrap_or_else(|| avoid.clone()));
                topology.entry(avoid.as_ref()).cloned()
            }
        }
    }

    /// Judges a failure: how long to wait before the next attempt, or the error that the caller gets.
    pub(crate) fn judge(
        &mut self,
        inner: &Inner,
        cmd: &dyn Repeatable,
        slot: Option<u16>,
        link: &Link,
        error: ClientError,
    ) -> Result<Duration, ClientError> {
        if let ClientError::Server(refusal) = &error {
            match refusal.kind() {
                ServerErrorKind::Moved { slot, addr } => {
                    return self.redirect(inner, link, *slot, addr, false, error.clone());
                }
                ServerErrorKind::Ask { slot, addr } => {
                    return self.redirect(inner, link, *slot, addr, true, error.clone());
                }
                _ => {}
            }
        }
        if error.may_have_executed() {
            if !cmd.may_repeat() || matches!(error, ClientError::Convert(_)) || !inner.retry_budget.try_spend() {
                return Err(error);
            }
            self.uncertain.get_or_insert_with(|| error.clone());
        } else if !error.is_retry_safe() || matches!(error, ClientError::Busy { .. }) {
            return Err(self.last(error));
        }
        inner.refresher.request();
        self.retries += 1;
        let through_entry =
            slot.is_some() || matches!(error, ClientError::NotSent { .. } | ClientError::Timeout { .. });
        self.avoid = through_entry.then(|| link.addr.clone());
        // Another node can be tried at once; a node that says "not now" needs a moment.
        let at_once = self.retries == 1 && !matches!(error, ClientError::Server(_));
        Ok(if at_once { Duration::ZERO } else { BACKOFF.delay(self.retries - 1, &mut fastrand::Rng::new()) })
    }

    fn redirect(
        &mut self,
        inner: &Inner,
        link: &Link,
        slot: u16,
        addr: &str,
        asking: bool,
        error: ClientError,
    ) -> Result<Duration, ClientError> {
        self.redirects += 1;
        let Some(seed) = Seed::from_redirect(addr, &link.addr.host) else {
            return Err(error);
        };
        if self.redirects > inner.config.redirects_max {
            return Err(ClientError::Redirects { count: self.redirects - 1, last: seed.to_string().into() });
        }
        if !asking {
            inner.with_topology(|topology| topology.correct(slot, &seed));
            inner.refresher.request();
        }
        self.avoid = None;
        if self.redirects > REDIRECTS_AT_ONCE && inner.with_topology(|topology| topology.entries_forward) {
            self.through_entry = true;
            return Ok(Duration::ZERO);
        }
        self.target = Some(inner.registry.link(&seed));
        self.asking = asking;
        let pause = self.redirects.saturating_sub(REDIRECTS_AT_ONCE);
        Ok(match pause.checked_sub(1) {
            None => Duration::ZERO,
            Some(retry) => BACKOFF.delay(retry, &mut fastrand::Rng::new()),
        })
    }

    /// The error for the caller: if an earlier attempt may have been executed, that is what he has to know.
    pub(crate) fn last(&mut self, error: ClientError) -> ClientError {
        if error.may_have_executed() { error } else { self.uncertain.take().unwrap_or(error) }
    }
}

/// Something that was sent, and may be sent again if that does no harm.
pub(crate) trait Repeatable {
    fn may_repeat(&self) -> bool;
}

impl Repeatable for Cmd {
    fn may_repeat(&self) -> bool {
        self.is_idempotent()
    }
}

impl Inner {
    /// Refuses a command that is longer than any node takes.
    #[inline]
    pub(crate) fn check_len(&self, cmd: &Cmd) -> Result<(), ClientError> {
        let (len, limit) = (cmd.encoded_len(), self.config.command_len_max);
        if len > limit {
            return Err(RequestError::TooLarge { len, limit }.into());
        }
        Ok(())
    }
}
