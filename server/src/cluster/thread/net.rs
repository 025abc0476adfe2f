//! What other threads use of the cluster thread.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use rondache_protocol::bus::hello::{HelloError, Refusal};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use crate::cluster::{
    bus::{
        control::{Answer, Question},
        credentials::{ClusterFacts, Credentials},
        dial::{DialError, ask},
        links::ControlLinks,
    },
    member::{MemberInfo, View},
};

/// How many members are asked whether this node is still one.
const WITNESSES: usize = 3;
/// How long their answers may take.
const WITNESS_DEADLINE: Duration = Duration::from_millis(500);

/// Counters of the cluster thread.
#[derive(Debug, Default)]
pub struct GossipStats {
    /// Datagrams received and understood.
    pub datagrams_received: AtomicU64,
    /// Datagrams sent.
    pub datagrams_sent: AtomicU64,
    /// Bytes of datagrams sent.
    pub bytes_sent: AtomicU64,
    /// Datagrams dropped because their seal was wrong: garbage, another cluster's, or forged.
    pub datagrams_refused: AtomicU64,
    /// Datagrams dropped because they made no sense though their seal was good.
    pub datagrams_senseless: AtomicU64,
    /// Control messages dropped because the coordinator was behind.
    pub control_dropped: AtomicU64,
    /// How often the others held this node for dead while it lived.
    pub refuted_deaths: AtomicU64,
}

/// What the driver is told to do.
pub(super) enum Command {
    Change(Box<dyn FnOnce(&mut MemberInfo) + Send>),
    Depart(oneshot::Sender<()>),
}

/// How the others see this node, right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There are no others.
    Alone,
    /// At least one holds it for alive, and nobody who answered in time holds it for dead.
    Member,
    /// One holds it for dead: others may have taken over what it owned.
    Dead,
    /// Nobody answers: it may be cut off, or all others are gone.
    Unknown,
}

/// The cluster that the node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// What its members know of it.
    pub facts: ClusterFacts,
    /// Whether this node began it.
    pub is_founder: bool,
}

/// The cluster, as other threads use it. Cheap to clone.
#[derive(Clone)]
pub struct ClusterNet {
    /// The latest view.
    pub view: watch::Receiver<Arc<View>>,
    /// The cluster, once the node has joined or founded one.
    pub joined: watch::Receiver<Option<Joined>>,
    /// Sends control messages.
    pub links: ControlLinks,
    /// This node's part of handshakes, for those who dial.
    pub credentials: Arc<Credentials>,
    pub(super) commands: mpsc::Sender<Command>,
}

impl std::fmt::Debug for ClusterNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterNet").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl ClusterNet {
    /// The latest view.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Changes what this node says of itself (weight, addresses, that it is leaving …), and tells the others.
    pub async fn change(&self, change: impl FnOnce(&mut MemberInfo) + Send + 'static) {
        // Fails only when the thread has ended, and with it everyone who would care.
        let _ = self.commands.send(Command::Change(Box::new(change))).await;
    }

    /// Leaves the cluster, having handed over what the node owned. Returns once the others were told; from then on the
    /// node hears nothing of them.
    pub async fn depart(&self) {
        let (sender, told) = oneshot::channel();
        if self.commands.send(Command::Depart(sender)).await.is_ok() {
            let _ = told.await;
        }
    }

    /// Asks other members whether this node is still one of them: the frozen-node guard's question. Takes 0.5 s at most;
    /// usable on any thread with a runtime.
    pub async fn confirm_membership(&self) -> Standing {
        let me = self.credentials.identity();
        let others: Vec<_> = {
            let view = self.view();
            let others = view.live().filter(|member| member.info.identity != me);
            others.map(|member| (member.info.addrs.bus, member.info.identity)).collect()
        };
        if others.is_empty() {
            return Standing::Alone;
        }
        let mut asked = JoinSet::new();
        for (addr, who) in fastrand::choose_multiple(others, WITNESSES) {
            let local = self.credentials.local();
            asked.spawn(async move { ask(addr, local, Some(who), &Question::IsAlive(me)).await });
        }
        let mut standing = Standing::Unknown;
        let gathered = timeout(WITNESS_DEADLINE, async {
            while let Some(answered) = asked.join_next().await {
                match answered {
                    Ok(Ok((_, Answer::IsAlive(true)))) => standing = Standing::Member,
                    Ok(Ok((_, Answer::IsAlive(false))))
                    | Ok(Err(DialError::Hello(HelloError::Refused(Refusal::DeadIdentity)))) => return true,
                    _ => {}
                }
            }
            false
        });
        if gathered.await.unwrap_or(false) { Standing::Dead } else { standing }
    }
}
