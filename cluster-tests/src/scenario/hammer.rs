//! One counter, incremented through every node at once, while the cluster changes.

use std::fmt;

use rondache_protocol::resp::value::Value;

use crate::{
    load::{Load, Seen},
    process::ClusterProcess,
    wire::{Conn, WireError},
};

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// What the clients saw.
    pub seen: Seen,
    /// What the counter holds at the end.
    pub counter: i64,
    /// How many increments there were.
    pub total: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "increments               {}", self.total)?;
        writeln!(f, "errors                   {}", self.seen.error_count())?;
        writeln!(f, "slowest batch of ten     {:?}", self.seen.slowest)?;
        write!(f, "the counter              {}", self.counter)?;
        for (error, count) in self.seen.errors.iter().take(20) {
            write!(f, "\n  {count} × {error}")?;
        }
        Ok(())
    }
}

/// Three nodes take increments of one key; with `changes` a fourth joins meanwhile and then leaves in order.
///
/// # Errors
/// A node that should serve does not.
pub async fn run(total: u64, changes: bool) -> Result<Report, WireError> {
    let mut cluster = tokio::task::block_in_place(|| ClusterProcess::start(3, &[]));
    let addrs = cluster.addrs(&[0, 1, 2]);
    let clients = Load::hammer(&addrs, "{hammered}:counter", total);
    if changes {
        tokio::task::block_in_place(|| cluster.join_and_leave());
    }
    let seen = clients.finish().await;
    let mut conn = Conn::open(addrs[1]).await?;
    let reply = conn.call(&[b"INCRBY", b"{hammered}:counter", b"0"]).await?;
    let Value::Integer(counter) = reply else { return Err(WireError::Refused(format!("{reply:?}"))) };
    Ok(Report { seen, counter, total })
}
