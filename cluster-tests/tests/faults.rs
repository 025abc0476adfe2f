//! Nodes that freeze or are cut off while clients of the others work.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::Duration,
};

use rondache_cluster_tests::{
    netns::Network,
    ports,
    process::{NodeProcess, binary, wait_agreed},
    scenario::{death, isolation, minority, renumbering, seed_name, survivor, waiters},
    wire::Conn,
};
use tokio::sync::{Mutex, MutexGuard};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_freezes_under_load_and_goes_on_costs_nothing() {
    let _alone = alone().await;
    let plan =
        death::Plan { end: death::End::Frozen, keys: 5_000, clients: 4, answers: 2_000, ..death::Plan::default() };
    let report = death::run(&plan).await.expect("the survivors serve");
    // Copies are written behind: what was acknowledged in the moment of the freeze may be gone, and nothing older.
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_copy_has_confirmed_outlives_its_owner() {
    let _alone = alone().await;
    let plan = death::Plan { write_acks: 1, keys: 5_000, clients: 4, answers: 2_000, ..death::Plan::default() };
    let report = death::run(&plan).await.expect("the survivors serve");
    // Writes to slots whose copies are yet to be made again wait for them.
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
    assert!(report.seen.wrong.is_empty() && report.differences.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_survivor_without_a_majority_refuses_at_once_and_one_that_is_started_again_ends_that() {
    let _alone = alone().await;
    let report = survivor::run().await.expect("the survivor answers");
    for (command, reply) in &report.refused {
        // As in Redis Cluster.
        let words =
            ["CLUSTERDOWN Hash slot not served", "CLUSTERDOWN The cluster is down and only accepts read commands"];
        let is_redis_s = words.iter().any(|words| reply.starts_with(words));
        assert!(is_redis_s && reply.contains("majority"), "{command}: {report:?}");
    }
    assert!(report.waiting_reads.iter().any(|reply| reply.starts_with("CLUSTERDOWN ")), "{report:?}");
    assert!(report.slowest < Duration::from_secs(2), "{report:?}");
    assert_eq!((report.own_read.as_str(), report.refused_afterwards.len()), ("before", 0), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_wait_through_living_nodes_are_served_once_where_their_keys_owner_froze_or_died() {
    let _alone = alone().await;
    let reports = waiters::run(&[waiters::Change::Freeze, waiters::Change::Kill]).await.expect("the others serve");
    for report in reports {
        assert!(report.moved > 0, "no key has moved: {report:?}");
        assert!(report.is_right(), "{report:?}");
    }
}

/// One test at a time: each keeps every processor busy, and those that are cut off share their addresses.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Whether machines with networks of their own can be made.
fn has_networks() -> bool {
    let made = Network::new(1);
    if let Err(error) = &made {
        eprintln!("SKIPPED: machines with networks of their own can't be made (root and `ip` are needed): {error}");
    }
    made.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_majority_refuses_writes_under_that_policy_and_serves_reads_of_its_slots() {
    let _alone = alone().await;
    if !has_networks() {
        return;
    }
    let report = minority::run().await.expect("every node answers");
    assert!(report.write_there.contains("CLUSTERDOWN") && report.write_there.contains("majority"), "{report:?}");
    assert_eq!(report.read_there, "before", "{report:?}");
    assert_eq!((&report.refused_elsewhere[..], &report.differences[..]), (&[][..], &[][..]), "{report:?}");
    assert_eq!(report.write_afterwards, "OK", "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_costs_the_majority_nothing_when_it_comes_back() {
    let _alone = alone().await;
    if !has_networks() {
        return;
    }
    let report = isolation::run(Duration::from_secs(10), 4).await.expect("the majority serves");
    // As above, for what was acknowledged in the moment of the cut.
    assert_eq!(report.seen.error_count(), 0, "{report}");
    assert_eq!((report.keys_lost, report.overwritten), (0, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_by_name_is_found_where_the_name_leads_by_now() {
    let _alone = alone().await;
    if !has_networks() {
        return;
    }
    let report = tokio::task::block_in_place(seed_name::run).expect("machines with names of their own");
    assert!(report.told.contains("trying cache.test:6379 again and again"), "{report:?}");
    assert!(report.joined_after < Duration::from_secs(60), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_back_at_another_address_has_its_share_again_and_the_old_address_is_forgotten() {
    let _alone = alone().await;
    if !has_networks() {
        return;
    }
    let report = renumbering::run(4).await.expect("the others serve");
    // As above, for what was acknowledged in the moment of the death.
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report:?}");
    assert!((4_000..7_000).contains(&report.slots_owned), "about a third of 16,384: {report:?}");
}

/// A node that bash comes to be, by a script in which `"$0" "$@"` is the node's command line.
fn start_by(script: &str, arguments: &[&str]) -> NodeProcess {
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(binary());
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    NodeProcess::start_with(command, addr, &arguments)
}

/// What keeps a node from writing its log: a full disk, a pipe whose reader is gone, no standard error at all, and a file
/// that must not grow beyond 1 KiB.
const MUTED: [&str; 4] = [
    r#"exec "$0" "$@" >/dev/full 2>&1"#,
    r#"exec "$0" "$@" 2> >(exit)"#,
    r#"exec "$0" "$@" >&- 2>&-"#,
    r#"ulimit -f 1; exec "$0" "$@""#,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_whose_logs_cannot_be_written_serve_as_ever() {
    let _alone = alone().await;
    let mut nodes = Vec::new();
    for script in MUTED {
        let seed = nodes.first().map(|first: &NodeProcess| first.addr().to_string());
        let join = seed.iter().flat_map(|seed| ["--join", seed.as_str()]);
        // A line for almost all that happens.
        let arguments: Vec<&str> = ["--loglevel", "debug"].into_iter().chain(join).collect();
        nodes.push(start_by(script, &arguments));
    }
    tokio::task::block_in_place(|| wait_agreed(&mut nodes));
    let mut conn = Conn::open(nodes[1].addr()).await.expect("the node accepts connections");
    for index in 0..200 {
        let key = format!("key:{index}");
        conn.call(&[b"SET", key.as_bytes(), b"value"]).await.expect("every node serves");
    }
    tokio::task::block_in_place(|| {
        for node in &mut nodes {
            node.terminate();
            assert!(node.wait().success(), "each ends in order");
        }
    });
}
