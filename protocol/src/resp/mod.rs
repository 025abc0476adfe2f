//! RESP, the Redis protocol, in its versions 2 and 3.

mod inline;
pub(crate) mod number;
pub mod request;
