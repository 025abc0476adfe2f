//! Single members: SADD, SREM, SISMEMBER, SMISMEMBER, SCARD; and all of them: SMEMBERS.

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    reply_item,
};
use crate::{store::observer::EventClass, types::set::Set};

/// `SADD key member [member …]`
pub(super) fn sadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.object_or_insert::<Set>(&key)?;
    let mut added = 0;
    for member in args.from(2) {
        added += usize::from(set.add(member, &ctx.settings.encoding));
    }
    if added > 0 {
        ctx.changed(&key, EventClass::SET, "sadd");
    }
    ctx.reply.count(added);
    Ok(())
}

/// `SREM key member [member …]`
pub(super) fn srem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let mut removed = 0;
    let mut is_empty = false;
    if let Some(set) = ctx.ks.object_mut::<Set>(&key)? {
        for member in args.from(2) {
            removed += usize::from(set.remove(member));
        }
        is_empty = set.is_empty();
    }
    if removed > 0 {
        ctx.changed(&key, EventClass::SET, "srem");
        if is_empty {
            ctx.ks.remove_if_empty::<Set>(&key);
        }
    }
    ctx.reply.count(removed);
    Ok(())
}

/// `SISMEMBER key member`
pub(super) fn sismember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.read_object::<Set>(&key)?;
    let is_member = set.is_some_and(|set| set.contains(args.get(2)));
    ctx.reply.integer(is_member.into());
    Ok(())
}

/// `SMISMEMBER key member [member …]`
pub(super) fn smismember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.read_object::<Set>(&key)?;
    let members = args.from(2);
    ctx.reply.array(members.len());
    for member in members {
        ctx.reply.integer(set.is_some_and(|set| set.contains(member)).into());
    }
    Ok(())
}

/// `SCARD key`
pub(super) fn scard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let len = ctx.ks.read_object::<Set>(&key)?.map_or(0, Set::len);
    ctx.reply.count(len);
    Ok(())
}

/// `SMEMBERS key`
pub(super) fn smembers(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let Some(set) = ctx.ks.read_object::<Set>(&key)? else {
        ctx.reply.set(0);
        return Ok(());
    };
    ctx.reply.set(set.len());
    for item in set {
        reply_item(&mut ctx.reply, item);
    }
    Ok(())
}
