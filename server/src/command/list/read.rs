//! Reading lists: LLEN, LINDEX, LRANGE, LPOS.

use rondache_protocol::resp::writer::shared;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::types::list::{List, PositionQuery};

/// The index from the head that `index` means; negative ones count from behind. `None`: before the head.
pub(super) fn resolve_index(index: i64, len: usize) -> Option<usize> {
    if index < 0 {
        len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        Some(usize::try_from(index).unwrap_or(usize::MAX))
    }
}

/// First index and count of the elements from `start` to `stop`, both included and possibly negative.
pub(super) fn resolve_range(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let first = resolve_index(start, len).unwrap_or(0);
    let Some(last) = resolve_index(stop, len) else { return (first, 0) };
    (first, last.saturating_add(1).min(len).saturating_sub(first))
}

/// `LLEN key`
pub(super) fn llen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let len = ctx.ks.read_object::<List>(&key)?.map_or(0, List::len);
    ctx.reply.count(len);
    Ok(())
}

/// `LINDEX key index`
pub(super) fn lindex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let Some(list) = ctx.ks.read_object::<List>(&key)? else {
        ctx.reply.null();
        return Ok(());
    };
    let index = resolve_index(args.integer(2)?, list.len());
    ctx.reply.optional_bulk(index.and_then(|index| list.get(index)));
    Ok(())
}

/// `LRANGE key start stop`
pub(super) fn lrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let key = ctx.key(args, 1);
    let Some(list) = ctx.ks.read_object::<List>(&key)? else {
        ctx.reply.raw(shared::EMPTY_ARRAY);
        return Ok(());
    };
    let (first, count) = resolve_range(start, stop, list.len());
    ctx.reply.array(count);
    if count > 0 {
        list.iter_from(first).take(count).for_each(|element| ctx.reply.bulk(element));
    }
    Ok(())
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub(super) fn lpos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (query, wants_array) = position_query(args)?;
    let key = ctx.key(args, 1);
    let found = match ctx.ks.read_object::<List>(&key)? {
        Some(list) => list.positions(args.get(2), query),
        None => Vec::new(),
    };
    if wants_array {
        ctx.reply.array(found.len());
        found.into_iter().for_each(|index| ctx.reply.count(index));
    } else {
        match found.first() {
            Some(&index) => ctx.reply.count(index),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// What LPOS looks for, and whether it answers an array (`COUNT`).
fn position_query(args: &Args<'_>) -> Result<(PositionQuery, bool), CommandError> {
    let mut query = PositionQuery { rank: 1, count: 1, max_len: 0 };
    let mut wants_array = false;
    let at_least_0 = |index, refusal| {
        let number = args.integer_from(index, 0, refusal)?;
        Ok::<_, CommandError>(usize::try_from(number).unwrap_or(usize::MAX))
    };
    for at in (3..args.len()).step_by(2) {
        if at + 1 == args.len() {
            return Err(CommandError::Syntax);
        }
        if args.is(at, "RANK") {
            query.rank = args.signed_count(at + 1)?;
            if query.rank == 0 {
                return Err(CommandError::coded(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
                     or use negative to start from the end of the list",
                ));
            }
        } else if args.is(at, "COUNT") {
            query.count = at_least_0(at + 1, "ERR COUNT can't be negative")?;
            wants_array = true;
        } else if args.is(at, "MAXLEN") {
            query.max_len = at_least_0(at + 1, "ERR MAXLEN can't be negative")?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok((query, wants_array))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_indexes_count_from_behind() {
        assert_eq!(resolve_index(-1, 3), Some(2));
        assert_eq!(resolve_index(-4, 3), None);
        assert_eq!(resolve_index(i64::MIN, 3), None);
        assert_eq!(resolve_index(7, 3), Some(7));
    }

    #[test]
    fn ranges_are_cut_to_the_list() {
        assert_eq!(resolve_range(0, -1, 3), (0, 3));
        assert_eq!(resolve_range(-100, 100, 3), (0, 3));
        assert_eq!(resolve_range(1, 1, 3), (1, 1));
        assert_eq!(resolve_range(2, 1, 3).1, 0);
        assert_eq!(resolve_range(3, 5, 3).1, 0);
        assert_eq!(resolve_range(0, -4, 3).1, 0);
        assert_eq!(resolve_range(i64::MAX, i64::MAX, 3).1, 0);
        assert_eq!(resolve_range(0, i64::MAX, 3), (0, 3));
    }
}
