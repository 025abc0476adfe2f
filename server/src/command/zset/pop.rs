//! ZPOPMIN, ZPOPMAX, ZMPOP, and the forms that wait.

use rondache_protocol::resp::writer::ReplyWriter;

use super::super::{
    CommandError, CommandResult,
    args::Args,
    block_args,
    ctx::{Ctx, TimeoutReply},
};
use crate::{
    store::{key::Key, observer::EventClass},
    types::zset::ZSet,
    util::number::parse_i64,
};

/// From which end members are popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    fn parse(args: &Args<'_>, at: usize) -> Result<Self, CommandError> {
        if args.is(at, "min") {
            Ok(Self::Min)
        } else if args.is(at, "max") {
            Ok(Self::Max)
        } else {
            Err(CommandError::Syntax)
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Min => "zpopmin",
            Self::Max => "zpopmax",
        }
    }
}

/// The form of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Members and scores in turns.
    Flat,
    /// An array of pairs.
    Pairs,
    /// The key, then members and scores in turns.
    KeyAndFlat,
    /// The key and an array of pairs.
    KeyAndPairs,
}

impl Form {
    fn header(self, reply: &mut ReplyWriter<'_>, key: &[u8], members: usize) {
        match self {
            Self::Flat => reply.array(members.saturating_mul(2)),
            Self::Pairs => reply.array(members),
            Self::KeyAndFlat => {
                reply.array(members.saturating_mul(2).saturating_add(1));
                reply.bulk(key);
            }
            Self::KeyAndPairs => {
                reply.array(2);
                reply.bulk(key);
                reply.array(members);
            }
        }
    }

    fn member(self, reply: &mut ReplyWriter<'_>, member: &[u8], score: f64) {
        if matches!(self, Self::Pairs | Self::KeyAndPairs) {
            reply.array(2);
        }
        reply.bulk(member);
        reply.double(score);
    }
}

/// What to pop, and how to reply it.
#[derive(Clone, Copy, Debug)]
struct Pop {
    end: End,
    count: usize,
    form: Form,
}

impl Pop {
    /// Pops from the key and replies; `false`, without a reply, where there is no such key.
    fn run(self, ctx: &mut Ctx<'_, '_>, key: &Key<'_>) -> Result<bool, CommandError> {
        let recording = ctx.ks.records_effects();
        let Some(set) = ctx.ks.object_mut::<ZSet>(key)? else { return Ok(false) };
        let count = self.count.min(set.len());
        self.form.header(&mut ctx.reply, key.bytes, count);
        let mut popped: Vec<Vec<u8>> = Vec::new();
        let mut visit = |member: &[u8], score| {
            self.form.member(&mut ctx.reply, member, score);
            if recording {
                popped.push(member.to_vec());
            }
        };
        match self.end {
            End::Min => {
                set.remove_ranks(0..count, visit);
            }
            // One by one, because the highest comes first.
            End::Max => {
                for _ in 0..count {
                    set.remove_ranks(set.len() - 1..set.len(), &mut visit);
                }
            }
        }
        if count > 0 {
            ctx.changed(key, EventClass::ZSET, self.end.event());
            ctx.ks.remove_if_empty::<ZSet>(key);
        }
        if !popped.is_empty() {
            let mut effect: Vec<&[u8]> = vec![b"ZREM", key.bytes];
            effect.extend(popped.iter().map(Vec::as_slice));
            ctx.ks.effect(key, &effect);
        }
        Ok(true)
    }

    /// Pops from the first of the keys that is there.
    fn run_first<'k>(self, ctx: &mut Ctx<'_, '_>, keys: impl Iterator<Item = &'k [u8]>) -> Result<bool, CommandError> {
        for bytes in keys {
            let key = ctx.ks.key(bytes);
            if self.run(ctx, &key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `ZPOPMIN key [count]`
pub(super) fn zpopmin(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop_one_key(ctx, args, End::Min)
}

/// `ZPOPMAX key [count]`
pub(super) fn zpopmax(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    pop_one_key(ctx, args, End::Max)
}

fn pop_one_key(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let has_count = args.len() == 3;
    let count = if has_count { positive(args, 2, 0, "ERR value is out of range, must be positive")? } else { 1 };
    // With a count, RESP3 replies pairs; a single member comes flat.
    let form = if has_count && count > 0 && ctx.reply.is_resp3() { Form::Pairs } else { Form::Flat };
    let key = ctx.key(args, 1);
    if !(Pop { end, count, form }).run(ctx, &key)? {
        ctx.reply.array(0);
    }
    Ok(())
}

/// An integer of at least `least`; anything else is answered with `refusal`.
fn positive(args: &Args<'_>, at: usize, least: usize, refusal: &'static str) -> Result<usize, CommandError> {
    let number = parse_i64(args.get(at)).and_then(|number| usize::try_from(number).ok());
    number.filter(|&number| number >= least).ok_or(CommandError::coded(refusal))
}

/// `ZMPOP numkeys key [key …] MIN|MAX [COUNT count]`
pub(super) fn zmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (keys, pop) = parse_many(args, 1)?;
    if !pop.run_first(ctx, args.from(2).take(keys))? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// `BZMPOP timeout numkeys key [key …] MIN|MAX [COUNT count]`
pub(super) fn bzmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (keys, pop) = parse_many(args, 2)?;
    let timeout_ms = block_args::timeout_ms(args, 1, ctx.now_ms())?;
    pop_or_block(ctx, pop, args.from(3).take(keys), timeout_ms)
}

/// Reads `numkeys key [key …] MIN|MAX [COUNT count]`.
fn parse_many(args: &Args<'_>, count_at: usize) -> Result<(usize, Pop), CommandError> {
    let keys = positive(args, count_at, 1, "ERR numkeys should be greater than 0")?;
    let end_at = keys.checked_add(count_at + 1).filter(|&at| at < args.len()).ok_or(CommandError::Syntax)?;
    let end = End::parse(args, end_at)?;
    let count = match args.len() - end_at - 1 {
        0 => 1,
        2 if args.is(end_at + 1, "count") => positive(args, end_at + 2, 1, "ERR count should be greater than 0")?,
        _ => return Err(CommandError::Syntax),
    };
    Ok((keys, Pop { end, count, form: Form::KeyAndPairs }))
}

/// `BZPOPMIN key [key …] timeout`
pub(super) fn bzpopmin(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    block_for_one(ctx, args, End::Min)
}

/// `BZPOPMAX key [key …] timeout`
pub(super) fn bzpopmax(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    block_for_one(ctx, args, End::Max)
}

fn block_for_one(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> CommandResult {
    let timeout_at = args.len() - 1;
    let timeout_ms = block_args::timeout_ms(args, timeout_at, ctx.now_ms())?;
    let pop = Pop { end, count: 1, form: Form::KeyAndFlat };
    pop_or_block(ctx, pop, args.from(1).take(timeout_at - 1), timeout_ms)
}

fn pop_or_block<'k>(
    ctx: &mut Ctx<'_, '_>,
    pop: Pop,
    keys: impl Iterator<Item = &'k [u8]> + Clone,
    timeout_ms: Option<u64>,
) -> CommandResult {
    if !pop.run_first(ctx, keys.clone())? {
        ctx.block(keys.map(Box::from).collect(), timeout_ms, TimeoutReply::NullArray);
    }
    Ok(())
}
