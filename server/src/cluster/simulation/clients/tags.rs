//! Keys of given slots.

use std::sync::OnceLock;

use rondache_protocol::slot::slot_of;

/// Slots that any simulation has at most.
const TAGGED: usize = 64;

/// One key tag for each of the first slots.
pub(in crate::cluster::simulation) fn tag_of(slot: u16) -> &'static str {
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    let tags = TAGS.get_or_init(|| {
        let mut tags: Vec<Option<String>> = vec![None; TAGGED];
        for number in 0_u32.. {
            let tag = format!("{{{number}}}");
            if let Some(place @ None) = tags.get_mut(usize::from(slot_of(tag.as_bytes()))) {
                *place = Some(tag);
                if tags.iter().all(Option::is_some) {
                    break;
                }
            }
        }
        tags.into_iter().flatten().collect()
    });
    &tags[usize::from(slot)]
}
