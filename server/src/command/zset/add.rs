//! ZADD and ZINCRBY.

use bitflags::bitflags;
use rondache_protocol::resp::double::double_text;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::{key::Key, observer::EventClass},
    types::zset::{Upserted, ZSet},
    util::number::parse_f64,
};

bitflags! {
    /// ZADD's options.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::command) struct AddOptions: u8 {
        /// Add only: leave members that are there.
        const NX = 1;
        /// Update only: leave out members that are not there.
        const XX = 1 << 1;
        /// Update only to greater scores.
        const GT = 1 << 2;
        /// Update only to lower scores.
        const LT = 1 << 3;
        /// Reply the number of changed members rather than that of new ones.
        const CH = 1 << 4;
        /// Add to the score, and reply it.
        const INCR = 1 << 5;
    }
}

impl AddOptions {
    /// Reads the options from argument 2 on; answers where they end.
    fn parse(args: &Args<'_>) -> (Self, usize) {
        let words = [
            ("nx", Self::NX),
            ("xx", Self::XX),
            ("gt", Self::GT),
            ("lt", Self::LT),
            ("ch", Self::CH),
            ("incr", Self::INCR),
        ];
        let mut options = Self::empty();
        let mut at = 2;
        while let Some((_, option)) = words.iter().find(|(word, _)| args.is(at, word)) {
            options |= *option;
            at += 1;
        }
        (options, at)
    }

    fn check(self, pairs: usize) -> CommandResult {
        if self.contains(Self::NX | Self::XX) {
            return Err(CommandError::coded("ERR XX and NX options at the same time are not compatible"));
        }
        let exclusive = [Self::GT, Self::LT, Self::NX];
        if exclusive.iter().filter(|&&option| self.contains(option)).count() > 1 {
            return Err(CommandError::coded("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.contains(Self::INCR) && pairs > 1 {
            return Err(CommandError::coded("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// Whether a member may go from its present score, if it has one, to `score`.
    #[inline]
    fn admit(self, current: Option<f64>, score: f64) -> bool {
        match current {
            None => !self.contains(Self::XX),
            Some(_) if self.contains(Self::NX) => false,
            Some(current) if score <= current && self.contains(Self::GT) => false,
            Some(current) if score >= current && self.contains(Self::LT) => false,
            Some(_) => true,
        }
    }
}

/// `ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member …]`
pub(super) fn zadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    // The common form, without a look for options.
    if args.len() == 4
        && let Some(score) = parse_f64(args.get(2))
    {
        return add(ctx, &key, AddOptions::empty(), std::iter::once((score, args.get(3))));
    }
    let (options, first) = AddOptions::parse(args);
    let rest = args.len().saturating_sub(first);
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    options.check(rest / 2)?;
    if options.contains(AddOptions::INCR) {
        return increment(ctx, &key, options, args.float(first)?, args.get(first + 1));
    }
    // All scores are checked before the first member is added.
    let scores = (first..args.len()).step_by(2).map(|at| args.float(at)).collect::<Result<Vec<_>, _>>()?;
    add(ctx, &key, options, scores.into_iter().zip(args.from(first + 1).step_by(2)))
}

/// `ZINCRBY key increment member`
pub(super) fn zincrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    increment(ctx, &key, AddOptions::INCR, args.float(2)?, args.get(3))
}

/// The sorted set to add to: `None` where there is none and `options` forbid to begin one.
#[inline]
fn target<'k>(
    ctx: &'k mut Ctx<'_, '_>,
    key: &Key<'_>,
    options: AddOptions,
) -> Result<Option<&'k mut ZSet>, CommandError> {
    Ok(if options.contains(AddOptions::XX) { ctx.ks.object_mut(key)? } else { Some(ctx.ks.object_or_insert(key)?) })
}

/// Adds members with scores, at least one, and replies how many.
#[inline]
pub(in crate::command) fn add<'m>(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    options: AddOptions,
    entries: impl Iterator<Item = (f64, &'m [u8])>,
) -> CommandResult {
    let limits = &ctx.settings.encoding;
    let (mut added, mut updated) = (0, 0);
    if let Some(set) = target(ctx, key, options)? {
        for (score, member) in entries {
            let outcome = set.upsert(member, limits, |current| options.admit(current, score).then_some(score));
            match outcome {
                Upserted::Added => added += 1,
                Upserted::Updated { .. } => updated += 1,
                Upserted::Unchanged | Upserted::Refused => {}
            }
        }
    }
    if added + updated > 0 {
        ctx.changed(key, EventClass::ZSET, "zadd");
    }
    ctx.reply.integer(if options.contains(AddOptions::CH) { added + updated } else { added });
    Ok(())
}

/// Adds to a member's score and replies the sum, or null where `options` forbid the change.
fn increment(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, options: AddOptions, amount: f64, member: &[u8]) -> CommandResult {
    let limits = &ctx.settings.encoding;
    let mut sum = None;
    let mut outcome = Upserted::Refused;
    if let Some(set) = target(ctx, key, options)? {
        outcome = set.upsert(member, limits, |current| {
            let score = current.map_or(amount, |current| current + amount);
            sum = options.admit(current, score).then_some(score);
            sum
        });
    }
    if sum.is_some_and(f64::is_nan) {
        return Err(CommandError::coded("ERR resulting score is not a number (NaN)"));
    }
    let Some(score) = sum else {
        ctx.reply.null();
        return Ok(());
    };
    if matches!(outcome, Upserted::Added | Upserted::Updated { .. }) {
        ctx.changed(key, EventClass::ZSET, "zincr");
        // Copies get the sum: adding floats again need not give it.
        ctx.ks.effect(key, &[b"ZADD", key.bytes, double_text(score).as_bytes(), member]);
    }
    ctx.reply.double(score);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::AddOptions;

    #[test]
    fn options_decide_which_scores_are_taken() {
        let admits = |options: AddOptions, current, score| options.admit(current, score);
        assert!(admits(AddOptions::NX, None, 1.0) && !admits(AddOptions::NX, Some(1.0), 2.0));
        assert!(!admits(AddOptions::XX, None, 1.0) && admits(AddOptions::XX, Some(1.0), 2.0));
        assert!(admits(AddOptions::GT, Some(1.0), 2.0) && !admits(AddOptions::GT, Some(1.0), 1.0));
        assert!(admits(AddOptions::LT, Some(1.0), 0.0) && !admits(AddOptions::LT, Some(1.0), 1.0));
        assert!(admits(AddOptions::GT, None, -1.0) && admits(AddOptions::LT, None, 1.0));
    }
}
