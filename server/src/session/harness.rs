//! A connection without a socket, and a clock that stands still until it is set, for tests of what commands do to the store.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rondache_protocol::resp::request::{RequestLimits, RequestParser};

use super::{Session, batch::Batch, execute::Executor};
use crate::{
    config::settings::Settings,
    node::Node,
    store::{
        SHARDS,
        keyspace::{Circumstances, Keyspace},
    },
};

/// The time at which commands run unless a test sets another.
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// A node with one connection, whose effects are recorded.
pub(crate) struct Harness {
    node: Arc<Node>,
    session: Session,
    /// The time at which the next command runs.
    pub(crate) now_ms: u64,
}

impl Harness {
    pub(crate) fn new(settings: Settings) -> Self {
        let node = Node::new(settings);
        node.store.record_effects(true);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let session = Session::new(node.clients.admit(addr, addr, -1, NOW_MS), true);
        Self { node, session, now_ms: NOW_MS }
    }

    /// Runs a command of words between blanks; answers the bytes of its reply, escaped.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let mut request = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| request.push_str(&format!("${}\r\n{word}\r\n", word.len())));
        let circumstances =
            Circumstances { db: self.session.db, now_ms: self.now_ms, client_id: self.session.client.id, touch: true };
        let mut keyspace = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        let mut executor = Executor {
            node: &self.node,
            settings: &self.node.settings.load(),
            ks: &mut keyspace,
            rng: &mut fastrand::Rng::with_seed(1),
            stats: &self.node.stats.register(),
            shards: Vec::new(),
        };
        let mut parser = RequestParser::new(RequestLimits::default());
        let mut out = Vec::new();
        Batch::default().run(&mut executor, &mut self.session, &mut parser, request.as_bytes(), &mut 0, &mut out);
        out.escape_ascii().to_string()
    }

    /// The effects since the last call, as lines of words between blanks; those of one shard in their order.
    pub(crate) fn effects(&self) -> Vec<String> {
        (0..SHARDS)
            .flat_map(|shard| {
                let mut shard = self.node.store.lock(shard);
                let effects: Vec<_> = shard.outbox.iter_mut().flat_map(|outbox| outbox.drain()).collect();
                effects
            })
            .map(|effect| effect.args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" "))
            .collect()
    }
}
