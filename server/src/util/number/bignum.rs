//! Just enough arbitrary-precision arithmetic to convert decimals exactly.

use std::cmp::Ordering;

/// An unsigned integer of any size: 32-bit limbs, lowest first, without leading zero limbs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bignum(Vec<u32>);

impl Bignum {
    pub(super) fn from_u64(value: u64) -> Self {
        let mut number = Self(vec![value as u32, (value >> 32) as u32]);
        number.trim();
        number
    }

    /// Reads ASCII digits; the caller has checked that they are digits.
    pub(super) fn from_decimal(digits: &[u8]) -> Self {
        let mut number = Self::default();
        for chunk in digits.chunks(9) {
            let value = chunk.iter().fold(0u32, |value, digit| value * 10 + u32::from(digit.wrapping_sub(b'0')));
            number.multiply_add(10u32.pow(chunk.len() as u32), value);
        }
        number
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Position of the highest set bit plus one; 0 for zero.
    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |&top| self.0.len() * 32 - top.leading_zeros() as usize)
    }

    /// `self = self × factor + addend`.
    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
        self.trim();
    }

    pub(super) fn multiply_by_power_of_ten(&mut self, mut power: usize) {
        while power >= 9 {
            self.multiply_add(1_000_000_000, 0);
            power -= 9;
        }
        self.multiply_add(10u32.pow(power as u32), 0);
    }

    pub(super) fn shift_left(&mut self, count: usize) {
        if self.is_zero() || count == 0 {
            return;
        }
        let (limbs, bits) = (count / 32, count % 32);
        if bits != 0 {
            self.multiply_add(1 << bits, 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, limbs));
    }

    /// Drops the lowest `count` bits and tells whether any of them was set.
    pub(super) fn shift_right(&mut self, count: usize) -> bool {
        let (limbs, bits) = (count / 32, count % 32);
        let dropped = self.0.drain(..limbs.min(self.0.len())).any(|limb| limb != 0);
        if bits == 0 {
            return dropped;
        }
        let mut above = 0u32;
        for limb in self.0.iter_mut().rev() {
            let low = *limb << (32 - bits);
            *limb = (*limb >> bits) | above;
            above = low;
        }
        self.trim();
        dropped || above != 0
    }

    fn subtract(&mut self, other: &Self) {
        debug_assert!(self.compare(other) != Ordering::Less, "a Bignum is never negative");
        let mut borrow = 0i64;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let difference = i64::from(*limb) - i64::from(other.0.get(index).copied().unwrap_or(0)) + borrow;
            *limb = difference as u32;
            borrow = difference >> 32;
        }
        self.trim();
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// The quotient, which must fit 128 bits, and whether the division left a remainder.
    pub(super) fn divide(mut self, divisor: &Self) -> (u128, bool) {
        let steps = (self.bits() + 1).saturating_sub(divisor.bits());
        debug_assert!(steps <= 128, "the quotient fits");
        let mut shifted = divisor.clone();
        shifted.shift_left(steps);
        let mut quotient = 0u128;
        for _ in 0..=steps {
            quotient <<= 1;
            if self.compare(&shifted) != Ordering::Less {
                self.subtract(&shifted);
                quotient |= 1;
            }
            shifted.shift_right(1);
        }
        (quotient, !self.is_zero())
    }

    /// The lowest 64 bits.
    #[cfg(test)]
    fn low_u64(&self) -> u64 {
        let limb = |index: usize| u64::from(self.0.get(index).copied().unwrap_or(0));
        limb(0) | (limb(1) << 32)
    }

    pub(super) fn is_odd(&self) -> bool {
        self.0.first().is_some_and(|limb| limb & 1 == 1)
    }

    pub(super) fn increment(&mut self) {
        self.multiply_add(1, 1);
    }

    /// Decimal digits, highest first, `0` for zero.
    pub(super) fn into_decimal(mut self) -> Vec<u8> {
        let mut reversed = Vec::new();
        while !self.is_zero() {
            let mut remainder = 0u64;
            for limb in self.0.iter_mut().rev() {
                let value = (remainder << 32) | u64::from(*limb);
                *limb = (value / 1_000_000_000) as u32;
                remainder = value % 1_000_000_000;
            }
            self.trim();
            for _ in 0..9 {
                reversed.push(b'0' + (remainder % 10) as u8);
                remainder /= 10;
            }
        }
        while reversed.last() == Some(&b'0') {
            reversed.pop();
        }
        if reversed.is_empty() {
            reversed.push(b'0');
        }
        reversed.reverse();
        reversed
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decimals_survive_the_round_trip(text in "[1-9][0-9]{0,80}") {
            let number = Bignum::from_decimal(text.as_bytes());
            prop_assert_eq!(String::from_utf8(number.into_decimal()).expect("digits"), text);
        }

        #[test]
        fn division_agrees_with_native_integers(a: u64, b in 1u64.., shift in 0usize..60) {
            let mut dividend = Bignum::from_u64(a);
            dividend.shift_left(shift);
            let wide = u128::from(a) << shift;
            let (quotient, inexact) = dividend.divide(&Bignum::from_u64(b));
            prop_assert_eq!(quotient, wide / u128::from(b));
            prop_assert_eq!(inexact, wide % u128::from(b) != 0);
        }

        #[test]
        fn shifting_right_undoes_shifting_left(a: u64, shift in 0usize..200) {
            let mut number = Bignum::from_u64(a);
            number.shift_left(shift);
            prop_assert!(!number.shift_right(shift));
            prop_assert_eq!(number.low_u64(), a);
        }
    }
}
