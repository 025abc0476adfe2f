//! HSETEX: sets fields and their deadlines at once, on conditions if asked to.

use super::{
    super::{
        CommandError, CommandResult,
        args::Args,
        ctx::Ctx,
        expire_args::{ExpireForm, Expiry},
    },
    deadline::{parse_expiry, record},
    edit::{edit, edit_or_insert},
    fields::{BAD_COUNT, Fields},
};
use crate::{
    store::{key::Key, keyspace::ExpiryRole, observer::EventClass},
    types::hash::Hash,
};

/// What must hold for the fields to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Require {
    /// `FNX`: none of the fields exists.
    NoField,
    /// `FXX`: all of them exist.
    AllFields,
    /// `NX`: the hash does not exist.
    NoHash,
    /// `XX`: the hash exists.
    Hash,
}

/// What becomes of the fields' deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deadlines {
    Clear,
    Keep,
    Set(Expiry),
}

/// The options of HSETEX.
struct Request<'a> {
    on_hash: Option<Require>,
    on_fields: Option<Require>,
    deadlines: Deadlines,
    fields: Fields<'a>,
}

/// `HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value
/// [field value …]`
pub(super) fn hsetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let request = Request::parse(ctx, args)?;
    let key = ctx.key(args, 1);
    if !request.is_admitted(ctx, &key)? {
        ctx.reply.integer(0);
        return Ok(());
    }
    let deadline_ms = match request.deadlines {
        Deadlines::Set(expiry) => Some(ctx.deadline_ms(key.bytes, expiry)),
        _ => None,
    };
    // A copy is told what is past by its owner.
    let may_be_past = ctx.ks.expiry_role == ExpiryRole::Owner;
    if may_be_past && deadline_ms.is_some_and(|deadline_ms| deadline_ms <= ctx.now_ms()) {
        delete(ctx, &key, &request.fields)?;
    } else {
        set(ctx, &key, &request, deadline_ms)?;
    }
    ctx.reply.integer(1);
    Ok(())
}

/// Fields that expire at once are as good as deleted.
fn delete(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, fields: &Fields<'_>) -> CommandResult {
    let now_ms = ctx.now_ms();
    let names: Vec<&[u8]> = fields.names().collect();
    let removed = edit(ctx.ks, key, |hash| names.iter().filter(|field| hash.remove(field, now_ms)).count())?;
    if removed.is_some_and(|removed| removed > 0) {
        record(ctx, key, &[b"HDEL", key.bytes], &names);
        ctx.changed(key, EventClass::HASH, "hdel");
        ctx.ks.remove_if_empty::<Hash>(key);
    }
    Ok(())
}

fn set(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, request: &Request<'_>, deadline_ms: Option<u64>) -> CommandResult {
    let now_ms = ctx.now_ms();
    let limits = &ctx.settings.encoding;
    edit_or_insert(ctx.ks, key, |hash| {
        for (field, value) in request.fields.pairs() {
            if request.deadlines == Deadlines::Keep {
                hash.insert_keeping_deadline(field, value, now_ms, limits);
            } else {
                hash.insert(field, value, now_ms, limits);
            }
            if let Some(deadline_ms) = deadline_ms {
                hash.set_deadline(field, deadline_ms, now_ms);
            }
        }
    })?;
    record_set(ctx, key, request, deadline_ms);
    ctx.changed(key, EventClass::HASH, "hset");
    if let Some(deadline_ms) = deadline_ms {
        ctx.ks.note_field_deadline(key, deadline_ms);
        ctx.ks.event(key, EventClass::HASH, "hexpire");
    }
    Ok(())
}

/// What copies apply: the conditions held, and the deadline is absolute.
fn record_set(ctx: &mut Ctx<'_, '_>, key: &Key<'_>, request: &Request<'_>, deadline_ms: Option<u64>) {
    if !ctx.ks.records_effects() {
        return;
    }
    let (mut deadline, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let mut words = vec![&b"HSETEX"[..], key.bytes];
    match deadline_ms {
        Some(deadline_ms) => words.extend([&b"PXAT"[..], deadline.format(deadline_ms).as_bytes()]),
        None if request.deadlines == Deadlines::Keep => words.push(b"KEEPTTL"),
        None => {}
    }
    words.extend([&b"FIELDS"[..], count.format(request.fields.len()).as_bytes()]);
    let pairs: Vec<&[u8]> = request.fields.pairs().flat_map(|(field, value)| [field, value]).collect();
    record(ctx, key, &words, &pairs);
}

impl<'a> Request<'a> {
    fn parse(ctx: &Ctx<'_, '_>, args: &Args<'a>) -> Result<Self, CommandError> {
        let (mut on_hash, mut on_fields, mut deadlines) = (None, None, Deadlines::Clear);
        let mut at = 2;
        while at < args.len() && !args.is(at, "FIELDS") {
            if let Some(require) = Require::parse(args, at) {
                let slot = if require.is_on_fields() { &mut on_fields } else { &mut on_hash };
                if slot.replace(require).is_some() {
                    return Err(require.conflict());
                }
                at += 1;
                continue;
            }
            let form = ExpireForm::of(args.get(at));
            if form.is_none() && !args.is(at, "KEEPTTL") {
                let unknown = String::from_utf8_lossy(args.get(at));
                return Err(CommandError::err(format_args!("unknown argument: {unknown}")));
            }
            if deadlines != Deadlines::Clear {
                return Err(CommandError::coded(
                    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                ));
            }
            match form {
                Some(form) => {
                    deadlines = Deadlines::Set(parse_expiry(ctx, args, at + 1, form)?);
                    at += 2;
                }
                None => {
                    deadlines = Deadlines::Keep;
                    at += 1;
                }
            }
        }
        Ok(Self { on_hash, on_fields, deadlines, fields: Fields::parse(args, at, 2, BAD_COUNT)? })
    }

    fn is_admitted(&self, ctx: &mut Ctx<'_, '_>, key: &Key<'_>) -> Result<bool, CommandError> {
        let now_ms = ctx.now_ms();
        let fields = &self.fields;
        let found = edit(ctx.ks, key, |hash| fields.names().filter(|field| hash.contains(field, now_ms)).count())?;
        let holds = |require| match require {
            Require::NoField => found.unwrap_or(0) == 0,
            Require::AllFields => found == Some(fields.len()),
            Require::NoHash => found.is_none(),
            Require::Hash => found.is_some(),
        };
        Ok(self.on_hash.is_none_or(holds) && self.on_fields.is_none_or(holds))
    }
}

impl Require {
    fn parse(args: &Args<'_>, index: usize) -> Option<Self> {
        [("FNX", Self::NoField), ("FXX", Self::AllFields), ("NX", Self::NoHash), ("XX", Self::Hash)]
            .into_iter()
            .find(|(word, _)| args.is(index, word))
            .map(|(_, require)| require)
    }

    const fn is_on_fields(self) -> bool {
        matches!(self, Self::NoField | Self::AllFields)
    }

    const fn conflict(self) -> CommandError {
        if self.is_on_fields() {
            CommandError::coded("ERR Only one of FXX or FNX arguments can be specified")
        } else {
            CommandError::coded("ERR Only one of NX or XX arguments can be specified")
        }
    }
}
