//! Keyspace events as messages: see [Keyspace notifications](https://valkey.io/topics/notifications/).

use super::channels::Channels;
use crate::store::observer::EventClass;

/// Publishes an event to the kinds of channel that `enabled` names.
pub(super) fn publish(channels: &Channels, enabled: EventClass, class: EventClass, event: &str, db: usize, key: &[u8]) {
    if !enabled.intersects(class) || !channels.has_listeners() {
        return;
    }
    if enabled.contains(EventClass::KEYSPACE) {
        channels.publish(&channel_name(b"__keyspace@", db, key), event.as_bytes());
    }
    if enabled.contains(EventClass::KEYEVENT) {
        channels.publish(&channel_name(b"__keyevent@", db, event.as_bytes()), key);
    }
}

fn channel_name(prefix: &[u8], db: usize, about: &[u8]) -> Vec<u8> {
    let mut number = itoa::Buffer::new();
    [prefix, number.format(db).as_bytes(), b"__:", about].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_names_the_database_and_what_it_is_about() {
        assert_eq!(channel_name(b"__keyspace@", 9, b"k"), b"__keyspace@9__:k");
    }
}
