use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use rondache_protocol::resp::value::Value;

use super::FromValue;

fn text(text: &'static str) -> Value {
    Value::Bulk(Bytes::from_static(text.as_bytes()))
}

#[test]
fn texts_become_strings_bytes_and_numbers() {
    assert_eq!(String::from_value(text("héllo")).as_deref(), Ok("héllo"));
    assert_eq!(i64::from_value(text("-12")), Ok(-12));
    assert_eq!(f64::from_value(text("2.5")), Ok(2.5));
    assert_eq!(u16::from_value(Value::Integer(65535)), Ok(65535));
    assert!(String::from_value(Value::Bulk(Bytes::from_static(b"\xff"))).is_err());
}

#[test]
fn an_error_tells_what_was_wanted_and_what_came() {
    let error = u16::from_value(Value::Integer(-1)).expect_err("negative");
    assert_eq!(error.to_string(), "the reply is the integer -1, which is no u16");
    let error = Vec::<String>::from_value(text("x")).expect_err("no list");
    assert_eq!(error.to_string(), "the reply is the string \"x\", which is no list");
}

#[test]
fn null_is_none_and_the_empty_list() {
    assert_eq!(Option::<String>::from_value(Value::Null), Ok(None));
    assert_eq!(Vec::<String>::from_value(Value::Null), Ok(vec![]));
    assert!(String::from_value(Value::Null).is_err());
}

#[test]
fn maps_come_in_three_spellings() {
    let wanted = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let flat = Value::Array(vec![text("a"), text("1"), text("b"), text("2")]);
    let nested = Value::Array(vec![Value::Array(vec![text("a"), text("1")]), Value::Array(vec![text("b"), text("2")])]);
    let map = Value::Map(vec![(text("a"), Value::Integer(1)), (text("b"), Value::Integer(2))]);
    for value in [flat, nested, map] {
        assert_eq!(BTreeMap::<String, i64>::from_value(value), Ok(wanted.clone()));
    }
    assert!(HashMap::<String, i64>::from_value(Value::Array(vec![text("a")])).is_err());
}

#[test]
fn tuples_need_their_exact_length() {
    let two = Value::Array(vec![Value::Integer(1), text("b")]);
    assert_eq!(<(i64, String)>::from_value(two.clone()), Ok((1, "b".to_owned())));
    assert!(<(i64, String, i64)>::from_value(two.clone()).is_err());
    assert!(<[i64; 3]>::from_value(two).is_err());
}

#[test]
fn attributes_are_looked_through() {
    let value = Value::Attributed { attributes: vec![], value: Box::new(Value::Integer(3)) };
    assert_eq!(i64::from_value(value.clone()), Ok(3));
    assert_eq!(
        Option::<bool>::from_value(Value::Attributed { attributes: vec![], value: Box::new(Value::Null) }),
        Ok(None)
    );
    assert_eq!(f64::from_value(value), Ok(3.0));
}
