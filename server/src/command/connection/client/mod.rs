//! `CLIENT` and its subcommands.

mod kill;
mod list;
pub(super) mod name;
mod pause;
mod switches;
mod tracking;

use std::sync::atomic::Ordering;

use super::super::{CommandResult, args::Args, ctx::Ctx, help, subcommand};
use crate::node::topology_push::CAPABILITY;

const HELP: &[(&str, &str)] = &[
    ("CACHING (YES|NO)", "Track, or don't track, the keys of the next command (OPTIN, OPTOUT)."),
    ("CAPA <option> ...", "Tell what the client is able to do."),
    ("GETNAME", "The connection's name."),
    ("GETREDIR", "The client that invalidations are redirected to."),
    ("ID", "The connection's number."),
    ("INFO", "What is known of this connection."),
    ("KILL <ip:port>", "Close the connection from this address."),
    ("KILL <option> <value> [...]", "Close connections by ID, TYPE, USER, ADDR, LADDR, MAXAGE; SKIPME (YES|NO)."),
    ("LIST [TYPE <type>|ID <id> ...]", "What is known of all connections, or of some."),
    ("NO-EVICT (ON|OFF)", "Keep the connection when clients are closed to save memory."),
    ("NO-TOUCH (ON|OFF)", "Reads do not count as use of the keys."),
    ("PAUSE <timeout> [WRITE|ALL]", "Hold back commands for some milliseconds."),
    ("REPLY (ON|OFF|SKIP)", "Which replies the connection gets."),
    ("SETINFO <option> <value>", "Note LIB-NAME or LIB-VER."),
    ("SETNAME <name>", "Name the connection."),
    (
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
        "Be told when keys that were read change.",
    ),
    ("TRACKINGINFO", "What is tracked for this connection."),
    ("UNBLOCK <id> [TIMEOUT|ERROR]", "End another client's waiting."),
    ("UNPAUSE", "End a pause."),
];

/// `CLIENT subcommand …`
pub(super) fn client(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match subcommand(ctx.spec, args)?.name {
        "caching" => tracking::caching(ctx, args),
        "capa" => {
            // What is not known here may be another server's.
            if args.from(2).any(|capability| capability.eq_ignore_ascii_case(CAPABILITY.as_bytes())) {
                ctx.session.client.wants_topology.store(true, Ordering::Relaxed);
            }
            ctx.reply.ok();
            Ok(())
        }
        "getname" => name::getname(ctx),
        "getredir" => tracking::getredir(ctx),
        "id" => {
            let id = i64::try_from(ctx.session.client.id).unwrap_or(i64::MAX);
            ctx.reply.integer(id);
            Ok(())
        }
        "info" => list::info(ctx, args),
        "kill" => kill::kill(ctx, args),
        "list" => list::list(ctx, args),
        "no-evict" => switches::no_evict(ctx, args),
        "no-touch" => switches::no_touch(ctx, args),
        "pause" => pause::pause(ctx, args),
        "reply" => switches::reply(ctx, args),
        "setinfo" => name::setinfo(ctx, args),
        "setname" => name::setname(ctx, args),
        "tracking" => tracking::tracking(ctx, args),
        "trackinginfo" => tracking::trackinginfo(ctx),
        "unblock" => pause::unblock(ctx, args),
        "unpause" => pause::unpause(ctx),
        _ => {
            help::reply(ctx, args, HELP);
            Ok(())
        }
    }
}
