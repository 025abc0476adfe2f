//! SETBIT and GETBIT.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    bits, offset,
};
use crate::store::{key::Key, observer::EventClass};

/// `GETBIT key offset`
pub(super) fn getbit(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let offset = offset::parse(args.get(2), ctx.settings)?;
    let key = ctx.key(args, 1);
    let bit = bits::get(ctx.ks.read_string(&key)?.unwrap_or_default(), offset);
    ctx.reply.integer(i64::from(bit));
    Ok(())
}

/// `SETBIT key offset value`
pub(super) fn setbit(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let offset = offset::parse(args.get(2), ctx.settings)?;
    let wanted = match args.get(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(CommandError::coded("ERR bit is not an integer or out of range")),
    };
    let key = ctx.key(args, 1);
    let grew = grow_to(ctx, &key, offset)?;
    let Some(byte) = ctx.ks.string_bytes_mut(&key)?.and_then(|bytes| bytes.get_mut(offset / 8)) else {
        return Ok(());
    };
    let mask = bits::mask(offset);
    let was_set = *byte & mask != 0;
    if wanted {
        *byte |= mask;
    } else {
        *byte &= !mask;
    }
    if grew || was_set != wanted {
        ctx.changed(&key, EventClass::STRING, "setbit");
    }
    ctx.reply.integer(i64::from(was_set));
    Ok(())
}

/// Makes a string, which may be missing, long enough to hold a bit. Answers whether it was not.
///
/// # Errors
/// The key holds a collection.
pub(super) fn grow_to(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, offset: usize) -> Result<bool, CommandError> {
    let len = super::super::string::peek_string(ctx.ks, key)?.map_or(0, <[u8]>::len);
    let grows = offset / 8 >= len;
    if grows {
        ctx.ks.resize_string(key, offset / 8 + 1)?;
    }
    Ok(grows)
}
