//! Connections that break, stall, or carry nonsense.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_client::{BusyLimit, ClientError, Cmd, LinkError, WhenBusy};

use crate::node::{Act, MockNode};

/// The first `count` times one act, then another.
fn first(count: usize, bad: impl Fn() -> Act, good: impl Fn() -> Act) -> impl Fn(&[String]) -> Act {
    let asked = AtomicUsize::new(0);
    move |words| {
        if words.first().is_some_and(|word| word == "CLUSTER") {
            Act::Ignore
        } else if asked.fetch_add(1, Ordering::SeqCst) < count {
            bad()
        } else {
            good()
        }
    }
}

#[tokio::test]
async fn what_may_be_repeated_survives_a_lost_connection() {
    let node = MockNode::start(first(3, || Act::Close, || Act::reply("$1\r\nv\r\n"))).await;
    let client = node.builder().build().await.expect("a node");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "v");
    assert_eq!(node.asked(), 4);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_told_to_be_uncertain() {
    let node = MockNode::start(first(1, || Act::Close, || Act::reply(":1\r\n"))).await;
    let client = node.builder().build().await.expect("a node");
    let error = client.incr("k").await.expect_err("lost");
    assert!(matches!(error, ClientError::MaybeExecuted { reason: LinkError::ClosedByPeer, .. }), "{error}");
    assert!(error.may_have_executed() && !error.is_retry_safe());
    assert_eq!(node.asked(), 1);
    assert_eq!(client.incr("k").await.expect("a new connection"), 1);
}

#[tokio::test]
async fn a_half_written_reply_is_no_reply() {
    let cut = || Act::ReplyAndClose("$10\r\nhalf".to_owned());
    let node = MockNode::start(first(1, cut, || Act::reply("$4\r\nfull\r\n"))).await;
    let client = node.builder().build().await.expect("a node");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "full");
}

#[tokio::test]
async fn nonsense_on_the_wire_ends_the_connection_and_nothing_else() {
    for nonsense in
        ["hello\r\n", "$x\r\n", "*-5\r\n", "$99999999999999\r\n", "$3\r\nabcd\r\n", ":1\r\n:2\r\n", "*?\r\n"]
    {
        let node = MockNode::start(first(1, move || Act::reply(nonsense), || Act::reply(":7\r\n"))).await;
        let client = node.builder().deadline(Duration::from_secs(2)).build().await.expect("a node");
        let _ = client.cmd(Cmd::new("INCR").arg("k")).await;
        let mut reply = client.query::<i64>(Cmd::new("STRLEN").arg("k")).await;
        if reply.is_err() {
            // The rest of the nonsense may have met this one.
            reply = client.query(Cmd::new("STRLEN").arg("k")).await;
        }
        assert_eq!(reply.expect("a new connection"), 7, "{nonsense:?}");
    }
}

#[tokio::test]
async fn a_reply_of_another_type_is_an_error_of_the_call_alone() {
    let node = MockNode::start(first(1, || Act::reply("*2\r\n:1\r\n:2\r\n"), || Act::reply("$1\r\nv\r\n"))).await;
    let client = node.builder().build().await.expect("a node");
    let error = client.get::<String>("k").await.expect_err("an array");
    assert!(matches!(error, ClientError::Convert(_)), "{error}");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "v");
}

#[tokio::test]
async fn a_silent_node_costs_no_more_than_the_deadline() {
    let node = MockNode::start(|_| Act::Ignore).await;
    let client = node.builder().deadline(Duration::from_millis(200)).build().await.expect("a node");
    let started = Instant::now();
    let error = client.incr("k").await.expect_err("silence");
    assert!(matches!(error, ClientError::Timeout { sent: true, .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_silent_attempt_is_repeated_if_that_is_safe() {
    let node = MockNode::start(first(1, || Act::Ignore, || Act::ReplyAndClose("$1\r\nv\r\n".into()))).await;
    let builder = node.builder().attempt_timeout(Duration::from_millis(50)).silence_max(Duration::from_millis(80));
    let client = builder.build().await.expect("a node");
    // The second attempt's reply takes the place of the first's, which never came, and the connection ends; the third
    // attempt has a new one.
    assert_eq!(client.get::<String>("k").await.expect("GET"), "v");
    assert_eq!(node.asked(), 3);
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_replaced() {
    let node = MockNode::start(first(1, || Act::Ignore, || Act::reply(":1\r\n"))).await;
    let client = node.builder().silence_max(Duration::from_millis(100)).build().await.expect("a node");
    let error = client.incr("k").await.expect_err("silence");
    assert!(matches!(error, ClientError::MaybeExecuted { reason: LinkError::Silent(_), .. }), "{error}");
    assert_eq!(client.incr("k").await.expect("a new connection"), 1);
}

#[tokio::test]
async fn a_full_queue_is_an_error_or_a_wait() {
    let node = MockNode::start(|_| Act::Ignore).await;
    let builder = node.builder().in_flight_max(2).deadline(Duration::from_millis(150));
    let client = builder.clone().build().await.expect("a node");
    let calls = || async { tokio::join!(client.incr("a"), client.incr("b"), client.incr("c")) };
    let (a, b, c) = calls().await;
    assert!(matches!((a, b), (Err(ClientError::Timeout { .. }), Err(ClientError::Timeout { .. }))));
    assert!(matches!(c, Err(ClientError::Busy { limit: BusyLimit::InFlight(2), .. })), "{c:?}");
    let client = builder.when_busy(WhenBusy::Wait).build().await.expect("a node");
    let started = Instant::now();
    let (_, _, c) = tokio::join!(client.incr("a"), client.incr("b"), client.incr("c"));
    assert!(matches!(c, Err(ClientError::Busy { .. })), "{c:?}");
    assert!(started.elapsed() >= Duration::from_millis(140), "it waited: {:?}", started.elapsed());
}

#[tokio::test]
async fn many_tasks_survive_a_node_that_closes_every_tenth_time() {
    let asked = AtomicUsize::new(0);
    let node = MockNode::start(move |words| match words.first().map(String::as_str) {
        Some("CLUSTER") => Act::Ignore,
        _ if asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(10) => Act::Close,
        _ => Act::reply(format!("${}\r\n{}\r\n", words[1].len(), words[1])),
    })
    .await;
    let client = Arc::new(node.builder().deadline(Duration::from_secs(20)).build().await.expect("a node"));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let client = client.clone();
        tasks.spawn(async move {
            for step in 0..20 {
                let key = format!("{task}-{step}");
                assert_eq!(client.get::<String>(&key).await.expect("GET"), key);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("every reply was its own");
    }
}
