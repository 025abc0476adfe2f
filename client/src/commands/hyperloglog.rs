//! HyperLogLogs: counting distinct things in 12 KB, with a standard error of 0.81 %.

use super::commands;
use crate::{Cmd, ToArg};

commands! {
    /// Counts things; `true` if the estimate changed.
    pfadd(key: impl ToArg, things: impl IntoIterator<Item = impl ToArg>) -> bool =
        Cmd::new("PFADD").arg(key).args(things);
    /// How many distinct things were counted, in one or in several of one slot together.
    pfcount(keys: impl IntoIterator<Item = impl ToArg>) -> u64 = Cmd::new("PFCOUNT").args(keys);
    /// Adds what others of the same slot have counted.
    pfmerge(to: impl ToArg, from: impl IntoIterator<Item = impl ToArg>) -> () =
        Cmd::new("PFMERGE").arg(to).args(from);
}
