//! Nodes that freeze or are cut off while clients of the others work.

use std::time::Duration;

use rondache_cluster_tests::{
    netns::Network,
    scenario::{death, isolation, minority},
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
