//! Keyspace events as messages: see [Keyspace notifications](https://valkey.io/topics/notifications/).

use crate::store::observer::EventClass;

/// Sends an event to the kinds of channel that `enabled` names: `send` gets channel and message.
pub(super) fn publish(
    enabled: EventClass,
    class: EventClass,
    event: &str,
    db: usize,
    key: &[u8],
    send: impl Fn(&[u8], &[u8]),
) {
    if !enabled.intersects(class) {
        return;
    }
    if enabled.contains(EventClass::KEYSPACE) {
        send(&channel_name(b"__keyspace@", db, key), event.as_bytes());
    }
    if enabled.contains(EventClass::KEYEVENT) {
        send(&channel_name(b"__keyevent@", db, event.as_bytes()), key);
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
