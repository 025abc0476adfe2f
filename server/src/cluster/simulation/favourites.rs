//! A planner without a ring: the least that moves when nodes come and go, for any number of slots.

use rondache_protocol::bus::identity::Identity;
use xxhash_rust::xxh3::xxh3_64;

use crate::cluster::{coordinator::plan::Planner, member::MemberInfo, table::SlotTable};

/// The nodes that a slot likes best, by a hash: the least that moves when nodes come and go.
pub(in crate::cluster) struct Favourites;

impl Planner for Favourites {
    fn plan(&self, members: &[&MemberInfo], table: &SlotTable, copies: usize) -> Vec<Vec<Identity>> {
        let nodes: Vec<Identity> =
            members.iter().filter(|member| !member.is_leaving).map(|member| member.identity).collect();
        let liking = |slot: u16, node: &Identity| xxh3_64(format!("{slot} {node:?}").as_bytes());
        let favourites = |slot| {
            let mut nodes = nodes.clone();
            nodes.sort_by_key(|node| liking(slot, node));
            nodes.truncate(copies + 1);
            nodes
        };
        (0..table.slots()).map(favourites).collect()
    }
}
