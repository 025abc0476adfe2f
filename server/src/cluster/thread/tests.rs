//! Whole control planes over real sockets.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{net::UdpSocket, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Options, Started, bind,
    net::{GossipStats, Standing},
    seeds::Seed,
    start,
};
use crate::cluster::{
    member::{Health, MemberInfo, View},
    membership::{seal::Sealer, simulation::info, tuning::Tuning},
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Node {
    stats: Arc<GossipStats>,
    started: Started,
    shutdown: CancellationToken,
    me: MemberInfo,
    bus: SocketAddr,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Node {
    fn seed(&self) -> Seed {
        seed(self.bus)
    }

    async fn sees(&self, what: impl Fn(&View) -> bool) {
        let mut view = self.started.net.view.clone();
        let seen = timeout(PATIENCE, view.wait_for(|view| what(view))).await;
        assert!(seen.is_ok(), "{:?} sees {:#?}", self.me.identity, self.started.net.view());
    }

    async fn sees_live(&self, count: usize) {
        self.sees(|view| view.live().count() == count).await;
    }

    async fn cluster(&self) -> crate::cluster::bus::credentials::ClusterFacts {
        let mut joined = self.started.net.joined.clone();
        let joined = timeout(PATIENCE, joined.wait_for(Option::is_some)).await.expect("it joins in time");
        joined.expect("the thread runs").expect("it was waited for").facts
    }
}

fn seed(bus: SocketAddr) -> Seed {
    Seed { host: bus.ip().to_string(), client_port: 1, bus_port: bus.port() }
}

fn options(id: u128, secret: &str, shutdown: &CancellationToken) -> (Options, SocketAddr) {
    let sockets = bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let bus = sockets.addr().expect("a bound socket");
    let mut me = info(id, 1000 + id as u64);
    me.addrs.bus = bus;
    let options = Options {
        me,
        cluster_name: "shop".to_owned(),
        secret: secret.to_owned(),
        seeds: Vec::new(),
        tuning: Tuning { forget_after: Duration::from_secs(60), ..Tuning::default() },
        sockets,
        accepts: Arc::new(|_| true),
        on_stream: Arc::new(|_, _| {}),
        stats: Arc::default(),
        shutdown: shutdown.clone(),
    };
    (options, bus)
}

fn node(id: u128, secret: &str, seeds: &[Seed]) -> Node {
    let shutdown = CancellationToken::new();
    let (mut options, bus) = options(id, secret, &shutdown);
    options.seeds = seeds.to_vec();
    begin(options, &shutdown, bus)
}

fn begin(options: Options, shutdown: &CancellationToken, bus: SocketAddr) -> Node {
    let (me, stats) = (options.me.clone(), options.stats.clone());
    Node { started: start(options).expect("a thread"), shutdown: shutdown.clone(), me, bus, stats }
}

/// Ends the node's thread, and with it its sockets, as a crash does.
async fn crash(node: Node) {
    node.shutdown.cancel();
    timeout(PATIENCE, async {
        while !node.started.thread.is_finished() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it ends in time");
}

#[tokio::test]
async fn nodes_join_and_a_crash_is_noticed_at_once() {
    let first = node(1, "s", &[]);
    let others = [node(2, "s", &[first.seed()]), node(3, "s", &[first.seed()])];
    first.sees_live(3).await;
    for other in &others {
        other.sees_live(3).await;
        assert_eq!(other.cluster().await, first.cluster().await);
    }
    let [second, third] = others;
    let victim = third.me.identity;
    let crashed = std::time::Instant::now();
    crash(third).await;
    first.sees(|view| view.get(&victim).is_some_and(|member| member.health == Health::Dead)).await;
    second.sees(|view| !view.is_alive(&victim)).await;
    assert!(crashed.elapsed() < Duration::from_secs(5), "{:?}", crashed.elapsed());
}

#[tokio::test]
async fn a_fleet_that_starts_with_one_seed_list_forms_one_cluster() {
    let shutdown = CancellationToken::new();
    let prepared: Vec<_> = (1..=3).map(|id| options(id, "s", &shutdown)).collect();
    let seeds: Vec<Seed> = prepared.iter().map(|(_, bus)| seed(*bus)).collect();
    let mut nodes = Vec::new();
    for (mut options, bus) in prepared {
        options.seeds.clone_from(&seeds);
        nodes.push(begin(options, &shutdown, bus));
    }
    for node in &nodes {
        node.sees_live(3).await;
        assert_eq!(node.cluster().await, nodes[0].cluster().await);
    }
}

#[tokio::test]
async fn a_node_with_the_wrong_secret_stays_out_and_hurts_nobody() {
    let first = node(1, "s", &[]);
    let stranger = node(2, "wrong", &[first.seed()]);
    let second = node(3, "s", &[first.seed()]);
    first.sees_live(2).await;
    second.sees_live(2).await;
    assert_eq!(*stranger.started.net.joined.borrow(), None);
}

#[tokio::test]
async fn a_node_learns_from_others_whether_it_is_still_a_member() {
    let first = node(1, "s", &[]);
    assert_eq!(first.started.net.confirm_membership().await, Standing::Alone);
    let second = node(2, "s", &[first.seed()]);
    first.sees_live(2).await;
    second.sees_live(2).await;
    assert_eq!(first.started.net.confirm_membership().await, Standing::Member);
    // A second life of the first node: the earlier one is over.
    let shutdown = CancellationToken::new();
    let (mut options, bus) = options(1, "s", &shutdown);
    options.me.identity.generation += 1;
    options.seeds = vec![second.seed()];
    let reborn = begin(options, &shutdown, bus);
    second.sees(|view| view.is_alive(&reborn.me.identity)).await;
    assert_eq!(first.started.net.confirm_membership().await, Standing::Dead);
}

#[tokio::test]
async fn what_a_node_says_of_itself_and_its_departure_are_heard() {
    let first = node(1, "s", &[]);
    let second = node(2, "s", &[first.seed()]);
    first.sees_live(2).await;
    let id = second.me.identity.id;
    second.started.net.change(|info| info.is_leaving = true).await;
    first.sees(|view| view.members.get(&id).is_some_and(|member| member.info.is_leaving)).await;
    second.started.net.depart().await;
    first.sees(|view| !view.is_alive(&second.me.identity)).await;
}

#[tokio::test]
async fn forged_and_foreign_datagrams_are_dropped_and_counted() {
    let first = node(1, "s", &[]);
    let facts = first.cluster().await;
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let keys = rondache_protocol::bus::secret::ClusterKeys::new("shop", "wrong");
    let forged = Sealer::new(keys, facts.id).seal(b"you are dead");
    for datagram in [&b"garbage"[..], &forged, &[0; 3000]] {
        stranger.send_to(datagram, first.bus).await.expect("it is sent");
    }
    let refused = &first.stats.datagrams_refused;
    timeout(PATIENCE, async {
        while refused.load(std::sync::atomic::Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("they are counted");
    assert_eq!(first.started.net.view().members.len(), 1);
}
