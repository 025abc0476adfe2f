//! Ends the child processes of this program, and only those, however the program ends.
//!
//! Every started server is registered here by its handle. Dropping a server ends it; SIGINT and SIGTERM end them all.

use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

/// Children that have not been waited for. Guards nothing but the list; held for moments only.
static CHILDREN: Mutex<Vec<Child>> = Mutex::new(Vec::new());

fn children() -> MutexGuard<'static, Vec<Child>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over a child and returns its process id.
pub fn register(child: Child) -> u32 {
    let pid = child.id();
    children().push(child);
    pid
}

/// Whether the registered child still runs.
pub fn is_running(pid: u32) -> bool {
    children().iter_mut().find(|child| child.id() == pid).is_some_and(|child| matches!(child.try_wait(), Ok(None)))
}

/// Ends a registered child at once and waits for it. An id that was not registered is ignored.
pub fn end(pid: u32) {
    let mut children = children();
    if let Some(at) = children.iter().position(|child| child.id() == pid) {
        let mut child = children.swap_remove(at);
        end_child(&mut child);
    }
}

fn end_child(child: &mut Child) {
    // An error means that it has ended already; waiting collects it either way.
    let _ = child.kill();
    let _ = child.wait();
}

/// Ends every registered child.
pub fn end_all() {
    for mut child in children().drain(..) {
        end_child(&mut child);
    }
}

/// Asks a registered child to end by itself (SIGTERM).
pub fn ask_to_end(pid: u32) {
    let registered = children().iter().any(|child| child.id() == pid);
    if let (true, Some(pid)) = (registered, i32::try_from(pid).ok().and_then(Pid::from_raw)) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Watches for SIGINT and SIGTERM on a thread of its own, ends all children and exits.
pub fn install_signal_handler() {
    let watch = || -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Ok(())
        })
    };
    std::thread::spawn(move || {
        if watch().is_ok() {
            end_all();
            std::process::exit(130);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_child_is_ended_and_collected() {
        let child = std::process::Command::new("sleep").arg("600").spawn().expect("sleep starts");
        let pid = register(child);
        assert!(is_running(pid));
        end(pid);
        assert!(!is_running(pid));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_process_that_was_not_registered_is_left_alone() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("sleep starts");
        end(child.id());
        ask_to_end(child.id());
        assert!(matches!(child.try_wait(), Ok(None)));
        end_child(&mut child);
    }
}
