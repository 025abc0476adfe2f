//! Where a command has to go, by its keys.

use rondache_protocol::{
    command::{CommandSpec, Flags, for_each_key},
    slot::slot_of,
};

use super::Cmd;
use crate::error::RequestError;

/// Where a command has to go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    /// To the owner of this slot.
    Slot(u16),
    /// To any node: it has no keys.
    Any,
    /// To several owners: it has keys in different slots, and can be split.
    Split,
}

/// How the replies of a split command become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The elements take the places of their keys.
    Positions,
    /// Integers are added.
    Sum,
    /// All said OK.
    AllOk,
}

/// A command that was split by slot.
pub(crate) struct Split {
    /// The parts, each with the number of every key among all keys.
    pub(crate) parts: Vec<(Cmd, Vec<usize>)>,
    pub(crate) merge: Merge,
    pub(crate) keys: usize,
}

impl Cmd {
    /// The slot of the command's keys; `None` if it has none, or keys in several slots.
    #[must_use]
    pub fn slot(&self) -> Option<u16> {
        match self.routing() {
            Ok(Routing::Slot(slot)) => Some(slot),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn routing(&self) -> Result<Routing, RequestError> {
        let Some(spec) = self.parent_spec() else {
            return Ok(Routing::Any);
        };
        // By far the most calls: one key, where the table says.
        if spec.single_key && spec.first_key > 0 {
            let key = self.get(usize::try_from(spec.first_key).unwrap_or(0));
            return key.map(|key| Routing::Slot(slot_of(key))).ok_or_else(|| self.wrong_arguments());
        }
        self.routing_of_many(spec)
    }

    fn routing_of_many(&self, spec: &'static CommandSpec) -> Result<Routing, RequestError> {
        let args: Vec<&[u8]> = self.iter().collect();
        // The key positions of a subcommand are those in the whole call.
        let spec = args.get(1).and_then(|name| spec.subcommand(name)).map_or(spec, |(_, sub)| sub);
        let (mut slot, mut differ) = (None, false);
        let arg = |index: usize| args.get(index).copied().unwrap_or_default();
        for_each_key(spec, args.len(), arg, |key| {
            let found = slot_of(arg(key.index));
            differ |= *slot.get_or_insert(found) != found;
        })
        .map_err(|_| self.wrong_arguments())?;
        match slot {
            None => Ok(Routing::Any),
            Some(slot) if !differ => Ok(Routing::Slot(slot)),
            Some(_) if merge_of(spec).is_some() => Ok(Routing::Split),
            Some(_) => Err(RequestError::CrossSlot(String::from_utf8_lossy(self.name()).into_owned())),
        }
    }

    /// The parts of a command whose routing is [`Routing::Split`], one a slot.
    pub(crate) fn split(&self) -> Result<Split, RequestError> {
        let wrong = || self.wrong_arguments();
        let spec = self.parent_spec().ok_or_else(wrong)?;
        let merge = merge_of(spec).ok_or_else(wrong)?;
        let first = usize::try_from(spec.legacy_keys.first).map_err(|_| wrong())?.max(1);
        let step = usize::try_from(spec.legacy_keys.step).map_err(|_| wrong())?.max(1);
        let args: Vec<&[u8]> = self.iter().skip(first).collect();
        if !args.len().is_multiple_of(step) {
            return Err(wrong());
        }
        let mut order: Vec<(u16, usize)> = Vec::with_capacity(args.len() / step);
        for (position, entry) in args.chunks(step).enumerate() {
            order.push((entry.first().map_or(0, |key| slot_of(key)), position));
        }
        // Stable by position, so that of a key that is named twice the later value wins here too.
        order.sort_unstable();
        let name = String::from_utf8_lossy(self.name());
        let mut parts: Vec<(Cmd, Vec<usize>)> = Vec::new();
        for run in order.chunk_by(|a, b| a.0 == b.0) {
            let mut cmd = Cmd::new(&name);
            for (_, position) in run {
                args.iter().skip(position * step).take(step).for_each(|arg| cmd.push(arg));
            }
            parts.push((cmd, run.iter().map(|(_, position)| *position).collect()));
        }
        Ok(Split { parts, merge, keys: order.len() })
    }

    fn wrong_arguments(&self) -> RequestError {
        RequestError::Arguments(String::from_utf8_lossy(self.name()).into_owned())
    }

    /// Refuses commands that would change a connection under those that share it.
    pub(crate) fn check_shareable(&self) -> Result<(), RequestError> {
        // Of the commands with keys only WATCH does that, and it has several.
        if self.parent_spec().is_none_or(|spec| spec.single_key) {
            return Ok(());
        }
        let is = |word: &str| self.name().eq_ignore_ascii_case(word.as_bytes());
        let refuse = |why| Err(RequestError::ChangesConnection(String::from_utf8_lossy(self.name()).into_owned(), why));
        let flags = self.spec().map_or(Flags::empty(), |spec| spec.flags);
        if is("multi") || is("exec") || is("discard") || is("watch") || is("unwatch") {
            return refuse("use Client::transaction");
        }
        let subscribes =
            ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe", "monitor"];
        if flags.contains(Flags::PUBSUB) && subscribes.into_iter().any(is) || is("monitor") {
            return refuse("use Client::subscribe and its kin");
        }
        if is("hello") || is("auth") || is("select") || is("reset") || is("quit") {
            return refuse("set it when the client is built");
        }
        let sub_is = |word: &str| self.get(1).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        if is("client") && (sub_is("reply") || sub_is("tracking") || sub_is("caching")) {
            return refuse("the client does that itself");
        }
        Ok(())
    }
}

/// How a command's parts are put together, if it may be split at all: the table's tips for cluster clients say so.
fn merge_of(spec: &CommandSpec) -> Option<Merge> {
    let has = |tip: &str| spec.tips.contains(&tip);
    if !has("request_policy:multi_shard") {
        return None;
    }
    Some(match () {
        () if has("response_policy:agg_sum") => Merge::Sum,
        () if has("response_policy:all_succeeded") => Merge::AllOk,
        () => Merge::Positions,
    })
}
