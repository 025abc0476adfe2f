//! What CLIENT TRACKING needs to know of the commands that run.

use rondache_protocol::command::{CommandSpec, Flags, keys_of, lookup};

use super::{Executor, Planned};
use crate::{
    command::{args::Args, registry},
    session::Session,
};

impl Executor<'_, '_> {
    /// Notes which keys a tracking client has read, while their shards are held: no change slips in between.
    #[cold]
    pub(super) fn remember_keys(&self, session: &Session, spec: &'static CommandSpec, args: &Args<'_>) {
        let Some(tracking) = &session.tracking else { return };
        if !spec.flags.contains(Flags::READONLY) || !tracking.remembers() {
            return;
        }
        let found = keys_of(spec, args.len(), |index| args.get(index)).unwrap_or_default();
        let hub = &self.node.hub;
        hub.tracking.remember(session.client.id, found.iter().map(|key| args.get(key.index)));
    }

    /// Notes which keys a tracking client is about to read at their owners, before it does.
    #[cold]
    pub(super) fn remember_elsewhere(&self, session: &Session, planned: &Planned<'_>) {
        let Some(command) = planned.index.and_then(registry::by_index) else { return };
        self.remember_keys(session, command.spec, &planned.args);
        for args in session.transaction.iter().flat_map(|transaction| transaction.commands()) {
            let args = args.as_args();
            if let Some(queued) = lookup(args.get(0)).and_then(registry::by_index) {
                self.remember_keys(session, queued.spec, &args);
            }
        }
    }
}
