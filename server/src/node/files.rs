//! How many files the system lets the process have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the node needs besides its clients' sockets.
const RESERVED: usize = 32;
/// Files that each worker's runtime needs.
const RESERVED_PER_THREAD: usize = 4;

/// Raises the limit to what `clients_max` needs, or answers how many clients there may be instead, with a warning.
pub(crate) fn clients_allowed(clients_max: usize, threads: usize) -> usize {
    let reserved = RESERVED + RESERVED_PER_THREAD * threads;
    let needed = clients_max.saturating_add(reserved) as u64;
    let limit = getrlimit(Resource::Nofile);
    // `None`: no limit.
    let Some(current) = limit.current.filter(|current| *current < needed) else { return clients_max };
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let granted = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    };
    if granted >= needed {
        return clients_max;
    }
    let allowed = usize::try_from(granted).unwrap_or(usize::MAX).saturating_sub(reserved).max(1);
    tracing::warn!(
        open_files = granted,
        needed,
        "the system allows too few open files: maxclients is lowered from {clients_max} to {allowed}; 'ulimit -n {needed}' \
         before the start would allow all"
    );
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_clients_are_allowed_as_they_are() {
        assert_eq!(clients_allowed(1, 1), 1);
    }

    #[test]
    fn more_clients_than_files_are_lowered() {
        assert!(clients_allowed(usize::MAX, 1) >= 1);
    }
}
