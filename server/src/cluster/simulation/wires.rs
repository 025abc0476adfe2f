//! Connections between simulated nodes, as TCP makes them: whole and in order, or broken. What is sent into a cut waits for
//! its end, or until the sender's patience is over.

use std::collections::{BTreeMap, VecDeque};

use rondache_protocol::bus::identity::Identity;

use super::network::Network;

/// For what a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A replication stream, of the number and in the session.
    Stream(u16, u64),
    /// Requests.
    Forward,
}

/// What happens at one end of a wire.
#[derive(Clone, Debug)]
pub(super) enum Signal {
    /// Somebody connects.
    Accept(Use, Identity),
    /// The other side has accepted.
    Opened,
    Bytes(Vec<u8>),
    /// It is over: broken, refused or closed.
    Broken,
    /// It took too long to connect.
    TimedOut,
}

/// One end: which life of which host's node.
pub(super) type End = (usize, Identity);

#[derive(Debug)]
pub(super) struct Wire {
    /// Who has dialled, and who was.
    pub(super) ends: [End; 2],
    pub(super) is_open: bool,
    /// By sender: when the last bytes arrive.
    last_ms: [u64; 2],
    /// By sender: what waits for the end of a cut.
    held: [VecDeque<Vec<u8>>; 2],
    held_since_ms: Option<u64>,
    patience_ms: u64,
}

/// How long a sender goes on trying, at least and at most.
const PATIENCE_MS: std::ops::Range<u64> = 1_000..8_000;

/// Bytes that waited for the end of a cut: on which wire, sent from which of its ends.
pub(super) type Held = (u64, usize, Vec<u8>);

#[derive(Debug, Default)]
pub(super) struct Wires {
    wires: BTreeMap<u64, Wire>,
    dialled: u64,
}

impl Wires {
    pub(super) fn dial(&mut self, random: &mut fastrand::Rng, ends: [End; 2]) -> u64 {
        self.dialled += 1;
        let wire = Wire {
            ends,
            is_open: false,
            last_ms: [0; 2],
            held: Default::default(),
            held_since_ms: None,
            patience_ms: random.u64(PATIENCE_MS),
        };
        self.wires.insert(self.dialled, wire);
        self.dialled
    }

    pub(super) fn get(&self, id: u64) -> Option<&Wire> {
        self.wires.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Wire> {
        self.wires.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Wire> {
        self.wires.remove(&id)
    }

    /// A wire that is open, at random.
    pub(super) fn any(&self, random: &mut fastrand::Rng) -> Option<u64> {
        random.choice(self.wires.iter().filter(|(_, wire)| wire.is_open).map(|(id, _)| *id).collect::<Vec<_>>())
    }

    /// The wires of one life of a node.
    pub(super) fn of(&self, life: &Identity) -> Vec<u64> {
        let is_of = |wire: &Wire| wire.ends.iter().any(|(_, identity)| identity == life);
        self.wires.iter().filter(|(_, wire)| is_of(wire)).map(|(id, _)| *id).collect()
    }

    /// Wires whose senders have lost patience, and what goes on its way because a cut has ended.
    pub(super) fn look(&mut self, network: &Network, now_ms: u64) -> (Vec<u64>, Vec<Held>) {
        let (mut given_up, mut goes_on) = (Vec::new(), Vec::new());
        for (id, wire) in &mut self.wires {
            let Some(since_ms) = wire.held_since_ms else { continue };
            if now_ms - since_ms > wire.patience_ms {
                given_up.push(*id);
            } else if network.is_joined(wire.ends[0].0, wire.ends[1].0) {
                wire.held_since_ms = None;
                for side in 0..2 {
                    goes_on.extend(wire.held[side].drain(..).map(|bytes| (*id, side, bytes)));
                }
            }
        }
        (given_up, goes_on)
    }
}

impl Wire {
    /// Which of its ends a life is.
    pub(super) fn side_of(&self, life: &Identity) -> usize {
        usize::from(self.ends[0].1 != *life)
    }

    /// When bytes arrive that `side` sends now. `None`: they wait, as all that follows does.
    pub(super) fn arrival_ms(
        &mut self,
        side: usize,
        bytes: &mut Vec<u8>,
        network: &Network,
        random: &mut fastrand::Rng,
        now_ms: u64,
    ) -> Option<u64> {
        let hosts = (self.ends[side].0, self.ends[1 - side].0);
        // What a cut swallows of acknowledgements stops the other direction as well.
        if self.held_since_ms.is_some() || !network.is_joined(hosts.0, hosts.1) {
            self.held_since_ms.get_or_insert(now_ms);
            self.held[side].push_back(std::mem::take(bytes));
            return None;
        }
        let at_ms = now_ms + network.delay_ms(random, hosts);
        self.last_ms[side] = self.last_ms[side].max(at_ms);
        Some(self.last_ms[side])
    }
}
