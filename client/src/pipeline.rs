//! Commands that are sent together.

use std::time::Instant;

use rondache_protocol::resp::value::Value;

use crate::{Client, Cmd, convert::FromValue, error::ClientError, trace};

/// Commands that are sent together: those for one node in one go, to all nodes at once. The replies come in the order of
/// the commands. Nothing is atomic; use [`Client::transaction`] for that.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
/// # let node = rondache_server::node::Node::start(settings)?;
/// # let client = rondache_client::Client::builder().seeds([node.addr().to_string()]).build().await?;
/// use rondache_client::Cmd;
///
/// let mut pipeline = client.pipeline();
/// pipeline.add(Cmd::new("SET").arg("a").arg(1));
/// pipeline.add(Cmd::new("INCR").arg("a"));
/// let (set, count): (String, i64) = pipeline.query().await?;
/// assert_eq!((set.as_str(), count), ("OK", 2));
/// # Ok(()) }
/// ```
#[must_use = "a pipeline is sent by `execute` or `query`"]
pub struct Pipeline {
    client: Client,
    cmds: Vec<Cmd>,
}

impl Pipeline {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, cmds: Vec::new() }
    }

    /// Adds a command.
    pub fn add(&mut self, cmd: Cmd) -> &mut Self {
        self.cmds.push(cmd);
        self
    }

    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cmds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cmds.is_empty()
    }

    /// Sends the commands and answers each one's own result. What is safe to repeat is repeated within the deadline;
    /// a command that is repeated may come behind later ones of this pipeline.
    pub async fn execute(&self) -> Vec<Result<Value, ClientError>> {
        let started = Instant::now();
        let (inner, deadline) = (&self.client.inner, started + self.client.deadline);
        if trace::is_on() {
            let work = inner.execute_batch(&self.cmds, started, deadline);
            return Box::pin(trace::pipeline(self.cmds.len(), work)).await;
        }
        inner.execute_batch(&self.cmds, started, deadline).await
    }

    /// Sends the commands and converts all replies together: into a tuple, a `Vec`, ….
    ///
    /// # Errors
    /// The first command's error, if one failed; the others may have been executed.
    pub async fn query<T: FromValue>(&self) -> Result<T, ClientError> {
        let replies: Result<Vec<Value>, ClientError> = self.execute().await.into_iter().collect();
        Ok(T::from_value(Value::Array(replies?))?)
    }
}
