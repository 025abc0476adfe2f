//! The effects of the running command, until it is done.

use rondache_protocol::bus::replicate::{put_word, put_words_count};

/// The room for words that is kept between commands.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// One write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) slot: u16,
    pub(crate) db: u8,
    pub(crate) now_ms: u64,
    from: usize,
    to: usize,
}

/// The writes of a command (or transaction) in the order of execution, their words encoded already.
///
/// Bound: those of one command or transaction; its shards stay locked until they are in their streams.
#[derive(Debug, Default)]
pub(crate) struct PendingEffects {
    words: Vec<u8>,
    items: Vec<Pending>,
    /// Whether the running command has said itself what its effects are.
    pub(crate) is_explicit: bool,
}

impl PendingEffects {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn push<'a>(
        &mut self,
        (slot, db, now_ms): (u16, usize, u64),
        words: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        let from = self.words.len();
        put_words_count(&mut self.words, words.len());
        words.for_each(|word| put_word(&mut self.words, word));
        self.items.push(Pending { slot, db: db as u8, now_ms, from, to: self.words.len() });
    }

    pub(crate) fn items(&self) -> &[Pending] {
        &self.items
    }

    /// The words of an item, as a record holds them.
    pub(crate) fn words(&self, item: &Pending) -> &[u8] {
        &self.words[item.from..item.to]
    }

    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.words.clear();
        if self.words.capacity() > KEPT_BYTES_MAX {
            self.words = Vec::new();
        }
    }
}
