//! Where a command runs, on a node that has met others: here, at the owner of its slot, or in parts at several.

use rondache_protocol::{
    command::{CommandSpec, Flags, Group, KeyAccess, for_each_key},
    slot::{SLOTS, slot_of},
};

use super::execute::{Executor, Planned, named_subcommand};
use crate::{
    cluster::forward::{gather::Combine, slot_set::SlotSet},
    command::{CommandError, args::Args, generic},
    store::scan::SlotCursor,
};

/// The words that clients of Redis Cluster look for.
const CROSS_SLOT: CommandError = CommandError::coded("CROSSSLOT Keys in request don't hash to the same slot");

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this node.
    Here,
    /// At the owner of this slot, which is another node or was to be found out when an earlier request asked.
    Owner(u16),
    /// At the owner of this slot, as one transaction.
    Unit(u16),
    /// In parts, one per slot.
    Split(Split),
    /// On every node.
    Everywhere(Combine),
}

/// A command that works on each of its keys by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// How the parts' replies become one.
    pub(crate) combine: Combine,
    /// Arguments per key.
    pub(crate) step: usize,
}

/// How to split a command over slots; `None`: it can't be.
pub(crate) fn split_of(spec: &CommandSpec, argc: usize) -> Option<Split> {
    let (combine, step) = match spec.name {
        "mget" => (Combine::Places, 1),
        // One argument too few is the handler's to complain of.
        "mset" if argc % 2 == 1 => (Combine::Ok, 2),
        "del" | "unlink" | "exists" | "touch" => (Combine::Sum, 1),
        _ => return None,
    };
    Some(Split { combine, step })
}

/// The slots of a command's keys, as far as routing cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Slots {
    /// It has no keys.
    #[default]
    None,
    /// They are all in one.
    One(u16),
    /// They are in several.
    Many,
}

impl Slots {
    pub(crate) fn add(&mut self, slot: u16) {
        *self = match *self {
            Self::None => Self::One(slot),
            Self::One(one) if one == slot => Self::One(slot),
            _ => Self::Many,
        };
    }
}

/// The slots of the keys that a call names. Shard channels are none: every node hears of their messages.
pub(crate) fn slots_of(spec: &'static CommandSpec, args: &Args<'_>, mut visit: impl FnMut(u16)) -> Slots {
    let spec = named_subcommand(spec, args);
    let mut slots = Slots::None;
    if spec.first_key != 0 && spec.group != Group::PubSub {
        // Keys that can't be told are the handler's to refuse.
        let _ = for_each_key(
            spec,
            args.len(),
            |index| args.get(index),
            |key| {
                if !key.access.contains(KeyAccess::NOT_KEY) {
                    let slot = slot_of(args.get(key.index));
                    visit(slot);
                    slots.add(slot);
                }
            },
        );
    }
    slots
}

impl Executor<'_, '_> {
    /// Where a command runs. Without its shards being held the answer may be outdated at once, so it is asked again when
    /// they are.
    #[inline]
    pub(super) fn place(&self, spec: &'static CommandSpec, planned: &Planned<'_>) -> Result<Place, CommandError> {
        if spec.single_key
            && let Some(first) = &planned.hashed.first
            && spec.group != Group::PubSub
        {
            let slot = first.slot;
            return Ok(if self.runs(slot) { Place::Here } else { Place::Owner(slot) });
        }
        self.place_rarer(spec, planned)
    }

    /// Whether a slot's commands run here, as far as is known, and none of an earlier request's waits elsewhere.
    #[inline]
    fn runs(&self, slot: u16) -> bool {
        let routing = &self.node.cluster.routing;
        (routing.is_mine(slot) || self.reads_copy && routing.is_copy(slot)) && !self.refused.contains(slot)
    }

    fn place_rarer(&self, spec: &'static CommandSpec, planned: &Planned<'_>) -> Result<Place, CommandError> {
        let args = &planned.args;
        if spec.flags.contains(Flags::WHOLE_KEYSPACE)
            && let Some(place) = self.place_walk(spec, args)?
        {
            return Ok(place);
        }
        let mut runs_here = true;
        match slots_of(spec, args, |slot| runs_here &= self.runs(slot)) {
            Slots::None if spec.name == "wait" && !self.is_serving => generic::wait::place_wait(self.node, args),
            Slots::None => Ok(Place::Here),
            Slots::One(_) if runs_here => Ok(Place::Here),
            Slots::One(slot) => Ok(Place::Owner(slot)),
            Slots::Many => match split_of(spec, args.len()) {
                Some(_) if runs_here => Ok(Place::Here),
                Some(split) => Ok(Place::Split(split)),
                // Its handler complains of the number of arguments before it looks at any key.
                None if matches!(spec.name, "mset" | "msetnx") && args.len().is_multiple_of(2) => Ok(Place::Here),
                None => Err(CROSS_SLOT),
            },
        }
    }

    /// Commands that touch keys which they don't name; `None`: it goes by the keys that it names.
    fn place_walk(&self, spec: &'static CommandSpec, args: &Args<'_>) -> Result<Option<Place>, CommandError> {
        let combine = match spec.name {
            "dbsize" => Combine::Sum,
            "keys" => Combine::Concat,
            "randomkey" => Combine::First,
            "flushall" | "flushdb" => Combine::Flushed,
            "scan" => {
                let slot = SlotCursor::parse(args.get(1)).slot;
                return Ok(Some(if self.runs(slot) { Place::Here } else { Place::Owner(slot) }));
            }
            "swapdb" => {
                return Err(CommandError::err(
                    "SWAPDB is not allowed in a cluster: every node would have to swap at once",
                ));
            }
            "sort" | "sort_ro" if generic::reads_unnamed_keys(args) => {
                return Err(CommandError::err(
                    "SORT with BY or GET patterns is not allowed in a cluster: the keys that they name may be on other nodes",
                ));
            }
            _ => return Ok(None),
        };
        Ok(Some(if self.is_serving { Place::Here } else { Place::Everywhere(combine) }))
    }

    /// Where a transaction runs: all that it names, and all that its client watches here, must be in one slot.
    pub(super) fn place_unit(&self, slots: Slots) -> Result<Place, CommandError> {
        match slots {
            Slots::Many => Err(CROSS_SLOT),
            Slots::One(slot) if !self.runs(slot) => Ok(Place::Unit(slot)),
            _ => Ok(Place::Here),
        }
    }

    /// Whether a command may be queued: all of its keys must be in one slot, and it must not walk over all nodes.
    pub(super) fn check_queued(&self, spec: &'static CommandSpec, args: &Args<'_>) -> Result<(), CommandError> {
        if slots_of(spec, args, |_| {}) == Slots::Many {
            return Err(CROSS_SLOT);
        }
        let walks = spec.flags.contains(Flags::WHOLE_KEYSPACE) && spec.first_key == 0 && spec.name != "debug";
        if walks {
            return Err(CommandError::err(format_args!(
                "{} is not allowed in a transaction in a cluster: it concerns every node",
                spec.name.to_ascii_uppercase()
            )));
        }
        Ok(())
    }
}

/// Sorts the keys of a command that is to be split: for each its slot and where it stands among the keys.
pub(crate) fn keys_by_slot(args: &Args<'_>, split: Split) -> Vec<(u16, u32)> {
    let count = (args.len() - 1) / split.step;
    let mut keys: Vec<_> = (0..count).map(|at| (slot_of(args.get(1 + at * split.step)), at as u32)).collect();
    keys.sort_unstable();
    keys
}

/// Puts the slots of a split command among those whose later requests must not overtake it.
pub(crate) fn hold_back(refused: &mut SlotSet, keys: &[(u16, u32)]) {
    keys.iter().filter(|(slot, _)| *slot < SLOTS).for_each(|(slot, _)| refused.insert(*slot));
}
