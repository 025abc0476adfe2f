//! Opening a connection to a node.

use std::{
    io,
    mem::{Discriminant, discriminant},
    net::SocketAddr,
    time::Duration,
};

use rondache_protocol::bus::{
    frame::{self, HEADER_LEN, Header},
    hello::{Dialer, HELLO_LEN_MAX, HelloError, Local, Peer, Purpose, Refusal, Step},
    identity::Identity,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    control::{Answer, QUESTION_KIND, Question, to_frame},
    credentials,
    listener::MessageReader,
};

/// How long the system may take to connect.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(1);
/// How long a handshake may take, both sides' thinking included.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(2);

/// How long the answer to a question may take.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The system could not connect.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke during the handshake.
    #[error("the connection broke during the handshake: {0}")]
    Broken(#[from] io::Error),
    /// The peer takes too long.
    #[error("no answer in time")]
    Timeout,
    /// One side refuses the other.
    #[error(transparent)]
    Hello(#[from] HelloError),
}

impl DialError {
    /// Whether it is a matter of moments: one of both sides is about to join.
    #[must_use]
    pub fn is_of_joining(&self) -> bool {
        matches!(
            self,
            Self::Hello(
                HelloError::Refused(Refusal::NoCluster | Refusal::UnknownIdentity)
                    | HelloError::Refusing(Refusal::NoCluster | Refusal::UnknownIdentity)
            )
        )
    }

    /// Which of both sides' refusals it is, whatever that says beyond its kind; `None`: it is none.
    #[must_use]
    pub fn refusal_kind(&self) -> Option<Discriminant<Refusal>> {
        match self {
            Self::Hello(HelloError::Refusing(refusal) | HelloError::Refused(refusal)) => Some(discriminant(refusal)),
            _ => None,
        }
    }

    /// Whether this proves that the expected node is not at that address: nothing listens there, or another node does.
    #[must_use]
    pub fn proves_absence(&self) -> bool {
        match self {
            Self::Connect(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            Self::Hello(HelloError::Refusing(refusal)) => matches!(refusal, Refusal::OtherIdentity { .. }),
            _ => false,
        }
    }
}

/// Connects and shakes hands: the connection is then the purpose's, and nothing of it has been read ahead. Only `expected`
/// is accepted at the other end, if given.
///
/// # Errors
/// There is nobody, or the wrong one, or one side refuses the other.
pub async fn dial(
    addr: SocketAddr,
    local: Local,
    purpose: Purpose,
    expected: Option<Identity>,
) -> Result<(TcpStream, Peer), DialError> {
    let connected = timeout(CONNECT_DEADLINE, TcpStream::connect(addr)).await.map_err(|_| DialError::Timeout)?;
    let mut stream = connected.map_err(DialError::Connect)?;
    // Not worth failing over.
    let _ = stream.set_nodelay(true);
    let (mut dialer, hello) = Dialer::start(local, purpose, expected, credentials::nonce());
    let shaken = timeout(HELLO_DEADLINE, async {
        stream.write_all(&hello).await?;
        run(&mut stream, |frame| dialer.on_frame(frame)).await
    });
    let (peer, rest) = shaken.await.map_err(|_| DialError::Timeout)??;
    stream.write_all(&rest).await?;
    Ok((stream, peer))
}

/// Asks one question on a connection of its own.
///
/// # Errors
/// There is no connection, or no answer.
pub async fn ask(
    addr: SocketAddr,
    local: Local,
    expected: Option<Identity>,
    question: &Question,
) -> Result<(Peer, Answer), DialError> {
    let (mut stream, peer) = dial(addr, local, Purpose::Ask, expected).await?;
    let answered = timeout(ANSWER_DEADLINE, async {
        let frame = to_frame(QUESTION_KIND, question).map_err(io::Error::other)?;
        stream.write_all(&frame).await?;
        match MessageReader::new(QUESTION_KIND).next(&mut stream).await? {
            Some(Some(answer)) => Ok(answer),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    });
    Ok((peer, answered.await.map_err(|_| DialError::Timeout)??))
}

/// Runs one side of a handshake to its end: the peer, and the bytes that it is still owed.
pub(super) async fn run(
    stream: &mut TcpStream,
    mut on_frame: impl FnMut(frame::Frame<'_>) -> Result<Step, HelloError>,
) -> Result<(Peer, Vec<u8>), DialError> {
    loop {
        let step = match read_frame(stream).await? {
            Some((header, payload)) => match header.check(&payload) {
                Ok(frame) => on_frame(frame),
                Err(_) => Err(HelloError::Refusing(Refusal::NotRondache)),
            },
            None => Err(HelloError::Refusing(Refusal::NotRondache)),
        };
        match step {
            Ok(Step::Send(bytes)) => stream.write_all(&bytes).await?,
            Ok(Step::Done(peer, bytes)) => return Ok((peer, bytes)),
            Err(error) => {
                if let HelloError::Refusing(refusal) = &error {
                    refuse(stream, refusal).await;
                }
                return Err(error.into());
            }
        }
    }
}

/// Tells the peer why it is refused, if it still listens.
pub(super) async fn refuse(stream: &mut TcpStream, refusal: &Refusal) {
    let _ = stream.write_all(&refusal.to_frame()).await;
    let _ = stream.shutdown().await;
}

/// Reads exactly one frame, so that nothing is taken from whoever gets the connection next. `None`: it is no frame of a
/// handshake.
async fn read_frame(stream: &mut TcpStream) -> io::Result<Option<(Header, Vec<u8>)>> {
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).await?;
    let Ok(header) = Header::decode(&header, HELLO_LEN_MAX) else {
        return Ok(None);
    };
    let mut payload = vec![0; header.len];
    stream.read_exact(&mut payload).await?;
    Ok(Some((header, payload)))
}
