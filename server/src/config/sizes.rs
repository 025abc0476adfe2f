//! Sizes (`100mb`) and durations (`10s`) as people write them.

/// Units of sizes, as Redis has them: those with a `b` are powers of 1024, those without are powers of 1000.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("k", 1000),
    ("kb", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1 << 30),
];

/// Units of durations in ms; a bare number is ms.
const DURATION_UNITS: [(&str, u64); 6] =
    [("", 1), ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A size in bytes, such as `1048576`, `100mb` or `1g`; units are in any case.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    parse(text, &SIZE_UNITS)
}

/// A duration in ms, such as `500ms`, `10s` or `5m`; a bare number is ms.
#[must_use]
pub fn parse_duration_ms(text: &str) -> Option<u64> {
    parse(text, &DURATION_UNITS)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Bytes for people, such as `1.50M`, as INFO's `_human` fields have them.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_b_makes_the_unit_binary() {
        assert_eq!(parse_size("2k"), Some(2000));
        assert_eq!(parse_size("2KB"), Some(2048));
        assert_eq!(parse_size("1Gb"), Some(1 << 30));
        assert_eq!(parse_size("7"), Some(7));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "mb", "-1", "1.5gb", "10tb", "99999999999999999999", "9999999999999gb", "1 mb"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_duration_is_in_milliseconds() {
        assert_eq!(parse_duration_ms("250"), Some(250));
        assert_eq!(parse_duration_ms("10s"), Some(10_000));
        assert_eq!(parse_duration_ms("2m"), Some(120_000));
        assert_eq!(parse_duration_ms("10 s"), None);
    }

    #[test]
    fn sizes_are_shown_with_two_decimals() {
        assert_eq!(human_size(1023), "1023B");
        assert_eq!(human_size(1536), "1.50K");
        assert_eq!(human_size(3 << 30), "3.00G");
    }
}
