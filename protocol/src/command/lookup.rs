//! From a command's name, in any case, to its index: no allocation, one multiplication, usually one probe.

use super::{COUNT, spec::CommandSpec};

/// Places in the table: a power of two that leaves most of them empty.
const PLACES: usize = 1024;
const _: () = assert!(COUNT * 3 < PLACES && COUNT < VACANT as usize);
const VACANT: u16 = u16::MAX;

/// What of a name is hashed and compared: its length and, folded to lowercase, its first and last eight bytes. Up to 16
/// bytes that is all of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    head: u64,
    tail: u64,
    len: usize,
}

const COMPLETE_LEN_MAX: usize = 16;

impl Fingerprint {
    #[inline(always)]
    const fn of(name: &[u8]) -> Self {
        let len = name.len();
        let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (u32::from_le_bytes(*head) as u64, u32::from_le_bytes(*tail) as u64),
                _ => match name {
                    [a] => (*a as u64, 0),
                    [a, b] => (*a as u64, *b as u64),
                    [a, b, c] => (*a as u64 | (*b as u64) << 8, *c as u64),
                    _ => (0, 0),
                },
            },
        };
        Self { head: lowercase(head), tail: lowercase(tail), len }
    }

    #[inline(always)]
    const fn place(self) -> usize {
        let mixed = (self.head ^ self.tail.rotate_left(23) ^ self.len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize % PLACES
    }
}

/// Folds `A`–`Z` in the eight bytes of a word to lowercase and leaves all other bytes alone.
#[inline(always)]
const fn lowercase(word: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let low_bits = word & all(0x7f);
    // The additions carry into a byte's top bit exactly from `A` on, and from behind `Z` on.
    let from_a = low_bits + all(0x80 - b'A');
    let beyond_z = low_bits + all(0x80 - b'Z' - 1);
    let is_upper = (from_a ^ beyond_z) & !word & all(0x80);
    word | is_upper >> 2
}

struct Place {
    fingerprint: Fingerprint,
    index: u16,
}

static TABLE: [Place; PLACES] = build(&super::COMMANDS);

const fn build(commands: &[CommandSpec]) -> [Place; PLACES] {
    let vacant = Fingerprint { head: 0, tail: 0, len: 0 };
    let mut table = [const { Place { fingerprint: Fingerprint { head: 0, tail: 0, len: 0 }, index: VACANT } }; PLACES];
    let mut index = 0;
    while index < commands.len() {
        let fingerprint = Fingerprint::of(commands[index].name.as_bytes());
        assert!(fingerprint.len > vacant.len, "a command without a name");
        let mut place = fingerprint.place();
        while table[place].index != VACANT {
            place = (place + 1) % PLACES;
        }
        table[place] = Place { fingerprint, index: index as u16 };
        index += 1;
    }
    table
}

/// The index of the command of that name in any case.
#[inline]
#[must_use]
pub fn lookup(name: &[u8]) -> Option<u16> {
    let fingerprint = Fingerprint::of(name);
    let mut place = fingerprint.place();
    loop {
        let Place { fingerprint: found, index } = &TABLE[place];
        if *index == VACANT {
            return None;
        }
        if *found == fingerprint
            && (name.len() <= COMPLETE_LEN_MAX || super::spec(*index).name.as_bytes().eq_ignore_ascii_case(name))
        {
            return Some(*index);
        }
        place = (place + 1) % PLACES;
    }
}
