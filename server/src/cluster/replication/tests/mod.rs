//! Some nodes in one process, whose streams are moved by hand.

mod clocks;
mod handoff;
mod links;
mod random;
mod refusals;
mod writes;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use rondache_protocol::{
    bus::{
        identity::Identity,
        replicate::{Ack, put_ack},
    },
    slot::slot_of,
};

use super::{
    Outlets, Replication,
    apply::Applier,
    mover::{Mover, Step},
    plane::Plane,
};
use crate::{
    cluster::{
        member::Addrs,
        plane::{DataPlane, Follow, PlaneEvent, Row, Start},
        routing::Peer,
    },
    config::settings::Settings,
    node::Node,
    session::{
        Session,
        execute::Tools,
        harness::{run_on, show_reply},
    },
    store::{
        keyspace::{Circumstances, Keyspace, Written},
        observer::NoObserver,
        replicate::testing::{Content, content_of},
    },
};

/// The time at which everything begins.
const NOW_MS: u64 = 1_700_000_000_000;

struct TestNode {
    node: Arc<Node>,
    replication: Arc<Replication>,
    plane: Plane,
    mover: Mover,
    outlets: Outlets,
    session: Session,
    tools: Tools,
    /// Whose streams it hears.
    appliers: BTreeMap<(Identity, u16), Applier>,
    written: Vec<Written>,
}

impl TestNode {
    fn new(seed: u64) -> Self {
        let node = Node::new(Settings { ttl_jitter_percent: 0, ..Settings::default() });
        node.cluster.routing.set_clustered(true);
        let (replication, outlets) = Replication::new(node.clone(), 2);
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let session = Session::new(node.clients.admit(addr, addr, -1, NOW_MS), true);
        Self {
            plane: Plane::with_clock(replication.clone(), || NOW_MS),
            mover: Mover::new(replication.clone(), NOW_MS),
            node,
            replication,
            outlets,
            session,
            tools: Tools::new(seed),
            appliers: BTreeMap::new(),
            written: Vec::new(),
        }
    }

    fn identity(&self) -> Identity {
        self.node.cluster.identity
    }

    /// Runs a command of words between blanks at some time.
    fn run_at(&mut self, now_ms: u64, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let reply =
            run_on(&self.node, &mut self.session, &mut self.tools, &words, |ks| ks.circumstances.now_ms = now_ms);
        show_reply(&reply)
    }

    fn run(&mut self, line: &str) -> String {
        self.run_at(NOW_MS, line)
    }

    /// What the node holds of a slot.
    fn content(&self, slot: u16) -> Content {
        content_of(&self.node.store, slot)
    }

    fn events(&mut self) -> Vec<PlaneEvent> {
        self.replication.tick();
        std::iter::from_fn(|| self.outlets.events.try_recv().ok()).collect()
    }

    /// Copies slots until there is nothing left to copy.
    fn move_all(&mut self) {
        while self.mover.step(0, NOW_MS) != Step::Idle {}
    }
}

struct World(Vec<TestNode>);

impl World {
    /// Nodes that know each other. The first owns every slot that matters to a test.
    fn new(count: usize, seed: u64) -> Self {
        let nodes: Vec<TestNode> = (0..count).map(|index| TestNode::new(seed + index as u64)).collect();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let addrs = Addrs { client: nowhere, redirect: nowhere, bus: nowhere, admin: nowhere };
        for node in &nodes {
            for peer in &nodes {
                let peer = Peer { identity: peer.identity(), addrs, is_dead: false };
                node.node.cluster.routing.put_peer(peer);
            }
        }
        Self(nodes)
    }

    fn id(&self, index: usize) -> Identity {
        self.0[index].identity()
    }

    /// Makes the first node own a slot, and the others know it.
    fn begin(&mut self, slot: u16) {
        let owner = self.id(0);
        self.0[0].plane.own(slot, 1, Start::Warm, &[]);
        for node in &mut self.0[1..] {
            node.plane.follow(slot, 1, Some(owner), Follow::Forward);
        }
    }

    /// Moves what waits in the streams between two nodes, and the answers back. Answers how many frames.
    fn pump(&mut self, from: usize, to: usize) -> usize {
        self.carry(from, to, true)
    }

    /// The same, where the answers may be lost on the way back.
    fn carry(&mut self, from: usize, to: usize, is_answered: bool) -> usize {
        let (owner, copy) = (self.id(from), self.id(to));
        let mut moved = 0;
        for stream in self.0[from].replication.streams() {
            if stream.to != copy {
                continue;
            }
            let mut frames = Vec::new();
            stream.take_frames(&mut frames, usize::MAX);
            moved += frames.len();
            let mut acks = Vec::new();
            let receiver = &mut self.0[to];
            let applier = receiver
                .appliers
                .entry((owner, stream.stream))
                .or_insert_with(|| Applier::new(&receiver.replication, owner, stream.stream, stream.session));
            for frame in &frames {
                applier.apply(&frame.bytes, &mut acks).expect("a frame");
            }
            put_ack(&mut acks, &Ack::Applied { position: applier.applied() });
            if is_answered {
                self.0[from].replication.on_acks(&stream, &acks).expect("answers");
            }
        }
        moved
    }

    /// Moves everything between all nodes.
    fn pump_all(&mut self) {
        loop {
            let mut moved = 0;
            for from in 0..self.0.len() {
                for to in (0..self.0.len()).filter(|to| *to != from) {
                    moved += self.pump(from, to);
                }
            }
            if moved == 0 {
                return;
            }
        }
    }

    /// The connection between two nodes breaks: frames under way are gone, and the next connection resumes.
    fn reconnect(&mut self, from: usize, to: usize) {
        let (owner, copy) = (self.id(from), self.id(to));
        for stream in self.0[from].replication.streams() {
            if stream.to == copy {
                // Taken, and lost on the way.
                stream.take_frames(&mut Vec::new(), usize::MAX);
                let mut first = Vec::new();
                let applier = self.0[to].appliers.get(&(owner, stream.stream));
                applier.into_iter().for_each(|applier| applier.put_refusals(&mut first));
                put_ack(&mut first, &Ack::Applied { position: applier.map_or(0, Applier::applied) });
                self.0[from].replication.on_first_acks(&stream, &first).expect("answers");
            }
        }
    }

    /// Makes `to` a copy of a slot of `from`, to the end.
    fn copy(&mut self, slot: u16, from: usize, to: usize) {
        let copy = self.id(to);
        self.0[from].plane.start_copy(slot, copy);
        self.0[from].move_all();
        self.pump_all();
        let events = self.0[from].events();
        assert!(
            events.iter().any(|event| matches!(event, PlaneEvent::CopySynced { to, .. } if *to == copy)),
            "{events:?}"
        );
        let owner = self.id(from);
        let epoch = self.0[from].plane.position(slot).epoch;
        self.0[from].plane.list_copy(slot, copy);
        self.0[to].plane.follow(slot, epoch, Some(owner), Follow::Copy);
    }

    /// Hands a slot from its owner to a copy, which keeps the giver, and whoever else, as copies.
    fn hand_off(&mut self, slot: u16, from: usize, to: usize, others: &[usize]) {
        let epoch = self.0[from].plane.position(slot).epoch;
        self.0[from].plane.park(slot);
        self.pump_all();
        let taker = self.id(to);
        let events = self.0[from].events();
        let is_caught_up = |event: &PlaneEvent| matches!(event, PlaneEvent::CaughtUp { copy, .. } if *copy == taker);
        assert!(events.iter().any(is_caught_up), "{events:?}");
        let copies: Vec<Identity> = std::iter::once(from).chain(others.iter().copied()).map(|at| self.id(at)).collect();
        let row = Row { slot, epoch: epoch + 1, version: 0, claim: Default::default(), owner: taker, copies };
        self.0[from].plane.grant(&row);
        self.pump_all();
        let granted = self.0[to].events();
        assert!(granted.contains(&PlaneEvent::Granted { row: row.clone() }), "{granted:?}");
        self.0[to].plane.own(slot, row.epoch, Start::Warm, &row.copies);
        for at in std::iter::once(from).chain(others.iter().copied()) {
            self.0[at].plane.follow(slot, row.epoch, Some(taker), Follow::Copy);
        }
        self.pump_all();
        assert_eq!(self.0[to].events(), []);
    }

    #[track_caller]
    fn assert_same(&self, slot: u16, a: usize, b: usize, context: &str) {
        let (a, b) = (self.0[a].content(slot), self.0[b].content(slot));
        for (key, value) in &a {
            assert_eq!(b.get(key), Some(value), "{context}: {key:?} of the owner differs in the copy");
        }
        assert_eq!(a.len(), b.len(), "{context}: the copy holds keys that the owner does not");
    }
}
