//! HyperLogLog cardinality estimation, in Redis's string format.
//!
//! The value is an ordinary string that GET, SET, APPEND and DUMP may touch, so every function takes any bytes and reports
//! what it cannot read. Layout: the magic `HYLL`, the encoding (0 dense, 1 sparse), three unused bytes, the cached
//! cardinality (u64 little endian; its highest bit set means stale), then the registers.
//!
//! - *Dense*: 16,384 registers of six bits, lowest bits first.
//! - *Sparse*: run lengths, see the `sparse` module; a register beyond 32 or a string beyond a limit makes it dense.

mod dense;
mod estimate;
mod sparse;

use thiserror::Error;

use estimate::{Histogram, estimate, place};
use sparse::SetOutcome;

/// Number of registers; an estimate's standard error is 1.04 / √16,384 = 0.81 %.
pub const REGISTERS: usize = 1 << 14;

const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const CARDINALITY_AT: usize = 8;
const HEADER_BYTES: usize = 16;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;

/// What is wrong with a string that should be a HyperLogLog; the texts are those that clients know.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HllError {
    /// The string has no valid header, or not the length of its encoding.
    #[error("WRONGTYPE Key is not a valid HyperLogLog string value.")]
    NotHll,
    /// The header is fine but the registers cannot be read.
    #[error("INVALIDOBJ Corrupted HLL object detected")]
    Corrupted,
}

/// How the registers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HllEncoding {
    /// Six bits a register.
    Dense,
    /// Run lengths.
    Sparse,
}

impl HllEncoding {
    /// The name that PFDEBUG ENCODING tells.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }
}

/// An empty HyperLogLog.
pub fn create() -> Vec<u8> {
    let mut hll = vec![0; HEADER_BYTES];
    hll[..4].copy_from_slice(MAGIC);
    hll[ENCODING_AT] = SPARSE;
    sparse::write_empty(&mut hll);
    hll
}

/// Checks the header and, for the dense encoding, the length.
///
/// # Errors
/// [`HllError::NotHll`]. A sparse string whose runs are wrong is only found out by those who read them.
pub fn validate(hll: &[u8]) -> Result<HllEncoding, HllError> {
    if hll.len() < HEADER_BYTES || !hll.starts_with(MAGIC) {
        return Err(HllError::NotHll);
    }
    match hll[ENCODING_AT] {
        DENSE if hll.len() == HEADER_BYTES + dense::BYTES => Ok(HllEncoding::Dense),
        SPARSE => Ok(HllEncoding::Sparse),
        _ => Err(HllError::NotHll),
    }
}

/// Adds an element and tells whether a register changed, that is, whether the estimate may have.
///
/// The string becomes dense when its sparse form would exceed `sparse_max_bytes`.
///
/// # Errors
/// When the string is no HyperLogLog or its registers cannot be read; it is then left as it was.
pub fn add(hll: &mut Vec<u8>, element: &[u8], sparse_max_bytes: usize) -> Result<bool, HllError> {
    let encoding = validate(hll)?;
    let (index, value) = place(element);
    let changed = set(hll, encoding, index, value, sparse_max_bytes)?;
    if changed {
        invalidate_cache(hll);
    }
    Ok(changed)
}

/// [`add`] to a dense HyperLogLog, whose length never changes.
///
/// # Errors
/// When the string is no dense HyperLogLog; it is then left as it was.
pub fn add_dense(hll: &mut [u8], element: &[u8]) -> Result<bool, HllError> {
    if validate(hll)? != HllEncoding::Dense {
        return Err(HllError::NotHll);
    }
    let (index, value) = place(element);
    let changed = dense::set(&mut hll[HEADER_BYTES..], index, value);
    if changed {
        invalidate_cache(hll);
    }
    Ok(changed)
}

/// Raises one register to `value` if it is lower.
fn set(
    hll: &mut Vec<u8>,
    encoding: HllEncoding,
    index: usize,
    value: u8,
    sparse_max_bytes: usize,
) -> Result<bool, HllError> {
    if encoding == HllEncoding::Sparse {
        match sparse::set(hll, index, value, sparse_max_bytes)? {
            SetOutcome::Unchanged => return Ok(false),
            SetOutcome::Changed => return Ok(true),
            SetOutcome::NoRoom => to_dense(hll)?,
        }
    }
    Ok(dense::set(&mut hll[HEADER_BYTES..], index, value))
}

/// Changes to the dense encoding; the cached cardinality stays.
///
/// # Errors
/// When the string is no HyperLogLog or its registers cannot be read.
pub fn to_dense(hll: &mut Vec<u8>) -> Result<(), HllError> {
    if validate(hll)? == HllEncoding::Dense {
        return Ok(());
    }
    let registers = registers(hll)?;
    hll.truncate(HEADER_BYTES);
    hll.reserve_exact(dense::BYTES);
    hll.resize(HEADER_BYTES + dense::BYTES, 0);
    hll[ENCODING_AT] = DENSE;
    for (index, &value) in registers.iter().enumerate() {
        dense::set(&mut hll[HEADER_BYTES..], index, value);
    }
    Ok(())
}

/// All registers, as PFDEBUG GETREG tells them.
///
/// # Errors
/// When the string is no HyperLogLog or its registers cannot be read.
pub fn registers(hll: &[u8]) -> Result<Vec<u8>, HllError> {
    let mut registers = vec![0; REGISTERS];
    merge_into(&mut registers, hll)?;
    Ok(registers)
}

/// The runs of a sparse HyperLogLog as PFDEBUG DECODE tells them: `z:n` and `Z:n` for n zeros in a short or a long code,
/// `v:x,n` for n registers of value x. `None` for a dense one.
///
/// # Errors
/// When the string is no HyperLogLog or its runs cannot be read.
pub fn describe_runs(hll: &[u8]) -> Result<Option<String>, HllError> {
    match validate(hll)? {
        HllEncoding::Dense => Ok(None),
        HllEncoding::Sparse => sparse::describe(&hll[HEADER_BYTES..]).map(Some),
    }
}

/// Raises `registers` to those of `hll` where these are higher.
fn merge_into(registers: &mut [u8], hll: &[u8]) -> Result<(), HllError> {
    let encoding = validate(hll)?;
    let payload = &hll[HEADER_BYTES..];
    match encoding {
        HllEncoding::Dense => {
            for (register, value) in registers.iter_mut().zip(dense::values(payload)) {
                *register = value.max(*register);
            }
            Ok(())
        }
        HllEncoding::Sparse => sparse::for_each_run(payload, |range, value| {
            for register in &mut registers[range] {
                *register = value.max(*register);
            }
        }),
    }
}

/// The cached cardinality, if it is there and not stale.
pub fn cached_count(hll: &[u8]) -> Option<u64> {
    let bytes = hll.get(CARDINALITY_AT..)?.first_chunk::<8>()?;
    let cardinality = u64::from_le_bytes(*bytes);
    (cardinality >> 63 == 0).then_some(cardinality)
}

fn invalidate_cache(hll: &mut [u8]) {
    if let Some(highest) = hll.get_mut(CARDINALITY_AT + 7) {
        *highest |= 0x80;
    }
}

/// The estimated number of different elements: the cached one, or else a new estimate.
///
/// # Errors
/// When the string is no HyperLogLog or its registers cannot be read.
pub fn count(hll: &[u8]) -> Result<u64, HllError> {
    let encoding = validate(hll)?;
    if let Some(cardinality) = cached_count(hll) {
        return Ok(cardinality);
    }
    let payload = &hll[HEADER_BYTES..];
    let mut histogram: Histogram = [0; 64];
    match encoding {
        HllEncoding::Dense => dense::values(payload).for_each(|value| histogram[usize::from(value)] += 1),
        HllEncoding::Sparse => {
            sparse::for_each_run(payload, |range, value| histogram[usize::from(value)] += range.len() as u32)?;
        }
    }
    Ok(estimate(&histogram))
}

/// [`count`] that also stores a new estimate in the string; tells whether it did.
///
/// # Errors
/// As [`count`].
pub fn count_and_cache(hll: &mut [u8]) -> Result<(u64, bool), HllError> {
    let cardinality = count(hll)?;
    if cached_count(hll).is_some() {
        return Ok((cardinality, false));
    }
    hll[CARDINALITY_AT..HEADER_BYTES].copy_from_slice(&cardinality.to_le_bytes());
    Ok((cardinality, true))
}

/// The estimated number of different elements in the union.
///
/// # Errors
/// When one of the strings is no HyperLogLog or its registers cannot be read.
pub fn count_many(hlls: &[&[u8]]) -> Result<u64, HllError> {
    let mut union = vec![0; REGISTERS];
    hlls.iter().try_for_each(|hll| merge_into(&mut union, hll))?;
    let mut histogram: Histogram = [0; 64];
    union.iter().for_each(|&value| histogram[usize::from(value)] += 1);
    Ok(estimate(&histogram))
}

/// Makes `target` the union of itself and `others`. It becomes dense if any of them is.
///
/// # Errors
/// When one of the strings is no HyperLogLog or its registers cannot be read; `target` is then left as it was.
pub fn merge(target: &mut Vec<u8>, others: &[&[u8]], sparse_max_bytes: usize) -> Result<(), HllError> {
    let mut union = registers(target)?;
    let mut any_dense = false;
    for hll in others {
        any_dense |= validate(hll)? == HllEncoding::Dense;
        merge_into(&mut union, hll)?;
    }
    if any_dense {
        to_dense(target)?;
    }
    for (index, &value) in union.iter().enumerate().filter(|&(_, &value)| value > 0) {
        let encoding = validate(target)?;
        set(target, encoding, index, value, sparse_max_bytes)?;
    }
    invalidate_cache(target);
    Ok(())
}

#[cfg(test)]
mod tests;
