//! How values become bytes: the one place that knows the encodings' libraries.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::error::CodecError;

/// The longest value that is encoded or decoded, so that a forged length cannot make a decoder allocate more.
const VALUE_LEN_MAX: usize = 64 << 20;

/// An encoding of values of type `T`.
pub trait Codec<T>: Send + Sync + 'static {
    /// Stands in the envelope of each value: what another codec wrote is not decoded but loaded again. Numbers below 128
    /// are this crate's.
    const ID: u8;

    /// The value as bytes.
    ///
    /// # Errors
    /// The value has no such form, or is too long.
    fn encode(value: &T) -> Result<Vec<u8>, CodecError>;

    /// The value that the bytes stand for.
    ///
    /// # Errors
    /// They don't stand for a value of this type, for example because another version of the program wrote them.
    fn decode(bytes: &[u8]) -> Result<T, CodecError>;
}

/// Compact binary encoding (bincode in its standard configuration) of what serde knows. Not self-describing: raise
/// [`LoadOptions::schema`](super::LoadOptions::schema) when the type changes.
#[derive(Debug)]
pub struct Bincode;

/// JSON, for values that other programs read.
#[derive(Debug)]
pub struct Json;

/// Bytes and strings as they are.
#[derive(Debug)]
pub struct Raw;

impl<T: Serialize + DeserializeOwned> Codec<T> for Bincode {
    const ID: u8 = 1;

    fn encode(value: &T) -> Result<Vec<u8>, CodecError> {
        let bytes = bincode::serde::encode_to_vec(value, bincode_config()).map_err(|error| bincode_error(&error))?;
        checked("bincode", bytes)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        let (value, read) =
            bincode::serde::decode_from_slice(bytes, bincode_config()).map_err(|error| bincode_error(&error))?;
        // A shorter type decodes from the front of a longer one's bytes without complaint.
        if read == bytes.len() { Ok(value) } else { Err(error("bincode", "bytes are left over")) }
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    const ID: u8 = 2;

    fn encode(value: &T) -> Result<Vec<u8>, CodecError> {
        let bytes = serde_json::to_vec(value).map_err(|reason| error("JSON", reason))?;
        checked("JSON", bytes)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes).map_err(|reason| error("JSON", reason))
    }
}

impl Codec<Bytes> for Raw {
    const ID: u8 = 3;

    fn encode(value: &Bytes) -> Result<Vec<u8>, CodecError> {
        checked("raw", value.to_vec())
    }

    fn decode(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

impl Codec<Vec<u8>> for Raw {
    const ID: u8 = 3;

    fn encode(value: &Vec<u8>) -> Result<Vec<u8>, CodecError> {
        checked("raw", value.clone())
    }

    fn decode(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        Ok(bytes.to_vec())
    }
}

impl Codec<String> for Raw {
    const ID: u8 = 3;

    fn encode(value: &String) -> Result<Vec<u8>, CodecError> {
        checked("raw", value.as_bytes().to_vec())
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        String::from_utf8(bytes.to_vec()).map_err(|reason| error("raw", reason))
    }
}

fn bincode_config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<VALUE_LEN_MAX>()
}

fn bincode_error(reason: &dyn std::fmt::Display) -> CodecError {
    error("bincode", reason)
}

fn error(codec: &'static str, reason: impl std::fmt::Display) -> CodecError {
    CodecError { codec, reason: reason.to_string() }
}

fn checked(codec: &'static str, bytes: Vec<u8>) -> Result<Vec<u8>, CodecError> {
    if bytes.len() <= VALUE_LEN_MAX {
        return Ok(bytes);
    }
    Err(error(codec, format_args!("{} bytes are more than the limit of {VALUE_LEN_MAX}", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_codec_gives_back_what_it_was_given() {
        let value = (7u32, String::from("seven"), vec![1u8, 2]);
        assert_eq!(Bincode::decode(&Bincode::encode(&value).unwrap_or_default()), Ok(value.clone()));
        assert_eq!(Json::decode(&Json::encode(&value).unwrap_or_default()), Ok(value));
        let text = String::from("as it is");
        assert_eq!(Raw::encode(&text), Ok(text.as_bytes().to_vec()));
        assert_eq!(Raw::decode(text.as_bytes()), Ok(text));
    }

    #[test]
    fn bytes_that_are_left_over_are_an_error() {
        let long = Bincode::encode(&(1u8, 2u8)).unwrap_or_default();
        assert!(<Bincode as Codec<u8>>::decode(&long).is_err());
    }

    #[test]
    fn a_forged_length_is_refused_before_memory_is_taken() {
        let forged = [253, 255, 255, 255, 255, 255, 255, 255, 127];
        assert!(<Bincode as Codec<Vec<u64>>>::decode(&forged).is_err());
    }

    #[test]
    fn raw_text_that_is_not_utf8_is_an_error() {
        assert!(<Raw as Codec<String>>::decode(&[0xff]).is_err());
    }

    proptest! {
        #[test]
        fn no_garbage_makes_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = <Bincode as Codec<Vec<(String, Option<u64>)>>>::decode(&bytes);
            let _ = <Json as Codec<Vec<(String, Option<u64>)>>>::decode(&bytes);
        }
    }
}
