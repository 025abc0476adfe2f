//! The handshake over real sockets: whoever is not welcome is refused in words, and hurts nobody.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rondache_protocol::bus::{
    hello::{HELLO_LEN_MAX, HelloError, Peer, Purpose, Refusal},
    identity::{ClusterId, Identity},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    control::{Answer, CONTROL_KIND, Control, Question, to_frame},
    credentials::{ClusterFacts, Credentials},
    dial::{DialError, HELLO_DEADLINE, ask, dial},
    listener::{BusListener, Inbound},
    quiet::Quiet,
};
use crate::cluster::{
    member::{Health, Member, MemberInfo, View},
    membership::{exchange::Exchange, simulation::info},
};

const FACTS: ClusterFacts = ClusterFacts { id: ClusterId(7), hash_seed: 3 };

fn node(id: u128) -> Identity {
    info(id, 1).identity
}

fn credentials(id: u128, secret: &str) -> Arc<Credentials> {
    let credentials = Credentials::new(node(id), "shop", secret);
    credentials.join(FACTS);
    Arc::new(credentials)
}

/// A node that only listens.
struct Target {
    addr: SocketAddr,
    view: watch::Sender<Arc<View>>,
    inbound: mpsc::Receiver<Inbound>,
    streams: Arc<Mutex<Vec<(Peer, std::net::TcpStream)>>>,
    _task: AbortOnDropHandle<()>,
}

fn view(members: &[(MemberInfo, Health)]) -> Arc<View> {
    let member =
        |(info, health): &(MemberInfo, Health)| (info.identity.id, Member { info: info.clone(), health: *health });
    Arc::new(View { version: 1, members: members.iter().map(member).collect() })
}

async fn target() -> Target {
    target_that(true).await
}

/// A node that accepts connections at all, or does not.
async fn target_that(accepts: bool) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let addr = listener.local_addr().expect("a bound socket");
    let (view_sender, view_receiver) = watch::channel(view(&[(info(2, 1), Health::Alive), (info(3, 1), Health::Dead)]));
    let (inbound_sender, inbound) = mpsc::channel(16);
    let streams: Arc<Mutex<Vec<_>>> = Arc::default();
    let taken = streams.clone();
    let bus = Arc::new(BusListener {
        credentials: credentials(1, "s"),
        view: view_receiver,
        accepts: Arc::new(move |_| accepts),
        on_stream: Arc::new(move |peer, stream| taken.lock().expect("no panic").push((peer, stream))),
        inbound: inbound_sender,
        quiet: Mutex::new(Quiet::default()),
        started: Instant::now(),
    });
    let task = AbortOnDropHandle::new(tokio::spawn(bus.run(listener)));
    Target { addr, view: view_sender, inbound, streams, _task: task }
}

async fn refusal(target: &Target, credentials: &Credentials, purpose: Purpose) -> HelloError {
    match dial(target.addr, credentials.local(), purpose, None).await {
        Err(DialError::Hello(error)) => error,
        other => panic!("not refused in words: {other:?}"),
    }
}

/// What the target answers to those bytes, until it closes.
async fn answer_to(target: &Target, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(target.addr).await.expect("it listens");
    stream.write_all(bytes).await.expect("it reads");
    let mut answer = Vec::new();
    // A reset after the answer is as good as an end.
    let _ = timeout(HELLO_DEADLINE * 2, stream.read_to_end(&mut answer)).await.expect("it closes in time");
    answer
}

async fn assert_serves(target: &Target) {
    let (_, answer) = ask(target.addr, credentials(2, "s").local(), Some(node(1)), &Question::IsAlive(node(2)))
        .await
        .expect("members are answered");
    assert_eq!(answer, Answer::IsAlive(true));
}

#[tokio::test]
async fn garbage_is_refused_and_others_are_served() {
    let target = target().await;
    let refused = Refusal::NotRondache.to_frame();
    assert_eq!(answer_to(&target, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, refused);
    assert_eq!(answer_to(&target, b"*1\r\n$4\r\nPING\r\n").await, refused);
    let mut long = (HELLO_LEN_MAX as u32 + 1).to_le_bytes().to_vec();
    long.resize(64, 0);
    assert_eq!(answer_to(&target, &long).await, refused);
    assert_serves(&target).await;
}

#[tokio::test]
async fn the_wrong_secret_is_refused() {
    let target = target().await;
    let refused = refusal(&target, &credentials(2, "wrong"), Purpose::Control).await;
    assert_eq!(refused, HelloError::Refusing(Refusal::WrongSecret));
    assert_serves(&target).await;
}

#[tokio::test]
async fn an_old_version_is_told_which_ones_are_spoken() {
    let target = target().await;
    let mut old = credentials(2, "s").local();
    old.versions = (0, 0);
    let refused = dial(target.addr, old, Purpose::Control, None).await;
    let Err(DialError::Hello(HelloError::Refused(Refusal::NoCommonVersion { min, max }))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((min, max), (1, 1));
}

#[tokio::test]
async fn another_cluster_is_refused() {
    let target = target().await;
    let stranger = Credentials::new(node(2), "shop", "s");
    stranger.join(ClusterFacts { id: ClusterId(8), hash_seed: 3 });
    let refused = refusal(&target, &stranger, Purpose::Ask).await;
    assert_eq!(refused, HelloError::Refused(Refusal::OtherClusterId { mine: ClusterId(7) }));
}

#[tokio::test]
async fn the_dead_and_the_unknown_may_ask_but_neither_forward_nor_replicate() {
    let target = target().await;
    let refused = refusal(&target, &credentials(3, "s"), Purpose::Forward).await;
    assert_eq!(refused, HelloError::Refused(Refusal::DeadIdentity));
    let refused = refusal(&target, &credentials(4, "s"), Purpose::Forward).await;
    assert_eq!(refused, HelloError::Refused(Refusal::UnknownIdentity));
    let question = Question::IsAlive(node(3));
    let (_, answer) = ask(target.addr, credentials(3, "s").local(), None, &question).await.expect("it is answered");
    assert_eq!(answer, Answer::IsAlive(false));
}

#[tokio::test]
async fn a_life_that_was_followed_by_another_is_over() {
    let target = target().await;
    target.view.send_replace(view(&[(info(2, 5), Health::Alive)]));
    let refused = refusal(&target, &credentials(2, "s"), Purpose::Control).await;
    assert_eq!(refused, HelloError::Refused(Refusal::DeadIdentity));
}

#[tokio::test]
async fn whoever_says_nothing_is_cut_off_and_delays_nobody() {
    let target = target().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(target.addr).await.expect("it listens"));
    }
    assert_serves(&target).await;
    let mut slow = silent.pop().expect("there are fifty");
    slow.write_all(&[1]).await.expect("it is still open");
    let mut end = [0];
    let read = timeout(HELLO_DEADLINE * 2, slow.read(&mut end)).await.expect("it is cut off in time");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn an_accepted_stream_is_handed_over_with_nothing_read_ahead() {
    let target = target().await;
    let purpose = Purpose::Replicate { stream: 1, streams: 2, session: 9, first: 4 };
    let (mut stream, peer) =
        dial(target.addr, credentials(2, "s").local(), purpose, Some(node(1))).await.expect("members may replicate");
    assert_eq!(peer.identity, node(1));
    stream.write_all(b"first effects").await.expect("it is open");
    let (peer, taken) = timeout(Duration::from_secs(5), async {
        loop {
            if let Some(taken) = target.streams.lock().expect("no panic").pop() {
                return taken;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it is handed over");
    assert_eq!((peer.identity, peer.purpose), (node(2), purpose));
    let mut taken = TcpStream::from_std(taken).expect("a socket");
    let mut read = [0; 13];
    taken.read_exact(&mut read).await.expect("they arrive");
    assert_eq!(&read, b"first effects");
}

#[tokio::test]
async fn control_messages_arrive_in_order_and_unknown_ones_are_skipped() {
    let mut target = target().await;
    let (mut stream, _) =
        dial(target.addr, credentials(2, "s").local(), Purpose::Control, Some(node(1))).await.expect("a member");
    let message = |digest| to_frame(CONTROL_KIND, &Control::Members(Exchange::Digest(digest))).expect("short");
    let unknown = to_frame(CONTROL_KIND, &(1_000_000_u64, 5_u8)).expect("short");
    stream.write_all(&[message(1), unknown, message(2)].concat()).await.expect("it is open");
    for digest in [1, 2] {
        let Some(Inbound::Control(from, message)) = target.inbound.recv().await else { panic!("no message") };
        assert_eq!((from, message), (node(2), Control::Members(Exchange::Digest(digest))));
    }
}

#[tokio::test]
async fn only_a_refused_connection_or_another_node_proves_absence() {
    let target = target().await;
    let other = dial(target.addr, credentials(2, "s").local(), Purpose::Control, Some(node(9))).await;
    assert!(other.is_err_and(|error| error.proves_absence()));
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let addr = closed.local_addr().expect("a bound socket");
    drop(closed);
    let refused = dial(addr, credentials(2, "s").local(), Purpose::Control, None).await;
    assert!(refused.is_err_and(|error| error.proves_absence()));
    let deaf = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let addr = deaf.local_addr().expect("a bound socket");
    let closer = tokio::spawn(async move { drop(deaf.accept().await) });
    let reset = dial(addr, credentials(2, "s").local(), Purpose::Control, None).await;
    assert!(reset.is_err_and(|error| !error.proves_absence()), "a reset alone is not");
    closer.await.expect("no panic");
}

#[tokio::test]
async fn a_node_in_protected_mode_says_so() {
    let target = target_that(false).await;
    let refused = refusal(&target, &credentials(2, "s"), Purpose::Ask).await;
    assert_eq!(refused, HelloError::Refused(Refusal::Protected));
}
