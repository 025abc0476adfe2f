//! RESP, the Redis protocol, in its versions 2 and 3.
//!
//! | module | for | holds |
//! |---|---|---|
//! | [`request`] | servers | the parser of requests |
//! | [`writer`] | servers | the writer of replies |
//! | [`double`] | both | how numbers are written |

pub mod double;
mod inline;
pub(crate) mod number;
pub mod request;
pub mod writer;
