//! Whatever bytes arrive, however they are cut: the decoder neither panics nor stalls, the cuts don't show, and what it
//! accepted reads the same after being written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rondache_protocol::resp::decoder::{DecodeError, ReplyDecoder, ReplyLimits};
use rondache_protocol::resp::value::Value;
use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

/// Small enough for inputs to reach every limit.
const LIMITS: ReplyLimits =
    ReplyLimits { depth_max: 8, bulk_len_max: 200, line_len_max: 100, elements_max: 100, reply_len_max: 1000 };

fn decode(stream: &[u8], piece_len: usize, limits: ReplyLimits) -> (Vec<Value>, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let (mut buf, mut values) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece_len.max(1)) {
        buf.extend_from_slice(piece);
        loop {
            match decoder.decode(&buf) {
                Ok(decoded) => {
                    assert!(decoded.consumed > 0 || decoded.value.is_none(), "a reply out of nothing");
                    buf.drain(..decoded.consumed);
                    match decoded.value {
                        Some(value) => values.push(value),
                        None => break,
                    }
                }
                Err(error) => return (values, Some(error)),
            }
        }
    }
    (values, None)
}

fuzz_target!(|input: &[u8]| {
    let Some((cut, stream)) = input.split_first() else {
        return;
    };
    let (values, error) = decode(stream, stream.len(), LIMITS);
    // Compared as text, because a NaN doesn't equal itself.
    let text = format!("{values:?}");
    assert_eq!(format!("{:?}", decode(stream, usize::from(*cut), LIMITS)), format!("{:?}", (&values, error)));
    let mut written = Vec::new();
    for value in &values {
        value.write_to(&mut ReplyWriter::new(&mut written, RespVersion::V3));
    }
    let (again, error) = decode(&written, written.len(), ReplyLimits::default());
    assert_eq!((format!("{again:?}"), error), (text, None));
});
