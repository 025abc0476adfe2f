//! `# Keyspace`: how many keys each database holds.

use super::Report;
use crate::command::ctx::Ctx;

pub(super) fn keyspace(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    for (db, size) in ctx.ks.db_sizes().iter().enumerate() {
        if size.keys > 0 {
            // The mean TTL would take a look at every key, and is not kept.
            report.line(format_args!("db{db}:keys={},expires={},avg_ttl=0", size.keys, size.volatile));
        }
    }
}
