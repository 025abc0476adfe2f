//! Which servers a subcommand starts, and where they run; shared by all that start servers.

use std::path::PathBuf;

use clap::Args;

use crate::error::{BenchError, Result};
use crate::output::note;
use crate::proc::ServerSpec;
use crate::proc::affinity::Placement;
use crate::proc::server::Dialect;

/// Options that name servers.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// A further server, as NAME=COMMAND_LINE; `{port}` in it stands for the port, other command lines get the options
    /// of redis-server, or of rondache when the program is called so
    #[arg(long = "server", value_name = "NAME=COMMAND_LINE")]
    servers: Vec<ServerSpec>,
    /// This project's server
    #[arg(long, default_value = "target/release/rondache")]
    pub rondache: PathBuf,
    /// Leave this project's server out
    #[arg(long)]
    no_rondache: bool,
    /// Leave out the servers found on PATH
    #[arg(long)]
    no_path: bool,
    /// Cores of the servers (default: the first allowed)
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    pub server_cores: Option<Vec<usize>>,
    /// Cores of the generator (default: the second allowed)
    #[arg(long, value_delimiter = ',', value_name = "CORES")]
    generator_cores: Option<Vec<usize>>,
}

impl ServerArgs {
    /// The servers to start, each under a name of its own.
    ///
    /// # Errors
    /// [`BenchError::Usage`] when this project's server is not built, names clash or nothing is left.
    pub fn choose(&self) -> Result<Vec<ServerSpec>> {
        let mut servers = Vec::new();
        if !self.no_rondache {
            if !self.rondache.is_file() {
                return Err(BenchError::Usage(format!(
                    "{} does not exist: build it (cargo build --release), name it (--rondache), or leave it out \
                     (--no-rondache)",
                    self.rondache.display()
                )));
            }
            servers.push(ServerSpec::new("rondache", self.rondache.clone(), Vec::new()));
        }
        servers.extend(self.servers.iter().cloned());
        if !self.no_path {
            for found in ServerSpec::on_path() {
                if servers.iter().all(|server| server.name != found.name) {
                    servers.push(found);
                }
            }
        }
        for (at, server) in servers.iter().enumerate() {
            if servers[..at].iter().any(|other| other.name == server.name) {
                return Err(BenchError::Usage(format!("two servers are called {:?}", server.name)));
            }
        }
        if servers.is_empty() {
            return Err(BenchError::Usage("there is no server to measure".to_owned()));
        }
        Ok(servers)
    }

    /// Where servers and generator run.
    ///
    /// # Errors
    /// When the allowed cores cannot be read.
    pub fn placement(&self) -> Result<Placement> {
        let default = Placement::one_core_each()?;
        let placement = Placement {
            server: self.server_cores.clone().unwrap_or(default.server),
            generator: self.generator_cores.clone().unwrap_or(default.generator),
        };
        if placement.server == placement.generator {
            note("servers and the generator share their cores: latencies include waiting for each other");
        }
        Ok(placement)
    }
}

/// Arguments that bound a server's memory, with its dialect's names; `None` for a server that cannot be told.
pub fn memory_limit(spec: &ServerSpec, bytes: u64, policy: Option<&str>) -> Option<ServerSpec> {
    let mut arguments = vec!["--maxmemory".to_owned(), bytes.to_string()];
    if let Some(policy) = policy {
        arguments.extend(["--maxmemory-policy".to_owned(), policy.to_owned()]);
    }
    match spec.dialect {
        Dialect::Verbatim => None,
        Dialect::Rondache | Dialect::Redis => Some(spec.with_arguments(&arguments)),
    }
}

/// The promise on resident memory under a limit: 1.10 × maxmemory + 16 MiB.
pub fn rss_limit_bytes(maxmemory_bytes: u64) -> u64 {
    maxmemory_bytes + maxmemory_bytes / 10 + (16 << 20)
}

/// Parses a size such as `64mb`, `1gb` or `1048576`, for clap.
///
/// # Errors
/// A sentence for the user.
pub fn parse_bytes(text: &str) -> std::result::Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(format!("{text:?} has an unknown unit; use kb, mb or gb")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is no size"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text:?} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_binary_units() {
        assert_eq!(parse_bytes("64mb"), Ok(64 << 20));
        assert_eq!(parse_bytes("1GB"), Ok(1 << 30));
        assert_eq!(parse_bytes("123"), Ok(123));
        assert!(parse_bytes("1parsec").is_err());
        assert!(parse_bytes("99999999999999gb").is_err());
        assert!(parse_bytes("").is_err());
    }

    #[test]
    fn a_verbatim_server_cannot_be_given_a_limit() {
        let spec: ServerSpec = "x=y --port {port}".parse().expect("well formed");
        assert!(memory_limit(&spec, 1, None).is_none());
    }
}
