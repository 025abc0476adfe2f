//! SHUTDOWN, TIME, LOLWUT.

use super::REDIS_VERSION;
use crate::{
    command::{CommandError, CommandResult, args::Args, ctx::Ctx},
    node::clock,
};

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`
pub(super) fn shutdown(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let asks = |word| (1..args.len()).any(|index| args.is(index, word));
    let known = ["nosave", "save", "now", "force", "abort"];
    let is_known = |arg: &[u8]| known.iter().any(|word| arg.eq_ignore_ascii_case(word.as_bytes()));
    if !args.from(1).all(is_known) || asks("save") && asks("nosave") || asks("abort") && args.len() > 2 {
        return Err(CommandError::Syntax);
    }
    if asks("abort") {
        return Err(CommandError::err("No shutdown in progress."));
    }
    if asks("save") {
        return Err(CommandError::err("nothing is kept on disk here, so SHUTDOWN SAVE cannot be done; use NOSAVE"));
    }
    tracing::info!(client = %ctx.session.client.addr, "SHUTDOWN was asked for");
    ctx.session.closes = true;
    if asks("now") {
        ctx.node.shutdown.cancel();
    } else {
        ctx.node.stop();
    }
    Ok(())
}

/// `TIME`
pub(super) fn time(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    const US_PER_S: u64 = 1_000_000;
    let now_us = clock::unix_us();
    ctx.reply.array(2);
    ctx.reply.bulk_integer((now_us / US_PER_S) as i64);
    ctx.reply.bulk_integer((now_us % US_PER_S) as i64);
    Ok(())
}

/// `LOLWUT [VERSION version] [argument …]`
pub(super) fn lolwut(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> CommandResult {
    let text = format!("{}\nRondache ver. {} (Redis ver. {REDIS_VERSION})\n", shield(), env!("CARGO_PKG_VERSION"));
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// A rondache: a round shield with a boss and rivets.
fn shield() -> String {
    const RADIUS: i32 = 8;
    let mut text = String::new();
    for y in -RADIUS..=RADIUS {
        for x in -2 * RADIUS..=2 * RADIUS {
            // A character is twice as high as it is wide.
            let distance = f64::from(x * x).mul_add(0.25, f64::from(y * y)).sqrt();
            text.push(match distance {
                d if d < 1.5 => '@',
                d if d < 6.5 => ['.', ':'][((x + 2 * y).rem_euclid(4) / 2) as usize],
                d if d < 7.5 => '#',
                d if d < 8.3 => 'o',
                _ => ' ',
            });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
