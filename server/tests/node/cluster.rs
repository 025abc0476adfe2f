//! A node as a cluster of one: what cluster clients and operators see.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output},
    time::Duration,
};

use super::support::TestNode;

/// The port that a parameter names, such as `redirect-listen`.
fn port_of(node: &TestNode, parameter: &str) -> u16 {
    let (_, addr): (String, String) =
        redis::cmd("CONFIG").arg("GET").arg(parameter).query(&mut node.connect()).unwrap();
    addr.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn redirecting(node: &TestNode) -> redis::Connection {
    let port = port_of(node, "redirect-listen");
    redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap().get_connection().unwrap()
}

fn words(line: &str) -> redis::Cmd {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>());
    command
}

/// A holder of slots: host, port, id, and what else there is to say.
type Holder = (String, u16, String, Vec<String>);

/// What a GET of `path` answers, head and body.
fn http(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // The node may close while the request is still being sent.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(port: u16, path: &str) -> String {
    http(port, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
}

fn tool(node: &TestNode, command: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rondache"))
        .args([command, "--node", &format!("127.0.0.1:{}", node.port)])
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn cluster_slots_lists_the_redirect_port() {
    let node = TestNode::start();
    let slots: Vec<(u16, u16, Holder)> = words("CLUSTER SLOTS").query(&mut node.connect()).unwrap();
    let [(0, 16_383, (host, port, id, _))] = &slots[..] else { panic!("{slots:?}") };
    assert_eq!((host.as_str(), *port, id.len()), ("127.0.0.1", port_of(&node, "redirect-listen"), 40));
}

#[test]
fn the_redirect_port_has_redis_clusters_rules_and_the_main_port_has_not() {
    let node = TestNode::start();
    let (mut main, mut redirecting) = (node.connect(), redirecting(&node));
    assert_eq!(words("MSET a 1 b 2").query(&mut main), Ok("OK".to_owned()));
    let refused = words("MGET a b").query::<Vec<String>>(&mut redirecting).unwrap_err();
    assert_eq!(refused.code(), Some("CROSSSLOT"));
    assert_eq!(words("GET b").query(&mut redirecting), Ok("2".to_owned()));
    assert!(words("SELECT 1").query::<()>(&mut redirecting).is_err());
    let mode = |connection: &mut redis::Connection| {
        let info: String = words("INFO server").query(connection).unwrap();
        info.lines().find_map(|line| line.strip_prefix("redis_mode:").map(str::to_owned))
    };
    assert_eq!((mode(&mut main).as_deref(), mode(&mut redirecting).as_deref()), (Some("standalone"), Some("cluster")));
}

#[test]
fn the_admin_port_answers_programs_and_people() {
    let node = TestNode::start();
    words("SET k v").exec(&mut node.connect()).unwrap();
    let port = port_of(&node, "admin-listen");
    assert!(get(port, "/livez").starts_with("HTTP/1.1 200 OK"));
    assert!(get(port, "/readyz").ends_with("ready\n"));
    let metrics = get(port, "/metrics");
    for line in [
        "rondache_commands_total{command=\"set\"} 1",
        "rondache_keys 1",
        "rondache_keys_copied 0",
        "rondache_gossip_refuted_deaths_total 0",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|known| known == line), "no {line} in {metrics}");
    }
    let cluster = get(port, "/cluster");
    assert!(cluster.contains("application/json") && cluster.contains("\"slots_owned\":16384"), "{cluster}");
    assert!(get(port, "/nothing").starts_with("HTTP/1.1 404"));
    assert!(http(port, "POST /livez HTTP/1.1\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 405"));
}

#[test]
fn a_head_without_end_costs_little() {
    let node = TestNode::start();
    let port = port_of(&node, "admin-listen");
    let answer = http(port, &format!("GET /livez HTTP/1.1\r\nx: {}", "y".repeat(1 << 20)));
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(get(port, "/livez").starts_with("HTTP/1.1 200"));
}

#[test]
fn status_shows_the_members() {
    let node = TestNode::start_with(&["--node-name", "shield", "--cluster-name", "tests", "--requirepass", "secret"]);
    let output = tool(&node, "status", &["--password", "secret"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.starts_with("cluster tests: 1 member"), "{output:?}");
    assert!(text.contains(&format!("*  shield  127.0.0.1:{}", node.port)) && text.contains("100.0 %"), "{text}");
    let refused = tool(&node, "status", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("NOAUTH"), "{refused:?}");
}

#[test]
fn a_weight_is_changed_by_a_tool() {
    let node = TestNode::start();
    assert!(tool(&node, "weight", &["0.25"]).status.success());
    assert_eq!(String::from_utf8_lossy(&tool(&node, "weight", &[]).stdout), "0.25\n");
    let refused = tool(&node, "weight", &["heavy"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("must be a decimal number"), "{refused:?}");
}

#[test]
fn a_node_that_is_alone_does_not_leave() {
    let node = TestNode::start();
    let output = tool(&node, "leave", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("this node is alone"), "{output:?}");
}

#[test]
fn a_tool_tells_that_there_is_no_node() {
    let mut node = TestNode::start();
    // Only root can listen on it, and nobody runs the service that it is for (tcpmux).
    node.port = 1;
    let output = tool(&node, "status", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Connection refused"), "{output:?}");
}

#[test]
fn a_secret_is_not_shown_in_the_slow_log() {
    let node = TestNode::start_with(&["--slowlog-log-slower-than", "0"]);
    let mut connection = node.connect();
    assert!(words("CONFIG SET cluster-secret hush").query::<()>(&mut connection).is_err(), "it is fixed at the start");
    let log: redis::Value = words("SLOWLOG GET").query(&mut connection).unwrap();
    assert!(!format!("{log:?}").contains("hush"), "{log:?}");
}
