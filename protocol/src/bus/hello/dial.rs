//! The handshake's dialling side.

use super::{
    ACCEPTER, DIALER, HelloBody, HelloError, Local, MAGIC, Nonce, Peer, Purpose, Refusal, ReplyBody, Step,
    check_clusters, encode_body, framed, kind, split_proof,
};
use crate::bus::{codec, frame::Frame, identity::Identity};

/// The side that opens the connection.
#[derive(Debug)]
pub struct Dialer {
    local: Local,
    purpose: Purpose,
    expected: Option<Identity>,
    hello: Vec<u8>,
    /// Set once the accepter has proven itself.
    peer: Option<Peer>,
}

impl Dialer {
    /// Begins a handshake: send the bytes. Only `expected` is accepted at the other end, if given.
    #[must_use]
    pub fn start(local: Local, purpose: Purpose, expected: Option<Identity>, nonce: Nonce) -> (Self, Vec<u8>) {
        let mut hello = MAGIC.to_vec();
        hello.extend_from_slice(&local.versions.0.to_le_bytes());
        hello.extend_from_slice(&local.versions.1.to_le_bytes());
        let body = HelloBody {
            purpose,
            cluster: local.cluster,
            cluster_name: local.cluster_name.clone(),
            from: local.identity,
            nonce,
        };
        encode_body(&mut hello, &body);
        let bytes = framed(kind::HELLO, &hello);
        (Self { local, purpose, expected, hello, peer: None }, bytes)
    }

    /// Takes the peer's next frame.
    ///
    /// # Errors
    /// Either side refuses the other.
    pub fn on_frame(&mut self, frame: Frame<'_>) -> Result<Step, HelloError> {
        match (frame.kind, self.peer) {
            (kind::REPLY, None) => self.on_reply(frame.payload).map_err(HelloError::Refusing),
            (kind::READY, Some(peer)) => Ok(Step::Done(peer, Vec::new())),
            (kind::REFUSE, _) => Err(HelloError::Refused(Refusal::from_frame(frame))),
            _ => Err(HelloError::Refusing(Refusal::NotRondache)),
        }
    }

    fn on_reply(&mut self, payload: &[u8]) -> Result<Step, Refusal> {
        let (proof, said) = split_proof(payload).ok_or(Refusal::NotRondache)?;
        if self.local.keys.prove(&[ACCEPTER, &self.hello, said]) != proof {
            return Err(Refusal::WrongSecret);
        }
        let (version, body) = said.split_first_chunk::<2>().ok_or(Refusal::NotRondache)?;
        let version = u16::from_le_bytes(*version);
        let (min, max) = self.local.versions;
        if !(min..=max).contains(&version) {
            return Err(Refusal::NoCommonVersion { min, max });
        }
        let ReplyBody { cluster, from, nonce: _ } = codec::decode(body).map_err(|_| Refusal::NotRondache)?;
        if from == self.local.identity {
            return Err(Refusal::Itself);
        }
        if self.expected.is_some_and(|expected| expected != from) {
            return Err(Refusal::OtherIdentity { found: from });
        }
        check_clusters(self.local.cluster, cluster, self.purpose)?;
        self.peer = Some(Peer { identity: from, cluster, version, purpose: self.purpose });
        let mine = self.local.keys.prove(&[DIALER, &self.hello, payload]);
        Ok(Step::Send(framed(kind::PROOF, mine.as_bytes())))
    }
}
