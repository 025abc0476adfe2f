use super::{Cmd, Merge, Routing};
use crate::error::RequestError;
use rondache_protocol::slot::slot_of;

fn encoded(cmd: &Cmd) -> String {
    let mut out = Vec::new();
    cmd.encode_to(&mut out);
    out.escape_ascii().to_string().replace("\\r\\n", "|")
}

#[test]
fn arguments_of_all_types_are_bulk_strings() {
    let cmd = Cmd::new("set").arg("k").arg(-1).arg(2.5).arg(u64::MAX).arg([1u8, 2]).arg(f64::INFINITY).arg(0.1f32);
    let text = "*8|$3|set|$1|k|$2|-1|$3|2.5|$20|18446744073709551615|$2|\\x01\\x02|$3|inf|$3|0.1|";
    assert_eq!(encoded(&cmd), text);
    assert_eq!(cmd.get(3), Some(&b"2.5"[..]));
    assert_eq!(cmd.get(8), None);
}

#[test]
fn long_arguments_have_their_length_in_front() {
    let value = vec![b'x'; 12345];
    let cmd = Cmd::new("SET").arg("k").arg(&value);
    assert!(encoded(&cmd).contains("$12345|xxx"));
    assert_eq!(cmd.get(2), Some(&value[..]));
}

#[test]
fn a_single_key_decides_the_slot() {
    assert_eq!(Cmd::new("GET").arg("foo").routing(), Ok(Routing::Slot(12182)));
    assert_eq!(Cmd::new("PING").routing(), Ok(Routing::Any));
    assert_eq!(Cmd::new("NOSUCHCOMMAND").arg("x").routing(), Ok(Routing::Any));
    assert!(matches!(Cmd::new("GET").routing(), Err(RequestError::Arguments(_))));
}

#[test]
fn keys_behind_a_count_are_found() {
    let cmd = Cmd::new("ZUNION").arg(2).arg("{a}1").arg("{a}2").arg("WITHSCORES");
    assert_eq!(cmd.routing(), Ok(Routing::Slot(slot_of(b"a"))));
    let cmd = Cmd::new("OBJECT").arg("ENCODING").arg("a");
    assert_eq!(cmd.routing(), Ok(Routing::Slot(slot_of(b"a"))));
}

#[test]
fn keys_in_different_slots_split_or_are_refused() {
    assert_eq!(Cmd::new("MGET").arg("a").arg("b").routing(), Ok(Routing::Split));
    assert_eq!(Cmd::new("MGET").arg("a{x}").arg("b{x}").routing(), Ok(Routing::Slot(slot_of(b"x"))));
    assert!(matches!(Cmd::new("RENAME").arg("a").arg("b").routing(), Err(RequestError::CrossSlot(_))));
    assert!(matches!(Cmd::new("MSETNX").args(["a", "1", "b", "2"]).routing(), Err(RequestError::CrossSlot(_))));
}

#[test]
fn a_split_keeps_pairs_together_and_positions_known() {
    let split = Cmd::new("MSET").args(["a", "1", "b", "2", "a", "3"]).split().expect("MSET splits");
    assert_eq!(split.merge, Merge::AllOk);
    assert_eq!(split.keys, 3);
    let mut parts: Vec<_> = split.parts.iter().map(|(cmd, at)| (encoded(cmd), at.clone())).collect();
    parts.sort();
    assert_eq!(
        parts,
        [("*3|$4|MSET|$1|b|$1|2|".to_owned(), vec![1]), ("*5|$4|MSET|$1|a|$1|1|$1|a|$1|3|".to_owned(), vec![0, 2])]
    );
}

#[test]
fn conditions_take_idempotence_away() {
    assert!(Cmd::new("SET").arg("k").arg("v").is_idempotent());
    assert!(!Cmd::new("SET").arg("k").arg("v").arg("NX").is_idempotent());
    assert!(!Cmd::new("INCR").arg("k").is_idempotent());
    assert!(Cmd::new("GET").arg("k").is_idempotent());
    assert!(!Cmd::new("NOSUCHCOMMAND").is_idempotent());
}

#[test]
fn what_would_change_a_shared_connection_is_refused() {
    for name in ["MULTI", "EXEC", "WATCH", "SUBSCRIBE", "MONITOR", "SELECT", "HELLO", "QUIT"] {
        assert!(Cmd::new(name).arg("x").check_shareable().is_err(), "{name}");
    }
    assert!(Cmd::new("CLIENT").arg("REPLY").arg("OFF").check_shareable().is_err());
    for name in ["GET", "PUBLISH", "MGET", "PING", "NOSUCHCOMMAND"] {
        assert!(Cmd::new(name).arg("x").check_shareable().is_ok(), "{name}");
    }
}

#[test]
fn arguments_do_not_show_in_debug_output() {
    assert!(!format!("{:?}", Cmd::new("SET").arg("k").arg("secret")).contains("secret"));
}
