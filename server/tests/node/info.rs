//! INFO and its kin, over real sockets.

use redis::Connection;

use super::support::TestNode;

fn info(connection: &mut Connection, sections: &[&str]) -> String {
    redis::cmd("INFO").arg(sections).query(connection).unwrap()
}

fn field(report: &str, name: &str) -> String {
    let line = report.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {report}")).to_owned()
}

#[test]
fn the_default_report_has_what_dashboards_read() {
    let node = TestNode::start();
    let report = info(&mut node.connect(), &[]);
    for name in ["redis_version", "connected_clients", "used_memory", "role", "used_cpu_sys", "cluster_enabled"] {
        assert_ne!(field(&report, name), "");
    }
    assert_eq!(field(&report, "tcp_port"), node.port.to_string());
    assert!(!report.contains("cmdstat_"));
}

#[test]
fn hits_and_misses_are_counted() {
    let node = TestNode::start();
    let mut connection = node.connect();
    redis::cmd("SET").arg("k").arg("v").exec(&mut connection).unwrap();
    for key in ["k", "k", "nothing"] {
        redis::cmd("GET").arg(key).exec(&mut connection).unwrap();
    }
    let report = info(&mut connection, &["stats", "keyspace"]);
    assert_eq!((field(&report, "keyspace_hits"), field(&report, "keyspace_misses")), ("2".into(), "1".into()));
    assert_eq!(field(&report, "db0"), "keys=1,expires=0,avg_ttl=0");
}

#[test]
fn used_memory_follows_what_is_stored() {
    let node = TestNode::start();
    let mut connection = node.connect();
    let used =
        |connection: &mut Connection| field(&info(connection, &["memory"]), "used_memory").parse::<u64>().unwrap();
    let before = used(&mut connection);
    redis::cmd("SET").arg("k").arg(vec![b'x'; 4 << 20]).exec(&mut connection).unwrap();
    assert!(used(&mut connection) >= before + (4 << 20));
}

#[test]
fn commands_and_errors_are_counted_by_name() {
    let node = TestNode::start();
    let mut connection = node.connect();
    redis::cmd("SET").arg("k").arg("v").exec(&mut connection).unwrap();
    let _ = redis::cmd("LPUSH").arg("k").arg("v").exec(&mut connection);
    let _ = redis::cmd("GET").exec(&mut connection);
    let report = info(&mut connection, &["commandstats", "errorstats"]);
    assert!(report.contains("cmdstat_set:calls=1,"), "{report}");
    assert!(
        report.contains("cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"),
        "{report}"
    );
    assert_eq!(field(&report, "errorstat_WRONGTYPE"), "count=1");
}

#[test]
fn a_reset_puts_the_counters_back() {
    let node = TestNode::start();
    let mut connection = node.connect();
    redis::cmd("GET").arg("nothing").exec(&mut connection).unwrap();
    redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut connection).unwrap();
    assert_eq!(field(&info(&mut connection, &["stats"]), "keyspace_misses"), "0");
}

#[test]
fn slow_commands_are_logged_without_secrets() {
    let node = TestNode::start_with(&["--slowlog-log-slower-than", "0"]);
    let mut connection = node.connect();
    redis::cmd("CONFIG").arg(&["SET", "requirepass", ""]).exec(&mut connection).unwrap();
    type Entry = (u64, u64, u64, Vec<String>, String, String);
    let entries: Vec<Entry> = redis::cmd("SLOWLOG").arg("GET").query(&mut connection).unwrap();
    assert!(entries.iter().any(|entry| entry.3 == ["CONFIG", "SET", "requirepass", "(redacted)"]), "{entries:?}");
}

#[test]
fn an_unknown_command_suggests_the_near_one() {
    let node = TestNode::start();
    let error = redis::cmd("GTE").arg("k").exec(&mut node.connect()).unwrap_err();
    assert_eq!(error.detail(), Some("unknown command 'GTE', with args beginning with: 'k' (did you mean 'get'?)"));
}

#[test]
fn the_keys_of_a_call_are_found() {
    let node = TestNode::start();
    let call = ["GETKEYS", "MSET", "a", "1", "b", "2"];
    let keys: Vec<String> = redis::cmd("COMMAND").arg(&call).query(&mut node.connect()).unwrap();
    assert_eq!(keys, ["a", "b"]);
}

#[test]
fn a_key_tells_how_much_memory_it_takes() {
    let node = TestNode::start();
    let mut connection = node.connect();
    redis::cmd("SET").arg("k").arg(vec![b'x'; 1000]).exec(&mut connection).unwrap();
    let usage = |connection: &mut Connection, key: &str| -> Option<u64> {
        redis::cmd("MEMORY").arg("USAGE").arg(key).query(connection).unwrap()
    };
    assert!(usage(&mut connection, "k").is_some_and(|bytes| (1000..2000).contains(&bytes)));
    assert_eq!(usage(&mut connection, "nothing"), None);
}
