//! Sorted sets.
#[derive(Clone, Debug, Default)]
pub struct ZSet;
impl ZSet {
    pub fn len(&self) -> usize {
        0
    }
    pub fn memory_usage(&self) -> usize {
        0
    }
    pub fn encoding(&self) -> &'static str {
        ""
    }
}
