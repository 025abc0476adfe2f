//! BITFIELD and BITFIELD_RO.

use super::{
    super::{CommandError, CommandResult, args::Args, ctx::Ctx},
    bit::grow_to,
    field::{FieldType, Overflow},
    offset,
};
use crate::store::observer::EventClass;

/// One of a command's operations.
#[derive(Clone, Copy)]
struct Operation {
    action: Action,
    field: FieldType,
    offset: usize,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Increment(i64, Overflow),
}

impl Operation {
    fn is_write(&self) -> bool {
        !matches!(self.action, Action::Get)
    }

    /// The field's last bit.
    fn last_bit(&self) -> usize {
        self.offset + self.field.bits as usize - 1
    }

    /// What a write answers, and the value that it stores; `None` where that overflows and must not.
    fn outcome(&self, old: i64) -> Option<(i64, i64)> {
        match self.action {
            Action::Get => Some((old, old)),
            Action::Set(value, overflow) => self.field.fit(self.field.widen(value), overflow).map(|new| (old, new)),
            Action::Increment(by, overflow) => {
                self.field.fit(i128::from(old) + i128::from(by), overflow).map(|new| (new, new))
            }
        }
    }
}

/// `BITFIELD key [GET type offset | SET type offset value | INCRBY type offset increment | OVERFLOW WRAP|SAT|FAIL …]`
pub(super) fn bitfield(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let operations = parse(ctx, args)?;
    match operations.iter().filter(|operation| operation.is_write()).map(Operation::last_bit).max() {
        Some(last_bit) => write(ctx, args, &operations, last_bit),
        None => read(ctx, args, &operations),
    }
}

/// `BITFIELD_RO key [GET type offset …]`
pub(super) fn bitfield_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let operations = parse(ctx, args)?;
    if operations.iter().any(Operation::is_write) {
        return Err(CommandError::coded("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read(ctx, args, &operations)
}

fn parse(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> Result<Vec<Operation>, CommandError> {
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut at = 2;
    while at < args.len() {
        let operands = args.len() - at - 1;
        if args.is(at, "OVERFLOW") && operands >= 1 {
            overflow = parse_overflow(args, at + 1)?;
            at += 2;
            continue;
        }
        let is_get = args.is(at, "GET") && operands >= 2;
        let is_set = args.is(at, "SET") && operands >= 3;
        let is_increment = args.is(at, "INCRBY") && operands >= 3;
        if !is_get && !is_set && !is_increment {
            return Err(CommandError::Syntax);
        }
        let field = FieldType::parse(args.get(at + 1))?;
        let offset = offset::parse_field(args.get(at + 2), field.bits, ctx.settings)?;
        let action = if is_get {
            Action::Get
        } else if is_set {
            Action::Set(args.integer(at + 3)?, overflow)
        } else {
            Action::Increment(args.integer(at + 3)?, overflow)
        };
        operations.push(Operation { action, field, offset });
        at += if is_get { 3 } else { 4 };
    }
    Ok(operations)
}

fn parse_overflow(args: &Args<'_>, index: usize) -> Result<Overflow, CommandError> {
    if args.is(index, "WRAP") {
        Ok(Overflow::Wrap)
    } else if args.is(index, "SAT") {
        Ok(Overflow::Saturate)
    } else if args.is(index, "FAIL") {
        Ok(Overflow::Fail)
    } else {
        Err(CommandError::coded("ERR Invalid OVERFLOW type specified"))
    }
}

fn read(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operations: &[Operation]) -> CommandResult {
    let key = ctx.key(args, 1);
    let bytes = ctx.ks.read_string(&key)?.unwrap_or_default();
    ctx.reply.array(operations.len());
    for operation in operations {
        ctx.reply.integer(operation.field.read(bytes, operation.offset));
    }
    Ok(())
}

fn write(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operations: &[Operation], last_bit: usize) -> CommandResult {
    let key = ctx.key(args, 1);
    let mut has_changed = grow_to(ctx, &key, last_bit)?;
    let bytes = ctx.ks.string_bytes_mut(&key)?.unwrap_or_default();
    ctx.reply.array(operations.len());
    for operation in operations {
        let old = operation.field.read(bytes, operation.offset);
        match operation.outcome(old) {
            None => ctx.reply.null(),
            Some((answer, new)) => {
                ctx.reply.integer(answer);
                if new != old {
                    operation.field.write(bytes, operation.offset, new);
                    has_changed = true;
                }
            }
        }
    }
    if has_changed {
        ctx.changed(&key, EventClass::STRING, "setbit");
    }
    Ok(())
}
