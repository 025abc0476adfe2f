//! Where among a command's arguments its keys stand, and what is done to them.

use super::spec::CommandSpec;
use bitflags::bitflags;

bitflags! {
    /// What a command does to a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct KeyAccess: u16 {
        /// Reads the value and changes it.
        const RW = 1;
        /// Reads the value.
        const RO = 1 << 1;
        /// Overwrites the value without looking at it.
        const OW = 1 << 2;
        /// Removes the key.
        const RM = 1 << 3;
        /// The reply, or another key, comes to hold something of the value.
        const ACCESS = 1 << 4;
        /// The value may be replaced or changed.
        const UPDATE = 1 << 5;
        /// Something is added to the value, and nothing that was there changes.
        const INSERT = 1 << 6;
        /// Something of the value may be removed.
        const DELETE = 1 << 7;
        /// Not a key, but placed like one: a shard channel.
        const NOT_KEY = 1 << 8;
        /// The spec may miss keys.
        const INCOMPLETE = 1 << 9;
        /// Options decide which of these are true.
        const VARIABLE_FLAGS = 1 << 10;
    }
}

/// The names that `COMMAND` replies give to key accesses.
const REPLY_NAMES: [(KeyAccess, &str); 11] = [
    (KeyAccess::RO, "RO"),
    (KeyAccess::RW, "RW"),
    (KeyAccess::OW, "OW"),
    (KeyAccess::RM, "RM"),
    (KeyAccess::ACCESS, "access"),
    (KeyAccess::UPDATE, "update"),
    (KeyAccess::INSERT, "insert"),
    (KeyAccess::DELETE, "delete"),
    (KeyAccess::NOT_KEY, "not_key"),
    (KeyAccess::INCOMPLETE, "incomplete"),
    (KeyAccess::VARIABLE_FLAGS, "variable_flags"),
];

impl KeyAccess {
    /// The accesses as `COMMAND INFO` and `COMMAND GETKEYSANDFLAGS` name them.
    pub fn reply_names(self) -> impl Iterator<Item = &'static str> {
        REPLY_NAMES.into_iter().filter(move |(access, _)| self.contains(*access)).map(|(_, name)| name)
    }

    /// All of a list's accesses together, in constants.
    #[must_use]
    pub const fn all_of(list: &[Self]) -> Self {
        let mut access = Self::empty();
        let mut index = 0;
        while index < list.len() {
            access = access.union(list[index]);
            index += 1;
        }
        access
    }
}

/// One rule for finding keys: where to begin, and how to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// What is done to these keys.
    pub access: KeyAccess,
    /// Where they begin.
    pub begin: BeginSearch,
    /// How many there are, and how far apart.
    pub find: FindKeys,
}

/// Where the keys of a [`KeySpec`] begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginSearch {
    /// At this argument.
    Index(i16),
    /// Behind this word, searched for from an argument on: forwards, or backwards if that counts from the end.
    Keyword {
        /// The word, uppercase; arguments match it in any case.
        word: &'static str,
        /// Where the search begins.
        start_from: i16,
    },
    /// No simple rule.
    Unknown,
}

/// How the keys of a [`KeySpec`] go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindKeys {
    /// A run of keys.
    Range {
        /// The last key: relative to the first, or counted from the last argument (-1) if negative.
        last: i16,
        /// Distance between keys.
        step: i16,
        /// If above 1, only the first so-many-th part of the range are keys.
        limit: i16,
    },
    /// As many keys as one of the arguments says.
    Count {
        /// Which argument says it, relative to the beginning.
        count_at: i16,
        /// The first key, relative to the beginning.
        first: i16,
        /// Distance between keys.
        step: i16,
    },
    /// No simple rule.
    Unknown,
}

/// What finds a command's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFinder {
    /// The key specs tell all.
    Specs,
    /// SET: its options decide what is done to the key.
    Set,
    /// BITFIELD: its operations decide what is done to the key.
    BitField,
    /// SORT: STORE may stand anywhere among the options. Keys made from BY and GET patterns can't be known.
    Sort,
    /// GEORADIUS: of several STORE or STOREDIST options the last one counts.
    GeoRadius,
}

impl KeySpec {
    const fn at(index: i16, last: i16, step: i16, access: &[KeyAccess]) -> Self {
        let find = FindKeys::Range { last, step, limit: 0 };
        Self { access: KeyAccess::all_of(access), begin: BeginSearch::Index(index), find }
    }

    /// The argument at `index`.
    pub(crate) const fn one(index: i16, access: &[KeyAccess]) -> Self {
        Self::at(index, 0, 1, access)
    }

    /// From the argument at `index` to the last, or to an earlier one counted from the end.
    pub(crate) const fn run(index: i16, last: i16, step: i16, access: &[KeyAccess]) -> Self {
        Self::at(index, last, step, access)
    }

    /// As many as the argument at `count_at` says, behind it.
    pub(crate) const fn counted(count_at: i16, access: &[KeyAccess]) -> Self {
        let find = FindKeys::Count { count_at: 0, first: 1, step: 1 };
        Self { access: KeyAccess::all_of(access), begin: BeginSearch::Index(count_at), find }
    }

    /// The argument behind a word.
    pub(crate) const fn behind(word: &'static str, start_from: i16, access: &[KeyAccess]) -> Self {
        let begin = BeginSearch::Keyword { word, start_from };
        Self { access: KeyAccess::all_of(access), begin, find: FindKeys::Range { last: 0, step: 1, limit: 0 } }
    }

    /// Somewhere.
    pub(crate) const fn unknown(access: &[KeyAccess]) -> Self {
        Self { access: KeyAccess::all_of(access), begin: BeginSearch::Unknown, find: FindKeys::Unknown }
    }
}

/// A key of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAt {
    /// Which argument it is; the command's name is argument 0.
    pub index: usize,
    /// What is done to it.
    pub access: KeyAccess,
}

/// Keys cannot be told, because the arguments contradict the command's form. Executing the command tells why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid arguments specified for command")]
pub struct KeysError;

/// Finds the keys of a call with `argc` arguments, of which `arg` gives the one at an index below `argc`.
///
/// Shard channels are reported with [`KeyAccess::NOT_KEY`].
///
/// # Errors
/// [`KeysError`] if the arguments contradict the command's form, such as a count of keys beyond the arguments.
pub fn keys_of<'a>(spec: &CommandSpec, argc: usize, arg: impl Fn(usize) -> &'a [u8]) -> Result<Vec<KeyAt>, KeysError> {
    let mut keys = Vec::new();
    for_each_key(spec, argc, arg, |key| keys.push(key))?;
    Ok(keys)
}

/// As [`keys_of`], but hands out the keys one by one instead of collecting them.
///
/// # Errors
/// As [`keys_of`]; some keys may have been handed out before.
pub fn for_each_key<'a>(
    spec: &CommandSpec,
    argc: usize,
    arg: impl Fn(usize) -> &'a [u8],
    mut visit: impl FnMut(KeyAt),
) -> Result<(), KeysError> {
    match spec.finder {
        // SUNSUBSCRIBE alone: keys, or none at all.
        KeyFinder::Specs if argc < 2 => Ok(()),
        KeyFinder::Specs => spec.keys.iter().try_for_each(|key_spec| keys_of_spec(key_spec, argc, &arg, &mut visit)),
        KeyFinder::Set => one_key(argc, set_access(argc, &arg), &mut visit),
        KeyFinder::BitField => one_key(argc, bitfield_access(argc, &arg), &mut visit),
        KeyFinder::Sort => {
            one_key(argc, KeyAccess::RO | KeyAccess::ACCESS, &mut visit)?;
            if let Some(index) = sort_destination(argc, &arg) {
                visit(KeyAt { index, access: KeyAccess::OW | KeyAccess::UPDATE });
            }
            Ok(())
        }
        KeyFinder::GeoRadius => {
            one_key(argc, KeyAccess::RO | KeyAccess::ACCESS, &mut visit)?;
            if let Some(index) = geo_destination(argc, &arg) {
                visit(KeyAt { index, access: KeyAccess::OW | KeyAccess::UPDATE });
            }
            Ok(())
        }
    }
}

fn one_key(argc: usize, access: KeyAccess, visit: &mut impl FnMut(KeyAt)) -> Result<(), KeysError> {
    if argc < 2 {
        return Err(KeysError);
    }
    visit(KeyAt { index: 1, access });
    Ok(())
}

fn keys_of_spec<'a>(
    spec: &KeySpec,
    argc: usize,
    arg: &impl Fn(usize) -> &'a [u8],
    visit: &mut impl FnMut(KeyAt),
) -> Result<(), KeysError> {
    let begin = match spec.begin {
        BeginSearch::Index(index) => usize::try_from(index).map_err(|_| KeysError)?,
        BeginSearch::Keyword { word, start_from } => match behind_keyword(word, start_from, argc, arg) {
            Some(index) => index,
            None => return Ok(()),
        },
        BeginSearch::Unknown => return Ok(()),
    };
    let relative = |offset: i16| begin.checked_add_signed(isize::from(offset)).ok_or(KeysError);
    let (first, end, step) = match spec.find {
        FindKeys::Range { last, step, limit } => {
            let last = if last >= 0 {
                relative(last)?
            } else {
                argc.checked_add_signed(isize::from(last)).ok_or(KeysError)?
            };
            if begin == argc && last + 1 == argc {
                // A run to the end may be empty, such as PFMERGE's sources; where it may not, arity sees to it.
                return Ok(());
            }
            if last < begin || last >= argc {
                return Err(KeysError);
            }
            let span = last - begin + 1;
            let span = if limit > 1 { span / usize::from(limit.unsigned_abs()) } else { span };
            (begin, begin + span, step)
        }
        FindKeys::Count { count_at, first, step } => {
            let count_at = relative(count_at)?;
            let count = if count_at < argc { parse_count(arg(count_at)) } else { None };
            let (count, first) = (count.ok_or(KeysError)?, relative(first)?);
            let span = count.checked_mul(usize::from(step.unsigned_abs())).ok_or(KeysError)?;
            (first, first.checked_add(span).filter(|end| *end <= argc).ok_or(KeysError)?, step)
        }
        FindKeys::Unknown => return Ok(()),
    };
    for index in (first..end).step_by(usize::from(step.unsigned_abs()).max(1)) {
        visit(KeyAt { index, access: spec.access });
    }
    Ok(())
}

/// A count of keys: a positive decimal number.
fn parse_count(text: &[u8]) -> Option<usize> {
    let count = crate::resp::number::parse_i64(text)?;
    usize::try_from(count).ok().filter(|count| *count > 0)
}

fn behind_keyword<'a>(word: &str, start_from: i16, argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let matches = |index: &usize| arg(*index).eq_ignore_ascii_case(word.as_bytes());
    // A word that is the last argument has nothing behind it.
    let last = argc.checked_sub(2)?;
    let found = match usize::try_from(start_from) {
        Ok(start) => (start..=last).find(matches),
        Err(_) => {
            let start = argc.checked_add_signed(isize::from(start_from))?;
            (1..=start.min(last)).rev().find(matches)
        }
    };
    found.map(|index| index + 1)
}

/// SET reads the key only if its old value is asked for or compared with.
fn set_access<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> KeyAccess {
    let reads = |index| arg(index).eq_ignore_ascii_case(b"get") || arg(index).eq_ignore_ascii_case(b"ifeq");
    if (3..argc).any(reads) {
        KeyAccess::RW | KeyAccess::ACCESS | KeyAccess::UPDATE
    } else {
        KeyAccess::OW | KeyAccess::UPDATE
    }
}

/// BITFIELD with GETs alone only reads.
fn bitfield_access<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> KeyAccess {
    let mut index = 2;
    while index < argc {
        if !arg(index).eq_ignore_ascii_case(b"get") {
            return KeyAccess::RW | KeyAccess::ACCESS | KeyAccess::UPDATE;
        }
        index += 3;
    }
    KeyAccess::RO | KeyAccess::ACCESS
}

/// The argument behind SORT's last STORE.
fn sort_destination<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let is = |index: usize, word: &[u8]| arg(index).eq_ignore_ascii_case(word);
    let mut destination = None;
    let mut index = 2;
    while index < argc {
        // Options are skipped with their values, so that a value named STORE isn't taken for the option.
        index += if is(index, b"limit") {
            3
        } else if is(index, b"get") || is(index, b"by") {
            2
        } else if is(index, b"store") && index + 1 < argc {
            destination = Some(index + 1);
            2
        } else {
            1
        };
    }
    destination
}

/// The argument behind GEORADIUS's last STORE or STOREDIST. None can stand before argument 5.
fn geo_destination<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let mut destination = None;
    let mut index = 5;
    while index + 1 < argc {
        if arg(index).eq_ignore_ascii_case(b"store") || arg(index).eq_ignore_ascii_case(b"storedist") {
            destination = Some(index + 1);
            // What follows is a key, whatever its name.
            index += 1;
        }
        index += 1;
    }
    destination
}
