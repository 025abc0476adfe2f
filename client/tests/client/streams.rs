//! Transactions, walks and subscriptions, against a real node.

use std::collections::BTreeSet;

use rondache_client::{ClientError, Cmd, RequestError, SubscriptionEvent};
use tokio_stream::StreamExt;

use crate::support::TestNode;

#[tokio::test]
async fn a_transaction_answers_each_command_for_itself() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut transaction = client.transaction();
    transaction.add(Cmd::new("SET").arg("k").arg("v"));
    transaction.add(Cmd::new("LPUSH").arg("k").arg("x"));
    transaction.add(Cmd::new("INCR").arg("{k}n"));
    let results = transaction.execute().await.expect("EXEC");
    assert!(results[0].is_ok());
    assert_eq!(results[1].as_ref().expect_err("a string").code(), Some("WRONGTYPE"));
    assert_eq!(results[2].as_ref().ok(), Some(&rondache_client::Value::Integer(1)));
}

#[tokio::test]
async fn a_transaction_that_is_refused_tells_why_and_changes_nothing() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut transaction = client.transaction();
    transaction.add(Cmd::new("SET").arg("k").arg("v"));
    transaction.add(Cmd::new("SET").arg("k"));
    let error = transaction.execute().await.expect_err("wrong arity");
    assert!(error.to_string().contains("wrong number of arguments"), "{error}");
    assert_eq!(client.get::<Option<String>>("k").await.expect("GET"), None);
    let mut transaction = client.transaction();
    transaction.add(Cmd::new("SET").arg("a").arg(1)).add(Cmd::new("SET").arg("b").arg(1));
    let error = transaction.execute().await.expect_err("two slots");
    assert!(matches!(error, ClientError::Request(RequestError::CrossSlot(_))), "{error}");
}

#[tokio::test]
async fn a_walk_meets_every_key_and_member() {
    let node = TestNode::start();
    let client = node.client().await;
    client.mset((0..1000).map(|number| (format!("k:{number}"), number))).await.expect("MSET");
    let keys: BTreeSet<String> = client.scan("k:*", 50).collect::<Result<_, _>>().await.expect("SCAN");
    assert_eq!(keys.len(), 1000);
    let none: Vec<String> = client.scan("nothing*", 50).collect::<Result<_, _>>().await.expect("SCAN");
    assert!(none.is_empty());
    client.hset_many("h", (0..500).map(|number| (number, number * 2))).await.expect("HSET");
    let pairs: BTreeSet<(u32, u32)> = client.hscan("h", "*", 10).collect::<Result<_, _>>().await.expect("HSCAN");
    assert_eq!(pairs.len(), 500);
    assert!(pairs.iter().all(|(field, value)| value == &(field * 2)));
}

#[tokio::test]
async fn subscribers_hear_what_is_published() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut news = client.subscribe(["news", "sport"]).await.expect("SUBSCRIBE");
    let mut all = client.psubscribe(["n*"]).await.expect("PSUBSCRIBE");
    let mut shard = client.ssubscribe(["news"]).await.expect("SSUBSCRIBE");
    assert_eq!(client.publish("news", "one").await.expect("PUBLISH"), 2);
    client.spublish("news", "two").await.expect("SPUBLISH");
    let message = news.next_message().await.expect("open");
    assert_eq!((&message.channel[..], &message.payload[..]), (&b"news"[..], &b"one"[..]));
    let message = all.next_message().await.expect("open");
    assert_eq!(message.pattern.as_deref(), Some(&b"n*"[..]));
    assert_eq!(&shard.next_message().await.expect("open").payload[..], b"two");
}

#[tokio::test]
async fn channels_can_be_added_and_removed() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut news = client.subscribe(["a"]).await.expect("SUBSCRIBE");
    news.add("b");
    news.remove("a");
    while client.publish("b", "hello").await.expect("PUBLISH") == 0 {
        tokio::task::yield_now().await;
    }
    while client.publish("a", "nobody").await.expect("PUBLISH") > 0 {
        tokio::task::yield_now().await;
    }
    let message = loop {
        let message = news.next_message().await.expect("open");
        if &message.channel[..] == b"b" {
            break message;
        }
    };
    assert_eq!(&message.payload[..], b"hello");
}

#[tokio::test]
async fn a_subscription_survives_its_connection_and_says_so() {
    let node = TestNode::start();
    let client = node.client().await;
    let mut news = client.subscribe(["news"]).await.expect("SUBSCRIBE");
    client.cmd(Cmd::new("CLIENT").arg("KILL").arg("TYPE").arg("pubsub")).await.expect("CLIENT KILL");
    assert_eq!(news.next().await, Some(SubscriptionEvent::Resubscribed));
    client.publish("news", "again").await.expect("PUBLISH");
    assert_eq!(&news.next_message().await.expect("open").payload[..], b"again");
}

#[tokio::test]
async fn shard_channels_of_several_slots_are_refused() {
    let node = TestNode::start();
    let client = node.client().await;
    let Err(error) = client.ssubscribe(["a", "b"]).await else {
        panic!("two slots");
    };
    assert!(matches!(error, ClientError::Request(RequestError::CrossSlot(_))), "{error}");
}
