//! Starts servers on free loopback ports with persistence off.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::error::{BenchError, Context, Result};
use crate::net::{Client, Value};
use crate::proc::affinity::{Placement, pin_current_thread};
use crate::proc::{guard, usage};

const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Names that are looked for on PATH.
const KNOWN_SERVERS: [&str; 4] = ["valkey-server", "redis-server", "keydb-server", "dragonfly"];

/// Which command-line dialect a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// This project's own.
    Rondache,
    /// redis-server and its forks.
    Redis,
    /// The command line is complete; `{port}` in it stands for the port.
    Verbatim,
}

/// A server that can be started: `NAME=COMMAND [ARGUMENT …]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// The name in reports.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments as given; more are added by dialect.
    pub arguments: Vec<String>,
    /// How the port and the quiet settings are told.
    pub dialect: Dialect,
    /// Worker threads, for servers that can be told.
    pub threads: usize,
}

impl FromStr for ServerSpec {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, line) = text.split_once('=').ok_or("expected NAME=COMMAND_LINE")?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let program = words.next().ok_or("the command line is empty")?;
        Ok(Self::new(name, program.into(), words.collect()))
    }
}

impl ServerSpec {
    /// A server by program; the dialect follows from the program's name and the arguments.
    pub fn new(name: &str, program: PathBuf, arguments: Vec<String>) -> Self {
        let file = program.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
        let dialect = if arguments.iter().any(|argument| argument.contains("{port}")) {
            Dialect::Verbatim
        } else if file.starts_with("rondache") {
            Dialect::Rondache
        } else {
            Dialect::Redis
        };
        Self { name: name.to_owned(), program, arguments, dialect, threads: 1 }
    }

    /// The RESP servers found on PATH, under their own names.
    pub fn on_path() -> Vec<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        KNOWN_SERVERS
            .iter()
            .filter_map(|name| {
                let program = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())?;
                let mut spec = Self::new(name.trim_end_matches("-server"), program, Vec::new());
                if *name == "dragonfly" {
                    spec.arguments = ["--bind=127.0.0.1", "--port={port}", "--proactor_threads=1", "--dbfilename="]
                        .map(str::to_owned)
                        .to_vec();
                    spec.dialect = Dialect::Verbatim;
                }
                Some(spec)
            })
            .collect()
    }

    /// The same server with further arguments.
    pub fn with_arguments(&self, arguments: &[String]) -> Self {
        let mut spec = self.clone();
        spec.arguments.extend_from_slice(arguments);
        spec
    }

    fn full_arguments(&self, port: u16) -> Vec<String> {
        let threads = self.threads.to_string();
        let listen = format!("127.0.0.1:{port}");
        let port = port.to_string();
        let own: Vec<&str> = match self.dialect {
            Dialect::Verbatim => {
                return self.arguments.iter().map(|argument| argument.replace("{port}", &port)).collect();
            }
            Dialect::Rondache => self.rondache_arguments(&listen, &threads),
            Dialect::Redis => vec![
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--appendonly",
                "no",
                "--io-threads",
                &threads,
                "--daemonize",
                "no",
            ],
        };
        own.into_iter().map(str::to_owned).chain(self.arguments.iter().cloned()).collect()
    }

    /// The ports beside the main one are of the system's choice unless somebody chose them: those that a node would take
    /// by default follow from the main port, and may be taken.
    fn rondache_arguments<'a>(&self, listen: &'a str, threads: &'a str) -> Vec<&'a str> {
        let mut arguments = vec!["--listen", listen, "--threads", threads];
        for flag in ["--redirect-listen", "--admin-listen", "--bus-listen"] {
            let is_chosen = |argument: &String| argument.split('=').next() == Some(flag);
            if !self.arguments.iter().any(is_chosen) {
                arguments.extend([flag, "127.0.0.1:0"]);
            }
        }
        arguments
    }
}

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    /// What was started.
    pub spec: ServerSpec,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its process.
    pub pid: u32,
}

impl Drop for Server {
    fn drop(&mut self) {
        guard::end(self.pid);
    }
}

impl Server {
    /// Starts `spec` on the placement's server cores and waits until it answers PING; the calling thread ends up on the
    /// generator's cores.
    ///
    /// # Errors
    /// [`BenchError::Server`] when it does not start, ends early or stays silent.
    pub fn start(spec: &ServerSpec, placement: &Placement) -> Result<Self> {
        Self::start_at(spec, placement, free_address()?)
    }

    /// As [`Server::start`], where the server is to listen, or is known to.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_at(spec: &ServerSpec, placement: &Placement, addr: SocketAddr) -> Result<Self> {
        pin_current_thread(&placement.server)?;
        let spawned = spawn(spec, addr.port());
        pin_current_thread(&placement.generator)?;
        let server = Self { spec: spec.clone(), addr, pid: spawned? };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&self) -> Result<()> {
        let start = Instant::now();
        let failed = |reason: String| BenchError::Server { name: self.spec.name.clone(), reason };
        while start.elapsed() < START_TIMEOUT {
            if !guard::is_running(self.pid) {
                return Err(failed(format!(
                    "{} ended at once; run it by hand to see why",
                    self.spec.program.display()
                )));
            }
            if let Ok(mut client) = Client::connect(self.addr) {
                match client.call(&["PING"]) {
                    Ok(Value::Error(reply)) if !reply.starts_with("LOADING") => {
                        return Err(failed(reply));
                    }
                    Ok(Value::Text(_)) => return Ok(()),
                    _ => {}
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(failed(format!("no answer within {} s", START_TIMEOUT.as_secs())))
    }

    /// A housekeeping connection.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub fn client(&self) -> Result<Client> {
        Client::connect(self.addr)
    }

    /// CPU time used so far, in nanoseconds.
    ///
    /// # Errors
    /// As [`usage::cpu_ns`].
    pub fn cpu_ns(&self) -> Result<u64> {
        usage::cpu_ns(self.pid)
    }
}

fn spawn(spec: &ServerSpec, port: u16) -> Result<u32> {
    let child = Command::new(&spec.program)
        .args(spec.full_arguments(port))
        // Away from the user's directory, so that no server picks up or leaves files there.
        .current_dir(working_directory(&spec.program))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(child) => Ok(guard::register(child)),
        Err(error) => Err(BenchError::Server {
            name: spec.name.clone(),
            reason: format!("{} does not start: {error}", spec.program.display()),
        }),
    }
}

/// The system's temporary directory, unless the program is given by a relative path, which is resolved from here.
fn working_directory(program: &Path) -> PathBuf {
    let relative_path = program.is_relative() && program.components().count() > 1;
    if relative_path { PathBuf::from(".") } else { std::env::temp_dir() }
}

/// A loopback address that nobody listens on now.
///
/// # Errors
/// The system's error.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(|| "looking for a free port".into())?;
    listener.local_addr().context(|| "looking for a free port".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_follows_from_program_and_arguments() {
        let dialect = |text: &str| text.parse::<ServerSpec>().map(|spec| spec.dialect);
        assert_eq!(dialect("a=target/release/rondache"), Ok(Dialect::Rondache));
        assert_eq!(dialect("valkey=/opt/valkey-server --maxmemory 1gb"), Ok(Dialect::Redis));
        assert_eq!(dialect("x=some-server -p {port}"), Ok(Dialect::Verbatim));
        assert!(dialect("nothing").is_err());
        assert!(dialect("name=").is_err());
    }

    #[test]
    fn redis_servers_are_started_without_persistence() {
        let spec: ServerSpec = "v=valkey-server --maxmemory 1gb".parse().expect("well formed");
        let arguments = spec.full_arguments(7000).join(" ");
        assert!(arguments.contains("--port 7000 --save  --appendonly no"), "{arguments}");
        assert!(arguments.ends_with("--maxmemory 1gb"));
    }

    #[test]
    fn ports_that_nobody_chose_are_of_the_systems_choice() {
        let spec: ServerSpec = "r=rondache --bus-listen 127.0.0.1:7".parse().expect("well formed");
        let arguments = spec.full_arguments(7000).join(" ");
        assert!(arguments.contains("--redirect-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0"), "{arguments}");
        assert!(arguments.ends_with("--bus-listen 127.0.0.1:7") && !arguments.contains("--bus-listen 127.0.0.1:0"));
    }

    #[test]
    fn a_program_that_does_not_exist_is_told() {
        let spec: ServerSpec = "x=/nonexistent/valkey-server".parse().expect("well formed");
        let error = Server::start(&spec, &Placement::unpinned()).expect_err("cannot start");
        assert!(error.to_string().contains("does not start"), "{error}");
    }
}
