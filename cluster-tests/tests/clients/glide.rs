//! valkey-glide.

use super::shared::{self, run_script};

const SCRIPT: &str = include_str!("glide.py");

#[test]
fn valkey_glide_works_from_any_seed_with_and_without_its_cluster_mode() {
    run_script("glide", SCRIPT, &shared::cluster(), &[]);
}
