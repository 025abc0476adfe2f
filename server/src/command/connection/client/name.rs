//! What a client tells of itself: CLIENT SETNAME, GETNAME, SETINFO.

use super::super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// The longest name; they are shown in a line each.
const NAME_LEN_MAX: usize = 64 * 1024;

/// `CLIENT SETNAME name`
pub(super) fn setname(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let name = checked_name(args.get(2))?;
    ctx.session.client.facts.lock().name = name;
    ctx.reply.ok();
    Ok(())
}

/// `CLIENT GETNAME`
pub(super) fn getname(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let facts = ctx.session.client.facts.lock();
    ctx.reply.optional_bulk((!facts.name.is_empty()).then_some(facts.name.as_bytes()));
    Ok(())
}

/// `CLIENT SETINFO LIB-NAME|LIB-VER value`
pub(super) fn setinfo(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let option = String::from_utf8_lossy(args.get(2));
    let is_name = args.is(2, "lib-name");
    if !is_name && !args.is(2, "lib-ver") {
        return Err(CommandError::err(format_args!("Unrecognized option '{option}'")));
    }
    let Some(value) = printable(args.get(3)) else {
        return Err(CommandError::err(format_args!("{option} cannot contain spaces, newlines or special characters.")));
    };
    let mut facts = ctx.session.client.facts.lock();
    *(if is_name { &mut facts.lib_name } else { &mut facts.lib_ver }) = value;
    drop(facts);
    ctx.reply.ok();
    Ok(())
}

/// A name that may stand in CLIENT LIST.
///
/// # Errors
/// It has blanks, line ends or the like, or is too long.
pub(in super::super) fn checked_name(name: &[u8]) -> Result<String, CommandError> {
    printable(name)
        .ok_or_else(|| CommandError::err("Client names cannot contain spaces, newlines or special characters."))
}

fn printable(text: &[u8]) -> Option<String> {
    let is_printable = text.len() <= NAME_LEN_MAX && text.iter().all(|byte| (b'!'..=b'~').contains(byte));
    is_printable.then(|| String::from_utf8_lossy(text).into_owned())
}
