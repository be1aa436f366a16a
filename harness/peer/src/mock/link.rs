/*! One connection: frames in, messages out.

Two tasks a connection. The reader hands over what arrives and waits while the
hub is busy, so a flood fills the peer's own buffers. The writer takes messages
from a queue of fixed length; a peer that does not read fills its queue and is
cut off, and nobody else notices. Neither knows what the bytes mean.
*/

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sip::Frame;
use sip::net::{ReadError, Reader, Writer};
use tokio::sync::{mpsc, watch};
use trace::{Conn, Seat};

/// Messages that may wait for a peer that does not read.
const QUEUE: usize = 4096;

/// Bytes that may wait for it.
const HELD: usize = 16 << 20;

/// How much of what waits is written at once.
const BATCH: usize = 16 << 10;

/// How long writing may stand still, and closing may take.
const STUCK: Duration = Duration::from_secs(30);

const SLOW: &str = "the peer does not read what is sent to it";

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
pub async fn read<T: From<Arrival>>(
    conn: Conn,
    mut reader: Reader,
    to: mpsc::Sender<T>,
    mut stop: watch::Receiver<bool>,
) {
    let down = loop {
        let read = tokio::select! {
            read = reader.frame(Duration::MAX) => read,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match read {
            Ok(frame) => {
                if to.send(T::from(Arrival::Frame(conn, frame))).await.is_err() {
                    return;
                }
            }
            Err(ReadError::Timeout { waiting_for, .. }) => {
                let how = format!("time limit: the peer fell silent before {waiting_for}");
                break Arrival::Down(conn, None, how);
            }
            Err(error) => {
                let by = match error {
                    ReadError::Failed(_) => None,
                    _ => Some(Seat::Client),
                };
                let how = error.how().unwrap_or_default().to_owned();
                break Arrival::Down(conn, by, how);
            }
        }
    };
    let _ = to.send(T::from(down)).await;
}

/// Writes until the queue's other end is dropped or the stream fails, then closes the stream.
///
/// With `batch`, what waits together leaves together; faults count single messages and want them apart.
pub async fn write(mut writer: Writer, mut queue: Waiting, batch: bool) {
    while let Some(mut bytes) = queue.next().await {
        while batch && bytes.len() < BATCH {
            let Some(more) = queue.more() else { break };
            bytes.extend(more);
        }
        if writer.send(&bytes, STUCK).await.is_err() {
            // Gone, or standing still: the reader tells how it ended.
            return;
        }
    }
    writer.close(STUCK).await;
}
