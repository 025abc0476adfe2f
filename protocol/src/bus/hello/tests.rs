use proptest::prelude::*;

use super::*;
use crate::bus::{
    frame::{Frame, decode},
    identity::NodeId,
};

fn local(id: u128, cluster: Option<u128>, secret: &str) -> Local {
    Local {
        identity: Identity { generation: 1000, id: NodeId(id) },
        cluster: cluster.map(ClusterId),
        cluster_name: "shop".to_owned(),
        versions: (1, 2),
        keys: ClusterKeys::new("shop", secret),
    }
}

fn parse(bytes: &[u8]) -> Frame<'_> {
    decode(bytes, HELLO_LEN_MAX).expect("an undamaged frame").expect("a whole frame").0
}

/// Runs both sides to their ends; `tamper` may change each message on the way.
fn shake(
    dialer: Local,
    accepter: Local,
    purpose: Purpose,
    expected: Option<Identity>,
    mut tamper: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> Result<(Peer, Peer), HelloError> {
    let (mut dialer, hello) = Dialer::start(dialer, purpose, expected, [1; 32]);
    let mut accepter = Accepter::new(accepter, [2; 32]);
    let Step::Send(reply) = accepter.on_frame(parse(&tamper(0, hello)))? else { panic!("done too early") };
    let Step::Send(proof) = dialer.on_frame(parse(&tamper(1, reply)))? else { panic!("done too early") };
    let Step::Done(seen_by_accepter, ready) = accepter.on_frame(parse(&tamper(2, proof)))? else {
        panic!("one proof is enough")
    };
    let Step::Done(seen_by_dialer, rest) = dialer.on_frame(parse(&tamper(3, ready)))? else {
        panic!("nothing more is owed")
    };
    assert!(rest.is_empty());
    Ok((seen_by_dialer, seen_by_accepter))
}

fn untouched(_: usize, bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

fn refusal(dialer: Local, accepter: Local, purpose: Purpose) -> Refusal {
    match shake(dialer, accepter, purpose, None, untouched) {
        Err(HelloError::Refusing(refusal) | HelloError::Refused(refusal)) => refusal,
        Ok(peers) => panic!("not refused: {peers:?}"),
    }
}

#[test]
fn members_of_a_cluster_learn_who_the_other_is_and_what_it_wants() {
    let purpose = Purpose::Replicate { stream: 3, streams: 4, session: 77, first: 9 };
    let (at_dialer, at_accepter) =
        shake(local(1, Some(9), "s"), local(2, Some(9), "s"), purpose, None, untouched).expect("one cluster");
    assert_eq!((at_dialer.identity.id, at_accepter.identity.id), (NodeId(2), NodeId(1)));
    assert_eq!((at_dialer.purpose, at_accepter.purpose), (purpose, purpose));
}

#[test]
fn the_highest_common_version_is_spoken() {
    let (mut old, new) = (local(1, Some(9), "s"), local(2, Some(9), "s"));
    old.versions = (0, 1);
    let (peer, _) = shake(old.clone(), new.clone(), Purpose::Control, None, untouched).expect("both speak 1");
    assert_eq!(peer.version, 1);
    old.versions = (0, 0);
    assert_eq!(refusal(old.clone(), new.clone(), Purpose::Control), Refusal::NoCommonVersion { min: 1, max: 2 });
    assert_eq!(refusal(new, old, Purpose::Control), Refusal::NoCommonVersion { min: 0, max: 0 });
}

#[test]
fn another_secret_is_refused() {
    assert_eq!(refusal(local(1, Some(9), "a"), local(2, Some(9), "b"), Purpose::Forward), Refusal::WrongSecret);
}

#[test]
fn a_dialer_that_does_not_check_the_accepter_still_owes_its_own_proof() {
    let mut accepter = Accepter::new(local(2, Some(9), "b"), [2; 32]);
    let (_, hello) = Dialer::start(local(1, Some(9), "a"), Purpose::Control, None, [1; 32]);
    accepter.on_frame(parse(&hello)).expect("a hello");
    let forged = framed(kind::PROOF, &[0; PROOF_LEN]);
    assert_eq!(accepter.on_frame(parse(&forged)), Err(HelloError::Refusing(Refusal::WrongSecret)));
}

#[test]
fn other_clusters_are_refused_by_id_and_by_name() {
    let other_id = refusal(local(1, Some(8), "s"), local(2, Some(9), "s"), Purpose::Ask);
    assert_eq!(other_id, Refusal::OtherClusterId { mine: ClusterId(9) });
    let mut other_name = local(1, Some(9), "s");
    other_name.cluster_name = "bank".to_owned();
    let refused = refusal(other_name, local(2, Some(9), "s"), Purpose::Control);
    assert_eq!(refused, Refusal::OtherClusterName { mine: "shop".to_owned() });
}

#[test]
fn a_node_without_a_cluster_may_only_join() {
    for (dialer, accepter) in [(None, Some(9)), (Some(9), None), (None, None)] {
        let sides = || (local(1, dialer, "s"), local(2, accepter, "s"));
        let (from, to) = sides();
        assert!(shake(from, to, Purpose::Ask, None, untouched).is_ok());
        let (from, to) = sides();
        assert_eq!(refusal(from, to, Purpose::Control), Refusal::NoCluster);
    }
}

#[test]
fn whoever_answers_in_place_of_the_expected_is_named() {
    let expected = Identity { generation: 999, id: NodeId(2) };
    let shaken = shake(local(1, Some(9), "s"), local(2, Some(9), "s"), Purpose::Control, Some(expected), untouched);
    let found = Identity { generation: 1000, id: NodeId(2) };
    assert_eq!(shaken, Err(HelloError::Refusing(Refusal::OtherIdentity { found })));
}

#[test]
fn a_node_that_dials_itself_notices() {
    assert_eq!(refusal(local(1, Some(9), "s"), local(1, Some(9), "s"), Purpose::Ask), Refusal::Itself);
}

#[test]
fn a_refusal_arrives_as_it_was_meant() {
    let (mut dialer, _) = Dialer::start(local(1, Some(9), "s"), Purpose::Control, None, [1; 32]);
    let refused = dialer.on_frame(parse(&Refusal::DeadIdentity.to_frame()));
    assert_eq!(refused, Err(HelloError::Refused(Refusal::DeadIdentity)));
    let unknown = framed(kind::REFUSE, &[250, 1, 2]);
    assert_eq!(dialer.on_frame(parse(&unknown)), Err(HelloError::Refused(Refusal::Unclear)));
}

#[test]
fn a_reply_to_an_earlier_hello_is_worth_nothing() {
    let accepter = || Accepter::new(local(2, Some(9), "s"), [2; 32]);
    let (_, earlier) = Dialer::start(local(1, Some(9), "s"), Purpose::Control, None, [7; 32]);
    let Ok(Step::Send(replayed)) = accepter().on_frame(parse(&earlier)) else { panic!("a good hello") };
    let (mut dialer, _) = Dialer::start(local(1, Some(9), "s"), Purpose::Control, None, [8; 32]);
    assert_eq!(dialer.on_frame(parse(&replayed)), Err(HelloError::Refusing(Refusal::WrongSecret)));
}

proptest! {
    #[test]
    fn nothing_that_was_said_can_be_changed_on_the_way(message in 0_usize..3, at: prop::sample::Index, bit in 0..8_u32) {
        let shaken = shake(local(1, Some(9), "s"), local(2, Some(9), "s"), Purpose::Control, None, |index, bytes| {
            if index != message {
                return bytes;
            }
            let frame = parse(&bytes);
            let mut payload = frame.payload.to_vec();
            let at = at.index(payload.len());
            payload[at] ^= 1_u8 << bit;
            framed(frame.kind, &payload)
        });
        prop_assert!(shaken.is_err(), "{shaken:?}");
    }

    #[test]
    fn any_frames_are_refused_without_harm(kind in 0_u8..8, payload: Vec<u8>) {
        let frame = Frame { kind, flags: 0, payload: &payload };
        let refused = Accepter::new(local(2, Some(9), "s"), [2; 32]).on_frame(frame);
        prop_assert!(refused.is_err());
        let (mut dialer, _) = Dialer::start(local(1, Some(9), "s"), Purpose::Control, None, [1; 32]);
        prop_assert!(dialer.on_frame(frame).is_err());
    }
}
