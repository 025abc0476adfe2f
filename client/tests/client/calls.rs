//! Calls of a healthy node.

use std::time::Duration;

use rondache_client::{Bytes, Client, ClientError, Cmd, ConfigError, RequestError, Value};
use tokio::task::JoinSet;

use crate::support::TestNode;

#[tokio::test]
async fn what_was_set_is_read() {
    let node = TestNode::start();
    let client = node.client().await;
    client.cmd(Cmd::new("SET").arg("k").arg("v")).await.expect("SET");
    assert_eq!(client.query::<String>(Cmd::new("GET").arg("k")).await.expect("GET"), "v");
    assert_eq!(client.cmd(Cmd::new("GET").arg("none")).await.expect("GET"), Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_get_their_own_replies() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let client = client.clone();
        tasks.spawn(async move {
            for step in 0..200 {
                let (key, value) = (format!("{task}:{step}"), format!("{}", task * 1000 + step));
                client.cmd(Cmd::new("SET").arg(&key).arg(&value)).await.expect("SET");
                assert_eq!(client.query::<String>(Cmd::new("GET").arg(&key)).await.expect("GET"), value);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task ended well");
    }
}

#[tokio::test]
async fn long_values_come_back_whole() {
    let node = TestNode::start();
    let client = node.client().await;
    for len in [0, 1, 65_530, 65_536, 1 << 20, 9_999_999] {
        let value: Vec<u8> = (0..len).map(|index| index as u8).collect();
        client.cmd(Cmd::new("SET").arg("k").arg(&value)).await.expect("SET");
        let read: Bytes = client.query(Cmd::new("GET").arg("k")).await.expect("GET");
        assert_eq!(read, value);
    }
}

#[tokio::test]
async fn a_dropped_call_does_not_disturb_the_others() {
    let node = TestNode::start();
    let client = node.client().await;
    for step in 0..200u64 {
        let doomed = client.query::<u64>(Cmd::new("ECHO").arg(step));
        // Dropped after its first poll: the request is on its way.
        let _ = tokio::time::timeout(Duration::ZERO, doomed).await;
        assert_eq!(client.query::<u64>(Cmd::new("ECHO").arg(step + 1000)).await.expect("ECHO"), step + 1000);
    }
}

#[tokio::test]
async fn an_error_reply_is_an_error_with_its_code() {
    let node = TestNode::start();
    let client = node.client().await;
    client.cmd(Cmd::new("SET").arg("k").arg("v")).await.expect("SET");
    let error = client.cmd(Cmd::new("LPUSH").arg("k").arg("v")).await.expect_err("a string");
    assert_eq!(error.code(), Some("WRONGTYPE"));
    assert!(!error.is_retry_safe() && !error.may_have_executed());
}

#[tokio::test]
async fn a_reply_of_another_type_says_what_came() {
    let node = TestNode::start();
    let client = node.client().await;
    client.cmd(Cmd::new("SET").arg("k").arg("v")).await.expect("SET");
    let error = client.query::<i64>(Cmd::new("GET").arg("k")).await.expect_err("no number");
    assert_eq!(error.to_string(), "the reply is the string \"v\", which is no i64");
}

#[tokio::test]
async fn commands_over_many_slots_are_split_and_put_together() {
    let node = TestNode::start();
    let client = node.client().await;
    let pairs = (0..50).map(|number| (format!("k{number}"), number));
    client.cmd(Cmd::new("MSET").pairs(pairs)).await.expect("MSET");
    let keys = || (0..51).rev().map(|number| format!("k{number}"));
    let values: Vec<Option<i64>> = client.query(Cmd::new("MGET").args(keys())).await.expect("MGET");
    assert_eq!(values, (0..51).rev().map(|number| (number < 50).then_some(number)).collect::<Vec<_>>());
    assert_eq!(client.query::<i64>(Cmd::new("EXISTS").args(keys())).await.expect("EXISTS"), 50);
    assert_eq!(client.query::<i64>(Cmd::new("DEL").args(keys())).await.expect("DEL"), 50);
}

#[tokio::test]
async fn keys_in_different_slots_are_refused_where_nothing_can_be_split() {
    let node = TestNode::start();
    let client = node.client().await;
    let error = client.cmd(Cmd::new("RENAME").arg("a").arg("b")).await.expect_err("two slots");
    assert!(matches!(error, ClientError::Request(RequestError::CrossSlot(_))), "{error}");
}

#[tokio::test]
async fn a_pipeline_answers_in_order_and_each_command_for_itself() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut pipeline = client.pipeline();
    for number in 0..100 {
        pipeline.add(Cmd::new("SET").arg(number).arg(number * 2));
        pipeline.add(Cmd::new("GET").arg(number));
    }
    pipeline.add(Cmd::new("LPUSH").arg(7).arg("x"));
    pipeline.add(Cmd::new("MGET").arg(1).arg(2));
    pipeline.add(Cmd::new("PING"));
    let results = pipeline.execute().await;
    for number in 0..100 {
        let value = results[number * 2 + 1].as_ref().expect("GET");
        assert_eq!(value.as_bytes(), Some((number * 2).to_string().as_bytes()));
    }
    assert_eq!(results[200].as_ref().expect_err("a string").code(), Some("WRONGTYPE"));
    assert!(matches!(&results[201], Ok(Value::Array(values)) if values.len() == 2));
    assert_eq!(results[202].as_ref().expect("PING").as_bytes(), Some(&b"PONG"[..]));
}

#[tokio::test]
async fn a_password_is_given_and_a_wrong_one_is_told() {
    let node = TestNode::start_with(|settings| settings.password = "secret".into());
    let url = |password: &str| format!("redis://:{password}@{}", node.address());
    let client = Client::builder().seed(url("secret")).build().await.expect("the right password");
    client.cmd(Cmd::new("PING")).await.expect("PING");
    let error = Client::builder().seed(url("wrong")).build().await.expect_err("a wrong password");
    assert!(error.to_string().contains("WRONGPASS"), "{error}");
    assert!(!error.is_retry_safe());
    let error = node.builder().build().await.expect_err("no password");
    assert!(error.to_string().contains("NOAUTH"), "{error}");
}

#[tokio::test]
async fn bad_settings_are_told_before_anything_is_sent() {
    let error = Client::builder().build().await.expect_err("no seed");
    assert!(matches!(error, ClientError::Config(ConfigError::NoSeeds)), "{error}");
    let error = Client::builder().seed("http://x").build().await.expect_err("a bad scheme");
    assert!(matches!(error, ClientError::Config(ConfigError::Seed { .. })), "{error}");
}

#[tokio::test]
async fn one_reachable_seed_is_enough() {
    let node = TestNode::start();
    let seeds = ["127.0.0.1:1".to_owned(), node.address(), "127.0.0.1:2".to_owned()];
    let client = Client::builder().seeds(seeds).build().await.expect("one seed answers");
    client.cmd(Cmd::new("PING")).await.expect("PING");
}

#[tokio::test]
async fn without_a_reachable_seed_the_error_names_one() {
    let error = Client::builder().seed("127.0.0.1:1").build().await.expect_err("nobody listens");
    assert!(matches!(&error, ClientError::NotSent { node, .. } if &**node == "127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn a_closed_client_lets_calls_end_and_takes_no_more() {
    let node = TestNode::start();
    let client = node.client().await;
    let last = client.clone();
    let running = tokio::spawn(async move { last.query::<String>(Cmd::new("ECHO").arg("last")).await });
    tokio::task::yield_now().await;
    client.close().await;
    assert_eq!(running.await.expect("a task").expect("it was in flight"), "last");
    let error = client.cmd(Cmd::new("PING")).await.expect_err("closed");
    assert!(matches!(error, ClientError::Closed));
}

#[tokio::test]
async fn a_blocking_command_holds_up_nobody_else() {
    let node = TestNode::start();
    let client = node.client().await;
    let waiter = client.clone();
    let waiting =
        tokio::spawn(async move { waiter.query::<(String, String)>(Cmd::new("BLPOP").arg("list").arg(0)).await });
    while client.query::<i64>(Cmd::new("ECHO").arg(1)).await.expect("ECHO") != 1 {}
    let mut blocked = String::new();
    while !blocked.contains("blocked_clients:1") {
        blocked = client.query(Cmd::new("INFO").arg("clients")).await.expect("INFO");
    }
    client.cmd(Cmd::new("RPUSH").arg("list").arg("x")).await.expect("RPUSH");
    assert_eq!(waiting.await.expect("a task").expect("BLPOP"), ("list".to_owned(), "x".to_owned()));
}

#[tokio::test]
async fn a_dropped_blocking_command_takes_nothing() {
    let node = TestNode::start();
    let client = node.client().await;
    let blocking = client.cmd(Cmd::new("BLPOP").arg("list").arg(0));
    let _ = tokio::time::timeout(Duration::from_millis(50), blocking).await;
    let mut blocked = String::new();
    while !blocked.contains("blocked_clients:0") {
        blocked = client.query(Cmd::new("INFO").arg("clients")).await.expect("INFO");
    }
    client.cmd(Cmd::new("RPUSH").arg("list").arg("x")).await.expect("RPUSH");
    assert_eq!(client.query::<i64>(Cmd::new("LLEN").arg("list")).await.expect("LLEN"), 1);
}
