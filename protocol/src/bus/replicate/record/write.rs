//! Records as they are appended to a frame: each is written in place, at the end of the caller's buffer.

use super::{COPIES_MAX, EffectHead, Entry, HAS_DEADLINE, HAS_WRITE, IS_LAST, Row, Write, kind};
use crate::bus::{identity::Identity, replicate::SlotPosition};

/// Writes a record around its fields, whose length is put in front of them.
fn put(buf: &mut Vec<u8>, kind: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    let from = buf.len();
    buf.extend_from_slice(&[0, 0, 0, 0, kind]);
    fields(buf);
    let len = (buf.len() - from - 4) as u32;
    buf[from..from + 4].copy_from_slice(&len.to_le_bytes());
}

fn put_position(buf: &mut Vec<u8>, at: SlotPosition) {
    buf.extend_from_slice(&at.epoch.to_le_bytes());
    buf.extend_from_slice(&at.seq.to_le_bytes());
}

fn put_bytes(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    buf.extend_from_slice(bytes);
}

fn put_identity(buf: &mut Vec<u8>, identity: &Identity) {
    buf.extend_from_slice(&identity.generation.to_le_bytes());
    buf.extend_from_slice(&identity.id.0.to_le_bytes());
}

fn put_write(buf: &mut Vec<u8>, write: &Write<'_>) {
    buf.extend_from_slice(&write.id.origin.to_le_bytes());
    buf.extend_from_slice(&write.id.number.to_le_bytes());
    buf.push(u8::from(write.reply.is_some()));
    put_bytes(buf, write.reply.unwrap_or_default());
}

/// Begins the words of a command that [`put_word`] appends one by one, as [`put_effect`] takes them.
pub fn put_words_count(words: &mut Vec<u8>, count: usize) {
    words.extend_from_slice(&(count as u32).to_le_bytes());
}

/// Appends one word.
#[inline]
pub fn put_word(words: &mut Vec<u8>, word: &[u8]) {
    put_bytes(words, word);
}

/// Appends an effect whose words are encoded already.
#[inline]
pub fn put_effect(buf: &mut Vec<u8>, head: &EffectHead<'_>, words: &[u8]) {
    put(buf, kind::EFFECT, |buf| {
        let mut fixed = [0_u8; 28];
        fixed[0] = if head.write.is_some() { HAS_WRITE } else { 0 };
        fixed[1..3].copy_from_slice(&head.slot.to_le_bytes());
        fixed[3] = head.db;
        fixed[4..12].copy_from_slice(&head.at.epoch.to_le_bytes());
        fixed[12..20].copy_from_slice(&head.at.seq.to_le_bytes());
        fixed[20..28].copy_from_slice(&head.now_ms.to_le_bytes());
        buf.extend_from_slice(&fixed);
        if let Some(write) = &head.write {
            put_write(buf, write);
        }
        buf.extend_from_slice(words);
    });
}

/// Appends an effect with these words.
pub fn put_effect_words(buf: &mut Vec<u8>, head: &EffectHead<'_>, words: &[&[u8]]) {
    let mut encoded = Vec::new();
    put_words_count(&mut encoded, words.len());
    words.iter().for_each(|word| put_word(&mut encoded, word));
    put_effect(buf, head, &encoded);
}

/// Appends a key with its value.
pub fn put_entry(buf: &mut Vec<u8>, entry: &Entry<'_>) {
    put(buf, kind::ENTRY, |buf| {
        buf.push(if entry.deadline_ms.is_some() { HAS_DEADLINE } else { 0 });
        buf.extend_from_slice(&entry.slot.to_le_bytes());
        buf.push(entry.db);
        buf.extend_from_slice(&entry.epoch.to_le_bytes());
        if let Some(deadline_ms) = entry.deadline_ms {
            buf.extend_from_slice(&deadline_ms.to_le_bytes());
        }
        buf.extend_from_slice(&entry.access.to_le_bytes());
        put_bytes(buf, entry.key);
        buf.extend_from_slice(entry.payload);
    });
}

/// Appends a write's reply.
pub fn put_wrote(buf: &mut Vec<u8>, slot: u16, epoch: u64, now_ms: u64, write: &Write<'_>) {
    put(buf, kind::WROTE, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
        buf.extend_from_slice(&now_ms.to_le_bytes());
        put_write(buf, write);
    });
}

fn put_at(buf: &mut Vec<u8>, kind: u8, slot: u16, at: SlotPosition) {
    put(buf, kind, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        put_position(buf, at);
    });
}

/// Appends the beginning of a copy.
pub fn put_fill_begin(buf: &mut Vec<u8>, slot: u16, at: SlotPosition) {
    put_at(buf, kind::FILL_BEGIN, slot, at);
}

/// Appends the end of a copy.
pub fn put_fill_end(buf: &mut Vec<u8>, slot: u16, at: SlotPosition) {
    put_at(buf, kind::FILL_END, slot, at);
}

/// Appends a new owner's beginning.
pub fn put_lead(buf: &mut Vec<u8>, slot: u16, epoch: u64, before: SlotPosition) {
    put(buf, kind::LEAD, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
        put_position(buf, before);
    });
}

/// Appends a grant.
pub fn put_grant(buf: &mut Vec<u8>, row: &Row) {
    put(buf, kind::GRANT, |buf| {
        buf.extend_from_slice(&row.slot.to_le_bytes());
        buf.extend_from_slice(&row.epoch.to_le_bytes());
        buf.extend_from_slice(&row.version.to_le_bytes());
        buf.extend_from_slice(&row.firm_epoch.to_le_bytes());
        buf.extend_from_slice(&row.provisional.to_le_bytes());
        put_identity(buf, &row.owner);
        let copies = &row.copies[..row.copies.len().min(usize::from(COPIES_MAX))];
        buf.extend_from_slice(&(copies.len() as u16).to_le_bytes());
        copies.iter().for_each(|copy| put_identity(buf, copy));
    });
}

/// Appends that a copy is no longer wanted.
pub fn put_drop(buf: &mut Vec<u8>, slot: u16, epoch: u64) {
    put(buf, kind::DROP, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&epoch.to_le_bytes());
    });
}

/// Appends a digest.
pub fn put_digest(buf: &mut Vec<u8>, slot: u16, at: SlotPosition, digest: u128) {
    put(buf, kind::DIGEST, |buf| {
        buf.extend_from_slice(&slot.to_le_bytes());
        put_position(buf, at);
        buf.extend_from_slice(&digest.to_le_bytes());
    });
}

/// Appends a sign of life.
pub fn put_heartbeat(buf: &mut Vec<u8>, now_ms: u64) {
    put(buf, kind::HEARTBEAT, |buf| buf.extend_from_slice(&now_ms.to_le_bytes()));
}

/// Appends a piece of a record, the bytes of which include its length and kind.
pub fn put_part(buf: &mut Vec<u8>, bytes: &[u8], is_last: bool) {
    put(buf, kind::PART, |buf| {
        buf.push(if is_last { IS_LAST } else { 0 });
        buf.extend_from_slice(bytes);
    });
}

/// Appends a marker whose acknowledgement says that the copy has applied all of a parked slot's effects.
pub fn put_caught_up(buf: &mut Vec<u8>, slot: u16) {
    put(buf, kind::CAUGHT_UP, |buf| buf.extend_from_slice(&slot.to_le_bytes()));
}
