//! SLOT-STATS: how many keys the slots of this node hold.

use std::cmp::Reverse;

use rondache_protocol::slot::SLOTS;

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    slot_keys::slot_at,
};

/// A bad slot, in Redis's words.
const BAD_SLOT: &str = "Invalid or out of range slot";

/// `CLUSTER SLOT-STATS SLOTSRANGE first last | ORDERBY metric [LIMIT count] [ASC | DESC]`
pub(super) fn slot_stats(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let is_range = args.is(2, "slotsrange") && args.len() == 5;
    let order = match (is_range, args.is(2, "orderby")) {
        (true, _) => None,
        (_, true) => Some(Order::parse(args)?),
        _ => return Err(CommandError::Syntax),
    };
    let (first, last) = if is_range { range(args)? } else { (0, SLOTS - 1) };
    let counts = ctx.ks.count_keys_by_slot();
    let routing = &ctx.node.cluster.routing;
    let mut slots: Vec<(u16, u32)> = (first..=last)
        .filter(|slot| routing.is_mine(*slot))
        .filter_map(|slot| Some((slot, *counts.get(usize::from(slot))?)))
        .collect();
    if let Some(order) = order {
        if order.is_ascending {
            slots.sort_by_key(|(slot, keys)| (*keys, *slot));
        } else {
            slots.sort_by_key(|(slot, keys)| (Reverse(*keys), *slot));
        }
        slots.truncate(order.limit);
    }
    ctx.reply.array(slots.len());
    for (slot, keys) in slots {
        ctx.reply.array(2);
        ctx.reply.integer(i64::from(slot));
        ctx.reply.map(1);
        ctx.reply.bulk(b"key-count");
        ctx.reply.integer(i64::from(keys));
    }
    Ok(())
}

fn range(args: &Args<'_>) -> Result<(u16, u16), CommandError> {
    let slot = |index| slot_at(args, index, BAD_SLOT).map_err(|_| CommandError::err(BAD_SLOT));
    let (first, last) = (slot(3)?, slot(4)?);
    if first > last {
        return Err(CommandError::err(format_args!(
            "Start slot number {first} is greater than end slot number {last}"
        )));
    }
    Ok((first, last))
}

struct Order {
    limit: usize,
    is_ascending: bool,
}

impl Order {
    fn parse(args: &Args<'_>) -> Result<Self, CommandError> {
        if !args.is(3, "key-count") {
            return Err(CommandError::err("Unrecognized sort metric for ORDERBY."));
        }
        let (mut limit, mut is_ascending) = (None, None);
        let mut at = 4;
        while at < args.len() {
            if args.is(at, "limit") && at + 1 < args.len() && limit.is_none() {
                const REFUSAL: &str = "ERR Limit has to lie in between 1 and 16384 (maximum number of slots).";
                let count = args.integer_from(at + 1, 1, REFUSAL)?;
                limit = Some(
                    usize::try_from(count)
                        .ok()
                        .filter(|count| *count <= usize::from(SLOTS))
                        .ok_or(CommandError::coded(REFUSAL))?,
                );
                at += 2;
            } else if (args.is(at, "asc") || args.is(at, "desc")) && is_ascending.is_none() {
                is_ascending = Some(args.is(at, "asc"));
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(Self { limit: limit.unwrap_or(usize::from(SLOTS)), is_ascending: is_ascending.unwrap_or(false) })
    }
}

#[cfg(test)]
mod tests {
    use crate::session::harness::Harness;

    #[test]
    fn slots_are_listed_by_number_or_by_how_full_they_are() {
        let mut harness = Harness::unjittered();
        for key in ["{foo}1", "{foo}2", "bar"] {
            harness.run(&format!("SET {key} v"));
        }
        assert_eq!(
            harness.run("CLUSTER SLOT-STATS ORDERBY KEY-COUNT LIMIT 2"),
            "*2|*2|:12182|*2|$9|key-count|:2|*2|:5061|*2|$9|key-count|:1|"
        );
        assert_eq!(harness.run("CLUSTER SLOT-STATS SLOTSRANGE 5061 5061"), "*1|*2|:5061|*2|$9|key-count|:1|");
        assert!(harness.run("CLUSTER SLOT-STATS ORDERBY KEY-COUNT LIMIT 1 ASC").starts_with("*1|*2|:0|"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut harness = Harness::unjittered();
        for (line, refusal) in [
            ("CLUSTER SLOT-STATS SLOTSRANGE 2 1", "-ERR Start slot number 2 is greater than end slot number 1|"),
            ("CLUSTER SLOT-STATS SLOTSRANGE 0 16384", "-ERR Invalid or out of range slot|"),
            ("CLUSTER SLOT-STATS ORDERBY CPU-USEC", "-ERR Unrecognized sort metric for ORDERBY.|"),
            ("CLUSTER SLOT-STATS ORDERBY KEY-COUNT ASC DESC", "-ERR syntax error|"),
            ("CLUSTER SLOT-STATS NONSENSE 1", "-ERR syntax error|"),
        ] {
            assert_eq!(harness.run(line), refusal, "{line}");
        }
        assert!(harness.run("CLUSTER SLOT-STATS ORDERBY KEY-COUNT LIMIT 0").starts_with("-ERR Limit has to lie"));
    }
}
