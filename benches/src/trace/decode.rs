//! Turns a trace's bytes into accesses.

use super::{Access, TraceFormat};

/// Blocks that one line of an ARC trace may span.
const ARC_SPAN_MAX: u64 = 1 << 20;

/// Decodes all of `bytes`.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn decode(bytes: &[u8], format: TraceFormat) -> Result<Vec<Access>, String> {
    match format {
        TraceFormat::Be32 => integers::<4>(bytes, |raw| u64::from(u32::from_be_bytes(raw))),
        TraceFormat::Be64 => integers::<8>(bytes, u64::from_be_bytes),
        TraceFormat::Text => lines(bytes, |fields, accesses| {
            let [_time, key, size, ..] = fields[..] else {
                return None;
            };
            let size = u32::try_from(size.parse::<u64>().ok()?).unwrap_or(u32::MAX);
            accesses.push(Access { key: key.parse().ok()?, size: Some(size) });
            Some(())
        }),
        TraceFormat::Arc => lines(bytes, |fields, accesses| {
            let [start, count, ..] = fields[..] else {
                return None;
            };
            let start: u64 = start.parse().ok()?;
            let count = count.parse::<u64>().ok().filter(|&count| count <= ARC_SPAN_MAX)?;
            let end = start.checked_add(count)?;
            accesses.extend((start..end).map(|key| Access { key, size: None }));
            Some(())
        }),
    }
}

fn integers<const N: usize>(bytes: &[u8], key_of: fn([u8; N]) -> u64) -> Result<Vec<Access>, String> {
    let (keys, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!("{} bytes is no multiple of {N}", bytes.len()));
    }
    Ok(keys.iter().map(|&raw| Access { key: key_of(raw), size: None }).collect())
}

fn lines(bytes: &[u8], mut parse: impl FnMut(&[&str], &mut Vec<Access>) -> Option<()>) -> Result<Vec<Access>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut accesses = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if !fields.is_empty() && parse(&fields, &mut accesses).is_none() {
            return Err(format!("line {} has an unknown form", number + 1));
        }
    }
    Ok(accesses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8], format: TraceFormat) -> Result<Vec<u64>, String> {
        decode(bytes, format).map(|accesses| accesses.iter().map(|access| access.key).collect())
    }

    #[test]
    fn integers_are_big_endian() {
        assert_eq!(keys(&[0, 0, 1, 0], TraceFormat::Be32), Ok(vec![256]));
        assert_eq!(keys(&[0, 0, 0, 0, 0, 0, 1, 0], TraceFormat::Be64), Ok(vec![256]));
        assert!(keys(&[1, 2, 3], TraceFormat::Be32).is_err());
    }

    #[test]
    fn text_lines_have_time_key_and_size() {
        let accesses = decode(b"1 0 68\n2 1 7454\n", TraceFormat::Text).expect("well formed");
        assert_eq!(accesses, [Access { key: 0, size: Some(68) }, Access { key: 1, size: Some(7454) }]);
    }

    #[test]
    fn arc_lines_expand_to_runs_of_blocks() {
        assert_eq!(keys(b"10 3 0 1\n7 1 0 2\n", TraceFormat::Arc), Ok(vec![10, 11, 12, 7]));
    }

    #[test]
    fn a_bad_line_is_told_by_its_number() {
        let error = keys(b"1 0 68\n2 x 1\n", TraceFormat::Text).expect_err("malformed");
        assert!(error.contains("line 2"), "{error}");
        assert!(keys(b"18446744073709551615 9\n", TraceFormat::Arc).is_err());
    }
}
