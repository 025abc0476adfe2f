//! Whatever bytes arrive, however they are cut: the parser neither panics nor stalls, and the cuts don't show.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rondache_protocol::resp::request::{ProtocolError, RequestLimits, RequestParser, Step};

/// Small enough for inputs to reach every limit.
const LIMITS: RequestLimits = RequestLimits { bulk_len_max: 200, args_max: 50, inline_len_max: 100 };

type Outcome = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

fn parse(stream: &[u8], piece_len: usize) -> Outcome {
    let mut parser = RequestParser::new(LIMITS);
    let (mut buf, mut args, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for piece in stream.chunks(piece_len.max(1)) {
        buf.extend_from_slice(piece);
        let mut from = 0;
        loop {
            args.clear();
            let behind = match parser.next(&buf, from, &mut args) {
                Ok(Step::Request { argc, end }) => {
                    assert_eq!(argc, args.len());
                    if argc > 0 {
                        requests.push(args.iter().map(|arg| arg.of(&buf).to_vec()).collect());
                    }
                    end
                }
                Ok(Step::Inline { args, end }) => {
                    requests.push(args);
                    end
                }
                Ok(Step::Incomplete) => break,
                Err(error) => return (requests, Some(error)),
            };
            assert!(behind > from && behind <= buf.len(), "no progress");
            from = behind;
        }
        buf.drain(..from);
    }
    (requests, None)
}

fuzz_target!(|input: &[u8]| {
    if let Some((cut, stream)) = input.split_first() {
        assert_eq!(parse(stream, usize::from(*cut)), parse(stream, stream.len()));
    }
});
