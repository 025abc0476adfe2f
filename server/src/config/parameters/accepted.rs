//! Parameters of Redis that mean nothing here.
//!
//! Clients, dashboards and test suites set them, so they are checked, remembered and answered, and do nothing else.
//! Nothing that bears on security may be listed: such a setting must work or be refused.

use super::{Form, Parameter};

const fn switch(name: &'static str, default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::Switch, default)
}

const fn integer(name: &'static str, min: i64, max: i64, default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::Integer { min, max }, default)
}

const fn count(name: &'static str, default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::from_i32(0), default)
}

const fn size(name: &'static str, default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::size(), default)
}

const fn choice(name: &'static str, words: &'static [&'static str], default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::Choice(words), default)
}

const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter::accepted(name, Form::Text("a text"), default)
}

pub(super) const PARAMETERS: &[Parameter] = &[
    switch("activedefrag", "no"),
    count("active-defrag-cycle-max", "25"),
    count("active-defrag-cycle-min", "1"),
    size("active-defrag-ignore-bytes", "104857600"),
    integer("active-defrag-max-scan-fields", 1, i64::MAX, "1000"),
    count("active-defrag-threshold-lower", "10"),
    count("active-defrag-threshold-upper", "100"),
    switch("activerehashing", "yes"),
    switch("always-show-logo", "no").fixed(),
    switch("aof-load-truncated", "yes"),
    switch("aof-rewrite-incremental-fsync", "yes"),
    switch("aof-timestamp-enabled", "no"),
    switch("aof-use-rdb-preamble", "yes"),
    choice("appendfsync", &["everysec", "always", "no"], "everysec"),
    switch("appendonly", "no"),
    integer("auto-aof-rewrite-percentage", 0, i32::MAX as i64, "100"),
    size("auto-aof-rewrite-min-size", "67108864"),
    integer("busy-reply-threshold", 0, i64::MAX, "5000").alias("lua-time-limit"),
    switch("close-on-oom", "yes"),
    switch("close-on-replica-write-error", "no"),
    switch("crash-log-enabled", "yes"),
    switch("crash-memcheck-enabled", "yes"),
    switch("daemonize", "no").fixed(),
    text("dbfilename", "dump.rdb").fixed(),
    switch("disable-thp", "yes").fixed(),
    switch("dynamic-hz", "yes"),
    integer("hz", 1, 500, "10"),
    switch("jemalloc-bg-thread", "yes"),
    switch("lazyfree-lazy-eviction", "yes"),
    switch("lazyfree-lazy-expire", "yes"),
    switch("lazyfree-lazy-server-del", "yes"),
    switch("lazyfree-lazy-user-del", "yes"),
    switch("lazyfree-lazy-user-flush", "yes"),
    count("list-compress-depth", "0"),
    text("logfile", "").fixed(),
    Parameter::accepted("maxmemory-clients", Form::SizeOrPercent, "0"),
    integer("maxmemory-eviction-tenacity", 0, 100, "10"),
    integer("maxmemory-samples", 1, 64, "5"),
    integer("max-new-connections-per-cycle", 1, 1000, "10"),
    count("min-replicas-max-lag", "10").alias("min-slaves-max-lag"),
    switch("no-appendfsync-on-rewrite", "no"),
    text("pidfile", "").fixed(),
    switch("rdbchecksum", "yes").fixed(),
    switch("rdbcompression", "yes"),
    switch("rdb-save-incremental-fsync", "yes"),
    size("repl-backlog-size", "10485760"),
    count("repl-backlog-ttl", "3600"),
    switch("repl-diskless-sync", "yes"),
    count("repl-diskless-sync-delay", "5"),
    integer("repl-timeout", 1, i32::MAX as i64, "60"),
    switch("replica-lazy-flush", "yes").alias("slave-lazy-flush"),
    switch("replica-read-only", "yes").alias("slave-read-only"),
    switch("replica-serve-stale-data", "yes").alias("slave-serve-stale-data"),
    text("replicaof", "").alias("slaveof").fixed(),
    choice("sanitize-dump-payload", &["no", "yes", "clients"], "yes"),
    text("save", ""),
    switch("set-proc-title", "yes").fixed(),
    switch("stop-writes-on-bgsave-error", "yes"),
    size("stream-node-max-bytes", "4096"),
    integer("stream-node-max-entries", 0, i64::MAX, "100"),
    choice("supervised", &["upstart", "systemd", "auto", "no"], "no").fixed(),
    text("shutdown-on-sigint", "default"),
    text("shutdown-on-sigterm", "default"),
];
