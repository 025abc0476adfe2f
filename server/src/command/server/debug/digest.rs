//! DEBUG DIGEST and DIGEST-VALUE: equal for equal contents, however these are stored, and in whatever order.

use super::{
    super::super::{args::Args, ctx::Ctx},
    hold,
};
use crate::store::{
    DATABASES,
    replicate::content::{digest_parts, digest_value},
};

/// Hex digits of a digest, as clients expect them of a SHA-1.
const DIGITS: usize = 40;

/// `DEBUG DIGEST`
pub(super) fn dataset(ctx: &mut Ctx<'_, '_>) {
    let selected = ctx.ks.circumstances.db;
    let now_ms = ctx.ks.now_ms();
    let mut digest = 0;
    for db in 0..DATABASES {
        ctx.ks.circumstances.db = db;
        ctx.ks.for_each_entry(|entry| {
            digest ^= digest_parts(&[&db.to_le_bytes(), entry.key(), &digest_value(entry, now_ms).to_le_bytes()]);
        });
    }
    ctx.ks.circumstances.db = selected;
    ctx.reply.simple(&text(digest));
}

/// `DEBUG DIGEST-VALUE key [key …]`
pub(super) fn values(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) {
    ctx.reply.array(args.len() - 2);
    for bytes in args.from(2) {
        let key = ctx.ks.key(bytes);
        hold(ctx, &key);
        let digest = ctx.ks.peek(&key).map_or(0, |entry| digest_value(entry, ctx.ks.now_ms()));
        ctx.reply.simple(&text(digest));
    }
}

fn text(digest: u128) -> String {
    format!("{digest:0>DIGITS$x}")
}
