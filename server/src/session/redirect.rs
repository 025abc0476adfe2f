//! The redirect port's rules, which are Redis Cluster's: all keys of a command in one slot, and each slot only at its owner; whoever asks
//! elsewhere is told where (`MOVED`), and asks there from then on. `ASK` never occurs.
//!
//! The look at the route happens while the slot's shard is held, so that what it finds stays true until the command has run.

use rondache_protocol::{
    command::{CommandSpec, Flags, keys_of},
    slot::slot_of,
};

use super::{
    Session,
    execute::{Executor, Planned, named_subcommand},
};
use crate::{
    cluster::{forward::error::ForwardFailure, routing::Route},
    command::{CommandError, CommandResult, args::Args, ctx::HashedKeys},
    node::Node,
    store::keyspace::ExpiryRole,
};

/// Keys of more than one slot, in Redis's words.
pub(crate) const CROSS_SLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";

/// What the redirect port does with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It runs here: the slot is this node's own, or there is no key.
    Here,
    /// It runs here on a copy: it only reads, and the client said READONLY.
    OnCopy,
    /// It waits or is forwarded, since the slot is between owners or has just moved.
    Proxied(u16),
    /// It is refused: `MOVED`, `CROSSSLOT`.
    Refused(CommandError),
}

/// Where a command belongs whose keys are all in `slot`.
pub(crate) fn place_of(node: &Node, session: &Session, flags: Flags, slot: u16, now_ms: u64) -> Place {
    let routing = &node.cluster.routing;
    let peer = match routing.route(slot) {
        Route::Mine => return Place::Here,
        Route::Parked | Route::Down => return Place::Proxied(slot),
        Route::Peer(peer) => peer,
    };
    if session.reads_copies && flags.contains(Flags::READONLY) && routing.is_copy(slot) {
        return Place::OnCopy;
    }
    match routing.peer(peer) {
        Some(peer) if !peer.is_dead && !node.cluster.grace.covers(slot, now_ms) => {
            Place::Refused(CommandError::Other(format!("MOVED {slot} {}", peer.addrs.redirect).into()))
        }
        // Nobody can be named: who takes over is about to be known.
        _ => Place::Proxied(slot),
    }
}

/// The one slot of a command's keys; `None`: it names none.
///
/// # Errors
/// There are several.
pub(crate) fn only_slot(
    spec: &'static CommandSpec,
    args: &Args<'_>,
    hashed: &HashedKeys<'_>,
) -> Result<Option<u16>, CommandError> {
    if spec.single_key
        && let Some(first) = &hashed.first
    {
        return Ok(Some(first.slot));
    }
    if !hashed.all.is_empty() {
        return same(hashed.all.iter().map(|key| key.slot));
    }
    let spec = named_subcommand(spec, args);
    if spec.keys.is_empty() {
        return Ok(None);
    }
    // Keys that can't be told are the handler's to refuse.
    let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
    same(found.iter().map(|key| slot_of(args.get(key.index))))
}

fn same(mut slots: impl Iterator<Item = u16>) -> Result<Option<u16>, CommandError> {
    let Some(first) = slots.next() else { return Ok(None) };
    if slots.all(|slot| slot == first) { Ok(Some(first)) } else { Err(CommandError::coded(CROSS_SLOT)) }
}

impl Executor<'_, '_> {
    /// Applies the redirect port's rules to a command whose shards are held. On a copy, what has expired is hidden and
    /// not deleted; the caller puts the role back behind the command. `Some`: it goes to the owner of that slot, or waits
    /// for there to be one, as on the main port.
    pub(super) fn check_redirect(
        &mut self,
        session: &Session,
        spec: &'static CommandSpec,
        planned: &Planned<'_>,
    ) -> Result<Option<u16>, CommandError> {
        let Some(slot) = only_slot(spec, &planned.args, &planned.hashed)? else { return Ok(None) };
        match place_of(self.node, session, named_subcommand(spec, &planned.args).flags, slot, self.ks.now_ms()) {
            // An earlier request of the batch waits for the slot's owner, and must not be overtaken.
            Place::Here | Place::OnCopy if self.refused.contains(slot) => Ok(Some(slot)),
            Place::Here => Ok(None),
            Place::OnCopy => {
                self.ks.expiry_role = ExpiryRole::Copy;
                Ok(None)
            }
            Place::Proxied(slot) => Ok(Some(slot)),
            Place::Refused(error) => Err(error),
        }
    }

    /// Applies the rules to a command that is about to be queued, or to the queue as it is about to run: all in one slot,
    /// and that slot here.
    pub(super) fn check_redirect_queued<'a>(
        &self,
        session: &Session,
        commands: impl Iterator<Item = (&'static CommandSpec, Args<'a>)>,
    ) -> CommandResult {
        let (mut only, mut writes) = (None, false);
        for (spec, args) in commands {
            let Some(slot) = only_slot(spec, &args, &HashedKeys::default())? else { continue };
            if *only.get_or_insert(slot) != slot {
                return Err(CommandError::coded(CROSS_SLOT));
            }
            writes |= !named_subcommand(spec, &args).flags.contains(Flags::READONLY);
        }
        let Some(slot) = only else { return Ok(()) };
        let flags = if writes { Flags::WRITE } else { Flags::READONLY };
        match place_of(self.node, session, flags, slot, self.ks.now_ms()) {
            Place::Here | Place::OnCopy => Ok(()),
            Place::Proxied(slot) => Err(why_proxied(self.node, slot)),
            Place::Refused(error) => Err(error),
        }
    }
}

/// Why a transaction can't begin, or run, that would wait for its slot's owner. Nothing was executed.
fn why_proxied(node: &Node, slot: u16) -> CommandError {
    match node.cluster.routing.route(slot) {
        Route::Down => ForwardFailure::Down.into(),
        _ => CommandError::Other(format!("TRYAGAIN slot {slot} is between owners; nothing was executed").into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        cluster::{
            member::Addrs,
            routing::{Peer, Route},
        },
        session::harness::Harness,
    };
    use rondache_protocol::{
        bus::identity::{Identity, NodeId},
        slot::slot_of,
    };

    /// A redirecting connection to a node that shares the slots with one other: that of `theirs` is the other's.
    fn sharing(theirs: &str, is_copy: bool) -> Harness {
        let harness = Harness::redirecting();
        let at = |port| ([127, 0, 0, 1], port).into();
        let peer = Peer {
            identity: Identity { generation: 1, id: NodeId(7) },
            addrs: Addrs { client: at(7001), redirect: at(8001), bus: at(17_001), admin: at(9001) },
            is_dead: false,
        };
        let routing = &harness.node().cluster.routing;
        let index = routing.put_peer(peer).unwrap();
        routing.set(slot_of(theirs.as_bytes()), Route::Peer(index), is_copy);
        routing.set_clustered(true);
        harness
    }

    #[test]
    fn a_key_of_another_node_is_redirected_to_its_redirect_port() {
        let mut harness = sharing("foo", false);
        assert_eq!(harness.run("SET foo 1"), "-MOVED 12182 127.0.0.1:8001|");
        assert_eq!(harness.run("MGET foo foo"), "-MOVED 12182 127.0.0.1:8001|");
        assert_eq!(harness.run("OBJECT ENCODING foo"), "-MOVED 12182 127.0.0.1:8001|");
        assert_eq!(harness.run("SET bar 1"), "+OK|");
        assert_eq!(harness.run("PING"), "+PONG|");
    }

    #[test]
    fn keys_of_several_slots_are_refused_even_where_all_are_ours() {
        let mut harness = Harness::redirecting();
        for line in ["MGET a b", "MSET a 1 b 2", "DEL a b", "SUNION a b", "ZUNION 2 a b", "RENAME a b"] {
            assert!(harness.run(line).starts_with("-CROSSSLOT "), "{line}");
        }
        assert_eq!(harness.run("MSET {t}a 1 {t}b 2"), "+OK|");
    }

    #[test]
    fn a_slot_between_owners_is_not_redirected() {
        let mut harness = sharing("bar", false);
        harness.node().cluster.routing.set(slot_of(b"foo"), Route::Parked, false);
        assert!(harness.run("GET foo").starts_with("-TRYAGAIN "));
        harness.node().cluster.grace.begin(slot_of(b"bar"), u64::MAX);
        assert!(harness.run("GET bar").starts_with("-TRYAGAIN "));
    }

    #[test]
    fn a_copy_is_read_where_the_client_asked_for_it() {
        let mut harness = sharing("foo", true);
        assert!(harness.run("GET foo").starts_with("-MOVED "));
        assert_eq!(harness.run("READONLY"), "+OK|");
        assert_eq!(harness.run("GET foo"), "$-1|");
        assert!(harness.run("SET foo 1").starts_with("-MOVED "));
        assert_eq!(harness.run("READWRITE"), "+OK|");
        assert!(harness.run("GET foo").starts_with("-MOVED "));
    }

    #[test]
    fn a_transaction_stays_in_one_slot_of_ours() {
        let mut harness = sharing("foo", false);
        harness.run("MULTI");
        assert!(harness.run("SET foo 1").starts_with("-MOVED "));
        assert!(harness.run("EXEC").starts_with("-EXECABORT "));
        harness.run("MULTI");
        assert_eq!(harness.run("SET a 1"), "+QUEUED|");
        assert_eq!(harness.run("SET b 1"), "+QUEUED|");
        assert!(harness.run("EXEC").starts_with("-CROSSSLOT "));
        harness.run("MULTI");
        assert_eq!(harness.run("SET {a}1 1"), "+QUEUED|");
        assert_eq!(harness.run("SET {a}2 1"), "+QUEUED|");
        assert_eq!(harness.call("EXEC"), "+OK +OK");
    }

    #[test]
    fn a_transaction_on_a_slot_between_owners_is_to_be_tried_again_and_one_on_a_slot_that_is_down_is_not() {
        let mut harness = sharing("bar", false);
        harness.node().cluster.routing.set(slot_of(b"foo"), Route::Down, false);
        for (refuses, code) in [(false, "-TRYAGAIN "), (true, "-CLUSTERDOWN Hash slot not served")] {
            harness.node().cluster.routing.set_refuses(refuses);
            harness.run("MULTI");
            let refusal = harness.run("SET foo 1");
            assert!(refusal.starts_with(code), "{refusal}");
            assert!(harness.run("EXEC").starts_with("-EXECABORT "));
        }
    }

    #[test]
    fn a_transaction_whose_slot_goes_down_before_it_runs_is_refused_and_so_are_writes_to_our_own_slots() {
        let mut harness = sharing("bar", false);
        harness.node().cluster.routing.set_refuses(true);
        harness.run("MULTI");
        assert_eq!(harness.run("SET foo 1"), "+QUEUED|");
        let refusal = harness.run("EXEC");
        assert!(refusal.starts_with("-CLUSTERDOWN The cluster is down and only accepts read commands"), "{refusal}");
        harness.run("MULTI");
        assert_eq!(harness.run("SET foo 1"), "+QUEUED|");
        harness.node().cluster.routing.set(slot_of(b"foo"), Route::Down, false);
        let refusal = harness.run("EXEC");
        assert!(refusal.starts_with("-CLUSTERDOWN Hash slot not served"), "{refusal}");
    }

    #[test]
    fn only_the_first_database_is_there() {
        let mut harness = Harness::redirecting();
        assert_eq!(harness.run("SELECT 0"), "+OK|");
        assert!(harness.run("SELECT 1").starts_with("-ERR SELECT is not allowed"));
        assert!(harness.run("SWAPDB 0 1").starts_with("-ERR SWAPDB is not allowed"));
        assert!(harness.run("MOVE k 1").starts_with("-ERR MOVE is not allowed"));
    }
}
