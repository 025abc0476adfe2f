//! redis-rs, blocking and asynchronous, in RESP2 and RESP3.

use std::time::Duration;

use redis::{AsyncTypedCommands, Client, PushInfo, PushKind, TypedCommands, Value, aio::ConnectionManagerConfig};

use super::support::TestNode;

fn client(node: &TestNode, protocol: &str) -> Client {
    Client::open(format!("redis://127.0.0.1:{}/?protocol={protocol}", node.port)).expect("a well-formed address")
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await.expect("within a minute") })
}

#[test]
fn its_blocking_connection_works_in_both_protocols() {
    let node = TestNode::start();
    for protocol in ["resp2", "resp3"] {
        let mut connection = client(&node, protocol).get_connection().expect("a connection");
        connection.set(format!("{protocol}:k"), "v").expect("SET");
        assert_eq!(connection.get(format!("{protocol}:k")).expect("GET").as_deref(), Some("v"));
        connection.hset(format!("{protocol}:h"), "f", 1).expect("HSET");
        assert_eq!(connection.hgetall(format!("{protocol}:h")).expect("HGETALL")["f"], "1");
        connection.zadd(format!("{protocol}:z"), "m", 1.5).expect("ZADD");
        assert_eq!(connection.zscore(format!("{protocol}:z"), "m").expect("ZSCORE"), Some(1.5));
        assert!(connection.sadd(format!("{protocol}:s"), "m").expect("SADD") == 1);
        assert!(connection.smembers(format!("{protocol}:s")).expect("SMEMBERS").contains("m"));
        let scanned: Vec<String> =
            connection.scan_match(format!("{protocol}:*")).expect("SCAN").map(|key| key.expect("a page")).collect();
        assert_eq!(scanned.len(), 4);
    }
}

#[test]
fn its_pipelines_and_transactions_work() {
    let node = TestNode::start();
    let mut connection = client(&node, "resp3").get_connection().expect("a connection");
    let (first, second): (i64, i64) =
        redis::pipe().atomic().incr("n", 1).incr("n", 41).query(&mut connection).expect("MULTI");
    assert_eq!((first, second), (1, 42));
    let mut pipe = redis::pipe();
    for number in 0..10_000 {
        pipe.cmd("ECHO").arg(number);
    }
    let echoed: Vec<i64> = pipe.query(&mut connection).expect("a deep pipeline");
    assert!(echoed.into_iter().eq(0..10_000));
    let (added,): (i64,) = redis::transaction(&mut connection, &["n"], |connection, pipe| {
        let value: i64 = redis::cmd("GET").arg("n").query(connection)?;
        pipe.set("n", value + 1).ignore().cmd("GET").arg("n").query(connection)
    })
    .expect("WATCH");
    assert_eq!(added, 43);
}

#[test]
fn its_blocking_subscriber_gets_messages() {
    let node = TestNode::start();
    let client = client(&node, "resp2");
    let (mut listening, mut publishing) = (client.get_connection().unwrap(), client.get_connection().unwrap());
    let mut subscriber = listening.as_pubsub();
    subscriber.subscribe("news").expect("SUBSCRIBE");
    subscriber.psubscribe("n*").expect("PSUBSCRIBE");
    assert_eq!(publishing.publish("news", "hello").expect("PUBLISH"), 2);
    for _ in 0..2 {
        let message = subscriber.get_message().expect("a message");
        assert_eq!(message.get_payload::<String>().expect("a text"), "hello");
    }
}

#[test]
fn its_multiplexed_connection_serves_many_tasks() {
    let node = TestNode::start();
    block_on(async {
        let connection = client(&node, "resp3").get_multiplexed_async_connection().await.expect("a connection");
        let tasks = (0..100).map(|task| {
            let mut connection = connection.clone();
            tokio::spawn(async move {
                connection.set(format!("k{task}"), task).await.expect("SET");
                let value = connection.get_int(format!("k{task}")).await.expect("GET");
                assert_eq!(value, Some(task));
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("each task reads what it wrote");
        }
    });
}

#[test]
fn its_connection_manager_comes_back_after_its_connection_was_killed() {
    let node = TestNode::start();
    block_on(async {
        let client = client(&node, "resp3");
        let config = ConnectionManagerConfig::new().set_min_delay(Duration::from_millis(1));
        let mut manager = client.get_connection_manager_with_config(config).await.expect("a connection");
        manager.set("k", "v").await.expect("SET");
        let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut manager).await.expect("CLIENT ID");
        let mut other = client.get_multiplexed_async_connection().await.expect("a connection");
        let kill = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async::<i64>(&mut other).await;
        assert_eq!(kill.expect("CLIENT KILL"), 1);
        // The first command after may still meet the dead connection.
        let mut value = manager.get("k").await;
        while value.is_err() {
            value = manager.get("k").await;
        }
        assert_eq!(value.expect("the loop ended").as_deref(), Some("v"));
    });
}

#[test]
fn its_asynchronous_subscriber_gets_pushed_messages() {
    let node = TestNode::start();
    block_on(async {
        let (sender, mut pushed) = tokio::sync::mpsc::unbounded_channel();
        let config = redis::AsyncConnectionConfig::new().set_push_sender(sender);
        let client = client(&node, "resp3");
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection");
        connection.subscribe("news").await.expect("SUBSCRIBE");
        // In RESP3 a subscriber may go on sending commands, PUBLISH to itself too.
        connection.publish("news", "hello").await.expect("PUBLISH");
        let message = next_of_kind(&mut pushed, PushKind::Message).await;
        let expected = [Value::BulkString(b"news".to_vec()), Value::BulkString(b"hello".to_vec())];
        assert_eq!(message.data, expected);
    });
}

#[test]
fn its_tracking_connection_hears_of_changes() {
    let node = TestNode::start();
    block_on(async {
        let (sender, mut pushed) = tokio::sync::mpsc::unbounded_channel();
        let config = redis::AsyncConnectionConfig::new().set_push_sender(sender);
        let client = client(&node, "resp3");
        let mut tracking = client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection");
        redis::cmd("CLIENT").arg("TRACKING").arg("ON").exec_async(&mut tracking).await.expect("CLIENT TRACKING");
        assert_eq!(tracking.get("k").await.expect("GET"), None);
        let mut changing = client.get_multiplexed_async_connection().await.expect("a connection");
        changing.set("k", "v").await.expect("SET");
        let message = next_of_kind(&mut pushed, PushKind::Invalidate).await;
        assert_eq!(message.data, [Value::Array(vec![Value::BulkString(b"k".to_vec())])]);
    });
}

async fn next_of_kind(pushed: &mut tokio::sync::mpsc::UnboundedReceiver<PushInfo>, kind: PushKind) -> PushInfo {
    loop {
        let message = pushed.recv().await.expect("the connection is up");
        if message.kind == kind {
            return message;
        }
    }
}

#[test]
fn its_cluster_client_works_with_a_single_node() {
    let node = TestNode::start();
    block_on(async {
        for protocol in ["resp2", "resp3"] {
            let url = format!("redis://127.0.0.1:{}/?protocol={protocol}", node.port);
            let client = redis::cluster::ClusterClient::new(vec![url]).expect("a well-formed address");
            let mut connection = client.get_async_connection().await.expect("a connection");
            for number in 0..300 {
                connection.set(format!("{protocol}:{number}"), number).await.expect("SET");
            }
            for number in 0..300 {
                let value = connection.get(format!("{protocol}:{number}")).await.expect("GET");
                assert_eq!(value, Some(number.to_string()));
            }
            // Its keys are in several slots: the client splits the command by slot.
            let keys: Vec<String> = (0..20).map(|number| format!("{protocol}:{number}")).collect();
            assert_eq!(connection.del(keys).await.expect("DEL"), 20);
            let mut pipe = redis::pipe();
            pipe.incr("{t}n", 1).ignore().get("{t}n");
            let (value,): (String,) = pipe.query_async(&mut connection).await.expect("a pipeline");
            assert!(value == "1" || value == "2");
        }
    });
}
