//! The `rondache` binary.

use std::{net::SocketAddr, process::ExitCode};

use clap::Parser;
use rondache_server::{
    config::settings::Settings,
    net::{listener, worker::Workers},
    node::{Node, housekeeping},
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's options: huge pages, since random access to a large heap spends most of its time in page walks; and
/// freed pages back to the system within a second, so that memory that a cache gives up is really given up.
#[allow(unsafe_code, reason = "jemalloc finds its options by this symbol")]
// SAFETY: the name is the one that jemalloc declares for this purpose, and the value is the C string that it expects.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static MALLOC_CONF: Option<&'static std::ffi::c_char> = {
    let options = c"thp:always,metadata_thp:always,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true";
    // SAFETY: a C string has at least its terminator.
    Some(unsafe { &*options.as_ptr() })
};

#[derive(Parser)]
struct Cli {
    #[arg(long, default_value = "127.0.0.1:6379")]
    listen: SocketAddr,
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rondache: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> std::io::Result<()> {
    let node = Node::new(Settings::default());
    let listener = listener::bind(cli.listen)?;
    let (workers, threads) = Workers::start(&node, cli.threads)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = node.shutdown.clone();
        tokio::spawn(async move {
            let _ = tokio::signal::ctrl_c().await;
            shutdown.cancel();
        });
        tokio::spawn(housekeeping::run(node.clone()));
        listener::accept(listener, node.clone(), workers).await
    })?;
    for thread in threads {
        let _ = thread.join();
    }
    Ok(())
}
