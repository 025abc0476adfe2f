//! Hashes for changing, cleared of the fields that have expired.
//!
//! An expired field is hidden from reads, but a write must not find it either: on a copy, whose clock may differ, it might
//! still live. So the owner removes expired fields before any write, as an effect of its own.

use crate::{
    store::{
        key::Key,
        keyspace::{ExpiryRole, Keyspace},
        object::WrongType,
    },
    types::hash::Hash,
};

/// Runs `change` on the hash at `key`; `None`: there is none.
#[inline]
pub(super) fn edit<R>(
    ks: &mut Keyspace<'_>,
    key: &Key<'_>,
    change: impl FnOnce(&mut Hash) -> R,
) -> Result<Option<R>, WrongType> {
    let now_ms = ks.now_ms();
    let is_owner = ks.expiry_role == ExpiryRole::Owner;
    let Some(hash) = ks.object_mut::<Hash>(key)? else { return Ok(None) };
    if !(is_owner && hash.has_expired(now_ms)) {
        return Ok(Some(change(hash)));
    }
    ks.expire_fields(key, usize::MAX);
    Ok(ks.object_mut::<Hash>(key)?.map(change))
}

/// Runs `change`, which must put something in, on the hash at `key`, a new one where there is none.
#[inline]
pub(super) fn edit_or_insert<R>(
    ks: &mut Keyspace<'_>,
    key: &Key<'_>,
    change: impl FnOnce(&mut Hash) -> R,
) -> Result<R, WrongType> {
    let now_ms = ks.now_ms();
    let is_owner = ks.expiry_role == ExpiryRole::Owner;
    let hash = ks.object_or_insert::<Hash>(key)?;
    if !(is_owner && hash.has_expired(now_ms)) {
        return Ok(change(hash));
    }
    ks.expire_fields(key, usize::MAX);
    Ok(change(ks.object_or_insert::<Hash>(key)?))
}
