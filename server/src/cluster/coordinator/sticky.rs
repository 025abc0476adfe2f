//! Plans as [`crate::cluster::plan`] makes them: a slot stays where it is as long as the load is even.

use rondache_protocol::bus::identity::Identity;

use super::plan::Planner;
use crate::cluster::{
    member::MemberInfo,
    plan::{Candidate, Placement, place},
    plane::Row,
    table::SlotTable,
};

/// The planner of real nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct StickyPlanner;

impl Planner for StickyPlanner {
    fn plan(&self, members: &[&MemberInfo], table: &SlotTable, copies: usize) -> Vec<Vec<Identity>> {
        let candidate = |info: &&MemberInfo| Candidate {
            identity: info.identity,
            weight: info.weight,
            zone: info.zone.clone(),
            is_leaving: info.is_leaving,
        };
        let nodes: Vec<Candidate> = members.iter().map(candidate).collect();
        let rows: Vec<Row> = (0..table.slots()).filter_map(|slot| table.row(slot)).collect();
        let placement = place(&nodes, &Placement::of_rows(&rows), copies);
        (0..table.slots()).map(|slot| placement.holders(slot).collect()).collect()
    }
}
