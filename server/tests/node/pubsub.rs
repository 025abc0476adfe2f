//! Channels, patterns, keyspace events, and those who do not read.

use super::{support::TestNode, wire::Wire};

#[test]
fn a_message_reaches_the_listeners_of_its_channel_and_of_matching_patterns() {
    let node = TestNode::start();
    let (mut listener, mut other) = (Wire::connect(&node), Wire::connect(&node));
    listener.call("SUBSCRIBE news", "*3|$9|subscribe|$4|news|:1|");
    listener.call("PSUBSCRIBE n*", "*3|$10|psubscribe|$2|n*|:2|");
    other.call("PUBLISH news hi", ":2|");
    listener.expect("*3|$7|message|$4|news|$2|hi|*4|$8|pmessage|$2|n*|$4|news|$2|hi|");
    other.call("PUBSUB NUMSUB news none", "*4|$4|news|:1|$4|none|:0|");
    other.call("PUBSUB NUMPAT", ":1|");
}

#[test]
fn shard_channels_are_apart_from_plain_ones() {
    let node = TestNode::start();
    let (mut listener, mut other) = (Wire::connect(&node), Wire::connect(&node));
    listener.call("SSUBSCRIBE news", "*3|$10|ssubscribe|$4|news|:1|");
    other.call("PUBLISH news no", ":0|");
    other.call("SPUBLISH news yes", ":1|");
    listener.expect("*3|$8|smessage|$4|news|$3|yes|");
    other.call("PUBSUB SHARDCHANNELS", "*1|$4|news|");
    other.call("PUBSUB CHANNELS", "*0|");
}

#[test]
fn a_client_of_resp2_that_listens_runs_nothing_else() {
    let node = TestNode::start();
    let mut wire = Wire::connect(&node);
    wire.call("SUBSCRIBE a", "*3|$9|subscribe|$1|a|:1|");
    wire.call("PING", "*2|$4|pong|$0||");
    wire.send("GET k|RESET");
    assert!(wire.read_until("RESET|").starts_with("-ERR Can't execute 'get': only"));
    wire.call("GET k", "$-1|");
}

#[test]
fn a_message_to_oneself_follows_the_reply_and_stays_out_of_a_transaction() {
    let node = TestNode::start();
    let (mut wire, _) = Wire::connect_resp3(&node);
    wire.call("SUBSCRIBE a", ">3|$9|subscribe|$1|a|:1|");
    wire.call("PUBLISH a x|PING", ":1|>3|$7|message|$1|a|$1|x|+PONG|");
    wire.call("MULTI|PUBLISH a y|PING|EXEC", "+OK|+QUEUED|+QUEUED|*2|:1|+PONG|>3|$7|message|$1|a|$1|y|");
}

#[test]
fn nothing_of_a_channel_comes_after_the_end_of_its_subscription_is_confirmed() {
    let node = TestNode::start();
    let (mut listener, mut other) = (Wire::connect(&node), Wire::connect(&node));
    listener.call("SUBSCRIBE a b", "*3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|");
    listener.call("UNSUBSCRIBE a", "*3|$11|unsubscribe|$1|a|:1|");
    other.call("PUBLISH a lost", ":0|");
    listener.call("UNSUBSCRIBE", "*3|$11|unsubscribe|$1|b|:0|");
    listener.call("UNSUBSCRIBE", "*3|$11|unsubscribe|$-1|:0|");
    listener.call("PING", "+PONG|");
}

#[test]
fn silenced_replies_do_not_silence_messages() {
    let node = TestNode::start();
    let (mut listener, mut other) = (Wire::connect_resp3(&node).0, Wire::connect(&node));
    listener.call("CLIENT REPLY OFF|PING|SUBSCRIBE a", ">3|$9|subscribe|$1|a|:1|");
    other.call("PUBLISH a x", ":1|");
    listener.expect(">3|$7|message|$1|a|$1|x|");
    listener.call("CLIENT REPLY ON", "+OK|");
}

#[test]
fn changes_of_keys_are_published_where_they_are_asked_for() {
    let node = TestNode::start();
    let (mut listener, mut other) = (Wire::connect(&node), Wire::connect(&node));
    listener.call("PSUBSCRIBE __key*", "*3|$10|psubscribe|$6|__key*|:1|");
    other.call("SET k v", "+OK|");
    other.call("CONFIG SET notify-keyspace-events KEg", "+OK|");
    other.call("SET k v|DEL k", "+OK|:1|");
    listener.expect("*4|$8|pmessage|$6|__key*|$16|__keyspace@0__:k|$3|del|");
    listener.expect("*4|$8|pmessage|$6|__key*|$18|__keyevent@0__:del|$1|k|");
}

#[test]
fn a_listener_that_does_not_read_is_cut_off_and_its_backlog_dropped() {
    let node = TestNode::start();
    let (mut slow, mut other) = (Wire::connect(&node), Wire::connect(&node));
    other.call("CONFIG SET client-output-buffer-limit \"pubsub 2mb 0 0\"", "+OK|");
    slow.call("SUBSCRIBE a", "*3|$9|subscribe|$1|a|:1|");
    let message = "x".repeat(32 * 1024);
    let mut published = 0;
    loop {
        other.send(&format!("PUBLISH a {message}"));
        published += message.len();
        if other.read_until("|") == ":0|" {
            break;
        }
        assert!(published < 256 * 1024 * 1024, "the listener is never cut off");
        assert!(backlog_bytes(&mut other) <= 3 * 1024 * 1024, "the backlog outgrows its limit");
    }
    assert_eq!(backlog_bytes(&mut other), 0);
    slow.expect_end();
}

/// What waits for all clients together.
fn backlog_bytes(wire: &mut Wire) -> usize {
    wire.send("CLIENT LIST|PING");
    let list = wire.read_until("+PONG|");
    list.split([' ', '\n']).filter_map(|field| field.strip_prefix("omem=")?.parse::<usize>().ok()).sum()
}
