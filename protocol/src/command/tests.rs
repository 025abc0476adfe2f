use super::*;
use std::collections::HashSet;

fn find(name: &str) -> &'static CommandSpec {
    spec(lookup(name.as_bytes()).unwrap_or_else(|| panic!("{name} is missing")))
}

/// The keys of a call written as a line of words, each as `index:access`.
fn keys(line: &str) -> Result<String, KeysError> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let keys = keys_of(find(line.split(' ').next().unwrap_or_default()), words.len(), |index| words[index])?;
    let show = |key: &KeyAt| format!("{}:{}", key.index, key.access.reply_names().collect::<Vec<_>>().join("+"));
    Ok(keys.iter().map(show).collect::<Vec<_>>().join(" "))
}

#[test]
fn names_are_unique_and_lowercase() {
    let mut seen = HashSet::new();
    for command in all() {
        assert!(seen.insert(command.name), "{} stands twice", command.name);
        let mut subcommands = HashSet::new();
        for sub in command.subcommands {
            assert!(subcommands.insert(sub.name), "{} {} stands twice", command.name, sub.name);
        }
        for entry in command.subcommands.iter().chain([command]) {
            assert_eq!(entry.name, entry.name.to_ascii_lowercase());
        }
    }
    assert_eq!(seen.len(), COUNT);
}

#[test]
fn every_entry_is_complete_and_consistent() {
    for command in all().flat_map(|command| command.subcommands.iter().chain([command])) {
        let name = command.name;
        assert!(command.summary.ends_with('.') && !command.complexity.is_empty(), "{name} lacks documentation");
        assert!(command.since.split('.').count() == 3, "{name}");
        assert!(command.arity != 0, "{name}");
        let least = command.arity.abs();
        assert!(
            command.first_key < least || command.arity == -1,
            "{name}: the first key isn't among the arguments that must be there"
        );
        assert!(!command.flags.contains(Flags::WRITE | Flags::READONLY), "{name} both reads only and writes");
        assert!(!command.single_key || command.first_key > 0, "{name}");
        assert_ne!(
            command.acl.contains(AclCategories::FAST),
            command.acl.contains(AclCategories::SLOW),
            "{name} is both fast and slow, or neither"
        );
        if command.flags.contains(Flags::WRITE) && command.keys.is_empty() {
            assert!(command.flags.contains(Flags::WHOLE_KEYSPACE), "{name} writes nothing");
        }
    }
}

#[test]
fn subcommands_count_their_container_as_an_argument() {
    for (command, sub) in all().flat_map(|command| command.subcommands.iter().map(move |sub| (command, sub))) {
        assert!(sub.arity.abs() >= 2, "{} {}", command.name, sub.name);
    }
}

#[test]
fn lookup_finds_every_name_in_any_case() {
    for (index, command) in all().enumerate() {
        let mixed: String =
            command.name.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
        for name in [command.name.to_owned(), command.name.to_ascii_uppercase(), mixed] {
            assert_eq!(lookup(name.as_bytes()), Some(index as u16), "{name}");
        }
    }
}

#[test]
fn lookup_refuses_what_only_looks_like_a_name() {
    for name in [
        "",
        "g",
        "gett",
        "ge\0",
        "get\0",
        "get ",
        "g%t",
        "\x07et",
        "gEu",
        "zrangebylexx",
        "georadiusbymembex_ro",
        "georadiusbymemb3r_ro",
        "sort\x1fro",
        "sort\x7fro",
        "hello\u{e9}",
        "xadd",
        "eval",
        "acl",
        "clusters",
        "function",
        "a very long name that is nothing",
    ] {
        assert_eq!(lookup(name.as_bytes()), None, "{name:?}");
    }
    for command in all() {
        for at in 0..command.name.len() {
            let mut bytes = command.name.as_bytes().to_vec();
            bytes[at] ^= 0x80;
            assert_eq!(lookup(&bytes), None);
        }
    }
}

#[test]
fn constants_can_name_commands() {
    const GET: u16 = index_of("get");
    const TIME: u16 = index_of("time");
    assert_eq!((spec(GET).name, spec(TIME).name), ("get", "time"));
}

#[test]
fn arity_counts_the_name() {
    assert!(find("get").accepts(2) && !find("get").accepts(1) && !find("get").accepts(3));
    assert!(find("mget").accepts(2) && find("mget").accepts(100) && !find("mget").accepts(1));
}

#[test]
fn keys_are_found_in_every_form() {
    let cases = [
        ("get k", "1:RO+access"),
        ("ping", ""),
        ("mset a 1 b 2", "1:OW+update 3:OW+update"),
        ("mget a b c", "1:RO+access 2:RO+access 3:RO+access"),
        ("blpop a b 0", "1:RW+access+delete 2:RW+access+delete"),
        ("rename a b", "1:RW+access+delete 2:OW+update"),
        ("zunionstore d 2 a b weights 1 2", "1:OW+update 3:RO+access 4:RO+access"),
        ("lmpop 1 a left", "2:RW+access+delete"),
        ("blmpop 0 2 a b left", "3:RW+access+delete 4:RW+access+delete"),
        ("georadius k 1 2 3 m store d storedist e", "1:RO+access 9:OW+update"),
        ("georadius k 1 2 3 m store d store e", "1:RO+access 9:OW+update"),
        ("georadiusbymember k m 3 m store storedist", "1:RO+access 6:OW+update"),
        ("georadius k 1 2 3 m store", "1:RO+access"),
        ("set k v", "1:OW+update"),
        ("set k get", "1:OW+update"),
        ("set k v nx GET", "1:RW+access+update"),
        ("bitfield k get u8 0", "1:RO+access"),
        ("bitfield k get u8 0 incrby u8 0 1", "1:RW+access+update"),
        ("sort k by store get store store d", "1:RO+access 7:OW+update"),
        ("sort k", "1:RO+access"),
        ("spublish c m", "1:not_key"),
        ("sunsubscribe", ""),
        ("pfmerge d", "1:RW+access+insert"),
    ];
    for (line, expected) in cases {
        assert_eq!(keys(line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn counts_of_keys_that_make_no_sense_are_errors() {
    for line in ["zunion 3 a b", "zunion 0 a", "zunion -1 a", "zunion x a", "zunion 9223372036854775807 a", "blpop 0"] {
        assert_eq!(keys(line), Err(KeysError), "{line}");
    }
}

#[test]
fn the_first_key_is_known_without_a_walk() {
    for (name, first_key, single_key) in [
        ("get", 1, true),
        ("set", 1, true),
        ("mget", 1, false),
        ("lmpop", 2, false),
        ("blmpop", 3, false),
        ("ping", 0, false),
        ("zunionstore", 1, false),
        ("bitop", 2, false),
        ("sort", 1, false),
        ("ssubscribe", 1, false),
        ("hgetex", 1, true),
    ] {
        assert_eq!((find(name).first_key, find(name).single_key), (first_key, single_key), "{name}");
    }
}

#[test]
fn old_clients_see_the_ranges_that_redis_tells_them() {
    for (name, first, last, step, movable) in [
        ("get", 1, 1, 1, false),
        ("mset", 1, -1, 2, false),
        ("blpop", 1, -2, 1, false),
        ("rename", 1, 2, 1, false),
        ("zunionstore", 1, 1, 1, true),
        ("lmpop", 0, 0, 0, true),
        ("sort", 1, 1, 1, true),
        ("bitop", 2, -1, 1, false),
        ("smove", 1, 2, 1, false),
        ("georadius", 1, 1, 1, true),
        ("ping", 0, 0, 0, false),
    ] {
        let command = find(name);
        assert_eq!(command.legacy_keys, LegacyKeys { first, last, step }, "{name}");
        assert_eq!(command.flags.contains(Flags::MOVABLEKEYS), movable, "{name}");
    }
}

#[test]
fn plain_keys_are_those_that_a_walk_finds() {
    let lines = [
        "mget a",
        "mget a b c",
        "mset a 1 b 2",
        "mset a 1 b",
        "lcs a b",
        "bitop and d a b",
        "pfmerge d",
        "blpop a b 0",
    ];
    for line in lines {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let spec = find(line.split(' ').next().unwrap_or_default());
        assert!(spec.has_plain_keys(), "{line}");
        let walked = keys_of(spec, words.len(), |index| words[index]).unwrap();
        let plain: Vec<usize> = spec.legacy_keys.indexes(words.len()).collect();
        assert_eq!(plain, walked.iter().map(|key| key.index).collect::<Vec<_>>(), "{line}");
    }
    for name in ["sort", "zunionstore", "set", "ping"] {
        assert!(!find(name).has_plain_keys(), "{name}");
    }
    assert_eq!(find("mget").legacy_keys.indexes(1).count(), 0);
}

#[test]
fn conditions_take_idempotence_away() {
    let idempotent = |line: &str| {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        find(line.split(' ').next().unwrap_or_default()).is_idempotent_call(words.len(), |index| words[index])
    };
    for line in ["get k", "set k v", "set k v ex 10", "del k", "expire k 10", "mget nx xx", "zadd k 1 m"] {
        assert!(idempotent(line), "{line}");
    }
    for line in ["incr k", "set k v NX", "set k v get", "expire k 10 gt", "zadd k incr 1 m", "lpush k v", "setnx k v"] {
        assert!(!idempotent(line), "{line}");
    }
}
