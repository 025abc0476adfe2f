//! Reads that copies may answer: which copy, and when a second one is asked.

use std::{sync::Arc, time::Instant};

use rondache_protocol::resp::value::Value;

use crate::{
    Cmd,
    attempts::Attempts,
    client::Inner,
    config::Config,
    error::ClientError,
    policy::{BreakerState, Candidate, Hedger, Raced, ReadPolicy, ReadSelector},
    topology::{Link, Reader, Topology},
};

/// How a client's reads are dealt out.
pub(crate) struct Reads {
    selector: ReadSelector,
    hedger: Option<Hedger>,
    zone: Option<Arc<str>>,
}

/// A failed attempt: where, and why.
type Failed = (Arc<Link>, ClientError);

impl Reads {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            selector: ReadSelector::new(config.read_policy),
            hedger: config.hedge.map(Hedger::new),
            zone: config.zone.as_deref().map(Arc::from),
        }
    }

    fn candidate(&self, reader: Reader<'_>, now: Instant) -> Candidate {
        let Reader { link, traits, is_owner } = reader;
        let is_open = !link.breaker.is_surely_closed() && link.breaker.state(now) == BreakerState::Open;
        Candidate {
            is_owner,
            is_available: !is_open && !link.is_down(),
            is_same_zone: self.zone.is_some() && self.zone == traits.zone,
            weight: traits.weight,
            outstanding: link.load.outstanding(),
            latency: link.load.latency_at(now),
        }
    }
}

impl Inner {
    /// Whether reads may go to copies.
    #[inline]
    pub(crate) fn reads_copies(&self) -> bool {
        self.reads.selector.policy() != ReadPolicy::OwnerOnly
    }

    /// The node that a read of a slot goes to.
    pub(crate) fn reader(&self, topology: &Topology, slot: u16) -> Option<Arc<Link>> {
        let now = Instant::now();
        let (links, candidates) = self.candidates(topology, slot, now);
        let chosen = self.reads.selector.choose(&candidates, &mut fastrand::Rng::new())?;
        links.get(chosen).cloned()
    }

    fn candidates(&self, topology: &Topology, slot: u16, now: Instant) -> (Vec<Arc<Link>>, Vec<Candidate>) {
        topology.readers(slot).map(|reader| (Arc::clone(reader.link), self.reads.candidate(reader, now))).unzip()
    }

    /// Executes a command that only reads, and whose keys are in one slot: first at the copy that the policy chooses, and
    /// if that fails as any other call.
    pub(crate) async fn read(
        &self,
        cmd: &Cmd,
        slot: u16,
        started: Instant,
        deadline: Instant,
    ) -> Result<Value, ClientError> {
        if self.is_closed() {
            return Err(ClientError::Closed);
        }
        let (links, candidates) = self.with_topology(|topology| self.candidates(topology, slot, started));
        let mut rng = fastrand::Rng::new();
        let Some(chosen) = self.reads.selector.choose(&candidates, &mut rng) else {
            return self.call(cmd, Some(slot), started, deadline).await;
        };
        let Some(first) = links.get(chosen) else {
            return self.call(cmd, Some(slot), started, deadline).await;
        };
        self.retry_budget.deposit();
        let read = self.read_at(first, cmd, started, deadline);
        let outcome = match &self.reads.hedger {
            None => read.await,
            Some(hedger) => {
                let hedge = || {
                    let second = self.reads.selector.choose_other(&candidates, chosen, &mut rng)?;
                    let link = links.get(second)?;
                    link.metrics.hedged();
                    Some(self.read_at(link, cmd, Instant::now(), deadline))
                };
                let raced = hedger.race(hedger.delay(&first.load), read, hedge).await;
                if matches!(raced, Raced::Hedge(Ok(_))) {
                    // It would have taken longer still; left out, the node would look as fast as before.
                    let now = Instant::now();
                    first.load.record(now.saturating_duration_since(started), now);
                }
                raced.into_inner()
            }
        };
        match outcome {
            Ok(value) => Ok(value),
            Err((link, error)) => self.call_again(cmd, Some(slot), Attempts::default(), link, error, deadline).await,
        }
    }

    /// Reads from a node, and remembers how long it took.
    async fn read_at(&self, link: &Arc<Link>, cmd: &Cmd, now: Instant, deadline: Instant) -> Result<Value, Failed> {
        let in_flight = link.load.begin();
        let outcome = self.attempt_at(link, cmd, false, now, deadline).await;
        let ended = Instant::now();
        match &outcome {
            Err(ClientError::NotSent { .. } | ClientError::Busy { .. } | ClientError::Closed) => drop(in_flight),
            _ => in_flight.answered(ended.saturating_duration_since(now), ended),
        }
        outcome.map_err(|error| (Arc::clone(link), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::HedgeConfig;

    #[test]
    fn a_policy_that_reads_from_the_owner_alone_refuses_to_hedge() {
        let config = Config { hedge: Some(HedgeConfig::default()), ..Config::default() };
        let mut config = Config { read_policy: ReadPolicy::OwnerOnly, ..config };
        config.add_seed("127.0.0.1:1").expect("a seed");
        assert!(config.validate().is_err());
        config.read_policy = ReadPolicy::Fastest;
        assert!(config.validate().is_ok());
    }
}
