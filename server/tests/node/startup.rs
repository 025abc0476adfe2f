//! How a node starts, refuses to start, and ends.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use super::support::{ANY_PORTS, logged_port};

fn rondache(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rondache"));
    command.args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    rondache(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A node on a port of the system's choice, and its log lines.
struct Started {
    process: Child,
    log: BufReader<std::process::ChildStderr>,
    port: u16,
}

impl Started {
    fn new(args: &[&str]) -> Self {
        let mut process = rondache(args).args(ANY_PORTS).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut lines = String::new();
        while logged_port(&lines).is_none() {
            assert_ne!(log.read_line(&mut lines).unwrap(), 0, "the node ended at its start: {lines}");
        }
        Self { process, log, port: logged_port(&lines).unwrap() }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    fn wait(mut self) -> ExitStatus {
        // Read to its end, lest the node wait for room to log.
        let mut rest = String::new();
        let _ = self.log.read_to_string(&mut rest);
        self.process.wait().unwrap()
    }
}

fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn an_unknown_flag_suggests_the_near_one() {
    let output = run(&["--ttl-jiter", "5"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--ttl-jitter"), "{}", stderr(&output));
}

#[test]
fn an_unreadable_flag_says_what_is_expected() {
    let output = run(&["--ttl-jitter", "lots"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "rondache: --ttl-jitter: argument couldn't be parsed into an integer (expected an integer from 0 to 100, got \
         'lots')\n"
    );
}

#[test]
fn a_bad_file_is_told_with_line_and_key() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"timeout = 5\nmaxmemry = \"1gb\"\n").unwrap();
    let output = run(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let expected =
        format!("rondache: {}:2: maxmemry: unknown parameter (did you mean 'maxmemory'?)\n", file.path().display());
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let output = run(&["--config", "/nowhere/node.toml"]);
    assert_eq!(stderr(&output), "rondache: /nowhere/node.toml: No such file or directory (os error 2)\n");
}

#[test]
fn an_address_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &addr]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("cannot listen on {addr}: Address already in use")));
}

#[test]
fn a_mistake_that_cannot_be_told_on_a_full_disk_still_shows_in_the_exit_code() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let code = |args: &[&str]| rondache(args).stdout(full()).stderr(full()).status().unwrap().code();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(code(&["--ttl-jiter", "5"]), Some(2));
    assert_eq!(code(&["--config", "/nowhere/node.toml"]), Some(2));
    assert_eq!(code(&["--listen", &taken.local_addr().unwrap().to_string()]), Some(1));
}

#[test]
fn sigterm_ends_the_node_in_order() {
    let node = Started::new(&[]);
    let mut stream = node.connect();
    assert_eq!(ask(&mut stream, "PING\r\n"), "+PONG\r\n");
    node.signal("TERM");
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "the connection is closed");
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn sigterm_ends_a_node_whose_client_waits() {
    let node = Started::new(&[]);
    let mut stream = node.connect();
    stream.write_all(b"BLPOP nothing 0\r\n").unwrap();
    node.signal("INT");
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn shutdown_ends_the_node() {
    let node = Started::new(&[]);
    let mut stream = node.connect();
    assert_eq!(ask(&mut stream, "SHUTDOWN NOSAVE\r\n"), "", "the connection is closed without a reply");
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn nothing_can_be_saved_at_a_shutdown() {
    let node = Started::new(&[]);
    let mut stream = node.connect();
    assert!(ask(&mut stream, "SHUTDOWN SAVE\r\n").starts_with("-ERR nothing is kept on disk"));
    assert!(ask(&mut stream, "SHUTDOWN ABORT\r\n").starts_with("-ERR No shutdown in progress"));
    node.signal("TERM");
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn log_lines_are_json_where_asked_for() {
    let mut node = Started::new(&["--log-format", "json"]);
    node.signal("TERM");
    let mut line = String::new();
    node.log.read_line(&mut line).unwrap();
    assert!(line.starts_with('{') && line.trim_end().ends_with('}'), "{line}");
    assert!(line.contains("\"level\":\"INFO\""), "{line}");
    assert_eq!(node.wait().code(), Some(0));
}

/// A demo whose first port is `port`; `None` where one of its ports is taken.
fn demo_on(port: u16) -> Option<(Child, String)> {
    let mut process =
        rondache(&["demo", "--nodes", "2", "--port", &port.to_string()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Ctrl-C") {
        if out.read_line(&mut text).unwrap() == 0 {
            process.wait().unwrap();
            return None;
        }
    }
    Some((process, text))
}

#[test]
fn a_demo_runs_several_nodes_until_it_is_interrupted() {
    // Below the range that the system hands out, and another in each run of the tests.
    let first = 20_000 + (std::process::id() % 500) as u16;
    let (port, (mut process, text)) =
        (first..).step_by(500).take(12).find_map(|port| Some((port, demo_on(port)?))).unwrap();
    assert!(text.starts_with(&format!("2 nodes on ports {port}, {}.", port + 1)), "{text}");
    for port in [port, port + 1] {
        assert_eq!(ask(&mut TcpStream::connect(("127.0.0.1", port)).unwrap(), "PING\r\n"), "+PONG\r\n");
    }
    let status = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(status.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_beside_the_main_one_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let any = "127.0.0.1:0";
    let output = run(&["--listen", any, "--bus-listen", any, "--admin-listen", any, "--redirect-listen", &addr]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("cannot listen on {addr} for cluster clients: Address already in use");
    assert!(
        stderr(&output).contains(&expected) && stderr(&output).contains("--redirect-listen"),
        "{}",
        stderr(&output)
    );
}
