//! MULTI on one slot.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::time::sleep;

use crate::{
    Client, Cmd,
    attempts::{Attempts, Repeatable},
    call::settled,
    client::Inner,
    cmd::Routing,
    conn::{Outcome, Payload, refusal_error, request_error},
    convert::{ConvertError, FromValue},
    error::{ClientError, RequestError, ServerErrorKind},
    topology::Link,
    trace,
};

/// Commands that are executed together, with nothing between them. All keys must share a slot. A command that fails
/// when it is executed doesn't undo the others.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let settings = rondache_server::config::settings::Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
/// # let node = rondache_server::node::Node::start(settings)?;
/// # let client = rondache_client::Client::builder().seeds([node.addr().to_string()]).build().await?;
/// use rondache_client::Cmd;
///
/// let mut transaction = client.transaction();
/// transaction.add(Cmd::new("INCR").arg("{user7}.visits"));
/// transaction.add(Cmd::new("SET").arg("{user7}.seen").arg("today"));
/// let (visits, _): (i64, String) = transaction.query().await?;
/// assert_eq!(visits, 1);
/// # Ok(()) }
/// ```
#[must_use = "a transaction is sent by `execute` or `query`"]
pub struct Transaction {
    client: Client,
    cmds: Vec<Cmd>,
}

impl Client {
    /// Begins a transaction: commands of one slot that are executed together.
    pub fn transaction(&self) -> Transaction {
        Transaction { client: self.clone(), cmds: Vec::new() }
    }
}

impl Transaction {
    /// Adds a command.
    pub fn add(&mut self, cmd: Cmd) -> &mut Self {
        self.cmds.push(cmd);
        self
    }

    /// Executes the commands and answers each one's own result.
    ///
    /// # Errors
    /// [`RequestError::CrossSlot`] if the keys are in several slots. `EXECABORT`, with the reason, if a command was refused
    /// before anything was executed. Any other [`ClientError`]: nothing was executed unless
    /// [`may_have_executed`](ClientError::may_have_executed) says so.
    pub async fn execute(&self) -> Result<Vec<Result<Value, ClientError>>, ClientError> {
        if self.cmds.is_empty() {
            return Ok(Vec::new());
        }
        let (inner, deadline) = (&self.client.inner, Instant::now() + self.client.deadline);
        let replies = if trace::is_on() {
            Box::pin(trace::transaction(self.cmds.len(), inner.execute_transaction(&self.cmds, deadline))).await?
        } else {
            inner.execute_transaction(&self.cmds, deadline).await?
        };
        Ok(replies.into_iter().map(settled).collect())
    }

    /// Executes the commands and converts all replies together: into a tuple, a `Vec`, ….
    ///
    /// # Errors
    /// As [`execute`](Self::execute); and the first command's error, if one failed when it was executed.
    pub async fn query<T: FromValue>(&self) -> Result<T, ClientError> {
        let replies: Result<Vec<Value>, ClientError> = self.execute().await?.into_iter().collect();
        Ok(T::from_value(Value::Array(replies?))?)
    }
}

/// The commands as a whole.
struct Whole<'a>(&'a [Cmd]);

impl Repeatable for Whole<'_> {
    fn may_repeat(&self) -> bool {
        self.0.iter().all(Cmd::is_idempotent)
    }
}

impl Inner {
    async fn execute_transaction(self: &Arc<Self>, cmds: &[Cmd], deadline: Instant) -> Result<Vec<Value>, ClientError> {
        let slot = self.common_slot(cmds)?;
        let (multi, exec) = (Cmd::new("MULTI"), Cmd::new("EXEC"));
        let all: Vec<&Cmd> = [&multi].into_iter().chain(cmds).chain([&exec]).collect();
        let mut attempts = Attempts::default();
        self.retry_budget.deposit();
        loop {
            if self.is_closed() {
                return Err(ClientError::Closed);
            }
            let target = self.with_topology(|topology| attempts.target(topology, slot));
            let link: Arc<Link> = target.ok_or(ClientError::Closed)?;
            let now = Instant::now();
            let error = match self.send(&link, Payload::Transaction(&all), deadline).await {
                Ok(Outcome::Many(replies)) => match executed(replies) {
                    Ok(replies) => return Ok(replies),
                    Err(error) => error,
                },
                Ok(Outcome::One(value)) => return Err(ConvertError::new("transaction's reply", &value).into()),
                Ok(Outcome::Failed(failure)) => request_error(&link.name(), &failure, now.elapsed()),
                Err(refusal) => refusal_error(&link.name(), refusal),
            };
            let pause = attempts.judge(self, &Whole(cmds), slot, &link, error.clone())?;
            if Instant::now() + pause >= deadline {
                return Err(attempts.last(error));
            }
            if pause > Duration::ZERO {
                sleep(pause).await;
            }
        }
    }

    fn common_slot(&self, cmds: &[Cmd]) -> Result<Option<u16>, ClientError> {
        let mut common = None;
        for cmd in cmds {
            self.check_len(cmd)?;
            cmd.check_shareable()?;
            match cmd.routing()? {
                Routing::Any => {}
                Routing::Slot(slot) if *common.get_or_insert(slot) == slot => {}
                Routing::Slot(_) | Routing::Split => return Err(RequestError::CrossSlot("a transaction".into()).into()),
            }
        }
        Ok(common)
    }
}

/// The replies of the commands; if they were not executed, why not.
fn executed(mut replies: Vec<Value>) -> Result<Vec<Value>, ClientError> {
    let exec = replies.pop().unwrap_or(Value::Null);
    match settled(exec) {
        Ok(Value::Array(values)) => Ok(values),
        Ok(other) => Err(ConvertError::new("transaction's reply", &other).into()),
        Err(ClientError::Server(aborted)) => {
            // What made the node refuse tells more than that it refused, and whether trying again makes sense.
            let reason = replies.into_iter().find_map(|reply| settled(reply).err());
            match reason {
                Some(reason) if aborted.kind() == &ServerErrorKind::ExecAborted => Err(reason),
                _ => Err(ClientError::Server(aborted)),
            }
        }
        Err(error) => Err(error),
    }
}
