//! GETEX: reads a string and changes its TTL.

use super::{
    super::{
        CommandError, CommandResult,
        args::Args,
        ctx::Ctx,
        expire_args::{ExpireForm, Expiry},
    },
    get,
};
use crate::store::{key::Key, observer::EventClass};

/// What GETEX does to the TTL.
enum TtlChange<'a> {
    None,
    Persist,
    Expire(ExpireForm, &'a [u8]),
}

impl<'a> TtlChange<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, CommandError> {
        let mut change = Self::None;
        let mut at = 2;
        while at < args.len() {
            if args.is(at, "PERSIST") {
                if matches!(change, Self::Expire(..)) {
                    return Err(CommandError::Syntax);
                }
                change = Self::Persist;
                at += 1;
                continue;
            }
            let form = ExpireForm::of(args.get(at)).filter(|_| at + 1 < args.len()).ok_or(CommandError::Syntax)?;
            match change {
                Self::Persist => return Err(CommandError::Syntax),
                Self::Expire(other, _) if other != form => return Err(CommandError::Syntax),
                _ => change = Self::Expire(form, args.get(at + 1)),
            }
            at += 2;
        }
        Ok(change)
    }
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(super) fn getex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let change = TtlChange::parse(args)?;
    get::get(ctx, args)?;
    // A key that is missing has no TTL to change, nor is a bad one complained of.
    let Some(old_deadline_ms) = ctx.ks.deadline_ms(&key) else { return Ok(()) };
    match change {
        TtlChange::None => {}
        TtlChange::Persist => {
            if old_deadline_ms.is_some() {
                ctx.ks.set_deadline(&key, None);
                ctx.changed(&key, EventClass::GENERIC, "persist");
                ctx.ks.effect(&key, &[b"PERSIST", key.bytes]);
            }
        }
        TtlChange::Expire(form, ttl) => {
            let expiry = Expiry::parse_positive(ctx.spec.name, form, ttl, ctx.now_ms())?;
            let deadline_ms = ctx.deadline_ms(key.bytes, expiry);
            expire(ctx, &key, deadline_ms);
        }
    }
    Ok(())
}

fn expire(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, deadline_ms: u64) {
    if deadline_ms <= ctx.now_ms() {
        ctx.delete_as_past(key);
        return;
    }
    ctx.ks.set_deadline(key, Some(deadline_ms));
    ctx.changed(key, EventClass::GENERIC, "expire");
    if ctx.ks.records_effects() {
        let mut deadline = itoa::Buffer::new();
        let deadline = deadline.format(deadline_ms).as_bytes();
        ctx.ks.effect(key, &[b"PEXPIREAT", key.bytes, deadline]);
    }
}
