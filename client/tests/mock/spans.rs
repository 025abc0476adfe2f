//! The spans of calls, as a subscriber sees them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use parking_lot::Mutex;
use rondache_client::Cmd;
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer, Registry,
    filter::LevelFilter,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::node::{Act, MockNode, all_slots_at, is, listen};

/// A span that has ended: its name and fields.
#[derive(Clone, Debug, Default)]
struct Ended {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
}

impl Ended {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Ended {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Collects this crate's spans when they end.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Ended>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut begun = Ended { name: attributes.metadata().name(), ..Ended::default() };
        attributes.record(&mut begun);
        context.span(id).expect("a new span").extensions_mut().insert(begun);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("a span");
        if let Some(open) = span.extensions_mut().get_mut::<Ended>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("a span");
        if span.metadata().target().starts_with("rondache_client") {
            self.0.lock().extend(span.extensions().get::<Ended>().cloned());
        }
    }
}

impl Spans {
    /// Listens to this thread, where tests' calls run.
    fn listen(level: Level) -> (Self, DefaultGuard) {
        let spans = Self::default();
        let filtered = spans.clone().with_filter(LevelFilter::from_level(level));
        let guard = tracing::subscriber::set_default(Registry::default().with(filtered));
        (spans, guard)
    }

    fn take(&self) -> Vec<Ended> {
        std::mem::take(&mut *self.0.lock())
    }

    /// The one span that has ended.
    fn only(&self) -> Ended {
        let mut spans = self.take();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.remove(0)
    }
}

/// A node that answers as commands on one string would be answered, and never a BLPOP.
async fn node() -> MockNode {
    MockNode::start(|words| match words[0].as_str() {
        "SET" | "MULTI" => Act::reply("+OK\r\n"),
        "HSET" => Act::reply(":1\r\n"),
        "INCR" => Act::reply("-ERR value is not an integer or out of range\r\n"),
        "EXEC" => Act::reply("*1\r\n+OK\r\n"),
        _ => Act::Ignore,
    })
    .await
}

#[tokio::test]
async fn a_call_is_a_span_with_command_family_node_attempts_and_outcome() {
    let node = node().await;
    let client = node.builder().build().await.expect("a node");
    let (spans, _guard) = Spans::listen(Level::DEBUG);
    client.hset("a secret key", "field", "a secret value").await.expect("HSET");
    let span = spans.only();
    assert_eq!((span.name, span.field("command"), span.field("family")), ("call", "HSET", "hash"));
    assert_eq!((span.field("attempts"), span.field("outcome")), ("1", "ok"));
    assert_eq!(span.field("node"), node.addr.to_string());
    assert!(!format!("{span:?}").contains("secret"), "{span:?}");
}

#[tokio::test]
async fn a_redirection_is_an_attempt_more_at_another_node() {
    let (old, new) = (listen().await, listen().await);
    let (old_addr, new_addr) = (old.local_addr().expect("it listens"), new.local_addr().expect("it listens"));
    let old = MockNode::serve(old, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(all_slots_at(old_addr)),
        () => Act::reply(format!("-MOVED 12182 {new_addr}\r\n")),
    });
    let _new = MockNode::serve(new, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(all_slots_at(new_addr)),
        () => Act::reply("$1\r\nv\r\n"),
    });
    let client = old.builder().build().await.expect("a topology");
    let (spans, _guard) = Spans::listen(Level::DEBUG);
    assert_eq!(client.get::<String>("foo").await.expect("GET"), "v");
    let span = spans.only();
    assert_eq!((span.field("attempts"), span.field("outcome")), ("2", "ok"));
    assert_eq!(span.field("node"), format!("{old_addr},{new_addr}"));
}

#[tokio::test]
async fn the_outcome_of_a_failed_call_is_its_error() {
    let node = node().await;
    let client = node.builder().build().await.expect("a node");
    let (spans, _guard) = Spans::listen(Level::DEBUG);
    let error = client.incr("k").await.expect_err("no number");
    assert_eq!(spans.only().field("outcome"), error.to_string());
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_cancelled() {
    let node = node().await;
    let client = node.builder().build().await.expect("a node");
    let (spans, _guard) = Spans::listen(Level::DEBUG);
    let mut call = Box::pin(client.cmd(Cmd::new("BLPOP").arg("k").arg(0)));
    assert!(poll_once(&mut call).await.is_none());
    drop(call);
    let span = spans.only();
    assert_eq!((span.field("outcome"), span.field("attempts")), ("cancelled", "1"));
}

#[tokio::test]
async fn pipelines_and_transactions_are_one_span_each() {
    let node = node().await;
    let client = node.builder().build().await.expect("a node");
    let (spans, _guard) = Spans::listen(Level::DEBUG);
    let mut pipeline = client.pipeline();
    pipeline.add(Cmd::new("SET").arg("k").arg("text")).add(Cmd::new("INCR").arg("k"));
    pipeline.execute().await;
    let span = spans.only();
    assert_eq!((span.name, span.field("commands"), span.field("attempts")), ("pipeline", "2", "1"));
    assert!(span.field("outcome").contains("not an integer"), "{span:?}");
    let mut transaction = client.transaction();
    transaction.add(Cmd::new("SET").arg("k").arg("text"));
    transaction.execute().await.expect("EXEC");
    let span = spans.only();
    assert_eq!((span.name, span.field("commands"), span.field("outcome")), ("transaction", "1", "ok"));
}

#[tokio::test]
async fn above_the_level_debug_there_are_no_spans() {
    let node = node().await;
    let client = node.builder().build().await.expect("a node");
    let (spans, _guard) = Spans::listen(Level::INFO);
    client.set("k", "v").await.expect("SET");
    assert!(spans.take().is_empty());
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut *future).poll(context);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
