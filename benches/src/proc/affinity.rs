//! Which cores run what. Children inherit the affinity of the thread that starts them, so no helper program is needed.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::error::{Context, Result};

/// Cores that this process may use.
///
/// # Errors
/// The system's error.
pub fn allowed_cores() -> Result<Vec<usize>> {
    let set = sched_getaffinity(None).map_err(Into::into).context(|| "reading the core affinity".into())?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// Pins the calling thread, and what it starts, to `cores`; an empty list leaves everything as it is.
///
/// # Errors
/// The system's error, as for a core that does not exist.
pub fn pin_current_thread(cores: &[usize]) -> Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &core in cores.iter().filter(|&&core| core < CpuSet::MAX_CPU) {
        set.set(core);
    }
    sched_setaffinity(None, &set).map_err(Into::into).context(|| format!("pinning to cores {cores:?}"))
}

/// Where servers and the generator run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Cores of every server.
    pub server: Vec<usize>,
    /// Cores of the load generator.
    pub generator: Vec<usize>,
}

impl Placement {
    /// The first allowed core for servers and the second for the generator; nothing is pinned on a single core.
    ///
    /// # Errors
    /// As [`allowed_cores`].
    pub fn one_core_each() -> Result<Self> {
        let cores = allowed_cores()?;
        Ok(match cores[..] {
            [server, generator, ..] => Self { server: vec![server], generator: vec![generator] },
            _ => Self::unpinned(),
        })
    }

    /// Everything may run everywhere.
    pub fn unpinned() -> Self {
        Self { server: Vec::new(), generator: Vec::new() }
    }
}
