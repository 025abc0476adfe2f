//! A data plane that takes every order, and views, for tests of single steps.

use std::sync::Arc;

use rondache_protocol::bus::identity::Identity;

use crate::cluster::{
    member::{Health, Member, MemberInfo, View},
    plane::{DataPlane, Follow, Position, Row, Start},
};

/// Takes every order, and remembers some.
#[derive(Debug, Default)]
pub(super) struct Obedient {
    /// How far every slot has come.
    pub(super) position: Position,
    /// What it began to own, and in which epoch.
    pub(super) owned: Vec<(u16, u64)>,
    /// The copies that it began.
    pub(super) copying: Vec<(u16, Identity)>,
}

impl DataPlane for Obedient {
    fn own(&mut self, slot: u16, epoch: u64, _: Start, _: &[Identity]) {
        self.owned.push((slot, epoch));
    }

    fn follow(&mut self, _: u16, _: u64, _: Option<Identity>, _: Follow) {}

    fn start_copy(&mut self, slot: u16, to: Identity) {
        self.copying.push((slot, to));
    }

    fn stop_copy(&mut self, _: u16, _: Identity) {}
    fn park(&mut self, _: u16) {}
    fn unpark(&mut self, _: u16) {}
    fn grant(&mut self, _: &Row) {}

    fn position(&self, _: u16) -> Position {
        self.position
    }
}

/// The view of one who believes this of these members.
pub(super) fn see<const N: usize>(members: [(&MemberInfo, Health); N]) -> Arc<View> {
    let members = members.map(|(info, health)| (info.identity.id, Member { info: info.clone(), health }));
    Arc::new(View { version: 1, members: members.into() })
}
