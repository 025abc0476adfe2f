//! What operators ask of a node's part in the cluster, where the control plane finds it: to leave, and changes of the
//! cluster's settings.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::settings::{Change, ENTRIES_MAX, Replaced, SettingsMessage, SharedSettings, put_into_force};
use crate::config::{parameters::Parameter, settings::SettingsCell};

/// Orders that wait for the control plane.
#[derive(Debug)]
pub struct Desk {
    is_leaving: AtomicBool,
    /// Guards the agreed values and what is to be told. Held while values are put into force, so that what is agreed on and what
    /// is in force never differ: first this lock, then that of the settings.
    shared: Mutex<Shared>,
    changed: Notify,
}

#[derive(Debug)]
struct Shared {
    settings: SharedSettings,
    /// Changes made here that the other members have yet to be told. Bound: one per name.
    untold: Vec<Change>,
}

impl Desk {
    pub(super) fn new(settings: SharedSettings) -> Self {
        Self {
            is_leaving: AtomicBool::new(false),
            shared: Mutex::new(Shared { settings, untold: Vec::new() }),
            changed: Notify::new(),
        }
    }

    /// Orders the node to give its slots away and to end. `false`: it was ordered before.
    pub fn order_leave(&self) -> bool {
        let is_first = !self.is_leaving.swap(true, Ordering::AcqRel);
        self.changed.notify_one();
        is_first
    }

    /// Whether the node was ordered to leave.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// Waits until there is something new here. One waiter at a time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Notes that a setting of the cluster was changed here; the value is the one in force.
    pub fn note_change(&self, parameter: &Parameter, cell: &SettingsCell) {
        let mut shared = self.shared.lock();
        let change = shared.settings.set(parameter.name, parameter.get(&cell.load()));
        shared.untold.retain(|earlier| earlier.name != change.name);
        if shared.untold.len() < ENTRIES_MAX {
            shared.untold.push(change);
        }
        self.changed.notify_one();
    }

    /// Wakes the control plane: a setting of this node alone that others should know (its weight) has changed.
    pub fn note_own_change(&self) {
        self.changed.notify_one();
    }

    /// What the other members have yet to be told; `None`: nothing.
    #[must_use]
    pub fn take_untold(&self) -> Option<SettingsMessage> {
        let untold = std::mem::take(&mut self.shared.lock().untold);
        (!untold.is_empty()).then_some(SettingsMessage { changes: untold })
    }

    /// All that is agreed on, for a member that has just been met.
    #[must_use]
    pub fn agreed(&self) -> SettingsMessage {
        self.shared.lock().settings.message()
    }

    /// A digest of what is agreed on.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.shared.lock().settings.digest()
    }

    /// Makes this node's settings those of a new cluster. A node calls it when it founds one.
    pub fn found(&self) {
        self.shared.lock().settings.found();
    }

    /// Takes what another member says, puts what won into force, and logs it. `true`: something changed, and
    /// `Node::apply_settings` is due.
    pub fn hear(&self, message: SettingsMessage, cell: &SettingsCell) -> bool {
        let replaced = {
            let mut shared = self.shared.lock();
            let won = shared.settings.merge(message);
            put_into_force(cell, &won)
        };
        for Replaced { name, own, value, is_clash } in &replaced {
            if *is_clash {
                tracing::warn!(
                    "the cluster's '{name}' is '{value}', which replaces this node's own '{own}'; to change it for all nodes, \
                     use CONFIG SET {name} on any of them"
                );
            } else {
                tracing::info!("the cluster's '{name}' is '{value}' (here it was '{own}')");
            }
        }
        !replaced.is_empty()
    }
}
