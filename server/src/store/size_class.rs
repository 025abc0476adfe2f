//! The allocator's size classes, so that an entry can use the whole block it was given.

/// The size that jemalloc really hands out for a request of `size` bytes (its default classes: multiples of 16 up to
/// 128, then four classes per doubling).
///
/// Entries always ask for exactly a class size. So the size of an entry's block follows from the entry's lengths, a
/// value may grow or shrink in place within its class, and any other allocator works too.
#[must_use]
pub(crate) const fn round_up(size: usize) -> usize {
    if size <= 8 {
        return 8;
    }
    if size <= 128 {
        return (size + 15) & !15;
    }
    let doubling = usize::BITS - (size - 1).leading_zeros() - 1;
    let step = 1usize << (doubling - 2);
    (size + step - 1) & !(step - 1)
}

#[cfg(test)]
mod tests {
    use super::round_up;

    #[test]
    fn sizes_round_to_the_classes_of_jemalloc() {
        for (size, class) in [
            (1, 8),
            (9, 16),
            (88, 96),
            (128, 128),
            (129, 160),
            (160, 160),
            (161, 192),
            (256, 256),
            (257, 320),
            (4097, 5120),
        ] {
            assert_eq!(round_up(size), class, "for {size}");
        }
    }

    #[test]
    fn a_class_rounds_to_itself() {
        for size in 1..20_000 {
            let class = round_up(size);
            assert!(class >= size);
            assert_eq!(round_up(class), class);
        }
    }
}
