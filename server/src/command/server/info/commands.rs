//! `# Commandstats`, `# Errorstats`, `# Latencystats`: per command and per error.

use std::collections::BTreeMap;

use super::Report;
use crate::command::{ctx::Ctx, registry};

pub(super) fn commandstats(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let workers = ctx.node.stats.workers();
    for (slot, name) in registry::slot_names() {
        let (mut calls, mut ns, mut rejected, mut failed) = (0, 0, 0, 0);
        for counters in workers.iter().filter_map(|worker| worker.commands.get(slot)) {
            calls += counters.calls.get();
            ns += counters.ns.get();
            rejected += counters.rejected.get();
            failed += counters.failed.get();
        }
        if calls == 0 && rejected == 0 && failed == 0 {
            continue;
        }
        let us_per_call = if calls == 0 { 0.0 } else { ns as f64 / 1000.0 / calls as f64 };
        report.line(format_args!(
            "cmdstat_{name}:calls={calls},usec={},usec_per_call={us_per_call:.2},rejected_calls={rejected},\
             failed_calls={failed}",
            ns / 1000
        ));
    }
}

pub(super) fn errorstats(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let mut sum = BTreeMap::new();
    for (code, count) in ctx.node.stats.workers().iter().flat_map(|worker| worker.errors()) {
        *sum.entry(code).or_insert(0) += count;
    }
    for (code, count) in sum {
        report.line(format_args!("errorstat_{code}:count={count}"));
    }
}

pub(super) fn latencystats(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let settings = ctx.node.settings.load();
    for (slot, name) in registry::slot_names() {
        let Some(times) = ctx.node.stats.times_of(slot) else { continue };
        let percentiles: Vec<_> = settings
            .latency_percentiles
            .iter()
            .map(|percentile| format!("p{percentile}={:.3}", times.percentile_us(*percentile)))
            .collect();
        report.line(format_args!("latency_percentiles_usec_{name}:{}", percentiles.join(",")));
    }
}
