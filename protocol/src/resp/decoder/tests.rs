use super::{DecodeError, ReplyDecoder, ReplyLimits};
use crate::resp::value::Value;
use crate::resp::writer::{ReplyWriter, RespVersion};
use bytes::Bytes;
use proptest::prelude::*;

/// Feeds `stream` in pieces, dropping what was consumed after each.
fn decode_in_pieces(stream: &[u8], cuts: &[usize], limits: &ReplyLimits) -> (Vec<Value>, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits.clone());
    let mut ends: Vec<usize> = cuts.iter().map(|cut| *cut % (stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let (mut values, mut buf, mut fed) = (Vec::new(), Vec::new(), 0);
    for end in ends {
        buf.extend_from_slice(&stream[fed..end]);
        fed = end;
        loop {
            match decoder.decode(&buf) {
                Ok(decoded) => {
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

fn decode(stream: &[u8]) -> Result<Vec<Value>, DecodeError> {
    match decode_in_pieces(stream, &[], &ReplyLimits::default()) {
        (values, None) => Ok(values),
        (_, Some(error)) => Err(error),
    }
}

fn text(bytes: &'static str) -> Bytes {
    Bytes::from_static(bytes.as_bytes())
}

#[test]
fn every_kind_of_reply_is_read() {
    let cases = [
        ("+OK\r\n", Value::Simple(text("OK"))),
        ("-ERR no\r\n", Value::Error(text("ERR no"))),
        ("!6\r\nERR no\r\n", Value::Error(text("ERR no"))),
        (":-42\r\n", Value::Integer(-42)),
        (":+42\r\n", Value::Integer(42)),
        ("$4\r\na\r\nb\r\n", Value::Bulk(text("a\r\nb"))),
        ("$-1\r\n", Value::Null),
        ("*-1\r\n", Value::Null),
        ("_\r\n", Value::Null),
        ("#t\r\n", Value::Boolean(true)),
        ("#f\r\n", Value::Boolean(false)),
        (",1.5\r\n", Value::Double(1.5)),
        (",-inf\r\n", Value::Double(f64::NEG_INFINITY)),
        (",1e+20\r\n", Value::Double(1e20)),
        ("(123456789012345678901234567890\r\n", Value::BigNumber(text("123456789012345678901234567890"))),
        ("=6\r\ntxt:hi\r\n", Value::Verbatim { format: *b"txt", text: text("hi") }),
        ("*0\r\n", Value::Array(vec![])),
        ("*2\r\n:1\r\n*1\r\n_\r\n", Value::Array(vec![Value::Integer(1), Value::Array(vec![Value::Null])])),
        ("%1\r\n+a\r\n:1\r\n", Value::Map(vec![(Value::Simple(text("a")), Value::Integer(1))])),
        ("~1\r\n:1\r\n", Value::Set(vec![Value::Integer(1)])),
        (">1\r\n:1\r\n", Value::Push(vec![Value::Integer(1)])),
        (
            "|1\r\n+a\r\n:1\r\n*1\r\n|0\r\n:2\r\n",
            Value::Attributed {
                attributes: vec![(Value::Simple(text("a")), Value::Integer(1))],
                value: Box::new(Value::Array(vec![Value::Attributed {
                    attributes: vec![],
                    value: Box::new(Value::Integer(2)),
                }])),
            },
        ),
    ];
    for (stream, value) in cases {
        assert_eq!(decode(stream.as_bytes()), Ok(vec![value]), "{stream:?}");
    }
}

#[test]
fn malformed_replies_are_refused() {
    let cases = [
        ("x\r\n", DecodeError::UnknownType(b'x')),
        ("+a\rb\r\n", DecodeError::BadLineEnd),
        ("+a\n", DecodeError::BadLineEnd),
        ("$1\r\nab\r\n", DecodeError::BadLineEnd),
        (":1x\r\n", DecodeError::InvalidValue),
        (":+-1\r\n", DecodeError::InvalidValue),
        ("#x\r\n", DecodeError::InvalidValue),
        ("_x\r\n", DecodeError::InvalidValue),
        (",1..2\r\n", DecodeError::InvalidValue),
        ("(12a\r\n", DecodeError::InvalidValue),
        ("=2\r\nhi\r\n", DecodeError::InvalidValue),
        ("$-2\r\n", DecodeError::InvalidLength),
        ("%-1\r\n", DecodeError::InvalidLength),
        ("*x\r\n", DecodeError::InvalidLength),
        ("*?\r\n", DecodeError::Streamed),
        ("$?\r\n", DecodeError::Streamed),
    ];
    for (stream, error) in cases {
        assert_eq!(decode(stream.as_bytes()), Err(error), "{stream:?}");
    }
}

#[test]
fn replies_beyond_a_limit_are_refused() {
    let limits = ReplyLimits { depth_max: 3, bulk_len_max: 10, line_len_max: 8, elements_max: 6, reply_len_max: 40 };
    let cases = [
        ("*1\r\n*1\r\n*1\r\n*1\r\n", DecodeError::TooDeep),
        ("$11\r\n", DecodeError::BulkTooLong),
        ("+123456789", DecodeError::LineTooLong),
        ("*7\r\n", DecodeError::TooManyElements),
        ("%4\r\n", DecodeError::TooManyElements),
        ("*3\r\n*4\r\n", DecodeError::TooManyElements),
        ("*6\r\n+1234567\r\n+1234567\r\n+1234567\r\n+1234567\r\n", DecodeError::ReplyTooLong),
    ];
    for (stream, error) in cases {
        assert_eq!(decode_in_pieces(stream.as_bytes(), &[], &limits).1, Some(error), "{stream:?}");
    }
    let many = "*2\r\n:1\r\n:2\r\n".repeat(20);
    assert_eq!(decode_in_pieces(many.as_bytes(), &[], &limits).1, None, "limits count for each reply anew");
}

#[test]
fn an_announced_count_reserves_nothing() {
    let mut decoder = ReplyDecoder::default();
    let decoded = decoder.decode(b"*16000000\r\n:1\r\n").expect("within the limits");
    assert_eq!((decoded.consumed, decoded.value), (15, None));
    assert!(decoder.open.iter().all(|open| open.values.capacity() < 64));
}

#[test]
fn a_known_length_tells_how_much_is_wanted() {
    let mut decoder = ReplyDecoder::default();
    let decoded = decoder.decode(b"$1000\r\nabc").expect("well-formed");
    assert_eq!((decoded.consumed, decoded.value, decoder.bytes_wanted()), (7, None, 999));
}

fn leaf() -> impl Strategy<Value = Value> {
    let line = || "[ -~]{0,12}".prop_map(Bytes::from);
    let lines = "[a-z\r\n]{0,12}".prop_map(Bytes::from);
    let bytes = || prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    prop_oneof![
        Just(Value::Null),
        line().prop_map(Value::Simple),
        lines.prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::Bulk),
        bytes().prop_map(|text| Value::Verbatim { format: *b"txt", text }),
        any::<bool>().prop_map(Value::Boolean),
        prop::num::f64::NORMAL.prop_map(Value::Double),
        "-?[0-9]{1,30}".prop_map(|digits| Value::BigNumber(digits.into())),
    ]
}

fn reply() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 40, 5, |inner| {
        let values = || prop::collection::vec(inner.clone(), 0..5);
        let pairs = || prop::collection::vec((inner.clone(), inner.clone()), 0..3);
        prop_oneof![
            values().prop_map(Value::Array),
            values().prop_map(Value::Set),
            values().prop_map(Value::Push),
            pairs().prop_map(Value::Map),
            (pairs(), inner.clone())
                .prop_map(|(attributes, value)| Value::Attributed { attributes, value: Box::new(value) }),
        ]
    })
}

proptest! {
    #[test]
    fn any_split_of_written_replies_gives_them_back(
        replies in prop::collection::vec(reply(), 0..5),
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        let mut stream = Vec::new();
        for reply in &replies {
            reply.write_to(&mut ReplyWriter::new(&mut stream, RespVersion::V3));
        }
        prop_assert_eq!(decode_in_pieces(&stream, &cuts, &ReplyLimits::default()), (replies, None));
    }

    #[test]
    fn resp2_replies_are_read_without_an_error(reply in reply()) {
        let mut stream = Vec::new();
        reply.write_to(&mut ReplyWriter::new(&mut stream, RespVersion::V2));
        let (values, error) = decode_in_pieces(&stream, &[], &ReplyLimits::default());
        prop_assert_eq!((values.len(), error), (1, None));
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same_outcome_which_reads_the_same_when_written_again(
        stream in "([*~>%|$!=][0-9?-]{0,2}\r\n|[:+#,(_-][a-z0-9.-]{0,3}\r\n|[a-z]{0,4}|\r\n|\r|\n){0,20}",
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        let limits =
            ReplyLimits { depth_max: 4, bulk_len_max: 12, line_len_max: 5, elements_max: 30, reply_len_max: 60 };
        let (values, error) = decode_in_pieces(stream.as_bytes(), &[], &limits);
        // Compared as text: a NaN, which a reply may hold, doesn't equal itself.
        let whole = format!("{:?}", (&values, error));
        prop_assert_eq!(format!("{:?}", decode_in_pieces(stream.as_bytes(), &cuts, &limits)), whole);
        let mut written = Vec::new();
        for value in &values {
            value.write_to(&mut ReplyWriter::new(&mut written, RespVersion::V3));
        }
        prop_assert_eq!(format!("{:?}", decode(&written)), format!("{:?}", Ok::<_, DecodeError>(values)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&stream);
    }
}
