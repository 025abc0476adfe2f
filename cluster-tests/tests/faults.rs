//! Nodes that freeze or are cut off while clients of the others work.

use std::time::Duration;

use rondache_cluster_tests::{
    netns::Network,
    scenario::{death, isolation},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_freezes_under_load_and_goes_on_costs_nothing() {
    let plan = death::Plan {
        end: death::End::Frozen,
        keys: 5_000,
        clients: 4,
        before: Duration::from_secs(1),
        ..death::Plan::default()
    };
    let report = death::run(&plan).await.expect("the survivors serve");
    // Copies are written behind: what was acknowledged in the moment of the freeze may be gone, and nothing older.
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_copy_has_confirmed_outlives_its_owner() {
    let plan = death::Plan {
        write_acks: 1,
        keys: 5_000,
        clients: 4,
        before: Duration::from_secs(1),
        ..death::Plan::default()
    };
    let report = death::run(&plan).await.expect("the survivors serve");
    // Writes to slots whose copies are yet to be made again wait for them.
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
    assert!(report.seen.wrong.is_empty() && report.differences.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes with unoptimised nodes: run it with --release, or with patience"]
async fn a_node_that_was_cut_off_costs_the_majority_nothing_when_it_comes_back() {
    if let Err(error) = Network::new(1) {
        eprintln!("SKIPPED: machines with networks of their own can't be made (root and `ip` are needed): {error}");
        return;
    }
    let report = isolation::run(Duration::from_secs(10)).await.expect("the majority serves");
    // As above, for what was acknowledged in the moment of the cut.
    assert_eq!(report.seen.error_count(), 0, "{report}");
    assert_eq!((report.keys_lost, report.overwritten), (0, 0), "{report}");
}
