//! Finding the cluster by its seeds, or founding it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rondache_protocol::bus::{
    hello::{HelloError, Refusal},
    identity::ClusterId,
};
use tokio::{
    net::lookup_host,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::seeds::{Found, Founding, Seed};
use crate::cluster::{
    bus::{
        control::{Answer, Question},
        credentials::{ClusterFacts, Credentials},
        dial::{DialError, ask},
    },
    member::MemberInfo,
    membership::exchange::Entry,
};

/// The pause between two rounds while some seed answers …
const PAUSE_MIN: Duration = Duration::from_millis(300);
/// … and, where none does, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often the log tells that the node is still looking.
const MENTION_EVERY: Duration = Duration::from_secs(10);
/// How long a name may take to resolve.
const RESOLVE_DEADLINE: Duration = Duration::from_secs(5);

/// A cluster that this node may be in from now on.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) facts: ClusterFacts,
    pub(super) members: Vec<Entry>,
}

/// Founds a cluster of this node alone.
pub(super) fn found() -> Welcome {
    let facts = ClusterFacts { id: ClusterId(fastrand::u128(..)), hash_seed: fastrand::u64(..) };
    Welcome { facts, members: Vec::new() }
}

/// What one round over the seeds has found.
#[derive(Debug, Default)]
struct Round {
    welcome: Option<Welcome>,
    found: Vec<Found>,
    /// What went wrong where, for the log.
    troubles: Vec<String>,
}

/// Looks for the cluster until there is one.
pub(super) async fn join(seeds: Vec<Seed>, credentials: Arc<Credentials>, me: MemberInfo) -> Welcome {
    let mut founding = Founding::default();
    let mut pause = PAUSE_MIN;
    let began = Instant::now();
    let mut mentioned: Option<Instant> = None;
    loop {
        let round = look(&seeds, &credentials, &me).await;
        if let Some(welcome) = round.welcome {
            return welcome;
        }
        if founding.may_found(me.identity, &round.found) {
            let welcome = found();
            tracing::info!(cluster = %welcome.facts.id, "no seed knows of a cluster: this node founds it");
            return welcome;
        }
        let is_answered = round.found.iter().any(|found| matches!(found, Found::Itself | Found::Seeker(_)));
        pause = if is_answered { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
        // Seeds that answer usually agree within a second or two: not worth a line.
        let quiet_since = mentioned.or(is_answered.then_some(began));
        if quiet_since.is_none_or(|at| at.elapsed() >= MENTION_EVERY) {
            mentioned = Some(Instant::now());
            let names: Vec<String> = seeds.iter().map(Seed::to_string).collect();
            let troubles = round.troubles.join("; ");
            tracing::warn!("not in a cluster yet; trying {} again and again ({troubles})", names.join(", "));
        }
        sleep(pause.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}

/// Asks the members at the seeds for those that this node may have lost sight of.
pub(super) async fn look_again(seeds: Vec<Seed>, credentials: Arc<Credentials>, me: MemberInfo) -> Option<Welcome> {
    let round = look(&seeds, &credentials, &me).await;
    for trouble in round.troubles {
        tracing::debug!("a seed cannot be asked: {trouble}");
    }
    round.welcome
}

async fn look(seeds: &[Seed], credentials: &Arc<Credentials>, me: &MemberInfo) -> Round {
    let mut round = Round::default();
    let mut asked = JoinSet::new();
    for addr in resolve(seeds, &mut round.troubles).await {
        let (credentials, question) = (credentials.clone(), Question::Join(me.clone()));
        asked.spawn(async move { (addr, ask(addr, credentials.local(), None, &question).await) });
    }
    while let Some(answered) = asked.join_next().await {
        let Ok((addr, answer)) = answered else { continue };
        let found = match answer {
            Ok((_, Answer::Welcome { facts, members })) => {
                round.welcome.get_or_insert(Welcome { facts, members });
                continue;
            }
            Ok((peer, _)) => {
                round.troubles.push(format!("{addr} is looking for a cluster too"));
                Found::Seeker(peer.identity)
            }
            Err(DialError::Hello(HelloError::Refusing(Refusal::Itself))) => Found::Itself,
            Err(error) => {
                let is_refusal = matches!(error, DialError::Hello(_));
                round.troubles.push(format!("{addr}: {error}"));
                if is_refusal { Found::Refusal } else { Found::Nobody }
            }
        };
        round.found.push(found);
    }
    round
}

/// The bus addresses of all seeds, each once.
async fn resolve(seeds: &[Seed], troubles: &mut Vec<String>) -> Vec<SocketAddr> {
    let mut addrs = Vec::new();
    for seed in seeds {
        match timeout(RESOLVE_DEADLINE, lookup_host((seed.host.as_str(), seed.bus_port))).await {
            Ok(Ok(found)) => addrs.extend(found),
            Ok(Err(error)) => troubles.push(format!("{} cannot be resolved: {error}", seed.host)),
            Err(_) => troubles.push(format!("{} does not resolve in time", seed.host)),
        }
    }
    addrs.sort_unstable();
    addrs.dedup();
    addrs
}
