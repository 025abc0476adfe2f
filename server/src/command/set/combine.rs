//! Unions and differences: SUNION, SDIFF, and the forms that store them.

use super::{
    super::{CommandResult, args::Args, ctx::Ctx},
    reply_item,
    store::store_result,
};
use crate::{
    store::{keyspace::Keyspace, object::WrongType},
    types::{limits::EncodingLimits, set::Set},
};

/// The sets at the arguments from `from` on; `None` where a key is missing.
fn sets_of<'k>(ks: &'k Keyspace<'_>, args: &Args<'_>, from: usize) -> Result<Vec<Option<&'k Set>>, WrongType> {
    args.from(from).map(|bytes| ks.read_object::<Set>(&ks.key(bytes))).collect()
}

fn union(sets: &[Option<&Set>], limits: &EncodingLimits) -> Set {
    let mut result = Set::new();
    let mut digits = itoa::Buffer::new();
    for item in sets.iter().flatten().flat_map(|set| set.iter()) {
        result.add(item.as_bytes(&mut digits), limits);
    }
    result
}

/// The members of the first set that no other has.
///
/// Either each of the first's members is looked up in the others, or each of the others' members is taken out of a copy
/// of the first: whichever touches fewer.
fn difference(sets: &[Option<&Set>], limits: &EncodingLimits) -> Set {
    let Some((Some(first), others)) = sets.split_first() else { return Set::new() };
    let mut others: Vec<&Set> = others.iter().copied().flatten().collect();
    let mut result = Set::new();
    let mut digits = itoa::Buffer::new();
    let lookups = first.len().saturating_mul(others.len() + 1) / 2;
    let removals = others.iter().fold(first.len(), |sum, set| sum.saturating_add(set.len()));
    if lookups <= removals {
        // A member is dropped at the first set that has it, most likely a large one.
        others.sort_by_key(|set| std::cmp::Reverse(set.len()));
        for item in first.iter().filter(|item| !others.iter().any(|set| set.contains_item(*item))) {
            result.add(item.as_bytes(&mut digits), limits);
        }
        return result;
    }
    for item in first.iter() {
        result.add(item.as_bytes(&mut digits), limits);
    }
    for item in others.into_iter().flatten() {
        result.remove(item.as_bytes(&mut digits));
    }
    result
}

type Combine = fn(&[Option<&Set>], &EncodingLimits) -> Set;

fn reply(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, combine: Combine) -> CommandResult {
    let result = combine(&sets_of(ctx.ks, args, 1)?, &ctx.settings.encoding);
    ctx.reply.set(result.len());
    result.iter().for_each(|item| reply_item(&mut ctx.reply, item));
    Ok(())
}

fn store(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, combine: Combine) -> CommandResult {
    let result = combine(&sets_of(ctx.ks, args, 2)?, &ctx.settings.encoding);
    store_result(ctx, args, result);
    Ok(())
}

/// `SUNION key [key …]`
pub(super) fn sunion(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    reply(ctx, args, union)
}

/// `SUNIONSTORE destination key [key …]`
pub(super) fn sunionstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    store(ctx, args, union)
}

/// `SDIFF key [key …]`
pub(super) fn sdiff(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    reply(ctx, args, difference)
}

/// `SDIFFSTORE destination key [key …]`
pub(super) fn sdiffstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    store(ctx, args, difference)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set_of(members: &[u8]) -> Set {
        let mut set = Set::new();
        for member in members {
            set.add(&[b'a' + member % 26], &EncodingLimits::default());
        }
        set
    }

    proptest! {
        #[test]
        fn a_difference_is_the_same_whichever_way_it_is_computed(
            first in proptest::collection::vec(any::<u8>(), 0..40),
            others in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
        ) {
            let first = set_of(&first);
            let others: Vec<Set> = others.iter().map(|members| set_of(members)).collect();
            let mut expected = Set::new();
            for item in first.iter().filter(|item| !others.iter().any(|set| set.contains_item(*item))) {
                expected.add(&item.to_vec(), &EncodingLimits::default());
            }
            let sets: Vec<Option<&Set>> = std::iter::once(&first).chain(&others).map(Some).collect();
            prop_assert_eq!(difference(&sets, &EncodingLimits::default()), expected);
        }
    }
}
