//! COPY and MOVE: a value under another name or in another database.

use std::sync::Arc;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::store::{DATABASES, entry::Value, keyspace::Taken, observer::EventClass};

const SAME_OBJECT: CommandError = CommandError::coded("ERR source and destination objects are the same");

/// The database that an argument names.
///
/// # Errors
/// Not an integer, or there is no such database.
pub(crate) fn database(args: &Args<'_>, index: usize) -> Result<usize, CommandError> {
    let number = args.integer(index)?;
    usize::try_from(number)
        .ok()
        .filter(|&number| number < DATABASES)
        .ok_or(CommandError::coded("ERR DB index is out of range"))
}

/// `COPY source destination [DB destination-db] [REPLACE]`
pub(super) fn copy(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let from_db = ctx.session.db;
    let (mut to_db, mut replaces) = (from_db, false);
    let mut at = 3;
    while at < args.len() {
        if args.is(at, "replace") {
            replaces = true;
        } else if args.is(at, "db") && at + 1 < args.len() {
            to_db = database(args, at + 1)?;
            if ctx.session.is_redirecting && to_db != 0 {
                return Err(CommandError::err("COPY to another database is not allowed in cluster mode"));
            }
            at += 1;
        } else {
            return Err(CommandError::Syntax);
        }
        at += 1;
    }
    let (from, to) = (ctx.key(args, 1), ctx.key(args, 2));
    if from_db == to_db && from.bytes == to.bytes {
        return Err(SAME_OBJECT);
    }
    let source = ctx.ks.read(&from).map(|entry| {
        let value = match entry.value() {
            Value::Bytes(bytes) => Taken::String(Arc::new(bytes.to_vec())),
            Value::Shared(bytes) => Taken::String(bytes.clone()),
            Value::Object(object) => Taken::Object(object.clone()),
        };
        (value, entry.deadline_ms())
    });
    ctx.ks.circumstances.db = to_db;
    let copied = match source {
        Some((value, deadline_ms)) if replaces || !ctx.ks.exists(&to) => {
            ctx.ks.remove(&to);
            ctx.ks.put_taken(&to, value, deadline_ms);
            ctx.changed(&to, EventClass::GENERIC, "copy_to");
            true
        }
        _ => false,
    };
    ctx.ks.circumstances.db = from_db;
    ctx.reply.integer(i64::from(copied));
    Ok(())
}

/// `MOVE key db`
pub(super) fn r#move(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    if ctx.session.is_redirecting {
        return Err(CommandError::err("MOVE is not allowed in cluster mode"));
    }
    let (from_db, to_db) = (ctx.session.db, database(args, 2)?);
    if from_db == to_db {
        return Err(SAME_OBJECT);
    }
    let key = ctx.key(args, 1);
    ctx.ks.circumstances.db = to_db;
    let is_taken = ctx.ks.exists(&key);
    ctx.ks.circumstances.db = from_db;
    let moved = if is_taken { None } else { ctx.ks.take(&key) };
    if let Some((value, deadline_ms)) = moved {
        ctx.changed(&key, EventClass::GENERIC, "move_from");
        ctx.ks.circumstances.db = to_db;
        ctx.ks.put_taken(&key, value, deadline_ms);
        ctx.changed(&key, EventClass::GENERIC, "move_to");
        ctx.ks.circumstances.db = from_db;
        ctx.reply.integer(1);
    } else {
        ctx.reply.integer(0);
    }
    Ok(())
}
