//! A connection without a socket, and a clock that stands still until it is set, for tests of what commands do to the store.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rondache_protocol::resp::request::{RequestLimits, RequestParser};

use super::{
    Session,
    away::Away,
    batch::{Batch, BatchEnd},
    execute::Executor,
    timing::{BatchTimer, SharedRuns},
};
use crate::{
    cluster::forward::slot_set::SlotSet,
    config::settings::Settings,
    node::Node,
    store::{
        keyspace::{Circumstances, ExpiryRole, Keyspace},
        replicate::testing::{EffectTap, ToldEffect},
    },
};

/// The time at which commands run unless a test sets another.
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// A node with one connection, whose effects are recorded.
pub(crate) struct Harness {
    node: Arc<Node>,
    session: Session,
    rng: fastrand::Rng,
    tap: EffectTap,
    /// The time at which the next command runs.
    pub(crate) now_ms: u64,
    /// Whether the next command runs as on the owner of its keys, or as on a copy.
    pub(crate) role: ExpiryRole,
}

impl Harness {
    pub(crate) fn new(settings: Settings) -> Self {
        let node = Node::new(settings);
        let tap = EffectTap::new(&node.store);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let session = Session::new(node.clients.admit(addr, addr, -1, NOW_MS), true);
        Self { node, session, rng: fastrand::Rng::with_seed(1), tap, now_ms: NOW_MS, role: ExpiryRole::Owner }
    }

    /// A node whose connection came in on the redirect port.
    pub(crate) fn redirecting() -> Self {
        let mut harness = Self::new(Settings::default());
        harness.session.is_redirecting = true;
        harness
    }

    /// The node.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// A node whose TTLs are what was asked for.
    pub(crate) fn unjittered() -> Self {
        Self::new(Settings { ttl_jitter_percent: 0, ..Settings::default() })
    }

    /// Runs a command of words between blanks; answers the bytes of its reply, escaped.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        self.run_words(&words).escape_ascii().to_string()
    }

    /// As [`Harness::run`], but answers the lines of the reply without lengths, with blanks between them.
    pub(crate) fn call(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let reply = String::from_utf8_lossy(&self.run_words(&words)).into_owned();
        let lines: Vec<&str> = reply.split_terminator("\r\n").filter(|line| !is_length(line)).collect();
        lines.join(" ")
    }

    fn run_words(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let (now_ms, role) = (self.now_ms, self.role);
        run_on(&self.node, &mut self.session, &mut self.rng, words, |keyspace| {
            keyspace.circumstances.now_ms = now_ms;
            keyspace.expiry_role = role;
        })
    }

    /// The effects since the last call, as lines of words between blanks, in the order of execution.
    pub(crate) fn effects(&self) -> Vec<String> {
        self.tap.drain().iter().map(show).collect()
    }

    /// Lets another node apply the effects since the last call, as a copy of this one.
    pub(crate) fn replicate_to(&self, copy: &mut Harness) {
        copy.role = ExpiryRole::Copy;
        for effect in self.tap.drain() {
            copy.session.db = effect.db;
            let words: Vec<&[u8]> = effect.args.iter().map(|arg| &**arg).collect();
            let reply = copy.run_words(&words);
            assert!(!reply.starts_with(b"-"), "{}: {}", show(&effect), reply.escape_ascii());
        }
    }
}

fn show(effect: &ToldEffect) -> String {
    effect.args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
}

/// Runs a command on a node, in circumstances that `prepare` sets. Answers its reply.
pub(crate) fn run_on(
    node: &Arc<Node>,
    session: &mut Session,
    rng: &mut fastrand::Rng,
    words: &[&[u8]],
    prepare: impl FnOnce(&mut Keyspace<'_>),
) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    let circumstances = Circumstances { db: session.db, now_ms: NOW_MS, client_id: session.client.id, touch: true };
    let mut keyspace = Keyspace::new(&node.store, &node.hub, circumstances);
    prepare(&mut keyspace);
    let settings = node.settings.load();
    let mut shared_runs = SharedRuns::new();
    let mut executor = Executor {
        node,
        settings: &settings,
        ks: &mut keyspace,
        rng,
        stats: &node.stats.register(),
        shards: Vec::new(),
        timer: BatchTimer::start(&settings, &mut shared_runs),
        is_clustered: false,
        is_serving: false,
        retry: None,
        refused: &mut SlotSet::default(),
        guards_writes: settings.cluster.write_acks > 0 || !node.cluster.may_write(),
        withheld: &mut Vec::new(),
        reads_copies: settings.cluster.read_from != crate::config::cluster::ReadFrom::Owner,
        reads_copy: false,
        lacks_copies: false,
        written: &mut Vec::new(),
        nth: None,
    };
    let mut parser = RequestParser::new(RequestLimits::default());
    let mut out = Vec::new();
    let end = Batch::default().run(&mut executor, session, &mut parser, &request, &mut 0, &mut out, &mut Away::Alone);
    if matches!(end, BatchEnd::Blocked(_)) {
        return b"(blocked)".to_vec();
    }
    out
}

/// Whether a line of a reply only says how long what follows is.
fn is_length(line: &str) -> bool {
    line.strip_prefix(['$', '*']).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}
