//! Batches: all complete requests of a read are parsed first, their keys hashed and prefetched, and then they run in order.
//!
//! Waiting for memory is what a cache does most. With one request at a time each lookup waits for its bucket and then
//! for its entry; in a batch the loads of up to [`BATCH_LEN_MAX`] requests overlap.

use rondache_protocol::{
    bus::forward::Status,
    command::{CommandSpec, Flags},
    resp::request::{ArgRange, ProtocolError, RequestParser, Step},
};

use super::{
    Session,
    away::Away,
    blocking,
    client::LastCommand,
    collect::{self, Joined},
    execute::{Executor, Flow, Planned},
};
use crate::{
    cluster::forward::error::ForwardFailure,
    command::{
        CommandError,
        args::{Args, OwnedArgs},
        ctx::{HashedKey, HashedKeys},
        registry,
    },
    store::SHARDS,
};

/// How many requests are parsed ahead of execution.
pub const BATCH_LEN_MAX: usize = 64;

/// How many keys of commands with several keys are loaded ahead: more would push each other out of the cache.
const PREFETCHED_KEYS_MAX: usize = 1024;

/// A command with more arguments is not looked into ahead, so that the room for keys stays small.
const PLANNED_ARGS_MAX: usize = 4096;

/// Replies beyond this many bytes are sent before more requests run.
pub const REPLY_BYTES_MAX: usize = 256 * 1024;

/// What running a batch ended with.
#[derive(Debug)]
pub enum BatchEnd {
    /// Every complete request has run; more bytes are needed.
    Drained,
    /// The replies should be sent before going on.
    Flush,
    /// Other nodes must answer before more requests may run.
    Away,
    /// A command waits.
    Blocked(blocking::Blocked),
    /// CLIENT PAUSE holds the next command back.
    Paused,
    /// The connection is to be closed after the replies.
    Close,
}

/// A parsed request.
#[derive(Clone, Copy)]
struct Parsed {
    args_from: u32,
    args_to: u32,
    /// Offset behind the request.
    end: u32,
    /// Index in the command table, or [`UNKNOWN`].
    command: u16,
    slot: u16,
    /// The first key's argument index; 0: the command names none.
    key_index: u16,
    hash: u64,
    /// Where the keys stand of a command that names several; an empty range for any other.
    keys_from: u32,
    keys_to: u32,
}

const UNKNOWN: u16 = u16::MAX;

/// Room for a batch, reused by all connections of a worker.
#[derive(Default)]
pub struct Batch {
    args: Vec<ArgRange>,
    requests: Vec<Parsed>,
    /// The keys of the requests that name several.
    keys: Vec<HashedKey>,
}

impl Batch {
    /// Runs the requests in `buf` from `*from` on, moves `*from` behind what has run, and appends the replies to `out`.
    #[expect(clippy::too_many_arguments, reason = "each is borrowed from another part of the connection")]
    pub(crate) fn run(
        &mut self,
        executor: &mut Executor<'_, '_>,
        session: &mut Session,
        parser: &mut RequestParser,
        buf: &[u8],
        from: &mut usize,
        out: &mut Vec<u8>,
        away: &mut Away<'_>,
    ) -> BatchEnd {
        loop {
            let stop = self.parse(executor, parser, buf, *from);
            self.prefetch_entries(executor);
            if let Some(end) = self.execute(executor, session, parser, buf, from, out, away) {
                return end;
            }
            match stop {
                Stop::Full => {}
                Stop::Incomplete => return BatchEnd::Drained,
                Stop::Inline(args, end) => match run_inline(executor, session, &args, out, away) {
                    Some(held @ (BatchEnd::Paused | BatchEnd::Flush)) => {
                        parser.restart();
                        return held;
                    }
                    batch_end => {
                        *from = end;
                        if let Some(batch_end) = batch_end {
                            return batch_end;
                        }
                    }
                },
                Stop::Malformed(error) => {
                    executor.reply(session, out).error(CommandError::from(error).to_string());
                    return BatchEnd::Close;
                }
            }
            if out.len() >= away.full_at() {
                return BatchEnd::Flush;
            }
        }
    }

    /// Parses ahead and starts loading the buckets.
    fn parse(&mut self, executor: &Executor<'_, '_>, parser: &mut RequestParser, buf: &[u8], from: usize) -> Stop {
        self.args.clear();
        self.requests.clear();
        self.keys.clear();
        let mut at = from;
        while self.requests.len() < BATCH_LEN_MAX {
            let args_from = self.args.len();
            match parser.next(buf, at, &mut self.args) {
                Ok(Step::Request { end, .. }) => {
                    at = end;
                    let args = Args::new(buf, &self.args[args_from..]);
                    let mut parsed = Parsed {
                        args_from: args_from as u32,
                        args_to: self.args.len() as u32,
                        end: end as u32,
                        command: UNKNOWN,
                        slot: 0,
                        key_index: 0,
                        hash: 0,
                        keys_from: 0,
                        keys_to: 0,
                    };
                    plan(executor, &mut parsed, &args, &mut self.keys);
                    self.requests.push(parsed);
                }
                Ok(Step::Inline { args, end }) => return Stop::Inline(OwnedArgs::from_parts(args), end),
                Ok(Step::Incomplete) => return Stop::Incomplete,
                Err(error) => return Stop::Malformed(error),
            }
        }
        Stop::Full
    }

    fn prefetch_entries(&self, executor: &Executor<'_, '_>) {
        if self.requests.len() < 2 && self.keys.len() < 2 {
            return;
        }
        let pinned = crossbeam_epoch::pin();
        for request in &self.requests {
            if request.key_index != 0 {
                executor.node.store.prefetch_entry(request.hash, usize::from(request.slot) % SHARDS, &pinned);
            }
        }
        for key in self.keys.iter().take(PREFETCHED_KEYS_MAX) {
            executor.node.store.prefetch_entry(key.hash, usize::from(key.slot) % SHARDS, &pinned);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is borrowed from another part of the connection")]
    fn execute(
        &self,
        executor: &mut Executor<'_, '_>,
        session: &mut Session,
        parser: &mut RequestParser,
        buf: &[u8],
        from: &mut usize,
        out: &mut Vec<u8>,
        away: &mut Away<'_>,
    ) -> Option<BatchEnd> {
        let full_at = away.full_at();
        let mut ran = Ran::default();
        for request in &self.requests {
            let begin = std::mem::replace(from, request.end as usize);
            if request.args_from == request.args_to {
                continue;
            }
            let planned = Planned {
                args: Args::new(buf, &self.args[request.args_from as usize..request.args_to as usize]),
                index: (request.command != UNKNOWN).then_some(request.command),
                hashed: HashedKeys {
                    first: (request.key_index != 0).then_some(HashedKey {
                        index: usize::from(request.key_index),
                        hash: request.hash,
                        slot: request.slot,
                    }),
                    all: &self.keys[request.keys_from as usize..request.keys_to as usize],
                },
            };
            let flow = run_one(executor, session, &planned, buf.get(begin..request.end as usize), out, away);
            let end = match flow {
                Ended::Next if session.closes => Some(BatchEnd::Close),
                Ended::Next if out.len() >= full_at => Some(BatchEnd::Flush),
                Ended::Next => None,
                Ended::Batch(end) => Some(end),
                Ended::Before(end) => {
                    *from = begin;
                    Some(end)
                }
            };
            if *from != begin {
                ran.add(&planned);
            }
            if end.is_some() {
                ran.note(session);
                // What was parsed ahead is parsed again later: the parser must not keep a place behind it.
                parser.restart();
                return end;
            }
        }
        ran.note(session);
        None
    }
}

/// How a batch goes on after a request.
enum Ended {
    /// With the next.
    Next,
    /// Not at all.
    Batch(BatchEnd),
    /// Not at all, and the request was not touched.
    Before(BatchEnd),
}

/// Runs a request, or lets it go where it can be run.
#[inline]
fn run_one(
    executor: &mut Executor<'_, '_>,
    session: &mut Session,
    planned: &Planned<'_>,
    raw: Option<&[u8]>,
    out: &mut Vec<u8>,
    away: &mut Away<'_>,
) -> Ended {
    if let Away::Serve(served) = away {
        executor.serve(served);
    }
    match executor.run(session, planned, out) {
        Flow::Next => {
            if let Away::Serve(served) = away {
                served.ends.push((Status::Done, out.len()));
            }
            Ended::Next
        }
        Flow::Blocked(blocked) => Ended::Batch(BatchEnd::Blocked(blocked)),
        Flow::Paused => Ended::Before(BatchEnd::Paused),
        Flow::Elsewhere(place) => match away {
            Away::Collect(wave) => match collect::join(executor, session, planned, place, raw, out.len(), wave) {
                Joined::Next => Ended::Next,
                Joined::Last => Ended::Batch(BatchEnd::Away),
                Joined::NotYet => Ended::Before(BatchEnd::Flush),
            },
            Away::Serve(served) => {
                executor.refuse(place);
                let lacks_copies = std::mem::take(&mut executor.lacks_copies);
                let status = if lacks_copies { Status::TooFewCopies } else { Status::NotMine };
                served.ends.push((status, out.len()));
                Ended::Next
            }
            // A node that is alone owns every slot; this is for the moment in which it ceases to be alone.
            Away::Alone => {
                let failure = CommandError::from(ForwardFailure::BetweenOwners);
                executor.reply(session, out).error(failure.to_string());
                Ended::Next
            }
        },
        Flow::Unknown => {
            if let Away::Serve(served) = away {
                served.ends.push((Status::Unknown, out.len()));
            }
            Ended::Next
        }
    }
}

/// What a batch has run so far, for CLIENT LIST.
#[derive(Default)]
struct Ran<'a> {
    count: u64,
    last: Option<(u16, Args<'a>)>,
}

impl<'a> Ran<'a> {
    #[inline]
    fn add(&mut self, planned: &Planned<'a>) {
        self.count += 1;
        self.last = planned.index.map(|index| (index, planned.args)).or(self.last);
    }

    fn note(&self, session: &Session) {
        if let Some((index, args)) = &self.last {
            session.client.note_commands(self.count, LastCommand::of(*index, args));
        }
    }
}

/// Why parsing stopped.
enum Stop {
    Full,
    Incomplete,
    Inline(OwnedArgs, usize),
    Malformed(ProtocolError),
}

#[inline]
fn plan(executor: &Executor<'_, '_>, parsed: &mut Parsed, args: &Args<'_>, keys: &mut Vec<HashedKey>) {
    let Some(index) = rondache_protocol::command::lookup(args.get(0)) else { return };
    parsed.command = index;
    let Some(command) = registry::by_index(index) else { return };
    let key_index = command.spec.first_key;
    if key_index > 0 && args.len() > key_index as usize {
        let key = executor.node.store.key(args.get(key_index as usize));
        (parsed.key_index, parsed.hash, parsed.slot) = (key_index as u16, key.hash, key.slot);
        executor.node.store.prefetch_bucket(&key);
        if command.spec.flags.contains(Flags::WRITE) {
            executor.node.store.prefetch_slot(key.slot);
        }
        if !command.spec.single_key && command.spec.has_plain_keys() && args.len() <= PLANNED_ARGS_MAX {
            parsed.keys_from = keys.len() as u32;
            plan_keys(executor, command.spec, args, keys);
            parsed.keys_to = keys.len() as u32;
        }
    }
}

/// Hashes all keys of a command that names several in a row, and starts loading their buckets.
fn plan_keys(executor: &Executor<'_, '_>, spec: &CommandSpec, args: &Args<'_>, keys: &mut Vec<HashedKey>) {
    let store = &executor.node.store;
    for index in spec.legacy_keys.indexes(args.len()) {
        let key = store.key(args.get(index));
        if keys.len() < PREFETCHED_KEYS_MAX {
            store.prefetch_bucket(&key);
        }
        keys.push(HashedKey { index, hash: key.hash, slot: key.slot });
    }
}

fn run_inline(
    executor: &mut Executor<'_, '_>,
    session: &mut Session,
    args: &OwnedArgs,
    out: &mut Vec<u8>,
    away: &mut Away<'_>,
) -> Option<BatchEnd> {
    let args = args.as_args();
    if args.len() == 0 {
        return None;
    }
    let index = rondache_protocol::command::lookup(args.get(0));
    let planned = Planned { args, index, hashed: HashedKeys::default() };
    let ended = run_one(executor, session, &planned, None, out, away);
    if !matches!(ended, Ended::Before(_)) {
        let mut ran = Ran::default();
        ran.add(&planned);
        ran.note(session);
    }
    match ended {
        Ended::Batch(end) | Ended::Before(end) => Some(end),
        Ended::Next => session.closes.then_some(BatchEnd::Close),
    }
}
