//! Commands written as lines, for short tests.

use std::time::{Duration, Instant};

use redis::{Cmd, Connection, FromRedisValue, RedisResult, Value};

use super::support::TestNode;

/// Longest wait for anything that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

fn parse(line: &str) -> Cmd {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}

/// Runs a command whose words are separated by blanks.
pub(crate) fn call<T: FromRedisValue>(connection: &mut Connection, line: &str) -> T {
    parse(line).query(connection).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// What the node says against a command.
pub(crate) fn refusal(connection: &mut Connection, line: &str) -> String {
    parse(line).query::<Value>(connection).expect_err(line).to_string()
}

/// A connection that gives up waiting for a reply after a while, so that a missing one fails the test.
pub(crate) fn patient(node: &TestNode) -> Connection {
    let connection = node.connect();
    connection.set_read_timeout(Some(PATIENCE)).expect("a positive timeout");
    connection
}

/// Sends a command without waiting for its reply.
pub(crate) fn send(connection: &mut Connection, line: &str) {
    connection.send_packed_command(&parse(line).get_packed_command()).expect(line);
}

/// The next reply.
pub(crate) fn receive(connection: &mut Connection) -> RedisResult<Value> {
    connection.recv_response().and_then(Value::extract_error)
}

/// The next reply, read as `T`.
pub(crate) fn receive_as<T: FromRedisValue>(connection: &mut Connection) -> T {
    let value = receive(connection).expect("a reply that is no error");
    T::from_redis_value(value).expect("a reply of the expected type")
}

/// Sends a command that is to wait, and returns once it does: `already` others do.
pub(crate) fn send_waiting(node: &TestNode, connection: &mut Connection, line: &str, already: usize) {
    send(connection, line);
    wait_until_blocked(&mut node.connect(), already + 1);
}

/// Returns once `count` clients wait for keys.
pub(crate) fn wait_until_blocked(connection: &mut Connection, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let clients: String = call(connection, "CLIENT LIST");
        if clients.matches("flags=b").count() == count {
            return;
        }
        assert!(Instant::now() < deadline, "not {count} clients are blocked: {clients}");
        std::thread::yield_now();
    }
}
