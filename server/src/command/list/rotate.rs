//! LMOVE and RPOPLPUSH: from one list to another, or from one end of a list to its other.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    end::End,
};
use crate::{
    store::{
        key::Key,
        object::{Kind, WrongType},
        observer::EventClass,
    },
    types::{bytestr::ByteStr, list::List},
};

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`
pub(super) fn lmove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    move_or_null(ctx, args, from, to)
}

/// `RPOPLPUSH source destination`
pub(super) fn rpoplpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    move_or_null(ctx, args, End::Tail, End::Head)
}

fn move_or_null(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, from: End, to: End) -> CommandResult {
    let (source, destination) = (ctx.key(args, 1), ctx.key(args, 2));
    if !move_element(ctx, &source, &destination, from, to)? {
        ctx.reply.null();
    }
    Ok(())
}

/// Moves an element and writes it as the reply; `false`, and nothing written: the source is missing.
pub(super) fn move_element(
    ctx: &mut Ctx<'_, '_>,
    source: &Key<'_>,
    destination: &Key<'_>,
    from: End,
    to: End,
) -> Result<bool, CommandError> {
    let Some(list) = ctx.ks.object_mut::<List>(source)? else { return Ok(false) };
    let Some(element) = from.first(list).map(ByteStr::new) else { return Ok(false) };
    if ctx.ks.kind(destination).is_some_and(|kind| kind != Kind::List) {
        return Err(WrongType.into());
    }
    let limits = &ctx.settings.encoding;
    if let Some(list) = ctx.ks.object_mut::<List>(source)? {
        from.drop_from(list, 1, limits);
    }
    to.push(ctx.ks.object_or_insert::<List>(destination)?, element.as_bytes(), limits);
    ctx.reply.bulk(element.as_bytes());
    ctx.changed(destination, EventClass::LIST, to.push_event());
    // A list that is its own destination has its element back by now.
    let was_last = ctx.ks.object_mut::<List>(source)?.is_some_and(|list| list.is_empty());
    if was_last {
        ctx.ks.remove(source);
    }
    // An element that moves is one change, not two.
    ctx.ks.counts.changes -= 1;
    ctx.changed(source, EventClass::LIST, from.pop_event());
    if was_last {
        ctx.ks.event(source, EventClass::GENERIC, "del");
    }
    record_move(ctx, source, destination, (from, to), element.as_bytes());
    Ok(true)
}

/// Within a slot a move is one effect; over two slots each gets its own half.
fn record_move(ctx: &mut Ctx<'_, '_>, source: &Key<'_>, destination: &Key<'_>, (from, to): (End, End), element: &[u8]) {
    if source.slot == destination.slot {
        ctx.ks.effect(source, &[b"LMOVE", source.bytes, destination.bytes, from.word(), to.word()]);
    } else {
        ctx.ks.effect(source, &[from.pop_event().as_bytes(), source.bytes]);
        ctx.ks.effect(destination, &[to.push_event().as_bytes(), destination.bytes, element]);
    }
}
