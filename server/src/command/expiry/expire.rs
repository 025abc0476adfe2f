//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST.

use super::super::{
    CommandError, CommandResult,
    args::Args,
    ctx::Ctx,
    expire_args::{ExpireForm, Expiry},
};
use crate::store::{key::Key, observer::EventClass};

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) fn expire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_deadline(ctx, args, ExpireForm::Seconds)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_deadline(ctx, args, ExpireForm::Milliseconds)
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub(super) fn expireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_deadline(ctx, args, ExpireForm::AtSecond)
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    set_deadline(ctx, args, ExpireForm::AtMillisecond)
}

fn set_deadline(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, form: ExpireForm) -> CommandResult {
    let condition = Condition::parse(args)?;
    let expiry = Expiry::parse(ctx.spec.name, form, args.get(2), ctx.now_ms())?;
    let key = ctx.key(args, 1);
    let Some(entry) = ctx.ks.read_with(&key, true) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    // Conditions compare what the client asked for: jitter must not make a TTL that is longer look shorter.
    let old_ms = entry.deadline_ms();
    if !condition.admits(old_ms, ctx.exact_deadline_ms(expiry)) {
        ctx.reply.integer(0);
        return Ok(());
    }
    let mut deadline_ms = ctx.deadline_ms(key.bytes, expiry);
    if condition.later {
        // GT promises that the deadline does not move nearer, whatever the jitter.
        deadline_ms = deadline_ms.max(old_ms.unwrap_or(0));
    }
    if deadline_ms <= ctx.now_ms() {
        ctx.ks.remove(&key);
        ctx.changed(&key, EventClass::GENERIC, "del");
        ctx.ks.effect(&key, &[b"DEL", key.bytes]);
    } else {
        apply(ctx, &key, deadline_ms);
    }
    ctx.reply.integer(1);
    Ok(())
}

fn apply(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, deadline_ms: u64) {
    ctx.ks.set_deadline(key, Some(deadline_ms));
    ctx.changed(key, EventClass::GENERIC, "expire");
    if ctx.ks.records_effects() {
        ctx.ks.effect(key, &[b"PEXPIREAT", key.bytes, itoa::Buffer::new().format(deadline_ms).as_bytes()]);
    }
}

/// `PERSIST key`
pub(super) fn persist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let has_deadline = ctx.ks.read(&key).is_some_and(|entry| entry.deadline_ms().is_some());
    if has_deadline {
        ctx.ks.set_deadline(&key, None);
        ctx.changed(&key, EventClass::GENERIC, "persist");
    }
    ctx.reply.integer(i64::from(has_deadline));
    Ok(())
}

/// What must hold for a new deadline to be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Condition {
    /// `NX`: the key has none yet.
    absent: bool,
    /// `XX`: the key has one.
    present: bool,
    /// `GT`: the new one is later.
    later: bool,
    /// `LT`: the new one is earlier.
    earlier: bool,
}

impl Condition {
    fn parse(args: &Args<'_>) -> Result<Self, CommandError> {
        let mut condition = Self::default();
        for (at, word) in args.from(3).enumerate() {
            let index = at + 3;
            let set = if args.is(index, "nx") {
                &mut condition.absent
            } else if args.is(index, "xx") {
                &mut condition.present
            } else if args.is(index, "gt") {
                &mut condition.later
            } else if args.is(index, "lt") {
                &mut condition.earlier
            } else {
                return Err(CommandError::err(format_args!("Unsupported option {}", String::from_utf8_lossy(word))));
            };
            *set = true;
        }
        if condition.absent && (condition.present || condition.later || condition.earlier) {
            return Err(CommandError::err("NX and XX, GT or LT options at the same time are not compatible"));
        }
        if condition.later && condition.earlier {
            return Err(CommandError::err("GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// A key without a deadline lives for ever, which is later than any.
    fn admits(self, old_ms: Option<u64>, new_ms: u64) -> bool {
        !(self.absent && old_ms.is_some()
            || self.present && old_ms.is_none()
            || self.later && old_ms.is_none_or(|old_ms| new_ms <= old_ms)
            || self.earlier && old_ms.is_some_and(|old_ms| new_ms >= old_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::settings::Settings, session::harness::Harness};

    #[test]
    fn jitter_never_moves_a_deadline_nearer_under_gt() {
        let mut harness = Harness::new(Settings { ttl_jitter_percent: 100, ..Settings::default() });
        harness.call("SET k v");
        harness.call("PEXPIREAT k 1700000095000");
        for _ in 0..50 {
            harness.call("EXPIRE k 100 GT");
            let deadline_ms: u64 = harness.call("PEXPIRETIME k").trim_start_matches(':').parse().unwrap();
            assert!((1_700_000_095_000..=1_700_000_100_000).contains(&deadline_ms), "{deadline_ms}");
        }
    }

    #[test]
    fn a_key_without_a_deadline_counts_as_living_for_ever() {
        let later = Condition { later: true, ..Condition::default() };
        let earlier = Condition { earlier: true, ..Condition::default() };
        assert!(!later.admits(None, 5) && earlier.admits(None, 5));
        assert!(later.admits(Some(4), 5) && !later.admits(Some(5), 5));
        assert!(earlier.admits(Some(6), 5) && !earlier.admits(Some(5), 5));
    }

    #[test]
    fn nx_and_xx_look_at_what_is_there() {
        let absent = Condition { absent: true, ..Condition::default() };
        let present = Condition { present: true, ..Condition::default() };
        assert!(absent.admits(None, 1) && !absent.admits(Some(9), 1));
        assert!(!present.admits(None, 1) && present.admits(Some(9), 1));
    }
}
