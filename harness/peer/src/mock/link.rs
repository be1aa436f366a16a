/*! One connection: bytes in, frames out; messages in, bytes out.

Two tasks a connection. The reader frames what arrives and hands it over; it
waits while the hub is busy, so a flood fills the peer's own buffers. The
writer takes messages from a queue of fixed length; a peer that does not read
fills its queue and is cut off, and nobody else notices. Byte faults happen
here. Neither knows what the bytes mean.
*/

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sip::{Blank, Frame, Framer, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use trace::{Conn, Seat};

use super::fault::Faults;

/// Messages that may wait for a peer that does not read.
const QUEUE: usize = 4096;

/// Bytes that may wait for it.
const HELD: usize = 16 << 20;

/// How long half a message may stay unfinished.
const UNFINISHED: Duration = Duration::from_secs(30);

/// How long writing may stand still, and closing may take.
const STUCK: Duration = Duration::from_secs(30);

/// What arrives from connections.
#[derive(Debug)]
pub enum Arrival {
    /// A whole message, a keep-alive, or why there will be none.
    Frame(Conn, Frame),
    /// The connection is down.
    Down(Conn, Option<Seat>, String),
}

/// The hub's end of a connection's queue; dropping it ends the connection once all is written.
pub struct Outgoing {
    to: mpsc::Sender<Vec<u8>>,
    held: Arc<AtomicUsize>,
}

/// The writer's end.
pub struct Waiting {
    from: mpsc::Receiver<Vec<u8>>,
    held: Arc<AtomicUsize>,
}

/// A queue for one connection.
pub fn queue() -> (Outgoing, Waiting) {
    let (to, from) = mpsc::channel(QUEUE);
    let held = Arc::new(AtomicUsize::new(0));
    let waiting = Waiting {
        from,
        held: Arc::clone(&held),
    };
    (Outgoing { to, held }, waiting)
}

impl Outgoing {
    /// Queues a message; the error says why the connection has to end.
    pub fn put(&self, bytes: Vec<u8>) -> Result<(), &'static str> {
        let n = bytes.len();
        if self.held.load(Ordering::Relaxed) + n > HELD {
            return Err(SLOW);
        }
        self.held.fetch_add(n, Ordering::Relaxed);
        self.to.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SLOW,
            mpsc::error::TrySendError::Closed(_) => "the connection cannot be written to any more",
        })
    }
}

const SLOW: &str = "the peer does not read what is sent to it";

impl Waiting {
    async fn next(&mut self) -> Option<Vec<u8>> {
        let bytes = self.from.recv().await?;
        self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
    }

    /// What waits besides.
    fn more(&mut self) -> Option<Vec<u8>> {
        let bytes = self.from.try_recv().ok()?;
        self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
    }
}

/// Reads until the stream ends or `stop` says so, then reports why.
pub async fn read<S, T>(
    conn: Conn,
    mut stream: S,
    to: mpsc::Sender<T>,
    faults: Faults,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + Unpin,
    T: From<Arrival>,
{
    let mut framer = Framer::new(Limits::default(), Blank::Pings);
    let mut buffer = vec![0; 4096];
    let (by, how) = loop {
        let half = framer.pending() > 0;
        let read = async {
            if half {
                timeout(UNFINISHED, stream.read(&mut buffer)).await.ok()
            } else {
                Some(stream.read(&mut buffer).await)
            }
        };
        let read = tokio::select! {
            read = read => read,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match read {
            None => {
                let what = framer.waiting_for();
                let frame = framer.finish();
                if forward(conn, frame, &to).await.is_err() {
                    return;
                }
                break (
                    None,
                    format!("time limit: the peer fell silent before {what}"),
                );
            }
            Some(Ok(0)) => {
                let frame = framer.finish();
                if forward(conn, frame, &to).await.is_err() {
                    return;
                }
                break (Some(Seat::Client), "end of stream".to_owned());
            }
            Some(Ok(n)) => {
                framer.push(&buffer[..n]);
                while let Some(frame) = framer.next() {
                    let broken = matches!(frame, Frame::Error(_));
                    if forward(conn, Some(frame), &to).await.is_err() {
                        return;
                    }
                    if broken {
                        // The hub closes; what still comes is not ours to read.
                        let _ = stop.wait_for(|stop| *stop).await;
                        return;
                    }
                }
                if let Some(rate) = faults.slow_reader {
                    sleep(Duration::from_secs_f64(n as f64 / rate as f64)).await;
                }
            }
            Some(Err(error)) => {
                let frame = framer.finish();
                if forward(conn, frame, &to).await.is_err() {
                    return;
                }
                break match error.kind() {
                    // A TLS peer that is gone without close notify.
                    std::io::ErrorKind::UnexpectedEof => (
                        Some(Seat::Client),
                        "end of stream without close notify".to_owned(),
                    ),
                    std::io::ErrorKind::ConnectionReset => (Some(Seat::Client), "reset".to_owned()),
                    _ => (None, error.to_string()),
                };
            }
        }
    };
    let _ = to.send(T::from(Arrival::Down(conn, by, how))).await;
}

async fn forward<T: From<Arrival>>(
    conn: Conn,
    frame: Option<Frame>,
    to: &mpsc::Sender<T>,
) -> Result<(), ()> {
    match frame {
        Some(frame) => to
            .send(T::from(Arrival::Frame(conn, frame)))
            .await
            .map_err(|_| ()),
        None => Ok(()),
    }
}

/// Writes until the queue's sender is dropped or the stream fails, then closes the stream.
pub async fn write<S: AsyncWrite + Unpin>(mut stream: S, mut queue: Waiting, faults: Faults) {
    let mut sent = Sent::default();
    while let Some(mut bytes) = queue.next().await {
        sent.messages += 1;
        if faults.coalesce {
            while let Some(more) = queue.more() {
                sent.messages += 1;
                bytes.extend(more);
            }
        } else if faults.is_none() {
            // One record for what already waits: a fan-out is many small messages.
            while bytes.len() < 16 * 1024 {
                let Some(more) = queue.more() else { break };
                sent.messages += 1;
                bytes.extend(more);
            }
        }
        match put(&mut stream, &bytes, &faults, &mut sent).await {
            Ok(()) => {}
            Err(End::Clean) => break,
            Err(End::Abrupt) => return,
        }
        if faults.reset.is_some_and(|after| sent.messages >= after) {
            return;
        }
    }
    if !faults.no_close_notify {
        let _ = timeout(STUCK, stream.shutdown()).await;
    }
}

#[derive(Default)]
struct Sent {
    messages: u64,
    bytes: u64,
}

enum End {
    Clean,
    Abrupt,
}

async fn put<S: AsyncWrite + Unpin>(
    stream: &mut S,
    bytes: &[u8],
    faults: &Faults,
    sent: &mut Sent,
) -> Result<(), End> {
    let room = faults.truncate.map_or(usize::MAX, |t| {
        usize::try_from(t.saturating_sub(sent.bytes)).unwrap_or(usize::MAX)
    });
    let cut = bytes.len() > room;
    let bytes = &bytes[..bytes.len().min(room)];
    let slice = faults.fragment.unwrap_or(usize::MAX);
    for piece in bytes.chunks(slice.min(bytes.len().max(1))) {
        let done = timeout(STUCK, async {
            stream.write_all(piece).await?;
            stream.flush().await
        })
        .await;
        match done {
            Ok(Ok(())) => sent.bytes += piece.len() as u64,
            // Gone, or standing still: the reader tells how it ended.
            _ => return Err(End::Abrupt),
        }
        if let Some(rate) = faults.slow {
            sleep(Duration::from_secs_f64(piece.len() as f64 / rate as f64)).await;
        }
    }
    if cut { Err(End::Clean) } else { Ok(()) }
}
