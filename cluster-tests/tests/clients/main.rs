//! Clients as their users run them, unchanged, against three real nodes.
//!
//! redis-rs is always here. Programs that are not on this machine (redis-py and valkey-glide in the Python that
//! `TEST_PYTHON` names, redis-cli, redis-benchmark) are skipped with a line that says so, or fail the test where
//! `TEST_REQUIRE_CLIENTS=1`.

mod cluster_facts;
mod death;
mod glide;
#[path = "../../../server/tests/clients/programs.rs"]
mod programs;
mod redis_benchmark;
mod redis_cli;
mod redis_py;
mod redis_rs;
mod shared;
mod tracking;
