//! Load that leaves no processor idle must go unnoticed by the failure detector. It stands alone here: beside it, whatever
//! else is tested would be late.

use std::time::Duration;

use rondache_cluster_tests::scenario::saturation;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "unoptimised nodes may not answer in time: see CONTRIBUTING for how to run it"]
async fn saturated_processors_make_nobody_look_dead() {
    let report = saturation::run(Duration::from_secs(10)).await.expect("every node serves");
    assert!(report.busy_percent > 90.0, "the load is too small to show anything: {report}");
    assert_eq!((report.clients.errors, report.doubts.takeovers, report.doubts.epochs), (0, 0, 0), "{report}");
}
