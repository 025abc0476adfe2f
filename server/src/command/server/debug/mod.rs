//! DEBUG: what tests need to look and reach inside the server.

mod digest;
mod inspect;
mod protocol;
mod reload;

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, help};
use crate::store::{key::Key, keyspace::Ttl, observer::EventClass};

/// The longest DEBUG SLEEP.
const SLEEP_S_MAX: f64 = 3600.0;

/// `DEBUG subcommand [argument …]`
pub(super) fn debug(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let name = args.get(1).to_ascii_lowercase();
    match (name.as_slice(), args.len()) {
        (b"help", 2) => explain(ctx, args),
        (b"sleep", 3) => return sleep(ctx, args),
        (b"set-active-expire", 3) => {
            let is_on = args.integer(2)? != 0;
            ctx.node.housekeeping.expires_actively.store(is_on, Relaxed);
            ctx.reply.ok();
        }
        (b"pause-cron", 3) => {
            let pauses = args.integer(2)? != 0;
            ctx.node.housekeeping.is_paused.store(pauses, Relaxed);
            ctx.reply.ok();
        }
        (b"object", 3 | 4) => return inspect::object(ctx, args),
        (b"listpack", 3) => return inspect::listpack(ctx, args),
        // Long elements are stored as any others here.
        (b"quicklist-packed-threshold", 3) | (b"replybuffer", 4) => ctx.reply.ok(),
        (b"digest", 2) => digest::dataset(ctx),
        (b"digest-value", 2..) => digest::values(ctx, args),
        (b"protocol", 3) => return protocol::protocol(ctx, args),
        (b"error", 3) => return Err(CommandError::Other(String::from_utf8_lossy(args.get(2)).into_owned().into())),
        (b"populate", 3..=5) => return populate(ctx, args),
        (b"stringmatch-len", 4) => return inspect::stringmatch(ctx, args),
        (b"reload", _) => return reload::reload(ctx),
        (b"loadaof", _) => return Err(CommandError::err("this server keeps no log that it could load")),
        _ => {
            return Err(CommandError::err(format_args!(
                "unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                String::from_utf8_lossy(&args.get(1)[..args.get(1).len().min(128)])
            )));
        }
    }
    Ok(())
}

fn explain(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    help::reply(
        ctx,
        args,
        &[
            ("DIGEST", "A digest of all keys with their values."),
            ("DIGEST-VALUE <key> [<key> ...]", "A digest of each key's value."),
            ("ERROR <text>", "Fails with this text."),
            ("LISTPACK <key>", "Whether the key's value is packed."),
            ("OBJECT <key>", "How the key's value is stored."),
            ("PAUSE-CRON <0|1>", "Suspends the node's housekeeping."),
            ("POPULATE <count> [<prefix>] [<size>]", "Creates keys that are not there yet."),
            ("PROTOCOL <type>", "A reply of this type."),
            ("QUICKLIST-PACKED-THRESHOLD <size>", "Accepted without effect."),
            ("RELOAD", "Builds every value anew from its serialized form."),
            ("REPLYBUFFER <option> <value>", "Accepted without effect."),
            ("SET-ACTIVE-EXPIRE <0|1>", "Whether keys expire without being asked for."),
            ("SLEEP <seconds>", "Blocks the thread that serves this connection."),
            ("STRINGMATCH-LEN <length> <pattern>", "Matches a text of that length against a pattern."),
        ],
    );
}

fn sleep(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let seconds = args.float(2)?;
    if !(0.0..=SLEEP_S_MAX).contains(&seconds) {
        return Err(CommandError::err("sleep is out of range"));
    }
    std::thread::sleep(Duration::from_secs_f64(seconds));
    ctx.reply.ok();
    Ok(())
}

/// Holds the shard of a key that the command table does not know of. Inside a transaction all shards are held already.
fn hold(ctx: &mut Ctx<'_, '_>, key: &Key<'_>) {
    if !ctx.ks.holds(key.shard()) {
        ctx.ks.hold_one(key.shard());
    }
}

/// `DEBUG POPULATE count [prefix] [size]`
fn populate(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let count = u64::try_from(args.integer(2)?).map_err(|_| CommandError::NotInteger)?;
    let prefix: &[u8] = if args.len() > 3 { args.get(3) } else { b"key" };
    let size = match args.len() {
        5 => Some(usize::try_from(args.integer(4)?).map_err(|_| CommandError::NotInteger)?),
        _ => None,
    };
    if size.is_some_and(|size| size > ctx.settings.bulk_len_max) {
        return Err(CommandError::err("string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    for index in 0..count {
        let mut digits = itoa::Buffer::new();
        let index = digits.format(index).as_bytes();
        let name = [prefix, b":", index].concat();
        let key = ctx.ks.key(&name);
        hold(ctx, &key);
        if ctx.ks.exists(&key) {
            continue;
        }
        let mut value = [b"value:", index].concat();
        if let Some(size) = size {
            value.resize(size, 0);
        }
        ctx.ks.put_string(&key, &value, Ttl::Clear);
        ctx.ks.changed(&key, EventClass::STRING, "set");
    }
    ctx.reply.ok();
    Ok(())
}
