use proptest::prelude::*;

use super::*;

#[test]
fn requests_of_one_manner_and_consecutive_numbers_share_a_group() {
    let mut buf = Vec::new();
    let plain = Manner::default();
    let other = Manner { db: 3, is_resp3: true, client: 9, ..plain };
    let mut encoder = ForwardEncoder::begin(&mut buf, 7, 8);
    encoder.request(&mut buf, plain, 1, b"a");
    encoder.request(&mut buf, plain, 2, b"bc");
    encoder.request(&mut buf, plain, 4, b"d");
    encoder.request(&mut buf, other, 5, b"e");
    encoder.finish(&mut buf);
    let forward = Forward::decode(&buf).unwrap();
    assert_eq!((forward.id, forward.origin, forward.count()), (7, 8, Ok(4)));
    let groups: Vec<_> = forward.groups().map(Result::unwrap).collect();
    let seen: Vec<_> = groups.iter().map(|group| (group.count, group.first.number, group.requests)).collect();
    assert_eq!(seen, [(2, 1, &b"abc"[..]), (1, 4, b"d"), (1, 5, b"e")]);
    assert_eq!(groups[2].manner, other);
}

#[test]
fn a_unit_has_a_group_of_its_own() {
    let mut buf = Vec::new();
    let unit = Manner { is_unit: true, ..Manner::default() };
    let mut encoder = ForwardEncoder::begin(&mut buf, 7, 8);
    encoder.request(&mut buf, unit, 1, b"a");
    encoder.request(&mut buf, unit, 2, b"b");
    encoder.finish(&mut buf);
    assert_eq!(Forward::decode(&buf).unwrap().groups().count(), 2);
}

#[test]
fn replies_come_back_with_their_statuses_and_missing_ones_get_the_status_of_the_rest() {
    let mut buf = Vec::new();
    let mut encoder = ReplyEncoder::begin(&mut buf, 7, 3);
    buf.extend_from_slice(b"+OK\r\n");
    encoder.end_reply(&mut buf, Status::Done);
    encoder.end_reply(&mut buf, Status::Unknown);
    buf.extend_from_slice(b"half a reply");
    encoder.finish(&mut buf, Status::Later);
    let reply = Reply::decode(&buf).unwrap();
    let items: Vec<_> = reply.items().collect();
    assert_eq!(items, [(Status::Done, 5), (Status::Unknown, 0), (Status::Later, 0)]);
    assert_eq!((reply.id, reply.bytes()), (7, &b"+OK\r\n"[..]));
}

#[test]
fn a_published_message_comes_back() {
    let publish = Publish { kind: ChannelKind::Shard, channel: b"c", message: b"m" };
    let mut buf = Vec::new();
    publish.encode(&mut buf);
    assert_eq!(Publish::decode(&buf), Ok(publish));
    buf[0] = 9;
    assert_eq!(Publish::decode(&buf), Err(ForwardError::UnknownChannelKind(9)));
}

#[test]
fn a_reply_with_too_many_or_too_few_bytes_is_malformed() {
    let mut buf = Vec::new();
    ReplyEncoder::begin(&mut buf, 7, 1).finish(&mut buf, Status::NotMine);
    buf.push(0);
    assert_eq!(Reply::decode(&buf), Err(ForwardError::Trailing));
    buf.truncate(buf.len() - 2);
    assert_eq!(Reply::decode(&buf), Err(ForwardError::CutShort));
}

proptest! {
    #[test]
    fn no_payload_makes_the_decoder_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(forward) = Forward::decode(&payload) {
            forward.groups().for_each(drop);
        }
        if let Ok(reply) = Reply::decode(&payload) {
            prop_assert_eq!(reply.items().map(|(_, len)| len).sum::<usize>(), reply.bytes().len());
        }
        let _ = (Publish::decode(&payload), decode_track(&payload), Invalidation::decode(&payload), decode_release(&payload), decode_unblock(&payload));
    }
}
