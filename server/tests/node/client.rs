//! The connection itself: HELLO, AUTH, CLIENT, MONITOR, and its ends.

use super::{support::TestNode, wire::Wire};

#[test]
fn hello_switches_the_protocol_and_answers_in_it() {
    let node = TestNode::start();
    let mut wire = Wire::connect(&node);
    wire.call("GET k", "$-1|");
    wire.send("HELLO 3 SETNAME me");
    assert!(wire.read_until("modules|*0|").starts_with("%7|$6|server|$5|redis|"));
    wire.call("GET k|CLIENT GETNAME", "_|$2|me|");
    wire.call("HELLO 4", "-NOPROTO unsupported protocol version|");
    wire.send("HELLO 2");
    assert!(wire.read_until("modules|*0|").starts_with("*14|"));
}

#[test]
fn a_password_keeps_new_clients_out_until_they_give_it() {
    let node = TestNode::start();
    let mut admin = Wire::connect(&node);
    admin.call("CONFIG SET requirepass secret", "+OK|");
    admin.call("PING", "+PONG|");
    let mut wire = Wire::connect(&node);
    wire.call("GET k", "-NOAUTH Authentication required.|");
    wire.call("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.|");
    wire.call("AUTH default secret|GET k", "+OK|$-1|");
    wire.call("RESET|GET k", "+RESET|-NOAUTH Authentication required.|");
}

#[test]
fn a_killed_client_is_gone_and_its_registrations_with_it() {
    let node = TestNode::start();
    let (mut victim, id) = Wire::connect_resp3(&node);
    let mut other = Wire::connect(&node);
    victim.call("SUBSCRIBE a", ">3|$9|subscribe|$1|a|:1|");
    other.call(&format!("CLIENT KILL ID {id}"), ":1|");
    victim.expect_end();
    other.call("PUBLISH a x", ":0|");
    other.call("CLIENT KILL 127.0.0.1:1", "-ERR No such client|");
    other.call("CLIENT KILL TYPE normal SKIPME no", ":1|");
    other.expect_end();
}

#[test]
fn a_pause_holds_writes_back_and_lets_reads_pass() {
    let node = TestNode::start();
    let (mut writer, mut other) = (Wire::connect(&node), Wire::connect(&node));
    other.call("CLIENT PAUSE 100000 WRITE", "+OK|");
    writer.call("GET k", "$-1|");
    writer.send("SET k v|GET k");
    other.call("GET k", "$-1|");
    other.call("CLIENT UNPAUSE", "+OK|");
    writer.expect("+OK|$1|v|");
}

#[test]
fn a_pause_ends_by_itself() {
    let node = TestNode::start();
    let mut wire = Wire::connect(&node);
    wire.call("CLIENT PAUSE 50|GET k", "+OK|$-1|");
}

#[test]
fn monitors_read_every_command_but_no_secret() {
    let node = TestNode::start();
    let (mut monitor, mut other) = (Wire::connect(&node), Wire::connect(&node));
    monitor.call("MONITOR", "+OK|");
    other.call("SET k v|CONFIG GET port|MULTI|GET k|EXEC", "+OK|*2|$4|port|$");
    other.read_until("*1|$1|v|");
    other.send("AUTH secret");
    let lines: Vec<_> = (0..5).map(|_| monitor.read_until("|")).collect();
    let commands: Vec<_> = lines.iter().map(|line| line.split("] ").nth(1).unwrap_or_default()).collect();
    assert_eq!(
        commands,
        ["\"SET\" \"k\" \"v\"|", "\"MULTI\"|", "\"GET\" \"k\"|", "\"EXEC\"|", "\"AUTH\" \"(redacted)\"|"]
    );
}

#[test]
fn replies_are_left_out_as_asked() {
    let node = TestNode::start();
    let mut wire = Wire::connect(&node);
    wire.call("CLIENT REPLY SKIP|PING one|PING two", "$3|two|");
    wire.call("CLIENT REPLY OFF|PING|CLIENT REPLY ON|PING", "+OK|+PONG|");
}

#[test]
fn reset_undoes_everything() {
    let node = TestNode::start();
    let (mut wire, id) = Wire::connect_resp3(&node);
    let mut other = Wire::connect(&node);
    wire.call("CLIENT TRACKING ON|SUBSCRIBE a|SELECT 3|MULTI", "+OK|>3|$9|subscribe|$1|a|:1|+OK|+OK|");
    wire.call("RESET|GET k|CLIENT GETREDIR", "+RESET|$-1|:-1|");
    other.call("PUBLISH a x|SET k v", ":0|+OK|");
    other.send(&format!("CLIENT LIST ID {id}|PING"));
    let line = other.read_until("+PONG|");
    assert!(line.contains(" flags=N ") && line.contains(" db=0 ") && line.contains(" resp=2 "), "{line}");
}

#[test]
fn idle_clients_are_closed_and_listening_ones_are_not() {
    let node = TestNode::start();
    let (mut idle, mut listener) = (Wire::connect(&node), Wire::connect(&node));
    listener.call("SUBSCRIBE a", "*3|$9|subscribe|$1|a|:1|");
    idle.call("CONFIG SET timeout 1", "+OK|");
    idle.expect_end();
    listener.call("PING", "*2|$4|pong|$0||");
}

#[test]
fn clients_beyond_maxclients_are_refused() {
    let node = TestNode::start();
    let mut first = Wire::connect(&node);
    first.call("CONFIG SET maxclients 1", "+OK|");
    let mut second = Wire::connect(&node);
    second.expect("-ERR max number of clients reached|");
    second.expect_end();
    first.call("PING", "+PONG|");
}

#[test]
fn a_client_that_never_reads_its_replies_stops_being_served() {
    let node = TestNode::start();
    let (mut greedy, mut other) = (Wire::connect(&node), Wire::connect(&node));
    let value = "x".repeat(60 * 1024);
    other.call(&format!("SET k {value}"), "+OK|");
    // A gigabyte of replies to some kilobytes of requests.
    greedy.send(&vec!["GET k"; 16 * 1024].join("|"));
    other.call("PING", "+PONG|");
    other.send("CLIENT LIST|PING");
    let list = other.read_until("+PONG|");
    let waiting = list.split([' ', '\n']).filter_map(|field| field.strip_prefix("omem=")?.parse::<usize>().ok());
    assert!(waiting.sum::<usize>() < 1024 * 1024, "{list}");
}
