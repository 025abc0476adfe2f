//! Bits of strings.

use super::commands;
use crate::{Cmd, ToArg};

commands! {
    /// The bit at an offset.
    getbit(key: impl ToArg, offset: u64) -> bool = Cmd::new("GETBIT").arg(key).arg(offset);
    /// Sets the bit at an offset, and answers the one before.
    setbit(key: impl ToArg, offset: u64, bit: bool) -> bool =
        Cmd::new("SETBIT").arg(key).arg(offset).arg(u8::from(bit));
    /// How many bits are set.
    bitcount(key: impl ToArg) -> u64 = Cmd::new("BITCOUNT").arg(key);
    /// How many bits are set in the bytes from one place to another, both included; negative ones count from the end.
    bitcount_range(key: impl ToArg, start: i64, end: i64) -> u64 = Cmd::new("BITCOUNT").arg(key).arg(start).arg(end);
    /// The place of the first bit of that value; -1 if there is none.
    bitpos(key: impl ToArg, bit: bool) -> i64 = Cmd::new("BITPOS").arg(key).arg(u8::from(bit));
    /// Combines strings of one slot bit by bit with `AND`, `OR`, `XOR` or `NOT`, and answers the result's length.
    bitop(operation: &str, to: impl ToArg, keys: impl IntoIterator<Item = impl ToArg>) -> u64 =
        Cmd::new("BITOP").arg(operation).arg(to).args(keys);
}
