//! A `tracing` span for every call, pipeline and transaction, at the level `DEBUG`.
//!
//! | field | of | what |
//! |---|---|---|
//! | `command`, `family` | `call` | the command's name, and its family in the command table |
//! | `commands` | `pipeline`, `transaction` | how many they are |
//! | `node` | all | the nodes that it was sent to, each once, in order |
//! | `attempts` | all | how often something was sent: redirections, retries, hedges and the parts of a split command count |
//! | `outcome` | all | `ok`, the error's text, or `cancelled` if the caller stopped waiting |
//!
//! Keys and values are in none of them. Where nobody listens to this level, a call looks twice at a number and does
//! nothing else.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use tracing::{Instrument, Level, Span, debug_span, field::Empty};

use crate::{ClientError, Cmd, topology::Link};

tokio::task_local! {
    /// The call that the running task is busy with.
    static CALL: Arc<Progress>;
}

/// What a call has been through.
#[derive(Default)]
struct Progress {
    attempts: AtomicU32,
    /// Few: a list is searched faster than a set.
    nodes: Mutex<Vec<Arc<str>>>,
}

/// Whether somebody listens.
#[inline]
pub(crate) fn is_on() -> bool {
    tracing::span_enabled!(Level::DEBUG)
}

/// Something is about to be sent to a node.
#[inline]
pub(crate) fn attempt(link: &Link) {
    if is_on() {
        note_attempt(link.name());
    }
}

#[cold]
fn note_attempt(node: Arc<str>) {
    // Without a call it is the client's own business: it learns the topology.
    let _ = CALL.try_with(|call| {
        call.attempts.fetch_add(1, Ordering::Relaxed);
        let mut nodes = call.nodes.lock();
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    });
}

/// Runs a call in a span of its own.
pub(crate) async fn call<T>(cmd: &Cmd, work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    let command = String::from_utf8_lossy(cmd.name()).to_ascii_uppercase();
    let family = cmd.group().map_or("other", |group| group.name());
    let span = debug_span!("call", command, family, node = Empty, attempts = Empty, outcome = Empty);
    within(span, work, |result, ending| ending.told(result.as_ref().err())).await
}

/// Runs a transaction in a span of its own.
pub(crate) async fn transaction<T>(
    commands: usize,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let span = debug_span!("transaction", commands, node = Empty, attempts = Empty, outcome = Empty);
    within(span, work, |result, ending| ending.told(result.as_ref().err())).await
}

/// Runs a pipeline in a span of its own. Its outcome is that of the first command that failed.
pub(crate) async fn pipeline<T>(
    commands: usize,
    work: impl Future<Output = Vec<Result<T, ClientError>>>,
) -> Vec<Result<T, ClientError>> {
    let span = debug_span!("pipeline", commands, node = Empty, attempts = Empty, outcome = Empty);
    within(span, work, |results, ending| ending.told(results.iter().find_map(|result| result.as_ref().err()))).await
}

async fn within<T>(span: Span, work: impl Future<Output = T>, judge: impl FnOnce(&T, &mut Ending)) -> T {
    let progress = Arc::<Progress>::default();
    let mut ending = Ending { span: span.clone(), progress: progress.clone(), is_told: false };
    let result = CALL.scope(progress, work).instrument(span).await;
    judge(&result, &mut ending);
    result
}

/// Completes the span, whichever way the call ends.
struct Ending {
    span: Span,
    progress: Arc<Progress>,
    is_told: bool,
}

impl Ending {
    fn told(&mut self, error: Option<&ClientError>) {
        self.is_told = true;
        match error {
            None => self.span.record("outcome", "ok"),
            Some(error) => self.span.record("outcome", tracing::field::display(error)),
        };
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_told {
            self.span.record("outcome", "cancelled");
        }
        self.span.record("attempts", self.progress.attempts.load(Ordering::Relaxed));
        self.span.record("node", tracing::field::display(Nodes(&self.progress.nodes.lock())));
    }
}

/// Names with commas between them.
struct Nodes<'a>(&'a [Arc<str>]);

impl fmt::Display for Nodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}
