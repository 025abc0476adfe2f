//! PFADD.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx, string::peek_string};
use crate::{
    store::{key::Key, keyspace::Ttl, observer::EventClass},
    types::hyperloglog::{self, HllEncoding},
};

/// `PFADD key [element …]`
pub(super) fn pfadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let elements = args.from(2);
    let has_changed = match peek_string(ctx.ks, &key)? {
        None => add_copied(ctx, &key, None, elements)?,
        Some(hll) => match hyperloglog::validate(hll)? {
            // The registers have their final place, so there is nothing to copy.
            HllEncoding::Dense => add_in_place(ctx, &key, elements)?,
            HllEncoding::Sparse => {
                let hll = hll.to_vec();
                add_copied(ctx, &key, Some(hll), elements)?
            }
        },
    };
    if has_changed {
        ctx.changed(&key, EventClass::STRING, "pfadd");
    }
    ctx.reply.integer(i64::from(has_changed));
    Ok(())
}

fn add_in_place<'a>(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    elements: impl Iterator<Item = &'a [u8]>,
) -> Result<bool, CommandError> {
    let hll = ctx.ks.string_bytes_mut(key)?.unwrap_or_default();
    let mut has_changed = false;
    for element in elements {
        has_changed |= hyperloglog::add_dense(hll, element)?;
    }
    Ok(has_changed)
}

fn add_copied<'a>(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    hll: Option<Vec<u8>>,
    elements: impl Iterator<Item = &'a [u8]>,
) -> Result<bool, CommandError> {
    let mut has_changed = hll.is_none();
    let mut hll = hll.unwrap_or_else(hyperloglog::create);
    for element in elements {
        has_changed |= hyperloglog::add(&mut hll, element, ctx.settings.hll_sparse_bytes_max)?;
    }
    if has_changed {
        ctx.ks.put_string(key, &hll, Ttl::Keep);
    }
    Ok(has_changed)
}
