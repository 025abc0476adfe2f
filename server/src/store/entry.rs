//! One key with its value: a single heap block.
//!
//! ```text
//! 0        8            16            24
//! | header | [deadline] | [long key]  | [payload] | key … | string value … | slack to the size class
//! ```
//! - header: flags (8 bits), access clock (24 bits), key length (16), length of an embedded string (16);
//! - deadline: unix time in ms, only where the key has a TTL;
//! - long key: the key's length, only where it does not fit 16 bits;
//! - payload: a reference to shared bytes (long strings) or the collection, 8-byte aligned.
//!
//! A string of up to [`EMBEDDED_LEN_MAX`] bytes is embedded, so a lookup costs one cache line for the bucket and one or
//! two for the entry. Offsets follow from the flags, hence everything that changes a flag that moves them builds a new
//! block.
#![allow(unsafe_code)]

mod value;

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    marker::PhantomData,
    mem::{ManuallyDrop, size_of},
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

pub(crate) use self::value::Payload;
pub use self::value::{SharedBytes, Value};
use super::{object::Object, size_class::round_up};

/// A string up to this many bytes lives inside its entry; a longer one is shared by reference, so that replies and
/// copies need not hold the shard while they move it.
pub const EMBEDDED_LEN_MAX: usize = 16 * 1024;

const HEADER_LEN: usize = 8;
const KIND_MASK: u32 = 0b11;
const KIND_EMBEDDED: u32 = 0;
const KIND_SHARED: u32 = 1;
const KIND_OBJECT: u32 = 2;
const HAS_DEADLINE: u32 = 1 << 2;
const LONG_KEY: u32 = 1 << 3;
const EDITED: u32 = 1 << 4;
const ACCESS_SHIFT: u32 = 8;

/// The 24-bit access field's largest value.
pub const ACCESS_MAX: u32 = (1 << 24) - 1;

/// An owned entry, outside the table or on its way in or out.
pub(crate) struct EntryBox(NonNull<u8>);

// SAFETY: an entry owns its block, and everything in it (bytes, `Arc<Vec<u8>>`, `Object`) is `Send`.
unsafe impl Send for EntryBox {}
// SAFETY: shared access changes only the header word, which is atomic.
unsafe impl Sync for EntryBox {}

/// A shared view of an entry.
#[derive(Clone, Copy)]
pub struct EntryRef<'a> {
    block: NonNull<u8>,
    life: PhantomData<&'a [u8]>,
}

impl EntryBox {
    /// Builds an entry. `access` is the 24-bit access clock.
    pub(crate) fn new(key: &[u8], payload: Payload<'_>, deadline_ms: Option<u64>, access: u32) -> Self {
        let (kind, payload_len, value_len) = match &payload {
            Payload::Bytes(bytes) if bytes.len() <= EMBEDDED_LEN_MAX => (KIND_EMBEDDED, 0, bytes.len()),
            Payload::Bytes(bytes) => {
                return Self::new(key, Payload::Shared(Arc::new(bytes.to_vec())), deadline_ms, access);
            }
            Payload::Shared(_) => (KIND_SHARED, size_of::<SharedBytes>(), 0),
            Payload::Object(_) => (KIND_OBJECT, size_of::<Object>(), 0),
        };
        let long_key = key.len() > usize::from(u16::MAX);
        let mut flags = kind;
        flags |= if deadline_ms.is_some() { HAS_DEADLINE } else { 0 };
        flags |= if long_key { LONG_KEY } else { 0 };
        let size = round_up(payload_at(flags) + payload_len + key.len() + value_len);
        // SAFETY: the block of `size` bytes is allocated with alignment 8 and every write below stays within the sum
        // that `size` was computed from; offsets of wide fields are multiples of 8.
        unsafe {
            let block = allocate(size);
            let base = block.as_ptr();
            base.cast::<u32>().write(flags | (access & ACCESS_MAX) << ACCESS_SHIFT);
            let short_key_len = if long_key { 0 } else { key.len() as u16 };
            base.add(4).cast::<u16>().write(short_key_len);
            base.add(6).cast::<u16>().write(value_len as u16);
            if let Some(deadline_ms) = deadline_ms {
                base.add(HEADER_LEN).cast::<u64>().write(deadline_ms);
            }
            if long_key {
                base.add(payload_at(flags) - 8).cast::<u64>().write(key.len() as u64);
            }
            let payload_place = base.add(payload_at(flags));
            let key_place = payload_place.add(payload_len);
            ptr::copy_nonoverlapping(key.as_ptr(), key_place, key.len());
            match payload {
                Payload::Bytes(bytes) => {
                    ptr::copy_nonoverlapping(bytes.as_ptr(), key_place.add(key.len()), bytes.len());
                }
                Payload::Shared(shared) => payload_place.cast::<SharedBytes>().write(shared),
                Payload::Object(object) => payload_place.cast::<Object>().write(object),
            }
            Self(block)
        }
    }

    /// The entry for reading.
    pub(crate) fn as_ref(&self) -> EntryRef<'_> {
        EntryRef { block: self.0, life: PhantomData }
    }

    /// Gives up ownership: the table keeps the bare address.
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).0
    }

    /// Takes ownership back.
    ///
    /// # Safety
    /// `block` came from [`EntryBox::into_raw`] and is owned by nobody else.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Self(block)
    }

    /// The collection for changing.
    pub(crate) fn object_mut(&mut self) -> Option<&mut Object> {
        let view = self.as_ref();
        if view.flags() & KIND_MASK != KIND_OBJECT {
            return None;
        }
        // SAFETY: the flags say that an `Object` stands at the payload's place, and `&mut self` makes access unique.
        Some(unsafe { &mut *self.0.as_ptr().add(payload_at(view.flags())).cast::<Object>() })
    }

    /// A long string's bytes for changing; they are copied first where a reply still shares them.
    pub(crate) fn shared_mut(&mut self) -> Option<&mut Vec<u8>> {
        let view = self.as_ref();
        if view.flags() & KIND_MASK != KIND_SHARED {
            return None;
        }
        // SAFETY: the flags say that a `SharedBytes` stands at the payload's place, and access is unique.
        let shared = unsafe { &mut *self.0.as_ptr().add(payload_at(view.flags())).cast::<SharedBytes>() };
        Some(Arc::make_mut(shared))
    }

    /// An embedded string's bytes for changing in place.
    pub(crate) fn embedded_mut(&mut self) -> Option<&mut [u8]> {
        let view = self.as_ref();
        if view.flags() & KIND_MASK != KIND_EMBEDDED {
            return None;
        }
        let start = payload_at(view.flags()) + view.key().len();
        // SAFETY: an embedded value of `value_len` bytes stands behind the key, inside the block.
        Some(unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(start), view.value_len()) })
    }

    /// Sets an embedded string's length in place where the block's size class allows it. New bytes hold whatever the
    /// block held before: the caller overwrites them.
    #[must_use]
    pub(crate) fn resize_embedded(&mut self, len: usize) -> bool {
        let view = self.as_ref();
        if view.flags() & KIND_MASK != KIND_EMBEDDED || len > EMBEDDED_LEN_MAX {
            return false;
        }
        if len == view.value_len() {
            return true;
        }
        let fixed = payload_at(view.flags()) + view.key().len();
        if round_up(fixed + len) != round_up(fixed + view.value_len()) {
            return false;
        }
        let grown_from = view.value_len().min(len);
        // SAFETY: the class, and so the block, is large enough; the length field is ours alone under `&mut self`.
        // Grown bytes are zeroed, because the slack behind a value was never written.
        unsafe {
            ptr::write_bytes(self.0.as_ptr().add(fixed + grown_from), 0, len - grown_from);
            self.0.as_ptr().add(6).cast::<u16>().write(len as u16);
        }
        true
    }

    /// Changes the deadline where the block already has room for one.
    #[must_use]
    pub(crate) fn set_deadline_in_place(&mut self, deadline_ms: Option<u64>) -> bool {
        match (self.as_ref().flags() & HAS_DEADLINE != 0, deadline_ms) {
            (false, None) => true,
            (true, Some(deadline_ms)) => {
                // SAFETY: the flag says that the deadline's 8 bytes stand behind the header.
                unsafe { self.0.as_ptr().add(HEADER_LEN).cast::<u64>().write(deadline_ms) };
                true
            }
            _ => false,
        }
    }

    /// The same key and value in a new block with (or without) a deadline, and perhaps under another key.
    pub(crate) fn rebuild(self, key: Option<&[u8]>, deadline_ms: Option<u64>) -> Self {
        let view = self.as_ref();
        let (access, edited) = (view.access(), view.was_edited());
        let owned_key;
        let key = match key {
            Some(key) => key,
            None => {
                owned_key = view.key().to_vec();
                &owned_key
            }
        };
        let built = match view.value() {
            Value::Bytes(bytes) => Self::new(key, Payload::Bytes(bytes), deadline_ms, access),
            _ => {
                let (_, payload) = self.take_payload();
                Self::new(key, payload, deadline_ms, access)
            }
        };
        if edited {
            built.mark_edited();
        }
        built
    }

    /// Takes the entry apart into its deadline and its value, where that is not embedded (else the value is copied).
    pub(crate) fn take_payload(self) -> (Option<u64>, Payload<'static>) {
        let this = ManuallyDrop::new(self);
        let view = this.as_ref();
        let deadline_ms = view.deadline_ms();
        let place = payload_at(view.flags());
        // SAFETY: the payload is read out exactly once, and then only the block is freed, not its content.
        unsafe {
            let payload = match view.flags() & KIND_MASK {
                KIND_SHARED => Payload::Shared(this.0.as_ptr().add(place).cast::<SharedBytes>().read()),
                KIND_OBJECT => Payload::Object(this.0.as_ptr().add(place).cast::<Object>().read()),
                _ => Payload::Shared(Arc::new(view.value().as_bytes().unwrap_or_default().to_vec())),
            };
            free(this.0, view.block_size());
            (deadline_ms, payload)
        }
    }

    /// Notes that the string was changed in place, which `OBJECT ENCODING` reports as `raw`.
    pub(crate) fn mark_edited(&self) {
        self.as_ref().header().fetch_or(EDITED, Relaxed);
    }

    /// Takes [`EntryBox::mark_edited`] back: the string was overwritten as a whole.
    #[inline]
    pub(crate) fn mark_unedited(&self) {
        if self.as_ref().was_edited() {
            self.as_ref().header().fetch_and(!EDITED, Relaxed);
        }
    }
}

impl Drop for EntryBox {
    fn drop(&mut self) {
        let view = self.as_ref();
        let size = view.block_size();
        let place = payload_at(view.flags());
        // SAFETY: the flags say what stands at the payload's place; it is dropped once, then the block is freed with
        // the size it was allocated with (a function of its lengths).
        unsafe {
            match view.flags() & KIND_MASK {
                KIND_SHARED => ptr::drop_in_place(self.0.as_ptr().add(place).cast::<SharedBytes>()),
                KIND_OBJECT => ptr::drop_in_place(self.0.as_ptr().add(place).cast::<Object>()),
                _ => {}
            }
            free(self.0, size);
        }
    }
}

impl<'a> EntryRef<'a> {
    /// A view of the entry at `block`.
    ///
    /// # Safety
    /// `block` came from [`EntryBox::into_raw`], and the entry is neither changed nor freed during `'a`.
    pub(crate) unsafe fn from_raw(block: NonNull<u8>) -> Self {
        Self { block, life: PhantomData }
    }

    fn header(self) -> &'a AtomicU32 {
        // SAFETY: the block starts with the header word, 8-byte aligned, only ever accessed atomically after building.
        unsafe { AtomicU32::from_ptr(self.block.as_ptr().cast()) }
    }

    fn flags(self) -> u32 {
        self.header().load(Relaxed) & 0xff
    }

    fn value_len(self) -> usize {
        // SAFETY: the header holds the length at offset 6.
        usize::from(unsafe { self.block.as_ptr().add(6).cast::<u16>().read() })
    }

    fn payload_len(self) -> usize {
        match self.flags() & KIND_MASK {
            KIND_SHARED => size_of::<SharedBytes>(),
            KIND_OBJECT => size_of::<Object>(),
            _ => 0,
        }
    }

    /// The key.
    #[inline]
    #[must_use]
    pub fn key(self) -> &'a [u8] {
        let flags = self.flags();
        // SAFETY: the key of this length stands behind the payload (see the module's drawing).
        unsafe {
            let base = self.block.as_ptr();
            let len = if flags & LONG_KEY == 0 {
                usize::from(base.add(4).cast::<u16>().read())
            } else {
                base.add(payload_at(flags) - 8).cast::<u64>().read() as usize
            };
            std::slice::from_raw_parts(base.add(payload_at(flags) + self.payload_len()), len)
        }
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(self) -> Value<'a> {
        let flags = self.flags();
        // SAFETY: the flags say what stands where.
        unsafe {
            let payload = self.block.as_ptr().add(payload_at(flags));
            match flags & KIND_MASK {
                KIND_SHARED => Value::Shared(&*payload.cast::<SharedBytes>()),
                KIND_OBJECT => Value::Object(&*payload.cast::<Object>()),
                _ => Value::Bytes(std::slice::from_raw_parts(payload.add(self.key().len()), self.value_len())),
            }
        }
    }

    /// When the key expires, in unix ms, if it does.
    #[inline]
    #[must_use]
    pub fn deadline_ms(self) -> Option<u64> {
        if self.flags() & HAS_DEADLINE == 0 {
            return None;
        }
        // SAFETY: the flag says that the deadline stands behind the header.
        Some(unsafe { self.block.as_ptr().add(HEADER_LEN).cast::<u64>().read() })
    }

    /// The 24-bit access clock: seconds for LRU, or minutes and a counter for LFU, as the policy in force wrote it.
    #[inline]
    #[must_use]
    pub fn access(self) -> u32 {
        self.header().load(Relaxed) >> ACCESS_SHIFT
    }

    /// Sets the access clock; no write where it is unchanged, so that a hot key's line stays clean.
    #[inline]
    pub fn set_access(self, access: u32) {
        let word = self.header().load(Relaxed);
        if word >> ACCESS_SHIFT != access {
            self.header().store((word & 0xff) | (access & ACCESS_MAX) << ACCESS_SHIFT, Relaxed);
        }
    }

    /// Whether the string was changed in place (APPEND, SETRANGE, SETBIT …).
    #[must_use]
    pub fn was_edited(self) -> bool {
        self.flags() & EDITED != 0
    }

    /// The bytes of the block itself.
    #[must_use]
    pub fn block_size(self) -> usize {
        round_up(payload_at(self.flags()) + self.payload_len() + self.key().len() + self.value_len())
    }

    /// All heap bytes of the key: the block and what it refers to.
    #[must_use]
    pub fn memory_usage(self) -> usize {
        let behind = match self.value() {
            Value::Bytes(_) => 0,
            Value::Shared(shared) => round_up(shared.capacity()) + round_up(size_of::<Vec<u8>>() + 16),
            Value::Object(object) => object.memory_usage(),
        };
        self.block_size() + behind
    }
}

/// Where the payload starts in a block with these flags.
const fn payload_at(flags: u32) -> usize {
    HEADER_LEN + if flags & HAS_DEADLINE != 0 { 8 } else { 0 } + if flags & LONG_KEY != 0 { 8 } else { 0 }
}

/// # Safety
/// `size` is not zero.
unsafe fn allocate(size: usize) -> NonNull<u8> {
    // SAFETY: every class is at least 8 bytes and a key's length is bounded far below isize::MAX by the protocol.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, 8);
        NonNull::new(alloc(layout)).unwrap_or_else(|| handle_alloc_error(layout))
    }
}

/// # Safety
/// `block` was allocated by [`allocate`] with the same `size` and is not used again.
unsafe fn free(block: NonNull<u8>, size: usize) {
    // SAFETY: as promised by the caller.
    unsafe { dealloc(block.as_ptr(), Layout::from_size_align_unchecked(size, 8)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_string_is_read_back_from_one_block() {
        let entry = EntryBox::new(b"key", Payload::Bytes(b"value"), None, 7);
        let view = entry.as_ref();
        assert_eq!(view.key(), b"key");
        assert_eq!(view.value().as_bytes(), Some(&b"value"[..]));
        assert_eq!((view.deadline_ms(), view.access(), view.block_size()), (None, 7, 16));
    }

    #[test]
    fn a_ttl_fits_the_same_block_as_the_benchmark_entry() {
        let size =
            |deadline| EntryBox::new(&[b'k'; 16], Payload::Bytes(&[b'v'; 64]), deadline, 0).as_ref().block_size();
        assert_eq!((size(None), size(Some(1))), (96, 96));
    }

    #[test]
    fn a_long_key_and_a_long_value_survive_a_rebuild() {
        let key = vec![b'k'; 70_000];
        let value = vec![b'v'; EMBEDDED_LEN_MAX + 1];
        let entry = EntryBox::new(&key, Payload::Bytes(&value), None, 0).rebuild(None, Some(99));
        let view = entry.as_ref();
        assert!(matches!(view.value(), Value::Shared(_)));
        assert_eq!((view.key(), view.value().as_bytes()), (&key[..], Some(&value[..])));
        assert_eq!(view.deadline_ms(), Some(99));
    }

    #[test]
    fn a_value_grows_in_place_within_its_size_class_only() {
        let mut entry = EntryBox::new(b"k", Payload::Bytes(b"0123456789"), None, 0);
        assert_eq!(entry.as_ref().block_size(), 32);
        assert!(entry.resize_embedded(23));
        assert_eq!(entry.as_ref().value().as_bytes(), Some(&b"0123456789\0\0\0\0\0\0\0\0\0\0\0\0\0"[..]));
        assert!(!entry.resize_embedded(24));
        assert!(!entry.resize_embedded(7));
    }

    #[test]
    fn the_access_clock_leaves_the_flags_alone() {
        let entry = EntryBox::new(b"k", Payload::Bytes(b"v"), Some(5), 0);
        entry.mark_edited();
        entry.as_ref().set_access(ACCESS_MAX);
        let view = entry.as_ref();
        assert_eq!((view.access(), view.was_edited(), view.deadline_ms()), (ACCESS_MAX, true, Some(5)));
    }
}
