//! What differs between clusters, and how long things may take.

use rondache_protocol::slot::SLOTS;

/// What a node that sees no majority of the known members does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionPolicy {
    /// It serves, and takes over provisionally.
    #[default]
    Available,
    /// It refuses writes, and takes nothing over.
    Majority,
}

/// What a coordinator works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many slots there are. A simulation has fewer.
    pub slots: u16,
    /// How many copies each slot has besides its owner (`replicas`).
    pub copies: usize,
    /// What happens without a majority.
    pub policy: PartitionPolicy,
    /// A plan is made this long after the last change of the view: members that come or go together cost one plan.
    pub plan_debounce_ms: u64,
    /// After a change of the view, nothing moves by a plan that leaves a live member out; after this long it does.
    pub plan_wait_ms: u64,
    /// A plan is looked at again this often, and made anew where nothing has moved towards it since.
    pub plan_check_ms: u64,
    /// How long a slot's copies wait for each other's answers before the best of those known takes over.
    pub compare_ms: u64,
    /// How long a slot's commands may wait for its copies to catch up; those that have not are dropped from its row.
    pub park_ms: u64,
    /// After this long without word from the taker of a slot, its row is sent to it again; and a taker that knows it was
    /// granted a slot gives up waiting for the grant.
    pub grant_ms: u64,
    /// How long a slot without a copy is left alone before it is taken empty: a better row may be on its way.
    pub cold_wait_ms: u64,
    /// How long a row's owner may be unknown before it is held for dead.
    pub stranger_ms: u64,
    /// How long a reclaimed slot's commands wait for the other owner's answer.
    pub contest_ms: u64,
    /// How long the members must have stayed the same before provisional claims are made firm.
    pub confirm_wait_ms: u64,
    /// How often tables are compared with a random member's.
    pub digest_ms: u64,
    /// No new copy goes for this long to a member that has just lost one.
    pub lost_copy_pause_ms: u64,
    /// A member that gave this node a slot which the plan wants on that member gets nothing for this long.
    pub giver_pause_ms: u64,
    /// The most copies under way to one member.
    pub copying_per_peer_max: usize,
    /// The most slots of the whole cluster whose commands wait for a handoff at once: the fewer, the shorter each waits,
    /// and the fewer requests do. The owners share it evenly; a node that leaves has all of it.
    pub handoffs_max: usize,
    /// The most own slots compared with the plan in one tick.
    pub steps_per_tick_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: SLOTS,
            copies: 1,
            policy: PartitionPolicy::default(),
            plan_debounce_ms: 400,
            plan_wait_ms: 2_000,
            plan_check_ms: 10_000,
            compare_ms: 300,
            park_ms: 200,
            grant_ms: 1_000,
            cold_wait_ms: 500,
            stranger_ms: 5_000,
            contest_ms: 500,
            confirm_wait_ms: 1_000,
            digest_ms: 1_000,
            lost_copy_pause_ms: 200,
            giver_pause_ms: 1_000,
            copying_per_peer_max: 128,
            handoffs_max: 64,
            steps_per_tick_max: 1_024,
        }
    }
}
