//! A scripted node: it answers each command as a test says, well or badly.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rondache_client::{Client, ClientBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What to do about a command.
pub(crate) enum Act {
    /// Send this.
    Reply(String),
    /// Send this, then close the connection.
    ReplyAndClose(String),
    /// Close the connection.
    Close,
    /// Send this after a while; what came behind waits as well.
    Delayed(Duration, String),
    /// Answer nothing.
    Ignore,
}

impl Act {
    pub(crate) fn reply(text: impl Into<String>) -> Self {
        Self::Reply(text.into())
    }
}

/// A listening node that ends with the value: nobody can connect any more, and its connections are closed.
pub(crate) struct MockNode {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
    asked: Arc<AtomicUsize>,
    greetings: Arc<Mutex<Vec<String>>>,
}

type Script = Arc<dyn Fn(&[String]) -> Act + Send + Sync>;

impl MockNode {
    /// Starts a node that answers the greeting well, CLUSTER SLOTS with an error, and the rest as the script says.
    pub(crate) async fn start(script: impl Fn(&[String]) -> Act + Send + Sync + 'static) -> Self {
        Self::serve(listen().await, script)
    }

    /// As [`MockNode::start`], on a socket that listens already, so that scripts can know addresses.
    pub(crate) fn serve(listener: TcpListener, script: impl Fn(&[String]) -> Act + Send + Sync + 'static) -> Self {
        let addr = listener.local_addr().expect("it listens");
        let asked = Arc::new(AtomicUsize::new(0));
        let greetings = Arc::<Mutex<Vec<String>>>::default();
        let (script, count): (Script, _) = (Arc::new(script), asked.clone());
        let heard = greetings.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, script.clone(), count.clone(), heard.clone()));
            }
        });
        Self { addr, task, asked, greetings }
    }

    /// Commands so far, the greeting and CLUSTER left out.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How often connections began with this command.
    pub(crate) fn greeted_with(&self, name: &str) -> usize {
        self.greetings.lock().iter().filter(|known| *known == name).count()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().seed(self.addr.to_string())
    }
}

impl Drop for MockNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

/// CLUSTER SLOTS: all slots belong to one node.
pub(crate) fn all_slots_at(addr: SocketAddr) -> String {
    format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{}\r\n$2\r\nid\r\n", addr.port())
}

/// Whether a request is of this command.
pub(crate) fn is(words: &[String], name: &str) -> bool {
    words.first().is_some_and(|word| word.eq_ignore_ascii_case(name))
}

async fn converse(mut stream: TcpStream, script: Script, asked: Arc<AtomicUsize>, greetings: Arc<Mutex<Vec<String>>>) {
    let mut buf = Vec::new();
    loop {
        while let Some((words, len)) = parse(&buf) {
            buf.drain(..len);
            let act = match words.first().map(|word| word.to_ascii_uppercase()).as_deref() {
                Some("HELLO") => Act::reply("%1\r\n+proto\r\n:3\r\n"),
                Some("CLIENT") => Act::reply("+OK\r\n"),
                Some("READONLY") => {
                    greetings.lock().push("READONLY".to_owned());
                    Act::reply("+OK\r\n")
                }
                Some("CLUSTER") => match script(&words) {
                    Act::Ignore => Act::reply("-ERR This instance has cluster support disabled\r\n"),
                    act => act,
                },
                _ => {
                    asked.fetch_add(1, Ordering::SeqCst);
                    script(&words)
                }
            };
            let (text, ends) = match act {
                Act::Reply(text) => (text, false),
                Act::ReplyAndClose(text) => (text, true),
                Act::Delayed(delay, text) => {
                    // No wait of the test's: this node is slow by its script.
                    tokio::time::sleep_until(tokio::time::Instant::now() + delay).await;
                    (text, false)
                }
                Act::Close => (String::new(), true),
                Act::Ignore => continue,
            };
            if stream.write_all(text.as_bytes()).await.is_err() || ends {
                return;
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(len @ 1..) => buf.extend_from_slice(&chunk[..len]),
            _ => return,
        }
    }
}

/// The first command of a buffer, and its length, if it is complete.
fn parse(buf: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let number = |at: &mut usize| -> Option<usize> {
        let rest = &buf[*at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let number = std::str::from_utf8(&rest[1..end]).ok()?.parse().ok()?;
        *at += end + 2;
        Some(number)
    };
    let count = number(&mut at)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let len = number(&mut at)?;
        let word = buf.get(at..at + len)?;
        words.push(String::from_utf8_lossy(word).into_owned());
        at += len + 2;
    }
    (at <= buf.len()).then_some((words, at))
}
