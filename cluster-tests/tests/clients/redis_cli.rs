//! redis-cli in the modes that people use with a cluster.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use super::{
    programs,
    shared::{self, Lent},
};

/// redis-cli, and nodes for it.
struct Cli {
    program: PathBuf,
    cluster: Lent,
}

impl Cli {
    /// `None` means that the test is skipped.
    fn start() -> Option<Self> {
        programs::find("redis-cli").map(|program| Self { program, cluster: shared::cluster() })
    }

    fn run(&self, port: u16, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(&self.program);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(args);
        programs::run(&mut command, input.as_bytes())
    }

    /// What it prints; it must end with success.
    fn output(&self, port: u16, args: &[&str], input: &str) -> String {
        let output = self.run(port, args, input);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn main_ports(&self) -> Vec<u16> {
        self.cluster.nodes.iter().map(|node| node.port()).collect()
    }

    fn redirect_ports(&self) -> Vec<u16> {
        self.cluster.nodes.iter().map(|node| node.redirect_addr().port()).collect()
    }

    /// Sets `count` keys through the first node.
    fn fill(&self, count: usize) {
        let sets: String = (0..count).map(|number| format!("SET key:{number} {number}\n")).collect();
        let replies = self.output(self.main_ports()[0], &[], &sets);
        assert_eq!(replies, "OK\n".repeat(count));
    }
}

#[test]
fn it_reads_and_writes_every_key_through_any_main_port_without_redirects() {
    let Some(cli) = Cli::start() else { return };
    cli.fill(100);
    let gets: String = (0..100).map(|number| format!("GET key:{number}\n")).collect();
    let values: String = (0..100).map(|number| format!("{number}\n")).collect();
    for port in cli.main_ports() {
        assert_eq!(cli.output(port, &[], &gets), values);
        assert_eq!(cli.output(port, &["MGET", "key:1", "key:2", "key:3"], ""), "1\n2\n3\n");
    }
}

#[test]
fn it_follows_redirects_with_the_option_for_clusters() {
    let Some(cli) = Cli::start() else { return };
    cli.fill(30);
    let gets: String = (0..30).map(|number| format!("GET key:{number}\n")).collect();
    for port in cli.redirect_ports() {
        let followed = cli.output(port, &["-c"], &gets);
        for number in 0..30 {
            assert!(followed.lines().any(|line| line == number.to_string()), "no {number} in {followed}");
        }
        let refused = cli.output(port, &[], &gets);
        assert!(refused.contains("MOVED"), "{refused}");
    }
}

#[test]
fn it_finds_the_cluster_in_order_from_every_port() {
    let Some(cli) = Cli::start() else { return };
    cli.fill(50);
    for port in [cli.main_ports(), cli.redirect_ports()].concat() {
        let mut command = Command::new(&cli.program);
        command.args(["--cluster", "check", &format!("127.0.0.1:{port}")]);
        let output = programs::run(&mut command, b"");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("[OK] All nodes agree") && text.contains("[OK] All 16384 slots covered"), "{text}");
    }
    let mut command = Command::new(&cli.program);
    command.args(["--cluster", "info", &format!("127.0.0.1:{}", cli.redirect_ports()[0])]);
    let text = String::from_utf8_lossy(&programs::run(&mut command, b"").stdout).into_owned();
    assert!(text.contains("[OK] 50 keys in 3 masters"), "{text}");
}

#[test]
fn it_scans_every_key_and_finds_the_biggest_through_any_node() {
    let Some(cli) = Cli::start() else { return };
    cli.fill(300);
    cli.output(cli.main_ports()[0], &["RPUSH", "list", "a", "b", "c"], "");
    for port in cli.main_ports() {
        assert_eq!(cli.output(port, &["--scan"], "").lines().count(), 301);
        assert_eq!(cli.output(port, &["--scan", "--pattern", "key:29*"], "").lines().count(), 11);
        let big = cli.output(port, &["--bigkeys"], "");
        assert!(big.contains("Biggest   list found '\"list\"' has 3 items"), "{big}");
        assert!(big.contains("300 strings with"), "{big}");
        let costly = cli.output(port, &["--memkeys"], "");
        assert!(costly.contains("Sampled 301 keys"), "{costly}");
    }
}

#[test]
fn it_inserts_a_mass_of_commands_through_any_node() {
    let Some(cli) = Cli::start() else { return };
    for port in cli.main_ports() {
        let sets: String = (0..3000)
            .map(|number| {
                format!("*3\r\n$3\r\nSET\r\n${}\r\n{port}:{number}\r\n$1\r\nv\r\n", format!("{port}:{number}").len())
            })
            .collect();
        let report = cli.output(port, &["--pipe"], &sets);
        assert!(report.contains("errors: 0, replies: 3000"), "{report}");
    }
    assert_eq!(cli.output(cli.main_ports()[1], &["DBSIZE"], ""), "9000\n");
}
