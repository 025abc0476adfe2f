use std::time::Duration;

use super::{BusyLimit, ClientError, LinkError, ServerError, ServerErrorKind};

#[test]
fn a_redirection_is_read_with_slot_and_address() {
    let error = ServerError::parse(b"MOVED 3999 127.0.0.1:7002");
    assert_eq!(error.kind(), &ServerErrorKind::Moved { slot: 3999, addr: "127.0.0.1:7002".into() });
    assert_eq!(error.code(), "MOVED");
}

#[test]
fn a_malformed_redirection_is_an_ordinary_error() {
    for text in ["MOVED", "MOVED x 1.2.3.4:5", "MOVED 16384 1.2.3.4:5", "MOVED 1", "MOVED 1 nowhere", "ASK 1"] {
        let error = ServerError::parse(text.as_bytes());
        assert_eq!(error.kind(), &ServerErrorKind::Other, "{text}");
        assert!(!error.is_retry_safe());
    }
}

#[test]
fn an_error_of_no_utf8_is_still_readable() {
    let error = ServerError::parse(b"ERR \xff");
    assert_eq!(error.code(), "ERR");
    assert_eq!(error.text(), "ERR \u{fffd}");
}

#[test]
fn only_what_was_certainly_not_executed_is_safe_to_retry() {
    let node: std::sync::Arc<str> = "n".into();
    let timeout = |sent| ClientError::Timeout { node: node.clone(), sent, after: Duration::from_secs(1) };
    let not_sent = |reason| ClientError::NotSent { node: node.clone(), reason };
    let server = |text: &str| ClientError::Server(ServerError::parse(text.as_bytes()));
    let cases = [
        (timeout(true), false),
        (timeout(false), true),
        (not_sent(LinkError::ClosedByPeer), true),
        (not_sent(LinkError::Refused(ServerError::parse(b"WRONGPASS no"))), false),
        (ClientError::MaybeExecuted { node: node.clone(), reason: LinkError::ClosedByPeer }, false),
        (ClientError::Busy { node: node.clone(), limit: BusyLimit::InFlight(1) }, true),
        (server("TRYAGAIN x"), true),
        (server("CLUSTERDOWN x"), true),
        (server("LOADING x"), true),
        (server("WRONGTYPE x"), false),
        (server("ERR outcome unknown"), false),
    ];
    for (error, safe) in cases {
        assert_eq!(error.is_retry_safe(), safe, "{error}");
        assert!(!(safe && error.may_have_executed()), "{error}");
    }
}
