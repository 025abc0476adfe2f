//! What the node tells about itself.

use super::{Form, Parameter, texts};
use crate::config::settings::{LOG_LEVELS, LogFormat};

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::number(
        "log-format",
        Form::Choice(&["text", "json"]),
        |s| i64::from(s.log_format == LogFormat::Json),
        |s, index| s.log_format = if index == 1 { LogFormat::Json } else { LogFormat::Text },
        "How log lines are written: for people, or one JSON object a line.",
    )
    .fixed(),
    Parameter::number(
        "loglevel",
        Form::Choice(&LOG_LEVELS),
        |s| s.log_level as i64,
        |s, index| s.log_level = index as usize,
        "How much is logged.",
    )
    .alias("log-level"),
    Parameter::text(
        "notify-keyspace-events",
        Form::Text("letters out of Ag$lshzxeKEtmdn"),
        |s| texts::show_events(s.notify_events),
        |s, text| texts::read_events(text).map(|events| s.notify_events = events),
        "Which changes of keys are published: `KEA` for all. Empty: none.",
    )
    .of_cluster(),
    Parameter::number(
        "slowlog-log-slower-than",
        Form::from(-1),
        |s| s.slowlog_threshold_us,
        |s, us| s.slowlog_threshold_us = us,
        "Commands that run longer than this many µs are kept in the slow log; 0: all, -1: none.",
    ),
    Parameter::number(
        "slowlog-max-len",
        Form::from(0),
        |s| s.slowlog_len_max as i64,
        |s, len| s.slowlog_len_max = len as usize,
        "Entries of the slow log; the oldest goes first.",
    ),
    Parameter::number(
        "latency-monitor-threshold",
        Form::from(0),
        |s| s.latency_threshold_ms as i64,
        |s, ms| s.latency_threshold_ms = ms as u64,
        "Events that take at least this many ms are kept for the LATENCY commands; 0: none.",
    ),
    Parameter::number(
        "latency-tracking",
        Form::Switch,
        |s| i64::from(s.latency_tracking),
        |s, on| s.latency_tracking = on != 0,
        "Whether the distribution of commands' run times is kept, for INFO latencystats and LATENCY HISTOGRAM.",
    ),
    Parameter::text(
        "latency-tracking-info-percentiles",
        Form::Text("percentiles, separated by blanks"),
        |s| texts::show_percentiles(&s.latency_percentiles),
        |s, text| texts::read_percentiles(text).map(|percentiles| s.latency_percentiles = percentiles),
        "Which percentiles INFO latencystats shows.",
    ),
];
