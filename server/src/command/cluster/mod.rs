//! The cluster: <https://valkey.io/commands/?group=cluster>.
//!
//! What these commands list is each node's *redirect port*, where Redis Cluster's rules hold: so cluster clients may begin at any
//! main port, and go straight to the owners from then on.

mod by_hand;
mod describe;
mod endpoint;
mod mode;
mod nodes;
mod orders;
mod role;
mod shards;
mod slot_keys;
mod slot_stats;
mod slots;

pub(super) use role::copiers;

use super::{
    CommandError, CommandResult, args::Args, ctx::Ctx, help, registry::HandlerList, subcommand, unknown_subcommand,
};

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("asking", mode::asking),
    ("cluster", cluster),
    ("readonly", mode::readonly),
    ("readwrite", mode::readwrite),
    ("role", role::role),
];

/// `CLUSTER …`
fn cluster(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let name = subcommand(ctx.spec, args)?.name;
    if let Some(instead) = by_hand::instead(name) {
        return Err(CommandError::err(instead));
    }
    match name {
        "count-failure-reports" => nodes::count_failure_reports(ctx, args),
        "countkeysinslot" => slot_keys::count(ctx, args),
        "getkeysinslot" => slot_keys::list(ctx, args),
        "help" => {
            help::reply(ctx, args, HELP);
            Ok(())
        }
        "info" => describe::info(ctx),
        "keyslot" => slot_keys::slot_of_key(ctx, args),
        "leave" => orders::leave(ctx),
        "links" => describe::links(ctx),
        "myid" => describe::my_id(ctx),
        "myshardid" => describe::my_shard_id(ctx),
        "nodes" => nodes::nodes(ctx),
        "replicas" | "slaves" => nodes::replicas(ctx, args),
        "shards" => shards::shards(ctx),
        "slot-stats" => slot_stats::slot_stats(ctx, args),
        "slots" => slots::slots(ctx),
        "status" => describe::status(ctx),
        "weight" => orders::weight(ctx, args),
        _ => Err(unknown_subcommand(ctx.spec, args)),
    }
}

const HELP: &[(&str, &str)] = &[
    ("COUNTKEYSINSLOT <slot>", "Count the keys in a slot of this node."),
    ("GETKEYSINSLOT <slot> <count>", "List keys in a slot of this node."),
    ("INFO", "Show the cluster's state."),
    ("KEYSLOT <key>", "Show the slot of a key."),
    ("LEAVE", "Give this node's slots to others, then end it."),
    ("LINKS", "List the connections to other nodes."),
    ("MYID", "Show this node's id."),
    ("MYSHARDID", "Show the id of this node's shard."),
    ("NODES", "List the nodes with their slots, one a line."),
    ("SHARDS", "List the owners of slots and how they are doing."),
    ("SLOTS", "List who holds which slots."),
    ("SLOT-STATS SLOTSRANGE <first> <last>", "Count the keys of slots."),
    ("SLOT-STATS ORDERBY KEY-COUNT [LIMIT <count>] [ASC|DESC]", "Find the fullest slots, or the emptiest."),
    ("STATUS", "Show all that this node knows of the cluster, as JSON."),
    ("WEIGHT [<weight>]", "Show or change this node's share against the others'."),
];

#[cfg(test)]
mod tests {
    use crate::session::harness::Harness;

    #[test]
    fn whatever_the_arguments_there_is_a_reply() {
        let vocabulary = [
            "slots",
            "nodes",
            "keyslot",
            "slot-stats",
            "orderby",
            "key-count",
            "limit",
            "asc",
            "slotsrange",
            "-1",
            "0",
            "16384",
            "99999999999999999999",
            "getkeysinslot",
            "weight",
            "replicas",
            "info",
            "shards",
            "help",
            "addslots",
        ];
        Harness::unjittered().run_nonsense(3, &super::HANDLERS[1..2], &vocabulary);
    }

    #[test]
    fn building_a_ring_by_hand_is_answered_with_what_to_do_instead() {
        let mut harness = Harness::unjittered();
        for (line, hint) in [
            ("CLUSTER MEET 127.0.0.1 7002", "--join"),
            ("CLUSTER FORGET x", "rondache leave"),
            ("CLUSTER ADDSLOTS 1", "rondache weight"),
            ("CLUSTER SETSLOT 1 NODE x", "rondache weight"),
            ("CLUSTER FAILOVER", "take over"),
            ("CLUSTER REPLICATE x", "CONFIG SET replicas"),
            ("CLUSTER RESET HARD", "rondache leave"),
            ("CLUSTER SAVECONFIG", "no cluster configuration file"),
        ] {
            let reply = harness.run(line);
            assert!(reply.starts_with("-ERR ") && reply.contains(hint), "{line}: {reply}");
        }
        assert!(harness.run("CLUSTER NONSENSE").starts_with("-ERR unknown subcommand"));
    }
}
