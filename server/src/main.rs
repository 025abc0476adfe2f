//! The `rondache` binary: reads its command line, and serves as a node, until a signal ends it, or runs one of the tools.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
    thread,
};

use rondache_server::{
    cli::{self, Invocation, demo::Demo},
    config::{
        ConfigError,
        settings::{LogFormat, Settings},
    },
    node::{Node, logging, start::RunningNode},
};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's options: huge pages, since random access to a large heap spends most of its time in page walks; and
/// freed pages back to the system within moments, so that memory that a cache gives up is really given up.
#[allow(unsafe_code, reason = "jemalloc finds its options by this symbol")]
// SAFETY: the name is the one that jemalloc declares for this purpose, and the value is the C string that it expects.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static MALLOC_CONF: Option<&'static std::ffi::c_char> = {
    let options = c"thp:always,dirty_decay_ms:200,muzzy_decay_ms:0,background_thread:true";
    // SAFETY: a C string has at least its terminator.
    Some(unsafe { &*options.as_ptr() })
};

/// What a shell expects of a program that was told how to use it wrongly.
const EXIT_USAGE: u8 = 2;

/// What a shell expects of a program that ended on an interrupt.
const EXIT_INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let invocation = match cli::parse(env::args_os(), env::vars_os()) {
        Ok(invocation) => invocation,
        Err(ConfigError::Usage(usage)) => usage.exit(),
        Err(error) => {
            complain(&error);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let ended = match invocation {
        Invocation::Serve(settings) => serve(*settings),
        Invocation::Demo(demo) => run_demo(demo),
        Invocation::Status(options) => cli::status::run(&options).map_err(Into::into),
        Invocation::Order(order) => cli::orders::run(&order).map_err(Into::into),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // On standard error, whatever the log level: this is why there is no node.
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &dyn Error) {
    // Where nothing can be written, on a full disk for one, the exit code still tells: no reason to panic.
    let _ = writeln!(io::stderr(), "rondache: {error}");
}

fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    // Before all else, so that no signal finds the node up and the system's own handling still in place.
    let signals = Signals::new()?;
    logging::install(settings.log_format, settings.log_level);
    tracing::info!("rondache {} starts", env!("CARGO_PKG_VERSION"));
    env::set_current_dir(&settings.dir)?;
    let running = Node::start(settings)?;
    let node = running.node().clone();
    signals.end(move || node.stop())?;
    running.wait();
    Ok(())
}

/// Runs a cluster in this process until a signal ends it.
fn run_demo(demo: Demo) -> Result<(), Box<dyn Error>> {
    let signals = Signals::new()?;
    logging::install(LogFormat::Text, cli::demo::LOG_LEVEL);
    let nodes = demo.start()?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    signals.end(move || stopped.cancel())?;
    // Nobody reads: the nodes run all the same.
    let _ = io::stdout().write_all(demo.welcome().as_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(stop.cancelled());
    nodes.iter().for_each(RunningNode::shutdown);
    nodes.into_iter().for_each(RunningNode::wait);
    Ok(())
}

/// The signals that end the node, and the runtime that waits for them.
struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (terminate, interrupt) = {
            let _entered = runtime.enter();
            // The log has grown to the limit of a file (`ulimit -f`): its lines are lost, and the node stays. Once asked for,
            // the signal no longer ends the process, whether anybody waits for it or not.
            drop(signal(SignalKind::from_raw(libc::SIGXFSZ))?);
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    /// The first SIGTERM or SIGINT ends the node in order, the second at once.
    fn end(self, stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let Self { runtime, mut terminate, mut interrupt } = self;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                let first = either(&mut terminate, &mut interrupt).await;
                tracing::info!("{first} received");
                stop();
                let second = either(&mut terminate, &mut interrupt).await;
                tracing::warn!("{second} received again: ending at once");
                std::process::exit(EXIT_INTERRUPTED);
            });
        })?;
        Ok(())
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
