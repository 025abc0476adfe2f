//! `# Memory`: what is used and for what.

use tikv_jemalloc_ctl::{epoch, stats};

use super::Report;
use crate::{command::ctx::Ctx, config::sizes::human_size, node::Node};

/// The memory figures of one moment, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::command::server) struct Figures {
    /// What the threads hold: what `maxmemory` bounds.
    pub(in crate::command::server) used: u64,
    pub(in crate::command::server) peak: u64,
    /// What the allocator has handed out.
    pub(in crate::command::server) allocated: u64,
    /// Pages that hold any of that.
    pub(in crate::command::server) active: u64,
    /// Pages that the allocator keeps.
    pub(in crate::command::server) resident: u64,
    /// What the system counts for the process.
    pub(in crate::command::server) rss: u64,
}

impl Figures {
    pub(in crate::command::server) fn read(node: &Node) -> Self {
        // The allocator's figures are those of its last epoch; where it is not jemalloc, they are 0.
        let _ = epoch::advance();
        let allocated = stats::allocated::read().unwrap_or(0) as u64;
        let used = match node.memory.used_bytes() {
            0 => allocated,
            used => used,
        };
        Self {
            used,
            peak: node.memory.peak_bytes().max(used),
            allocated,
            active: stats::active::read().unwrap_or(0) as u64,
            resident: stats::resident::read().unwrap_or(0) as u64,
            rss: rss_bytes().unwrap_or(0),
        }
    }
}

/// The resident set in bytes.
fn rss_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

pub(in crate::command::server) fn ratio(of: u64, to: u64) -> f64 {
    if to == 0 { 0.0 } else { of as f64 / to as f64 }
}

pub(super) fn memory(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let settings = ctx.node.settings.load();
    let figures = Figures::read(ctx.node);
    // What the tables take besides keys and values.
    let overhead = ctx.ks.db_sizes().iter().map(|size| size.table_bytes as u64).sum();
    let dataset = figures.used.saturating_sub(overhead);
    let mut sized = |name: &str, bytes: u64| {
        report.field(name, bytes);
        report.field(&format!("{name}_human"), human_size(bytes));
    };
    sized("used_memory", figures.used);
    sized("used_memory_rss", figures.rss);
    sized("used_memory_peak", figures.peak);
    sized("maxmemory", settings.maxmemory_bytes);
    sized("total_system_memory", total_system_bytes().unwrap_or(0));
    report.field("used_memory_peak_perc", format_args!("{:.2}%", ratio(figures.used, figures.peak) * 100.0));
    report.field("used_memory_overhead", overhead);
    report.field("used_memory_dataset", dataset);
    report.field("used_memory_dataset_perc", format_args!("{:.2}%", ratio(dataset, figures.used) * 100.0));
    report.field("allocator_allocated", figures.allocated);
    report.field("allocator_active", figures.active);
    report.field("allocator_resident", figures.resident);
    report.field("maxmemory_policy", settings.maxmemory_policy.name());
    report.field("allocator_frag_ratio", format_args!("{:.2}", ratio(figures.active, figures.allocated)));
    report.field("allocator_frag_bytes", figures.active.saturating_sub(figures.allocated));
    report.field("allocator_rss_ratio", format_args!("{:.2}", ratio(figures.resident, figures.active)));
    report.field("allocator_rss_bytes", figures.resident.saturating_sub(figures.active));
    report.field("rss_overhead_ratio", format_args!("{:.2}", ratio(figures.rss, figures.resident)));
    report.field("rss_overhead_bytes", figures.rss as i64 - figures.resident as i64);
    report.field("mem_fragmentation_ratio", format_args!("{:.2}", ratio(figures.rss, figures.used)));
    report.field("mem_fragmentation_bytes", figures.rss as i64 - figures.used as i64);
    report.field("mem_not_counted_for_evict", 0);
    let waiting: usize = ctx.node.clients.all().iter().map(|client| client.mailbox.waiting_bytes()).sum();
    report.field("mem_clients_normal", waiting);
    report.field("mem_clients_slaves", 0);
    report.field("mem_cluster_links", 0);
    report.field("mem_allocator", "jemalloc");
    report.field("active_defrag_running", 0);
    report.field("lazyfree_pending_objects", 0);
}

fn total_system_bytes() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}
