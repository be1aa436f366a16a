/*! Between two real peers: every byte goes through untouched, and both are judged.

Takes connections of clients and the way to the real server; forwards bytes in
both directions as they come, and beside that frames, records and judges them.
It never invents an answer: when the server cannot be reached the client's
connection is closed, and a stream that cannot be framed is forwarded all the
same.
*/

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use judge::Monitor;
use sip::net::{BoxStream, Connector, Info, NetError, Opened};
use sip::{Blank, Frame, Framer, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use trace::{Conn, Intent, Kind, Seat};

use crate::recorder::{Observer, Recorder};

/// Events that may wait for the recorder; forwarding waits with them.
const WAITING: usize = 1024;

/// How long a peer may refuse to take bytes before both connections end.
const STUCK: Duration = Duration::from_secs(60);

/// What a proxy is made of.
pub struct Setup {
    /// The way to the real server.
    pub upstream: Connector,
    /// Who judges.
    pub monitor: Option<Box<dyn Monitor>>,
    /// Who watches.
    pub observers: Vec<Box<dyn Observer>>,
}

enum Entry {
    Record(Conn, Kind),
    Stop(oneshot::Sender<()>),
}

/// A running proxy. Clones are handles to the same one.
#[derive(Clone)]
pub struct Proxy {
    upstream: Arc<Connector>,
    to: mpsc::Sender<Entry>,
    next: Arc<AtomicU32>,
}

impl Proxy {
    /// Starts it on the current tokio runtime.
    pub fn start(setup: Setup) -> Proxy {
        let (to, from) = mpsc::channel(WAITING);
        let recorder = Recorder::new(setup.monitor, setup.observers);
        tokio::spawn(record(recorder, from));
        Proxy {
            upstream: Arc::new(setup.upstream),
            to,
            next: Arc::new(AtomicU32::new(0)),
        }
    }

    /// Connects a client with the real server and forwards until both are through; the error says why it could not begin.
    pub async fn carry(&self, client: Opened) -> Result<(), NetError> {
        let server = self.upstream.open().await?;
        let conn = self.next.fetch_add(1, Ordering::Relaxed);
        self.record(conn, opened(&client.info, &server.info)).await;
        let (client_read, client_write) = tokio::io::split(client.stream);
        let (server_read, server_write) = tokio::io::split(server.stream);
        let upward = self.pump(conn, Seat::Client, client_read, server_write);
        let downward = self.pump(conn, Seat::Server, server_read, client_write);
        let (up, down) = tokio::join!(upward, downward);
        // Whoever ended first is the one who closed.
        let (by, how) = if up.0 <= down.0 {
            (Seat::Client, up.1)
        } else {
            (Seat::Server, down.1)
        };
        self.record(conn, Kind::Closed { by: Some(by), how }).await;
        Ok(())
    }

    /// Ends the recording; what is still being forwarded ends with the process.
    pub async fn stop(self) {
        let (done, wait) = oneshot::channel();
        if self.to.send(Entry::Stop(done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    async fn record(&self, conn: Conn, kind: Kind) {
        // The recorder may be over while bytes still flow; they flow on.
        let _ = self.to.send(Entry::Record(conn, kind)).await;
    }

    /// Forwards one direction until its end; gives when and how it ended.
    async fn pump(
        &self,
        conn: Conn,
        from: Seat,
        mut reader: ReadHalf<BoxStream>,
        mut writer: WriteHalf<BoxStream>,
    ) -> (Instant, String) {
        let blank = match from {
            Seat::Client => Blank::Pings,
            Seat::Server => Blank::Pongs,
        };
        let mut framer = Framer::new(Limits::default(), blank);
        let mut chunk = vec![0; 16 << 10];
        let how = loop {
            match reader.read(&mut chunk).await {
                Ok(0) => break "end of stream".to_owned(),
                Err(error) => break error.to_string(),
                Ok(n) => {
                    framer.push(&chunk[..n]);
                    // Recorded first: an answer must not be able to overtake its request.
                    while let Some(frame) = framer.next() {
                        self.record(conn, kind(from, frame)).await;
                    }
                    let written = timeout(STUCK, async {
                        writer.write_all(&chunk[..n]).await?;
                        writer.flush().await
                    });
                    match written.await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => break format!("the other side is gone: {error}"),
                        Err(_) => break "time limit: the other side does not read".to_owned(),
                    }
                }
            }
        };
        let ended = Instant::now();
        if let Some(frame) = framer.finish() {
            self.record(conn, kind(from, frame)).await;
        }
        let _ = timeout(STUCK, writer.shutdown()).await;
        (ended, how)
    }
}

async fn record(mut recorder: Recorder, mut from: mpsc::Receiver<Entry>) {
    let start = Instant::now();
    while let Some(entry) = from.recv().await {
        match entry {
            Entry::Record(conn, kind) => recorder.record(start.elapsed(), conn, kind),
            Entry::Stop(done) => {
                recorder.finish(start.elapsed());
                let _ = done.send(());
                return;
            }
        }
    }
    recorder.finish(start.elapsed());
}

fn opened(client: &Info, server: &Info) -> Kind {
    Kind::Opened {
        endpoint: None,
        transport: client.transport.clone(),
        client: client.peer.clone(),
        server: server.peer.clone(),
    }
}

fn kind(from: Seat, frame: Frame) -> Kind {
    match frame {
        Frame::Message(message) => Kind::Message {
            from,
            bytes: message.into_bytes(),
            intent: Intent::Plain,
        },
        Frame::KeepAlive { bytes, .. } => Kind::Message {
            from,
            bytes,
            intent: Intent::Plain,
        },
        Frame::Error(error) => Kind::Garbage {
            from,
            bytes: error.bytes,
            problem: error.what,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use sip::net::{Listener, Target};
    use trace::Event;

    use super::*;

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<Event>>>);

    impl Observer for Seen {
        fn event(&mut self, event: &Event, _: &[judge::Finding]) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    const REQUEST: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nl: 3\r\nX:  odd \r\n\r\nabc";
    const ANSWER: &[u8] = b"SIP/2.0 200 Fine\r\nContent-Length: 0\r\n\r\n\x01not sip at all";

    #[tokio::test]
    async fn bytes_go_through_untouched_and_are_recorded() {
        let server = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let target = Target::tcp(&server.local_addr().to_string());
        let seen = Seen::default();
        let proxy = Proxy::start(Setup {
            upstream: Connector::new(target).unwrap(),
            monitor: None,
            observers: vec![Box::new(seen.clone())],
        });
        let (ours, theirs) = sip::net::memory(1 << 16);
        let carried = tokio::spawn({
            let proxy = proxy.clone();
            async move { proxy.carry(theirs).await }
        });
        let mut client = ours.stream;
        let mut upstream = server
            .accept()
            .await
            .unwrap()
            .secure(Duration::from_secs(5))
            .await
            .unwrap()
            .stream;
        client.write_all(REQUEST).await.unwrap();
        let mut got = vec![0; REQUEST.len()];
        upstream.read_exact(&mut got).await.unwrap();
        assert_eq!(got, REQUEST);
        upstream.write_all(ANSWER).await.unwrap();
        upstream.shutdown().await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, ANSWER);
        drop(client);
        carried.await.unwrap().unwrap();
        proxy.stop().await;
        let seen = seen.0.lock().unwrap();
        let kinds: Vec<String> = seen
            .iter()
            .map(|e| match &e.kind {
                Kind::Opened { .. } => "opened".to_owned(),
                Kind::Message { from, bytes, .. } => format!("{from:?} {}", bytes.len()),
                Kind::Garbage { from, .. } => format!("{from:?} garbage"),
                Kind::Closed { by, .. } => format!("closed by {by:?}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                "opened".to_owned(),
                format!("Client {}", REQUEST.len()),
                "Server 39".to_owned(),
                "Server garbage".to_owned(),
                "closed by Some(Server)".to_owned()
            ]
        );
    }

    #[tokio::test]
    async fn an_unreachable_server_is_no_answer() {
        let gone = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let target = Target::tcp(&gone.local_addr().to_string());
        drop(gone);
        let proxy = Proxy::start(Setup {
            upstream: Connector::new(target).unwrap(),
            monitor: None,
            observers: Vec::new(),
        });
        let (ours, theirs) = sip::net::memory(1 << 16);
        assert!(proxy.carry(theirs).await.is_err());
        let mut got = Vec::new();
        let mut client = ours.stream;
        client.read_to_end(&mut got).await.unwrap();
        assert!(got.is_empty());
    }
}
