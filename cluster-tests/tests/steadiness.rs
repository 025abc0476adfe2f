//! What must go unnoticed though nothing fails: restarts in order, and load that leaves no processor idle.

use std::time::Duration;

use rondache_cluster_tests::scenario::{restart, saturation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_costs_no_error_and_no_key() {
    let plan = restart::Plan { keys: 5_000, clients: 4, answers: 2_000 };
    let report = restart::run(&plan).await.expect("those that stay serve");
    assert_eq!((report.seen.error_count(), report.keys_lost), (0, 0), "{report}");
    assert!(report.seen.wrong.is_empty() && report.differences.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saturated_processors_make_nobody_look_dead() {
    let report = saturation::run(Duration::from_secs(10)).await.expect("every node serves");
    assert!(report.busy_percent > 90.0, "the load is too small to show anything: {report}");
    assert_eq!((report.clients.errors, report.doubts.takeovers, report.doubts.epochs), (0, 0, 0), "{report}");
}
