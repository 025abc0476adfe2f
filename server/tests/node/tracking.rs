//! CLIENT TRACKING: clients hear of changes of what they have read.

use super::{support::TestNode, wire::Wire};

const INVALID_K: &str = ">2|$10|invalidate|*1|$1|k|";

fn tracking(node: &TestNode, options: &str) -> Wire {
    let (mut wire, _) = Wire::connect_resp3(node);
    wire.call(&format!("CLIENT TRACKING ON {options}"), "+OK|");
    wire
}

#[test]
fn a_change_of_a_key_that_was_read_is_told_once() {
    let node = TestNode::start();
    let (mut reader, mut writer) = (tracking(&node, ""), Wire::connect(&node));
    reader.call("GET k", "_|");
    writer.call("SET k 1|SET k 2|SET other 1", "+OK|+OK|+OK|");
    reader.expect(INVALID_K);
    reader.call("PING", "+PONG|");
    reader.call("GET k", "$1|2|");
    writer.call("DEL k", ":1|");
    reader.expect(INVALID_K);
}

#[test]
fn an_invalidation_by_oneself_follows_the_reply_and_noloop_leaves_it_out() {
    let node = TestNode::start();
    let mut wire = tracking(&node, "");
    wire.call("GET k|SET k 1|PING", &format!("_|+OK|{INVALID_K}+PONG|"));
    wire.call("MULTI|GET k|SET k 2|PING|EXEC", "+OK|+QUEUED|+QUEUED|+QUEUED|*3|$1|1|+OK|+PONG|");
    wire.expect(INVALID_K);
    let mut quiet = tracking(&node, "NOLOOP");
    quiet.call("GET k|SET k 3|PING", "$1|2|+OK|+PONG|");
}

#[test]
fn broadcasting_tells_all_keys_of_a_command_under_the_prefix_in_one_message() {
    let node = TestNode::start();
    let (mut listener, mut writer) = (tracking(&node, "BCAST PREFIX a"), Wire::connect(&node));
    writer.call("MSET a1 1 b1 1|PING", "+OK|+PONG|");
    listener.expect(">2|$10|invalidate|*1|$2|a1|");
    writer.call("MSET a1 2 b2 2 a2 2", "+OK|");
    listener.expect(">2|$10|invalidate|*2|$2|a");
    let keys = listener.read_until("|$2|") + &listener.read_until("|");
    assert!(keys == "1|$2|a2|" || keys == "2|$2|a1|", "{keys}");
}

#[test]
fn a_client_of_resp2_hears_through_the_channel_of_another() {
    let node = TestNode::start();
    let (mut listener, mut reader, mut writer) = (Wire::connect(&node), Wire::connect(&node), Wire::connect(&node));
    listener.send("CLIENT ID");
    let id = listener.read_until("|");
    let id = id.trim_matches([':', '|']);
    listener.call("SUBSCRIBE __redis__:invalidate", "*3|$9|subscribe|$20|__redis__:invalidate|:1|");
    reader.call(&format!("CLIENT TRACKING ON REDIRECT {id}|GET k"), "+OK|$-1|");
    writer.call("SET k 1", "+OK|");
    listener.expect("*3|$7|message|$20|__redis__:invalidate|*1|$1|k|");
}

#[test]
fn the_end_of_the_client_that_is_told_in_ones_place_is_told_itself() {
    let node = TestNode::start();
    let (mut listener, id) = Wire::connect_resp3(&node);
    let mut reader = tracking(&node, &format!("REDIRECT {id}"));
    let mut writer = Wire::connect(&node);
    reader.call("GET k", "_|");
    listener.call("QUIT", "+OK|");
    listener.expect_end();
    writer.call("SET k 1", "+OK|");
    reader.expect(&format!(">2|$21|tracking-redir-broken|:{id}|"));
}

#[test]
fn only_what_was_opted_in_is_remembered() {
    let node = TestNode::start();
    let (mut reader, mut writer) = (tracking(&node, "OPTIN"), Wire::connect(&node));
    reader.call("GET other|CLIENT CACHING YES|GET k|GET another", "_|+OK|_|_|");
    writer.call("MSET other 1 another 1 k 1", "+OK|");
    reader.expect(INVALID_K);
    reader.call("PING", "+PONG|");
}

#[test]
fn a_flush_makes_everything_stale() {
    let node = TestNode::start();
    let (mut reader, mut writer) = (tracking(&node, ""), Wire::connect(&node));
    reader.call("GET k", "_|");
    writer.call("FLUSHALL", "+OK|");
    reader.expect(">2|$10|invalidate|_|");
}

#[test]
fn keys_beyond_the_limit_are_given_up_with_a_word() {
    let node = TestNode::start();
    let (mut reader, mut other) = (tracking(&node, ""), Wire::connect(&node));
    other.call("CONFIG SET tracking-table-max-keys 2", "+OK|");
    reader.call("GET a|GET b|PING", "_|_|+PONG|");
    reader.send("GET c");
    reader.expect("_|>2|$10|invalidate|*1|$1|");
}

#[test]
fn expiry_is_told_even_to_who_met_it_itself() {
    let node = TestNode::start();
    let mut wire = tracking(&node, "NOLOOP");
    wire.call("SET k v PX 1|GET k", "+OK|$1|v|");
    wire.expect(INVALID_K);
}
