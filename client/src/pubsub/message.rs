//! What subscribers get.

use rondache_protocol::resp::value::Value;

use crate::Bytes;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel it was published to.
    pub channel: Bytes,
    /// The pattern that the channel matches, if that is what was subscribed to.
    pub pattern: Option<Bytes>,
    /// What was published.
    pub payload: Bytes,
}

/// What happens on a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// A message came.
    Message(Message),
    /// The connection was lost, and there is a new one: messages in between are lost.
    Resubscribed,
}

/// What a push message means to a subscription.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    Message(Message),
    Subscribed,
    Unsubscribed(Bytes),
    Other,
}

impl Push {
    pub(super) fn read(message: Vec<Value>) -> Self {
        let mut parts = message.into_iter();
        let mut next = || match parts.next() {
            Some(Value::Bulk(text) | Value::Simple(text)) => Some(text),
            _ => None,
        };
        let Some(kind) = next() else {
            return Self::Other;
        };
        match &kind[..] {
            b"message" | b"smessage" => match (next(), next()) {
                (Some(channel), Some(payload)) => Self::Message(Message { channel, pattern: None, payload }),
                _ => Self::Other,
            },
            b"pmessage" => match (next(), next(), next()) {
                (pattern @ Some(_), Some(channel), Some(payload)) => {
                    Self::Message(Message { channel, pattern, payload })
                }
                _ => Self::Other,
            },
            b"subscribe" | b"psubscribe" | b"ssubscribe" => Self::Subscribed,
            b"unsubscribe" | b"punsubscribe" | b"sunsubscribe" => Self::Unsubscribed(next().unwrap_or_default()),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Push};
    use crate::Bytes;
    use rondache_protocol::resp::value::Value;

    fn read(parts: &[&'static str]) -> Push {
        Push::read(parts.iter().map(|part| Value::Bulk(Bytes::from_static(part.as_bytes()))).collect())
    }

    #[test]
    fn messages_of_all_kinds_are_read() {
        let message = |pattern: Option<&'static str>| {
            let pattern = pattern.map(Bytes::from);
            Push::Message(Message { channel: Bytes::from("c"), pattern, payload: Bytes::from("p") })
        };
        assert_eq!(read(&["message", "c", "p"]), message(None));
        assert_eq!(read(&["smessage", "c", "p"]), message(None));
        assert_eq!(read(&["pmessage", "*", "c", "p"]), message(Some("*")));
        assert_eq!(read(&["subscribe", "c"]), Push::Subscribed);
        assert_eq!(read(&["sunsubscribe", "c"]), Push::Unsubscribed(Bytes::from("c")));
    }

    #[test]
    fn malformed_messages_are_nothing() {
        for parts in [&[][..], &["message"], &["message", "c"], &["pmessage", "*", "c"], &["invalidate", "k"]] {
            assert_eq!(read(parts), Push::Other);
        }
        assert_eq!(Push::read(vec![Value::Integer(1)]), Push::Other);
    }
}
