//! Wall clocks that jump. Deadlines are points in time: a jump moves when they are reached, never what they are.

use super::*;

const HOUR_MS: u64 = 3_600_000;

fn slot() -> u16 {
    slot_of(b"{t}")
}

/// An owner with a copy, and keys that live a minute, two hours, and for ever.
fn with_keys() -> World {
    let mut world = World::new(2, 1);
    world.begin(slot());
    for line in ["SET {t}minute v EX 60", "SET {t}hours v EX 7200", "SET {t}ever v"] {
        assert_eq!(world.0[0].run(line), "+OK|");
    }
    world.copy(slot(), 0, 1);
    world
}

/// Which of the keys a node answers for at some time.
fn found(world: &mut World, node: usize, now_ms: u64) -> Vec<&'static str> {
    let mut has = |key: &&str| world.0[node].run_at(now_ms, &format!("EXISTS {{t}}{key}")) == ":1|";
    ["minute", "hours", "ever"].into_iter().filter(|key| has(key)).collect()
}

#[test]
fn a_clock_that_jumps_an_hour_ahead_ends_what_had_less_than_that_to_live_and_nothing_else() {
    let mut world = with_keys();
    assert_eq!(found(&mut world, 0, NOW_MS + HOUR_MS), ["hours", "ever"]);
    world.pump_all();
    world.assert_same(slot(), 0, 1, "after the jump");
}

#[test]
fn a_clock_that_jumps_an_hour_back_lengthens_no_deadline() {
    let mut world = with_keys();
    let deadline = |world: &mut World, now_ms| world.0[0].run_at(now_ms, "PEXPIRETIME {t}minute");
    let before = deadline(&mut world, NOW_MS);
    assert_eq!(before, format!(":{}|", NOW_MS + 60_000));
    assert_eq!(deadline(&mut world, NOW_MS - HOUR_MS), before);
    // Effects of the time after the jump carry its time, and go after the earlier ones all the same.
    assert_eq!(world.0[0].run_at(NOW_MS - HOUR_MS, "SET {t}later v EX 60"), "+OK|");
    world.pump_all();
    world.assert_same(slot(), 0, 1, "after the jump");
    assert_eq!(world.0[0].events(), []);
    assert_eq!(found(&mut world, 0, NOW_MS + 60_000), ["hours", "ever"]);
}

#[test]
fn a_slot_that_goes_to_a_node_whose_clock_is_ahead_keeps_its_deadlines() {
    let mut world = with_keys();
    let before = world.0[0].content(slot());
    world.hand_off(slot(), 0, 1, &[]);
    assert_eq!(world.0[1].content(slot()), before, "deadlines travel as points in time");
    assert_eq!(found(&mut world, 1, NOW_MS + HOUR_MS), ["hours", "ever"], "by the new owner's clock from now on");
}
