//! Messages as bytes. The only place that knows the serialization library, so that it can be replaced.
//!
//! Meant for the control plane's messages; what travels per request is encoded by hand.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::{Serialize, de::DeserializeOwned};

/// The longest message, as bytes and, while it is decoded, as memory: what claims more is refused before it is allocated.
pub const MESSAGE_LEN_MAX: usize = 16 * 1024 * 1024;

type Format = Configuration<LittleEndian, Varint, Limit<MESSAGE_LEN_MAX>>;

const FORMAT: Format = bincode::config::standard().with_limit::<MESSAGE_LEN_MAX>();

/// Why a message could not become bytes, or bytes no message.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The message cannot be encoded.
    #[error("a message cannot be encoded: {0}")]
    Encode(#[from] bincode::error::EncodeError),
    /// The bytes are no such message, or one of a newer version.
    #[error("a message cannot be decoded: {0}")]
    Decode(#[from] bincode::error::DecodeError),
    /// The message is longer than [`MESSAGE_LEN_MAX`].
    #[error("a message of {len} bytes is too long: the limit is {MESSAGE_LEN_MAX}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Bytes follow the message.
    #[error("{0} bytes follow a message")]
    Trailing(usize),
}

/// The message as bytes.
///
/// # Errors
/// It is too long.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, CodecError> {
    let bytes = bincode::serde::encode_to_vec(message, FORMAT)?;
    if bytes.len() > MESSAGE_LEN_MAX {
        return Err(CodecError::TooLong { len: bytes.len() });
    }
    Ok(bytes)
}

/// The message that `bytes` are, all of them.
///
/// # Errors
/// They are no such message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (message, used) = bincode::serde::decode_from_slice(bytes, FORMAT)?;
    match bytes.len() - used {
        0 => Ok(message),
        rest => Err(CodecError::Trailing(rest)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(message: (u64, String, Vec<Option<u16>>)) {
            let bytes = encode(&message).expect("a short message");
            prop_assert_eq!(decode::<(u64, String, Vec<Option<u16>>)>(&bytes).expect("it was encoded"), message);
        }

        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes: Vec<u8>) {
            let _ = decode::<(u64, Vec<String>, Option<Vec<u8>>)>(&bytes);
        }
    }

    #[test]
    fn a_message_that_claims_to_be_huge_is_refused_before_it_is_allocated() {
        let claim = encode(&(1_u64 << 40)).expect("a number");
        assert!(matches!(decode::<Vec<u8>>(&claim), Err(CodecError::Decode(_))));
    }

    #[test]
    fn bytes_behind_a_message_are_an_error() {
        assert!(matches!(decode::<u8>(&[1, 2, 3]), Err(CodecError::Trailing(2))));
    }
}
