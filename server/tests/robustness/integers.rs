//! Numbers out of range, in every place that takes one.

use super::victim::Victim;

/// Calls with `{n}` where an integer is expected. The keys exist and have the right type, so that nothing else is wrong.
const INTEGERS: [&str; 62] = [
    "SET s v EX {n}",
    "SET s v PX {n}",
    "SET s v EXAT {n}",
    "SET s v PXAT {n}",
    "SETEX s {n} v",
    "PSETEX s {n} v",
    "GETEX s EX {n}",
    "GETEX s PXAT {n}",
    "INCRBY n {n}",
    "DECRBY n {n}",
    "SETRANGE s {n} v",
    "GETRANGE s {n} 0",
    "GETRANGE s 0 {n}",
    "GETBIT s {n}",
    "SETBIT s {n} 1",
    "SETBIT s 0 {n}",
    "BITPOS s {n}",
    "BITPOS s 1 {n}",
    "BITPOS s 1 0 {n}",
    "BITCOUNT s {n} 0",
    "BITCOUNT s 0 {n}",
    "BITFIELD s GET u8 {n}",
    "BITFIELD s SET u8 0 {n}",
    "BITFIELD s INCRBY i8 0 {n}",
    "EXPIRE s {n}",
    "PEXPIRE s {n}",
    "EXPIREAT s {n}",
    "PEXPIREAT s {n}",
    "SELECT {n}",
    "SWAPDB 0 {n}",
    "MOVE s {n}",
    "COPY s t DB {n}",
    "SCAN {n}",
    "SCAN 0 COUNT {n}",
    "SORT l LIMIT {n} 1",
    "SORT l LIMIT 0 {n}",
    "LRANGE l {n} 0",
    "LRANGE l 0 {n}",
    "LINDEX l {n}",
    "LSET l {n} v",
    "LREM l {n} v",
    "LTRIM l {n} 0",
    "LPOP l {n}",
    "LPOS l a RANK {n}",
    "LPOS l a COUNT {n}",
    "LPOS l a MAXLEN {n}",
    "LMPOP {n} l LEFT",
    "LMPOP 1 l LEFT COUNT {n}",
    "SPOP set {n}",
    "SINTERCARD {n} set",
    "SINTERCARD 1 set LIMIT {n}",
    "HINCRBY h n {n}",
    "HEXPIRE h {n} FIELDS 1 f",
    "HEXPIRE h 9 FIELDS {n} f",
    "ZRANGE z {n} 0",
    "ZRANGE z 0 {n}",
    "ZPOPMIN z {n}",
    "ZUNION {n} z",
    "ZMPOP {n} z MIN",
    "ZREMRANGEBYRANK z {n} 0",
    "OBJECT FREQ {n}",
    "WAIT {n} 1",
];

/// As [`INTEGERS`], for floating-point numbers.
const FLOATS: [&str; 12] = [
    "INCRBYFLOAT n {n}",
    "HINCRBYFLOAT h n {n}",
    "ZADD z {n} m",
    "ZINCRBY z {n} m",
    "ZCOUNT z {n} 0",
    "ZRANGEBYSCORE z 0 {n}",
    "ZRANGEBYSCORE z 0 1 LIMIT {n} 1",
    "GEOADD z {n} 0 m",
    "GEOSEARCH z FROMLONLAT 0 {n} BYRADIUS 1 m",
    "GEOSEARCH z FROMLONLAT 0 0 BYRADIUS {n} m",
    "ZUNION 1 z WEIGHTS {n}",
    "BLPOP none {n}",
];

/// Numbers at and beyond what fits, and texts that are none.
const NUMBERS: [&str; 22] = [
    "9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775",
    "-9223372036854775",
    "4294967296",
    "-4294967297",
    "99999999999999999999999999999999",
    "-1",
    "0",
    "1.5",
    "1e400",
    "-1e400",
    "nan",
    "-inf",
    "0x7fffffffffffffff",
    "+1",
    "",
];

fn call_all(calls: &[&str]) {
    let victim = Victim::start();
    let mut wire = victim.connect();
    for (call, number) in calls.iter().flat_map(|call| NUMBERS.iter().map(move |number| (call, number))) {
        wire.ask("SELECT 0");
        for fill in
            ["DEL s n l set h z t", "SET s v", "SET n 1", "RPUSH l a b", "SADD set a", "HSET h n 1 f v", "ZADD z 1 a"]
        {
            wire.ask(fill);
        }
        // A blocking command answers at once in a transaction.
        wire.ask("MULTI");
        let line = call.replace("{n}", number);
        let words: Vec<&str> = line.split(' ').collect();
        let queued = wire.call(&words);
        assert!(queued.is_some(), "{line} closed the connection");
        let reply = wire.call(&["EXEC"]).unwrap_or_else(|| panic!("{line} closed the connection"));
        assert!(!format!("{reply:?}").contains("internal error"), "{line}: {reply:?}");
    }
}

#[test]
fn an_integer_out_of_range_is_refused_or_clamped() {
    call_all(&INTEGERS);
}

#[test]
fn a_float_out_of_range_is_refused_or_clamped() {
    call_all(&FLOATS);
}

#[test]
fn what_an_integer_may_not_be_is_said() {
    let victim = Victim::start();
    let mut wire = victim.connect();
    wire.ask("RPUSH l a");
    for (line, error) in [
        ("INCRBY n 9223372036854775808", "ERR value is not an integer or out of range"),
        ("SET k v EX 0", "ERR invalid expire time in 'set' command"),
        ("SET k v EX 9223372036854775807", "ERR invalid expire time in 'set' command"),
        ("EXPIRE l 9223372036854775807", "ERR invalid expire time in 'expire' command"),
        ("SETRANGE k 536870912 v", "ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("SETRANGE k -1 v", "ERR offset is out of range"),
        ("SETBIT k 4294967296 1", "ERR bit offset is not an integer or out of range"),
        ("SELECT 16", "ERR DB index is out of range"),
        ("LSET l 1 v", "ERR index out of range"),
        ("LPOP l -1", "ERR value is out of range, must be positive"),
        ("LMPOP 0 l LEFT", "ERR numkeys should be greater than 0"),
        ("ZUNION 0 z", "ERR at least 1 input key is needed for 'zunion' command"),
        ("BLPOP l -1", "ERR timeout is negative"),
    ] {
        assert_eq!(wire.ask(line), error, "{line}");
    }
}
