//! `# Server`: the process.

use super::Report;
use crate::{command::ctx::Ctx, command::server::REDIS_VERSION, config::parameters, node::clock};

/// Seconds in a day.
const DAY_S: u64 = 86_400;

pub(super) fn server(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let settings = ctx.node.settings.load();
    let now_us = clock::unix_us();
    let uptime_s = (now_us / 1000).saturating_sub(ctx.node.started_ms) / 1000;
    let hz = parameters::lookup("hz").map(|parameter| parameter.get(&settings)).unwrap_or_default();
    let executable = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let config_file = settings.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    report.field("redis_version", REDIS_VERSION);
    report.field("server_name", "rondache");
    report.field("rondache_version", env!("CARGO_PKG_VERSION"));
    report.field("redis_git_sha1", "00000000");
    report.field("redis_git_dirty", 0);
    report.field("redis_build_id", 0);
    // On the main port a client need not know of a cluster; on the redirect port it must.
    let mode = if ctx.session.is_redirecting { "cluster" } else { "standalone" };
    report.field("redis_mode", mode);
    report.field("server_mode", mode);
    report.field("os", format_args!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    report.field("arch_bits", usize::BITS);
    report.field("monotonic_clock", "POSIX clock_gettime");
    report.field("multiplexing_api", "epoll");
    report.field("process_id", std::process::id());
    report.field("process_supervised", "no");
    report.field("run_id", &ctx.node.run_id);
    report.field("tcp_port", settings.listen.first().map_or(0, std::net::SocketAddr::port));
    report.field("server_time_usec", now_us);
    report.field("uptime_in_seconds", uptime_s);
    report.field("uptime_in_days", uptime_s / DAY_S);
    report.field("hz", &hz);
    report.field("configured_hz", &hz);
    // Redis's LRU clock: seconds in 24 bits.
    report.field("lru_clock", (now_us / 1_000_000) & 0xff_ffff);
    report.field("executable", executable);
    report.field("config_file", config_file);
    report.field("io_threads_active", u8::from(settings.threads > 1));
    report.field("worker_threads", settings.threads);
}
