//! The handshake that opens every connection between nodes, as two state machines without I/O.
//!
//! ```text
//! dialer                                                    accepter
//!   Hello: magic, versions, purpose, cluster, who, nonce ─────►
//!   ◄──── Reply: proof, version, cluster, who, nonce  (or Refuse)
//!   Proof ────────────────────────────────────────────────────►
//!   ◄──────────────────────────────────────── Ready  (or Refuse)
//! ```
//! Each side proves that it knows the cluster's secret, by a keyed hash over all that both have said, both nonces
//! included; so nobody can answer for another, replay an old answer, or change what was said on the way.
//! What follows is neither encrypted nor signed.
//!
//! **Versions.** Magic and version range stand first in `Hello`, and stay where they are for ever. The rest of it is laid
//! out as the *oldest* version that the dialer speaks has it, so that the node before can read it. A node speaks its own
//! version and the one before.

mod accept;
mod dial;
mod refusal;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{
    accept::Accepter,
    dial::Dialer,
    refusal::{HelloError, Refusal},
};
use super::{
    codec, frame,
    identity::{ClusterId, Identity},
    secret::{ClusterKeys, PROOF_LEN},
};

/// What a handshake begins with.
pub const MAGIC: [u8; 8] = *b"RONDACHE";

/// The oldest and the newest version of the bus protocol that this program speaks.
pub const VERSIONS: (u16, u16) = (1, 1);

/// The longest payload of a frame of the handshake.
pub const HELLO_LEN_MAX: usize = 4096;

/// The longest name of a cluster, a node or a zone, in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// Random bytes that make a handshake unlike any other.
pub type Nonce = [u8; 32];

/// The handshake's kinds of frames.
mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const REPLY: u8 = 2;
    pub(super) const PROOF: u8 = 3;
    pub(super) const READY: u8 = 4;
    pub(super) const REFUSE: u8 = 5;
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// One question and its answer: may I join, is this one alive? The only purpose for which a side needs no cluster yet.
    Ask,
    /// The dialer's control messages.
    Control,
    /// Requests for slots that the accepter owns, and their replies.
    Forward,
    /// A stream of effects from the owner that dials to a copy. The copy's first frame says how far it has applied it.
    Replicate {
        /// Which of the owner's streams.
        stream: u16,
        /// How many streams the owner has.
        streams: u16,
        /// Names the stream's life: random, new whenever the owner begins the stream from nothing.
        session: u64,
        /// The number of the oldest frame that the owner can still send.
        first: u64,
    },
}

/// A node, as it speaks of itself in a handshake.
#[derive(Clone, Debug)]
pub struct Local {
    /// Which life of which node.
    pub identity: Identity,
    /// The cluster that it is in, if it is in one yet.
    pub cluster: Option<ClusterId>,
    /// The name of the cluster that it is in or wants to be in.
    pub cluster_name: String,
    /// The versions that it speaks: [`VERSIONS`] but for tests.
    pub versions: (u16, u16),
    /// What it proves its membership with.
    pub keys: ClusterKeys,
}

/// Who is at the other end, proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which life of which node.
    pub identity: Identity,
    /// The cluster that it is in, if it is in one yet.
    pub cluster: Option<ClusterId>,
    /// The version that both speak on this connection.
    pub version: u16,
    /// What the connection is for.
    pub purpose: Purpose,
}

/// What a state machine wants done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes, then wait for a frame.
    Send(Vec<u8>),
    /// Send these bytes (there may be none); then the connection is the purpose's.
    Done(Peer, Vec<u8>),
}

/// What `Hello` says behind its magic and versions, in version 1.
#[derive(Debug, Serialize, Deserialize)]
struct HelloBody {
    purpose: Purpose,
    cluster: Option<ClusterId>,
    cluster_name: String,
    from: Identity,
    nonce: Nonce,
}

/// What `Reply` says behind proof and version, in version 1.
#[derive(Debug, Serialize, Deserialize)]
struct ReplyBody {
    cluster: Option<ClusterId>,
    from: Identity,
    nonce: Nonce,
}

/// Who proves: without it, a proof could be sent back to its maker.
const DIALER: &[u8] = b"dialer";
const ACCEPTER: &[u8] = b"accepter";

/// Whether the two clusters are one, as far as the purpose needs it.
fn check_clusters(mine: Option<ClusterId>, theirs: Option<ClusterId>, purpose: Purpose) -> Result<(), Refusal> {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine != theirs => Err(Refusal::OtherClusterId { mine }),
        (Some(_), Some(_)) => Ok(()),
        _ if purpose == Purpose::Ask => Ok(()),
        _ => Err(Refusal::NoCluster),
    }
}

fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // The handshake's own messages are short: names are cut where they are read from the configuration.
    let _ = frame::encode(&mut out, kind, 0, payload, HELLO_LEN_MAX);
    out
}

/// Splits the proof off a payload.
fn split_proof(payload: &[u8]) -> Option<(blake3::Hash, &[u8])> {
    let (proof, rest) = payload.split_first_chunk::<PROOF_LEN>()?;
    Some((blake3::Hash::from_bytes(*proof), rest))
}

fn encode_body<T: Serialize>(out: &mut Vec<u8>, body: &T) {
    // Bodies are a few numbers and a short name, which the codec never refuses.
    out.extend(codec::encode(body).unwrap_or_default());
}
