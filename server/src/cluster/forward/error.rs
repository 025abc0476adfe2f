//! Why a request for another node's slot got no reply from there, and what its client reads.

use crate::command::CommandError;

/// A forwarded request's failure. The text's first word is the code that clients dispatch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardFailure {
    /// The owner could not be reached until the deadline. Nothing was executed.
    #[error("CLUSTERDOWN The node that owns this slot could not be reached in time; nothing was executed")]
    Unreachable,
    /// The slot had no owner, or a changing one, until the deadline. Nothing was executed.
    #[error("TRYAGAIN The slot was changing its owner for too long; nothing was executed")]
    BetweenOwners,
    /// The slot's owner is dead, and nothing is taken over without a majority. Nothing was executed. It begins with the words of
    /// Redis Cluster.
    #[error(
        "CLUSTERDOWN Hash slot not served: the node that owns it is dead, and none takes it over, since this node sees no \
         majority of the members, and partition-policy is 'majority'; nothing was executed"
    )]
    Down,
    /// So much waits for owners already that no more is taken. Nothing was executed.
    #[error("TRYAGAIN Too many requests wait for slots that are changing their owners; nothing was executed")]
    TooManyWait,
    /// The request was sent, and no reply came.
    #[error(
        "UNKNOWN The outcome of this command is not known: its slot's owner went away or did not answer in time, so the \
         command may or may not have been executed"
    )]
    OutcomeUnknown,
    /// It was executed, and too few copies have confirmed that they have it.
    #[error(
        "UNKNOWN The command was executed, but fewer copies than write-acks asks for confirmed it in time: it is lost if its \
         slot's owner dies before they have it"
    )]
    Unconfirmed,
    /// The slot had fewer copies than `write-acks` until the deadline. Nothing was executed.
    #[error(
        "NOREPLICAS Not enough good replicas to write: fewer are in sync than write-acks asks for, and no other was in time; \
         nothing was executed"
    )]
    TooFewCopies,
    /// The request is longer than what nodes send each other.
    #[error("ERR the request is too long to be forwarded to the node that owns its slot")]
    TooLong,
}

impl ForwardFailure {
    /// Whether the same request may be sent again without being executed twice.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::BetweenOwners | Self::Down | Self::TooManyWait | Self::TooFewCopies)
    }
}

impl From<ForwardFailure> for CommandError {
    fn from(failure: ForwardFailure) -> Self {
        Self::Other(failure.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_tells_whether_something_may_have_been_executed() {
        let code = |failure: ForwardFailure| CommandError::from(failure).code().into_owned();
        assert_eq!(code(ForwardFailure::Unreachable), "CLUSTERDOWN");
        assert_eq!(code(ForwardFailure::BetweenOwners), "TRYAGAIN");
        assert_eq!(code(ForwardFailure::Down), "CLUSTERDOWN");
        assert!(ForwardFailure::Down.is_retryable());
        assert_eq!(code(ForwardFailure::OutcomeUnknown), "UNKNOWN");
        assert!(!ForwardFailure::OutcomeUnknown.is_retryable());
    }
}
