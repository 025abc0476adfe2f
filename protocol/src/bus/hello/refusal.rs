//! Why a handshake fails, as both sides hear it.

use serde::{Deserialize, Serialize};

use super::{HELLO_LEN_MAX, framed, kind};
use crate::bus::{
    codec,
    frame::Frame,
    identity::{ClusterId, Identity},
};

/// Why a node does not want a connection; sent to the peer before it is closed.
///
/// New ones are added at the end: older nodes read them as [`Refusal::Unclear`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The other side speaks something else.
    #[error("it does not speak Rondache's bus protocol")]
    NotRondache,
    /// The version ranges do not meet.
    #[error("it has no version of the bus protocol in common: the refusing side speaks {min} to {max}")]
    NoCommonVersion {
        /// The oldest version that the refusing side speaks.
        min: u16,
        /// The newest one.
        max: u16,
    },
    /// The clusters have different names.
    #[error("it belongs to a cluster of another name: the refusing side's is '{mine}'")]
    OtherClusterName {
        /// The refusing side's.
        mine: String,
    },
    /// The clusters have different ids: clusters never merge.
    #[error("it belongs to another cluster: the refusing side's is {mine}")]
    OtherClusterId {
        /// The refusing side's.
        mine: ClusterId,
    },
    /// The proof is wrong.
    #[error("its cluster-secret is another")]
    WrongSecret,
    /// One side is not in a cluster yet.
    #[error("one of both sides has not joined a cluster yet")]
    NoCluster,
    /// The node is no member that the refusing side knows of (yet).
    #[error("it is not known as a member")]
    UnknownIdentity,
    /// The node's life is over, as the refusing side sees it.
    #[error("it is held for dead")]
    DeadIdentity,
    /// Another life, or another node, answers at that address.
    #[error("{found:?} answers at its address")]
    OtherIdentity {
        /// Who answers.
        found: Identity,
    },
    /// The node has dialled itself.
    #[error("it is this node itself")]
    Itself,
    /// The refusing side has too much to do.
    #[error("too many connections are being opened")]
    Busy,
    /// The refusing side accepts nodes on its own machine only.
    #[error(
        "protected mode: it accepts nodes on its own machine only, as it has no cluster-secret; give all nodes the same \
         --cluster-secret, or start it with --protected-mode no"
    )]
    Protected,
    /// A reason that this version does not know.
    #[error("a reason that this version does not know")]
    Unclear,
}

impl Refusal {
    /// The refusal as a frame.
    #[must_use]
    pub fn to_frame(&self) -> Vec<u8> {
        framed(kind::REFUSE, &codec::encode(self).unwrap_or_default())
    }

    pub(super) fn from_frame(frame: Frame<'_>) -> Self {
        codec::decode(frame.payload).unwrap_or(Self::Unclear)
    }

    /// Whether the same attempt may succeed later, without anyone's help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::NoCluster | Self::UnknownIdentity | Self::DeadIdentity | Self::Busy)
    }
}

// A refusal always fits: the longest holds a cluster's name.
const _: () = assert!(super::NAME_LEN_MAX * 4 < HELLO_LEN_MAX);

/// How a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The peer refuses this node.
    #[error("the peer refused this node: {0}")]
    Refused(Refusal),
    /// This node refuses the peer: send it [`Refusal::to_frame`], and close.
    #[error("the peer is refused: {0}")]
    Refusing(Refusal),
}
