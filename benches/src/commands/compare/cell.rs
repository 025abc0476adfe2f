//! The cells of a comparison: what is measured.

use std::str::FromStr;

use clap::ValueEnum;

use crate::load::operation::Operation;

/// One thing to measure on every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// An operation at a pipeline depth.
    Load {
        /// What is asked.
        operation: Operation,
        /// Requests in a batch.
        pipeline: u64,
    },
    /// Bytes per key.
    Memory {
        /// Whether every key has a TTL.
        with_ttl: bool,
    },
    /// One worker thread against two.
    Threads,
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "memory" => return Ok(Self::Memory { with_ttl: false }),
            "memory-ttl" => return Ok(Self::Memory { with_ttl: true }),
            "threads" => return Ok(Self::Threads),
            _ => {}
        }
        let (operation, pipeline) = text.split_once(':').unwrap_or((text, "1"));
        match pipeline.parse() {
            Ok(pipeline) if (1..=10_000).contains(&pipeline) => {
                Ok(Self::Load { operation: operation.parse()?, pipeline })
            }
            _ => Err(format!("{pipeline:?} is no pipeline depth between 1 and 10000")),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Load { operation, pipeline } => write!(f, "{operation}:{pipeline}"),
            Cell::Memory { with_ttl: false } => f.write_str("memory"),
            Cell::Memory { with_ttl: true } => f.write_str("memory-ttl"),
            Cell::Threads => f.write_str("threads"),
        }
    }
}

impl Cell {
    /// Requests of a round, so that each takes a few seconds at every depth.
    pub(crate) fn default_requests(&self) -> u64 {
        match self {
            Cell::Load { operation: Operation::Lrange(_) | Operation::Mget(_) | Operation::Mset(_), .. } => 500_000,
            Cell::Load { pipeline: 1, .. } => 300_000,
            Cell::Load { pipeline: 2..=31, .. } => 1_500_000,
            _ => 3_000_000,
        }
    }
}

/// Named sets of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Suite {
    /// Every cell that the project promises a figure for.
    #[default]
    Full,
    /// GET and SET at all depths.
    Strings,
    /// The other types, 16 deep.
    Types,
    /// Bytes per key.
    Memory,
}

impl Suite {
    /// The suite's cells.
    pub fn cells(self) -> Vec<Cell> {
        use Operation::{Get, Hset, Incr, Lpush, Lrange, Mget, Sadd, Set, Zadd};
        let load = |operation, pipeline| Cell::Load { operation, pipeline };
        let strings = || [1, 16, 64].into_iter().flat_map(move |depth| [load(Get, depth), load(Set, depth)]);
        let types = || [Incr, Lpush, Hset, Zadd, Sadd, Mget(10), Lrange(100)].into_iter().map(move |op| load(op, 16));
        let memory = || [false, true].into_iter().map(|with_ttl| Cell::Memory { with_ttl });
        match self {
            Suite::Full => strings().chain(types()).chain(memory()).collect(),
            Suite::Strings => strings().collect(),
            Suite::Types => types().collect(),
            Suite::Memory => memory().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_a_round_trip_through_their_names() {
        for name in ["get:16", "mget10:1", "memory", "memory-ttl", "threads"] {
            assert_eq!(name.parse::<Cell>().expect("known").to_string(), name);
        }
        assert_eq!("get".parse::<Cell>().expect("known").to_string(), "get:1");
    }

    #[test]
    fn cells_with_impossible_depths_are_refused() {
        for bad in ["get:0", "get:x", "get:1000000", "nothing:1"] {
            assert!(bad.parse::<Cell>().is_err(), "{bad}");
        }
    }
}
