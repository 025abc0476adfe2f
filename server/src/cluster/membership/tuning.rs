//! Foca's settings for a cluster of some size.
//!
//! A death is known everywhere after: the wait for somebody's probe (about 1.6 periods, whatever the size), the period
//! until the probe has failed, the suspicion, and the spreading (logarithmic).

use std::{
    num::{NonZeroU8, NonZeroUsize},
    time::Duration,
};

use foca::{Config, PeriodicParams};

use super::seal::{DATAGRAM_LEN_MAX, SEAL_LEN};

/// What a node's settings say of membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Dead members are remembered for this long.
    pub forget_after: Duration,
    /// Every member probes another this often. Fixed: foca cannot change it while it runs.
    pub probe_period: Duration,
    /// How long a member of a small cluster stays suspect before it counts as dead. Doubling it doubles the time without
    /// an owner after a black-holed node; halving it kills nodes that a busy machine delays.
    pub suspicion: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            forget_after: Duration::from_secs(600),
            probe_period: Duration::from_millis(300),
            suspicion: Duration::from_millis(1200),
        }
    }
}

/// The share of a period that a direct answer may take before others are asked to probe; half a period is left for them.
const PROBE_RTT_SHARE: f64 = 0.4;
/// News is sent this often, to [`GOSSIP_FANOUT`] members each time, for as long as there is any.
const GOSSIP_PERIOD: Duration = Duration::from_millis(200);
const GOSSIP_FANOUT: usize = 3;
/// Dead members are called this often, one at a time: that is how the sides of a partition find together again.
pub(super) const CALL_DEAD_PERIOD: Duration = Duration::from_secs(2);
/// Members are asked for more members this often. Push-pull does it better; this is for the first moments.
const ANNOUNCE_PERIOD: Duration = Duration::from_secs(30);
/// How often a piece of news is sent at least, by everyone who hears of it.
const TRANSMISSIONS_MIN: u8 = 6;

/// How long a suspect may refute, in a cluster of `members`: it grows with the logarithm, as the spreading does.
pub(super) fn suspicion(tuning: &Tuning, members: usize) -> Duration {
    tuning.suspicion.mul_f64((members.max(10) as f64).log10())
}

/// Foca's settings for a cluster of `members`.
pub(super) fn config(members: usize, tuning: &Tuning) -> Config {
    let one = NonZeroUsize::MIN;
    let transmissions = ((members as f64 + 1.0).log10() * 4.0) as u8;
    Config {
        probe_period: tuning.probe_period,
        probe_rtt: tuning.probe_period.mul_f64(PROBE_RTT_SHARE),
        num_indirect_probes: one.saturating_add(2),
        max_transmissions: NonZeroU8::new(transmissions.max(TRANSMISSIONS_MIN)).unwrap_or(NonZeroU8::MIN),
        suspect_to_down_after: suspicion(tuning, members),
        remove_down_after: Some(tuning.forget_after),
        max_packet_size: one.saturating_add(DATAGRAM_LEN_MAX - SEAL_LEN - 1),
        notify_down_members: true,
        periodic_announce: Some(PeriodicParams { frequency: ANNOUNCE_PERIOD, num_members: one }),
        periodic_announce_to_down_members: Some(PeriodicParams { frequency: CALL_DEAD_PERIOD, num_members: one }),
        periodic_gossip: Some(PeriodicParams {
            frequency: GOSSIP_PERIOD,
            num_members: one.saturating_add(GOSSIP_FANOUT - 1),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_lasts_1_2_s_in_a_small_cluster_and_at_most_5_s_in_one_of_a_thousand() {
        let tuning = Tuning::default();
        assert_eq!(suspicion(&tuning, 3), Duration::from_millis(1200));
        assert!(suspicion(&tuning, 1000) <= Duration::from_secs(5));
    }
}
