//! KEYSLOT, COUNTKEYSINSLOT, GETKEYSINSLOT.

use rondache_protocol::slot::{SLOTS, slot_of};

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// `CLUSTER KEYSLOT key`
pub(super) fn slot_of_key(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    ctx.reply.integer(i64::from(slot_of(args.get(2))));
    Ok(())
}

/// `CLUSTER COUNTKEYSINSLOT slot`
pub(super) fn count(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let slot = slot_at(args, 2, "Invalid slot")?;
    let count = ctx.ks.count_keys_in_slot(slot);
    ctx.reply.count(count);
    Ok(())
}

/// `CLUSTER GETKEYSINSLOT slot count`
pub(super) fn list(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    const REFUSAL: &str = "Invalid slot or number of keys";
    let slot = slot_at(args, 2, REFUSAL)?;
    let count = usize::try_from(args.integer(3)?).map_err(|_| CommandError::err(REFUSAL))?;
    let keys = ctx.ks.keys_in_slot(slot, count);
    ctx.reply.array(keys.len());
    keys.iter().for_each(|key| ctx.reply.bulk(key));
    Ok(())
}

/// The slot that an argument names.
pub(super) fn slot_at(args: &Args<'_>, index: usize, refusal: &'static str) -> Result<u16, CommandError> {
    let slot = args.integer(index)?;
    u16::try_from(slot).ok().filter(|slot| *slot < SLOTS).ok_or_else(|| CommandError::err(refusal))
}

#[cfg(test)]
mod tests {
    use crate::session::harness::Harness;

    #[test]
    fn the_keys_of_a_slot_are_counted_and_listed() {
        let mut harness = Harness::unjittered();
        assert_eq!(harness.run("CLUSTER KEYSLOT {foo}x"), ":12182|");
        harness.run("SET {foo}1 v");
        harness.run("SET {foo}2 v");
        assert_eq!(harness.run("CLUSTER COUNTKEYSINSLOT 12182"), ":2|");
        assert_eq!(harness.run("CLUSTER COUNTKEYSINSLOT 0"), ":0|");
        assert!(harness.run("CLUSTER GETKEYSINSLOT 12182 1").starts_with("*1|$6|{foo}"));
        assert_eq!(harness.run("CLUSTER COUNTKEYSINSLOT 16384"), "-ERR Invalid slot|");
        assert_eq!(harness.run("CLUSTER GETKEYSINSLOT 1 -1"), "-ERR Invalid slot or number of keys|");
    }

    #[test]
    fn they_are_counted_inside_a_transaction_too() {
        let mut harness = Harness::unjittered();
        harness.run("MULTI");
        harness.run("SET foo v");
        harness.run("CLUSTER COUNTKEYSINSLOT 12182");
        harness.run("CLUSTER COUNTKEYSINSLOT 5061");
        assert_eq!(harness.run("EXEC"), "*3|+OK|:1|:0|");
    }
}
