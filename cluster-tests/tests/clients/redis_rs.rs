//! redis-rs and its asynchronous cluster client.

use std::future::Future;

use redis::{AsyncTypedCommands, cluster::ClusterClient, cluster_async::ClusterConnection};
use rondache_cluster_tests::process::SETTLE_TIMEOUT;

use super::shared;

/// A runtime for this client's connections, which die with it.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    let bounded = async { tokio::time::timeout(SETTLE_TIMEOUT, test).await.expect("it comes to an end") };
    runtime().block_on(bounded)
}

/// Connects with one node as the only seed.
pub(crate) async fn connect(seed: std::net::SocketAddr, protocol: &str) -> ClusterConnection {
    let client = ClusterClient::new([format!("redis://{seed}/?protocol={protocol}")]).expect("a well-formed address");
    client.get_async_connection().await.expect("a connection")
}

pub(crate) async fn set_and_get(connection: &mut ClusterConnection, prefix: &str, count: u32) {
    for number in 0..count {
        connection.set(format!("{prefix}:{number}"), number).await.expect("SET");
    }
    for number in 0..count {
        let value = connection.get_int(format!("{prefix}:{number}")).await.expect("GET");
        assert_eq!(value.and_then(|value| u32::try_from(value).ok()), Some(number));
    }
}

#[test]
fn its_cluster_client_finds_every_key_from_any_seed() {
    let cluster = shared::cluster();
    block_on(async {
        for (number, node) in cluster.nodes.iter().enumerate() {
            for (seed, protocol) in [(node.addr(), "resp2"), (node.redirect_addr(), "resp3")] {
                let mut connection = connect(seed, protocol).await;
                set_and_get(&mut connection, &format!("{number}:{protocol}"), 200).await;
            }
        }
    });
}

#[test]
fn its_cluster_client_splits_commands_over_slots() {
    let cluster = shared::cluster();
    block_on(async {
        let mut connection = connect(cluster.nodes[1].addr(), "resp3").await;
        set_and_get(&mut connection, "k", 1000).await;
        let keys: Vec<String> = (0..1000).map(|number| format!("k:{number}")).collect();
        let values: Vec<u32> = redis::cmd("MGET").arg(&keys).query_async(&mut connection).await.expect("MGET");
        assert_eq!(values, (0..1000).collect::<Vec<_>>());
        let pairs: Vec<_> = keys.iter().map(|key| (key, "x")).collect();
        connection.mset(&pairs).await.expect("MSET");
        assert_eq!(connection.get("k:7").await.expect("GET").as_deref(), Some("x"));
        assert_eq!(connection.del(&keys).await.expect("DEL"), 1000);
        let mut pipe = redis::pipe();
        pipe.atomic().incr("{t}a", 1).incr("{t}a", 41);
        let sums: (i64, i64) = pipe.query_async(&mut connection).await.expect("MULTI");
        assert_eq!(sums, (1, 42));
    });
}
