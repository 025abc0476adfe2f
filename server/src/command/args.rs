//! A command's arguments: views of the bytes that the client sent.

use rondache_protocol::resp::request::ArgRange;

use super::error::CommandError;
use crate::util::number;

/// The arguments of one command; index 0 is its name.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    buf: &'a [u8],
    ranges: &'a [ArgRange],
}

impl<'a> Args<'a> {
    /// The arguments that stand at `ranges` in `buf`.
    #[inline]
    #[must_use]
    pub const fn new(buf: &'a [u8], ranges: &'a [ArgRange]) -> Self {
        Self { buf, ranges }
    }

    /// How many there are, the name included.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a command has at least its name")]
    pub const fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The argument at `index`; empty behind the last (arity was checked before a handler runs).
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.ranges.get(index).map_or(&[], |range| range.of(self.buf))
    }

    /// The arguments from `index` on.
    pub fn from(
        &self,
        index: usize,
    ) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone + use<'a> {
        let buf = self.buf;
        self.ranges.get(index..).unwrap_or_default().iter().map(move |range| range.of(buf))
    }

    /// Whether the argument at `index` is `word`, in any case.
    #[must_use]
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.get(index).eq_ignore_ascii_case(word.as_bytes())
    }

    /// The argument as a 64-bit integer.
    ///
    /// # Errors
    /// [`CommandError::NotInteger`]
    pub fn integer(&self, index: usize) -> Result<i64, CommandError> {
        number::parse_i64(self.get(index)).ok_or(CommandError::NotInteger)
    }

    /// The argument as an integer whose magnitude counts, and whose sign says how: all but the one without a negative.
    ///
    /// # Errors
    /// [`CommandError::NotInteger`], or out of range.
    pub fn signed_count(&self, index: usize) -> Result<i64, CommandError> {
        let count = self.integer(index)?;
        if count == i64::MIN {
            return Err(CommandError::coded(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ));
        }
        Ok(count)
    }

    /// The argument as an integer from `min` on; whatever else it is gets `refusal`, a whole error text.
    ///
    /// # Errors
    /// The refusal.
    pub fn integer_from(&self, index: usize, min: i64, refusal: &'static str) -> Result<i64, CommandError> {
        number::parse_i64(self.get(index)).filter(|&value| value >= min).ok_or(CommandError::coded(refusal))
    }

    /// The argument as a float.
    ///
    /// # Errors
    /// [`CommandError::NotFloat`]
    pub fn float(&self, index: usize) -> Result<f64, CommandError> {
        number::parse_f64(self.get(index)).ok_or(CommandError::NotFloat)
    }

    /// The arguments as owned bytes: one buffer and its ranges.
    #[must_use]
    pub fn to_owned(&self) -> OwnedArgs {
        let mut buf = Vec::with_capacity(self.from(0).map(<[u8]>::len).sum());
        let ranges = self
            .from(0)
            .map(|arg| {
                let start = buf.len() as u32;
                buf.extend_from_slice(arg);
                ArgRange { start, end: buf.len() as u32 }
            })
            .collect();
        OwnedArgs { buf: buf.into(), ranges }
    }
}

/// Arguments that outlive the read buffer: queued in a transaction, or of a blocked client.
#[derive(Clone, Debug)]
pub struct OwnedArgs {
    buf: Box<[u8]>,
    ranges: Box<[ArgRange]>,
}

impl OwnedArgs {
    /// Arguments from separate byte strings.
    pub fn from_parts<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Self {
        let mut buf = Vec::new();
        let ranges = parts
            .into_iter()
            .map(|part| {
                let start = buf.len() as u32;
                buf.extend_from_slice(part.as_ref());
                ArgRange { start, end: buf.len() as u32 }
            })
            .collect();
        Self { buf: buf.into(), ranges }
    }

    /// The arguments as a handler takes them.
    #[must_use]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.buf, &self.ranges)
    }

    /// Heap bytes held.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.buf.len() + size_of_val(&*self.ranges)
    }
}
