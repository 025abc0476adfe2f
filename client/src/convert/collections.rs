//! Lists, sets, maps and tuples.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, Hash},
};

use rondache_protocol::resp::value::Value;

use super::{ConvertError, FromValue};

/// The elements of any aggregate, converted. A flat list becomes pairs where pairs are wanted, as RESP2 sends maps.
fn elements<T: FromValue>(value: Value, wanted: &'static str) -> Result<Vec<T>, ConvertError> {
    match value.without_attributes() {
        Value::Array(values) | Value::Set(values) | Value::Push(values) => {
            let is_flat = T::IS_PAIR && values.iter().any(|value| !is_aggregate(value));
            if !is_flat {
                return values.into_iter().map(T::from_value).collect();
            }
            if values.len() % 2 == 1 {
                return Err(ConvertError::new(wanted, &Value::Array(values)));
            }
            let mut pairs = Vec::with_capacity(values.len() / 2);
            let mut values = values.into_iter();
            while let (Some(key), Some(value)) = (values.next(), values.next()) {
                pairs.push(T::from_pair(key, value)?);
            }
            Ok(pairs)
        }
        Value::Map(pairs) => pairs.into_iter().map(|(key, value)| T::from_pair(key, value)).collect(),
        // What is missing is empty, as for keys that aren't there.
        Value::Null => Ok(Vec::new()),
        other => Err(ConvertError::new(wanted, &other)),
    }
}

fn is_aggregate(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Set(_) | Value::Push(_) | Value::Map(_))
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        elements(value, "list")
    }
}

impl<T: FromValue, const N: usize> FromValue for [T; N] {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let error = ConvertError::new("list of that length", &value);
        elements(value, "list")?.try_into().map_err(|_| error)
    }
}

impl<T: FromValue + Eq + Hash, S: BuildHasher + Default> FromValue for HashSet<T, S> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        elements(value, "set").map(|values| values.into_iter().collect())
    }
}

impl<T: FromValue + Ord> FromValue for BTreeSet<T> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        elements(value, "set").map(|values| values.into_iter().collect())
    }
}

impl<K: FromValue + Eq + Hash, V: FromValue, S: BuildHasher + Default> FromValue for HashMap<K, V, S> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        elements::<(K, V)>(value, "map").map(|pairs| pairs.into_iter().collect())
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        elements::<(K, V)>(value, "map").map(|pairs| pairs.into_iter().collect())
    }
}

impl<A: FromValue, B: FromValue> FromValue for (A, B) {
    const IS_PAIR: bool = true;

    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let [a, b] = exactly(value, "pair")?;
        Self::from_pair(a, b)
    }

    fn from_pair(key: Value, value: Value) -> Result<Self, ConvertError> {
        Ok((A::from_value(key)?, B::from_value(value)?))
    }
}

impl<A: FromValue, B: FromValue, C: FromValue> FromValue for (A, B, C) {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let [a, b, c] = exactly(value, "triple")?;
        Ok((A::from_value(a)?, B::from_value(b)?, C::from_value(c)?))
    }
}

impl<A: FromValue, B: FromValue, C: FromValue, D: FromValue> FromValue for (A, B, C, D) {
    fn from_value(value: Value) -> Result<Self, ConvertError> {
        let [a, b, c, d] = exactly(value, "tuple of four")?;
        Ok((A::from_value(a)?, B::from_value(b)?, C::from_value(c)?, D::from_value(d)?))
    }
}

fn exactly<const N: usize>(value: Value, wanted: &'static str) -> Result<[Value; N], ConvertError> {
    match value.without_attributes() {
        Value::Array(values) | Value::Set(values) => {
            values.try_into().map_err(|values| ConvertError::new(wanted, &Value::Array(values)))
        }
        other => Err(ConvertError::new(wanted, &other)),
    }
}
