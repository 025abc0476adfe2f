use proptest::prelude::*;

use super::*;
use crate::{
    store::object::Typed,
    types::{
        hash::{FieldDeadline, Hash},
        list::List,
        set::Set,
        zset::ZSet,
    },
};

const NOW_MS: u64 = 1_700_000_000_000;

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn read(payload: &[u8]) -> Result<Restored, RestoreError> {
    restore(payload, &EncodingLimits::default(), NOW_MS)
}

/// The payload with a footer that fits.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut payload = body.to_vec();
    payload.extend_from_slice(&VERSION.to_le_bytes());
    payload.extend_from_slice(&crc64::checksum(&payload).to_le_bytes());
    payload
}

fn written(restored: &Restored) -> Vec<u8> {
    let shared;
    let value = match restored {
        Restored::String(string) => Value::Bytes(string),
        Restored::Object(object) => {
            shared = object.clone();
            Value::Object(&shared)
        }
    };
    dump(value, NOW_MS).unwrap()
}

fn list(elements: &[&[u8]]) -> Restored {
    let mut list = List::new();
    elements.iter().for_each(|element| list.push_back(element, &EncodingLimits::default()));
    Restored::Object(list.into_object())
}

fn set(members: &[&[u8]]) -> Restored {
    let mut set = Set::new();
    for member in members {
        set.add(member, &EncodingLimits::default());
    }
    Restored::Object(set.into_object())
}

fn hash(pairs: &[(&[u8], &[u8])]) -> Restored {
    let mut hash = Hash::default();
    for (field, value) in pairs {
        hash.insert(field, value, NOW_MS, &EncodingLimits::default());
    }
    Restored::Object(hash.into_object())
}

fn zset(pairs: &[(&[u8], f64)]) -> Restored {
    let mut zset = ZSet::new();
    for (member, score) in pairs {
        zset.insert(member, *score, &EncodingLimits::default());
    }
    Restored::Object(zset.into_object())
}

/// Asserts that a payload of Valkey 9.1 is read as `wanted`, and that what is written for it is read as the same.
fn assert_reads(hex: &str, wanted: Restored) {
    let restored = read(&bytes_of(hex));
    assert_eq!(restored.as_ref(), Ok(&wanted), "{hex}");
    assert_eq!(read(&written(&wanted)), Ok(wanted));
}

#[test]
fn strings_of_another_server_are_read_plain_as_integers_and_compressed() {
    let text = |bytes: &[u8]| Restored::String(bytes.to_vec());
    assert_reads("000568656c6c6f5000ac5816e7fb6647fe", text(b"hello"));
    assert_reads("00c09c5000305d6a26f8ffb910", text(b"-100"));
    assert_reads("00c1d08a50001a5679883daa3ae4", text(b"-30000"));
    assert_reads("00c2006cca885000fad5672ce14f1d93", text(b"-2000000000"));
    assert_reads("0013393232333337323033363835343737353830375000f54fb7051fba38d6", text(b"9223372036854775807"));
    assert_reads("00c313414008616263646566676861e0ff07e124070167685000b90234d46061fae5", text(&b"abcdefgh".repeat(40)));
    assert_reads("00c31243e8016161e0ff00e0ff00e0ff00e0c300016161500049e8db4acad3f9c8", text(&[b'a'; 1000]));
}

#[test]
fn lists_of_another_server_are_read_from_one_node_and_from_several() {
    assert_reads(
        "12030213130000000400816102816202c12c02dffb02ff021f1f0000000400f270110104f3c0ab76ff05f400f2052a0100000009d06002ff02c31840b708b70000000200e06478e05a000366e04679e03c000148ff500079d37baf06f8c9c4",
        list(&[b"a", b"b", b"300", b"-5", b"70000", b"-9000000", b"5000000000", b"-4000", &[b'x'; 100], &[b'y'; 70]]),
    );
    let elements: Vec<String> = (0..12).map(|index| format!("elem{index}")).collect();
    let elements: Vec<&[u8]> = elements.iter().map(String::as_bytes).collect();
    assert_reads(
        "120302c31c230c23000000040085656c656d300660060031800600328006023306ff02c31c230c23000000040085656c656d340660060035800600368006023706ff02c320250c25000000040085656c656d3806600602390686400d023130078007023107ff500093b0e608e0a0a6d9",
        list(&elements),
    );
    assert_reads(
        "120201c3406f6328017878e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e00b00017878020a0a0000000100817302ff5000b00c71bad14f3375",
        list(&[&[b'x'; 9000], b"s"]),
    );
}

#[test]
fn sets_of_another_server_are_read_from_integers_packed_and_plain() {
    assert_reads("0b0e0200000003000000fdff0100020050001e9d47482255a58b", set(&[b"1", b"2", b"-3"]));
    assert_reads("0b100400000002000000ffffffff701101005000759b0ff4207b9e42", set(&[b"70000", b"-1"]));
    assert_reads(
        "0b180800000002000000010000000000000000f2052a0100000050009bdf6bfb7955d208",
        set(&[b"5000000000", b"1"]),
    );
    assert_reads("02030161c001026262500033a8684e2eac2515", set(&[b"a", b"1", b"bb"]));
    assert_reads("02030161c001026262500033a8684e2eac2515", set(&[b"a", b"1", b"bb"]));
}

#[test]
fn hashes_of_another_server_are_read_packed_and_plain() {
    assert_reads("101111000000040081660281760201010201ff5000d5673b86c059986f", hash(&[(b"f", b"v"), (b"1", b"2")]));
    assert_reads("04010166c3094046017676e0390001767650003d31339b9ca01368", hash(&[(b"f", &[b'v'; 70])]));
}

#[test]
fn deadlines_of_fields_are_kept() {
    let payload = "16020161c00100d8c32cbb0300000162c002ffffffffffffffff50005f5f2bc0a7e3b8d3";
    let Ok(Restored::Object(Object::Hash(hash))) = read(&bytes_of(payload)) else { panic!("not a hash") };
    assert_eq!(hash.deadline(b"a", NOW_MS), FieldDeadline::At(4_102_444_800_000));
    assert_eq!(hash.deadline(b"b", NOW_MS), FieldDeadline::Unset);
    let again = dump(Value::Object(&hash.clone().into_object()), NOW_MS).unwrap();
    let Ok(Restored::Object(Object::Hash(again))) = read(&again) else { panic!("not a hash") };
    assert_eq!(again.deadline(b"a", NOW_MS), FieldDeadline::At(4_102_444_800_000));
    assert_eq!(dump(Value::Object(&hash.into_object()), u64::MAX).map(|payload| payload[0]), Some(kind::HASH));
}

#[test]
fn sorted_sets_of_another_server_are_read_packed_and_plain() {
    assert_reads(
        "111d1d0000000600816202842d696e660581610283312e35048163020301ff5000e65a0c1e53b49bc5",
        zset(&[(b"a", 1.5), (b"b", f64::NEG_INFINITY), (b"c", 3.0)]),
    );
    assert_reads(
        "05020161000000000000f83fc3094046016262e03900016262000000000000f0ff5000af7bd1fd9de54879",
        zset(&[(b"a", 1.5), (&[b'b'; 70], f64::NEG_INFINITY)]),
    );
}

#[test]
fn forms_of_earlier_versions_are_read() {
    // A ziplist of "ab", 5, -3, 1000, 70000 and 2^40.
    let entries: &[&[u8]] = &[
        b"\x00\x02ab",
        b"\x04\xf6",
        b"\x02\xfe\xfd",
        b"\x03\xc0\xe8\x03",
        b"\x04\xf0\x70\x11\x01",
        b"\x05\xe0\0\0\0\0\0\x01\0\0",
    ];
    let body = entries.concat();
    let mut packed = (body.len() as u32 + 11).to_le_bytes().to_vec();
    packed.extend_from_slice(&(body.len() as u32).to_le_bytes());
    packed.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    packed.extend_from_slice(&body);
    packed.push(0xff);
    let wrapped = |kind: u8| sealed(&[&[kind, packed.len() as u8], packed.as_slice()].concat());
    let elements: [&[u8]; 6] = [b"ab", b"5", b"-3", b"1000", b"70000", b"1099511627776"];
    assert_eq!(read(&wrapped(kind::LIST_ZIPLIST)), Ok(list(&elements)));
    let nodes = sealed(&[&[kind::LIST_OF_ZIPLISTS, 1, packed.len() as u8], packed.as_slice()].concat());
    assert_eq!(read(&nodes), Ok(list(&elements)));
    let pairs: [(&[u8], &[u8]); 3] = [(b"ab", b"5"), (b"-3", b"1000"), (b"70000", b"1099511627776")];
    assert_eq!(read(&wrapped(kind::HASH_ZIPLIST)), Ok(hash(&pairs)));
    let scored: [(&[u8], f64); 3] = [(b"ab", 5.0), (b"-3", 1000.0), (b"70000", 1_099_511_627_776.0)];
    assert_eq!(read(&wrapped(kind::ZSET_ZIPLIST)), Ok(zset(&scored)));
    assert_eq!(read(&sealed(b"\x03\x02\x01a\xff\x01b\x031.5")), Ok(zset(&[(b"a", f64::NEG_INFINITY), (b"b", 1.5)])));
}

#[test]
fn a_wrong_footer_is_told_from_a_wrong_value() {
    let good = sealed(b"\x00\x02ab");
    assert_eq!(read(&good), Ok(Restored::String(b"ab".to_vec())));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(read(&bad), Err(RestoreError::Footer), "byte {at}");
    }
    assert_eq!(read(b"short"), Err(RestoreError::Footer));
    assert_eq!(read(&sealed(b"")), Err(RestoreError::Format));
    assert_eq!(read(&sealed(b"\x00\x02abc")), Err(RestoreError::Format), "bytes behind the value");
}

#[test]
fn what_no_server_would_keep_is_malformed() {
    let bodies: [&[u8]; 9] = [
        b"\x02\x00",                                             // an empty set
        b"\x02\x02\x01a\x01a",                                   // a member twice
        b"\x04\x02\x01a\x01b\x01a\x01c",                         // a field twice
        b"\x05\x01\x01a\0\0\0\0\0\0\xf8\x7f",                    // a score that is no number
        b"\x12\x01\x03\x01a",                                    // an unknown form of node
        b"\x0f\x01",                                             // a stream
        b"\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff",             // a string beyond memory
        b"\x01\x80\xff\xff\xff\xff",                             // a list of four thousand million elements
        b"\x00\xc3\x01\x81\x00\x00\x7f\xff\xff\xff\xff\xff\x00", // a byte that expands to all memory
    ];
    for body in bodies {
        assert_eq!(read(&sealed(body)), Err(RestoreError::Format), "{}", body.escape_ascii());
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-70_000_i64..70_000).prop_map(|number| number.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..80),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(
        string in prop::collection::vec(any::<u8>(), 0..20_000),
        texts in prop::collection::vec(text(), 1..300),
        scores in prop::collection::vec(any::<f64>().prop_filter("a number", |score| !score.is_nan()), 300),
    ) {
        let refs: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let pairs: Vec<_> = refs.iter().map(|text| (*text, *text)).collect();
        let scored: Vec<_> = refs.iter().copied().zip(scores).collect();
        for value in [Restored::String(string), list(&refs), set(&refs), hash(&pairs), zset(&scored)] {
            prop_assert_eq!(read(&written(&value)), Ok(value));
        }
    }

    #[test]
    fn no_body_panics(kind in 0_u8..24, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut whole = vec![kind];
        whole.extend_from_slice(&body);
        let _ = read(&sealed(&whole));
    }

    #[test]
    fn no_corruption_of_a_packed_value_panics(
        which in 0_usize..5, at: prop::sample::Index, byte: u8,
    ) {
        let payloads = [
            "12030213130000000400816102816202c12c02dffb02ff021f1f0000000400f270110104f3c0ab76ff05f400f2052a0100000009d06002ff02c31840b708b70000000200e06478e05a000366e04679e03c000148ff500079d37baf06f8c9c4",
            "120302c31c230c23000000040085656c656d300660060031800600328006023306ff02c31c230c23000000040085656c656d340660060035800600368006023706ff02c320250c25000000040085656c656d3806600602390686400d023130078007023107ff500093b0e608e0a0a6d9",
            "111d1d0000000600816202842d696e660581610283312e35048163020301ff5000e65a0c1e53b49bc5",
            "16020161c00100d8c32cbb0300000162c002ffffffffffffffff50005f5f2bc0a7e3b8d3",
            "0b100400000002000000ffffffff701101005000759b0ff4207b9e42",
        ];
        let mut body = bytes_of(payloads[which]);
        body.truncate(body.len() - 10);
        let at = at.index(body.len());
        body[at] = byte;
        let _ = read(&sealed(&body));
    }
}
