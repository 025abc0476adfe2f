//! HELLO: the protocol's version, and a first word about either side.

use rondache_protocol::resp::writer::RespVersion;

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    auth,
    client::name,
};
use crate::{command::server::REDIS_VERSION, util::number};

/// What clients ask for, to know which commands they may use: the server whose commands these are.
const SERVER: &str = "redis";

/// `HELLO [protover [AUTH username password] [SETNAME name]]`
pub(super) fn hello(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let version = if args.len() > 1 { Some(protocol_version(args.get(1))?) } else { None };
    let mut credentials = None;
    let mut client_name = None;
    let mut index = 2;
    while index < args.len() {
        let more = args.len() - 1 - index;
        if args.is(index, "auth") && more >= 2 {
            credentials = Some((args.get(index + 1), args.get(index + 2)));
            index += 3;
        } else if args.is(index, "setname") && more >= 1 {
            client_name = Some(name::checked_name(args.get(index + 1))?);
            index += 2;
        } else {
            let option = String::from_utf8_lossy(args.get(index));
            return Err(CommandError::err(format_args!("Syntax error in HELLO option '{option}'")));
        }
    }
    if let Some((user, password)) = credentials {
        auth::authenticate(ctx, user, password)?;
    }
    if !ctx.session.is_authenticated && !ctx.settings.password.is_empty() {
        return Err(CommandError::coded(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(client_name) = client_name {
        ctx.session.client.facts.lock().name = client_name;
    }
    if let Some(version) = version {
        ctx.session.set_resp(version);
        ctx.reply.set_version(version);
    }
    introduce(ctx);
    Ok(())
}

fn protocol_version(arg: &[u8]) -> Result<RespVersion, CommandError> {
    match number::parse_i64(arg) {
        Some(2) => Ok(RespVersion::V2),
        Some(3) => Ok(RespVersion::V3),
        Some(_) => Err(CommandError::coded("NOPROTO unsupported protocol version")),
        None => Err(CommandError::coded("ERR Protocol version is not an integer or out of range")),
    }
}

fn introduce(ctx: &mut Ctx<'_, '_>) {
    let is_resp3 = ctx.reply.is_resp3();
    let id = i64::try_from(ctx.session.client.id).unwrap_or(i64::MAX);
    let mode = if ctx.session.is_redirecting { "cluster" } else { "standalone" };
    let reply = &mut ctx.reply;
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(SERVER.as_bytes());
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(if is_resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.integer(id);
    reply.bulk(b"mode");
    reply.bulk(mode.as_bytes());
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}
