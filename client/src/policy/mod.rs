//! What the client decides without touching the network: whether to retry, to which copy to send a read, when to hedge it
//! and which node to leave alone for a while.
//!
//! Nothing here reads a clock or draws a random number of its own. Both are handed in, so that every rule is tested in
//! virtual time and from a seed.
//!
//! | file | decides |
//! |---|---|
//! | [`budget`] | how many extra requests (retries, hedges) the traffic may carry |
//! | [`backoff`] | how long to wait before the next attempt |
//! | [`breaker`] | whether a node gets requests at all |
//! | [`load`] | what is known of a node: requests in flight, latency |
//! | [`read`] | which copy of a slot a read goes to |
//! | [`hedge`] | when a read is sent to a second copy |
//! | [`ewma`], [`quantile`] | the estimators below these |

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod ewma;
pub mod hedge;
pub mod load;
pub mod quantile;
pub mod read;

pub use backoff::Backoff;
pub use breaker::{Admission, BreakerConfig, BreakerState, CircuitBreaker};
pub use budget::{BudgetConfig, ShareBudget};
pub use ewma::Ewma;
pub use hedge::{HedgeConfig, Hedger, Raced};
pub use load::{InFlight, NodeLoad};
pub use quantile::DecayingQuantile;
pub use read::{Candidate, ReadPolicy, ReadSelector};
