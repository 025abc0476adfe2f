//! SMOVE

use super::super::{CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::{
        object::{Kind, WrongType},
        observer::EventClass,
    },
    types::set::Set,
};

/// `SMOVE source destination member`
pub(super) fn smove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (source, destination, member) = (ctx.key(args, 1), ctx.key(args, 2), args.get(3));
    let Some(set) = ctx.ks.object_mut::<Set>(&source)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    if source.bytes == destination.bytes {
        let is_member = set.contains(member);
        ctx.reply.integer(is_member.into());
        return Ok(());
    }
    if ctx.ks.kind(&destination).is_some_and(|kind| kind != Kind::Set) {
        return Err(WrongType.into());
    }
    if !ctx.ks.object_mut::<Set>(&source)?.is_some_and(|set| set.remove(member)) {
        ctx.reply.integer(0);
        return Ok(());
    }
    ctx.changed(&source, EventClass::SET, "srem");
    ctx.ks.remove_if_empty::<Set>(&source);
    if ctx.ks.object_or_insert::<Set>(&destination)?.add(member, &ctx.settings.encoding) {
        ctx.changed(&destination, EventClass::SET, "sadd");
    }
    if source.slot != destination.slot {
        ctx.ks.effect(&source, &[b"SREM", source.bytes, member]);
        ctx.ks.effect(&destination, &[b"SADD", destination.bytes, member]);
    }
    ctx.reply.integer(1);
    Ok(())
}
