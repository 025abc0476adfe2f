//! The handshake's accepting side.

use super::{
    ACCEPTER, DIALER, HelloBody, HelloError, Local, MAGIC, NAME_LEN_MAX, Nonce, Peer, Refusal, ReplyBody, Step,
    check_clusters, encode_body, framed, kind, split_proof,
};
use crate::bus::{codec, frame::Frame, secret::PROOF_LEN};

/// The side that is dialled.
///
/// Whether the proven peer is welcome (is it alive?) is for the caller to say, between [`Step::Done`] and sending its
/// bytes.
#[derive(Debug)]
pub struct Accepter {
    local: Local,
    nonce: Nonce,
    /// Set once the dialer has said hello: who it says it is, and the proof that it owes.
    said: Option<(Peer, blake3::Hash)>,
}

impl Accepter {
    /// Waits for a dialer's hello.
    #[must_use]
    pub fn new(local: Local, nonce: Nonce) -> Self {
        Self { local, nonce, said: None }
    }

    /// Takes the peer's next frame.
    ///
    /// # Errors
    /// Either side refuses the other.
    pub fn on_frame(&mut self, frame: Frame<'_>) -> Result<Step, HelloError> {
        match (frame.kind, self.said.take()) {
            (kind::HELLO, None) => self.on_hello(frame.payload).map_err(HelloError::Refusing),
            (kind::PROOF, Some((peer, owed))) => {
                let is_proven =
                    split_proof(frame.payload).is_some_and(|(proof, rest)| rest.is_empty() && proof == owed);
                if is_proven {
                    Ok(Step::Done(peer, framed(kind::READY, &[])))
                } else {
                    Err(HelloError::Refusing(Refusal::WrongSecret))
                }
            }
            (kind::REFUSE, _) => Err(HelloError::Refused(Refusal::from_frame(frame))),
            _ => Err(HelloError::Refusing(Refusal::NotRondache)),
        }
    }

    fn on_hello(&mut self, hello: &[u8]) -> Result<Step, Refusal> {
        let said = hello.strip_prefix(&MAGIC).ok_or(Refusal::NotRondache)?;
        let (&[min0, min1, max0, max1], body) = said.split_first_chunk::<4>().ok_or(Refusal::NotRondache)?;
        let theirs = (u16::from_le_bytes([min0, min1]), u16::from_le_bytes([max0, max1]));
        let version = self.common_version(theirs)?;
        let body: HelloBody = codec::decode(body).map_err(|_| Refusal::NotRondache)?;
        if body.cluster_name.len() > NAME_LEN_MAX {
            return Err(Refusal::NotRondache);
        }
        if body.cluster_name != self.local.cluster_name {
            return Err(Refusal::OtherClusterName { mine: self.local.cluster_name.clone() });
        }
        check_clusters(self.local.cluster, body.cluster, body.purpose)?;
        let peer = Peer { identity: body.from, cluster: body.cluster, version, purpose: body.purpose };
        let payload = self.reply(hello, version);
        let owed = self.local.keys.prove(&[DIALER, hello, &payload]);
        self.said = Some((peer, owed));
        Ok(Step::Send(framed(kind::REPLY, &payload)))
    }

    fn common_version(&self, (their_min, their_max): (u16, u16)) -> Result<u16, Refusal> {
        let (min, max) = self.local.versions;
        let version = max.min(their_max);
        if version < min.max(their_min) {
            return Err(Refusal::NoCommonVersion { min, max });
        }
        Ok(version)
    }

    fn reply(&self, hello: &[u8], version: u16) -> Vec<u8> {
        let mut payload = vec![0; PROOF_LEN];
        payload.extend_from_slice(&version.to_le_bytes());
        let body = ReplyBody { cluster: self.local.cluster, from: self.local.identity, nonce: self.nonce };
        encode_body(&mut payload, &body);
        let proof = self.local.keys.prove(&[ACCEPTER, hello, &payload[PROOF_LEN..]]);
        payload[..PROOF_LEN].copy_from_slice(proof.as_bytes());
        payload
    }
}
