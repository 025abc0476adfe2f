//! "Did you mean …": the name that a mistyped one probably stands for.

/// The candidate nearest to `name`, if any is near enough that it may have been meant.
///
/// A third of the letters may be wrong, and two may always have changed places.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer inputs are no slips of a finger, and the distance costs the product of the lengths.
    const LEN_MAX: usize = 64;
    let length = name.chars().count();
    if length > LEN_MAX {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let distance_max = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= distance_max && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The suggestion as the end of a sentence, or nothing.
#[must_use]
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!(" (did you mean '{near}'?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["maxmemory", "maxmemory-policy", "maxclients", "ttl-jitter"];

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        assert_eq!(nearest("maxmemry", NAMES), Some("maxmemory"));
        assert_eq!(nearest("TTL-JITER", NAMES), Some("ttl-jitter"));
        assert_eq!(nearest("maxmemory-polcy", NAMES), Some("maxmemory-policy"));
    }

    #[test]
    fn a_name_unlike_all_others_finds_nothing() {
        assert_eq!(nearest("colour", NAMES), None);
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest(&"m".repeat(1000), NAMES), None);
    }
}
