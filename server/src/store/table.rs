//! The hash table of one shard and database: open addressing over cache-line buckets.
//!
//! A key's home bucket is `hash_high × buckets / 2³²`, so buckets stand in hash order: a table may have any size (growth by
//! a quarter wastes little memory), and a scan's cursor is a position in hash space that survives resizes. An entry
//! that finds its home full goes to the next bucket with room and is counted in the overflow of each bucket it passed;
//! removal undoes the counts, so there are no tombstones. (After F14, but with linear steps, as the adjacent line is
//! usually in flight already.)
#![allow(unsafe_code)]

use std::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    bucket::{Bucket, LANES},
    entry::{EntryBox, EntryRef},
    prefetch::prefetch_read,
};

/// Where an entry stands. Valid until the next insertion or removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: usize,
    pub(crate) lane: usize,
}

#[repr(C)]
pub(crate) struct Table {
    buckets: Box<[Bucket]>,
    size: SizeClass,
    len: usize,
    /// Grow beyond this many entries.
    len_max: usize,
    /// The array that a resize replaced, until the shard has published the new one: see [`TableHint`].
    replaced: Box<[Bucket]>,
    /// Load at which this table grows, in 256ths of its slots; tables differ, lest all grow in one moment.
    load_max: u32,
    seed: u64,
}

/// A table's number of buckets: `(4 + quarter) << doublings`, so that it fits a byte beside the array's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SizeClass(u8);

impl SizeClass {
    /// The smallest class with room for `buckets` buckets.
    fn for_buckets(buckets: usize) -> Self {
        (0..=u8::MAX >> 1).map(Self).find(|class| class.buckets() >= buckets).unwrap_or(Self(u8::MAX >> 1))
    }

    const fn buckets(self) -> usize {
        if self.0 < 4 { self.0 as usize + 1 } else { (4 + (self.0 as usize & 3)) << (self.0 as usize / 4 - 1) }
    }
}

impl Table {
    /// An empty table. `stagger` (any number) sets apart when tables of equal fill grow.
    pub(crate) fn new(seed: u64, stagger: u32) -> Self {
        let load_max = 224 + stagger % 16;
        Self::with_size(SizeClass(0), seed, load_max)
    }

    fn with_size(size: SizeClass, seed: u64, load_max: u32) -> Self {
        let slots = size.buckets() * LANES;
        Self {
            buckets: (0..size.buckets()).map(|_| Bucket::default()).collect(),
            replaced: Box::default(),
            size,
            len: 0,
            // The smallest tables may fill up but for one slot; all keep at least one empty lane, which ends a probe.
            len_max: (slots * load_max as usize / 256).min(slots - 1),
            load_max,
            seed,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// Heap bytes of the bucket array.
    pub(crate) fn memory_usage(&self) -> usize {
        self.buckets.len() * size_of::<Bucket>()
    }

    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        hash_key(key, self.seed)
    }

    /// The entry of `key`, whose hash is `hash`.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let tag = Bucket::tag_of(hash);
        let mut at = home(hash, self.buckets.len());
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            for lane in bucket.matches(tag) {
                let place = Place { bucket: at, lane };
                if self.entry(place).key() == key {
                    return Some(place);
                }
            }
            if !bucket.overflowed() {
                return None;
            }
            at = self.next(at);
        }
        None
    }

    /// An entry by home bucket and tag alone, among those whose eviction state has the bits of `mark`.
    pub(crate) fn find_marked(&self, hash: u64, mark: u8) -> Option<Place> {
        let mut at = home(hash, self.buckets.len());
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            if let Some(lane) = bucket.matches(Bucket::tag_of(hash)).find(|&lane| bucket.meta(lane) & mark == mark) {
                return Some(Place { bucket: at, lane });
            }
            if !bucket.overflowed() {
                return None;
            }
            at = self.next(at);
        }
        None
    }

    #[inline]
    pub(crate) fn bucket(&self, index: usize) -> &Bucket {
        &self.buckets[index]
    }

    /// The entry at an occupied place.
    #[inline]
    pub(crate) fn entry(&self, place: Place) -> EntryRef<'_> {
        // SAFETY: an occupied lane holds the address of an entry that this table owns; it is freed or changed only
        // through `&mut self`, which the returned borrow excludes.
        unsafe { EntryRef::from_raw(self.block(place)) }
    }

    /// Changes the entry at an occupied place; `change` may put another entry (of the same key) in its stead.
    pub(crate) fn update<R>(&mut self, place: Place, change: impl FnOnce(EntryBox) -> (EntryBox, R)) -> R {
        let block = self.block(place);
        let bucket = &self.buckets[place.bucket];
        let (tag, meta) = (bucket.tag(place.lane), bucket.meta(place.lane));
        bucket.clear(place.lane);
        // SAFETY: the lane held the address of an entry that this table owns, and is empty now: nobody else owns it, and a
        // panic in `change` cannot leave a dangling address.
        let owned = unsafe { EntryBox::from_raw(block) };
        let (owned, result) = change(owned);
        bucket.set(place.lane, tag, expose(owned.into_raw()), meta);
        result
    }

    /// The entry at an occupied place for changing in place.
    pub(crate) fn entry_mut(&mut self, place: Place) -> EntryGuard<'_> {
        // SAFETY: the guard borrows the table mutably, so the entry is reached by nothing else; it never drops it.
        let entry = std::mem::ManuallyDrop::new(unsafe { EntryBox::from_raw(self.block(place)) });
        EntryGuard { entry, table: std::marker::PhantomData }
    }

    /// Puts another entry of the same key in an occupied place and returns the old one.
    pub(crate) fn replace(&mut self, place: Place, entry: EntryBox) -> EntryBox {
        // SAFETY: the old entry leaves the table before the new address is stored.
        let old = unsafe { EntryBox::from_raw(self.block(place)) };
        self.buckets[place.bucket].set_address(place.lane, expose(entry.into_raw()));
        old
    }

    /// Adds an entry whose key is not in the table, growing it where it is full.
    pub(crate) fn insert(&mut self, hash: u64, entry: EntryBox, meta: u8) -> Place {
        if self.len >= self.len_max {
            self.resize(SizeClass(self.size.0 + 1));
        }
        let mut at = home(hash, self.buckets.len());
        loop {
            let bucket = &self.buckets[at];
            if let Some(lane) = bucket.empty_lane() {
                bucket.set(lane, Bucket::tag_of(hash), expose(entry.into_raw()), meta);
                self.len += 1;
                return Place { bucket: at, lane };
            }
            bucket.count_overflow();
            at = self.next(at);
        }
    }

    /// Takes the entry at an occupied place out of the table.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) -> EntryBox {
        // SAFETY: the lane is cleared at once, so the address is owned by the returned box alone.
        let owned = unsafe { EntryBox::from_raw(self.block(place)) };
        self.buckets[place.bucket].clear(place.lane);
        let mut at = home(hash, self.buckets.len());
        while at != place.bucket {
            self.buckets[at].uncount_overflow();
            at = self.next(at);
        }
        self.len -= 1;
        owned
    }

    /// Gives memory back where the table has become far too large for what it holds.
    pub(crate) fn shrink_if_sparse(&mut self) {
        if self.size.0 > 0 && self.len * 2 < self.len_max {
            let slots_wanted = (self.len + 1) * 256 / self.load_max as usize * 5 / 4;
            let size = SizeClass::for_buckets(slots_wanted / LANES + 1);
            if size < self.size {
                self.resize(size);
            }
        }
    }

    /// Calls `visit` for the entries of one bucket and answers the position of the next: entries whose hash begins with
    /// `position` or stands behind it in the same bucket. `None` as next: the scan is through.
    pub(crate) fn scan(&self, position: u32, mut visit: impl FnMut(EntryRef<'_>)) -> Option<u32> {
        /// Entries are prefetched so many buckets ahead, as each key must be read.
        const AHEAD: usize = 2;
        let count = self.buckets.len();
        let home_bucket = home(u64::from(position) << 32, count);
        if let Some(bucket) = self.buckets.get(home_bucket + AHEAD) {
            bucket.occupied().for_each(|lane| prefetch_read(bucket.address(lane)));
        }
        let mut at = home_bucket;
        for _ in 0..count {
            let bucket = &self.buckets[at];
            for lane in bucket.occupied() {
                let entry = self.entry(Place { bucket: at, lane });
                let hash = self.hash(entry.key());
                if home(hash, count) == home_bucket && (hash >> 32) as u32 >= position {
                    visit(entry);
                }
            }
            if !bucket.overflowed() {
                break;
            }
            at = self.next(at);
        }
        let next = ((home_bucket as u64 + 1) << 32).div_ceil(count as u64);
        u32::try_from(next).ok()
    }

    /// An entry chosen by two random numbers; every entry has a chance, nearly the same for all.
    pub(crate) fn sample(&self, random: u64) -> Option<Place> {
        if self.len == 0 {
            return None;
        }
        let mut at = home(random, self.buckets.len());
        loop {
            let occupied = self.buckets[at].occupied();
            let count = occupied.count();
            if count > 0 {
                let lane = occupied.into_iter().nth(random as u32 as usize % count)?;
                return Some(Place { bucket: at, lane });
            }
            at = self.next(at);
        }
    }

    /// The array's address and size for [`TableHint`].
    pub(crate) fn hint(&self) -> u64 {
        let address = self.buckets.as_ptr().expose_provenance() as u64;
        address | u64::from(self.size.0) << 48
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    fn block(&self, place: Place) -> NonNull<u8> {
        let address = self.buckets[place.bucket].address(place.lane);
        NonNull::new(ptr::with_exposed_provenance_mut(address)).expect("an occupied lane")
    }

    /// Moves all entries to an array of another size. Entries are prefetched some buckets ahead, as each key must be
    /// read to learn its new home.
    fn resize(&mut self, size: SizeClass) {
        const AHEAD: usize = 4;
        let mut grown = Self::with_size(size, self.seed, self.load_max);
        for at in 0..self.buckets.len() {
            if let Some(bucket) = self.buckets.get(at + AHEAD) {
                bucket.occupied().for_each(|lane| prefetch_read(bucket.address(lane)));
            }
            let bucket = &self.buckets[at];
            for lane in bucket.occupied() {
                let place = Place { bucket: at, lane };
                let hash = self.hash(self.entry(place).key());
                // SAFETY: each entry moves once; the old array is emptied of ownership below without dropping entries.
                let owned = unsafe { EntryBox::from_raw(self.block(place)) };
                grown.insert(hash, owned, bucket.meta(lane));
            }
        }
        self.len = grown.len;
        self.len_max = grown.len_max;
        self.size = grown.size;
        grown.len = 0;
        let old = std::mem::replace(&mut self.buckets, std::mem::take(&mut grown.buckets));
        retire(std::mem::replace(&mut self.replaced, old));
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for at in 0..self.buckets.len() {
            for lane in self.buckets[at].occupied() {
                // SAFETY: the table owns the entries of its occupied lanes and is going away itself.
                drop(unsafe { EntryBox::from_raw(self.block(Place { bucket: at, lane })) });
            }
        }
        retire(std::mem::take(&mut self.buckets));
        retire(std::mem::take(&mut self.replaced));
    }
}

/// An entry borrowed for changing; it stays in the table.
pub(crate) struct EntryGuard<'t> {
    entry: std::mem::ManuallyDrop<EntryBox>,
    table: std::marker::PhantomData<&'t mut Table>,
}

impl std::ops::Deref for EntryGuard<'_> {
    type Target = EntryBox;
    fn deref(&self) -> &EntryBox {
        &self.entry
    }
}

impl<'t> EntryGuard<'t> {
    /// The collection for changing, for as long as the table is borrowed.
    pub(crate) fn into_object_mut(mut self) -> Option<&'t mut super::object::Object> {
        // SAFETY: the object lives in the entry's block, which the table (borrowed mutably for 't) keeps.
        self.entry.object_mut().map(|object| unsafe { &mut *ptr::from_mut(object) })
    }

    /// A string's bytes for changing in place, for as long as the table is borrowed.
    pub(crate) fn into_bytes_mut(mut self) -> Option<&'t mut [u8]> {
        // SAFETY: the bytes live in the entry's block or in its vector, which the table (borrowed for 't) keeps.
        unsafe {
            if let Some(bytes) = self.entry.embedded_mut() {
                return Some(&mut *ptr::from_mut(bytes));
            }
            self.entry.shared_mut().map(|bytes| &mut *ptr::from_mut(bytes.as_mut_slice()))
        }
    }
}

impl std::ops::DerefMut for EntryGuard<'_> {
    fn deref_mut(&mut self) -> &mut EntryBox {
        &mut self.entry
    }
}

/// Where a shard's main table stands, for the prefetch pass, which runs without the shard's lock.
#[derive(Default)]
pub(crate) struct TableHint(AtomicU64);

impl TableHint {
    /// Makes the table's present array the one to prefetch from, then lets go of the one before it.
    #[inline]
    pub(crate) fn publish(&self, table: &mut Table) {
        let hint = table.hint();
        if self.0.load(Ordering::Relaxed) != hint {
            self.0.store(hint, Ordering::Release);
            retire(std::mem::take(&mut table.replaced));
        }
    }

    /// Starts loading the home bucket of `hash`, and the one behind it, to which a full one overflows.
    #[inline]
    pub(crate) fn prefetch_bucket(&self, hash: u64) {
        if let Some((array, count)) = self.array() {
            let address = array + home(hash, count) * size_of::<Bucket>();
            prefetch_read(address);
            prefetch_read(address + size_of::<Bucket>());
        }
    }

    /// Starts loading the entries in the home bucket of `hash`, or the one behind it, that may be the wanted one.
    ///
    /// `_pinned` keeps an array that is being replaced right now from being freed.
    #[inline]
    pub(crate) fn prefetch_entry(&self, hash: u64, _pinned: &crossbeam_epoch::Guard) {
        let Some((array, count)) = self.array() else { return };
        let at = home(hash, count);
        // SAFETY: the array was published by its table with its length and is freed only after all threads pinned at the
        // time of its replacement (this one is) have unpinned; its fields are atomics. Addresses read here are only
        // prefetched.
        let buckets = unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance::<Bucket>(array), count) };
        for bucket in &buckets[at..(at + 2).min(count)] {
            let mut has_match = false;
            for lane in bucket.matches(Bucket::tag_of(hash)) {
                let address = bucket.address(lane);
                prefetch_read(address);
                prefetch_read(address.wrapping_add(64));
                has_match = true;
            }
            if has_match || !bucket.overflowed() {
                return;
            }
        }
    }

    #[inline]
    fn array(&self) -> Option<(usize, usize)> {
        let hint = self.0.load(Ordering::Acquire);
        (hint != 0).then(|| ((hint & ((1 << 48) - 1)) as usize, SizeClass((hint >> 48) as u8).buckets()))
    }
}

/// Frees a bucket array once no thread can be reading it for a prefetch. The entries in it have moved out.
fn retire(buckets: Box<[Bucket]>) {
    if buckets.is_empty() {
        return;
    }
    let pinned = crossbeam_epoch::pin();
    // SAFETY: the array is no longer published (the shard publishes the new one first, and retires a table only after
    // it has put another in its place), so only threads that were pinned before this call can still read it.
    unsafe { pinned.defer_unchecked(move || drop(buckets)) };
    pinned.flush();
}

#[inline]
fn home(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

fn expose(block: NonNull<u8>) -> usize {
    block.as_ptr().expose_provenance()
}

/// The hash of a key under the store's seed (XXH3, 64 bits).
#[inline]
pub(crate) fn hash_key(key: &[u8], seed: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(key, seed)
}
