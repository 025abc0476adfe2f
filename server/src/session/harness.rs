//! Runs commands without sockets, under a clock and a seed that the test sets, and shows what copies would be told.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use super::{
    Session,
    execute::{Executor, Flow, Planned},
    timing::{BatchTimer, SharedRuns},
};
use crate::{
    command::{args::OwnedArgs, ctx::HashedKeys},
    config::settings::Settings,
    node::{Node, stats::WorkerStats},
    store::{
        effect::Effect,
        keyspace::{Circumstances, ExpiryRole, Keyspace},
    },
};

/// A node with one client.
pub(crate) struct Harness {
    node: Arc<Node>,
    session: Session,
    rng: fastrand::Rng,
    stats: WorkerStats,
    /// The time of the next command (unix ms).
    pub(crate) now_ms: u64,
    /// Whether the next command runs as on the owner of its keys.
    pub(crate) role: ExpiryRole,
}

impl Harness {
    /// A node without TTL jitter that records effects.
    pub(crate) fn new() -> Self {
        let node = Node::new(Settings { ttl_jitter_percent: 0, ..Settings::default() });
        node.store.record_effects(true);
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        let session = Session::new(node.clients.admit(addr, addr, -1, 0), true);
        Self {
            node,
            session,
            rng: fastrand::Rng::with_seed(7),
            stats: WorkerStats::default(),
            now_ms: 1_000_000,
            role: ExpiryRole::Owner,
        }
    }

    /// The reply to a command whose words are separated by blanks: the RESP lines without lengths, one blank between them.
    pub(crate) fn call(&mut self, line: &str) -> String {
        self.call_args(&OwnedArgs::from_parts(line.split(' ')))
    }

    fn call_args(&mut self, owned: &OwnedArgs) -> String {
        let circumstances = Circumstances { db: 0, now_ms: self.now_ms, client_id: 1, touch: true };
        let settings = self.node.settings.load();
        let mut ks = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        ks.expiry_role = self.role;
        let mut shared_runs = SharedRuns::new();
        let mut executor = Executor {
            node: &self.node,
            settings: &settings,
            ks: &mut ks,
            rng: &mut self.rng,
            stats: &self.stats,
            shards: Vec::new(),
            timer: BatchTimer::start(&settings, &mut shared_runs),
        };
        let args = owned.as_args();
        let index = rondache_protocol::command::lookup(args.get(0));
        let mut out = Vec::new();
        let flow = executor.run(&mut self.session, &Planned { args, index, hashed: HashedKeys::default() }, &mut out);
        ks.release();
        if matches!(flow, Flow::Blocked(_)) {
            return "(blocked)".to_owned();
        }
        let text = String::from_utf8_lossy(&out).into_owned();
        let lines: Vec<&str> = text.split_terminator("\r\n").filter(|line| !is_length(line)).collect();
        lines.join(" ")
    }

    /// The effects since the last call, each as a line, by shard.
    pub(crate) fn effects(&mut self) -> Vec<String> {
        self.drain().iter().map(show).collect()
    }

    /// Applies the effects since the last call to another node, which then should hold the same.
    pub(crate) fn replicate_to(&mut self, copy: &mut Harness) {
        copy.role = ExpiryRole::Copy;
        for effect in self.drain() {
            let reply = copy.call_args(&OwnedArgs::from_parts(&effect.args));
            assert!(!reply.starts_with('-'), "{}: {reply}", show(&effect));
        }
    }

    fn drain(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for shard in 0..crate::store::SHARDS {
            if let Some(outbox) = &mut self.node.store.lock(shard).outbox {
                effects.extend(outbox.drain());
            }
        }
        effects
    }
}

fn is_length(line: &str) -> bool {
    let mut chars = line.chars();
    matches!(chars.next(), Some('$' | '*')) && chars.all(|char| char.is_ascii_digit())
}

fn show(effect: &Effect) -> String {
    effect.args.iter().fold(String::new(), |mut line, arg| {
        let gap = if line.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(line, "{gap}{}", arg.escape_ascii());
        line
    })
}
