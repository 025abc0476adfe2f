//! HGETEX: reads fields and sets or lifts their deadlines.

use super::{
    super::{
        CommandError, CommandResult,
        args::Args,
        ctx::Ctx,
        expire_args::{ExpireForm, Expiry},
    },
    deadline::{Condition, expire_fields, parse_expiry},
    edit::edit,
    fields::{BAD_COUNT, Fields},
    ttl::persist,
};

/// What HGETEX does to the deadlines.
enum Change {
    None,
    Persist,
    Expire(Expiry),
}

/// `HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field …]`
pub(super) fn hgetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let (change, fields) = parse(ctx, args)?;
    let key = ctx.key(args, 1);
    let now_ms = ctx.now_ms();
    let names: Vec<&[u8]> = fields.names().collect();
    ctx.reply.array(names.len());
    let reply = &mut ctx.reply;
    let is_there = edit(ctx.ks, &key, |hash| {
        names.iter().for_each(|field| reply.optional_bulk(hash.get(field, now_ms)));
    })?;
    if is_there.is_none() {
        names.iter().for_each(|_| ctx.reply.null());
        return Ok(());
    }
    match change {
        Change::None => {}
        Change::Persist => drop(persist(ctx, &key, &names)?),
        Change::Expire(expiry) => drop(expire_fields(ctx, &key, &names, expiry, Condition::None)?),
    }
    Ok(())
}

fn parse<'a>(ctx: &Ctx<'_, '_>, args: &Args<'a>) -> Result<(Change, Fields<'a>), CommandError> {
    let mut change = Change::None;
    let mut at = 2;
    while at < args.len() && !args.is(at, "FIELDS") {
        let form = ExpireForm::of(args.get(at));
        if form.is_none() && !args.is(at, "PERSIST") {
            let unknown = String::from_utf8_lossy(args.get(at));
            return Err(CommandError::err(format_args!("unknown argument: {unknown}")));
        }
        if !matches!(change, Change::None) {
            return Err(CommandError::coded(
                "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
            ));
        }
        match form {
            Some(form) => {
                change = Change::Expire(parse_expiry(ctx, args, at + 1, form)?);
                at += 2;
            }
            None => {
                change = Change::Persist;
                at += 1;
            }
        }
    }
    Ok((change, Fields::parse(args, at, 1, BAD_COUNT)?))
}
