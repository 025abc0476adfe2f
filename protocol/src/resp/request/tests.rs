use super::{ArgRange, ProtocolError, RequestLimits, RequestParser, Step};
use proptest::prelude::*;

type Request = Vec<Vec<u8>>;

/// Feeds `stream` in pieces of the given lengths, as a connection does: parse all that is there, drop what was consumed.
/// `junk` bytes always stand in front, so that offsets and positions cannot be confused.
fn parse_in_pieces(stream: &[u8], cuts: &[usize], limits: &RequestLimits) -> (Vec<Request>, Option<ProtocolError>) {
    const JUNK: &[u8] = b"*1\r\n";
    let mut parser = RequestParser::new(limits.clone());
    let (mut buf, mut from) = (JUNK.to_vec(), JUNK.len());
    let (mut requests, mut args) = (Vec::new(), Vec::new());
    let mut fed = 0;
    let ends = cuts.iter().map(|cut| *cut % (stream.len() + 1)).chain([stream.len()]);
    let mut ends: Vec<usize> = ends.collect();
    ends.sort_unstable();
    for end in ends {
        buf.extend_from_slice(&stream[fed..end]);
        fed = end;
        loop {
            args.clear();
            args.push(ArgRange { start: 0, end: 1 });
            match parser.next(&buf, from, &mut args) {
                Ok(Step::Request { argc, end }) => {
                    assert_eq!(args.len(), argc + 1);
                    if argc > 0 {
                        requests.push(args[1..].iter().map(|arg| arg.of(&buf).to_vec()).collect());
                    }
                    from = end;
                }
                Ok(Step::Inline { args, end }) => {
                    requests.push(args);
                    from = end;
                }
                Ok(Step::Incomplete) => {
                    assert_eq!(args.len(), 1, "an incomplete request leaves no arguments behind");
                    break;
                }
                Err(error) => return (requests, Some(error)),
            }
        }
        if end % 2 == 0 {
            buf.drain(JUNK.len()..from);
            from = JUNK.len();
        }
    }
    (requests, None)
}

fn parse(stream: &[u8]) -> (Vec<Request>, Option<ProtocolError>) {
    parse_in_pieces(stream, &[], &RequestLimits::default())
}

fn refusal(stream: &[u8], limits: &RequestLimits) -> String {
    let (_, error) = parse_in_pieces(stream, &[], limits);
    error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn pipelined_requests_come_out_one_by_one() {
    let (requests, error) = parse(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\nset a 'b c'\r\n*1\r\n$0\r\n\r\n");
    assert_eq!(error, None);
    let expected: [&[&[u8]]; 4] = [&[b"GET", b"k"], &[b"PING"], &[b"set", b"a", b"b c"], &[b""]];
    assert_eq!(requests, expected.map(|request| request.iter().map(|arg| arg.to_vec()).collect::<Request>()));
}

#[test]
fn empty_requests_are_skipped() {
    let (requests, error) = parse(b"\r\n\n*0\r\n*-1\r\n*-10\r\n   \r\nPING\n");
    assert_eq!((requests, error), (vec![vec![b"PING".to_vec()]], None));
}

#[test]
fn refusals_have_redis_wording() {
    let limits = RequestLimits::default();
    let line = |first: &str| format!("{first}{}", "1".repeat(70_000));
    let cases = [
        ("*x\r\n", "invalid multibulk length"),
        ("*\r\n", "invalid multibulk length"),
        ("*3000000000\r\n", "invalid multibulk length"),
        ("*1048577\r\n", "invalid multibulk length"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$01\r\na\r\n", "invalid bulk length"),
        ("*1\r\n$600000000\r\n", "invalid bulk length"),
        ("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"),
        ("*1\r\n\r\n", "expected '$', got ' '"),
        ("set \"a\r\n", "unbalanced quotes in request"),
        (&line("*"), "too big mbulk count string"),
        (&line("*1\r\n$"), "too big bulk count string"),
        (&line(""), "too big inline request"),
    ];
    for (stream, text) in cases {
        assert_eq!(refusal(stream.as_bytes(), &limits), text);
    }
}

#[test]
fn unauthenticated_clients_are_told_so() {
    let limits = RequestLimits::unauthenticated();
    assert_eq!(refusal(b"*11\r\n", &limits), "unauthenticated multibulk length");
    assert_eq!(refusal(b"*100\r\n", &limits), "unauthenticated multibulk length");
    assert_eq!(refusal(b"*1\r\n$16385\r\n", &limits), "unauthenticated bulk length");
    assert_eq!(refusal(b"*10\r\n$16384\r\n", &limits), "");
}

#[test]
fn a_known_length_tells_how_much_is_wanted() {
    let mut parser = RequestParser::new(RequestLimits::default());
    let mut args = Vec::new();
    assert_eq!(parser.next(b"*2\r\n$3\r\nGET\r\n$1000\r\nabc", 0, &mut args), Ok(Step::Incomplete));
    assert_eq!(parser.bytes_wanted(), 999);
    let whole = [b"*2\r\n$3\r\nGET\r\n$1000\r\n".as_slice(), &[b'a'; 1000], b"\r\n"].concat();
    assert_eq!(parser.next(&whole, 0, &mut args), Ok(Step::Request { argc: 2, end: whole.len() }));
    assert_eq!(parser.bytes_wanted(), 0);
}

#[test]
fn an_announced_count_reserves_nothing() {
    let mut parser = RequestParser::new(RequestLimits::default());
    let mut args = Vec::new();
    assert_eq!(parser.next(b"*1048576\r\n$1\r\na\r\n", 0, &mut args), Ok(Step::Incomplete));
    assert!(parser.partial.capacity() < 64 && args.capacity() < 64);
}

#[test]
fn a_buffer_that_ends_before_the_offset_is_incomplete() {
    let mut parser = RequestParser::default();
    assert_eq!(parser.next(b"PING\r\n", 100, &mut Vec::new()), Ok(Step::Incomplete));
}

/// Requests as clients write them: arrays mostly, of lengths around one, two and three digits, and plain lines.
fn request() -> impl Strategy<Value = (Vec<u8>, Option<Request>)> {
    let arg = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..14),
        1 => prop::collection::vec(any::<u8>(), 90..130),
    ];
    let array = prop::collection::vec(arg, 0..14).prop_map(|args| {
        let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
        for arg in &args {
            bytes.extend(format!("${}\r\n", arg.len()).into_bytes());
            bytes.extend(arg);
            bytes.extend(b"\r\n");
        }
        (bytes, Some(args).filter(|args| !args.is_empty()))
    });
    let line = prop::collection::vec("[a-z]{1,6}", 1..4).prop_map(|words| {
        let bytes = format!("{}\r\n", words.join(" ")).into_bytes();
        (bytes, Some(words.into_iter().map(String::into_bytes).collect()))
    });
    prop_oneof![6 => array, 1 => line]
}

#[test]
fn nothing_of_one_request_is_remembered_for_the_next() {
    for stream in [&b"*0\r\na\n"[..], b"*1\r\n$1\r\na\r\n*\r\n"] {
        let whole = parse(stream);
        for cut in 0..stream.len() {
            assert_eq!(parse_in_pieces(stream, &[cut], &RequestLimits::default()), whole, "cut at {cut}");
        }
    }
}

proptest! {
    #[test]
    fn any_split_of_valid_requests_gives_the_same_requests(
        parts in prop::collection::vec(request(), 0..8),
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        let stream: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let expected: Vec<Request> = parts.into_iter().filter_map(|(_, request)| request).collect();
        let (requests, error) = parse_in_pieces(&stream, &cuts, &RequestLimits::default());
        prop_assert_eq!(error, None);
        prop_assert_eq!(requests, expected);
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same_outcome(
        stream in "(\\*[0-9-]{0,3}\r\n|\\$[0-9]{0,3}\r\n|[a$*\"' \\\\x-]{0,5}|\r\n|[0-9]{0,12}|\r){0,20}",
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        let limits = RequestLimits { bulk_len_max: 12, args_max: 5, inline_len_max: 9 };
        let whole = parse_in_pieces(stream.as_bytes(), &[], &limits);
        prop_assert_eq!(parse_in_pieces(stream.as_bytes(), &cuts, &limits), whole);
    }

    #[test]
    fn arbitrary_bytes_never_hold_more_than_they_pay_for(stream in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut parser = RequestParser::default();
        let (mut from, mut args) = (0, Vec::new());
        while let Ok(Step::Request { end, .. } | Step::Inline { end, .. }) = parser.next(&stream, from, &mut args) {
            prop_assert!(end > from && end <= stream.len());
            from = end;
        }
        prop_assert!(parser.partial.capacity() * 6 <= stream.len().max(64) * 2);
    }
}
