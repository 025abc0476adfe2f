//! PFSELFTEST: checks both encodings against each other and against the true count.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::types::hyperloglog::{self, HllEncoding, REGISTERS};

/// Elements that are added in all: enough to pass through both encodings, few enough not to stall other clients.
const ELEMENTS: u64 = 100_000;

/// `PFSELFTEST`
pub(super) fn pfselftest(ctx: &mut Ctx<'_, '_>, _args: &Args<'_>) -> CommandResult {
    run(ctx.rng.u64(..), ctx.settings.hll_sparse_bytes_max)?;
    ctx.reply.ok();
    Ok(())
}

fn run(seed: u64, sparse_bytes_max: usize) -> CommandResult {
    const FAILED: CommandError = CommandError::coded("ERR TESTFAILED dense/sparse disagree");
    let mut dense = hyperloglog::create();
    hyperloglog::to_dense(&mut dense)?;
    let mut other = hyperloglog::create();
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = (number ^ seed).to_le_bytes();
        hyperloglog::add_dense(&mut dense, &element)?;
        hyperloglog::add(&mut other, &element, sparse_bytes_max)?;
        if number != checkpoint {
            continue;
        }
        checkpoint *= 10;
        let count = hyperloglog::count(&dense)?;
        if count != hyperloglog::count(&other)? {
            return Err(FAILED);
        }
        if number < sparse_bytes_max as u64 / 2 && hyperloglog::validate(&other)? != HllEncoding::Sparse {
            return Err(CommandError::coded("ERR TESTFAILED sparse encoding not used"));
        }
        if count.abs_diff(number) > error_max(number) {
            return Err(CommandError::err(format_args!("TESTFAILED {number} elements were estimated as {count}")));
        }
    }
    Ok(())
}

/// Six standard errors, which a sound estimator practically never exceeds; at least one collision.
fn error_max(count: u64) -> u64 {
    let standard_error = 1.04 / (REGISTERS as f64).sqrt();
    (standard_error * 6.0 * count as f64).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_self_test_passes_with_any_sparse_limit() {
        for sparse_bytes_max in [0, 100, 3000] {
            assert_eq!(super::run(0x5eed, sparse_bytes_max), Ok(()), "{sparse_bytes_max}");
        }
    }
}
