//! Several nodes in this process that know each other, without the machinery that decides who owns what.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use rondache_protocol::slot::{SLOTS, slot_of};
use rondache_server::{
    cluster::{
        forward::dial::PlainDial,
        member::Addrs,
        routing::{Peer, PeerIndex, Route},
    },
    config::settings::Settings,
    node::{Node, start::RunningNode},
};

/// Long enough for a busy machine, and an end for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of a node whose TTLs are what was asked for, with every port of the system's choice: those that follow
/// from the main one may be taken.
pub(crate) fn settings() -> Settings {
    let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let mut settings = Settings { threads: 2, ttl_jitter_percent: 0, ..Settings::default() };
    settings.cluster.redirect_listen.clone_from(&listen);
    settings.cluster.admin_listen.clone_from(&listen);
    settings.cluster.bus_listen.clone_from(&listen);
    settings.listen = listen;
    settings
}

/// Nodes that route each other's requests.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<RunningNode>,
}

impl Cluster {
    /// Starts nodes that share the slots evenly: the first slots are the first node's.
    pub(crate) fn start(count: usize) -> Self {
        Self::start_with(count, |_| {})
    }

    /// As [`Cluster::start`], with other settings than the default.
    pub(crate) fn start_with(count: usize, change: impl Fn(&mut Settings)) -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..count {
            let mut settings = settings();
            change(&mut settings);
            let node = Node::start(settings).expect("loopback has ports");
            // To the buses below, which know nothing of handshakes.
            node.node().cluster.forwarding.set_dialler(Arc::new(PlainDial));
            let bus = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
            buses.push(bus.local_addr().expect("a bound socket"));
            let workers = node.workers().clone();
            thread::spawn(move || {
                for stream in bus.incoming().map_while(Result::ok) {
                    workers.serve_peer(stream);
                }
            });
            nodes.push(node);
        }
        let cluster = Self { nodes };
        for at in 0..count {
            for other in (0..count).filter(|other| *other != at) {
                let index = cluster.routing(at).put_peer(cluster.peer(other, buses[other]));
                assert_eq!(index, Some(cluster.index(at, other)));
            }
            cluster.routing(at).set_clustered(true);
        }
        for slot in 0..SLOTS {
            cluster.assign(slot, cluster.first_owner(slot));
        }
        cluster
    }

    /// Who owned a slot at the start.
    fn first_owner(&self, slot: u16) -> usize {
        usize::from(slot) * self.nodes.len() / usize::from(SLOTS)
    }

    fn routing(&self, at: usize) -> &rondache_server::cluster::routing::Routing {
        &self.nodes[at].node().cluster.routing
    }

    fn peer(&self, at: usize, bus: SocketAddr) -> Peer {
        let client = self.nodes[at].addr();
        let addrs = Addrs { client, redirect: client, bus, admin: client };
        Peer { identity: self.nodes[at].node().cluster.identity, addrs, is_dead: false }
    }

    /// Under which index a node knows another.
    fn index(&self, at: usize, other: usize) -> PeerIndex {
        PeerIndex(if other < at { other } else { other - 1 } as u16)
    }

    /// Makes a node the owner of a slot, in the eyes of all.
    pub(crate) fn assign(&self, slot: u16, owner: usize) {
        for at in 0..self.nodes.len() {
            self.tell(at, slot, owner);
        }
    }

    /// Tells one node who owns a slot.
    pub(crate) fn tell(&self, at: usize, slot: u16, owner: usize) {
        let route = if at == owner { Route::Mine } else { Route::Peer(self.index(at, owner)) };
        self.set(at, slot, route);
    }

    /// Sets a node's route of a slot.
    pub(crate) fn set(&self, at: usize, slot: u16, route: Route) {
        self.routing(at).set(slot, route, false);
        self.routing(at).publish();
    }

    /// Waits until a command waits for its keys at a node.
    pub(crate) fn wait_for_blocked(&self, at: usize) {
        while self.nodes[at].node().blocked.is_empty() {
            thread::yield_now();
        }
    }

    /// A connection to a node.
    pub(crate) fn connect(&self, at: usize) -> Client {
        Client::connect(self.nodes[at].addr())
    }

    /// A key of a slot that a node owns; the number tells such keys apart.
    pub(crate) fn key_of(&self, owner: usize, number: usize) -> String {
        let owns = |key: &String| self.first_owner(slot_of(key.as_bytes())) == owner;
        (0..).map(|index| format!("key:{index}")).filter(owns).nth(number).expect("there are enough keys")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.iter().for_each(RunningNode::shutdown);
    }
}

/// A client that speaks in lines of words and reads raw replies.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    /// A connection to that address.
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("the node accepts connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("an option");
        Self { stream }
    }

    /// Sends commands of words between blanks, all at once.
    pub(crate) fn send(&mut self, lines: &[&str]) {
        let mut bytes = Vec::new();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            words.iter().for_each(|word| bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes()));
        }
        self.stream.write_all(&bytes).expect("the node reads");
    }

    /// Reads exactly these bytes.
    pub(crate) fn expect(&mut self, expected: &str) {
        let mut got = vec![0; expected.len()];
        let mut len = 0;
        while len < got.len() {
            match self.stream.read(&mut got[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) => {
                    panic!("{error} after {:?}, waiting for {expected:?}", got[..len].escape_ascii().to_string())
                }
            }
        }
        assert_eq!(got[..len].escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
    }

    /// Sends one command and reads this reply.
    pub(crate) fn call(&mut self, line: &str, expected: &str) {
        self.send(&[line]);
        self.expect(expected);
    }

    /// Sends one command and reads its reply's first line.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(&[line]);
        self.line()
    }

    /// Reads a line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a line");
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
}
