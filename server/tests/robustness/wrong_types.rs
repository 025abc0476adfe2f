//! Commands on keys of another type.

use super::victim::Victim;

/// For each type: how a key of it comes to be, and calls that work on no other type. `{k}` stands for the key.
const FAMILIES: [(&str, &str, &[&str]); 5] = [
    (
        "string",
        "SET {k} v",
        &[
            "GET {k}",
            "GETSET {k} v",
            "GETDEL {k}",
            "GETEX {k}",
            "SET {k} v GET",
            "APPEND {k} v",
            "STRLEN {k}",
            "GETRANGE {k} 0 1",
            "SUBSTR {k} 0 1",
            "SETRANGE {k} 0 v",
            "INCR {k}",
            "DECR {k}",
            "INCRBY {k} 1",
            "DECRBY {k} 1",
            "INCRBYFLOAT {k} 1",
            "GETBIT {k} 0",
            "SETBIT {k} 0 1",
            "BITCOUNT {k}",
            "BITPOS {k} 1",
            "BITOP AND to {k} {k}",
            "BITFIELD {k} GET u8 0",
            "BITFIELD {k} SET u8 0 1",
            "BITFIELD_RO {k} GET u8 0",
            "PFADD {k} a",
            "PFCOUNT {k}",
            "PFMERGE {k} {k}",
        ],
    ),
    (
        "list",
        "RPUSH {k} a",
        &[
            "LPUSH {k} v",
            "RPUSH {k} v",
            "LPUSHX {k} v",
            "RPUSHX {k} v",
            "LPOP {k}",
            "RPOP {k}",
            "LPOP {k} 1",
            "LLEN {k}",
            "LRANGE {k} 0 -1",
            "LINDEX {k} 0",
            "LSET {k} 0 v",
            "LINSERT {k} BEFORE a b",
            "LREM {k} 0 a",
            "LTRIM {k} 0 1",
            "LPOS {k} a",
            "LMOVE {k} to LEFT LEFT",
            "RPOPLPUSH {k} to",
            "LMPOP 1 {k} LEFT",
            "BLPOP {k} 0",
            "BRPOP {k} 0",
            "BLMOVE {k} to LEFT LEFT 0",
            "BRPOPLPUSH {k} to 0",
            "BLMPOP 0 1 {k} LEFT",
        ],
    ),
    (
        "set",
        "SADD {k} a",
        &[
            "SADD {k} v",
            "SREM {k} v",
            "SCARD {k}",
            "SMEMBERS {k}",
            "SISMEMBER {k} v",
            "SMISMEMBER {k} v",
            "SPOP {k}",
            "SRANDMEMBER {k}",
            "SMOVE {k} to v",
            "SINTER {k}",
            "SUNION {k}",
            "SDIFF {k}",
            "SINTERCARD 1 {k}",
            "SINTERSTORE to {k}",
            "SUNIONSTORE to {k}",
            "SDIFFSTORE to {k}",
            "SSCAN {k} 0",
        ],
    ),
    (
        "hash",
        "HSET {k} f v",
        &[
            "HSET {k} f v",
            "HSETNX {k} f v",
            "HMSET {k} f v",
            "HGET {k} f",
            "HMGET {k} f",
            "HGETALL {k}",
            "HKEYS {k}",
            "HVALS {k}",
            "HLEN {k}",
            "HSTRLEN {k} f",
            "HEXISTS {k} f",
            "HDEL {k} f",
            "HINCRBY {k} f 1",
            "HINCRBYFLOAT {k} f 1",
            "HRANDFIELD {k}",
            "HSCAN {k} 0",
            "HEXPIRE {k} 9 FIELDS 1 f",
            "HTTL {k} FIELDS 1 f",
            "HPERSIST {k} FIELDS 1 f",
            "HGETEX {k} FIELDS 1 f",
            "HSETEX {k} FIELDS 1 f v",
        ],
    ),
    (
        "zset",
        "ZADD {k} 1 a",
        &[
            "ZADD {k} 1 v",
            "ZINCRBY {k} 1 v",
            "ZREM {k} v",
            "ZCARD {k}",
            "ZSCORE {k} v",
            "ZMSCORE {k} v",
            "ZRANK {k} v",
            "ZREVRANK {k} v",
            "ZRANGE {k} 0 1",
            "ZRANGEBYSCORE {k} 0 1",
            "ZRANGEBYLEX {k} - +",
            "ZREVRANGE {k} 0 1",
            "ZREVRANGEBYSCORE {k} 1 0",
            "ZREVRANGEBYLEX {k} + -",
            "ZRANGESTORE to {k} 0 1",
            "ZCOUNT {k} 0 1",
            "ZLEXCOUNT {k} - +",
            "ZPOPMIN {k}",
            "ZPOPMAX {k}",
            "BZPOPMIN {k} 0",
            "BZPOPMAX {k} 0",
            "ZMPOP 1 {k} MIN",
            "BZMPOP 0 1 {k} MIN",
            "ZRANDMEMBER {k}",
            "ZREMRANGEBYRANK {k} 0 1",
            "ZREMRANGEBYSCORE {k} 0 1",
            "ZREMRANGEBYLEX {k} - +",
            "ZSCAN {k} 0",
            "GEOADD {k} 1 1 v",
            "GEOPOS {k} v",
            "GEODIST {k} a b",
            "GEOHASH {k} v",
            "GEOSEARCH {k} FROMLONLAT 1 1 BYRADIUS 1 km",
            "GEORADIUS {k} 1 1 1 km",
        ],
    ),
];

/// Sorted-set commands over several keys, which take plain sets as well.
const FOR_SETS_TOO: [&str; 6] =
    ["ZUNION 1 {k}", "ZINTER 1 {k}", "ZDIFF 1 {k}", "ZINTERCARD 1 {k}", "ZUNIONSTORE to 1 {k}", "ZDIFFSTORE to 1 {k}"];

#[test]
fn a_command_on_a_key_of_another_type_is_refused_and_changes_nothing() {
    let victim = Victim::start();
    let mut wire = victim.connect();
    for (kind, make, _) in FAMILIES {
        wire.ask(&make.replace("{k}", kind));
    }
    for (kind, _, calls) in FAMILIES {
        let others = FAMILIES.iter().map(|(other, ..)| *other).filter(|&other| other != kind);
        for (other, call) in others.flat_map(|other| calls.iter().map(move |call| (other, call))) {
            let line = call.replace("{k}", other);
            let reply = wire.ask(&line);
            // A string that is no HyperLogLog has the right type and the wrong content, hence the code alone.
            assert!(reply.starts_with("WRONGTYPE "), "{line}: {reply}");
        }
    }
    for line in FOR_SETS_TOO.iter().flat_map(|call| ["string", "list", "hash"].map(|kind| call.replace("{k}", kind))) {
        assert!(wire.ask(&line).starts_with("WRONGTYPE "), "{line}");
    }
    for (kind, ..) in FAMILIES {
        assert_eq!(wire.ask(&format!("TYPE {kind}")), kind);
    }
    assert_eq!(wire.ask("EXISTS to"), "0");
}
