//! PFDEBUG: the inside of a HyperLogLog.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, string::peek_string};
use crate::{
    store::keyspace::Ttl,
    types::hyperloglog::{self, HllEncoding},
};

/// `PFDEBUG GETREG | DECODE | ENCODING | TODENSE key`
pub(super) fn pfdebug(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 2);
    let hll = peek_string(ctx.ks, &key)?.ok_or(CommandError::coded("ERR The specified key does not exist"))?;
    let encoding = hyperloglog::validate(hll)?;
    if args.is(1, "GETREG") {
        let registers = hyperloglog::registers(hll)?;
        ctx.reply.array(registers.len());
        registers.iter().for_each(|&register| ctx.reply.integer(i64::from(register)));
    } else if args.is(1, "DECODE") {
        let runs = hyperloglog::describe_runs(hll)?.ok_or(CommandError::coded("ERR HLL encoding is not sparse"))?;
        ctx.reply.bulk(runs.as_bytes());
    } else if args.is(1, "ENCODING") {
        ctx.reply.simple(encoding.name());
    } else if args.is(1, "TODENSE") {
        let converts = encoding == HllEncoding::Sparse;
        if converts {
            let mut dense = hll.to_vec();
            hyperloglog::to_dense(&mut dense)?;
            ctx.ks.put_string(&key, &dense, Ttl::Keep);
            ctx.ks.touched(&key);
        }
        ctx.reply.integer(i64::from(converts));
    } else {
        let name = String::from_utf8_lossy(args.get(1));
        return Err(CommandError::err(format_args!("Unknown PFDEBUG subcommand '{name}'")));
    }
    Ok(())
}
