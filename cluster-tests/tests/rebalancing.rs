//! Slots move between real processes under load, and clients notice nothing but time.

use rondache_cluster_tests::scenario::{
    change::{self, Change, Plan, Report},
    hammer, registers, waiters,
};

const KEYS: u64 = 20_000;
const REQUESTS_PER_S: u64 = 2_000;

async fn run(change: Change) -> Report {
    let mut plan = Plan::new(change, KEYS, REQUESTS_PER_S);
    plan.schedule.writes_percent = 50;
    plan.before = REQUESTS_PER_S / 2;
    change::run(&plan).await.expect("every node serves")
}

fn assert_unnoticed(report: &Report) {
    for window in [&report.before, &report.during, &report.after] {
        assert_eq!((window.errors, window.misses), (0, 0), "{report}");
    }
    assert_eq!(report.keys_lost, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_under_load_costs_no_error_and_no_miss() {
    assert_unnoticed(&run(Change::Join).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_to_leave_under_load_costs_no_error_and_no_key() {
    assert_unnoticed(&run(Change::Leave).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn increments_through_every_node_add_up_while_a_node_joins_and_leaves() {
    let report = hammer::run(20_000, true).await.expect("every node serves");
    assert_eq!(report.seen.error_count(), 0, "{report}");
    assert_eq!(report.counter, report.total as i64, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_linearizable_through_any_node_while_a_node_joins_and_leaves() {
    let report = registers::run(fastrand::u64(..1 << 32)).await.expect("every node serves");
    assert!(report.errors.is_empty() && report.violations.is_empty(), "{report}");
    assert!(report.operations > 1_000, "too little was seen to judge: {report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_wait_through_any_node_are_served_once_while_their_keys_owner_joins_and_leaves() {
    let reports = waiters::run(&[waiters::Change::Join, waiters::Change::Leave]).await.expect("every node serves");
    for report in reports {
        assert!(report.moved > 0, "no key has moved: {report:?}");
        assert!(report.is_right(), "{report:?}");
    }
}
