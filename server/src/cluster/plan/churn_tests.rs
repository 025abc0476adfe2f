//! How even shares stay, and how much moves, over long random joins and leaves.
//!
//! `cargo test -p rondache-server --lib shares_stay_even_and_little_moves -- --nocapture` prints the table. The
//! environment variables `RONDACHE_CHURN_STEPS` (per row, default: few enough for an unoptimised build) and
//! `RONDACHE_CHURN_SEED` make other and longer runs.

use std::fmt;

use rondache_protocol::{
    bus::identity::{Identity, NodeId},
    slot::SLOTS,
};

use super::{Candidate, Moved, Placement, place};

/// A cluster whose members come and go; everything planned is done before the next change.
struct Churn {
    rng: fastrand::Rng,
    nodes: Vec<Candidate>,
    placement: Placement,
    copies: usize,
    kind: Kind,
    born: u64,
    worst: Worst,
}

/// What kinds of nodes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Equal,
    /// Weights 0.5 to 4.
    Weighted,
    /// Weights 0.5 to 2 in three zones that are kept about equally strong.
    Zoned,
}

/// The worst that was seen after any step.
#[derive(Clone, Copy, Debug)]
struct Worst {
    /// The lightest and the heaviest node, as owners, against their shares.
    owners: (f64, f64),
    /// Likewise as owners and copies together.
    held: (f64, f64),
    /// Slots that changed owners, against the minimum.
    moved: Ratio,
    /// Slots that a node had to receive, against the minimum.
    transfers: Ratio,
    /// Slots with two holders in one zone.
    zone_sharing: usize,
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owners, held, moved, transfers, zone_sharing } = self;
        write!(f, "{:.3} {:.3} {:.3} {:.3}   ", owners.0, owners.1, held.0, held.1)?;
        write!(f, "{:.3} {:.3}  {:.3} {:.3} ", moved.most, moved.mean(), transfers.most, transfers.mean())?;
        write!(f, "{zone_sharing}")
    }
}

/// What was done against what had to be done, over many steps.
#[derive(Clone, Copy, Debug, Default)]
struct Ratio {
    most: f64,
    sum: f64,
    steps: f64,
}

impl Ratio {
    fn add(&mut self, done: usize, least: f64) {
        let ratio = done as f64 / least;
        self.most = self.most.max(ratio);
        self.sum += ratio;
        self.steps += 1.0;
    }

    fn mean(&self) -> f64 {
        self.sum / self.steps
    }
}

impl Churn {
    fn new(kind: Kind, size: usize, copies: usize, seed: u64) -> Self {
        let (owners, held) = ((f64::MAX, 0.0), (f64::MAX, 0.0));
        let worst = Worst { owners, held, moved: Ratio::default(), transfers: Ratio::default(), zone_sharing: 0 };
        let rng = fastrand::Rng::with_seed(seed);
        let mut churn = Self { rng, nodes: Vec::new(), placement: Placement::default(), copies, kind, born: 0, worst };
        for _ in 0..size {
            let node = churn.newcomer();
            churn.nodes.push(node);
        }
        churn.placement = place(&churn.nodes, &churn.placement, copies);
        churn
    }

    fn newcomer(&mut self) -> Candidate {
        self.born += 1;
        let identity = Identity { generation: self.born, id: NodeId(self.rng.u128(..)) };
        let weight = match self.kind {
            Kind::Equal => 100,
            Kind::Weighted => self.rng.u32(50..=400),
            Kind::Zoned => self.rng.u32(50..=200),
        };
        let zone = if self.kind == Kind::Zoned { self.weakest_zone() } else { String::new() };
        Candidate { identity, weight, zone, is_leaving: false }
    }

    fn strength(&self, zone: &str) -> u32 {
        self.nodes.iter().filter(|node| node.zone == zone).map(|node| node.weight).sum()
    }

    fn weakest_zone(&self) -> String {
        ["a", "b", "c"].into_iter().min_by_key(|zone| self.strength(zone)).unwrap_or_default().to_owned()
    }

    /// Some node; with zones one of the strongest zone, so that they stay about equal.
    fn leaver(&mut self) -> usize {
        let strongest = ["a", "b", "c"].into_iter().max_by_key(|zone| self.strength(zone)).unwrap_or_default();
        let may_go = |at: &usize| self.kind != Kind::Zoned || self.nodes[*at].zone == strongest;
        let all: Vec<usize> = (0..self.nodes.len()).filter(may_go).collect();
        all[self.rng.usize(0..all.len())]
    }

    /// One node joins or leaves (half of those by dying), so that the size stays near `size`.
    fn step(&mut self, size: usize) {
        let joins = self.nodes.len() < size || (self.nodes.len() == size && self.rng.bool());
        let (least_moved, least_transfers) = if joins {
            let node = self.newcomer();
            let weights: u32 = self.nodes.iter().map(|node| node.weight).sum::<u32>() + node.weight;
            let weight = node.weight;
            self.nodes.push(node);
            let fair = f64::from(SLOTS) * f64::from(weight) / f64::from(weights);
            (fair, fair_held(&self.nodes, self.copies).last().copied().unwrap_or(0.0))
        } else {
            let at = self.leaver();
            let gone = self.nodes[at].identity;
            if self.rng.bool() {
                self.nodes[at].is_leaving = true;
            } else {
                self.nodes.remove(at);
            }
            let (owned, held) = self.load(gone);
            (owned as f64, held as f64)
        };
        let next = place(&self.nodes, &self.placement, self.copies);
        let moved = Moved::between(&self.placement, &next);
        self.placement = next;
        self.nodes.retain(|node| !node.is_leaving);
        self.observe(moved, least_moved, least_transfers);
    }

    fn load(&self, node: Identity) -> (usize, usize) {
        let owned = (0..SLOTS).filter(|slot| self.placement.owner(*slot) == Some(node)).count();
        let held = (0..SLOTS).filter(|slot| self.placement.holders(*slot).any(|holder| holder == node)).count();
        (owned, held)
    }

    fn observe(&mut self, moved: Moved, least_moved: f64, least_transfers: f64) {
        let mut worst = self.worst;
        worst.moved.add(moved.owners, least_moved);
        worst.transfers.add(moved.transfers, least_transfers);
        let weights: f64 = self.nodes.iter().map(|node| f64::from(node.weight)).sum();
        let fair_held = fair_held(&self.nodes, self.copies);
        let mut owned = vec![0.0; self.nodes.len()];
        let mut held = vec![0.0; self.nodes.len()];
        let mut sharing = 0;
        for slot in 0..SLOTS {
            let holders: Vec<usize> = self.placement.holders(slot).filter_map(|node| self.index(node)).collect();
            owned[holders[0]] += 1.0;
            holders.iter().for_each(|node| held[*node] += 1.0);
            let zone = |node: usize| &self.nodes[node].zone;
            let meets = |at: usize| holders[..at].iter().any(|node| zone(*node) == zone(holders[at]));
            sharing += usize::from(self.kind == Kind::Zoned && (0..holders.len()).any(meets));
        }
        worst.zone_sharing = worst.zone_sharing.max(sharing);
        for (node, candidate) in self.nodes.iter().enumerate() {
            let fair = f64::from(SLOTS) * f64::from(candidate.weight) / weights;
            widen(&mut worst.owners, owned[node], fair);
            widen(&mut worst.held, held[node], fair_held[node]);
        }
        self.worst = worst;
    }

    /// Nodes are in the order of their birth.
    fn index(&self, node: Identity) -> Option<usize> {
        self.nodes.binary_search_by_key(&node, |candidate| candidate.identity).ok()
    }
}

/// Widens a range of shares by a node's, which may be a slot off.
fn widen(range: &mut (f64, f64), load: f64, fair: f64) {
    range.0 = range.0.min((load + 1.0).min(fair).max(load) / fair);
    range.1 = range.1.max((load - 1.0).max(fair).min(load) / fair);
}

/// What each node should hold as owner and copy: in proportion to the weights, but no slot twice.
fn fair_held(nodes: &[Candidate], copies: usize) -> Vec<f64> {
    let slots = f64::from(SLOTS);
    let rounds = (copies + 1).min(nodes.len());
    let mut is_full = vec![false; nodes.len()];
    loop {
        let full = is_full.iter().filter(|is_full| **is_full).count() as f64;
        let free = nodes.iter().zip(&is_full).filter(|(_, is_full)| !**is_full);
        let weights: f64 = free.map(|(node, _)| f64::from(node.weight)).sum();
        let fair = |node: &Candidate| (slots * (rounds as f64 - full)) * f64::from(node.weight) / weights;
        let over = (0..nodes.len()).find(|node| !is_full[*node] && fair(&nodes[*node]) > slots);
        match over {
            Some(node) => is_full[node] = true,
            None => {
                return nodes.iter().zip(&is_full).map(|(node, full)| if *full { slots } else { fair(node) }).collect();
            }
        }
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is what the test is run for by hand")]
fn shares_stay_even_and_little_moves() {
    let seed = from_env("RONDACHE_CHURN_SEED").unwrap_or(1);
    println!("seed {seed}, one copy; lightest and heaviest share; what moved against the minimum, worst and mean");
    println!("nodes kind     steps owners      owners+copies owners moved data moved  slots within a zone");
    for (size, quick_steps) in [(3, 8), (4, 8), (10, 6), (50, 4), (200, 3), (1000, 1)] {
        for kind in [Kind::Equal, Kind::Weighted, Kind::Zoned] {
            let steps = from_env("RONDACHE_CHURN_STEPS").unwrap_or(quick_steps);
            let mut churn = Churn::new(kind, size, 1, seed);
            (0..steps).for_each(|_| churn.step(size));
            let worst = churn.worst;
            println!("{size:5} {:8} {steps:5} {worst}", format!("{kind:?}"));
            for (lightest, heaviest) in [worst.owners, worst.held] {
                assert!(lightest >= 0.9 && heaviest <= 1.1, "{size} {kind:?} nodes, seed {seed}: {worst}");
            }
            assert!(worst.moved.most <= 1.1 && worst.transfers.mean() <= 1.1, "{size} {kind:?}, seed {seed}: {worst}");
        }
    }
}
