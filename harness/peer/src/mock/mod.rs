/*! The chat server on sockets: what `parlance mock`, self runs, the server seat and the kill matrix all run.

Takes connections (anything that reads and writes: TLS, TCP, a pipe in memory)
and a [`Model`]; plays the server on them until stopped. One task owns the
[`Hub`] and with it every agent, the model and the recording, so there is no
shared state and no lock; each connection has a reader and a writer of its own
([`link`]). Time is tokio's, so it stands still under a paused clock; the
calendar and the seed are given.

It refuses to be held up: queues are bounded, half messages time out, and a
peer that does not read is cut off without the others noticing.
*/

mod carriage;
pub mod chat;
pub mod hub;
mod link;
pub mod model;
pub mod serve;
pub mod target;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use judge::Monitor;
use sip::net::fault::{Fault, Faulty};
use sip::net::{Connection, Info, Opened};
use sip::{Blank, Limits};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trace::{Conn, Seat};
use xccos::defect::Carriage;
use xccos::time::Now;

pub use crate::recorder::{Observer, Recorder};
pub use hub::{Hub, Wire};
pub use model::{Call, Effect, InfoId, Model, Session, Taken};

use link::{Arrival, Outgoing};

/// Arrivals that may wait for the hub, over all connections.
const ARRIVALS: usize = 1024;

/// How long writers may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a mock is made of.
pub struct Setup {
    /// How its SIP agents present themselves.
    pub config: sip::agent::Config,
    /// Seed of tags, branches and the chance of faults.
    pub seed: u64,
    /// Calendar time at the start.
    pub wall: jiff::Timestamp,
    /// What is wrong with its connections.
    pub faults: Vec<Fault>,
    /// What its carrier gets wrong on purpose.
    pub carriage: Vec<Carriage>,
    /// Who says what a chat server says.
    pub model: Box<dyn Model>,
    /// Who judges; none for speed.
    pub monitor: Option<Box<dyn Monitor>>,
    /// Who watches.
    pub observers: Vec<Box<dyn Observer>>,
}

type Task = Box<dyn FnOnce(&mut Hub, Now, &mut Vec<Wire>) + Send>;

enum Message {
    Opened(Conn, Box<Info>, Ends),
    Arrival(Arrival),
    Task(Task),
    Stop(oneshot::Sender<()>),
}

impl From<Arrival> for Message {
    fn from(arrival: Arrival) -> Message {
        Message::Arrival(arrival)
    }
}

/// The hub's end of a connection.
struct Ends {
    queue: Outgoing,
    stop: watch::Sender<bool>,
    writer: JoinHandle<()>,
}

/// A running mock. Clones are handles to the same one; it ends with [`Mock::stop`], or when all are gone.
#[derive(Clone)]
pub struct Mock {
    to: mpsc::Sender<Message>,
    next: Arc<AtomicU32>,
    faults: Arc<[Fault]>,
}

impl Mock {
    /// Starts it on the current tokio runtime.
    pub fn start(setup: Setup) -> Mock {
        let (to, from) = mpsc::channel(ARRIVALS);
        let faults = setup.faults.clone().into();
        let recorder = Recorder::new(setup.monitor, setup.observers);
        let hub = Hub::new(
            setup.config,
            setup.seed,
            setup.faults,
            setup.carriage,
            setup.model,
            recorder,
        );
        tokio::spawn(run(hub, setup.wall, from));
        Mock {
            to,
            next: Arc::new(AtomicU32::new(0)),
            faults,
        }
    }

    /// Serves a connection, from now on and in the background.
    pub fn attach(&self, mut opened: Opened) -> Conn {
        let conn = self.next.fetch_add(1, Ordering::Relaxed);
        if !self.faults.is_empty() {
            let faulty = Faulty::new(opened.stream, Some(opened.control.clone()), &self.faults);
            opened.stream = Box::new(faulty);
        }
        let Connection {
            reader,
            writer,
            info,
        } = Connection::new(opened, Limits::default(), Blank::Pings);
        let (queue, waiting) = link::queue();
        let (stop, stopped) = watch::channel(false);
        let to = self.to.clone();
        let batch = self.faults.is_empty();
        tokio::spawn(async move {
            let ends = Ends {
                queue,
                stop,
                writer: tokio::spawn(link::write(writer, waiting, batch)),
            };
            // First of all: nothing may arrive from a connection nobody knows.
            let opened = Message::Opened(conn, Box::new(info), ends);
            if to.send(opened).await.is_ok() {
                link::read(conn, reader, to, stopped).await;
            }
        });
        conn
    }

    /// Does something with the hub, in turn with everything else, and gives its result; none when the mock is over.
    pub async fn with<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Hub, Now, &mut Vec<Wire>) -> T + Send + 'static,
    ) -> Option<T> {
        let (give, take) = oneshot::channel();
        let task: Task = Box::new(move |hub, now, out| {
            let _ = give.send(task(hub, now, out));
        });
        self.to.send(Message::Task(task)).await.ok()?;
        take.await.ok()
    }

    /// Says BYE in every dialog, closes every connection, ends the recording.
    pub async fn stop(self) {
        let (done, wait) = oneshot::channel();
        if self.to.send(Message::Stop(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

async fn run(mut hub: Hub, wall: jiff::Timestamp, mut from: mpsc::Receiver<Message>) {
    let start = Instant::now();
    let clock = || Now::after(wall, start.elapsed());
    let mut ends: HashMap<Conn, Ends> = HashMap::new();
    let mut out = Vec::new();
    loop {
        let due = hub.deadline().map(|due| start + due);
        let message = tokio::select! {
            biased;
            message = from.recv() => message,
            () = sleep_until(due) => {
                hub.tick(clock(), &mut out);
                flush(&mut hub, clock(), &mut ends, &mut out);
                continue;
            }
        };
        let now = clock();
        match message {
            None => break,
            Some(Message::Opened(conn, info, end)) => {
                ends.insert(conn, end);
                hub.opened(now, conn, &info);
            }
            Some(Message::Arrival(Arrival::Frame(conn, frame))) => {
                // What was on its way from a connection that is closed by now is of no interest.
                if ends.contains_key(&conn) {
                    hub.received(now, conn, frame, &mut out);
                }
            }
            Some(Message::Arrival(Arrival::Down(conn, by, how))) => {
                if ends.remove(&conn).is_some() {
                    hub.closed(now, conn, by, &how, &mut out);
                }
            }
            Some(Message::Task(task)) => task(&mut hub, now, &mut out),
            Some(Message::Stop(done)) => {
                hub.hang_up(now, &mut out);
                flush(&mut hub, now, &mut ends, &mut out);
                farewell(&mut hub, now, &mut ends).await;
                hub.finish(clock());
                let _ = done.send(());
                return;
            }
        }
        flush(&mut hub, now, &mut ends, &mut out);
    }
    hub.finish(clock());
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Hands out what the hub wants written and closed; closing may give it more to say.
fn flush(hub: &mut Hub, now: Now, ends: &mut HashMap<Conn, Ends>, out: &mut Vec<Wire>) {
    while !out.is_empty() {
        let mut more = Vec::new();
        for wire in out.drain(..) {
            let (conn, why) = match wire {
                Wire::Send(conn, bytes) => {
                    let Some(end) = ends.get(&conn) else { continue };
                    match end.queue.put(bytes) {
                        Ok(()) => continue,
                        Err(why) => (conn, why.to_owned()),
                    }
                }
                Wire::Close(conn, why) => (conn, why),
            };
            if let Some(end) = ends.remove(&conn) {
                // Dropping the queue lets the writer finish what waits and close.
                let _ = end.stop.send(true);
                hub.closed(now, conn, Some(Seat::Server), &why, &mut more);
            }
        }
        out.append(&mut more);
    }
}

/// Closes every connection and waits until its writer is through.
async fn farewell(hub: &mut Hub, now: Now, ends: &mut HashMap<Conn, Ends>) {
    let mut writers = Vec::new();
    let mut conns: Vec<Conn> = ends.keys().copied().collect();
    conns.sort_unstable();
    let mut ignored = Vec::new();
    for conn in conns {
        if let Some(end) = ends.remove(&conn) {
            let _ = end.stop.send(true);
            drop(end.queue);
            writers.push(end.writer);
            hub.closed(
                now,
                conn,
                Some(Seat::Server),
                "the mock stops",
                &mut ignored,
            );
        }
    }
    let _ = tokio::time::timeout(FAREWELL, async {
        for writer in writers {
            let _ = writer.await;
        }
    })
    .await;
}

#[cfg(test)]
mod tests;
