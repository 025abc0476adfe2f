//! The description of one command, and the words that the table's entries are written in.

use super::flags::{AclCategories, Flags, Group};
use super::keys::{BeginSearch, FindKeys, KeyFinder, KeySpec};

/// All that is known about a command without executing it.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    /// The name, lowercase; of a subcommand the second word alone.
    pub name: &'static str,
    /// How many arguments there must be, the name included (of a subcommand both words); negative: at least as many.
    pub arity: i16,
    /// Its properties.
    pub flags: Flags,
    /// Where its keys stand.
    pub keys: &'static [KeySpec],
    /// What finds the keys where `keys` can't tell all.
    pub finder: KeyFinder,
    /// Index of the argument that is its first key, or 0: nothing to route by. The argument may be missing where a
    /// count of zero keys was given.
    pub first_key: i16,
    /// Whether [`first_key`](Self::first_key) is always its one and only key.
    pub single_key: bool,
    /// Its keys as Redis before version 7 described them.
    pub legacy_keys: LegacyKeys,
    /// Its family.
    pub group: Group,
    /// Its ACL categories.
    pub acl: AclCategories,
    /// Since which version of Redis it exists.
    pub since: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// How its cost grows.
    pub complexity: &'static str,
    /// If its use is discouraged: since when, and what replaces it.
    pub deprecated: Option<Deprecation>,
    /// What its second word may be.
    pub subcommands: &'static [CommandSpec],
    /// Hints for clients that spread commands over a cluster.
    pub tips: &'static [&'static str],
}

/// First key, last key and step, as arrays of `COMMAND` have always held them. A negative last key counts from the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegacyKeys {
    /// Index of the first key; 0 if there is none.
    pub first: i16,
    /// Index of the last key.
    pub last: i16,
    /// Distance between keys.
    pub step: i16,
}

impl LegacyKeys {
    /// The indexes of the keys of a call with `argc` arguments; none where the last key would stand behind them.
    pub fn indexes(self, argc: usize) -> impl Iterator<Item = usize> {
        let last = match usize::try_from(self.last) {
            Ok(last) => (last < argc).then_some(last),
            Err(_) => argc.checked_add_signed(isize::from(self.last)),
        };
        let first = usize::try_from(self.first).unwrap_or(0);
        let end = if first == 0 { first } else { last.map_or(first, |last| last + 1) };
        (first..end).step_by(usize::try_from(self.step).unwrap_or(1).max(1))
    }
}

/// Why a command shouldn't be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since which version of Redis.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// Options that make the outcome depend on what was there, or the reply on whether it is the first.
const CONDITIONS: [&[u8]; 12] =
    [b"nx", b"xx", b"gt", b"lt", b"get", b"incr", b"ch", b"fnx", b"fxx", b"ifeq", b"ifne", b"keepttl"];

impl CommandSpec {
    /// Begins an entry: a command without flags, keys or subcommands.
    pub(crate) const fn new(name: &'static str, arity: i16, group: Group, since: &'static str) -> Self {
        Self {
            name,
            arity,
            flags: Flags::empty(),
            keys: &[],
            finder: KeyFinder::Specs,
            first_key: 0,
            single_key: false,
            legacy_keys: LegacyKeys { first: 0, last: 0, step: 0 },
            group,
            acl: AclCategories::SLOW,
            since,
            summary: "",
            complexity: "",
            deprecated: None,
            subcommands: &[],
            tips: &[],
        }
    }

    /// Sets the flags, and with them the ACL categories that follow from them.
    pub(crate) const fn flags(mut self, flags: &[Flags]) -> Self {
        self.flags = Flags::all_of(flags);
        self.acl = AclCategories::implied_by(self.flags);
        self
    }

    /// Adds ACL categories. Stands behind [`flags`](Self::flags).
    pub(crate) const fn acl(mut self, categories: &[AclCategories]) -> Self {
        self.acl = self.acl.union(AclCategories::all_of(categories));
        self
    }

    /// Sets where the keys stand, and what follows from that. Stands behind [`flags`](Self::flags).
    pub(crate) const fn keys(mut self, keys: &'static [KeySpec]) -> Self {
        let (legacy_keys, movable) = legacy_keys(keys);
        self.keys = keys;
        self.legacy_keys = legacy_keys;
        if movable {
            self.flags = self.flags.union(Flags::MOVABLEKEYS);
        }
        if let [first, others @ ..] = keys {
            let (position, single) = match (first.begin, first.find) {
                (BeginSearch::Index(at), FindKeys::Range { last, .. }) => (at, last == 0),
                (BeginSearch::Index(at), FindKeys::Count { first, .. }) => (at + first, false),
                _ => (0, false),
            };
            self.first_key = position;
            self.single_key = single && others.is_empty();
        }
        self
    }

    /// Names what finds the keys where key specs don't suffice.
    pub(crate) const fn finder(mut self, finder: KeyFinder) -> Self {
        self.finder = finder;
        self
    }

    /// Sets summary and complexity.
    pub(crate) const fn docs(mut self, summary: &'static str, complexity: &'static str) -> Self {
        self.summary = summary;
        self.complexity = complexity;
        self
    }

    /// Marks the command as replaced.
    pub(crate) const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some(Deprecation { since, replaced_by });
        self
    }

    /// Sets the hints for clients.
    pub(crate) const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    /// Sets the subcommands.
    pub(crate) const fn subcommands(mut self, subcommands: &'static [Self]) -> Self {
        self.subcommands = subcommands;
        self
    }

    /// Whether the command may have so many arguments, its name included.
    #[inline]
    #[must_use]
    pub const fn accepts(&self, argc: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { argc >= least } else { argc == least }
    }

    /// The subcommand of that name in any case, and its index.
    #[must_use]
    pub fn subcommand(&self, name: &[u8]) -> Option<(usize, &'static Self)> {
        let named = |(_, sub): &(usize, &Self)| sub.name.as_bytes().eq_ignore_ascii_case(name);
        self.subcommands.iter().enumerate().find(named)
    }

    /// Whether [`legacy_keys`](Self::legacy_keys) tells all keys of any call, and the command works on no others.
    #[must_use]
    pub const fn has_plain_keys(&self) -> bool {
        self.legacy_keys.first > 0
            && matches!(self.finder, KeyFinder::Specs)
            && !self.flags.contains(Flags::MOVABLEKEYS)
            && !self.flags.contains(Flags::WHOLE_KEYSPACE)
    }

    /// Whether this very call may be executed twice: the command is [`Flags::IDEMPOTENT`], and none of its arguments
    /// reads like a condition (NX, XX, GET …). A value that looks like one only makes the answer too careful.
    pub fn is_idempotent_call<'a>(&self, argc: usize, arg: impl Fn(usize) -> &'a [u8]) -> bool {
        let is_condition = |index| CONDITIONS.iter().any(|word| arg(index).eq_ignore_ascii_case(word));
        self.flags.contains(Flags::IDEMPOTENT) && (self.flags.contains(Flags::READONLY) || !(2..argc).any(is_condition))
    }
}

/// Condenses key specs into one range as Redis does, and tells whether that loses keys.
const fn legacy_keys(keys: &[KeySpec]) -> (LegacyKeys, bool) {
    if let [KeySpec { begin: BeginSearch::Index(at), find: FindKeys::Range { last, step, .. }, .. }] = keys {
        let last = if *last >= 0 { *at + *last } else { *last };
        return (LegacyKeys { first: *at, last, step: *step }, false);
    }
    let mut range = LegacyKeys { first: 0, last: 0, step: 0 };
    let mut movable = false;
    let mut index = 0;
    while index < keys.len() {
        match (keys[index].begin, keys[index].find) {
            // Only plain ranges that follow each other without a gap can become one.
            (BeginSearch::Index(at), FindKeys::Range { last, step: 1, .. })
                if range.first == 0 || range.last == at - 1 =>
            {
                let first = if range.first == 0 { at } else { range.first };
                let last = if last >= 0 { at + last } else { last };
                range = LegacyKeys { first, last, step: 1 };
            }
            _ => movable = true,
        }
        index += 1;
    }
    (range, movable)
}
