use std::sync::{Arc, Mutex};

use sip::agent::{Action, Agent, Config, Event as SipEvent, Invite, Transport};
use sip::net::BoxStream;
use sip::{Blank, Framer, Limits, Seeded, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trace::{Event, Kind};

use super::*;

/// Says everything back to everybody.
#[derive(Default)]
struct Echo {
    up: Vec<Session>,
}

impl Model for Echo {
    fn invited(&mut self, _: Now, _: Session, call: &Call) -> Result<(), u16> {
        match call.request_uri.as_str() {
            "sip:chat@example.com" => Ok(()),
            _ => Err(404),
        }
    }
    fn up(&mut self, _: Now, session: Session, _: &mut Vec<Effect>) {
        self.up.push(session);
    }
    fn payload(
        &mut self,
        _: Now,
        _: Session,
        _: InfoId,
        body: &[u8],
        out: &mut Vec<Effect>,
    ) -> Taken {
        out.extend(self.up.iter().map(|&session| Effect::Send {
            session,
            body: body.to_vec(),
        }));
        Taken::Answered(200)
    }
    fn undelivered(&mut self, _: Now, _: Session, _: Option<u16>, _: &mut Vec<Effect>) {}
    fn down(&mut self, _: Now, session: Session, _: &mut Vec<Effect>) {
        self.up.retain(|s| *s != session);
    }
    fn deadline(&self) -> Option<Duration> {
        None
    }
    fn tick(&mut self, _: Now, _: &mut Vec<Effect>) {}
    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Event>>>);

impl Observer for Seen {
    fn event(&mut self, event: &Event, _: &[judge::Finding]) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Seen {
    fn closings(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .filter_map(|e| match &e.kind {
                Kind::Closed { how, .. } => Some(format!("{}: {how}", e.conn)),
                _ => None,
            })
            .collect()
    }
}

fn mock(faults: &[&str]) -> (Mock, Seen) {
    let seen = Seen::default();
    let mock = Mock::start(Setup {
        config: Config::server(Transport::Tcp, "127.0.0.1", 5060),
        seed: 7,
        wall: jiff::Timestamp::UNIX_EPOCH,
        faults: faults.iter().map(|f| f.parse().unwrap()).collect(),
        carriage: Vec::new(),
        model: Box::new(Echo::default()),
        monitor: None,
        observers: vec![Box::new(seen.clone())],
    });
    (mock, seen)
}

fn pipe(mock: &Mock, size: usize) -> BoxStream {
    let (ours, theirs) = sip::net::memory(size);
    mock.attach(theirs);
    ours.stream
}

/// A client on a pipe, as small as can be.
struct Client {
    stream: BoxStream,
    agent: Agent,
    framer: Framer,
    start: Instant,
    got: Vec<String>,
}

impl Client {
    fn new(mock: &Mock, name: &str) -> Client {
        let uri = Uri::sip(name, "example.com");
        let config = Config::client(uri, Transport::Tcp, "127.0.0.1", 6000);
        Client {
            stream: pipe(mock, 1 << 20),
            agent: Agent::client(config, Box::new(Seeded::new(name.len() as u64))),
            framer: Framer::new(Limits::default(), Blank::Pongs),
            start: Instant::now(),
            got: Vec::new(),
        }
    }

    async fn act(&mut self, actions: Vec<Action>) -> Vec<SipEvent> {
        let mut events = Vec::new();
        for action in actions {
            match action {
                // The mock may be gone by now.
                Action::Send(bytes) => drop(self.stream.write_all(&bytes).await),
                Action::Event(event) => {
                    if let SipEvent::Info { request, .. } = &event {
                        let body = String::from_utf8_lossy(request.body()).into_owned();
                        self.got.push(body);
                    }
                    events.push(event);
                }
                Action::Close(_) => {}
            }
        }
        events
    }

    /// Reads until an event fits; none at the end of the stream.
    async fn until(&mut self, fits: impl Fn(&SipEvent) -> bool) -> Option<SipEvent> {
        let mut buffer = [0; 8192];
        loop {
            let n = self.stream.read(&mut buffer).await.ok()?;
            if n == 0 {
                return None;
            }
            self.framer.push(&buffer[..n]);
            let mut hit = None;
            while let Some(frame) = self.framer.next() {
                let mut out = Vec::new();
                self.agent.receive(self.start.elapsed(), frame, &mut out);
                for event in self.act(out).await {
                    if hit.is_none() && fits(&event) {
                        hit = Some(event);
                    }
                }
            }
            if hit.is_some() {
                return hit;
            }
        }
    }

    async fn dial(&mut self, to: &str) -> Option<sip::DialogId> {
        let mut out = Vec::new();
        let target = Uri::parse(to).unwrap();
        self.agent
            .invite(self.start.elapsed(), &target, Invite::default(), &mut out);
        self.act(out).await;
        let event = self
            .until(|e| matches!(e, SipEvent::Established { .. } | SipEvent::Ended { .. }))
            .await;
        match event {
            Some(SipEvent::Established { dialog }) => Some(dialog),
            _ => None,
        }
    }

    async fn say(&mut self, dialog: sip::DialogId, text: &str) {
        let mut out = Vec::new();
        self.agent
            .info(self.start.elapsed(), dialog, "text/plain", text, &mut out)
            .unwrap();
        self.act(out).await;
    }

    async fn hear(&mut self) -> Option<String> {
        self.until(|e| matches!(e, SipEvent::Info { .. })).await?;
        self.got.last().cloned()
    }
}

#[tokio::test(start_paused = true)]
async fn two_clients_hear_each_other() {
    let (mock, seen) = mock(&[]);
    let mut alice = Client::new(&mock, "alice");
    let mut bob = Client::new(&mock, "bob");
    let dialog = alice.dial("sip:chat@example.com").await.unwrap();
    assert!(bob.dial("sip:nobody@example.com").await.is_none());
    bob.dial("sip:chat@example.com").await.unwrap();
    alice.say(dialog, "<hello/>").await;
    assert_eq!(alice.hear().await.as_deref(), Some("<hello/>"));
    assert_eq!(bob.hear().await.as_deref(), Some("<hello/>"));
    mock.stop().await;
    assert!(
        bob.until(|e| matches!(e, SipEvent::Ended { .. }))
            .await
            .is_some()
    );
    assert_eq!(seen.closings(), ["0: the mock stops", "1: the mock stops"]);
}

#[tokio::test(start_paused = true)]
async fn one_byte_fragments_and_delays_change_nothing_but_time() {
    let (mock, _) = mock(&["fragment:1", "delay:2s"]);
    let mut alice = Client::new(&mock, "alice");
    let start = Instant::now();
    let dialog = alice.dial("sip:chat@example.com").await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(2));
    alice.say(dialog, "<hello/>").await;
    assert_eq!(alice.hear().await.as_deref(), Some("<hello/>"));
}

#[tokio::test(start_paused = true)]
async fn a_status_instead_of_200() {
    let (mock, _) = mock(&["status:503:INFO"]);
    let mut alice = Client::new(&mock, "alice");
    let dialog = alice.dial("sip:chat@example.com").await.unwrap();
    alice.say(dialog, "<hello/>").await;
    let answer = alice
        .until(|e| matches!(e, SipEvent::Answered { method, .. } if method == "INFO"))
        .await;
    let Some(SipEvent::Answered { response, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(response.status(), Some(503));
}

#[tokio::test(start_paused = true)]
async fn truncation_ends_the_connection() {
    let (mock, _) = mock(&["truncate:100"]);
    let mut stream = pipe(&mock, 1 << 16);
    stream
        .write_all(b"OPTIONS sip:chat@example.com SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await.unwrap();
    assert_eq!(got.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn garbage_and_silence_hurt_only_their_own_connection() {
    let (mock, seen) = mock(&[]);
    let mut alice = Client::new(&mock, "alice");
    let dialog = alice.dial("sip:chat@example.com").await.unwrap();

    let mut noise = pipe(&mock, 1 << 16);
    noise.write_all(&[0, 159, 146, 150, 13, 10]).await.unwrap();
    let mut rest = Vec::new();
    noise.read_to_end(&mut rest).await.unwrap();

    let mut half = pipe(&mock, 1 << 16);
    half.write_all(b"INFO sip:a@b SIP/2.0\r\nContent-Length: 10\r\n\r\nabc")
        .await
        .unwrap();
    half.read_to_end(&mut rest).await.unwrap();

    let mut huge = pipe(&mock, 1 << 16);
    huge.write_all(b"INFO sip:a@b SIP/2.0\r\nContent-Length: 20000000\r\n\r\nabc")
        .await
        .unwrap();
    huge.read_to_end(&mut rest).await.unwrap();

    alice.say(dialog, "<still-here/>").await;
    assert_eq!(alice.hear().await.as_deref(), Some("<still-here/>"));
    let closings = seen.closings();
    assert!(
        closings[0].starts_with("1: the stream is not SIP"),
        "{closings:?}"
    );
    assert_eq!(
        closings[1],
        "2: time limit: the peer fell silent before the rest of a body: 3 of 10 bytes have come"
    );
    assert!(closings[2].contains("20000000"), "{closings:?}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_cut_off_and_nobody_else_notices() {
    let (mock, seen) = mock(&[]);
    let mut alice = Client::new(&mock, "alice");
    let dialog = alice.dial("sip:chat@example.com").await.unwrap();
    let mut lazy = Client::new(&mock, "lazy-bob");
    lazy.dial("sip:chat@example.com").await.unwrap();
    // From here on lazy reads nothing; its pipe holds a megabyte.
    let long = format!("<x>{}</x>", "y".repeat(100_000));
    let mut heard = 0;
    while seen.closings().is_empty() && heard < 1000 {
        alice.say(dialog, &long).await;
        assert_eq!(alice.hear().await.map(|t| t.len()), Some(long.len()));
        heard += 1;
    }
    assert_eq!(
        seen.closings(),
        ["1: the peer does not read what is sent to it"]
    );
    assert!(heard > 100 && heard < 1000, "{heard}");
    alice.say(dialog, "<still-here/>").await;
    assert_eq!(alice.hear().await.as_deref(), Some("<still-here/>"));
}
