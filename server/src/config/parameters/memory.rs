//! Memory, eviction, and how long keys live.

use super::{Form, Parameter, texts};
use crate::config::settings::EvictionPolicy;

const POLICIES: [&str; EvictionPolicy::NAMED.len()] = {
    let mut names = [""; EvictionPolicy::NAMED.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = EvictionPolicy::NAMED[index].1;
        index += 1;
    }
    names
};

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::number(
        "maxmemory",
        Form::size(),
        |s| s.maxmemory_bytes as i64,
        |s, bytes| s.maxmemory_bytes = bytes as u64,
        "How much memory the whole process may use, tables and buffers included; 0: no limit.",
    ),
    Parameter::number(
        "maxmemory-policy",
        Form::Choice(&POLICIES),
        |s| EvictionPolicy::NAMED.iter().position(|(policy, _)| *policy == s.maxmemory_policy).unwrap_or(0) as i64,
        |s, index| {
            if let Some((policy, _)) = EvictionPolicy::NAMED.get(index as usize) {
                s.maxmemory_policy = *policy;
            }
        },
        "Which keys go when memory is short. The default resists scans; `noeviction` refuses writes instead.",
    )
    .of_cluster(),
    Parameter::number(
        "ttl-jitter",
        Form::Integer { min: 0, max: 100 },
        |s| i64::from(s.ttl_jitter_percent),
        |s, percent| s.ttl_jitter_percent = percent as u8,
        "The largest share, in percent, by which a relative TTL is shortened, so that keys written together do not expire \
         together; 0: off.",
    )
    .of_cluster(),
    Parameter::number(
        "ttl-jitter-min",
        Form::Duration,
        |s| s.ttl_jitter_min_ms as i64,
        |s, ms| s.ttl_jitter_min_ms = ms as u64,
        "Shorter TTLs are left alone.",
    )
    .of_cluster(),
    Parameter::text(
        "ttl-jitter-rules",
        Form::Text("prefix:percent pairs, separated by blanks"),
        |s| texts::show_jitter_rules(&s.ttl_jitter_rules),
        |s, text| texts::read_jitter_rules(text).map(|rules| s.ttl_jitter_rules = rules),
        "Percentages for keys by prefix, instead of `ttl-jitter`: `session:0 page:25`. The longest match wins.",
    )
    .of_cluster(),
    Parameter::number(
        "active-expire-effort",
        Form::Integer { min: 1, max: 10 },
        |s| i64::from(s.active_expire_effort),
        |s, effort| s.active_expire_effort = effort as u32,
        "How much processor time the sweep of expired keys may take.",
    ),
    Parameter::number(
        "lfu-log-factor",
        Form::from_i32(0),
        |s| i64::from(s.lfu_log_factor),
        |s, factor| s.lfu_log_factor = factor as u32,
        "How many accesses saturate a key's frequency counter: more with a larger factor.",
    )
    .of_cluster(),
    Parameter::number(
        "lfu-decay-time",
        Form::from_i32(0),
        |s| i64::from(s.lfu_decay_minutes),
        |s, minutes| s.lfu_decay_minutes = minutes as u32,
        "Minutes after which a key's frequency counter is lowered by one; 0: never.",
    )
    .of_cluster(),
];
