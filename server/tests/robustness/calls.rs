//! Any command of the table with any arguments.

use rondache_protocol::{
    command::{self, BeginSearch, CommandSpec, Flags},
    resp::value::Value,
};

use super::{
    victim::Victim,
    wire::{Wire, text_of},
};

/// Commands that answer more or less than one reply, or end the connection or the node, as they should.
const APART: [&str; 11] = [
    "shutdown",
    "quit",
    "monitor",
    "debug",
    "subscribe",
    "psubscribe",
    "ssubscribe",
    "unsubscribe",
    "punsubscribe",
    "sunsubscribe",
    "wait",
];

/// Subcommands that would disturb the test rather than the node.
const SUBCOMMANDS_APART: [(&str, &str); 5] =
    [("client", "kill"), ("client", "pause"), ("client", "reply"), ("config", "set"), ("config", "rewrite")];

/// What makes keys of all types; random commands delete and rename them, so it is repeated.
const FILL: [&str; 13] = [
    "SELECT 0",
    "SET s1 value",
    "SET s2 12",
    "SET {t}s 1.5",
    "RPUSH l1 a b c 1 2 3",
    "RPUSH {t}l 3 1 2",
    "SADD set1 a b c",
    "SADD {t}set 1 2 3",
    "HSET h1 f v g 5",
    "HSET {t}h f 1.5",
    "ZADD z1 1 a 2 b 3 c",
    "ZADD {t}z 0 a 0 b 0 c",
    "PFADD hll a b c",
];

const KEYS: [&str; 14] =
    ["s1", "s2", "{t}s", "l1", "{t}l", "set1", "{t}set", "h1", "{t}h", "z1", "{t}z", "hll", "none", "{t}none"];

/// Words that some command takes, and numbers that no command should take literally as an amount of work.
const WORDS: [&str; 118] = [
    "NX",
    "XX",
    "GT",
    "LT",
    "CH",
    "INCR",
    "WITHSCORES",
    "WITHSCORE",
    "LIMIT",
    "COUNT",
    "MATCH",
    "BYSCORE",
    "BYLEX",
    "REV",
    "WEIGHTS",
    "AGGREGATE",
    "SUM",
    "MIN",
    "MAX",
    "LEFT",
    "RIGHT",
    "BEFORE",
    "AFTER",
    "GET",
    "SET",
    "KEEPTTL",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "PERSIST",
    "FIELDS",
    "STORE",
    "STOREDIST",
    "BY",
    "ALPHA",
    "ASC",
    "DESC",
    "FROMMEMBER",
    "FROMLONLAT",
    "BYRADIUS",
    "BYBOX",
    "m",
    "km",
    "WITHCOORD",
    "WITHDIST",
    "WITHHASH",
    "ANY",
    "TYPE",
    "ABSTTL",
    "REPLACE",
    "IDLETIME",
    "FREQ",
    "DB",
    "OVERFLOW",
    "SAT",
    "WRAP",
    "FAIL",
    "i8",
    "u63",
    "i64",
    "u64",
    "#1",
    "BIT",
    "BYTE",
    "AND",
    "OR",
    "XOR",
    "NOT",
    "LEN",
    "IDX",
    "MINMATCHLEN",
    "WITHMATCHLEN",
    "NOVALUES",
    "WITHVALUES",
    "FNX",
    "FXX",
    "RANK",
    "MAXLEN",
    "ON",
    "OFF",
    "BCAST",
    "PREFIX",
    "YES",
    "NO",
    "ASYNC",
    "SYNC",
    "AUTH",
    "SETNAME",
    "VERSION",
    "FILTERBY",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "-2",
    "7",
    "10",
    "100",
    "1.5",
    "-0.0",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "4294967296",
    "1e308",
    "inf",
    "-inf",
    "nan",
    "(1",
    "[a",
    "-",
    "+",
    "*",
    "a",
    "f",
    "nosort",
];

fn word(rng: &mut fastrand::Rng) -> Vec<u8> {
    match rng.u8(..20) {
        0 => (0..rng.usize(..40)).map(|_| rng.u8(..)).collect(),
        1 => vec![b'x'; rng.usize(..3000)],
        2 => Vec::new(),
        3..=5 => KEYS[rng.usize(..KEYS.len())].into(),
        _ => WORDS[rng.usize(..WORDS.len())].into(),
    }
}

/// A call whose arity is right, and whose keys mostly are keys.
fn random_call(spec: &CommandSpec, rng: &mut fastrand::Rng) -> Vec<Vec<u8>> {
    let mut args = vec![spec.name.as_bytes().to_vec()];
    if !spec.subcommands.is_empty() && rng.u8(..10) > 0 {
        let subcommand = &spec.subcommands[rng.usize(..spec.subcommands.len())];
        args.push(subcommand.name.into());
        return with_arguments(args, subcommand, rng);
    }
    with_arguments(args, spec, rng)
}

fn with_arguments(mut args: Vec<Vec<u8>>, spec: &CommandSpec, rng: &mut fastrand::Rng) -> Vec<Vec<u8>> {
    let least = usize::from(spec.arity.unsigned_abs());
    let argc = if spec.arity < 0 { least + rng.usize(..8) } else { least };
    let begins: Vec<usize> = spec
        .keys
        .iter()
        .filter_map(|keys| match keys.begin {
            BeginSearch::Index(at) => usize::try_from(at).ok(),
            _ => None,
        })
        .collect();
    while args.len() < argc {
        let is_key = begins.contains(&args.len());
        args.push(if is_key && rng.u8(..10) > 0 { KEYS[rng.usize(..KEYS.len())].into() } else { word(rng) });
    }
    args
}

fn is_apart(args: &[Vec<u8>]) -> bool {
    let is = |at: usize, name: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(name.as_bytes()));
    APART.iter().any(|name| is(0, name)) || SUBCOMMANDS_APART.iter().any(|(name, sub)| is(0, name) && is(1, sub))
}

fn shown(args: &[Vec<u8>]) -> String {
    args.iter().map(|arg| format!("\"{}\"", arg.escape_ascii())).collect::<Vec<_>>().join(" ")
}

/// Sends a call and takes its one reply; a call that may block goes in a transaction, where it answers at once.
fn send_call(wire: &mut Wire, args: &[Vec<u8>], may_block: bool) {
    let replies = if may_block {
        vec![wire.call(&["MULTI"]), wire.call(args), wire.call(&["EXEC"])]
    } else {
        vec![wire.call(args)]
    };
    for reply in replies {
        let reply = reply.unwrap_or_else(|| panic!("the connection was closed by {}", shown(args)));
        assert!(!text_of(&reply).contains("internal error"), "{}", shown(args));
    }
}

fn call_randomly(wire: &mut Wire, seed: u64, calls: usize) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let specs: Vec<&CommandSpec> = command::all().collect();
    for number in 0..calls {
        if number % 50 == 0 {
            for line in FILL {
                let words: Vec<&str> = line.split(' ').collect();
                assert!(wire.call(&words).is_some(), "{line} closed the connection");
            }
        }
        let spec = specs[rng.usize(..specs.len())];
        let args = random_call(spec, &mut rng);
        if !is_apart(&args) {
            send_call(wire, &args, spec.flags.contains(Flags::BLOCKING));
        }
    }
}

#[test]
fn every_command_without_arguments_answers() {
    let victim = Victim::start();
    for spec in command::all().filter(|spec| spec.name != "shutdown" && spec.name != "quit") {
        let mut wire = victim.connect();
        let reply = wire.call(&[spec.name]).unwrap_or_else(|| panic!("{} closed the connection", spec.name));
        let reply = text_of(&reply);
        if !spec.accepts(1) {
            let arity_error = format!("ERR wrong number of arguments for '{}' command", spec.name);
            assert_eq!(reply, arity_error);
        }
        assert!(!reply.contains("internal error") && !reply.contains("unknown command"), "{}: {reply}", spec.name);
    }
}

#[test]
fn every_subcommand_without_arguments_answers() {
    let victim = Victim::start();
    let subcommands = command::all().flat_map(|spec| spec.subcommands.iter().map(move |sub| (spec, sub)));
    for (spec, subcommand) in subcommands {
        let args = [spec.name.as_bytes().to_vec(), subcommand.name.as_bytes().to_vec()];
        if is_apart(&args) && subcommand.accepts(2) {
            continue;
        }
        let mut wire = victim.connect();
        let reply = wire.call(&args).unwrap_or_else(|| panic!("{} closed the connection", shown(&args)));
        let is_error = matches!(reply, Value::Error(_));
        let reply = text_of(&reply);
        let is_refused = is_error && (reply.contains("internal error") || reply.contains("unknown"));
        assert!(!is_refused, "{}: {reply}", shown(&args));
        if !subcommand.accepts(2) {
            let name = format!("{}|{}", spec.name, subcommand.name);
            assert_eq!(reply, format!("ERR wrong number of arguments for '{name}' command"));
        }
    }
}

#[test]
fn any_command_with_any_arguments_answers() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let victim = Victim::start();
    let mut wire = victim.connect();
    call_randomly(&mut wire, seed, 10_000);
    assert!(victim.rss_bytes() < 512 << 20, "{} bytes", victim.rss_bytes());
}

#[test]
fn any_commands_from_several_clients_at_once_answer() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let victim = Victim::start_with(&["--threads", "2"]);
    std::thread::scope(|scope| {
        let victim = &victim;
        for client in 0..4 {
            scope.spawn(move || call_randomly(&mut victim.connect(), seed.wrapping_add(client), 2_500));
        }
    });
}
