//! Runs commands for tests, without sockets: on a node of their own, with a clock that stands still.

use std::{net::SocketAddr, sync::Arc};

use rondache_protocol::resp::writer::RespVersion;

use super::{
    args::{Args, OwnedArgs},
    ctx::HashedKeys,
    registry::{self, HandlerList},
};
use crate::{
    cluster::forward::slot_set::SlotSet,
    config::settings::Settings,
    node::{Node, stats::WorkerStats},
    session::{
        Session,
        execute::{Executor, Planned},
        timing::{BatchTimer, SharedRuns},
    },
    store::{
        keyspace::{Circumstances, Keyspace},
        replicate::testing::{EffectTap, ToldEffect},
    },
};

/// How often [`Bench::run_nonsense`] runs each command.
const NONSENSE_ROUNDS: usize = 500;
/// The time of every command, unix ms.
const NOW_MS: u64 = 1_700_000_000_000;

/// A node with one client, whose effects are recorded.
pub(crate) struct Bench {
    node: Arc<Node>,
    session: Session,
    settings: Settings,
    rng: fastrand::Rng,
    stats: WorkerStats,
    tap: EffectTap,
}

impl Bench {
    /// An empty node whose random choices follow from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let node = Node::new(Settings::default());
        let tap = EffectTap::new(&node.store);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let client = node.clients.admit(nowhere, nowhere, -1, NOW_MS);
        Self {
            session: Session::new(client, true),
            node,
            settings: Settings::default(),
            rng: fastrand::Rng::with_seed(seed),
            stats: WorkerStats::default(),
            tap,
        }
    }

    /// The same client, with replies in RESP3.
    pub(crate) fn with_resp3(mut self) -> Self {
        self.session.resp = RespVersion::V3;
        self
    }

    /// Runs a command whose words are separated by blanks; the reply with `|` for line ends.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let reply = self.run_args(&OwnedArgs::from_parts(line.split(' ')).as_args());
        reply.escape_ascii().to_string().replace("\\r\\n", "|")
    }

    /// Runs a command; its reply as it goes to the client.
    pub(crate) fn run_args(&mut self, args: &Args<'_>) -> Vec<u8> {
        let circumstances =
            Circumstances { db: self.session.db, now_ms: NOW_MS, client_id: self.session.client.id, touch: true };
        let mut ks = Keyspace::new(&self.node.store, &self.node.hub, circumstances);
        let mut shared_runs = SharedRuns::new();
        let mut refused = SlotSet::default();
        let mut executor = Executor {
            node: &self.node,
            settings: &self.settings,
            ks: &mut ks,
            rng: &mut self.rng,
            stats: &self.stats,
            shards: Vec::new(),
            timer: BatchTimer::start(&self.settings, &mut shared_runs),
            is_clustered: false,
            is_serving: false,
            retry: None,
            refused: &mut refused,
            guards_writes: false,
            withheld: &mut Vec::new(),
            reads_copies: false,
            reads_copy: false,
            lacks_copies: false,
            written: &mut Vec::new(),
            nth: None,
        };
        let index = registry::by_name(args.get(0)).map(|(index, _)| index);
        let mut out = Vec::new();
        let _ =
            executor.run(&mut self.session, &Planned { args: *args, index, hashed: HashedKeys::default() }, &mut out);
        ks.release();
        out
    }

    /// Runs each of `commands` with random words of `vocabulary`, many times: whatever they are, there is a reply or the
    /// client waits, and nothing panics.
    pub(crate) fn run_nonsense(&mut self, commands: HandlerList, vocabulary: &[&str]) {
        for _ in 0..NONSENSE_ROUNDS {
            for (name, _) in commands {
                let words = self.rng.usize(..12);
                let mut line = (*name).to_owned();
                for _ in 0..words {
                    line.push(' ');
                    line.push_str(vocabulary[self.rng.usize(..vocabulary.len())]);
                }
                self.run(&line);
            }
        }
    }

    /// Takes the effects since the last call, in the order of execution.
    pub(crate) fn take_effects(&mut self) -> Vec<ToldEffect> {
        self.tap.drain()
    }

    /// The effects since the last call, each as a line.
    pub(crate) fn effect_lines(&mut self) -> Vec<String> {
        let line = |effect: ToldEffect| {
            let words: Vec<_> = effect.args.iter().map(|word| word.escape_ascii().to_string()).collect();
            words.join(" ")
        };
        self.take_effects().into_iter().map(line).collect()
    }

    /// Applies effects, as a copy of their owner does.
    pub(crate) fn apply(&mut self, effects: Vec<ToldEffect>) {
        for effect in effects {
            let reply = self.run_args(&OwnedArgs::from_parts(&effect.args).as_args());
            assert_ne!(reply.first(), Some(&b'-'), "{effect:?}: {}", reply.escape_ascii());
        }
    }
}
