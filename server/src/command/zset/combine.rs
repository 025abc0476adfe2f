//! ZUNION, ZINTER, ZDIFF, their STORE forms, and ZINTERCARD. Their inputs are sorted sets and plain sets, whose members
//! count with a score of 1.

use std::{borrow::Cow, ops::ControlFlow};

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    combine_args::{Accepts, Options, not_nan, number_of_keys},
    reply,
    store::store,
};
use crate::{
    store::{
        entry::Value,
        key::Key,
        keyspace::Keyspace,
        object::{Object, WrongType},
    },
    types::{item::Item, set::Set, zset::ZSet},
};

/// A member; one that a set keeps as an integer has a text of its own.
type Member<'a> = Cow<'a, [u8]>;
type Members<'a> = Vec<(Member<'a>, f64)>;

/// What one key holds.
#[derive(Clone, Copy)]
enum Held<'a> {
    Nothing,
    Set(&'a Set),
    ZSet(&'a ZSet),
}

/// An input with the factor of its scores.
#[derive(Clone, Copy)]
struct Source<'a> {
    held: Held<'a>,
    weight: f64,
}

impl<'a> Held<'a> {
    fn read(ks: &'a Keyspace<'_>, key: &Key<'_>) -> Result<Self, WrongType> {
        match ks.read(key).map(|entry| entry.value()) {
            None => Ok(Self::Nothing),
            Some(Value::Object(Object::Set(set))) => Ok(Self::Set(set)),
            Some(Value::Object(Object::ZSet(set))) => Ok(Self::ZSet(set)),
            Some(_) => Err(WrongType),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Set(set) => set.len(),
            Self::ZSet(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Set(set) => set.contains(member).then_some(1.0),
            Self::ZSet(set) => set.score(member),
        }
    }

    /// Visits all members until `visit` breaks.
    fn for_each(self, mut visit: impl FnMut(Member<'a>, f64) -> ControlFlow<()>) {
        // Where the walk broke does not matter to anyone.
        let _ = match self {
            Self::Nothing => ControlFlow::Continue(()),
            Self::Set(set) => set.iter().try_for_each(|item| match item {
                Item::Bytes(bytes) => visit(Cow::Borrowed(bytes), 1.0),
                Item::Int(_) => visit(Cow::Owned(item.to_vec()), 1.0),
            }),
            Self::ZSet(set) => set.iter().try_for_each(|(member, score)| visit(Cow::Borrowed(member), score)),
        };
    }
}

/// The operation on sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

impl Operation {
    fn event(self) -> &'static str {
        match self {
            Self::Union => "zunionstore",
            Self::Intersection => "zinterstore",
            Self::Difference => "zdiffstore",
        }
    }

    /// The result, in the order of a sorted set.
    fn apply<'a>(self, mut sources: Vec<Source<'a>>, options: &Options) -> Members<'a> {
        let mut result = match self {
            Self::Difference => difference(&sources),
            // Smallest first: it bounds the walk, and sets the order in which floats are summed up.
            Self::Union | Self::Intersection => {
                sources.sort_by_key(|source| source.held.len());
                if self == Self::Union { union(&sources, options) } else { intersection(&sources, options) }
            }
        };
        let order = |a: &(Member<'_>, f64), b: &(Member<'_>, f64)| {
            a.1.partial_cmp(&b.1).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.0.cmp(&b.0))
        };
        result.sort_unstable_by(order);
        result
    }
}

fn union<'a>(sources: &[Source<'a>], options: &Options) -> Members<'a> {
    let mut scores: HashMap<Member<'a>, f64> =
        HashMap::with_capacity(sources.last().map_or(0, |largest| largest.held.len()));
    for source in sources {
        source.held.for_each(|member, score| {
            let score = not_nan(score * source.weight);
            match scores.entry(member) {
                Entry::Vacant(entry) => {
                    entry.insert(score);
                }
                Entry::Occupied(mut entry) => {
                    let total = options.aggregate.join(*entry.get(), score);
                    entry.insert(total);
                }
            }
            ControlFlow::Continue(())
        });
    }
    scores.into_iter().collect()
}

fn intersection<'a>(sources: &[Source<'a>], options: &Options) -> Members<'a> {
    let mut result = Vec::new();
    let Some((first, others)) = sources.split_first() else { return result };
    first.held.for_each(|member, score| {
        let total = others.iter().try_fold(not_nan(score * first.weight), |total, other| {
            Some(options.aggregate.join(total, other.held.score(&member)? * other.weight))
        });
        result.extend(total.map(|total| (member, total)));
        ControlFlow::Continue(())
    });
    result
}

fn difference<'a>(sources: &[Source<'a>]) -> Members<'a> {
    let mut result = Vec::new();
    let Some((first, others)) = sources.split_first() else { return result };
    // In the larger ones a member is found sooner.
    let mut others = others.to_vec();
    others.sort_by_key(|other| std::cmp::Reverse(other.held.len()));
    first.held.for_each(|member, score| {
        if !others.iter().any(|other| other.held.score(&member).is_some()) {
            result.push((member, score));
        }
        ControlFlow::Continue(())
    });
    result
}

/// Reads the keys and the options behind their count at `count_at`.
fn read<'k>(
    ks: &'k Keyspace<'_>,
    args: &Args<'_>,
    count_at: usize,
    accepts: Accepts,
    command: &str,
) -> Result<(Vec<Source<'k>>, Options), CommandError> {
    let keys = number_of_keys(args, count_at, command)?;
    let first = count_at + 1;
    let held = (first..first + keys).map(|at| Held::read(ks, &ks.key(args.get(at))));
    let held = held.collect::<Result<Vec<_>, _>>()?;
    let options = Options::parse(args, first + keys, keys, accepts)?;
    let sources = held.into_iter().enumerate().map(|(index, held)| Source { held, weight: options.weight(index) });
    Ok((sources.collect(), options))
}

fn answer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operation: Operation) -> CommandResult {
    let accepts = Accepts { weights: operation != Operation::Difference, scores: true, limit: false };
    let (sources, options) = read(ctx.ks, args, 1, accepts, ctx.spec.name)?;
    let result = operation.apply(sources, &options);
    let entries = result.iter().map(|(member, score)| (member.as_ref(), *score));
    reply::members(&mut ctx.reply, entries, options.with_scores);
    Ok(())
}

fn answer_stored(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operation: Operation) -> CommandResult {
    let accepts = Accepts { weights: operation != Operation::Difference, ..Accepts::default() };
    let (sources, options) = read(ctx.ks, args, 2, accepts, ctx.spec.name)?;
    let mut set = ZSet::new();
    for (member, score) in operation.apply(sources, &options) {
        set.insert(&member, score, &ctx.settings.encoding);
    }
    let destination = ctx.key(args, 1);
    store(ctx, &destination, set, operation.event());
    Ok(())
}

/// `ZUNION numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`
pub(super) fn zunion(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Operation::Union)
}

/// `ZINTER numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]`
pub(super) fn zinter(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Operation::Intersection)
}

/// `ZDIFF numkeys key [key …] [WITHSCORES]`
pub(super) fn zdiff(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer(ctx, args, Operation::Difference)
}

/// `ZUNIONSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX]`
pub(super) fn zunionstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer_stored(ctx, args, Operation::Union)
}

/// `ZINTERSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX]`
pub(super) fn zinterstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer_stored(ctx, args, Operation::Intersection)
}

/// `ZDIFFSTORE destination numkeys key [key …]`
pub(super) fn zdiffstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    answer_stored(ctx, args, Operation::Difference)
}

/// `ZINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) fn zintercard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let accepts = Accepts { limit: true, ..Accepts::default() };
    let (mut sources, options) = read(ctx.ks, args, 1, accepts, ctx.spec.name)?;
    sources.sort_by_key(|source| source.held.len());
    let mut count = 0;
    if let Some((first, others)) = sources.split_first() {
        first.held.for_each(|member, _| {
            count += usize::from(others.iter().all(|other| other.held.score(&member).is_some()));
            if options.limit > 0 && count == options.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    ctx.reply.count(count);
    Ok(())
}
