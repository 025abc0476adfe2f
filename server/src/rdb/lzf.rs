//! Decompression of LZF, with which Redis and Valkey compress long strings.
//!
//! A control byte below 32 precedes that many literal bytes and one more. Any other begins a repetition: three bits of
//! length (7: another byte of length follows), then 13 bits of distance back; two is added to the length.

/// One repetition of three bytes yields at most 264.
const EXPANSION_MAX: usize = 264;

/// The `len` bytes that `compressed` stands for, or `None` if it stands for none or for more or less.
pub(super) fn decompress(compressed: &[u8], len: usize) -> Option<Vec<u8>> {
    if len > compressed.len().saturating_mul(EXPANSION_MAX) {
        return None;
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = compressed;
    while let Some((&control, behind)) = rest.split_first() {
        rest = behind;
        if control < 32 {
            let (literal, behind) = rest.split_at_checked(usize::from(control) + 1)?;
            rest = behind;
            out.extend_from_slice(literal);
        } else {
            let mut run = usize::from(control >> 5);
            if run == 7 {
                let (&more, behind) = rest.split_first()?;
                rest = behind;
                run += usize::from(more);
            }
            let (&low, behind) = rest.split_first()?;
            rest = behind;
            let distance = (usize::from(control & 0x1f) << 8 | usize::from(low)) + 1;
            let start = out.len().checked_sub(distance)?;
            // A run may overlap what it writes: it then repeats the last few bytes.
            for at in start..start + run + 2 {
                out.push(*out.get(at)?);
            }
        }
        if out.len() > len {
            return None;
        }
    }
    (out.len() == len).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_and_repetitions_are_expanded() {
        assert_eq!(decompress(b"\x02abc", 3).as_deref(), Some(&b"abc"[..]));
        assert_eq!(decompress(b"\x01ab\x40\x01", 6).as_deref(), Some(&b"ababab"[..]));
        assert_eq!(decompress(b"\x00a\xe0\x05\x00", 15).as_deref(), Some(&b"aaaaaaaaaaaaaaa"[..]));
    }

    #[test]
    fn what_does_not_give_the_promised_length_is_refused() {
        assert_eq!(decompress(b"\x02abc", 4), None);
        assert_eq!(decompress(b"\x02abc", 2), None);
        assert_eq!(decompress(b"\x02ab", 3), None);
        assert_eq!(decompress(b"\x20\x00", 3), None, "nothing to repeat yet");
        assert_eq!(decompress(b"\x00a", usize::MAX), None);
    }

    proptest! {
        #[test]
        fn no_input_panics_or_gives_more_than_asked(bytes: Vec<u8>, len in 0_usize..5000) {
            if let Some(out) = decompress(&bytes, len) {
                prop_assert_eq!(out.len(), len);
            }
        }
    }
}
