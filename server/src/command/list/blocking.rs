//! The forms that wait for an element: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.

use super::{
    super::{
        CommandResult,
        args::Args,
        block_args,
        ctx::{Ctx, TimeoutReply},
    },
    end::End,
    pop::{ManyPop, pop_one, record_pop},
    rotate::move_element,
};
use crate::types::list::List;

/// `BLPOP key [key …] timeout`
pub(super) fn blpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop_or_wait(ctx, args, End::Head)
}

/// `BRPOP key [key …] timeout`
pub(super) fn brpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop_or_wait(ctx, args, End::Tail)
}

fn pop_or_wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    let keys = 1..args.len() - 1;
    let timeout_ms = block_args::timeout_ms(args, keys.end, ctx.now_ms())?;
    for index in keys.clone() {
        let key = ctx.key(args, index);
        if ctx.ks.object_mut::<List>(&key)?.is_none() || ctx.must_queue_for(&key) {
            continue;
        }
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        pop_one(ctx, &key, end)?;
        record_pop(ctx, &key, end, 1);
        return Ok(());
    }
    ctx.block(keys.map(|index| args.get(index).into()).collect(), timeout_ms, TimeoutReply::NullArray);
    Ok(())
}

/// `BLMPOP timeout numkeys key [key …] LEFT|RIGHT [COUNT count]`
pub(super) fn blmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let request = ManyPop::parse(args, 2)?;
    let timeout_ms = block_args::timeout_ms(args, 1, ctx.now_ms())?;
    let keys = request.keys.clone();
    if !request.run(ctx, |ctx, key| !ctx.must_queue_for(key))? {
        ctx.block(keys.map(|index| args.get(index).into()).collect(), timeout_ms, TimeoutReply::NullArray);
    }
    Ok(())
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`
pub(super) fn blmove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    let timeout_ms = block_args::timeout_ms(args, 5, ctx.now_ms())?;
    move_or_wait(ctx, args, from, to, timeout_ms)
}

/// `BRPOPLPUSH source destination timeout`
pub(super) fn brpoplpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let timeout_ms = block_args::timeout_ms(args, 3, ctx.now_ms())?;
    move_or_wait(ctx, args, End::Tail, End::Head, timeout_ms)
}

fn move_or_wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, from: End, to: End, timeout_ms: Option<u64>) -> CommandResult {
    let (source, destination) = (ctx.key(args, 1), ctx.key(args, 2));
    let is_there = ctx.ks.object_mut::<List>(&source)?.is_some();
    if is_there && !ctx.must_queue_for(&source) && move_element(ctx, &source, &destination, from, to)? {
        return Ok(());
    }
    ctx.block(vec![source.bytes.into()], timeout_ms, TimeoutReply::Null);
    Ok(())
}
