/*! An endpoint on a connection: the loop between the two.

Takes a stream and what is to be done; reads, writes and keeps time. Whatever
the peer does, the loop ends with every request answered.
*/

use std::collections::HashMap;
use std::time::Duration;

use sip::net::BoxStream;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use xccos::client::{Action, Answer, Code, Failure};
use xccos::time::Now;

use super::endpoint::{Endpoint, Step};

/// How long a session that signed out waits for the answer to its BYE.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long one read may be.
const CHUNK: usize = 16 * 1024;

/// The clock of a run: monotonic by tokio, so that a paused one can be used, and a calendar start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    wall: jiff::Timestamp,
}

impl Clock {
    /// A clock that begins now, at this calendar time.
    pub fn start(wall: jiff::Timestamp) -> Clock {
        Clock {
            start: Instant::now(),
            wall,
        }
    }

    /// A reading.
    pub fn now(&self) -> Now {
        Now::after(self.wall, self.start.elapsed())
    }
}

/// Where the end of a request is told.
pub type Reply = oneshot::Sender<Result<Answer, Failure>>;

/// What a session can be told.
pub enum Order {
    /// Sign in.
    SignIn {
        /// Request id.
        request: u64,
        /// Whether to register first.
        register: bool,
        /// Where to tell.
        reply: Reply,
    },
    /// A user action.
    Act {
        /// Request id.
        request: u64,
        /// Which.
        action: Action,
        /// Where to tell.
        reply: Reply,
    },
}

/// Writes some of the bytes, or flushes when there are none.
async fn push(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<usize> {
    if bytes.is_empty() {
        writer.flush().await.map(|()| 0)
    } else {
        writer.write(bytes).await
    }
}

/// Runs an endpoint until its connection or its orders end. Remarks go to `remarks`.
pub async fn run(
    mut endpoint: Endpoint,
    stream: BoxStream,
    clock: Clock,
    mut orders: mpsc::Receiver<Order>,
    remarks: impl Fn(&str) + Send,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut waiting: HashMap<u64, Reply> = HashMap::new();
    let mut unsent: Vec<u8> = Vec::new();
    // TLS may hold back what was written until it is flushed.
    let mut unflushed = false;
    let mut buffer = vec![0; CHUNK];
    // Set once nobody can give orders any more.
    let mut leave_by: Option<Duration> = None;
    loop {
        let mut open = true;
        while let Some(step) = endpoint.poll() {
            match step {
                Step::Write(bytes) => unsent.extend_from_slice(&bytes),
                Step::Done { request, result } => {
                    if let Some(reply) = waiting.remove(&request) {
                        // Whoever asked may have gone.
                        let _ = reply.send(result);
                    }
                }
                Step::Remark(words) => remarks(&words),
                Step::Close => open = false,
            }
        }
        let now = clock.now();
        let left = leave_by.is_some_and(|by| {
            unsent.is_empty() && !unflushed && (endpoint.is_quiet() || by <= now.since)
        });
        if !open || left {
            break;
        }
        let wake = [endpoint.deadline(), leave_by].into_iter().flatten().min();
        let sleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(clock.start + at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv(), if leave_by.is_none() => {
                let now = clock.now();
                match order {
                    Some(Order::SignIn { request, register, reply }) => {
                        waiting.insert(request, reply);
                        if register {
                            endpoint.register(now, 3600);
                        }
                        endpoint.sign_in(now, request);
                    }
                    Some(Order::Act { request, action, reply }) => {
                        waiting.insert(request, reply);
                        endpoint.act(now, request, action);
                    }
                    None => {
                        endpoint.act(now, u64::MAX, Action::SignOut {});
                        leave_by = Some(now.since + FAREWELL);
                    }
                }
            }
            read = reader.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(n) => endpoint.receive(clock.now(), buffer.get(..n).unwrap_or(&[])),
            },
            wrote = push(&mut writer, &unsent), if !unsent.is_empty() || unflushed => match wrote {
                Ok(0) if unsent.is_empty() => unflushed = false,
                Ok(0) | Err(_) => break,
                Ok(n) => {
                    unsent.drain(..n);
                    unflushed = true;
                }
            },
            () = sleep => endpoint.tick(clock.now()),
        }
    }
    endpoint.closed(clock.now());
    while let Some(step) = endpoint.poll() {
        if let Step::Done { request, result } = step
            && let Some(reply) = waiting.remove(&request)
        {
            let _ = reply.send(result);
        }
    }
    for (_, reply) in waiting {
        let failure = Failure::new(Code::Disconnected, "the connection is gone");
        let _ = reply.send(Err(failure));
    }
    // A close_notify where the stream has one; the peer may be gone.
    let _ = tokio::time::timeout(FAREWELL, writer.shutdown()).await;
}
