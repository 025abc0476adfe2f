//! GEOPOS, GEOHASH and GEODIST.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    parse, reply,
};
use crate::types::{
    geo::{Position, Unit, geohash_text},
    zset::ZSet,
};

/// `GEOPOS key [member …]`
pub(super) fn geopos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.read_object::<ZSet>(&key)?;
    ctx.reply.array(args.len() - 2);
    for member in args.from(2) {
        match set.and_then(|set| set.score(member)) {
            Some(score) => reply::position(&mut ctx.reply, Position::from_score(score)),
            None => ctx.reply.null_array(),
        }
    }
    Ok(())
}

/// `GEOHASH key [member …]`
pub(super) fn geohash(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let set = ctx.ks.read_object::<ZSet>(&key)?;
    ctx.reply.array(args.len() - 2);
    for member in args.from(2) {
        match set.and_then(|set| set.score(member)) {
            Some(score) => ctx.reply.bulk(&geohash_text(score)),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

/// `GEODIST key member1 member2 [M|KM|FT|MI]`
pub(super) fn geodist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let unit = match args.len() {
        4 => Unit::Metres,
        5 => parse::unit(args, 4)?,
        _ => return Err(CommandError::Syntax),
    };
    let distance_m = ctx.ks.read_object::<ZSet>(&key)?.and_then(|set| {
        let (from, to) = (set.score(args.get(2))?, set.score(args.get(3))?);
        Some(Position::from_score(from).distance_m(Position::from_score(to)))
    });
    match distance_m {
        Some(distance_m) => reply::distance(&mut ctx.reply, distance_m, unit),
        None => ctx.reply.null(),
    }
    Ok(())
}
