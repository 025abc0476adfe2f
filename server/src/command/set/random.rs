//! Members drawn at random: SPOP, SRANDMEMBER.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    reply_item,
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::{bytestr::ByteStr, set::Set},
};

/// `SPOP key [count]`
pub(super) fn spop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    match args.len() {
        2 => pop_one(ctx, &key),
        3 => {
            let count = args.integer_from(2, 0, "ERR value is out of range, must be positive")?;
            pop_many(ctx, &key, usize::try_from(count).unwrap_or(usize::MAX))
        }
        _ => Err(CommandError::Syntax),
    }
}

fn pop_one(ctx: &mut Ctx<'_, '_>, key: &Key<'_>) -> CommandResult {
    let Some(member) = ctx.ks.object_mut::<Set>(key)?.and_then(|set| set.pop_random(ctx.rng)) else {
        ctx.reply.null();
        return Ok(());
    };
    ctx.ks.effect(key, &[b"SREM", key.bytes, &member]);
    ctx.changed(key, EventClass::SET, "spop");
    ctx.ks.remove_if_empty::<Set>(key);
    ctx.reply.bulk(&member);
    Ok(())
}

fn pop_many(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, count: usize) -> CommandResult {
    let wants_effect = ctx.ks.records_effects();
    let Some(set) = ctx.ks.object_mut::<Set>(key)?.filter(|_| count > 0) else {
        ctx.reply.set(0);
        return Ok(());
    };
    if count >= set.len() {
        ctx.reply.set(set.len());
        set.iter().for_each(|item| reply_item(&mut ctx.reply, item));
        ctx.ks.remove(key);
        ctx.ks.effect(key, &[b"DEL", key.bytes]);
        ctx.changed(key, EventClass::SET, "spop");
        ctx.ks.event(key, EventClass::GENERIC, "del");
        return Ok(());
    }
    ctx.reply.set(count);
    let mut popped: Vec<ByteStr> = Vec::new();
    for _ in 0..count {
        let Some(member) = set.pop_random(ctx.rng) else { break };
        ctx.reply.bulk(&member);
        if wants_effect {
            popped.push(member);
        }
    }
    if wants_effect {
        let words = [&b"SREM"[..], key.bytes];
        let effect: Vec<&[u8]> = words.into_iter().chain(popped.iter().map(ByteStr::as_bytes)).collect();
        ctx.ks.effect(key, &effect);
    }
    ctx.changed(key, EventClass::SET, "spop");
    Ok(())
}

/// `SRANDMEMBER key [count]`
pub(super) fn srandmember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    match args.len() {
        2 => {
            match ctx.ks.read_object::<Set>(&key)?.and_then(|set| set.random(ctx.rng)) {
                Some(item) => reply_item(&mut ctx.reply, item),
                None => ctx.reply.null(),
            }
            Ok(())
        }
        3 => draw_many(ctx, &key, args.signed_count(2)?),
        _ => Err(CommandError::Syntax),
    }
}

/// Distinct members for a positive `count`; for a negative one that many, with repetitions.
fn draw_many(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, count: i64) -> CommandResult {
    let Some(set) = ctx.ks.read_object::<Set>(key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        let drawn = set.random_distinct(ctx.rng, wanted);
        ctx.reply.array(drawn.len());
        drawn.into_iter().for_each(|item| reply_item(&mut ctx.reply, item));
        return Ok(());
    }
    ctx.reply.array(wanted);
    let reply_len_max = ctx.reply.len().saturating_add(ctx.settings.bulk_len_max);
    for _ in 0..wanted {
        if let Some(item) = set.random(ctx.rng) {
            reply_item(&mut ctx.reply, item);
        }
        if ctx.reply.len() > reply_len_max {
            return Err(CommandError::ReplyTooLarge);
        }
    }
    Ok(())
}
