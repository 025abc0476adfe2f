//! What clients ask for: how it is sent, and what the replies say.

use bytes::Bytes;
use rondache_linearizable::Action;
use rondache_protocol::resp::{
    decoder::{ReplyDecoder, ReplyLimits},
    value::Value,
};

use super::tags::tag_of;

/// What a history is about: the key of a slot, or a pair of keys of it that are always changed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cluster::simulation) struct Subject {
    slot: u16,
    is_pair: bool,
}

impl Subject {
    pub(super) fn slot(self) -> u16 {
        self.slot
    }
}

/// What a client has asked for, of the keys of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster::simulation) enum Ask {
    Get(u16),
    Set(u16, i64),
    Increment(u16),
    Delete(u16),
    /// SET … PX: of a key of its own, whose deadline is looked at.
    SetFor(u16, i64, u64),
    /// MGET, MSET and DEL of several slots' keys.
    GetSome(Vec<u16>),
    SetSome(Vec<u16>, i64),
    DeleteSome(Vec<u16>),
    /// MSET of a slot's pair.
    SetPair(u16, i64),
    /// INCR of both in a transaction.
    IncrementPair(u16),
    /// MGET of both.
    GetPair(u16),
    /// GET of both in a transaction.
    GetPairInTurn(u16),
}

/// What a client has sent in one go, and waits for.
pub(super) struct Call {
    /// As whom a history shows it: each call has a number of its own.
    pub(super) client: usize,
    pub(super) asks: Vec<Ask>,
    /// Where the client is connected.
    pub(super) host: usize,
    pub(super) called_ms: u64,
}

/// How long a deadline is that a key gets.
const TTL_MS: std::ops::Range<u64> = 300..20_000;
/// This many keys get half of the commands.
const HOT_KEYS: u16 = 4;
/// Slots of one command, and commands of one pipeline.
const SEVERAL: std::ops::Range<usize> = 2..6;

/// A slot, of which some are drawn more often than others.
pub(super) fn draw_slot(random: &mut fastrand::Rng, slots: u16) -> u16 {
    if random.bool() { random.u16(..HOT_KEYS) } else { random.u16(..slots) }
}

impl Ask {
    /// A command on one key. `value` is written by nobody else.
    pub(super) fn draw(random: &mut fastrand::Rng, slot: u16, value: i64) -> Self {
        match random.u8(..20) {
            0..=8 => Self::Get(slot),
            9..=12 => Self::Set(slot, value),
            13..=16 => Self::Increment(slot),
            17 => Self::Delete(slot),
            _ => Self::SetFor(slot, value, random.u64(TTL_MS)),
        }
    }

    /// A command or a transaction on several keys, or a pipeline; `value` gives values that are written by nobody else.
    pub(super) fn draw_several(random: &mut fastrand::Rng, slots: u16, mut value: impl FnMut() -> i64) -> Vec<Self> {
        let slot = draw_slot(random, slots);
        let count = random.usize(SEVERAL);
        let some = |random: &mut fastrand::Rng| random.choose_multiple(0..slots, count);
        let ask = match random.u8(..20) {
            0..=2 => Self::GetSome(some(random)),
            3..=5 => Self::SetSome(some(random), value()),
            6 => Self::DeleteSome(some(random)),
            7 => Self::SetPair(slot, value()),
            8..=10 => Self::IncrementPair(slot),
            11 | 12 => Self::GetPair(slot),
            13 | 14 => Self::GetPairInTurn(slot),
            15..=17 => return (0..count).map(|_| Self::draw(random, slot, value())).collect(),
            _ => {
                let draw = |_| {
                    let slot = draw_slot(random, slots);
                    Self::draw(random, slot, value())
                };
                return (0..count).map(draw).collect();
            }
        };
        vec![ask]
    }

    /// The commands as they are sent.
    fn lines(&self) -> Vec<String> {
        let tags = |slots: &[u16]| slots.iter().map(|slot| tag_of(*slot)).collect::<Vec<_>>().join(" ");
        let in_turn = |name: &str, tag| {
            ["MULTI", &format!("{name} {tag}a"), &format!("{name} {tag}b"), "EXEC"].map(str::to_owned).to_vec()
        };
        let line = match self {
            Self::Get(slot) => format!("GET {}", tag_of(*slot)),
            Self::Set(slot, value) => format!("SET {} {value}", tag_of(*slot)),
            Self::Increment(slot) => format!("INCR {}", tag_of(*slot)),
            Self::Delete(slot) => format!("DEL {}", tag_of(*slot)),
            Self::SetFor(slot, value, ttl_ms) => format!("SET {}ttl {value} PX {ttl_ms}", tag_of(*slot)),
            Self::GetSome(slots) => format!("MGET {}", tags(slots)),
            Self::SetSome(slots, value) => {
                slots.iter().fold("MSET".to_owned(), |line, slot| format!("{line} {} {value}", tag_of(*slot)))
            }
            Self::DeleteSome(slots) => format!("DEL {}", tags(slots)),
            Self::SetPair(slot, value) => format!("MSET {0}a {value} {0}b {value}", tag_of(*slot)),
            Self::GetPair(slot) => format!("MGET {0}a {0}b", tag_of(*slot)),
            Self::IncrementPair(slot) => return in_turn("INCR", tag_of(*slot)),
            Self::GetPairInTurn(slot) => return in_turn("GET", tag_of(*slot)),
        };
        vec![line]
    }

    /// Appends it as it is sent.
    fn put(&self, request: &mut Vec<u8>) {
        for line in self.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            for word in words {
                request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
            }
        }
    }

    /// How many replies it has; what came of it the last one tells.
    pub(super) fn replies(&self) -> usize {
        self.lines().len()
    }

    pub(in crate::cluster::simulation) fn slots(&self) -> Vec<u16> {
        match self {
            Self::GetSome(slots) | Self::SetSome(slots, _) | Self::DeleteSome(slots) => slots.clone(),
            Self::Get(slot)
            | Self::Set(slot, _)
            | Self::Increment(slot)
            | Self::Delete(slot)
            | Self::SetFor(slot, ..)
            | Self::SetPair(slot, _)
            | Self::IncrementPair(slot)
            | Self::GetPair(slot)
            | Self::GetPairInTurn(slot) => vec![*slot],
        }
    }

    pub(in crate::cluster::simulation) fn is_write(&self) -> bool {
        !matches!(self, Self::Get(_) | Self::GetSome(_) | Self::GetPair(_) | Self::GetPairInTurn(_))
    }

    /// What has happened to which keys, by the last reply.
    pub(super) fn done(&self, reply: &Value) -> Vec<(Subject, Action)> {
        let key = |slot: &u16| Subject { slot: *slot, is_pair: false };
        let pair = |slot: &u16| Subject { slot: *slot, is_pair: true };
        match (self, reply) {
            (Self::Get(slot), found) => vec![(key(slot), read_of(found))],
            (Self::Set(slot, value), Value::Simple(_)) => vec![(key(slot), Action::Write(*value))],
            (Self::Increment(slot), Value::Integer(number)) => vec![(key(slot), Action::Increment(*number))],
            (Self::Delete(slot), Value::Integer(count)) => vec![(key(slot), Action::Delete(*count == 1))],
            (Self::SetFor(..), Value::Simple(_)) => Vec::new(),
            (Self::GetSome(slots), Value::Array(found)) if found.len() == slots.len() => {
                slots.iter().zip(found).map(|(slot, found)| (key(slot), read_of(found))).collect()
            }
            (Self::SetSome(slots, value), Value::Simple(_)) => {
                slots.iter().map(|slot| (key(slot), Action::Write(*value))).collect()
            }
            (Self::DeleteSome(slots), Value::Integer(count)) => {
                let action = match usize::try_from(*count) {
                    Ok(0) => Action::Delete(false),
                    Ok(count) if count == slots.len() => Action::Delete(true),
                    _ => Action::DeleteUnseen,
                };
                slots.iter().map(|slot| (key(slot), action)).collect()
            }
            (Self::SetPair(slot, value), Value::Simple(_)) => vec![(pair(slot), Action::Write(*value))],
            (Self::IncrementPair(slot), Value::Array(numbers)) => match numbers.as_slice() {
                [Value::Integer(one), Value::Integer(other)] if one == other => {
                    vec![(pair(slot), Action::Increment(*one))]
                }
                _ => panic!("a pair was torn: {numbers:?}"),
            },
            (Self::GetPair(slot) | Self::GetPairInTurn(slot), Value::Array(found)) => match found.as_slice() {
                [one, other] if one == other => vec![(pair(slot), read_of(one))],
                _ => panic!("a pair was torn: {found:?}"),
            },
            _ => panic!("{self:?} was answered {reply:?}"),
        }
    }

    /// What may happen to which keys at any time from now on, where nobody knows whether it was executed, or will be.
    pub(super) fn unknown(&self) -> Vec<(Subject, Action)> {
        let key = |slot: &u16| Subject { slot: *slot, is_pair: false };
        let pair = |slot: &u16| Subject { slot: *slot, is_pair: true };
        match self {
            Self::Set(slot, value) => vec![(key(slot), Action::Write(*value))],
            Self::Increment(slot) => vec![(key(slot), Action::IncrementUnseen)],
            Self::Delete(slot) => vec![(key(slot), Action::DeleteUnseen)],
            Self::SetSome(slots, value) => slots.iter().map(|slot| (key(slot), Action::Write(*value))).collect(),
            Self::DeleteSome(slots) => slots.iter().map(|slot| (key(slot), Action::DeleteUnseen)).collect(),
            Self::SetPair(slot, value) => vec![(pair(slot), Action::Write(*value))],
            Self::IncrementPair(slot) => vec![(pair(slot), Action::IncrementUnseen)],
            Self::SetFor(..) | Self::Get(_) | Self::GetSome(_) | Self::GetPair(_) | Self::GetPairInTurn(_) => {
                Vec::new()
            }
        }
    }
}

impl Call {
    /// As it is sent.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut request = Vec::new();
        self.asks.iter().for_each(|ask| ask.put(&mut request));
        request
    }
}

fn read_of(found: &Value) -> Action {
    match found {
        Value::Null => Action::Read(None),
        Value::Bulk(text) => Action::Read(Some(number_of(text))),
        _ => panic!("a read was answered {found:?}"),
    }
}

fn number_of(text: &Bytes) -> i64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).expect("a number")
}

/// All replies of a call.
pub(super) fn replies_of(mut bytes: &[u8]) -> Vec<Value> {
    let mut decoder = ReplyDecoder::new(ReplyLimits::default());
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        let decoded = decoder.decode(bytes).expect("replies make sense");
        bytes = &bytes[decoded.consumed..];
        replies.push(decoded.value.expect("replies are whole"));
    }
    replies
}
