//! The entries, a file per family. Facts (arity, flags, keys, categories, versions) are those of Redis 7.2 and Valkey 8,
//! for the hash-field deadlines those of Redis 7.4 and 8.0.
//!
//! Streams, scripts and functions and ACL users get files of their own when they are served; until then
//! their commands are unknown.

mod bitmap;
mod client;
mod cluster;
mod connection;
mod expiry;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod introspection;
mod list;
mod pubsub;
mod server;
mod set;
mod string;
mod transaction;
mod zset;

use super::{CommandSpec, Group};

const FAMILIES: [&[CommandSpec]; 15] = [
    string::COMMANDS,
    bitmap::COMMANDS,
    generic::COMMANDS,
    expiry::COMMANDS,
    hash::COMMANDS,
    list::COMMANDS,
    set::COMMANDS,
    zset::COMMANDS,
    hyperloglog::COMMANDS,
    geo::COMMANDS,
    transaction::COMMANDS,
    pubsub::COMMANDS,
    connection::COMMANDS,
    server::COMMANDS,
    cluster::COMMANDS,
];

/// How many commands there are: indices are below this.
pub const COUNT: usize = count();

const fn count() -> usize {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
}

/// All commands, one family behind the other.
pub(super) static COMMANDS: [CommandSpec; COUNT] = joined();

const fn joined() -> [CommandSpec; COUNT] {
    let mut commands = [CommandSpec::new("", 0, Group::Generic, ""); COUNT];
    let (mut filled, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut index = 0;
        while index < FAMILIES[family].len() {
            commands[filled] = FAMILIES[family][index];
            filled += 1;
            index += 1;
        }
        family += 1;
    }
    commands
}

/// The index of the command of exactly that name.
pub(super) const fn index_of(name: &str) -> u16 {
    let (mut before, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut index = 0;
        while index < FAMILIES[family].len() {
            if same(FAMILIES[family][index].name.as_bytes(), name.as_bytes()) {
                return (before + index) as u16;
            }
            index += 1;
        }
        before += FAMILIES[family].len();
        family += 1;
    }
    panic!("no command of that name")
}

/// Equality in constants, where `==` isn't available on slices.
const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}
