//! Nodes as processes of their own.

use std::{
    fs::File,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::ports::{self, ADMIN_OFFSET, REDIRECT_OFFSET};

/// How long a node may take to be ready, to leave, or to come to agree with the others: seconds, unless it is unoptimised
/// and shares its processors with clients that never rest.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);

/// A node in a process of its own; killed when the value goes.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    addr: SocketAddr,
    log: PathBuf,
}

/// The `rondache` binary: what `TEST_NODE_BINARY` names, or the one built beside this program.
///
/// # Panics
/// There is none: `cargo build` makes it.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TEST_NODE_BINARY") {
        return path.into();
    }
    let own = std::env::current_exe().expect("a running program has a path");
    let found = own.ancestors().skip(1).take(2).map(|dir| dir.join("rondache")).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("no `rondache` beside {}: run `cargo build` in the same profile first", own.display())
    })
}

impl NodeProcess {
    /// Starts a node on free ports. Its log goes to a file, whose end is printed if a wait for it fails.
    ///
    /// # Panics
    /// The process can't be started.
    #[must_use]
    pub fn start(arguments: &[String]) -> Self {
        Self::start_on(ports::free(), arguments)
    }

    /// As [`NodeProcess::start`], on that port and its companions.
    ///
    /// # Panics
    /// The process can't be started.
    #[must_use]
    pub fn start_on(port: u16, arguments: &[String]) -> Self {
        Self::start_with(Command::new(binary()), SocketAddr::from((Ipv4Addr::LOCALHOST, port)), arguments)
    }

    /// As [`NodeProcess::start`], at that address and its companions, by a command that comes to run the binary in the
    /// same process.
    ///
    /// # Panics
    /// The process can't be started.
    #[must_use]
    pub fn start_with(command: Command, addr: SocketAddr, arguments: &[String]) -> Self {
        let name = format!("rondache-{}-{addr}.log", std::process::id());
        let log = std::env::temp_dir().join(name);
        Self { child: spawn(command, addr, arguments, &log), addr, log }
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where clients connect that follow redirects.
    #[must_use]
    pub fn redirect_addr(&self) -> SocketAddr {
        SocketAddr::new(self.addr.ip(), self.addr.port() + REDIRECT_OFFSET)
    }

    /// The client port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The CPU time that the process has used so far, user and system.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        cpu_time_of(self.child.id())
    }

    /// Ends the process as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Freezes the process (SIGSTOP): its sockets stay open and silent.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks the process to end in order (SIGTERM).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the process's end, for [`SETTLE_TIMEOUT`] at most.
    ///
    /// # Panics
    /// It does not end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SETTLE_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child process") {
                return status;
            }
            assert!(Instant::now() < deadline, "the node does not end; its log ends so:\n{}", self.log_tail());
            pause();
        }
    }

    /// Asks the admin port; the status code and the body.
    ///
    /// # Errors
    /// It doesn't answer.
    pub fn admin(&self, path: &str) -> io::Result<(u16, String)> {
        let addr = SocketAddr::new(self.addr.ip(), self.addr.port() + ADMIN_OFFSET);
        let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(bad)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
        Ok((status, body.to_owned()))
    }

    /// Waits until the node says that it serves its share (`/readyz`).
    ///
    /// # Panics
    /// It does not, or has ended.
    pub fn wait_ready(&mut self) {
        self.wait_until("is ready", |node| matches!(node.admin("/readyz"), Ok((200, _))));
    }

    /// Waits until `holds`, asking again and again.
    ///
    /// # Panics
    /// It does not come to hold within [`SETTLE_TIMEOUT`], or the node has ended.
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + SETTLE_TIMEOUT;
        while !holds(self) {
            if let Some(status) = self.child.try_wait().expect("a child process") {
                panic!("the node ended ({status}) before it {what}; its log ends so:\n{}", self.log_tail());
            }
            assert!(Instant::now() < deadline, "no node that {what}; its log ends so:\n{}", self.log_tail());
            pause();
        }
    }

    /// Waits until the node is ready, sees `live` living members, and nothing moves any more.
    ///
    /// # Panics
    /// It does not come to that, or has ended.
    pub fn wait_settled(&mut self, live: usize) {
        self.wait_until("has settled", |node| node.settled_slots(live).is_some());
    }

    /// Who holds which slots, in this node's eyes, if it has settled; see [`NodeProcess::wait_settled`].
    fn settled_slots(&self, live: usize) -> Option<serde_json::Value> {
        let Ok((200, body)) = self.admin("/cluster") else { return None };
        let mut status: serde_json::Value = serde_json::from_str(&body).ok()?;
        let is_settled = status["settled"] == true && status["live_members"] == live;
        (is_settled && matches!(self.admin("/readyz"), Ok((200, _)))).then(|| status["ranges"].take())
    }

    /// Whether the process has not ended.
    ///
    /// # Panics
    /// The system has lost the process.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child process").is_none()
    }

    /// The last lines that the node logged.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // A process that has ended needs no signal.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.thaw();
        self.kill();
        if !std::thread::panicking() {
            // The log of a node that nobody complains of.
            let _ = std::fs::remove_file(&self.log);
        }
    }
}

/// Waits until all nodes have settled and see the same nodes at the same slots.
///
/// # Panics
/// They do not come to that, or one has ended.
pub fn wait_agreed(nodes: &mut [NodeProcess]) {
    let live = nodes.len();
    let Some((first, others)) = nodes.split_first_mut() else { return };
    first.wait_until("agrees with the others", |first| {
        let slots = first.settled_slots(live);
        slots.is_some() && others.iter().all(|other| other.settled_slots(live) == slots)
    });
}

fn spawn(mut command: Command, addr: SocketAddr, arguments: &[String], log: &Path) -> Child {
    let file = File::options().create(true).append(true).open(log).expect("the temporary directory is writable");
    command
        .args(["--listen", &addr.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .expect("the binary starts")
}

/// The CPU time that a process has used so far, user and system.
#[must_use]
pub fn cpu_time_of(pid: u32) -> Duration {
    /// `_SC_CLK_TCK` on every Linux there is.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    // The name in parentheses may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// Between two looks at another process, which can't be awaited.
pub(crate) fn pause() {
    std::thread::park_timeout(Duration::from_millis(10));
}

/// Several nodes that form one cache.
#[derive(Debug)]
pub struct ClusterProcess {
    /// The nodes, in the order of their start. A killed one stays in the list.
    pub nodes: Vec<NodeProcess>,
    arguments: Vec<String>,
}

impl ClusterProcess {
    /// Starts `count` nodes with the same further arguments and waits until they have formed one cluster.
    ///
    /// # Panics
    /// They don't.
    #[must_use]
    pub fn start(count: usize, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut cluster = Self { nodes: Vec::new(), arguments };
        for _ in 0..count {
            cluster.add();
        }
        cluster.wait_settled(count);
        cluster
    }

    /// Starts one more node, which joins the others, and does not wait for it.
    pub fn add(&mut self) -> &mut NodeProcess {
        self.add_with(&[])
    }

    /// As [`ClusterProcess::add`], with further arguments of its own.
    pub fn add_with(&mut self, own: &[&str]) -> &mut NodeProcess {
        let mut arguments = self.joining(self.nodes.len());
        arguments.extend(own.iter().map(|&argument| argument.to_owned()));
        let at = self.nodes.len();
        self.nodes.push(NodeProcess::start(&arguments));
        &mut self.nodes[at]
    }

    /// One more node joins, has its share, and leaves in order.
    ///
    /// # Panics
    /// It does not, or the others do not settle behind it.
    pub fn join_and_leave(&mut self) {
        let others = self.nodes.len();
        self.add();
        self.wait_settled(others + 1);
        self.nodes[others].terminate();
        self.nodes[others].wait();
        self.wait_settled(others);
    }

    /// Starts a node again that has ended, at the same address and so under the same name. It joins the others as a new
    /// one; nobody waits for it here.
    ///
    /// # Panics
    /// The process can't be started.
    pub fn restart(&mut self, at: usize) {
        let arguments = self.joining(at);
        let addr = self.nodes[at].addr();
        self.nodes[at].child = spawn(Command::new(binary()), addr, &arguments, &self.nodes[at].log);
    }

    /// The arguments of the node at that place, which joins all others.
    fn joining(&self, at: usize) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        let others = self.nodes.iter().enumerate().filter(|(other, _)| *other != at);
        let seeds: Vec<_> = others.map(|(_, node)| node.addr().to_string()).collect();
        if !seeds.is_empty() {
            arguments.extend(["--join".to_owned(), seeds.join(",")]);
        }
        arguments
    }

    /// Waits until every living node is ready, sees `live` living members, and nothing moves any more.
    ///
    /// # Panics
    /// It does not come to that.
    pub fn wait_settled(&mut self, live: usize) {
        for node in &mut self.nodes {
            if node.is_running() {
                node.wait_settled(live);
            }
        }
    }

    /// Where the clients of some of the nodes connect.
    #[must_use]
    pub fn addrs(&self, nodes: &[usize]) -> Vec<SocketAddr> {
        nodes.iter().map(|&node| self.nodes[node].addr()).collect()
    }
}
