//! Typed methods, a file per command family. They do what the command of the same name does; what the reply becomes is
//! the caller's choice where it holds his data. Options that are rare have no method: build those with
//! [`Cmd`](crate::Cmd) and [`Client::query`](crate::Client::query).

mod bitmaps;
mod geo;
mod hashes;
mod hyperloglog;
mod keys;
mod lists;
mod options;
mod pubsub;
mod server;
mod sets;
mod sorted_sets;
mod strings;

pub use geo::{GeoOrder, GeoShape, GeoUnit};
pub use lists::Side;
pub use options::{Condition, Expiry, SetOptions};
pub use sorted_sets::{ScoreUpdate, ZAdd};

/// Methods of [`Client`](crate::Client) that build a command and convert its reply.
macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident $(<$($type:ident),*>)? ($($arg:ident: $arg_type:ty),* $(,)?) -> $reply:ty = $cmd:expr;)*) => {
        impl $crate::Client {
            $(
                $(#[$meta])*
                pub async fn $name $(<$($type: $crate::FromValue),*>)? (&self, $($arg: $arg_type),*) -> Result<$reply, $crate::ClientError> {
                    self.query($cmd).await
                }
            )*
        }
    };
}
use commands;
