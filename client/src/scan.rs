//! Walking keys, fields and members as a stream.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use futures_core::Stream;
use rondache_protocol::resp::value::Value;

use crate::{
    Bytes, Client, Cmd, ToArg,
    call::settled,
    conn::{Outcome, Payload, refusal_error, request_error},
    convert::{ConvertError, FromValue},
    error::ClientError,
    topology::Link,
};

/// A walk over keys, fields or members. What is there during the whole walk is met at least once; what comes or goes
/// meanwhile may be met or not; something may be met twice.
///
/// An error ends nothing: the next poll asks for the same page again.
#[must_use = "a walk does nothing unless it is polled"]
pub struct Scan<T> {
    found: VecDeque<T>,
    state: State<T>,
}

/// A page on its way, and the walk behind it.
type Step<T> = Pin<Box<dyn Future<Output = (Box<Walk>, Result<Vec<T>, ClientError>)> + Send>>;

enum State<T> {
    Idle(Box<Walk>),
    Running(Step<T>),
    Done,
}

/// Where a walk stands.
struct Walk {
    client: Client,
    name: &'static str,
    key: Option<Vec<u8>>,
    options: Vec<Vec<u8>>,
    cursor: Bytes,
    /// Where a node knows its own keys only: the nodes that are left, the current one first.
    nodes: Option<VecDeque<Arc<Link>>>,
    ended: bool,
}

impl Client {
    /// Walks the keys that match a pattern (`*` for all) on all nodes; `count` is how many to look at in one go.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
    /// # let node = rondache_server::node::Node::start(settings)?;
    /// # let client = rondache_client::Client::builder().seeds([node.addr().to_string()]).build().await?;
    /// use tokio_stream::StreamExt;
    ///
    /// client.mset([("user:1", "Ann"), ("user:2", "Ben"), ("other", "x")]).await?;
    /// let mut keys: Vec<String> = client.scan("user:*", 100).collect::<Result<_, _>>().await?;
    /// keys.sort();
    /// assert_eq!(keys, ["user:1", "user:2"]);
    /// # Ok(()) }
    /// ```
    pub fn scan<T: FromValue>(&self, pattern: impl ToArg, count: u64) -> Scan<T> {
        let topology = self.inner.topology();
        // A node of Rondache walks the whole cluster; others walk what they own.
        let own_keys_only = topology.is_cluster && !topology.entries_forward;
        let nodes = own_keys_only.then(|| topology.all_owners().into());
        self.walk("SCAN", None, pattern, count, nodes)
    }

    /// Walks the fields of a hash with their values: `T` is a pair.
    pub fn hscan<T: FromValue>(&self, key: impl ToArg, pattern: impl ToArg, count: u64) -> Scan<T> {
        self.walk("HSCAN", Some(argument(key)), pattern, count, None)
    }

    /// Walks the members of a set.
    pub fn sscan<T: FromValue>(&self, key: impl ToArg, pattern: impl ToArg, count: u64) -> Scan<T> {
        self.walk("SSCAN", Some(argument(key)), pattern, count, None)
    }

    /// Walks the members of a sorted set with their scores: `T` is a pair.
    pub fn zscan<T: FromValue>(&self, key: impl ToArg, pattern: impl ToArg, count: u64) -> Scan<T> {
        self.walk("ZSCAN", Some(argument(key)), pattern, count, None)
    }

    fn walk<T>(
        &self,
        name: &'static str,
        key: Option<Vec<u8>>,
        pattern: impl ToArg,
        count: u64,
        nodes: Option<VecDeque<Arc<Link>>>,
    ) -> Scan<T> {
        let pattern = argument(pattern);
        let mut options = Vec::new();
        if pattern != b"*" {
            options.extend([b"MATCH".to_vec(), pattern]);
        }
        options.extend([b"COUNT".to_vec(), argument(count.max(1))]);
        let ended = nodes.as_ref().is_some_and(VecDeque::is_empty);
        let cursor = Bytes::from_static(b"0");
        let walk = Walk { client: self.clone(), name, key, options, cursor, nodes, ended };
        Scan { found: VecDeque::new(), state: State::Idle(Box::new(walk)) }
    }
}

fn argument(arg: impl ToArg) -> Vec<u8> {
    Cmd::new("SCAN").arg(arg).get(1).unwrap_or_default().to_vec()
}

impl Walk {
    async fn page<T: FromValue>(&mut self) -> Result<Vec<T>, ClientError> {
        let cmd = Cmd::new(self.name).optional(self.key.as_ref()).arg(&self.cursor).args(&self.options);
        let reply = match self.nodes.as_ref().map(|nodes| nodes.front().cloned()) {
            None => self.client.cmd(cmd).await?,
            Some(Some(node)) => self.ask(&node, &cmd).await?,
            Some(None) => Value::Null,
        };
        let Value::Array(parts) = reply else {
            return Err(ConvertError::new("page of a walk", &reply).into());
        };
        let [cursor, found] =
            <[Value; 2]>::try_from(parts).map_err(|parts| ConvertError::new("page of a walk", &Value::Array(parts)))?;
        self.cursor = Bytes::from_value(cursor)?;
        if &self.cursor[..] == b"0" {
            let left = self.nodes.as_mut().is_some_and(|nodes| {
                nodes.pop_front();
                !nodes.is_empty()
            });
            self.ended = !left;
        }
        Ok(Vec::from_value(found)?)
    }

    async fn ask(&self, node: &Link, cmd: &Cmd) -> Result<Value, ClientError> {
        let now = Instant::now();
        let until = now + self.client.deadline;
        match self.client.inner.send(node, Payload::One(cmd), until).await {
            Ok(Outcome::One(value)) => settled(value),
            Ok(Outcome::Many(_)) => Err(ClientError::Closed),
            Ok(Outcome::Failed(failure)) => Err(request_error(&node.name(), &failure, self.client.deadline)),
            Err(refusal) => Err(refusal_error(&node.name(), refusal)),
        }
    }
}

impl<T: FromValue + Send + 'static> Scan<T> {
    /// The next key, field or member; `None` at the end. For those who don't use the stream.
    pub async fn next_item(&mut self) -> Option<Result<T, ClientError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

// The walk and its future are boxed; what was found is only moved.
impl<T> Unpin for Scan<T> {}

impl<T: FromValue + Send + 'static> Stream for Scan<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Poll::Ready(Some(Ok(found)));
            }
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Poll::Ready(None),
                State::Idle(walk) if walk.ended => return Poll::Ready(None),
                State::Idle(mut walk) => {
                    self.state = State::Running(Box::pin(async move {
                        let page = walk.page().await;
                        (walk, page)
                    }));
                }
                State::Running(mut running) => match running.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Running(running);
                        return Poll::Pending;
                    }
                    Poll::Ready((walk, page)) => {
                        self.state = State::Idle(walk);
                        match page {
                            Ok(found) => self.found.extend(found),
                            Err(error) => return Poll::Ready(Some(Err(error))),
                        }
                    }
                },
            }
        }
    }
}
