//! The two ends of a list.

use super::super::{CommandError, args::Args};
use crate::types::{limits::EncodingLimits, list::List};

/// Where a list is pushed to or popped from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Head,
    Tail,
}

impl End {
    /// `LEFT` or `RIGHT`.
    pub(super) fn parse(args: &Args<'_>, index: usize) -> Result<Self, CommandError> {
        if args.is(index, "LEFT") {
            Ok(End::Head)
        } else if args.is(index, "RIGHT") {
            Ok(End::Tail)
        } else {
            Err(CommandError::Syntax)
        }
    }

    /// The word that [`End::parse`] reads.
    pub(super) const fn word(self) -> &'static [u8] {
        match self {
            End::Head => b"LEFT",
            End::Tail => b"RIGHT",
        }
    }

    /// The event of a push, which is also the command that does it.
    pub(super) const fn push_event(self) -> &'static str {
        match self {
            End::Head => "lpush",
            End::Tail => "rpush",
        }
    }

    /// The event of a pop, which is also the command that does it.
    pub(super) const fn pop_event(self) -> &'static str {
        match self {
            End::Head => "lpop",
            End::Tail => "rpop",
        }
    }

    #[inline]
    pub(super) fn push(self, list: &mut List, value: &[u8], limits: &EncodingLimits) {
        match self {
            End::Head => list.push_front(value, limits),
            End::Tail => list.push_back(value, limits),
        }
    }

    pub(super) fn drop_from(self, list: &mut List, count: usize, limits: &EncodingLimits) {
        match self {
            End::Head => list.drop_front(count, limits),
            End::Tail => list.drop_back(count, limits),
        }
    }

    pub(super) fn first(self, list: &List) -> Option<&[u8]> {
        match self {
            End::Head => list.front(),
            End::Tail => list.back(),
        }
    }
}
