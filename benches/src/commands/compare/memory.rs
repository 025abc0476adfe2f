//! Bytes per key: the growth of a fresh server while it is filled, divided by the keys.

use std::time::Duration;

use crate::error::Result;
use crate::load::distribution::DistributionKind;
use crate::load::operation::{Mix, Operation};
use crate::load::prepare;
use crate::net::Client;
use crate::output::note;
use crate::proc::{Server, ServerSpec, usage};

use super::Setting;
use super::cell::Cell;
use super::measure::{MemoryResult, Results, plan};

/// Far enough ahead that nothing expires while it is measured.
const TTL: Duration = Duration::from_secs(100_000);
const SETTLE_LOOK_EVERY: Duration = Duration::from_millis(100);
const SETTLE_LOOKS_MAX: u32 = 50;
/// Looks without change after which memory counts as settled.
const SETTLE_LOOKS_EQUAL: u32 = 5;

/// Measures a memory cell: every server in every round starts afresh.
pub(crate) fn measure(setting: &Setting<'_>, with_ttl: bool, results: &mut Results) -> Result<()> {
    let cell = Cell::Memory { with_ttl }.to_string();
    let mut found: Vec<MemoryResult> = setting
        .servers
        .iter()
        .map(|spec| MemoryResult { cell: cell.clone(), server: spec.name.clone(), rss: Vec::new(), used: Vec::new() })
        .collect();
    for round in 0..setting.args.rounds {
        for (spec, result) in setting.servers.iter().zip(&mut found) {
            let (rss, used) = bytes_per_key(setting, spec, with_ttl)?;
            let used_text = used.map_or("unknown".to_owned(), |used| format!("{used:.1}"));
            note(&format!(
                "{cell} round {}: {}: rss {rss:.1}, used_memory {used_text} bytes/key",
                round + 1,
                spec.name
            ));
            result.rss.push(rss);
            result.used.extend(used);
        }
    }
    results.memory.extend(found);
    Ok(())
}

/// By RSS, and by used_memory where the server tells it.
fn bytes_per_key(setting: &Setting<'_>, spec: &ServerSpec, with_ttl: bool) -> Result<(f64, Option<f64>)> {
    let server = Server::start(spec, &setting.placement)?;
    let mut client = server.client()?;
    let before = settled(&server, &mut client)?;
    let ttl = with_ttl.then_some(TTL);
    let set = Mix::only(Operation::Set);
    let config = setting.args.data.generator(set, DistributionKind::Uniform, ttl);
    prepare::fill(&plan(setting, &server, 64, config.keys), &config, |_| ())?;
    let after = settled(&server, &mut client)?;
    let per_key = |before: u64, after: u64| after.saturating_sub(before) as f64 / config.keys as f64;
    let used = before.1.zip(after.1).map(|(before, after)| per_key(before, after));
    Ok((per_key(before.0, after.0), used))
}

/// RSS and used_memory once they stop changing: connections close and tables finish resizing in the background.
fn settled(server: &Server, client: &mut Client) -> Result<(u64, Option<u64>)> {
    let close = |a: u64, b: u64| a.abs_diff(b) <= a.max(b) / 2000;
    let mut equal = 0;
    let mut last = (0, None);
    for _ in 0..SETTLE_LOOKS_MAX {
        std::thread::sleep(SETTLE_LOOK_EVERY);
        let now = (usage::memory(server.pid)?.rss_bytes, client.info_number("memory", "used_memory").ok());
        let steady = close(now.0, last.0) && close(now.1.unwrap_or(0), last.1.unwrap_or(0));
        equal = if steady { equal + 1 } else { 0 };
        last = now;
        if equal >= SETTLE_LOOKS_EQUAL {
            break;
        }
    }
    Ok(last)
}
