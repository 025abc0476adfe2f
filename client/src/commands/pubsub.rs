//! Publishing; for subscribing see [`Client::subscribe`](crate::Client::subscribe).

use super::commands;
use crate::{Cmd, ToArg};

commands! {
    /// Sends a message to a channel's subscribers, and answers how many heard it on the node that took it.
    publish(channel: impl ToArg, message: impl ToArg) -> u64 = Cmd::new("PUBLISH").arg(channel).arg(message);
    /// Sends a message to a shard channel's subscribers, and answers how many heard it.
    spublish(channel: impl ToArg, message: impl ToArg) -> u64 = Cmd::new("SPUBLISH").arg(channel).arg(message);
    /// The channels with subscribers that match a pattern.
    pubsub_channels(pattern: impl ToArg) -> Vec<String> = Cmd::new("PUBSUB").arg("CHANNELS").arg(pattern);
    /// How many subscribers channels have.
    pubsub_numsub(channels: impl IntoIterator<Item = impl ToArg>) -> Vec<(String, u64)> =
        Cmd::new("PUBSUB").arg("NUMSUB").args(channels);
}
