//! BITOP: combines strings bit by bit.

use std::sync::Arc;

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};
use crate::store::{keyspace::Ttl, observer::EventClass};

/// How bits are combined. The strings but the first are its *others*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// Set in the first, in none of the others.
    Diff,
    /// Set in any of the others, not in the first.
    Diff1,
    /// Set in the first and in any of the others.
    AndOr,
    /// Set in exactly one.
    One,
}

const OPERATIONS: [(&str, Operation); 8] = [
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

/// `BITOP operation destination key [key …]`
pub(super) fn bitop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let &(name, operation) = OPERATIONS.iter().find(|(name, _)| args.is(1, name)).ok_or(CommandError::Syntax)?;
    let sources = args.len() - 3;
    match operation {
        Operation::Not if sources != 1 => {
            return Err(CommandError::coded("ERR BITOP NOT must be called with a single source key."));
        }
        Operation::Diff | Operation::Diff1 | Operation::AndOr if sources < 2 => {
            return Err(CommandError::err(format_args!("BITOP {name} must be called with at least two source keys.")));
        }
        _ => {}
    }
    let keys: Vec<_> = (3..args.len()).map(|index| ctx.key(args, index)).collect();
    let mut strings = Vec::with_capacity(keys.len());
    for key in &keys {
        strings.push(ctx.ks.read_string(key)?.unwrap_or_default());
    }
    let combined = combine(operation, &strings);
    let len = combined.len();
    let destination = ctx.key(args, 2);
    if !combined.is_empty() {
        ctx.ks.put_shared(&destination, Arc::new(combined), Ttl::Clear);
        ctx.changed(&destination, EventClass::STRING, "set");
    } else if ctx.ks.remove(&destination) {
        ctx.changed(&destination, EventClass::GENERIC, "del");
    }
    ctx.reply.count(len);
    Ok(())
}

/// Combines strings, the shorter ones padded with clear bits.
fn combine(operation: Operation, strings: &[&[u8]]) -> Vec<u8> {
    let len = strings.iter().map(|string| string.len()).max().unwrap_or(0);
    let Some((&first, others)) = strings.split_first() else { return Vec::new() };
    let mut result = first.to_vec();
    result.resize(len, 0);
    match operation {
        Operation::Not => result.iter_mut().for_each(|byte| *byte = !*byte),
        Operation::And => others.iter().for_each(|other| and(&mut result, other)),
        Operation::Or => others.iter().for_each(|other| zip(&mut result, other, |a, b| a | b)),
        Operation::Xor => others.iter().for_each(|other| zip(&mut result, other, |a, b| a ^ b)),
        Operation::Diff => zip(&mut result, &any_of(others, len), |first, any| first & !any),
        Operation::Diff1 => zip(&mut result, &any_of(others, len), |first, any| !first & any),
        Operation::AndOr => zip(&mut result, &any_of(others, len), |first, any| first & any),
        Operation::One => {
            let mut twice = vec![0; len];
            for other in others {
                for ((once, twice), byte) in result.iter_mut().zip(&mut twice).zip(*other) {
                    *twice |= *once & byte;
                    *once |= byte;
                }
            }
            zip(&mut result, &twice, |once, twice| once & !twice);
        }
    }
    result
}

/// Combines in place as far as `other` reaches.
fn zip(result: &mut [u8], other: &[u8], combine: impl Fn(u8, u8) -> u8) {
    for (byte, &other) in result.iter_mut().zip(other) {
        *byte = combine(*byte, other);
    }
}

fn and(result: &mut [u8], other: &[u8]) {
    let (common, behind) = result.split_at_mut(other.len().min(result.len()));
    zip(common, other, |a, b| a & b);
    behind.fill(0);
}

fn any_of(strings: &[&[u8]], len: usize) -> Vec<u8> {
    let mut any = vec![0; len];
    strings.iter().for_each(|string| zip(&mut any, string, |a, b| a | b));
    any
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an operation means for one bit.
    fn expected(operation: Operation, bits: &[bool]) -> bool {
        let (first, others) = (bits[0], &bits[1..]);
        let any = others.contains(&true);
        match operation {
            Operation::And => !bits.contains(&false),
            Operation::Or => first || any,
            Operation::Xor => bits.iter().filter(|&&bit| bit).count() % 2 == 1,
            Operation::Not => !first,
            Operation::Diff => first && !any,
            Operation::Diff1 => !first && any,
            Operation::AndOr => first && any,
            Operation::One => bits.iter().filter(|&&bit| bit).count() == 1,
        }
    }

    proptest! {
        #[test]
        fn every_bit_of_the_result_is_what_the_operation_means(
            strings in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..6),
        ) {
            let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
            for (name, operation) in OPERATIONS {
                let result = combine(operation, &strings);
                prop_assert_eq!(result.len(), strings.iter().map(|string| string.len()).max().unwrap_or(0));
                for offset in 0..result.len() * 8 {
                    let bits: Vec<bool> =
                        strings.iter().map(|string| super::super::bits::get(string, offset)).collect();
                    prop_assert_eq!(
                        super::super::bits::get(&result, offset), expected(operation, &bits), "{} at {}", name, offset
                    );
                }
            }
        }
    }
}
