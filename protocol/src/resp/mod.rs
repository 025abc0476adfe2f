//! RESP, the Redis protocol, in its versions 2 and 3.

mod inline;
mod number;
pub mod request;
