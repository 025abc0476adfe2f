//! Log lines: where they go, and how many.

use std::{io::IsTerminal, sync::OnceLock};

use tracing_subscriber::{Registry, filter::LevelFilter, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::config::settings::LogFormat;

/// The level in force. The subscriber is the process's, so this is too.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// Sends log lines to standard error. `level` is an index into [`LOG_LEVELS`](crate::config::settings::LOG_LEVELS). For
/// the binary: a service that embeds a node has its own subscriber, which a second one leaves as it is.
pub fn install(format: LogFormat, level: usize) {
    let (filter, handle) = reload::Layer::new(filter_of(level));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A line that cannot be written, on a full disk for one, is lost; to report that would panic for the same reason.
        .log_internal_errors(false)
        .with_target(false);
    let installed = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if installed.is_ok() {
        // Only the first installation succeeds.
        let _ = LEVEL.set(handle);
    }
}

/// Changes the level; nothing happens where [`install`] was not called.
pub(crate) fn set_level(level: usize) {
    if let Some(handle) = LEVEL.get() {
        let wanted = filter_of(level);
        if handle.with_current(|current| *current != wanted).unwrap_or(false) {
            let _ = handle.reload(wanted);
        }
    }
}

fn filter_of(level: usize) -> LevelFilter {
    match level {
        0 => LevelFilter::TRACE,
        1 => LevelFilter::DEBUG,
        2 => LevelFilter::INFO,
        3 => LevelFilter::WARN,
        _ => LevelFilter::OFF,
    }
}
