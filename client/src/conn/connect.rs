//! Connecting and greeting.

use rondache_protocol::resp::{decoder::ReplyDecoder, value::Value};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    Cmd,
    config::{LinkConfig, seed::Seed},
    error::{LinkError, ServerError},
};

/// A stream of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A greeted connection, and what was read beyond the greeting's replies.
pub(crate) struct Greeted<S> {
    pub(crate) stream: S,
    pub(crate) decoder: ReplyDecoder,
    pub(crate) rest: Vec<u8>,
}

/// A connection that is made: in the clear, or by TLS.
pub(crate) enum Connected {
    Plain(Greeted<TcpStream>),
    #[cfg(feature = "tls")]
    Tls(Box<Greeted<tokio_rustls::client::TlsStream<TcpStream>>>),
}

/// Connects, within the link's `connect_timeout` in all.
pub(crate) async fn connect(addr: &Seed, link: &LinkConfig) -> Result<Connected, LinkError> {
    let limit = link.connect_timeout;
    timeout(limit, connect_untimed(addr, link)).await.unwrap_or(Err(LinkError::ConnectTimeout(limit)))
}

async fn connect_untimed(addr: &Seed, link: &LinkConfig) -> Result<Connected, LinkError> {
    let stream = TcpStream::connect((&*addr.host, addr.port)).await?;
    // Requests are gathered here; the system must not wait for more.
    stream.set_nodelay(true)?;
    #[cfg(feature = "tls")]
    if link.tls {
        let stream = super::tls::wrap(addr, link, stream).await?;
        return greet(stream, link).await.map(|greeted| Connected::Tls(Box::new(greeted)));
    }
    greet(stream, link).await.map(Connected::Plain)
}

/// Sends the greeting in one write, and checks its replies.
async fn greet<S: Stream>(mut stream: S, link: &LinkConfig) -> Result<Greeted<S>, LinkError> {
    let greeting = greeting(link);
    let mut out = Vec::new();
    greeting.iter().for_each(|(cmd, _)| cmd.encode_to(&mut out));
    stream.write_all(&out).await?;
    let mut decoder = ReplyDecoder::new(link.limits.clone());
    let mut rest = Vec::new();
    for (_, must_succeed) in &greeting {
        let reply = read_reply(&mut stream, &mut decoder, &mut rest).await?;
        match reply.as_error() {
            Some(text) if *must_succeed => return Err(LinkError::Refused(ServerError::parse(text))),
            _ => {}
        }
    }
    Ok(Greeted { stream, decoder, rest })
}

/// The commands that begin a connection, and whether it fails with them.
fn greeting(link: &LinkConfig) -> Vec<(Cmd, bool)> {
    let mut hello = Cmd::new("HELLO").arg(3);
    if let Some(password) = &link.password {
        hello = hello.arg("AUTH").arg(link.username.as_deref().unwrap_or("default")).arg(password);
    }
    if let Some(name) = &link.name {
        hello = hello.arg("SETNAME").arg(name);
    }
    let info = |what: &str, value: &str| Cmd::new("CLIENT").arg("SETINFO").arg(what).arg(value);
    let mut commands = vec![
        (hello, true),
        // For CLIENT LIST only; a server that doesn't know it is no worse.
        (info("LIB-NAME", "rondache-client"), false),
        (info("LIB-VER", env!("CARGO_PKG_VERSION")), false),
        // To be told when slots move; servers that don't know it leave it to redirections.
        (Cmd::new("CLIENT").arg("CAPA").arg("topology"), false),
    ];
    if link.db != 0 {
        commands.push((Cmd::new("SELECT").arg(link.db), true));
    }
    if link.reads_copies {
        // A server without a cluster refuses it, and has no copies either.
        commands.push((Cmd::new("READONLY"), false));
    }
    for observer in &link.observers {
        commands.extend(observer.greeting().into_iter().map(|cmd| (cmd, true)));
    }
    commands
}

/// Reads one reply; push messages before it are dropped.
async fn read_reply<S: Stream>(
    stream: &mut S,
    decoder: &mut ReplyDecoder,
    rest: &mut Vec<u8>,
) -> Result<Value, LinkError> {
    const READ_LEN: usize = 4096;
    loop {
        let decoded = decoder.decode(rest)?;
        rest.drain(..decoded.consumed);
        match decoded.value {
            Some(Value::Push(_)) => continue,
            Some(value) => return Ok(value),
            None => {}
        }
        let mut chunk = [0; READ_LEN];
        match stream.read(&mut chunk).await? {
            0 => return Err(LinkError::ClosedByPeer),
            len => rest.extend_from_slice(chunk.get(..len).unwrap_or_default()),
        }
    }
}
