//! Reads from copies, hedged reads, and nodes that fall silent.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rondache_client::{
    ClientBuilder, ClientError,
    policy::{HedgeConfig, ReadPolicy},
};

use crate::node::{Act, MockNode, is, listen};

/// Of two nodes the first owns all slots, the second has copies of all; each is in a zone of its own.
fn owner_and_copy(owner: SocketAddr, copy: SocketAddr) -> String {
    let node = |addr: SocketAddr, zone: &str| {
        let metadata = format!("%1\r\n$17\r\navailability-zone\r\n${}\r\n{zone}\r\n", zone.len());
        format!("*4\r\n$9\r\n127.0.0.1\r\n:{}\r\n$1\r\nx\r\n{metadata}", addr.port())
    };
    format!("*1\r\n*4\r\n:0\r\n:16383\r\n{}{}", node(owner, "east"), node(copy, "west"))
}

/// Two such nodes and what they answer to commands other than CLUSTER.
async fn two(
    owner: impl Fn() -> Act + Send + Sync + 'static,
    copy: impl Fn() -> Act + Send + Sync + 'static,
) -> [MockNode; 2] {
    let (a, b) = (listen().await, listen().await);
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let slots = move || Act::reply(owner_and_copy(a_addr, b_addr));
    let owner = MockNode::serve(a, move |words| if is(words, "CLUSTER") { slots() } else { owner() });
    let copy = MockNode::serve(b, move |words| if is(words, "CLUSTER") { slots() } else { copy() });
    [owner, copy]
}

fn value(text: &'static str) -> impl Fn() -> Act + Send + Sync + 'static {
    move || Act::reply(format!("${}\r\n{text}\r\n", text.len()))
}

fn reading(node: &MockNode, policy: ReadPolicy) -> ClientBuilder {
    node.builder().read_policy(policy)
}

#[tokio::test]
async fn reads_are_dealt_out_and_writes_go_to_the_owner() {
    for policy in [
        ReadPolicy::RoundRobin,
        ReadPolicy::Random,
        ReadPolicy::Weighted,
        ReadPolicy::LeastOutstanding,
        ReadPolicy::Fastest,
    ] {
        let [owner, copy] = two(value("v"), value("v")).await;
        let client = reading(&owner, policy).build().await.expect("a topology");
        for number in 0..64 {
            client.get::<String>(number).await.expect("GET");
        }
        assert_eq!(owner.asked() + copy.asked(), 64);
        assert!(owner.asked() > 0 && copy.asked() > 0, "{policy:?}: {} and {}", owner.asked(), copy.asked());
        let before = copy.asked();
        for number in 0..16 {
            client.append(number, "x").await.expect_err("a string is no length");
        }
        assert_eq!(copy.asked(), before);
    }
}

#[tokio::test]
async fn the_owner_alone_answers_unless_somebody_chose_otherwise() {
    let [owner, copy] = two(value("v"), value("v")).await;
    let client = owner.builder().build().await.expect("a topology");
    for number in 0..32 {
        client.get::<String>(number).await.expect("GET");
    }
    assert_eq!((owner.asked(), copy.asked()), (32, 0));
    assert_eq!(owner.greeted_with("READONLY"), 0);
}

#[tokio::test]
async fn nodes_are_told_that_copies_may_answer() {
    let [owner, copy] = two(value("v"), value("v")).await;
    let client = reading(&owner, ReadPolicy::RoundRobin).build().await.expect("a topology");
    for number in 0..4 {
        client.get::<String>(number).await.expect("GET");
    }
    assert_eq!((owner.greeted_with("READONLY"), copy.greeted_with("READONLY")), (1, 1));
}

#[tokio::test]
async fn the_copy_in_the_clients_zone_comes_first() {
    for (zone, seen) in [("east", (32, 0)), ("west", (0, 32))] {
        let [owner, copy] = two(value("v"), value("v")).await;
        let client = reading(&owner, ReadPolicy::SameZoneFirst).zone(zone).build().await.expect("a topology");
        for number in 0..32 {
            client.get::<String>(number).await.expect("GET");
        }
        assert_eq!((owner.asked(), copy.asked()), seen, "{zone}");
    }
}

#[tokio::test]
async fn a_pipeline_with_a_write_reads_from_the_owner_and_one_of_reads_from_copies() {
    use rondache_client::Cmd;
    let [owner, copy] = two(value("v"), value("v")).await;
    let client = reading(&owner, ReadPolicy::SameZoneFirst).zone("west").build().await.expect("a topology");
    let mut mixed = client.pipeline();
    mixed.add(Cmd::new("SET").arg("k").arg("v")).add(Cmd::new("GET").arg("k"));
    mixed.query::<Vec<String>>().await.expect("both");
    assert_eq!((owner.asked(), copy.asked()), (2, 0));
    let mut reads = client.pipeline();
    reads.add(Cmd::new("GET").arg("a")).add(Cmd::new("GET").arg("b"));
    reads.query::<Vec<String>>().await.expect("both");
    assert_eq!((owner.asked(), copy.asked()), (2, 2));
}

#[tokio::test]
async fn a_copy_that_is_gone_costs_nobody_an_error() {
    let [owner, copy] = two(value("v"), value("v")).await;
    let client = reading(&owner, ReadPolicy::RoundRobin).build().await.expect("a topology");
    drop(copy);
    for number in 0..32 {
        assert_eq!(client.get::<String>(number).await.expect("GET"), "v");
    }
}

#[tokio::test]
async fn a_copy_that_has_no_copy_any_more_sends_on_to_the_owner() {
    let owner_listens = listen().await;
    let copy_listens = listen().await;
    let (a, b) = (owner_listens.local_addr().expect("a"), copy_listens.local_addr().expect("b"));
    let slots = move || Act::reply(owner_and_copy(a, b));
    let owner = MockNode::serve(owner_listens, move |words| if is(words, "CLUSTER") { slots() } else { value("v")() });
    let _copy = MockNode::serve(copy_listens, move |words| match () {
        () if is(words, "CLUSTER") => slots(),
        () => Act::reply(format!("-MOVED 12182 {a}\r\n")),
    });
    let client = reading(&owner, ReadPolicy::SameZoneFirst).zone("west").build().await.expect("a topology");
    assert_eq!(client.get::<String>("foo").await.expect("GET"), "v");
}

#[tokio::test]
async fn a_slow_copy_is_overtaken_by_a_hedge_and_the_budget_ends_that() {
    let slow = Duration::from_millis(100);
    // Quick at first, so that it is known what is slow.
    let is_slow = Arc::new(AtomicBool::new(false));
    let seen = is_slow.clone();
    let copy_is = move || match seen.load(Ordering::SeqCst) {
        false => value("copy")(),
        true => Act::Delayed(slow, "$4\r\nslow\r\n".into()),
    };
    let [owner, _copy] = two(value("owner"), copy_is).await;
    let mut hedge = HedgeConfig::default();
    (hedge.delay_min, hedge.delay_max) = (Duration::from_millis(5), Duration::from_millis(20));
    hedge.budget.burst = 3;
    hedge.budget.share = 0.0;
    let builder = reading(&owner, ReadPolicy::SameZoneFirst).zone("west").hedge(hedge);
    let client = builder.build().await.expect("a topology");
    for number in 0..200 {
        assert_eq!(client.get::<String>(number).await.expect("GET"), "copy");
    }
    is_slow.store(true, Ordering::SeqCst);
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(client.get::<String>("k").await.expect("GET"));
    }
    assert_eq!(answers, ["owner", "owner", "owner", "slow"]);
    let hedges: u64 = client.metrics().nodes.iter().map(|node| node.hedges).sum();
    assert_eq!(hedges, 3);
}

#[tokio::test]
async fn reads_leave_a_silent_node_alone_after_a_few_have_waited() {
    let [owner, copy] = two(value("owner"), || Act::Ignore).await;
    let builder = reading(&owner, ReadPolicy::RoundRobin).attempt_timeout(Duration::from_millis(50));
    let client = builder.build().await.expect("a topology");
    for number in 0..200 {
        assert_eq!(client.get::<String>(number).await.expect("GET"), "owner");
    }
    assert!(copy.asked() < 20, "{} reads went to the silent node", copy.asked());
}

#[tokio::test]
async fn same_zone_first_needs_a_zone_and_hedging_needs_copies() {
    let [owner, _copy] = two(value("v"), value("v")).await;
    let error = reading(&owner, ReadPolicy::SameZoneFirst).build().await.expect_err("no zone");
    assert!(matches!(error, ClientError::Config(_)), "{error}");
    let error = owner.builder().hedge(HedgeConfig::default()).build().await.expect_err("no copies");
    assert!(matches!(error, ClientError::Config(_)), "{error}");
}
