//! Parameters that are texts of their own form: read and shown.

use std::net::{IpAddr, SocketAddr};

use crate::{
    config::{
        settings::{JitterRules, OutputLimit, OutputLimits},
        sizes,
    },
    store::observer::EventClass,
};

/// Rules beyond this are a mistake: every write of a TTL looks through them.
const JITTER_RULES_MAX: usize = 1024;

const EVENT_LETTERS: [(char, EventClass); 14] = [
    ('g', EventClass::GENERIC),
    ('$', EventClass::STRING),
    ('l', EventClass::LIST),
    ('s', EventClass::SET),
    ('h', EventClass::HASH),
    ('z', EventClass::ZSET),
    ('x', EventClass::EXPIRED),
    ('e', EventClass::EVICTED),
    ('t', EventClass::STREAM),
    ('d', EventClass::MODULE),
    ('n', EventClass::NEW),
    ('K', EventClass::KEYSPACE),
    ('E', EventClass::KEYEVENT),
    ('m', EventClass::KEY_MISS),
];

pub(super) fn read_events(text: &str) -> Result<EventClass, String> {
    let mut events = EventClass::empty();
    for letter in text.chars() {
        events |= match letter {
            'A' => EventClass::ALL,
            other => match EVENT_LETTERS.iter().find(|(known, _)| *known == other) {
                Some((_, class)) => *class,
                None => return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned()),
            },
        };
    }
    Ok(events)
}

pub(super) fn show_events(events: EventClass) -> String {
    let is_all = events.contains(EventClass::ALL);
    let mut text = String::new();
    if is_all {
        text.push('A');
    }
    for (letter, class) in EVENT_LETTERS {
        if events.contains(class) && !(is_all && EventClass::ALL.contains(class)) {
            text.push(letter);
        }
    }
    text
}

pub(super) fn read_jitter_rules(text: &str) -> Result<JitterRules, String> {
    let mut rules = text.split_ascii_whitespace().map(read_jitter_rule).collect::<Result<Vec<_>, _>>()?;
    if rules.len() > JITTER_RULES_MAX {
        return Err(format!("there may be {JITTER_RULES_MAX} rules at most"));
    }
    // Longest first, so that the first match is the one that wins; equal ones stay in order.
    rules.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    Ok(rules)
}

fn read_jitter_rule(rule: &str) -> Result<(Box<[u8]>, u8), String> {
    // A prefix may contain colons itself, and mostly does.
    let (prefix, percent) =
        rule.rsplit_once(':').ok_or_else(|| format!("rule '{rule}' must be prefix:percent, such as 'session:0'"))?;
    let percent = percent
        .parse()
        .ok()
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| format!("the percentage of rule '{rule}' must be between 0 and 100"))?;
    Ok((prefix.as_bytes().into(), percent))
}

pub(super) fn show_jitter_rules(rules: &[(Box<[u8]>, u8)]) -> String {
    let shown: Vec<_> =
        rules.iter().map(|(prefix, percent)| format!("{}:{percent}", String::from_utf8_lossy(prefix))).collect();
    shown.join(" ")
}

pub(super) fn read_percentiles(text: &str) -> Result<Vec<f64>, String> {
    text.split_ascii_whitespace()
        .map(|word| {
            let percentile: f64 = word.parse().map_err(|_| "Invalid latency-tracking-info-percentiles parameters")?;
            if !(0.0..=100.0).contains(&percentile) {
                return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned());
            }
            Ok(percentile)
        })
        .collect()
}

pub(super) fn show_percentiles(percentiles: &[f64]) -> String {
    percentiles.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

pub(super) fn read_output_limits(text: &str, mut limits: OutputLimits) -> Result<OutputLimits, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let (groups, rest) = words.as_chunks::<4>();
    if !rest.is_empty() || groups.is_empty() {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    for [class, hard, soft, seconds] in groups {
        let place = match class.to_ascii_lowercase().as_str() {
            "normal" => &mut limits.normal,
            "replica" | "slave" => &mut limits.replica,
            "pubsub" => &mut limits.pubsub,
            _ => return Err("Invalid client class specified in buffer limit configuration.".to_owned()),
        };
        let parsed = (sizes::parse_size(hard), sizes::parse_size(soft), seconds.parse().ok());
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_s)) = parsed else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_owned());
        };
        *place = OutputLimit { hard_bytes, soft_bytes, soft_s };
    }
    Ok(limits)
}

pub(super) fn show_output_limits(limits: &OutputLimits) -> String {
    let shown = [("normal", limits.normal), ("slave", limits.replica), ("pubsub", limits.pubsub)]
        .map(|(class, limit)| format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_s));
    shown.join(" ")
}

pub(super) fn read_listen(text: &str) -> Result<Vec<SocketAddr>, String> {
    let listen: Result<Vec<_>, String> = text
        .split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse().map_err(|_| format!("'{word}' must be ADDRESS:PORT, such as '127.0.0.1:6379' or '[::1]:6379'"))
        })
        .collect();
    match listen?.as_slice() {
        [] => Err("there must be one address at least, such as '127.0.0.1:6379'".to_owned()),
        listen => Ok(listen.to_vec()),
    }
}

pub(super) fn show_listen(listen: &[SocketAddr]) -> String {
    listen.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn read_bind(text: &str, listen: &[SocketAddr]) -> Result<Vec<SocketAddr>, String> {
    let port = listen.first().map_or(6379, SocketAddr::port);
    let bound: Result<Vec<_>, String> = text
        .split_ascii_whitespace()
        .map(|word| match word {
            "*" => Ok(SocketAddr::from(([0, 0, 0, 0], port))),
            word => word
                .parse::<IpAddr>()
                .map(|addr| SocketAddr::new(addr, port))
                .map_err(|_| format!("'{word}' is not an IP address")),
        })
        .collect();
    match bound?.as_slice() {
        [] => Err("there must be one address at least".to_owned()),
        bound => Ok(bound.to_vec()),
    }
}

pub(super) fn show_bind(listen: &[SocketAddr]) -> String {
    listen.iter().map(|addr| addr.ip().to_string()).collect::<Vec<_>>().join(" ")
}

pub(super) fn read_dir(text: &str) -> Result<String, String> {
    match std::fs::metadata(text) {
        Ok(metadata) if metadata.is_dir() => Ok(text.to_owned()),
        Ok(_) => Err("Not a directory".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_shown_in_their_shortest_form() {
        for (given, shown) in
            [("KEA", "AKE"), ("g$lshzxetd", "A"), ("nmKE", "nKEm"), ("Kx", "xK"), ("", ""), ("Elg", "glE")]
        {
            assert_eq!(show_events(read_events(given).unwrap()), shown, "{given}");
        }
        assert!(read_events("KEy").is_err());
    }

    #[test]
    fn the_longest_jitter_rule_comes_first() {
        let rules = read_jitter_rules("page:25 page:front:5 :1").unwrap();
        assert_eq!(show_jitter_rules(&rules), "page:front:5 page:25 :1");
        for bad in ["page", "page:", "page:101", "page:-1", "page:x"] {
            assert!(read_jitter_rules(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_of_one_class_leaves_the_others() {
        let limits = read_output_limits("pubsub 1mb 0 5", OutputLimits::default()).unwrap();
        assert_eq!(limits.pubsub, OutputLimit { hard_bytes: 1 << 20, soft_bytes: 0, soft_s: 5 });
        assert_eq!(limits.replica, OutputLimits::default().replica);
        for bad in ["", "pubsub 1 2", "wrong 1 2 3", "normal 1 2 x", "normal -1 2 3"] {
            assert!(read_output_limits(bad, OutputLimits::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_to_listen_on_has_a_port() {
        assert_eq!(show_listen(&read_listen("127.0.0.1:1, [::1]:2").unwrap()), "127.0.0.1:1,[::1]:2");
        assert!(read_listen("127.0.0.1").is_err());
        assert!(read_listen("").is_err());
    }
}
