//! A node in the same process: commands for its keys need no network.

use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};

use crate::{Cmd, client::Inner};

/// A node in this process. `rondache_server`'s `RunningNode::local` is made for it; this crate knows no server.
///
/// Any closure of the same form is one:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use rondache_client::Client;
/// # use rondache_server::{config::settings::Settings, node::Node};
/// # let settings = Settings { listen: vec!["127.0.0.1:0".parse()?], threads: 1, ..Default::default() };
/// let node = Node::start(settings)?;
/// let local = node.local();
/// let client = Client::builder()
///     .seed(node.addr().to_string())
///     .local(move |name: &[u8], request: &[u8], reply: &mut Vec<u8>| local.execute(name, request, reply))
///     .build()
///     .await?;
/// client.set("greeting", "hello").await?; // in this thread, if the node owns the key
/// assert_eq!(client.get::<String>("greeting").await?, "hello");
/// # Ok(()) }
/// ```
pub trait LocalExecutor: Send + Sync {
    /// Executes a command: its name as it was given, and the whole request as it would be sent; the reply in RESP3 is
    /// appended. `false`: it was not executed, and is to be sent to a node.
    fn execute(&self, name: &[u8], request: &[u8], reply: &mut Vec<u8>) -> bool;
}

impl<F: Fn(&[u8], &[u8], &mut Vec<u8>) -> bool + Send + Sync> LocalExecutor for F {
    fn execute(&self, name: &[u8], request: &[u8], reply: &mut Vec<u8>) -> bool {
        self(name, request, reply)
    }
}

impl Inner {
    /// The reply of a command that the node in this process has executed, if there is one and it has.
    pub(crate) fn execute_locally(&self, cmd: &Cmd) -> Option<Value> {
        let local = self.config.local.as_ref()?;
        if self.is_closed() {
            return None;
        }
        let mut request = Vec::new();
        cmd.encode_to(&mut request);
        let mut reply = Vec::new();
        if !local.execute(cmd.name(), &request, &mut reply) {
            return None;
        }
        let decoded = ReplyDecoder::new(self.config.link.limits.clone()).decode(&reply);
        let value = decoded.ok().and_then(|decoded| decoded.value);
        // It was executed: to send it again would be wrong.
        Some(
            value.unwrap_or_else(|| Value::Error(bytes::Bytes::from_static(b"ERR the local node gave no whole reply"))),
        )
    }
}
