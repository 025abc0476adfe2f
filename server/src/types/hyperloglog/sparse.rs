//! The sparse registers: run lengths.
//!
//! | bytes | meaning |
//! |---|---|
//! | `00nnnnnn` | n + 1 registers are 0 (up to 64) |
//! | `01nnnnnn nnnnnnnn` | n + 1 registers are 0 (up to 16,384) |
//! | `1vvvvvnn` | n + 1 registers are v + 1 (up to 4 registers, values up to 32) |

use std::ops::Range;

use super::{HEADER_BYTES, HllError, REGISTERS};

/// Highest value that a run can name.
const MAX_VALUE: u8 = 32;
/// Longest run of one value that is not 0.
const MAX_VALUE_RUN: usize = 4;
/// Longest run of zeros that takes one byte.
const MAX_SHORT_ZEROS: usize = 64;
/// How many runs, from the one before a change, are looked at for a merge.
const MERGE_WINDOW: usize = 5;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOutcome {
    Unchanged,
    Changed,
    /// The value or the length is beyond what this encoding may have; nothing was changed.
    NoRoom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    value: u8,
    length: usize,
    /// Bytes of its code.
    size: usize,
}

/// Decodes the run at the start of `bytes`.
fn decode(bytes: &[u8]) -> Option<Run> {
    let (&code, rest) = bytes.split_first()?;
    Some(match code >> 6 {
        0 => Run { value: 0, length: usize::from(code & 0x3f) + 1, size: 1 },
        1 => {
            let low = *rest.first()?;
            Run { value: 0, length: (usize::from(code & 0x3f) << 8 | usize::from(low)) + 1, size: 2 }
        }
        _ => Run { value: ((code >> 2) & 0x1f) + 1, length: usize::from(code & 3) + 1, size: 1 },
    })
}

/// Appends the shortest code of a run that is within the limits of its kind; an empty one has none.
fn encode(out: &mut Vec<u8>, value: u8, length: usize) {
    let Some(less) = length.checked_sub(1) else {
        return;
    };
    match value {
        0 if length <= MAX_SHORT_ZEROS => out.push(less as u8),
        0 => out.extend([0x40 | (less >> 8) as u8, less as u8]),
        _ => out.push(0x80 | (value - 1) << 2 | less as u8),
    }
}

/// Appends the code of registers that are all 0.
pub(super) fn write_empty(hll: &mut Vec<u8>) {
    encode(hll, 0, REGISTERS);
}

/// Visits the registers that each run covers. All have to be covered exactly.
pub(super) fn for_each_run(payload: &[u8], mut visit: impl FnMut(Range<usize>, u8)) -> Result<(), HllError> {
    let (mut rest, mut index) = (payload, 0);
    while !rest.is_empty() {
        let run = decode(rest).ok_or(HllError::Corrupted)?;
        let end = index + run.length;
        if end > REGISTERS {
            return Err(HllError::Corrupted);
        }
        visit(index..end, run.value);
        index = end;
        rest = &rest[run.size..];
    }
    if index == REGISTERS { Ok(()) } else { Err(HllError::Corrupted) }
}

/// The runs as text, see [`super::describe_runs`].
pub(super) fn describe(payload: &[u8]) -> Result<String, HllError> {
    let mut rest = payload;
    let mut runs = Vec::new();
    while !rest.is_empty() {
        let run = decode(rest).ok_or(HllError::Corrupted)?;
        runs.push(match run {
            Run { value: 0, length, size: 1 } => format!("z:{length}"),
            Run { value: 0, length, .. } => format!("Z:{length}"),
            Run { value, length, .. } => format!("v:{value},{length}"),
        });
        rest = &rest[run.size..];
    }
    Ok(runs.join(" "))
}

/// Raises one register to `value` if it is lower, splitting the run that covers it.
pub(super) fn set(hll: &mut Vec<u8>, index: usize, value: u8, max_bytes: usize) -> Result<SetOutcome, HllError> {
    if value > MAX_VALUE {
        return Ok(SetOutcome::NoRoom);
    }
    let (mut at, mut previous, mut first) = (HEADER_BYTES, HEADER_BYTES, 0);
    let run = loop {
        let run = hll.get(at..).and_then(decode).ok_or(HllError::Corrupted)?;
        if index < first + run.length {
            break run;
        }
        previous = at;
        at += run.size;
        first += run.length;
    };
    if run.value >= value {
        return Ok(SetOutcome::Unchanged);
    }
    let mut codes = Vec::with_capacity(5);
    encode(&mut codes, run.value, index - first);
    encode(&mut codes, value, 1);
    encode(&mut codes, run.value, first + run.length - index - 1);
    let grows = codes.len() > run.size;
    if grows && hll.len() + codes.len() - run.size > max_bytes {
        return Ok(SetOutcome::NoRoom);
    }
    hll.splice(at..at + run.size, codes);
    merge_runs(hll, previous);
    Ok(SetOutcome::Changed)
}

/// Joins neighbouring runs of the same value near a change.
fn merge_runs(hll: &mut Vec<u8>, mut at: usize) {
    let mut looks = 0;
    while looks < MERGE_WINDOW
        && let Some(run) = hll.get(at..).and_then(decode)
    {
        looks += 1;
        let joined = hll.get(at + run.size..).and_then(decode).and_then(|next| {
            let length = run.length + next.length;
            (run.value != 0 && run.value == next.value && length <= MAX_VALUE_RUN).then_some(length)
        });
        match joined {
            Some(length) => {
                let mut code = Vec::with_capacity(1);
                encode(&mut code, run.value, length);
                hll.splice(at..at + 2, code);
            }
            None => at += run.size,
        }
    }
}
