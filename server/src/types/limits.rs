//! The thresholds at which compact collections become indexed ones.

/// How large a collection may grow before it leaves its compact encoding.
///
/// The fields carry the names of the configuration parameters they come from, and the same defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodingLimits {
    /// Most fields of a packed hash.
    pub hash_max_listpack_entries: usize,
    /// Longest field or value of a packed hash, in bytes.
    pub hash_max_listpack_value: usize,
    /// Most members of an integer set.
    pub set_max_intset_entries: usize,
    /// Most members of a packed set.
    pub set_max_listpack_entries: usize,
    /// Longest member of a packed set, in bytes.
    pub set_max_listpack_value: usize,
    /// Size of a list's chunks: positive = elements, negative = a class of bytes (-1 = 4 KiB … -5 = 64 KiB).
    pub list_max_listpack_size: i32,
    /// Most members of a packed sorted set.
    pub zset_max_listpack_entries: usize,
    /// Longest member of a packed sorted set, in bytes.
    pub zset_max_listpack_value: usize,
}

impl Default for EncodingLimits {
    fn default() -> Self {
        Self {
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            list_max_listpack_size: -2,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
        }
    }
}

impl EncodingLimits {
    /// What one chunk of a list may hold under `list_max_listpack_size`.
    ///
    /// Zero counts as one element, and classes below -5 count as -5.
    #[must_use]
    pub fn list_chunk(&self) -> ChunkLimit {
        match self.list_max_listpack_size {
            size if size >= 0 => ChunkLimit {
                max_bytes: COUNTED_CHUNK_MAX_BYTES,
                max_count: usize::try_from(size).unwrap_or(usize::MAX).max(1),
            },
            class => {
                let level = class.unsigned_abs().min(5) - 1;
                ChunkLimit { max_bytes: 4096 << level, max_count: usize::MAX }
            }
        }
    }
}

/// Chunks that are limited by their number of elements still stay below this size, so that an edit moves few bytes.
const COUNTED_CHUNK_MAX_BYTES: usize = 8192;

/// What one chunk of a list may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimit {
    /// Most bytes, the chunk's own header included.
    pub max_bytes: usize,
    /// Most elements.
    pub max_count: usize,
}

impl ChunkLimit {
    /// Whether a chunk of this size and count is within the limit.
    #[must_use]
    pub fn admits(&self, bytes: usize, count: usize) -> bool {
        bytes <= self.max_bytes && count <= self.max_count
    }

    /// The stricter limit below which a list that shrank becomes compact again: half, so that a list that grows and
    /// shrinks around the limit does not convert at every step.
    #[must_use]
    pub fn halved(&self) -> Self {
        Self { max_bytes: self.max_bytes / 2, max_count: self.max_count / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk_of(list_max_listpack_size: i32) -> ChunkLimit {
        EncodingLimits { list_max_listpack_size, ..EncodingLimits::default() }.list_chunk()
    }

    #[test]
    fn negative_list_sizes_are_classes_of_bytes() {
        assert_eq!(chunk_of(-1).max_bytes, 4096);
        assert_eq!(chunk_of(-2).max_bytes, 8192);
        assert_eq!(chunk_of(-5).max_bytes, 65536);
        assert_eq!(chunk_of(i32::MIN).max_bytes, 65536);
    }

    #[test]
    fn a_list_size_of_zero_counts_as_one_element() {
        assert_eq!(chunk_of(0).max_count, 1);
        assert_eq!(chunk_of(3).max_count, 3);
    }
}
