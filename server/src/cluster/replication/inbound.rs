//! What is remembered of a peer's stream between its connections, and the copies that its owner may have forgotten.
//!
//! An owner tells a copy that it wants no longer (`Record::Drop`), but not one that it has lost sight of: it begins a new
//! stream later, which knows nothing of what the old one brought. Nor does one that overflows feed the copies any more that it
//! began before. A copy that no row has named by then would stay for ever.

use std::collections::BTreeMap;

use rondache_protocol::bus::replicate::{Refusal, SlotPosition};

/// A copy that was begun is dropped when its stream has had no connection, or has been another or overflowed, for so many looks, and
/// no row has named it: about so many seconds. A row that names it, and an owner who comes back, are here much sooner.
pub(super) const FORSAKEN_LOOKS: u8 = 10;

/// What is remembered of a stream.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// Which life of the stream this is; 0: its peer is gone.
    pub(super) session: u64,
    /// The last frame's position.
    pub(super) applied: u64,
    /// A record that has come in part.
    pub(super) parts: Vec<u8>,
    /// By slot, the last refusal since a copy of it began: the connection that carried it may have broken. At most one per slot.
    pub(super) refusals: BTreeMap<u16, Refused>,
    /// Copies that began. At most one per slot.
    begun: BTreeMap<u16, Begun>,
    connections: usize,
}

/// What [`rondache_protocol::bus::replicate::Ack::Refused`] tells of a slot.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) position: u64,
    pub(super) at: SlotPosition,
    pub(super) reason: Refusal,
}

#[derive(Debug)]
struct Begun {
    epoch: u64,
    /// The life of the stream that feeds it; `None`: none does.
    session: Option<u64>,
    /// For how many looks nobody has been there to finish it.
    looks: u8,
}

impl Inbound {
    /// The stream in another life, of which nothing has come.
    pub(super) fn renew(&mut self, session: u64) -> Self {
        Self { session, begun: std::mem::take(&mut self.begun), ..Self::default() }
    }

    /// The owner has thrown away frames, and with them the copies that the stream fed. Those that miss something notice by
    /// themselves; the others are forsaken, unless the owner begins them anew.
    pub(super) fn skips(&mut self) {
        self.parts.clear();
        self.begun.values_mut().for_each(|begun| begun.session = None);
    }

    pub(super) fn connected(&mut self) {
        self.connections += 1;
    }

    pub(super) fn disconnected(&mut self) {
        self.connections -= 1;
    }

    /// A copy of a slot begins.
    pub(super) fn begins(&mut self, slot: u16, epoch: u64) {
        self.refusals.remove(&slot);
        self.begun.insert(slot, Begun { epoch, session: Some(self.session), looks: 0 });
    }

    /// Looks at the copies that began, about once a second. Answers those, with their epochs, whose owner does not come back
    /// to them, each once.
    pub(super) fn look(&mut self) -> Vec<(u16, u64)> {
        let current = (self.connections > 0).then_some(self.session);
        let mut forsaken = Vec::new();
        self.begun.retain(|slot, begun| {
            let is_fed = begun.session.is_some() && begun.session == current;
            begun.looks = if is_fed { 0 } else { begun.looks + 1 };
            let is_forsaken = begun.looks >= FORSAKEN_LOOKS;
            if is_forsaken {
                forsaken.push((*slot, begun.epoch));
            }
            !is_forsaken
        });
        forsaken
    }

    /// Whether nothing is left to be remembered.
    pub(super) fn is_over(&self) -> bool {
        self.session == 0 && self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: u64 = 7;

    /// A connected stream by which a copy of slot 3 began in epoch 2.
    fn begun() -> Inbound {
        let mut inbound = Inbound { session: SESSION, ..Inbound::default() };
        inbound.connected();
        inbound.begins(3, 2);
        inbound
    }

    /// What is forsaken at the last of so many looks.
    fn looks(inbound: &mut Inbound, count: u8) -> Vec<(u16, u64)> {
        (0..count).map(|_| inbound.look()).last().unwrap_or_default()
    }

    #[test]
    fn a_copy_is_not_forsaken_while_its_stream_is_connected() {
        assert_eq!(looks(&mut begun(), 200), []);
    }

    #[test]
    fn a_copy_is_forsaken_once_after_its_stream_was_gone_for_long() {
        let mut inbound = begun();
        inbound.disconnected();
        assert_eq!(looks(&mut inbound, FORSAKEN_LOOKS - 1), []);
        assert_eq!(looks(&mut inbound, 1), [(3, 2)]);
        assert_eq!(looks(&mut inbound, FORSAKEN_LOOKS), []);
    }

    #[test]
    fn a_stream_that_comes_back_goes_on_with_its_copies() {
        let mut inbound = begun();
        inbound.disconnected();
        looks(&mut inbound, FORSAKEN_LOOKS - 1);
        inbound.connected();
        assert_eq!(looks(&mut inbound, 2 * FORSAKEN_LOOKS), []);
    }

    #[test]
    fn a_stream_in_another_life_forsakes_what_it_does_not_begin_anew() {
        let mut inbound = begun();
        inbound.begins(4, 2);
        let mut renewed = inbound.renew(SESSION + 1);
        renewed.connected();
        renewed.begins(4, 5);
        assert_eq!(looks(&mut renewed, FORSAKEN_LOOKS), [(3, 2)]);
    }

    #[test]
    fn a_stream_that_threw_something_away_forsakes_what_it_began_before() {
        let mut inbound = begun();
        inbound.skips();
        inbound.begins(4, 2);
        assert_eq!(looks(&mut inbound, FORSAKEN_LOOKS), [(3, 2)]);
        assert_eq!(looks(&mut inbound, FORSAKEN_LOOKS), []);
    }

    #[test]
    fn of_a_peer_that_is_gone_nothing_is_remembered_once_its_copies_are_looked_after() {
        let mut gone = begun().renew(0);
        assert!(!gone.is_over());
        looks(&mut gone, FORSAKEN_LOOKS);
        assert!(gone.is_over());
    }
}
