//! The thresholds at which compact collections become indexed ones.

use super::{Form, Parameter};

/// A threshold that is a count, and lives in [`EncodingLimits`](crate::types::limits::EncodingLimits).
macro_rules! limit {
    ($name:literal, $form:expr, $field:ident, $doc:literal) => {
        Parameter::number($name, $form, |s| s.encoding.$field as i64, |s, v| s.encoding.$field = v as _, $doc)
    };
}

pub(super) const PARAMETERS: &[Parameter] = &[
    limit!(
        "hash-max-listpack-entries",
        Form::from(0),
        hash_max_listpack_entries,
        "Most fields of a hash in the compact encoding."
    )
    .alias("hash-max-ziplist-entries"),
    limit!(
        "hash-max-listpack-value",
        Form::size(),
        hash_max_listpack_value,
        "Longest field or value of a hash in the compact encoding."
    )
    .alias("hash-max-ziplist-value"),
    limit!(
        "set-max-intset-entries",
        Form::from(0),
        set_max_intset_entries,
        "Most members of a set of integers in its own encoding."
    ),
    limit!(
        "set-max-listpack-entries",
        Form::from(0),
        set_max_listpack_entries,
        "Most members of a set in the compact encoding."
    ),
    limit!(
        "set-max-listpack-value",
        Form::from(0),
        set_max_listpack_value,
        "Longest member of a set in the compact encoding."
    ),
    limit!(
        "zset-max-listpack-entries",
        Form::from(0),
        zset_max_listpack_entries,
        "Most members of a sorted set in the compact encoding."
    )
    .alias("zset-max-ziplist-entries"),
    limit!(
        "zset-max-listpack-value",
        Form::size(),
        zset_max_listpack_value,
        "Longest member of a sorted set in the compact encoding."
    )
    .alias("zset-max-ziplist-value"),
    limit!(
        "list-max-listpack-size",
        Form::Integer { min: i32::MIN as i64, max: i32::MAX as i64 },
        list_max_listpack_size,
        "Size of a list's chunks: elements if positive, classes of bytes from -1 (4 KiB) to -5 (64 KiB) if negative."
    )
    .alias("list-max-ziplist-size"),
    Parameter::number(
        "hll-sparse-max-bytes",
        Form::size(),
        |s| s.hll_sparse_bytes_max as i64,
        |s, bytes| s.hll_sparse_bytes_max = bytes as usize,
        "Largest HyperLogLog in the sparse encoding.",
    ),
];
