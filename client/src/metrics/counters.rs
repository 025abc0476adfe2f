//! Groups of counters, and their values at one moment.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Defines a group of counters together with its snapshot, and how to walk the snapshot by name. Each counter is named
/// and documented in one place.
macro_rules! counters {
    ($(#[$about:meta])* $group:ident => $snapshot:ident { $($(#[doc = $doc:literal])* $name:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Default)]
        pub(crate) struct $group { $(pub(crate) $name: $crate::metrics::counters::Counter,)* }

        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $snapshot { $($(#[doc = $doc])* pub $name: u64,)* }

        impl $group {
            pub(crate) fn snapshot(&self) -> $snapshot {
                $snapshot { $($name: self.$name.get(),)* }
            }
        }

        impl $snapshot {
            /// Each counter's name, what it counts, and its value.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
                [$((stringify!($name), concat!($($doc),*).trim_ascii_start(), self.$name),)*].into_iter()
            }
        }
    };
}

pub(crate) use counters;

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro defines public types")]
mod tests {
    counters! {
        /// Two counters.
        Group => Snapshot {
            /// The first.
            one,
            /// The second.
            two,
        }
    }

    #[test]
    fn a_snapshot_names_and_explains_each_counter() {
        let group = Group::default();
        group.two.add(3);
        let listed: Vec<_> = group.snapshot().iter().collect();
        assert_eq!(listed, [("one", "The first.", 0), ("two", "The second.", 3)]);
    }
}
