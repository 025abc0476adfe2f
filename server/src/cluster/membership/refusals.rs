//! Who found whose address refusing connections: the fast way to learn of a process's death.

use std::collections::HashMap;

use rondache_protocol::bus::identity::Identity;

/// How long a finding counts (ms).
pub(super) const FINDING_MS: u64 = 3000;

/// What was found lately. Bound: one entry per pair of members.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    found_ms: HashMap<(Identity, Identity), u64>,
}

impl Refusals {
    /// `by` found the address of `of` refusing. Whether that is news.
    pub(super) fn add(&mut self, of: Identity, by: Identity, now_ms: u64) -> bool {
        self.found_ms.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < FINDING_MS);
        self.found_ms.insert((of, by), now_ms).is_none()
    }

    /// Whether `by` has found that.
    pub(super) fn has(&self, of: Identity, by: Identity) -> bool {
        self.found_ms.contains_key(&(of, by))
    }

    /// Whether `of` is dead: two of the members who could tell have found it refusing, or the only one who could. Those
    /// whom this node (`me`) finds refusing as well cannot tell. `live` are the others, without `of` and `me`.
    pub(super) fn condemns(&self, of: Identity, me: Identity, live: impl Iterator<Item = Identity>) -> bool {
        let (mut could_tell, mut have_told) = (1, usize::from(self.has(of, me)));
        for by in live.filter(|by| !self.has(*by, me)) {
            could_tell += 1;
            have_told += usize::from(self.has(of, by));
        }
        have_told >= could_tell.min(2)
    }

    /// The life is over, or known to go on: what was found of it means nothing any more.
    pub(super) fn forget(&mut self, of: Identity) {
        self.found_ms.retain(|(found, _), _| *found != of);
    }
}

#[cfg(test)]
mod tests {
    use rondache_protocol::bus::identity::NodeId;

    use super::*;

    fn node(id: u128) -> Identity {
        Identity { generation: 1, id: NodeId(id) }
    }

    #[test]
    fn one_finding_is_enough_where_nobody_else_could_tell() {
        let mut refusals = Refusals::default();
        refusals.add(node(2), node(1), 0);
        assert!(refusals.condemns(node(2), node(1), [].into_iter()));
        assert!(!refusals.condemns(node(2), node(1), [node(3)].into_iter()));
    }

    #[test]
    fn two_members_must_agree_where_there_are_more() {
        let mut refusals = Refusals::default();
        refusals.add(node(2), node(1), 0);
        refusals.add(node(2), node(4), 10);
        assert!(refusals.condemns(node(2), node(1), [node(3), node(4)].into_iter()));
    }

    #[test]
    fn who_refuses_itself_is_not_waited_for() {
        let mut refusals = Refusals::default();
        refusals.add(node(2), node(1), 0);
        refusals.add(node(3), node(1), 0);
        assert!(refusals.condemns(node(2), node(1), [node(3)].into_iter()));
    }

    #[test]
    fn old_findings_do_not_count() {
        let mut refusals = Refusals::default();
        refusals.add(node(2), node(1), 0);
        refusals.add(node(2), node(4), FINDING_MS);
        assert!(!refusals.condemns(node(2), node(1), [node(3), node(4)].into_iter()));
    }
}
