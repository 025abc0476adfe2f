//! `# CPU`: processor time.

use super::Report;
use crate::command::ctx::Ctx;

/// Clock ticks of /proc a second: the unit is 1/100 s on every Linux in use.
const TICKS_PER_S: u64 = 100;

pub(super) fn cpu(report: &mut Report, _: &mut Ctx<'_, '_>) {
    let (user, sys, user_children, sys_children) = ticks().unwrap_or_default();
    for (name, ticks) in [
        ("used_cpu_sys", sys),
        ("used_cpu_user", user),
        ("used_cpu_sys_children", sys_children),
        ("used_cpu_user_children", user_children),
    ] {
        report.field(name, format_args!("{}.{:02}0000", ticks / TICKS_PER_S, ticks % TICKS_PER_S));
    }
}

/// User and system time of the process, then of its ended children.
fn ticks() -> Option<(u64, u64, u64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may contain anything, so fields count from its closing bracket.
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11).map(|field| field.parse().unwrap_or(0));
    Some((fields.next()?, fields.next()?, fields.next()?, fields.next()?))
}
