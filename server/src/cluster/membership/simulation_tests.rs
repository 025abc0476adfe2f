//! How fast and at what cost a death becomes known. Run the large one with
//! `cargo test --release -p rondache-server --lib thousand_members -- --ignored --nocapture`.

use super::simulation::Network;

/// A death must be known everywhere within (ms) …
const KNOWN_MS_MAX: u64 = 10_000;
/// … while no node sends more than this on average (bytes/s).
const RATE_MAX: u64 = 20_000;

struct Measured {
    known_ms: u64,
    calm_rate: u64,
    /// The node that sends most, in the seconds around the death.
    busy_rate: u64,
}

/// Lets nodes live in calm, then kills one without any refused connection helping: as if its machine had gone.
fn measure(seed: u64, count: usize, loss: f64) -> Measured {
    let mut net = Network::new(seed, count);
    net.loss = loss;
    net.run_ms(8000);
    let before = net.bytes_sent();
    net.run_ms(4000);
    let calm = net.bytes_sent();
    let victim = (seed as usize * 7) % count;
    let identity = net.identity(victim);
    net.crash(victim);
    let died_ms = net.now_ms();
    let others: Vec<usize> = (0..count).filter(|at| *at != victim).collect();
    let mut unaware = others.clone();
    while !unaware.is_empty() && net.now_ms() < died_ms + 60_000 {
        net.run_ms(100);
        unaware.retain(|at| net.view(*at).is_alive(&identity));
    }
    let known_ms = net.now_ms() - died_ms;
    net.run_ms(2000);
    let after = net.bytes_sent();
    let busy_ms = net.now_ms() - died_ms;
    let rate = |from: &[u64], to: &[u64], ms: u64| {
        others.iter().map(|at| (to[*at] - from[*at]) * 1000 / ms).max().unwrap_or_default()
    };
    let false_deaths = others.iter().filter(|at| net.refuted_deaths(**at) > 0).count();
    assert_eq!(false_deaths, 0, "seed {seed}: living members were held for dead");
    Measured { known_ms, calm_rate: rate(&before, &calm, 4000), busy_rate: rate(&calm, &after, busy_ms) }
}

fn check(seed: u64, count: usize, loss: f64) {
    let Measured { known_ms, calm_rate, busy_rate } = measure(seed, count, loss);
    eprintln!(
        "{count} members, {:.0} % loss, seed {seed}: a death is known everywhere after {:.1} s; the busiest node sends \
         {:.1} kB/s in calm, {:.1} kB/s around the death",
        loss * 100.0,
        known_ms as f64 / 1000.0,
        calm_rate as f64 / 1000.0,
        busy_rate as f64 / 1000.0
    );
    assert!(known_ms < KNOWN_MS_MAX, "seed {seed}: {known_ms} ms");
    assert!(calm_rate.max(busy_rate) < RATE_MAX, "seed {seed}: {calm_rate} and {busy_rate} bytes/s");
}

#[test]
fn a_death_is_known_soon_and_cheaply_in_a_small_cluster() {
    check(1, 3, 0.0);
    check(2, 10, 0.01);
}

#[test]
fn a_death_is_known_soon_and_cheaply_among_a_hundred_members() {
    check(3, 100, 0.01);
}

#[test]
#[ignore = "takes half a minute optimised, and minutes otherwise"]
fn a_death_is_known_soon_and_cheaply_among_a_thousand_members() {
    check(4, 1000, 0.0);
    check(5, 1000, 0.01);
}

#[test]
fn a_seed_makes_one_trace() {
    let trace = |seed: u64| {
        let mut net = Network::new(seed, 8);
        net.loss = 0.2;
        net.run_ms(5000);
        net.bytes_sent()
    };
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11), trace(12));
}
