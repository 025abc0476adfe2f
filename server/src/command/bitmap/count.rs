//! BITCOUNT and BITPOS.

use std::ops::RangeInclusive;

use super::{
    super::{CommandError, CommandResult, args::Args, byte_range, ctx::Ctx},
    bits,
};

/// What a range counts in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(args: &Args<'_>, index: usize) -> Result<Self, CommandError> {
        if args.len() <= index || args.is(index, "BYTE") {
            Ok(Self::Byte)
        } else if args.is(index, "BIT") {
            Ok(Self::Bit)
        } else {
            Err(CommandError::Syntax)
        }
    }

    /// The bits between two indexes in this unit.
    fn bits(self, start: i64, end: i64, bytes_len: usize) -> Option<RangeInclusive<usize>> {
        match self {
            Self::Bit => byte_range::resolve(start, end, bytes_len * 8),
            Self::Byte => {
                let bytes = byte_range::resolve(start, end, bytes_len)?;
                Some(bytes.start() * 8..=bytes.end() * 8 + 7)
            }
        }
    }
}

/// `BITCOUNT key [start [end [BYTE | BIT]]]`
pub(super) fn bitcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if args.len() > 5 {
        return Err(CommandError::Syntax);
    }
    let start = if args.len() > 2 { args.integer(2)? } else { 0 };
    let unit = Unit::parse(args, 4)?;
    let end = if args.len() > 3 { args.integer(3)? } else { -1 };
    let key = ctx.key(args, 1);
    let value = ctx.ks.read_string(&key)?.unwrap_or_default();
    let count = match unit.bits(start, end, value.len()) {
        Some(range) if args.len() < 4 || !byte_range::is_backwards(start, end) => bits::count(value, range),
        _ => 0,
    };
    ctx.reply.count(count as usize);
    Ok(())
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub(super) fn bitpos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let wanted = match args.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err(CommandError::coded("ERR The bit argument must be 1 or 0.")),
    };
    if args.len() > 6 {
        return Err(CommandError::Syntax);
    }
    let start = if args.len() > 3 { args.integer(3)? } else { 0 };
    let unit = Unit::parse(args, 5)?;
    let end = if args.len() > 4 { args.integer(4)? } else { -1 };
    let key = ctx.key(args, 1);
    let position = match ctx.ks.read_string(&key)? {
        // A missing key is an endless row of clear bits.
        None => (!wanted).then_some(0),
        Some(value) => unit.bits(start, end, value.len()).and_then(|range| {
            // So is what lies behind the string, where no end was given.
            let clear_behind = (!wanted && args.len() <= 4).then_some(value.len() * 8);
            bits::find(value, wanted, range).or(clear_behind)
        }),
    };
    match position {
        Some(position) => ctx.reply.count(position),
        None => ctx.reply.integer(-1),
    }
    Ok(())
}
