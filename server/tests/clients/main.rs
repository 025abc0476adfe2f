//! Clients as their users run them, unchanged, against the built binary.
//!
//! redis-rs is always here. Programs that are not on this machine (redis-py in the Python that `TEST_PYTHON` names,
//! redis-cli, redis-benchmark) are skipped with a line that says so, or fail the test where `TEST_REQUIRE_CLIENTS=1`.

mod programs;
mod redis_benchmark;
mod redis_cli;
mod redis_py;
mod redis_rs;
#[path = "../node/support.rs"]
#[allow(dead_code, reason = "shared with other test binaries, each of which uses a part")]
mod support;
