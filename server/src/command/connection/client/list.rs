//! CLIENT LIST and CLIENT INFO.

use super::super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    session::{
        client::{Client, ClientClass, LastCommand},
        describe::describe,
    },
    util::number,
};

/// `CLIENT INFO`
pub(super) fn info(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let client = ctx.session.client.clone();
    let mut text = String::new();
    append(&mut text, ctx, args, &client);
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `CLIENT LIST [TYPE type | ID id [id …]]`
pub(super) fn list(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let mut text = String::new();
    if args.len() == 2 {
        ctx.node.clients.all().iter().for_each(|client| append(&mut text, ctx, args, client));
    } else if args.len() == 4 && args.is(2, "type") {
        let class = client_class(args.get(3))?;
        let all = ctx.node.clients.all();
        all.iter().filter(|client| client.class() == class).for_each(|client| append(&mut text, ctx, args, client));
    } else if args.len() > 3 && args.is(2, "id") {
        let ids: Option<Vec<i64>> = args.from(3).map(number::parse_i64).collect();
        let ids = ids.ok_or_else(|| CommandError::err("Invalid client ID"))?;
        for client in ids.into_iter().filter_map(|id| ctx.node.clients.get(u64::try_from(id).ok()?)) {
            append(&mut text, ctx, args, &client);
        }
    } else {
        return Err(CommandError::Syntax);
    }
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// The class of clients that an argument names.
///
/// # Errors
/// There is no such class.
pub(super) fn client_class(name: &[u8]) -> Result<ClientClass, CommandError> {
    ClientClass::from_name(name)
        .ok_or_else(|| CommandError::err(format_args!("Unknown client type '{}'", String::from_utf8_lossy(name))))
}

fn append(text: &mut String, ctx: &Ctx<'_, '_>, args: &Args<'_>, client: &Client) {
    let is_self = client.id == ctx.session.client.id;
    let running = rondache_protocol::command::lookup(ctx.spec.name.as_bytes())
        .filter(|_| is_self)
        .map(|index| LastCommand::of(index, args));
    describe(text, client, ctx.now_ms(), running);
    text.push('\n');
}
