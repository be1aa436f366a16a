/*! Connections: a stream in, chunks and commands as messages.

Each connection has two tasks, one that reads and one that writes, so that a
peer that neither reads nor speaks cannot stop the player. They end with the
stream or when the player drops its half.
*/

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sip::net::Control;
use sip::net::fault::{Fault, Faulty, Switch};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use trace::Conn;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is up.
pub struct Link {
    /// Its bytes.
    pub stream: Box<dyn Stream>,
    /// `tcp`, `tls 1.3 …`, `memory`.
    pub transport: String,
    /// Address of the client side, `host:port`.
    pub client: String,
    /// Address of the server side.
    pub server: String,
    /// The hold on the socket, for faults that end it without ceremony.
    pub control: Control,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.transport, self.client, self.server)
    }
}

/// Why a connection could not be had: always the environment's fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError(pub String);

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LinkError {}

/// What an asynchronous method of an interface gives.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Opens connections to a server under test.
pub trait Connector: Send + Sync {
    /// One more connection; has its own time limit.
    fn connect(&self) -> Later<'_, Result<Link, LinkError>>;
}

/// Takes connections of a client under test.
pub trait Listener: Send {
    /// The next one.
    fn accept(&mut self) -> Later<'_, Result<Link, LinkError>>;
}

/// What a connection tells the player.
#[derive(Debug)]
pub enum Input {
    /// Bytes arrived.
    Bytes(Conn, Vec<u8>),
    /// The peer closed, or the stream broke; in words.
    End(Conn, String),
    /// A client under test connected.
    Accepted(Link),
    /// A client tried to connect and failed; in words.
    Refused(String),
    /// A driver answered the action of this name.
    Answer(String, Box<peer::driver::Response>),
}

/// What the player tells a connection.
#[derive(Debug)]
pub enum Output {
    /// Writes bytes, in pieces of that size.
    Write(Vec<u8>, Option<usize>),
    /// The network does this from here on.
    Network(Vec<Fault>),
    /// Closes the stream.
    Close,
}

/// Longest a write may take before the connection counts as stuck.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// Starts the tasks of a connection.
pub fn start(
    conn: Conn,
    stream: Box<dyn Stream>,
    control: Control,
    inputs: mpsc::UnboundedSender<Input>,
) -> mpsc::UnboundedSender<Output> {
    let network = Switch::default();
    let stream = Faulty::switched(Box::new(stream), Some(control), network.clone());
    let (mut read, mut write) = tokio::io::split(stream);
    let (outputs, mut wanted) = mpsc::unbounded_channel();
    let trouble = inputs.clone();
    let reader = tokio::spawn(async move {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match read.read(&mut buffer).await {
                Ok(0) => {
                    let _ = inputs.send(Input::End(conn, "end of stream".to_owned()));
                    return;
                }
                Ok(n) => {
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    if inputs.send(Input::Bytes(conn, bytes)).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = inputs.send(Input::End(conn, words(&error)));
                    return;
                }
            }
        }
    });
    tokio::spawn(async move {
        while let Some(output) = wanted.recv().await {
            let (bytes, piece) = match output {
                Output::Write(bytes, piece) => (bytes, piece),
                Output::Network(faults) => {
                    network.set(faults);
                    continue;
                }
                Output::Close => break,
            };
            let piece = piece.unwrap_or(bytes.len()).max(1);
            let all = async {
                for part in bytes.chunks(piece) {
                    write.write_all(part).await?;
                    write.flush().await?;
                }
                Ok::<(), std::io::Error>(())
            };
            match tokio::time::timeout(WRITE_LIMIT, all).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let _ = trouble.send(Input::End(conn, words(&error)));
                    break;
                }
                Err(_) => {
                    let _ = trouble.send(Input::End(conn, "the peer reads no more".to_owned()));
                    break;
                }
            }
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), write.shutdown()).await;
        reader.abort();
    });
    outputs
}

fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => "reset".to_owned(),
        std::io::ErrorKind::UnexpectedEof => "end of stream without TLS close".to_owned(),
        _ => error.to_string(),
    }
}
