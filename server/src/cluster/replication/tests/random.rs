//! Random commands while slots are copied and change hands: owner and copy must hold the same.

use super::*;

/// Keys of one slot that commands choose from.
const KEYS: u64 = 40;
/// Keys that make a copy take several chunks.
const FILLERS: u64 = 3000;

fn key(rng: &mut fastrand::Rng) -> String {
    if rng.u8(..4) == 0 { format!("{{t}}filler{}", rng.u64(..FILLERS)) } else { format!("{{t}}k{}", rng.u64(..KEYS)) }
}

/// A random command on keys of one slot; many will fail for want of the right type.
fn command(rng: &mut fastrand::Rng, now_ms: u64) -> String {
    let (a, b, n) = (key(rng), key(rng), rng.u64(..50));
    let at_ms = now_ms + 1 + rng.u64(..3000);
    match rng.u8(..48) {
        0..4 => format!("SET {a} {n}"),
        4 => format!("SET {a} {n} PX {}", 1 + rng.u64(..2000)),
        5 => format!("SET {a} {n} KEEPTTL"),
        6 | 7 => format!("INCRBY {a} {n}"),
        8 => format!("APPEND {a} {n}"),
        9 | 10 => format!("DEL {a} {b}"),
        11 | 12 => format!("RENAME {a} {b}"),
        13 => format!("RENAMENX {a} {b}"),
        14 => format!("COPY {a} {b} REPLACE"),
        15 => format!("COPY {a} {b} DB 1"),
        16 => format!("MOVE {a} 1"),
        17..20 => format!("RPUSH {a} {n} {n}x"),
        20 => format!("LPOP {a}"),
        21 | 22 => format!("LMOVE {a} {b} LEFT RIGHT"),
        23 | 24 => format!("SADD {a} {n} m{n}"),
        25 => format!("SPOP {a}"),
        26 => format!("SMOVE {a} {b} {n}"),
        27 => format!("SUNIONSTORE {a} {a} {b}"),
        28 => format!("SINTERSTORE {a} {b}"),
        29 | 30 => format!("ZADD {a} {n} m{n}"),
        31 => format!("ZUNIONSTORE {a} 2 {a} {b}"),
        32 => format!("ZPOPMIN {a}"),
        33 | 34 => format!("HSET {a} f{n} {n}"),
        35 => format!("HDEL {a} f{n}"),
        36 => format!("HINCRBY {a} f{n} 1"),
        37 => format!("PEXPIREAT {a} {at_ms}"),
        38 => format!("PERSIST {a}"),
        39 => format!("GETDEL {a}"),
        40 => format!("SETRANGE {a} 3 x{n}"),
        41 => format!("MSET {a} {n} {b} {n}"),
        42 => format!("HPEXPIREAT {a} {at_ms} FIELDS 1 f{n}"),
        43 => format!("SORT {a} ALPHA STORE {b}"),
        44 => format!("INCRBYFLOAT {a} 0.5"),
        45 => format!("GET {a}"),
        46 => format!("SELECT {}", rng.u8(..2)),
        _ => format!("BITOP OR {a} {a} {b}"),
    }
}

/// Runs some commands, now and then as a transaction.
fn run_some(node: &mut TestNode, rng: &mut fastrand::Rng, now_ms: &mut u64) {
    let is_transaction = rng.u8(..4) == 0;
    if is_transaction {
        node.run_at(*now_ms, "MULTI");
    }
    for _ in 0..rng.u8(1..8) {
        *now_ms += u64::from(!is_transaction) * rng.u64(..20);
        let line = command(rng, *now_ms);
        node.run_at(*now_ms, &line);
    }
    if is_transaction {
        node.run_at(*now_ms, "EXEC");
    }
}

fn fill(node: &mut TestNode) {
    for index in 0..FILLERS {
        node.run(&format!("SET {{t}}filler{index} {index}"));
    }
}

fn copy_under_load(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let slot = slot_of(b"{t}");
    let mut world = World::new(2, seed);
    world.begin(slot);
    fill(&mut world.0[0]);
    let mut now_ms = NOW_MS;
    for _ in 0..50 {
        run_some(&mut world.0[0], &mut rng, &mut now_ms);
    }
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot, copy);
    loop {
        run_some(&mut world.0[0], &mut rng, &mut now_ms);
        match rng.u8(..4) {
            0 => drop(world.pump(0, 1)),
            1 => world.reconnect(0, 1),
            _ => {
                if world.0[0].mover.step(0, now_ms) == Step::Idle {
                    break;
                }
            }
        }
    }
    world.pump_all();
    let synced = PlaneEvent::CopySynced { slot, epoch: 1, to: copy };
    assert_eq!(world.0[0].events(), [synced], "seed {seed}: the copy is made, and nothing else");
    world.assert_same(slot, 0, 1, &format!("seed {seed}, after the copy"));
    for _ in 0..20 {
        run_some(&mut world.0[0], &mut rng, &mut now_ms);
        if rng.bool() {
            world.pump(0, 1);
        }
    }
    world.pump_all();
    world.assert_same(slot, 0, 1, &format!("seed {seed}, after live effects"));
    assert_eq!(world.0[0].events(), [], "seed {seed}");
}

#[test]
fn a_copy_that_is_made_under_load_holds_what_its_owner_holds() {
    for seed in 0..12 {
        copy_under_load(seed);
    }
}

fn hand_back_and_forth(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let slot = slot_of(b"{t}");
    let mut world = World::new(3, seed);
    world.begin(slot);
    let mut now_ms = NOW_MS;
    for _ in 0..30 {
        run_some(&mut world.0[0], &mut rng, &mut now_ms);
    }
    world.copy(slot, 0, 1);
    world.copy(slot, 0, 2);
    let mut owner = 0;
    for round in 0..12 {
        for _ in 0..5 {
            run_some(&mut world.0[owner], &mut rng, &mut now_ms);
        }
        let taker = (owner + 1 + rng.usize(..2)) % 3;
        world.hand_off(slot, owner, taker, &[3 - owner - taker]);
        owner = taker;
        for _ in 0..3 {
            run_some(&mut world.0[owner], &mut rng, &mut now_ms);
        }
        world.pump_all();
        for other in (0..3).filter(|other| *other != owner) {
            world.assert_same(slot, owner, other, &format!("seed {seed}, round {round}"));
        }
    }
    assert!(world.0.iter_mut().all(|node| node.events().is_empty()), "seed {seed}");
}

#[test]
fn owners_and_copies_hold_the_same_through_many_handoffs() {
    for seed in 0..12 {
        hand_back_and_forth(seed);
    }
}

#[test]
fn a_flush_reaches_the_copies_also_while_they_are_made() {
    let slot = slot_of(b"{t}");
    let mut world = World::new(2, 1);
    world.begin(slot);
    fill(&mut world.0[0]);
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot, copy);
    for _ in 0..2 {
        assert_eq!(world.0[0].mover.step(0, NOW_MS), Step::Sent);
    }
    world.0[0].run("FLUSHALL");
    world.0[0].run("SET {t}after 1");
    world.0[0].move_all();
    world.pump_all();
    assert_eq!(world.0[1].content(slot).len(), 1);
    world.assert_same(slot, 0, 1, "after the flush");
    world.0[0].run("FLUSHDB");
    world.pump_all();
    assert!(world.0[1].content(slot).is_empty());
}
