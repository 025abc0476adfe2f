//! The typed methods, against a real node.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use rondache_client::{
    Bytes, Client, Condition, Expiry, GeoOrder, GeoShape, GeoUnit, ScoreUpdate, SetOptions, Side, ZAdd,
};

use crate::support::TestNode;

async fn start() -> (TestNode, Client) {
    let node = TestNode::start();
    let client = node.client().await;
    (node, client)
}

#[tokio::test]
async fn strings() {
    let (_node, client) = start().await;
    client.set("k", "v").await.expect("SET");
    assert_eq!(client.get::<Option<String>>("k").await.expect("GET").as_deref(), Some("v"));
    assert_eq!(client.get::<Option<String>>("none").await.expect("GET"), None);
    assert_eq!(client.append("k", "w").await.expect("APPEND"), 2);
    assert_eq!(client.strlen("k").await.expect("STRLEN"), 2);
    assert_eq!(client.getrange::<String>("k", 1, -1).await.expect("GETRANGE"), "w");
    assert_eq!(client.incr("n").await.expect("INCR"), 1);
    assert_eq!(client.incr_by("n", 9).await.expect("INCRBY"), 10);
    assert!((client.incr_by_float("n", 0.5).await.expect("INCRBYFLOAT") - 10.5).abs() < 1e-9);
    let options = SetOptions { condition: Some(Condition::IfMissing), ..SetOptions::default() };
    assert!(!client.set_with("k", "x", options).await.expect("SET NX"));
    assert_eq!(
        client.set_get::<String>("k", "x", SetOptions::default()).await.expect("SET GET").as_deref(),
        Some("vw")
    );
    assert_eq!(client.get_del::<String>("k").await.expect("GETDEL").as_deref(), Some("x"));
    assert!(client.set_nx("lock", "me", Duration::from_secs(9)).await.expect("SET NX PX"));
    assert!(!client.set_nx("lock", "you", Duration::from_secs(9)).await.expect("SET NX PX"));
}

#[tokio::test]
async fn keys_and_their_time_to_live() {
    let (_node, client) = start().await;
    client.set_for("k", "v", Duration::from_millis(5_500)).await.expect("SET PX");
    assert!((1..=5_500).contains(&client.pttl("k").await.expect("PTTL")));
    assert!(client.persist("k").await.expect("PERSIST"));
    assert_eq!(client.ttl("k").await.expect("TTL"), -1);
    assert!(client.expire_at("k", SystemTime::now() + Duration::from_secs(60)).await.expect("PEXPIREAT"));
    client.get_ex::<Bytes>("k", Expiry::Never).await.expect("GETEX");
    assert_eq!(client.ttl("k").await.expect("TTL"), -1);
    assert_eq!(client.key_type("k").await.expect("TYPE"), "string");
    assert!(client.copy("k", "{k}2", false).await.expect("COPY"));
    client.rename("{k}2", "{k}3").await.expect("RENAME");
    let dump = client.dump("k").await.expect("DUMP").expect("it exists");
    client.restore("restored", 0, dump, false).await.expect("RESTORE");
    assert_eq!(client.exists(["k", "{k}3", "restored", "none"]).await.expect("EXISTS"), 3);
    assert_eq!(client.dbsize().await.expect("DBSIZE"), 3);
    let mut keys: Vec<String> = client.keys("*").await.expect("KEYS");
    keys.sort();
    assert_eq!(keys, ["k", "restored", "{k}3"]);
    assert_eq!(client.del(["k", "restored"]).await.expect("DEL"), 2);
    assert_eq!(client.random_key::<String>().await.expect("RANDOMKEY").as_deref(), Some("{k}3"));
}

#[tokio::test]
async fn hashes() {
    let (_node, client) = start().await;
    assert_eq!(client.hset_many("h", [("a", 1), ("b", 2)]).await.expect("HSET"), 2);
    let all: BTreeMap<String, i64> = client.hgetall("h").await.expect("HGETALL");
    assert_eq!(all, BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
    assert_eq!(client.hget::<Option<i64>>("h", "c").await.expect("HGET"), None);
    assert_eq!(client.hmget::<i64>("h", ["a", "c"]).await.expect("HMGET"), [Some(1), None]);
    assert_eq!(client.hincr_by("h", "a", 4).await.expect("HINCRBY"), 5);
    assert_eq!(client.hexpire("h", Duration::from_secs(50), ["a", "c"]).await.expect("HPEXPIRE"), [1, -2]);
    assert_eq!(client.hpersist("h", ["a"]).await.expect("HPERSIST"), [1]);
    assert_eq!(client.hdel("h", ["a"]).await.expect("HDEL"), 1);
    assert!(client.hexists("h", "b").await.expect("HEXISTS"));
}

#[tokio::test]
async fn lists() {
    let (_node, client) = start().await;
    assert_eq!(client.rpush("l", [1, 2, 3]).await.expect("RPUSH"), 3);
    assert_eq!(client.lpop::<i64>("l").await.expect("LPOP"), Some(1));
    assert_eq!(client.lrange::<i64>("l", 0, -1).await.expect("LRANGE"), [2, 3]);
    assert_eq!(client.lmove::<i64>("l", "{l}2", Side::Left, Side::Right).await.expect("LMOVE"), Some(2));
    let popped = client.lmpop::<i64>(["{l}1", "{l}2"], Side::Left, 5).await.expect("LMPOP");
    assert_eq!(popped, Some(("{l}2".to_owned(), vec![2])));
    assert_eq!(client.lmpop::<i64>(["{l}1"], Side::Left, 5).await.expect("LMPOP"), None);
    assert_eq!(client.lpos("l", 3).await.expect("LPOS"), Some(0));
    let nothing = client.blpop::<i64>(["none"], Duration::from_millis(1)).await.expect("BLPOP");
    assert_eq!(nothing, None);
    assert_eq!(client.rpop_many::<i64>("none", 3).await.expect("RPOP"), Vec::<i64>::new());
}

#[tokio::test]
async fn sets() {
    let (_node, client) = start().await;
    assert_eq!(client.sadd("s", ["a", "b", "c"]).await.expect("SADD"), 3);
    client.sadd("{s}2", ["b", "d"]).await.expect("SADD");
    let members: BTreeSet<String> = client.smembers("s").await.expect("SMEMBERS");
    assert_eq!(members.len(), 3);
    assert_eq!(client.smismember("s", ["a", "x"]).await.expect("SMISMEMBER"), [true, false]);
    assert_eq!(client.sinter::<String>(["s", "{s}2"]).await.expect("SINTER"), ["b"]);
    assert_eq!(client.sintercard(["s", "{s}2"], 0).await.expect("SINTERCARD"), 1);
    assert_eq!(client.sunionstore("{s}3", ["s", "{s}2"]).await.expect("SUNIONSTORE"), 4);
    assert!(client.smove("s", "{s}2", "a").await.expect("SMOVE"));
    assert_eq!(client.spop::<String>("s", 9).await.expect("SPOP").len(), 2);
}

#[tokio::test]
async fn sorted_sets() {
    let (_node, client) = start().await;
    assert_eq!(client.zadd("z", "a", 1.5).await.expect("ZADD"), 1);
    let options = ZAdd { update: Some(ScoreUpdate::Greater), count_changed: true, ..ZAdd::default() };
    assert_eq!(client.zadd_many("z", options, [(1.0, "a"), (2.0, "b")]).await.expect("ZADD"), 1);
    assert_eq!(client.zscore("z", "a").await.expect("ZSCORE"), Some(1.5));
    assert_eq!(client.zrank("z", "b").await.expect("ZRANK"), Some(1));
    let all = client.zrange_with_scores::<String>("z", 0, -1).await.expect("ZRANGE");
    assert_eq!(all, [("a".to_owned(), 1.5), ("b".to_owned(), 2.0)]);
    assert_eq!(client.zrange_by_score::<String>("z", "(1.5", "+inf", 0, -1).await.expect("ZRANGE"), ["b"]);
    assert_eq!(client.zrevrange::<String>("z", 0, 0).await.expect("ZRANGE"), ["b"]);
    assert_eq!(client.zpopmin::<String>("z", 1).await.expect("ZPOPMIN"), [("a".to_owned(), 1.5)]);
    let popped = client.bzpopmax::<String>(["z"], Duration::from_secs(1)).await.expect("BZPOPMAX");
    assert_eq!(popped, Some(("z".to_owned(), "b".to_owned(), 2.0)));
    client.zadd("z", "x", f64::NEG_INFINITY).await.expect("ZADD");
    let union = client.zunion_with_scores::<String>(["z", "{z}2"]).await.expect("ZUNION");
    assert_eq!(union, [("x".to_owned(), f64::NEG_INFINITY)]);
}

#[tokio::test]
async fn bits_estimates_and_places() {
    let (_node, client) = start().await;
    assert!(!client.setbit("b", 7, true).await.expect("SETBIT"));
    assert!(client.getbit("b", 7).await.expect("GETBIT"));
    assert_eq!(client.bitcount("b").await.expect("BITCOUNT"), 1);
    assert_eq!(client.bitop("NOT", "{b}2", ["b"]).await.expect("BITOP"), 1);
    assert!(client.pfadd("p", ["a", "b"]).await.expect("PFADD"));
    assert_eq!(client.pfcount(["p"]).await.expect("PFCOUNT"), 2);
    client.geoadd("g", 13.361389, 38.115556, "Palermo").await.expect("GEOADD");
    client.geoadd("g", 15.087269, 37.502669, "Catania").await.expect("GEOADD");
    let km = client.geodist("g", "Palermo", "Catania", GeoUnit::Kilometres).await.expect("GEODIST").expect("both");
    assert!((km - 166.27).abs() < 0.1, "{km}");
    let shape = GeoShape::Radius(200.0, GeoUnit::Kilometres);
    let near: Vec<String> = client.geosearch("g", 15.0, 37.0, shape, GeoOrder::Nearest, 10).await.expect("GEOSEARCH");
    assert_eq!(near, ["Catania", "Palermo"]);
    let places = client.geopos("g", ["Palermo", "x"]).await.expect("GEOPOS");
    assert!(matches!(places.as_slice(), [Some(_), None]));
}

#[tokio::test]
async fn the_server() {
    let (_node, client) = start().await;
    client.ping().await.expect("PING");
    assert!(client.time().await.expect("TIME").0 > 1_700_000_000);
    assert!(client.info("server").await.expect("INFO").contains("redis_version"));
    client.config_set("ttl-jitter", 0).await.expect("CONFIG SET");
    let found = client.config_get("ttl-jitter").await.expect("CONFIG GET");
    assert_eq!(found.get("ttl-jitter").map(String::as_str), Some("0"));
    client.set("k", "v").await.expect("SET");
    client.flushall().await.expect("FLUSHALL");
    assert_eq!(client.dbsize().await.expect("DBSIZE"), 0);
}
