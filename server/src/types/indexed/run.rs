//! From a hash fragment to a slot: open addressing over one sorted array of words.
//!
//! A word is (fragment, slot). Its home is proportional to its fragment, and all words stand in ascending order of
//! fragments, with free places between them. So a search touches one run of memory, an absent fragment ends the search
//! as soon as a larger one (or a free place, the largest of all) is met, and growing is one sequential pass that reads
//! no keys.

/// A free place. No word has this fragment.
const FREE: u64 = u64::MAX;

/// Most members for every 64 homes before the index grows.
const LOAD_MAX_64THS: usize = 51;

/// Homes of the smallest index.
const HOMES_MIN: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Run {
    /// At least `homes` places; more where the last run overflows.
    words: Vec<u64>,
    homes: usize,
    len: usize,
}

#[inline]
fn fragment(word: u64) -> u32 {
    (word >> 32) as u32
}

#[inline]
fn word(fragment: u32, slot: u32) -> u64 {
    u64::from(fragment) << 32 | u64::from(slot)
}

fn homes_for(len: usize) -> usize {
    (len * 64 / LOAD_MAX_64THS + 1).max(HOMES_MIN)
}

impl Run {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let homes = if capacity == 0 { 0 } else { homes_for(capacity) };
        Self { words: vec![FREE; homes], homes, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn home(&self, fragment: u32) -> usize {
        ((u64::from(fragment) * self.homes as u64) >> 32) as usize
    }

    /// The slot with this fragment that `is_it` accepts.
    #[inline]
    pub(super) fn find(&self, wanted: u32, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        for &word in self.words.get(self.home(wanted)..)? {
            let found = fragment(word);
            if found >= wanted {
                if found > wanted {
                    return None;
                }
                let slot = word as u32 as usize;
                if is_it(slot) {
                    return Some(slot);
                }
            }
        }
        None
    }

    pub(super) fn insert(&mut self, new: u32, slot: u32) {
        if (self.len + 1) * 64 > self.homes * LOAD_MAX_64THS {
            self.rebuild(homes_for((self.len + 1) * 3 / 2));
        }
        self.len += 1;
        let mut at = self.home(new);
        while self.words.get(at).is_some_and(|&word| fragment(word) <= new) {
            at += 1;
        }
        let mut carried = word(new, slot);
        while let Some(place) = self.words.get_mut(at) {
            std::mem::swap(place, &mut carried);
            if carried == FREE {
                return;
            }
            at += 1;
        }
        self.words.push(carried);
    }

    fn position(&self, wanted: u32, slot: u32) -> Option<usize> {
        let wanted = word(wanted, slot);
        let mut at = self.home(fragment(wanted));
        loop {
            match *self.words.get(at)? {
                found if found == wanted => return Some(at),
                found if fragment(found) > fragment(wanted) => return None,
                _ => at += 1,
            }
        }
    }

    pub(super) fn remove(&mut self, gone: u32, slot: u32) {
        let Some(mut at) = self.position(gone, slot) else {
            return;
        };
        self.len -= 1;
        loop {
            let next = self.words.get(at + 1).copied().unwrap_or(FREE);
            if next == FREE || self.home(fragment(next)) > at {
                self.words[at] = FREE;
                break;
            }
            self.words[at] = next;
            at += 1;
        }
        if self.homes > HOMES_MIN * 4 && self.len < self.homes / 5 {
            self.rebuild(homes_for(self.len * 3 / 2));
        }
    }

    /// Says that the entry with this fragment moved to another slot.
    pub(super) fn renumber(&mut self, fragment: u32, from: u32, to: u32) {
        if let Some(at) = self.position(fragment, from) {
            self.words[at] = word(fragment, to);
        }
    }

    #[cold]
    fn rebuild(&mut self, homes: usize) {
        *self = Self::from_sorted(self.members(), self.len, homes);
    }

    /// Fragments and slots in ascending order of fragments.
    pub(super) fn members(&self) -> impl Iterator<Item = (u32, u32)> {
        let words = self.words.iter().filter(|&&word| word != FREE);
        words.map(|&word| (fragment(word), word as u32))
    }

    /// Splits into `ways` (a power of two) by the top bits of the fragments, which the parts leave out.
    pub(super) fn split(&self, ways: u32) -> Vec<Self> {
        let bits = ways.ilog2();
        let mut members = self.members().peekable();
        let parts = (0..ways).map(|part| {
            let mut of_part = Vec::new();
            while let Some((fragment, slot)) = members.next_if(|(fragment, _)| fragment >> (u32::BITS - bits) == part) {
                of_part.push((fragment << bits, slot));
            }
            let len = of_part.len();
            Self::from_sorted(of_part.into_iter(), len, homes_for(len * 3 / 2))
        });
        parts.collect()
    }

    fn from_sorted(members: impl Iterator<Item = (u32, u32)>, len: usize, homes: usize) -> Self {
        let mut words = Vec::with_capacity(homes + OVERFLOW_ROOM);
        words.resize(homes, FREE);
        let mut run = Self { words, homes, len };
        let mut next = 0;
        for (fragment, slot) in members {
            let at = next.max(run.home(fragment));
            match run.words.get_mut(at) {
                Some(place) => *place = word(fragment, slot),
                None => run.words.push(word(fragment, slot)),
            }
            next = at + 1;
        }
        run
    }

    pub(super) fn memory_usage(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

/// Places behind the last home that are reserved with it, so that its overflow seldom makes the array grow.
const OVERFLOW_ROOM: usize = 16;
