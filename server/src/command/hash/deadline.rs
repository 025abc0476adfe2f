//! Setting the deadlines of fields: what HEXPIRE, HGETEX and HSETEX share.

use super::{
    super::{
        CommandError,
        args::Args,
        ctx::Ctx,
        expire_args::{ExpireForm, Expiry},
    },
    edit::edit,
};
use crate::{
    store::{key::Key, keyspace::ExpiryRole, observer::EventClass},
    types::hash::{FieldDeadline, Hash},
    util::number,
};

/// The last moment at which a field may expire (unix ms), as in Redis: in the year 4199.
const DEADLINE_MAX_MS: i64 = (1 << 46) - 1;

/// What must hold of a field for its deadline to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// `NX`: it has no deadline.
    Absent,
    /// `XX`: it has one.
    Present,
    /// `GT`: the new one is later.
    Later,
    /// `LT`: the new one is earlier.
    Earlier,
}

impl Condition {
    /// The condition that a word names.
    pub(super) fn parse(args: &Args<'_>, index: usize) -> Self {
        [("NX", Self::Absent), ("XX", Self::Present), ("GT", Self::Later), ("LT", Self::Earlier)]
            .into_iter()
            .find(|(word, _)| args.is(index, word))
            .map_or(Self::None, |(_, condition)| condition)
    }

    /// A field without a deadline lives for ever, which is later than any.
    fn admits(self, old_ms: Option<u64>, new_ms: u64) -> bool {
        match self {
            Self::None => true,
            Self::Absent => old_ms.is_none(),
            Self::Present => old_ms.is_some(),
            Self::Later => old_ms.is_some_and(|old_ms| new_ms > old_ms),
            Self::Earlier => old_ms.is_none_or(|old_ms| new_ms < old_ms),
        }
    }
}

/// Reads a time of expiry that is not negative.
pub(super) fn parse_expiry(
    ctx: &Ctx<'_, '_>,
    args: &Args<'_>,
    index: usize,
    form: ExpireForm,
) -> Result<Expiry, CommandError> {
    if number::parse_i64(args.get(index)).ok_or(CommandError::NotInteger)? < 0 {
        return Err(CommandError::coded("ERR invalid expire time, must be >= 0"));
    }
    let now_ms = ctx.now_ms();
    let expiry = Expiry::parse(ctx.spec.name, form, args.get(index), now_ms)?;
    let deadline_max_ms = match expiry {
        Expiry::At(_) => DEADLINE_MAX_MS,
        Expiry::After(_) => DEADLINE_MAX_MS.saturating_sub_unsigned(now_ms),
    };
    match expiry {
        Expiry::At(ms) | Expiry::After(ms) if ms > deadline_max_ms => {
            Err(CommandError::InvalidExpire(ctx.spec.name.into()))
        }
        _ => Ok(expiry),
    }
}

/// What became of a field, as the reply tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is no such field.
    Missing = -2,
    /// The condition does not hold.
    Refused = 0,
    /// It expires at the new deadline.
    Set = 1,
    /// The deadline has passed, and the field is gone.
    Deleted = 2,
}

/// Gives fields of a hash a deadline, and tells what became of each; nothing where there is no hash.
///
/// All fields share one draw of jitter.
pub(super) fn expire_fields(
    ctx: &mut Ctx<'_, '_>,
    key: &Key<'_>,
    fields: &[&[u8]],
    expiry: Expiry,
    condition: Condition,
) -> Result<Vec<Outcome>, CommandError> {
    // Conditions compare what the client asked for: jitter must not make a TTL that is longer look shorter.
    let exact_ms = ctx.exact_deadline_ms(expiry);
    let deadline_ms = ctx.deadline_ms(key.bytes, expiry);
    let now_ms = ctx.now_ms();
    // A copy is told what is past by its owner.
    let is_past = deadline_ms <= now_ms && ctx.ks.expiry_role == ExpiryRole::Owner;
    let expire_field = |hash: &mut Hash, field: &[u8]| {
        let old_ms = match hash.deadline(field, now_ms) {
            FieldDeadline::Missing => return Outcome::Missing,
            FieldDeadline::Unset => None,
            FieldDeadline::At(old_ms) => Some(old_ms),
        };
        if !condition.admits(old_ms, exact_ms) {
            return Outcome::Refused;
        }
        if is_past {
            hash.remove(field, now_ms);
            return Outcome::Deleted;
        }
        hash.set_deadline(field, deadline_ms, now_ms);
        Outcome::Set
    };
    let outcomes = edit(ctx.ks, key, |hash| fields.iter().map(|field| expire_field(hash, field)).collect::<Vec<_>>())?;
    let outcomes = outcomes.unwrap_or_default();
    report(ctx, key, fields, &outcomes, deadline_ms);
    Ok(outcomes)
}

/// Events, effects, and the end of a hash whose last field is gone.
fn report(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, fields: &[&[u8]], outcomes: &[Outcome], deadline_ms: u64) {
    if outcomes.contains(&Outcome::Deleted) {
        record(ctx, key, &[b"HDEL", key.bytes], &those(fields, outcomes, Outcome::Deleted));
        ctx.changed(key, EventClass::HASH, "hdel");
        ctx.ks.remove_if_empty::<Hash>(key);
    }
    if outcomes.contains(&Outcome::Set) {
        ctx.ks.note_field_deadline(key, deadline_ms);
        if ctx.ks.records_effects() {
            let set = those(fields, outcomes, Outcome::Set);
            let (mut deadline, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
            let deadline = deadline.format(deadline_ms).as_bytes();
            let count = count.format(set.len()).as_bytes();
            record(ctx, key, &[b"HPEXPIREAT", key.bytes, deadline, b"FIELDS", count], &set);
        }
        ctx.changed(key, EventClass::HASH, "hexpire");
    }
}

fn those<'a>(fields: &[&'a [u8]], outcomes: &[Outcome], wanted: Outcome) -> Vec<&'a [u8]> {
    fields.iter().zip(outcomes).filter(|(_, outcome)| **outcome == wanted).map(|(field, _)| *field).collect()
}

/// Records an effect of some words and then fields.
pub(super) fn record(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, words: &[&[u8]], fields: &[&[u8]]) {
    if ctx.ks.records_effects() {
        ctx.ks.effect(key, &[words, fields].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_without_a_deadline_counts_as_living_for_ever() {
        assert!(!Condition::Later.admits(None, 5) && Condition::Earlier.admits(None, 5));
        assert!(Condition::Later.admits(Some(4), 5) && !Condition::Later.admits(Some(5), 5));
        assert!(Condition::Earlier.admits(Some(6), 5) && !Condition::Earlier.admits(Some(5), 5));
        assert!(Condition::Absent.admits(None, 5) && !Condition::Absent.admits(Some(9), 5));
        assert!(Condition::Present.admits(Some(9), 5) && !Condition::Present.admits(None, 5));
    }
}
