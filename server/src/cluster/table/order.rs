//! Which of two rows of a slot wins.

use std::cmp::Ordering;

use rondache_protocol::bus::identity::Identity;

use super::{
    super::plane::{Claim, Row},
    COPIES_MAX,
};

/// The fields that decide, the weightiest first.
///
/// The claim comes before the epoch: a node that was cut off may count as many owners as it likes, and still its rows
/// yield to one firm takeover. Only the owner makes versions within its epoch, so the copies never decide in practice;
/// they stand here so that two rows that differ are never equal.
fn rank(row: &Row) -> (Claim, u64, Identity, u32, &[Identity]) {
    (row.claim, row.epoch, row.owner, row.version, &row.copies)
}

/// The total order of a slot's rows: the greatest wins.
#[must_use]
pub fn compare(left: &Row, right: &Row) -> Ordering {
    rank(left).cmp(&rank(right))
}

/// Whether `row` wins over `other`. A row does not win over itself.
#[must_use]
pub fn supersedes(row: &Row, other: &Row) -> bool {
    compare(row, other) == Ordering::Greater
}

/// Whether a row is one that a node may have made: a real epoch, few copies, none of them twice or the owner's.
#[must_use]
pub fn is_sound(row: &Row) -> bool {
    let is_new = |(at, copy): (usize, &Identity)| *copy != row.owner && !row.copies[..at].contains(copy);
    row.epoch > 0 && row.copies.len() <= COPIES_MAX && row.copies.iter().enumerate().all(is_new)
}
