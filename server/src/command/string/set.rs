//! SET and its older forms.

use super::{
    super::{
        CommandResult,
        args::Args,
        ctx::Ctx,
        expire_args::{ExpireForm, Expiry},
    },
    get, peek_string,
    set_options::{Condition, SetOptions, TtlOption},
};
use crate::store::{key::Key, keyspace::Ttl, observer::EventClass};

/// `SET key value [NX | XX | IFEQ value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(super) fn set(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    if args.len() == 3 {
        ctx.ks.put_string(&key, args.get(2), Ttl::Clear);
        ctx.changed(&key, EventClass::STRING, "set");
        ctx.reply.ok();
        return Ok(());
    }
    let options = SetOptions::parse(args)?;
    let expiry = match options.ttl {
        TtlOption::Expire(form, ttl) => Some(Expiry::parse_positive(ctx.spec.name, form, ttl, ctx.now_ms())?),
        TtlOption::Clear | TtlOption::Keep => None,
    };
    if options.get {
        get::get(ctx, args)?;
    }
    if !holds(ctx, &key, options.condition)? {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(());
    }
    match expiry {
        Some(expiry) => {
            let deadline_ms = match options.condition {
                // Locks and their renewals: the holder was promised the whole TTL.
                Condition::Absent | Condition::Equals(_) => ctx.exact_deadline_ms(expiry),
                Condition::None | Condition::Present => ctx.deadline_ms(key.bytes, expiry),
            };
            put_with_deadline(ctx, &key, args.get(2), deadline_ms);
        }
        None => put(ctx, &key, args.get(2), options.ttl == TtlOption::Keep),
    }
    if !options.get {
        ctx.reply.ok();
    }
    Ok(())
}

/// `SETNX key value`
pub(super) fn setnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let is_absent = !ctx.ks.exists(&key);
    if is_absent {
        put(ctx, &key, args.get(2), false);
    }
    ctx.reply.integer(i64::from(is_absent));
    Ok(())
}

/// `SETEX key seconds value`
pub(super) fn setex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_for(ctx, args, ExpireForm::Seconds)
}

/// `PSETEX key milliseconds value`
pub(super) fn psetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_for(ctx, args, ExpireForm::Milliseconds)
}

fn set_for(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, form: ExpireForm) -> CommandResult {
    let key = ctx.key(args, 1);
    let expiry = Expiry::parse_positive(ctx.spec.name, form, args.get(2), ctx.now_ms())?;
    let deadline_ms = ctx.deadline_ms(key.bytes, expiry);
    put_with_deadline(ctx, &key, args.get(3), deadline_ms);
    ctx.reply.ok();
    Ok(())
}

/// `GETSET key value`
pub(super) fn getset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    get::get(ctx, args)?;
    put(ctx, &key, args.get(2), false);
    Ok(())
}

/// Whether a key is as SET's condition wants it.
fn holds(ctx: &Ctx<'_, '_>, key: &Key<'_>, condition: Condition<'_>) -> Result<bool, super::CommandError> {
    Ok(match condition {
        Condition::None => true,
        Condition::Absent => !ctx.ks.exists(key),
        Condition::Present => ctx.ks.exists(key),
        Condition::Equals(value) => peek_string(ctx.ks, key)? == Some(value),
    })
}

/// Writes a string that does not expire, or that keeps the deadline of what it replaces.
fn put(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, value: &[u8], keep_ttl: bool) {
    ctx.ks.put_string(key, value, if keep_ttl { Ttl::Keep } else { Ttl::Clear });
    ctx.changed(key, EventClass::STRING, "set");
    if keep_ttl {
        ctx.ks.effect(key, &[b"SET", key.bytes, value, b"KEEPTTL"]);
    } else {
        ctx.ks.effect(key, &[b"SET", key.bytes, value]);
    }
}

/// Writes a string that expires. Where the deadline has passed the key is deleted instead.
fn put_with_deadline(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, value: &[u8], deadline_ms: u64) {
    if deadline_ms <= ctx.now_ms() {
        ctx.delete_as_past(key);
        return;
    }
    ctx.ks.put_string(key, value, Ttl::At(deadline_ms));
    ctx.changed(key, EventClass::STRING, "set");
    ctx.ks.event(key, EventClass::GENERIC, "expire");
    if ctx.ks.records_effects() {
        let mut deadline = itoa::Buffer::new();
        let deadline = deadline.format(deadline_ms).as_bytes();
        ctx.ks.effect(key, &[b"SET", key.bytes, value, b"PXAT", deadline]);
    }
}
