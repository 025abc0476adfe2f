//! LEAVE and WEIGHT: what operators order a node to do.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::config::parameters;

/// `CLUSTER LEAVE`: answered at once; `CLUSTER STATUS` shows how far it is, and the node ends when it owns nothing.
pub(super) fn leave(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let cluster = &ctx.node.cluster;
    if !cluster.routing.is_clustered() {
        return Err(CommandError::err(
            "this node is alone, so nobody could take its keys; to end it all the same, use SHUTDOWN",
        ));
    }
    if cluster.desk.order_leave() {
        tracing::info!(client = %ctx.session.client.addr, "the node was ordered to leave: it gives its slots to others");
    }
    ctx.reply.ok();
    Ok(())
}

/// `CLUSTER WEIGHT [weight]`: the same as CONFIG GET and CONFIG SET of `weight`.
pub(super) fn weight(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let Some(parameter) = parameters::lookup("weight") else { return Err(CommandError::Syntax) };
    match args.len() {
        2 => {
            let shown = parameter.get(&ctx.node.settings.load());
            ctx.reply.bulk(shown.as_bytes());
        }
        3 => {
            let text = String::from_utf8_lossy(args.get(2));
            ctx.node.settings.update(|settings| parameter.set(settings, &text).map_err(CommandError::err))?;
            ctx.node.cluster.desk.note_own_change();
            tracing::info!(weight = %text, "the node's weight was changed");
            ctx.reply.ok();
        }
        _ => return Err(CommandError::Syntax),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::session::harness::Harness;

    #[test]
    fn a_weight_is_set_and_shown() {
        let mut harness = Harness::unjittered();
        assert_eq!(harness.call("CLUSTER WEIGHT"), "1");
        assert_eq!(harness.run("CLUSTER WEIGHT 2.5"), "+OK|");
        assert_eq!(harness.call("CLUSTER WEIGHT"), "2.5");
        assert_eq!(harness.call("CONFIG GET weight"), "weight 2.5");
        assert!(harness.run("CLUSTER WEIGHT -1").starts_with("-ERR argument must be a decimal number"));
        assert_eq!(harness.run("CLUSTER WEIGHT 1 2"), "-ERR syntax error|");
    }

    #[test]
    fn a_node_that_is_alone_cannot_leave() {
        let mut harness = Harness::unjittered();
        assert!(harness.run("CLUSTER LEAVE").starts_with("-ERR this node is alone"));
        harness.node().cluster.routing.set_clustered(true);
        assert_eq!(harness.run("CLUSTER LEAVE"), "+OK|");
        assert!(harness.node().cluster.desk.is_leaving() && !harness.node().is_ready());
    }
}
