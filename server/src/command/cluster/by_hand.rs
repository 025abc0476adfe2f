//! Commands with which Redis Cluster is built and repaired by hand. Here the ring is the nodes' own affair.

/// What to do instead of the subcommand; `None`: it does what its name says.
pub(super) fn instead(name: &str) -> Option<&'static str> {
    Some(match name {
        "meet" => {
            "nodes are not introduced by hand: start the node that is to join with '--join HOST:PORT', the address of any \
             member"
        }
        "forget" => {
            "members that stay dead are forgotten after 'forget-after'; to take out one that lives, use 'rondache leave --node \
             HOST:PORT'"
        }
        "reset" => {
            "a node belongs to its cluster until it ends: use 'rondache leave --node HOST:PORT', then start it without \
             '--join'"
        }
        "failover" => {
            "there is nothing to fail over: when a node dies, copies in sync take over its slots by themselves; to move a node's \
             share to others, use 'rondache leave' or 'rondache weight'"
        }
        "replicate" => {
            "no node is another's replica: each owns slots and copies others'; how many copies there are is 'CONFIG SET \
             replicas'"
        }
        "addslots" | "addslotsrange" | "delslots" | "delslotsrange" | "setslot" | "flushslots" => {
            "slots are not dealt out by hand: nodes share them by weight and move them by themselves; to give a node more or less, \
             use 'rondache weight --node HOST:PORT WEIGHT'"
        }
        "saveconfig" => "there is no cluster configuration file: members tell each other all there is to know",
        "set-config-epoch" | "bumpepoch" => "epochs are counted by the owners of slots, and cannot be set",
        _ => return None,
    })
}
