//! Who owns what, and how that is learnt.
//!
//! A *topology* is a snapshot: for every slot the node that owns it and those that hold copies. Calls read it without
//! waiting for anybody. A refresh makes a new one in the background, one at a time; meanwhile redirections correct single
//! slots of the old one in place.
//!
//! Rondache nodes have two client ports. The listed ones, where cluster rules hold, are for the owners; the *main* ports,
//! which answer for every key, are *entries*: for commands without keys, and for when an owner cannot be reached.

mod parse;
mod refresh;
mod registry;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Instant,
};

use rondache_protocol::slot::SLOTS;

pub(crate) use parse::{ListedNode, SlotRange};
pub(crate) use refresh::{Refresher, learn};
pub(crate) use registry::Registry;

use crate::config::seed::Seed;
use crate::conn::Conn;
use crate::metrics::commands::NodeMetrics;
use crate::policy::{Admission, BreakerConfig, CircuitBreaker, NodeLoad};

/// A node as the client reaches it: its shared connections.
pub(crate) struct Link {
    pub(crate) addr: Seed,
    conns: Box<[Conn]>,
    next: AtomicUsize,
    pub(crate) metrics: NodeMetrics,
    /// Who reads from copies keeps it up to date.
    pub(crate) load: Arc<NodeLoad>,
    /// Opens when the node is silent. What cannot be connected to is left alone by its connections already.
    pub(crate) breaker: CircuitBreaker,
}

impl Link {
    pub(crate) fn new(addr: Seed, conns: Box<[Conn]>, hedge_quantile: f64) -> Self {
        Self {
            addr,
            conns,
            next: AtomicUsize::new(0),
            metrics: NodeMetrics::default(),
            load: Arc::new(NodeLoad::new(hedge_quantile)),
            breaker: CircuitBreaker::new(BreakerConfig::default(), Instant::now()),
        }
    }

    /// The connection for the next request: in turn, if there are several.
    #[inline]
    pub(crate) fn conn(&self) -> Option<&Conn> {
        match &*self.conns {
            [only] => Some(only),
            conns => conns.get(self.next.fetch_add(1, Ordering::Relaxed) % conns.len().max(1)),
        }
    }

    pub(crate) fn name(&self) -> Arc<str> {
        self.conns.first().map_or_else(|| "?".into(), |conn| conn.name().clone())
    }

    /// Whether requests would be refused at once.
    pub(crate) fn is_down(&self) -> bool {
        self.conns.iter().all(Conn::is_backing_off)
    }

    /// Whether it has been silent, and is to be left alone wherever another node can answer.
    #[inline]
    pub(crate) fn is_avoided(&self) -> bool {
        !self.breaker.is_surely_closed() && matches!(self.breaker.admit(Instant::now()), Admission::Refuse { .. })
    }

    pub(crate) fn is_up(&self) -> bool {
        self.conns.iter().any(Conn::is_up)
    }

    /// Requests that wait for the node's replies.
    pub(crate) fn in_flight(&self) -> usize {
        self.conns.iter().map(Conn::in_flight).sum()
    }

    pub(crate) fn close(&self) {
        self.conns.iter().for_each(Conn::close);
    }
}

/// A node that can answer a read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) link: &'a Arc<Link>,
    pub(crate) traits: &'a ListedNode,
    pub(crate) is_owner: bool,
}

/// A slot that nobody owns.
const NOBODY: u16 = u16::MAX;

/// A snapshot of who owns what.
pub(crate) struct Topology {
    /// All nodes that the snapshot names, owners and copies.
    pub(crate) nodes: Vec<Arc<Link>>,
    /// What is known of each of them.
    traits: Vec<ListedNode>,
    /// Of each slot the owner's place in `nodes`.
    owners: Box<[AtomicU16]>,
    /// Of each slot the place of its copies in `copies`.
    copies_of: Box<[u16]>,
    copies: Vec<Box<[u16]>>,
    /// Nodes that answer for every key.
    pub(crate) entries: Vec<Arc<Link>>,
    next_entry: AtomicUsize,
    /// Whether the server is a cluster.
    pub(crate) is_cluster: bool,
    /// Whether the entries answer for every key, as main ports of Rondache do.
    pub(crate) entries_forward: bool,
}

impl Topology {
    /// One node that owns everything: a server without a cluster.
    pub(crate) fn single(node: Arc<Link>) -> Self {
        Self {
            nodes: vec![node.clone()],
            traits: vec![ListedNode { addr: node.addr.clone(), main_port: None, zone: None, weight: 1.0 }],
            owners: (0..SLOTS).map(|_| AtomicU16::new(0)).collect(),
            copies_of: vec![0; usize::from(SLOTS)].into(),
            copies: vec![Box::default()],
            entries: vec![node],
            next_entry: AtomicUsize::new(0),
            is_cluster: false,
            entries_forward: false,
        }
    }

    /// What CLUSTER SLOTS told.
    pub(crate) fn cluster(
        ranges: &[SlotRange],
        entries: Vec<Arc<Link>>,
        entries_forward: bool,
        mut link: impl FnMut(&Seed) -> Arc<Link>,
    ) -> Self {
        let mut nodes: Vec<Arc<Link>> = Vec::new();
        let mut traits: Vec<ListedNode> = Vec::new();
        let mut place = |listed: &ListedNode| {
            let found = nodes.iter().position(|node| node.addr == listed.addr).unwrap_or_else(|| {
                nodes.push(link(&listed.addr));
                traits.push(listed.clone());
                nodes.len() - 1
            });
            u16::try_from(found).unwrap_or(NOBODY)
        };
        let owners: Box<[AtomicU16]> = (0..SLOTS).map(|_| AtomicU16::new(NOBODY)).collect();
        let mut copies_of = vec![0u16; usize::from(SLOTS)];
        let mut copies: Vec<Box<[u16]>> = vec![Box::default()];
        for range in ranges {
            let owner = place(&range.owner);
            let group: Box<[u16]> = range.copies.iter().map(&mut place).collect();
            let group_place = copies.iter().position(|known| *known == group).unwrap_or_else(|| {
                copies.push(group);
                copies.len() - 1
            });
            let span = usize::from(range.first)..=usize::from(range.last);
            owners.get(span.clone()).unwrap_or_default().iter().for_each(|slot| slot.store(owner, Ordering::Relaxed));
            let group_place = u16::try_from(group_place).unwrap_or(0);
            copies_of.get_mut(span).unwrap_or_default().fill(group_place);
        }
        let next_entry = AtomicUsize::new(fastrand::usize(..1 << 16));
        let copies_of = copies_of.into();
        Self { nodes, traits, owners, copies_of, copies, entries, next_entry, is_cluster: true, entries_forward }
    }

    /// The owner of a slot.
    #[inline]
    pub(crate) fn owner(&self, slot: u16) -> Option<&Arc<Link>> {
        let place = self.owners.get(usize::from(slot))?.load(Ordering::Relaxed);
        self.nodes.get(usize::from(place))
    }

    /// The places of the nodes that hold copies of a slot.
    fn copies(&self, slot: u16) -> impl Iterator<Item = u16> {
        let group = self.copies_of.get(usize::from(slot)).and_then(|place| self.copies.get(usize::from(*place)));
        group.into_iter().flatten().copied()
    }

    /// The nodes that can answer a read of a slot, the owner first.
    pub(crate) fn readers(&self, slot: u16) -> impl Iterator<Item = Reader<'_>> {
        let owner = self.owners.get(usize::from(slot)).map(|place| place.load(Ordering::Relaxed));
        let copies = self.copies(slot).filter(move |place| Some(*place) != owner);
        let owner = owner.map(|place| (place, true));
        owner.into_iter().chain(copies.map(|place| (place, false))).filter_map(|(place, is_owner)| {
            let (link, traits) = (self.nodes.get(usize::from(place))?, self.traits.get(usize::from(place))?);
            Some(Reader { link, traits, is_owner })
        })
    }

    /// Where a listed node answers for every key.
    pub(crate) fn main_of(&self, listed: &Seed) -> Option<Seed> {
        let place = self.nodes.iter().position(|node| node.addr == *listed)?;
        self.traits.get(place)?.main()
    }

    /// A redirection told who owns a slot. A node that the snapshot doesn't name has to wait for the next one.
    pub(crate) fn correct(&self, slot: u16, owner: &Seed) {
        let found = self.nodes.iter().position(|node| node.addr == *owner);
        let place = found.and_then(|place| u16::try_from(place).ok());
        if let (Some(place), Some(slot)) = (place, self.owners.get(usize::from(slot))) {
            slot.store(place, Ordering::Relaxed);
        }
    }

    /// An entry in turn: connected ones first, then those nothing is known against; `avoid` only if there is no other.
    pub(crate) fn entry(&self, avoid: Option<&Seed>) -> Option<&Arc<Link>> {
        let candidates = if self.entries.is_empty() { &self.nodes } else { &self.entries };
        let start = self.next_entry.fetch_add(1, Ordering::Relaxed);
        let in_turn = || {
            let count = candidates.len();
            (0..count).filter_map(move |step| candidates.get((start.wrapping_add(step)) % count))
        };
        let wanted = |link: &&Arc<Link>| avoid.is_none_or(|avoid| link.addr != *avoid);
        in_turn()
            .find(|link| wanted(link) && link.is_up() && !link.is_avoided())
            .or_else(|| in_turn().find(|link| wanted(link) && !link.is_down()))
            .or_else(|| in_turn().find(wanted))
            .or_else(|| in_turn().next())
    }

    /// Every slot's owners once, in the order of their slots.
    pub(crate) fn all_owners(&self) -> Vec<Arc<Link>> {
        let mut owners: Vec<Arc<Link>> = Vec::new();
        let mut seen = vec![false; self.nodes.len()];
        for slot in &self.owners {
            let place = usize::from(slot.load(Ordering::Relaxed));
            if let (Some(seen), Some(node)) = (seen.get_mut(place), self.nodes.get(place))
                && !std::mem::replace(seen, true)
            {
                owners.push(node.clone());
            }
        }
        owners
    }
}
