//! How requests join the wave of their batch.

use std::time::Instant;

use rondache_protocol::{
    bus::{forward::Manner, replicate::SlotPosition},
    command::Flags,
    resp::writer::RespVersion,
};

use super::{
    Session,
    away::take_silence,
    execute::{Executor, Planned},
    placing::{Place, Slots, Split, hold_back, keys_by_slot},
    transaction,
    written::describe,
};
use crate::{
    cluster::{
        forward::{
            gather::{Combine, Gather},
            wait_for::WaitFor,
            wave::{Joining, NO_SLOT, Target, Wave},
        },
        routing::{PeerIndex, Route, Routing},
    },
    command::{args::Args, generic, registry},
};

/// What became of a request that was to join a wave.
pub(super) enum Joined {
    /// The next may join too.
    Next,
    /// It is the last: what follows must see what it did.
    Last,
    /// It goes alone: it is to be asked again when the wave is through.
    NotYet,
}

/// Lets a request join the wave of its batch. `raw` are the request's bytes where it came as an array.
pub(super) fn join(
    executor: &mut Executor<'_, '_>,
    session: &mut Session,
    planned: &Planned<'_>,
    place: Place,
    raw: Option<&[u8]>,
    at: usize,
    wave: &mut Wave,
) -> Joined {
    let flags = planned.index.and_then(registry::by_index).map_or(Flags::empty(), |command| command.spec.flags);
    let is_count = matches!(place, Place::Everywhere(Combine::Least));
    let is_blocking = flags.contains(Flags::BLOCKING) && !is_count;
    let spec = planned.index.and_then(registry::by_index).map(|command| command.spec);
    let is_watch = spec.is_some_and(|spec| spec.name == "watch");
    // Watching goes on until such a transaction has run: the client begins nothing else meanwhile.
    let keeps_watch = matches!(place, Place::Unit(_)) && executor.lacks_copies && session.watch.is_some();
    let is_last = is_blocking || keeps_watch || matches!(place, Place::Everywhere(_));
    if is_last && !wave.is_empty() {
        return Joined::NotYet;
    }
    let joining = Joining {
        slot: NO_SLOT,
        target: Target::Owner,
        manner: manner_of(session, is_blocking || is_watch),
        is_write: flags.contains(Flags::WRITE),
        is_blocking,
        is_silent: take_silence(session),
        lacks_copies: std::mem::take(&mut executor.lacks_copies),
        at,
    };
    match place {
        Place::Here => {}
        Place::Owner(slot) => {
            let joining = to_copy(executor, Joining { slot, ..joining }, wave);
            executor.refused.insert(slot);
            if is_watch {
                session.watched_elsewhere.add(slot);
            }
            match raw {
                Some(raw) => wave.push(joining, None, |requests| requests.extend_from_slice(raw)),
                None => wave.push(joining, None, |requests| write_request(planned.args.from(0), requests)),
            }
        }
        Place::Unit(slot) => {
            wave.keeps_watch = keeps_watch;
            push_unit(executor, session, Joining { slot, ..joining }, wave);
        }
        Place::Split(split) => {
            push_split(executor, &planned.args, split, joining, wave);
        }
        Place::Everywhere(Combine::Least) => {
            wave.wait = WaitFor::of(&planned.args, joining, Instant::now());
            push_count(&executor.node.cluster.routing, session, joining, wave);
        }
        Place::Everywhere(combine) => {
            if combine == Combine::Flushed {
                session.written.get_or_insert_default().note_all();
            }
            push_everywhere(&executor.node.cluster.routing, &planned.args, combine, joining, wave);
        }
    }
    if is_last { Joined::Last } else { Joined::Next }
}

/// Lets a read go to a node with a copy, where the client may be answered from one. It follows what the batch has asked of
/// the slot before: what went to the owner must be seen.
fn to_copy(executor: &Executor<'_, '_>, joining: Joining, wave: &Wave) -> Joining {
    if !executor.reads_copy {
        return joining;
    }
    let target = match executor.refused.contains(joining.slot) {
        true => wave.items.iter().rfind(|item| item.slot == joining.slot).map(|item| item.target),
        false => executor.node.cluster.read_routes.peer(joining.slot).map(Target::Copy),
    };
    match target {
        Some(target @ Target::Copy(_)) => {
            Joining { target, manner: Manner { reads_copy: true, ..joining.manner }, ..joining }
        }
        _ => joining,
    }
}

/// The open transaction, as one item.
fn push_unit(executor: &mut Executor<'_, '_>, session: &mut Session, joining: Joining, wave: &mut Wave) {
    let Some(queued) = session.transaction.take() else { return };
    executor.refused.insert(joining.slot);
    let manner = Manner {
        is_unit: true,
        is_watched: session.watch.is_some() || session.watched_elsewhere != Slots::None,
        client: if session.watched_elsewhere == Slots::None { joining.manner.client } else { session.client.id },
        ..joining.manner
    };
    let joining = Joining { manner, is_write: queued.has_any(Flags::WRITE), ..joining };
    let written = || describe(session.written.iter().flat_map(|written| written.iter()));
    wave.push(joining, None, |requests| {
        write_request([&b"MULTI"[..]].into_iter(), requests);
        for args in queued.commands() {
            let args = args.as_args();
            match args.is(0, "wait") && generic::wait::check(&args).is_ok() {
                // The other node does not know what the connection has written.
                true => write_request([args.get(0), args.get(1), written().as_bytes()].into_iter(), requests),
                false => write_request(args.from(0), requests),
            }
        }
        write_request([&b"EXEC"[..]].into_iter(), requests);
    });
    match wave.keeps_watch {
        true => transaction::end_queue(session),
        false => transaction::end(session, executor.ks),
    }
}

/// How the session's requests are to run elsewhere.
fn manner_of(session: &mut Session, needs_client: bool) -> Manner {
    let mut manner = Manner {
        db: session.db as u8,
        is_resp3: session.resp == RespVersion::V3,
        no_touch: session.no_touch,
        ..Manner::default()
    };
    // Its own changes are told apart, wherever they are made.
    manner.is_noloop = session.tracking.as_ref().is_some_and(|state| state.tracker.options.noloop);
    if needs_client || manner.is_noloop {
        manner.client = session.client.id;
        session.is_held_elsewhere = true;
    }
    manner
}

/// Writes words as a request.
pub(crate) fn write_request<'a>(words: impl ExactSizeIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    write_header(b'*', words.len(), out);
    words.for_each(|word| write_word(word, out));
}

fn write_header(kind: u8, count: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_word(word: &[u8], out: &mut Vec<u8>) {
    write_header(b'$', word.len(), out);
    out.extend_from_slice(word);
    out.extend_from_slice(b"\r\n");
}

/// One part per slot: a command of its own over the slot's keys.
fn push_split(executor: &mut Executor<'_, '_>, args: &Args<'_>, split: Split, joining: Joining, wave: &mut Wave) {
    let keys = keys_by_slot(args, split);
    let gather = wave.gathers.len() as u16;
    let mut parts = 0;
    for of_slot in keys.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((slot, _)) = of_slot.first() else { continue };
        let joining = to_copy(executor, Joining { slot: *slot, ..joining }, wave);
        wave.push(joining, Some(gather), |requests| {
            write_header(b'*', 1 + of_slot.len() * split.step, requests);
            write_word(args.get(0), requests);
            for (_, key) in of_slot {
                let first = 1 + *key as usize * split.step;
                (first..first + split.step).for_each(|index| write_word(args.get(index), requests));
            }
        });
        parts += 1;
    }
    hold_back(executor.refused, &keys);
    let places = if split.combine == Combine::Places { keys.iter().map(|(_, key)| *key).collect() } else { Vec::new() };
    wave.gathers.push(Gather { combine: split.combine, parts, places, is_resp3: joining.manner.is_resp3 });
}

/// One part per node that owns anything, and one for this node.
fn push_everywhere(routing: &Routing, args: &Args<'_>, combine: Combine, joining: Joining, wave: &mut Wave) {
    let targets = std::iter::once(Target::Here).chain(owners(routing).into_iter().map(Target::Node));
    let gather = wave.gathers.len() as u16;
    let mut parts = 0;
    for target in targets {
        wave.push(Joining { target, ..joining }, Some(gather), |requests| write_request(args.from(0), requests));
        parts += 1;
    }
    wave.gathers.push(Gather { combine, parts, places: Vec::new(), is_resp3: joining.manner.is_resp3 });
}

/// WAIT: asks each owner of slots that the connection wrote to how many copies have all of them.
pub(crate) fn push_count(routing: &Routing, session: &Session, joining: Joining, wave: &mut Wave) {
    type Slots = Vec<(u16, Option<SlotPosition>)>;
    let mut asked: Vec<(Target, Slots)> = vec![(Target::Here, Vec::new())];
    for (slot, at) in session.written.iter().flat_map(|written| written.iter()) {
        let target = match routing.route(slot) {
            Route::Peer(peer) => Target::Node(peer),
            // Where it is nobody's, this node answers that no copy has it.
            Route::Mine | Route::Parked | Route::Down => Target::Here,
        };
        match asked.iter_mut().find(|(of, _)| *of == target) {
            Some((_, slots)) => slots.push((slot, at)),
            None => asked.push((target, vec![(slot, at)])),
        }
    }
    let gather = wave.gathers.len() as u16;
    let parts = asked.len();
    for (target, slots) in asked {
        let slots = describe(slots.into_iter());
        wave.push(Joining { target, ..joining }, Some(gather), |requests| {
            write_request([&b"WAIT"[..], b"0", slots.as_bytes()].into_iter(), requests);
        });
    }
    wave.gathers.push(Gather { combine: Combine::Least, parts, places: Vec::new(), is_resp3: joining.manner.is_resp3 });
}

/// The peers that own slots.
pub(crate) fn owners(routing: &Routing) -> Vec<PeerIndex> {
    let mut owners = Vec::new();
    for slot in 0..rondache_protocol::slot::SLOTS {
        if let Route::Peer(peer) = routing.route(slot)
            && owners.last() != Some(&peer)
            && !owners.contains(&peer)
        {
            owners.push(peer);
        }
    }
    owners
}
