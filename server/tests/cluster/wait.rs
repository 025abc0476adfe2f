//! WAIT through any node, whichever nodes own what the connection wrote.

use std::cell::RefCell;

use super::formed::Formed;

#[test]
fn wait_in_a_transaction_answers_what_is_acknowledged_by_then() {
    let formed = Formed::start(2, |_| {});
    let key = formed.key_with(0, 1);
    for at in 0..2 {
        let mut client = formed.connect(at);
        client.call(&format!("SET {key} 1"), "+OK\r\n");
        client.call("WAIT 1 20000", ":1\r\n");
        client.send(&["MULTI", &format!("INCR {key}"), "WAIT 2 0", &format!("DEL {key}"), "EXEC"]);
        client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:2\r\n:1\r\n:1\r\n");
        client.send(&["MULTI", "WAIT 1 x", "EXEC"]);
        client.expect("+OK\r\n+QUEUED\r\n*1\r\n-ERR timeout is not an integer or out of range\r\n");
    }
}

#[test]
fn a_waiting_client_can_be_unblocked() {
    let formed = Formed::start(2, |_| {});
    for (at, manner, end) in
        [(0, "TIMEOUT", ":1\r\n"), (1, "ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")]
    {
        let (mut waiting, other) = (formed.connect(at), RefCell::new(formed.connect(at)));
        let id = waiting.ask("CLIENT ID");
        waiting.call(&format!("SET {} 1", formed.key_with(0, 1)), "+OK\r\n");
        waiting.call("WAIT 1 20000", ":1\r\n");
        waiting.send(&["WAIT 2 0", "PING"]);
        let unblock = format!("CLIENT UNBLOCK {} {manner}", id.trim_start_matches(':'));
        formed.wait_until("the client waits", |_| other.borrow_mut().ask(&unblock) == ":1");
        waiting.expect(end);
        waiting.expect("+PONG\r\n");
    }
}

#[test]
fn a_client_that_has_its_answer_waits_no_longer() {
    let formed = Formed::start(2, |_| {});
    let (mut waiting, mut other) = (formed.connect(0), formed.connect(0));
    let id = waiting.ask("CLIENT ID");
    let unblock = format!("CLIENT UNBLOCK {}", id.trim_start_matches(':'));
    waiting.call(&format!("SET {} 1", formed.key_with(0, 1)), "+OK\r\n");
    for _ in 0..2_000 {
        waiting.call("WAIT 1 20000", ":1\r\n");
        other.call(&unblock, ":0\r\n");
    }
}

#[test]
fn wait_goes_on_with_the_next_owner_and_is_over_at_once_when_nobody_else_is_left() {
    let formed = Formed::start(2, |_| {});
    let mut client = formed.connect(0);
    client.call(&format!("SET {} 1", formed.key_with(1, 0)), "+OK\r\n");
    client.call("WAIT 1 20000", ":1\r\n");
    formed.nodes[1].node().shutdown.cancel();
    // Without a timeout: it would wait for ever.
    client.call("WAIT 1 0", ":0\r\n");
    formed.connect(0).call("WAIT 3 0", ":0\r\n");
}
