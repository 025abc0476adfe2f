//! What a process uses, from /proc.

use std::fs;
use std::path::Path;

use crate::error::{BenchError, Context, Result};

/// Nanoseconds in a clock tick of /proc/PID/stat: the unit is 1/100 s on every Linux in use.
const TICK_NS: u64 = 10_000_000;

/// CPU time that a process has used so far, all threads, user and system, in nanoseconds.
///
/// Kernels differ in which precise counter they keep, so this asks for the scheduler's own figures first and falls back
/// to ticks of 10 ms.
///
/// # Errors
/// [`BenchError::Io`] when the process does not exist.
pub fn cpu_ns(pid: u32) -> Result<u64> {
    if let Some(total) = scheduler_ns(pid) {
        return Ok(total);
    }
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).context(|| format!("reading {path}"))?;
    parse_stat_ticks(&stat)
        .map(|ticks| ticks * TICK_NS)
        .ok_or_else(|| BenchError::Protocol(format!("{path} has an unknown form")))
}

/// The sum over the threads, if the kernel keeps it.
fn scheduler_ns(pid: u32) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut total = 0;
    for task in tasks.flatten() {
        total += thread_ns(&task.path())?;
    }
    (total > 0).then_some(total)
}

fn thread_ns(task: &Path) -> Option<u64> {
    let schedstat = fs::read_to_string(task.join("schedstat")).ok();
    let on_cpu = schedstat.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    match on_cpu {
        Some(ns) if ns > 0 => Some(ns),
        _ => parse_sched_ns(&fs::read_to_string(task.join("sched")).ok()?),
    }
}

/// `se.sum_exec_runtime` of /proc/PID/task/TID/sched: milliseconds with six decimals.
fn parse_sched_ns(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("se.sum_exec_runtime"))?;
    let (_, number) = line.split_once(':')?;
    let (ms, fraction) = number.trim().split_once('.')?;
    let ms: u64 = ms.parse().ok()?;
    let ns: u64 = fraction.parse().ok()?;
    (fraction.len() == 6).then_some(ms * 1_000_000 + ns)
}

/// utime + stime. The name before them may contain anything, so fields count from its closing bracket.
fn parse_stat_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let utime: u64 = fields.next()?.parse().ok()?;
    let stime: u64 = fields.next()?.parse().ok()?;
    Some(utime + stime)
}

/// Memory figures of a process, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub rss_bytes: u64,
    /// Largest resident size so far.
    pub peak_rss_bytes: u64,
}

/// Reads a process's resident memory.
///
/// # Errors
/// [`BenchError::Io`] when the process does not exist.
pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).context(|| format!("reading {path}"))?;
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    match (kib("VmRSS:"), kib("VmHWM:")) {
        (Some(rss), Some(peak)) => Ok(Memory { rss_bytes: rss << 10, peak_rss_bytes: peak << 10 }),
        _ => Err(BenchError::Protocol(format!("{path} tells no resident size"))),
    }
}

/// Waits until the process has used next to no CPU for a moment, so that one measurement does not pay for the work that
/// another left behind. Gives up after `rounds_max` looks.
///
/// # Errors
/// As [`cpu_ns`].
pub fn wait_until_idle(pid: u32, rounds_max: u32) -> Result<()> {
    const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(50);
    const IDLE_NS_MAX: u64 = 2_000_000;
    let mut before = cpu_ns(pid)?;
    for _ in 0..rounds_max {
        std::thread::sleep(LOOK_EVERY);
        let now = cpu_ns(pid)?;
        if now.saturating_sub(before) < IDLE_NS_MAX {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_brackets_and_blanks() {
        let stat = "42 (odd) name)) S 1 2 3 4 5 6 7 8 9 10 700 30 0 0 20";
        assert_eq!(parse_stat_ticks(stat), Some(730));
    }

    #[test]
    fn the_schedulers_runtime_is_read_to_the_nanosecond() {
        let text = "cat (1, #threads: 1)\n---\nse.exec_start : 16.5\nse.sum_exec_runtime    :   1234.001020\n";
        assert_eq!(parse_sched_ns(text), Some(1_234_001_020));
    }

    #[test]
    fn this_process_uses_cpu_and_memory() {
        let pid = std::process::id();
        let memory = memory(pid).expect("readable");
        assert!(memory.rss_bytes > 0 && memory.peak_rss_bytes >= memory.rss_bytes);
        cpu_ns(pid).expect("readable");
    }
}
