//! LPOP, RPOP, LMPOP.

use rondache_protocol::resp::writer::shared;

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    end::End,
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::list::List,
};

/// `LPOP key [count]`
pub(super) fn lpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop(ctx, args, End::Head)
}

/// `RPOP key [count]`
pub(super) fn rpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop(ctx, args, End::Tail)
}

fn pop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    let count = match args.len() {
        2 => None,
        3 => Some(args.integer_from(2, 0, "ERR value is out of range, must be positive")?),
        _ => return Err(CommandError::Arity(ctx.spec.name.into())),
    };
    let key = ctx.key(args, 1);
    let is_there = ctx.ks.object_mut::<List>(&key)?.is_some();
    match count {
        None if is_there => drop(pop_one(ctx, &key, end)?),
        None => ctx.reply.null(),
        Some(_) if !is_there => ctx.reply.null_array(),
        Some(0) => ctx.reply.raw(shared::EMPTY_ARRAY),
        Some(count) => drop(pop_many(ctx, &key, end, usize::try_from(count).unwrap_or(usize::MAX))?),
    }
    Ok(())
}

/// Pops an element into the reply; `false`, and nothing written: there is none.
pub(super) fn pop_one(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, end: End) -> Result<bool, CommandError> {
    let Some(list) = ctx.ks.object_mut::<List>(key)? else { return Ok(false) };
    let Some(element) = end.first(list) else { return Ok(false) };
    ctx.reply.bulk(element);
    end.drop_from(list, 1, &ctx.settings.encoding);
    let is_empty = list.is_empty();
    popped(ctx, key, end, is_empty);
    Ok(true)
}

/// Pops up to `count` elements into the reply, as an array, and returns how many; 0, and nothing written: there are none.
pub(super) fn pop_many(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, end: End, count: usize) -> Result<usize, CommandError> {
    let Some(list) = ctx.ks.object_mut::<List>(key)? else { return Ok(0) };
    let count = count.min(list.len());
    ctx.reply.array(count);
    match end {
        End::Head => list.iter().take(count).for_each(|element| ctx.reply.bulk(element)),
        End::Tail => list.iter_back().take(count).for_each(|element| ctx.reply.bulk(element)),
    }
    // A list that is taken whole goes with its key, to be freed without the lock.
    let is_whole = count == list.len();
    if !is_whole {
        end.drop_from(list, count, &ctx.settings.encoding);
    }
    popped(ctx, key, end, is_whole);
    Ok(count)
}

/// Reports a pop, and deletes the key with its last element.
fn popped(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, end: End, was_last: bool) {
    if was_last {
        ctx.ks.remove(key);
    }
    ctx.changed(key, EventClass::LIST, end.pop_event());
    if was_last {
        ctx.ks.event(key, EventClass::GENERIC, "del");
    }
}

/// What LMPOP and BLMPOP are asked for, from `numkeys` on.
pub(super) struct ManyPop<'a> {
    pub(super) args: Args<'a>,
    /// Argument indexes of the keys.
    pub(super) keys: std::ops::Range<usize>,
    pub(super) end: End,
    pub(super) count: usize,
}

impl<'a> ManyPop<'a> {
    /// `numkeys key [key …] LEFT|RIGHT [COUNT count]`
    pub(super) fn parse(args: &Args<'a>, numkeys_at: usize) -> Result<Self, CommandError> {
        let numkeys = args.integer_from(numkeys_at, 1, "ERR numkeys should be greater than 0")?;
        let keys_from = numkeys_at + 1;
        let end_at = usize::try_from(numkeys)
            .ok()
            .and_then(|numkeys| numkeys.checked_add(keys_from))
            .filter(|&end_at| end_at < args.len())
            .ok_or(CommandError::Syntax)?;
        let end = End::parse(args, end_at)?;
        let count = match args.len() - end_at {
            1 => 1,
            3 if args.is(end_at + 1, "COUNT") => {
                args.integer_from(end_at + 2, 1, "ERR count should be greater than 0")?
            }
            _ => return Err(CommandError::Syntax),
        };
        Ok(Self { args: *args, keys: keys_from..end_at, end, count: usize::try_from(count).unwrap_or(usize::MAX) })
    }

    /// Pops from the first key that `may_pop` and has elements; `false`, and nothing written: there is none.
    pub(super) fn run(
        self,
        ctx: &mut Ctx<'_, '_>,
        mut may_pop: impl FnMut(&mut Ctx<'_, '_>, &Key<'_>) -> bool,
    ) -> Result<bool, CommandError> {
        for index in self.keys {
            let key = ctx.key(&self.args, index);
            if ctx.ks.object_mut::<List>(&key)?.is_none() || !may_pop(ctx, &key) {
                continue;
            }
            ctx.reply.array(2);
            ctx.reply.bulk(key.bytes);
            let popped = pop_many(ctx, &key, self.end, self.count)?;
            record_pop(ctx, &key, self.end, popped);
            return Ok(true);
        }
        Ok(false)
    }
}

/// Records a pop under the one key that it concerned.
pub(super) fn record_pop(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, end: End, count: usize) {
    if ctx.ks.records_effects() {
        let mut digits = itoa::Buffer::new();
        ctx.ks.effect(key, &[end.pop_event().as_bytes(), key.bytes, digits.format(count).as_bytes()]);
    }
}

/// `LMPOP numkeys key [key …] LEFT|RIGHT [COUNT count]`
pub(super) fn lmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if !ManyPop::parse(args, 1)?.run(ctx, |_, _| true)? {
        ctx.reply.null_array();
    }
    Ok(())
}
