//! SCAN, KEYS, RANDOMKEY: walks over the whole keyspace.

use rondache_protocol::resp::writer::ReplyWriter;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::{
    store::{
        entry::EntryRef,
        object::Kind,
        scan::{Foreign, SlotCursor},
    },
    util::{glob, number},
};

/// `KEYS pattern`
pub(super) fn keys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let pattern = Pattern::new(args.get(1));
    let open = ctx.reply.begin();
    let mut count = 0;
    let reply = &mut ctx.reply;
    ctx.ks.for_each_entry(|entry| {
        if pattern.matches(entry.key()) {
            reply.bulk(entry.key());
            count += 1;
        }
    });
    ctx.reply.end_array(open, count);
    Ok(())
}

/// `RANDOMKEY`
pub(super) fn randomkey(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    let key = ctx.ks.random_key(ctx.rng);
    ctx.reply.optional_bulk(key.as_deref());
    Ok(())
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`
pub(super) fn scan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let cursor = number::parse_u64(args.get(1)).ok_or(CommandError::coded("ERR invalid cursor"))?;
    let options = ScanOptions::parse(args)?;
    let mut keys = Vec::new();
    let mut writer = ReplyWriter::new(&mut keys, ctx.reply.version());
    let mut count = 0;
    let mut visit = |entry: EntryRef<'_>| {
        let is_wanted = match options.kind {
            KindFilter::Any => true,
            KindFilter::Only(kind) => entry.value().kind() == kind,
            KindFilter::Nothing => false,
        };
        if is_wanted && options.pattern.matches(entry.key()) {
            writer.bulk(entry.key());
            count += 1;
        }
    };
    let next = if ctx.is_clustered() {
        let routing = &ctx.node.cluster.routing;
        // On the redirect port each node is walked by itself.
        let foreign = if ctx.session.is_redirecting { Foreign::Skip } else { Foreign::Stop };
        let from = SlotCursor::parse(args.get(1));
        ctx.ks.scan_slots(from, options.count, foreign, |slot| routing.is_mine(slot), &mut visit)
    } else {
        ctx.ks.scan(cursor, options.count, &mut visit)
    };
    ctx.reply.array(2);
    ctx.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    ctx.reply.array(count);
    ctx.reply.raw(&keys);
    Ok(())
}

/// A pattern with more stars matches nothing, as in Redis: each of them multiplies the ways to match one key.
const STARS_MAX: usize = 1000;

/// Which keys' names are wanted.
enum Pattern<'a> {
    Any,
    Glob(&'a [u8]),
    /// Too costly to try.
    Nothing,
}

impl<'a> Pattern<'a> {
    fn new(pattern: &'a [u8]) -> Self {
        if pattern == b"*" {
            Self::Any
        } else if pattern.iter().filter(|&&byte| byte == b'*').count() > STARS_MAX {
            Self::Nothing
        } else {
            Self::Glob(pattern)
        }
    }

    fn matches(&self, key: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Glob(pattern) => glob::matches(pattern, key, false),
            Self::Nothing => false,
        }
    }
}

#[derive(Clone, Copy)]
enum KindFilter {
    Any,
    Only(Kind),
    /// A type that exists but that no key can have here.
    Nothing,
}

struct ScanOptions<'a> {
    pattern: Pattern<'a>,
    count: usize,
    kind: KindFilter,
}

impl<'a> ScanOptions<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, CommandError> {
        let mut options = Self { pattern: Pattern::Any, count: 10, kind: KindFilter::Any };
        let mut at = 2;
        while at < args.len() {
            let has_value = at + 1 < args.len();
            if args.is(at, "count") && has_value {
                options.count = usize::try_from(args.integer(at + 1)?)
                    .ok()
                    .filter(|&count| count > 0)
                    .ok_or(CommandError::Syntax)?;
            } else if args.is(at, "match") && has_value {
                options.pattern = Pattern::new(args.get(at + 1));
            } else if args.is(at, "type") && has_value {
                options.kind = kind_filter(args.get(at + 1))?;
            } else if args.is(at, "novalues") {
                return Err(CommandError::err("NOVALUES option can only be used in HSCAN"));
            } else if args.is(at, "noscores") {
                return Err(CommandError::err("NOSCORES option can only be used in ZSCAN"));
            } else {
                return Err(CommandError::Syntax);
            }
            at += 2;
        }
        Ok(options)
    }
}

fn kind_filter(name: &[u8]) -> Result<KindFilter, CommandError> {
    const KINDS: [Kind; 5] = [Kind::String, Kind::List, Kind::Set, Kind::ZSet, Kind::Hash];
    if let Some(kind) = KINDS.iter().find(|kind| name.eq_ignore_ascii_case(kind.name().as_bytes())) {
        return Ok(KindFilter::Only(*kind));
    }
    if name.eq_ignore_ascii_case(b"stream") {
        return Ok(KindFilter::Nothing);
    }
    Err(CommandError::err(format_args!("unknown type name '{}'", String::from_utf8_lossy(name))))
}
