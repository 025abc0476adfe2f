//! What sets have in common: SINTER, SINTERCARD, SINTERSTORE.

use std::ops::Range;

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    reply_item,
    store::store_result,
};
use crate::{
    store::{keyspace::Keyspace, object::WrongType},
    types::{item::Item, set::Set},
};

/// The sets at a range of arguments, the smallest first; `None` where one is missing, hence nothing in common.
fn sets_of<'k>(ks: &'k Keyspace<'_>, args: &Args<'_>, keys: Range<usize>) -> Result<Option<Vec<&'k Set>>, WrongType> {
    let mut sets = Vec::with_capacity(keys.len());
    let mut is_complete = true;
    for index in keys {
        match ks.read_object::<Set>(&ks.key(args.get(index)))? {
            Some(set) => sets.push(set),
            None => is_complete = false,
        }
    }
    sets.sort_by_key(|set| set.len());
    Ok(is_complete.then_some(sets))
}

/// The members that all of `sets` have; the smallest stands first.
fn common<'k>(sets: &[&'k Set]) -> impl Iterator<Item = Item<'k>> {
    let others = sets.get(1..).unwrap_or_default();
    let members = sets.first().copied().into_iter().flat_map(Set::iter);
    members.filter(move |item| others.iter().all(|set| set.contains_item(*item)))
}

/// `SINTER key [key …]`
pub(super) fn sinter(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let Some(sets) = sets_of(ctx.ks, args, 1..args.len())? else {
        ctx.reply.set(0);
        return Ok(());
    };
    let open = ctx.reply.begin();
    let mut found = 0;
    for item in common(&sets) {
        reply_item(&mut ctx.reply, item);
        found += 1;
    }
    ctx.reply.end_set(open, found);
    Ok(())
}

/// `SINTERSTORE destination key [key …]`
pub(super) fn sinterstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let mut result = Set::new();
    if let Some(sets) = sets_of(ctx.ks, args, 2..args.len())? {
        let mut digits = itoa::Buffer::new();
        for item in common(&sets) {
            result.add(item.as_bytes(&mut digits), &ctx.settings.encoding);
        }
    }
    store_result(ctx, args, result);
    Ok(())
}

/// `SINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) fn sintercard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let numkeys = args.integer_from(1, 1, "ERR numkeys should be greater than 0")?;
    let keys_end = usize::try_from(numkeys)
        .ok()
        .filter(|&numkeys| numkeys <= args.len() - 2)
        .map(|numkeys| numkeys + 2)
        .ok_or(CommandError::coded("ERR Number of keys can't be greater than number of args"))?;
    let mut limit = 0;
    for at in (keys_end..args.len()).step_by(2) {
        if !args.is(at, "LIMIT") || at + 1 == args.len() {
            return Err(CommandError::Syntax);
        }
        limit = args.integer_from(at + 1, 0, "ERR LIMIT can't be negative")?;
    }
    let count_max = if limit == 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
    let count = sets_of(ctx.ks, args, 2..keys_end)?.map_or(0, |sets| common(&sets).take(count_max).count());
    ctx.reply.count(count);
    Ok(())
}
