//! RESP, the Redis protocol, in its versions 2 and 3.
//!
//! | module | for | holds |
//! |---|---|---|
//! | [`request`] | servers | the parser of requests |
//! | [`writer`] | servers | the writer of replies |
//! | [`value`] | clients | replies as values |
//! | [`decoder`] | clients | the decoder of replies |
//! | [`double`] | both | how numbers are written |

pub mod decoder;
pub mod double;
mod inline;
pub(crate) mod number;
pub mod request;
pub mod value;
pub mod writer;
