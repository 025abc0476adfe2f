//! `# Clients`: the connections.

use super::Report;
use crate::{command::ctx::Ctx, session::client::ClientFacts};

pub(super) fn clients(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let all = ctx.node.clients.all();
    let count = |of: &dyn Fn(&ClientFacts) -> bool| all.iter().filter(|client| of(&client.facts.lock())).count();
    let watched: usize = all.iter().map(|client| client.facts.lock().watched).sum();
    let waiting = all.iter().map(|client| client.mailbox.waiting_bytes()).max().unwrap_or(0);
    report.field("connected_clients", all.len());
    report.field("cluster_connections", 0);
    report.field("maxclients", ctx.node.settings.load().clients_max);
    report.field("client_recent_max_output_buffer", waiting);
    report.field("blocked_clients", ctx.node.blocked_clients());
    report.field("tracking_clients", ctx.node.hub.tracking.clients());
    report.field("pubsub_clients", all.iter().filter(|client| client.is_subscribed()).count());
    report.field("watching_clients", count(&|facts| facts.watched > 0));
    report.field("clients_in_timeout_table", 0);
    report.field("total_watched_keys", watched);
    report.field("total_blocking_keys", ctx.node.blocked.len());
}
