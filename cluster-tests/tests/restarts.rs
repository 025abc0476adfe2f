//! A rolling restart in order must go unnoticed by the clients of the other nodes.

use rondache_cluster_tests::scenario::restart;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes with unoptimised nodes: see CONTRIBUTING for how to run it"]
async fn a_rolling_restart_under_load_costs_no_error_and_no_key() {
    let plan = restart::Plan { keys: 5_000, clients: 4, answers: 2_000 };
    let report = restart::run(&plan).await.expect("those that stay serve");
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
    assert!(report.seen.wrong.is_empty() && report.differences.is_empty(), "{report}");
}
