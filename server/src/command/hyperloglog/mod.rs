//! HyperLogLog: <https://valkey.io/commands/?group=hyperloglog>.

mod add;
mod count;
mod debug;
mod merge;
mod self_test;

use super::{CommandError, registry::HandlerList};
use crate::types::hyperloglog::HllError;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("pfadd", add::pfadd),
    ("pfcount", count::pfcount),
    ("pfdebug", debug::pfdebug),
    ("pfmerge", merge::pfmerge),
    ("pfselftest", self_test::pfselftest),
];

impl From<HllError> for CommandError {
    fn from(error: HllError) -> Self {
        Self::Other(error.to_string().into())
    }
}
