//! redis-cli in the modes that people use.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use super::{programs, support::TestNode};

/// redis-cli, and a node for it.
struct Cli {
    program: std::path::PathBuf,
    node: TestNode,
}

impl Cli {
    /// `None` means that the test is skipped.
    fn start() -> Option<Self> {
        programs::find("redis-cli").map(|program| Self { program, node: TestNode::start() })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-h", "127.0.0.1", "-p", &self.node.port.to_string()]).args(args);
        command
    }

    /// What it prints, given `input`; it must end with success.
    fn output(&self, args: &[&str], input: &[u8]) -> String {
        let output = programs::run(&mut self.command(args), input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Keys of every type.
    fn fill(&self) {
        let commands = "SET string:1 value\nRPUSH list:1 a b c\nSADD set:1 a b\nHSET hash:1 f v\nZADD zset:1 1 a 2 b\n";
        let replies = self.output(&[], commands.as_bytes());
        assert_eq!(replies, "OK\n3\n2\n1\n2\n");
    }
}

#[test]
fn it_runs_commands_in_both_protocols() {
    let Some(cli) = Cli::start() else { return };
    assert_eq!(cli.output(&["SET", "k", "v"], b""), "OK\n");
    for protocol in ["-2", "-3"] {
        assert_eq!(cli.output(&[protocol, "GET", "k"], b""), "v\n");
    }
    cli.output(&["HSET", "h", "f", "1"], b"");
    assert_eq!(cli.output(&["-3", "--json", "HGETALL", "h"], b""), "{\"f\":\"1\"}\n");
    assert_eq!(cli.output(&["-n", "5", "GET", "k"], b""), "\n");
    assert_eq!(cli.output(&["-x", "SET", "k"], b"from standard input"), "OK\n");
    assert_eq!(cli.output(&["--no-raw", "GET", "k"], b""), "\"from standard input\"\n");
}

#[test]
fn its_exit_code_tells_an_error_where_it_is_asked_to() {
    let Some(cli) = Cli::start() else { return };
    let output = programs::run(&mut cli.command(&["-e", "NONSENSE"]), b"");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("ERR unknown command 'NONSENSE'"), "{errors}");
}

#[test]
fn it_scans_for_a_pattern() {
    let Some(cli) = Cli::start() else { return };
    cli.fill();
    assert_eq!(cli.output(&["--scan", "--pattern", "list:*"], b""), "list:1\n");
    assert_eq!(cli.output(&["--scan"], b"").lines().count(), 5);
}

#[test]
fn it_finds_the_biggest_keys_of_each_type() {
    let Some(cli) = Cli::start() else { return };
    cli.fill();
    let big = cli.output(&["--bigkeys"], b"");
    for found in ["Biggest   list found '\"list:1\"' has 3 items", "Biggest   hash found '\"hash:1\"' has 1 fields"] {
        assert!(big.contains(found), "no {found:?} in {big}");
    }
    let costly = cli.output(&["--memkeys"], b"");
    assert!(costly.contains("Biggest string found '\"string:1\"' has "), "{costly}");
}

#[test]
fn it_shows_a_line_of_statistics_each_second() {
    let Some(cli) = Cli::start() else { return };
    cli.fill();
    let mut child = cli.command(&["--stat", "-i", "0.01"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
    let lines: Vec<String> = lines.map_while(Result::ok).take(4).collect();
    child.kill().and_then(|()| child.wait()).expect("it runs until it is killed");
    assert!(lines[1].starts_with("keys       mem      clients"), "{lines:?}");
    assert_eq!(lines[2].split_whitespace().next(), Some("5"), "{lines:?}");
}

#[test]
fn it_inserts_a_mass_of_commands() {
    let Some(cli) = Cli::start() else { return };
    let mut commands = Vec::new();
    for number in 0..20_000 {
        let (key, value) = (format!("key:{number}"), "v".repeat(number % 100));
        let set = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len());
        commands.extend_from_slice(set.as_bytes());
    }
    let report = cli.output(&["--pipe"], &commands);
    assert!(report.contains("errors: 0, replies: 20000"), "{report}");
    assert_eq!(cli.output(&["DBSIZE"], b""), "20000\n");
}

#[test]
fn it_measures_latency() {
    let Some(cli) = Cli::start() else { return };
    // Four numbers: least, most, average, samples.
    let line = cli.output(&["--raw", "--latency", "-i", "0.05"], b"");
    assert_eq!(line.split_whitespace().count(), 4, "{line}");
}

#[test]
fn it_monitors() {
    let Some(cli) = Cli::start() else { return };
    let mut child = cli.command(&["MONITOR"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("of text"), "OK");
    cli.output(&["SET", "seen", "a \"b\""], b"");
    let line = lines.map_while(Result::ok).find(|line| line.contains("seen")).expect("the command is shown");
    child.kill().and_then(|()| child.wait()).expect("it runs until it is killed");
    assert!(line.ends_with("\"SET\" \"seen\" \"a \\\"b\\\"\""), "{line}");
}

#[test]
fn its_hints_find_the_commands_documentation() {
    let Some(cli) = Cli::start() else { return };
    // What it loads when it starts interactively.
    let docs = cli.output(&["-3", "--json", "COMMAND", "DOCS", "get"], b"");
    assert!(docs.contains("\"summary\"") && docs.contains("\"group\":\"string\""), "{docs}");
    assert!(cli.output(&["COMMAND", "DOCS"], b"").lines().any(|line| line == "zadd"));
    let help = cli.output(&["HELP", "GET"], b"");
    assert!(!help.is_empty());
}

/// The port where the node redirects cluster clients.
fn redirect_port(cli: &Cli) -> String {
    let addr = cli.output(&["CONFIG", "GET", "redirect-listen"], b"");
    addr.trim_end().rsplit(':').next().unwrap_or_default().to_owned()
}

#[test]
fn it_follows_the_cluster_on_either_port() {
    let Some(cli) = Cli::start() else { return };
    for port in [cli.node.port.to_string(), redirect_port(&cli)] {
        assert_eq!(cli.output(&["-c", "-p", &port, "SET", "k", "v"], b""), "OK\n");
        assert_eq!(cli.output(&["-c", "-p", &port, "GET", "k"], b""), "v\n");
    }
}

#[test]
fn it_finds_the_cluster_in_order() {
    let Some(cli) = Cli::start() else { return };
    cli.fill();
    for port in [cli.node.port.to_string(), redirect_port(&cli)] {
        let mut command = Command::new(&cli.program);
        command.args(["--cluster", "check", &format!("127.0.0.1:{port}")]);
        let output = programs::run(&mut command, b"");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("[OK] All 16384 slots covered") && text.contains("[OK] All nodes agree"), "{text}");
    }
}
