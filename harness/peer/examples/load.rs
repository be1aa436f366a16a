//! How much the mock holds: N endpoints over TLS in one room, chats fanned out to all of them.
//!
//! `cargo run --release -p peer --example load -- [ENDPOINTS] [CHATS] [USERS]`; needs a file descriptor an
//! endpoint (`ulimit -n`). The clients are a process of their own, so memory and time are the mock's alone.
//! A join reply lists every user in the room, so the time to join grows with ENDPOINTS × USERS.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use peer::mock::chat::Chat;
use peer::mock::{Mock, Setup, serve};
use sip::agent::{Action, Agent, Config, Event, Invite, Transport};
use sip::net::ca::Ca;
use sip::net::{Connection, Connector, Listener, Pem, Target, TlsClient, TlsServer};
use sip::{DialogId, Seeded, Uri};
use tokio::sync::{Semaphore, watch};
use xccos::server::{Options, Server};
use xccos::world::World;

type Failed = Box<dyn Error + Send + Sync>;

const ROOM: &str = "93489432-b6be-4c67-932f-09e39a162072";

/// Connections that are being opened at a time.
const OPENING: usize = 64;

struct Client {
    connection: Connection,
    agent: Agent,
    start: Instant,
}

impl Client {
    async fn open(connector: &Connector, user: &str, seed: u64) -> Result<Client, Failed> {
        let connection = connector.connect(&[]).await?;
        let config = Config::client(
            Uri::sip(user, "example.com"),
            Transport::Tls,
            "127.0.0.1",
            6000,
        );
        Ok(Client {
            connection,
            agent: Agent::client(config, Box::new(Seeded::new(seed))),
            start: Instant::now(),
        })
    }

    async fn act(&mut self, actions: Vec<Action>) -> Result<Vec<Event>, Failed> {
        let mut events = Vec::new();
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    self.connection
                        .writer
                        .send(&bytes, Duration::from_secs(60))
                        .await?;
                }
                Action::Event(event) => events.push(event),
                Action::Close(why) => return Err(why.into()),
            }
        }
        Ok(events)
    }

    /// What the next frame means.
    async fn next(&mut self) -> Result<Vec<Event>, Failed> {
        let frame = self
            .connection
            .reader
            .frame(Duration::from_secs(600))
            .await?;
        let mut out = Vec::new();
        self.agent.receive(self.start.elapsed(), frame, &mut out);
        self.act(out).await
    }

    async fn dial(&mut self) -> Result<DialogId, Failed> {
        let target = Uri::parse("sip:chat01@example.com")?;
        let mut out = Vec::new();
        self.agent
            .invite(self.start.elapsed(), &target, Invite::default(), &mut out);
        let mut events = self.act(out).await?;
        loop {
            for event in events {
                match event {
                    Event::Established { dialog } => return Ok(dialog),
                    Event::Ended { why, .. } => return Err(format!("{why:?}").into()),
                    _ => {}
                }
            }
            events = self.next().await?;
        }
    }

    async fn say(&mut self, dialog: DialogId, body: String) -> Result<(), Failed> {
        let mut out = Vec::new();
        self.agent
            .info(self.start.elapsed(), dialog, "text/plain", body, &mut out)?;
        self.act(out).await?;
        Ok(())
    }

    /// Reads until a payload holds `what`.
    async fn hear(&mut self, what: &[u8]) -> Result<(), Failed> {
        loop {
            for event in self.next().await? {
                if let Event::Info { request, .. } = event
                    && request.body().windows(what.len()).any(|w| w == what)
                {
                    return Ok(());
                }
            }
        }
    }
}

fn world(users: usize) -> Result<World, Failed> {
    let mut yaml = String::from("domain: example.com\nusers:\n");
    for n in 0..users {
        yaml += &format!("  u{n}: {{ uri: sip:u{n}@example.com, name: User {n} }}\n");
    }
    let members: Vec<String> = (0..users).map(|n| format!("u{n}")).collect();
    yaml += &format!(
        "rooms:\n  lobby: {{ uri: \"ma-chan://example.com/{ROOM}\", name: Lobby, part_list_off: true, members: [{}] }}\n",
        members.join(", ")
    );
    World::parse(&yaml).map_err(|e| e.to_string().into())
}

/// Memory of this process in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or("");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    kib / 1024.0
}

/// Seconds of processor time of this process.
fn spent() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(") ")
        .next()
        .unwrap_or("")
        .split(' ')
        .filter_map(|f| f.parse().ok())
        .collect();
    // Behind the name and the state, which is no number: user and system time in ticks of 10 ms.
    fields.get(10).unwrap_or(&0.0) / 100.0 + fields.get(11).unwrap_or(&0.0) / 100.0
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, other: usize| args.get(at).map_or(Ok(other), |a| a.parse());
    if args.first().is_some_and(|a| a == "clients") {
        let address = args.get(1).ok_or("no address")?;
        return clients(address, number(2, 1)?, number(3, 1)?, number(4, 1)?).await;
    }
    let endpoints = number(0, 5000)?;
    let chats = number(1, 20)?;
    let users = number(2, (endpoints / 10).max(1))?;
    serve_them(endpoints, chats, users).await
}

/// The mock, and the clients as a child.
async fn serve_them(endpoints: usize, chats: usize, users: usize) -> Result<(), Failed> {
    let ca = Ca::ephemeral("Parlance load")?;
    let listener = Listener::bind(
        "127.0.0.1:0",
        Some(TlsServer::new(ca.server(&["localhost"])?)),
    )
    .await?;
    let address = listener.local_addr();
    let server = Server::new(world(users)?, Options::default());
    let mock = Mock::start(Setup {
        config: Config::server(Transport::Tls, "127.0.0.1", address.port()),
        seed: 1,
        wall: jiff::Timestamp::now(),
        faults: Vec::new(),
        carriage: Vec::new(),
        model: Box::new(Chat::new(server)),
        monitor: None,
        observers: Vec::new(),
    });
    let (_stop, stopped) = watch::channel(false);
    let taking = mock.clone();
    tokio::spawn(serve::serve(
        listener,
        move |opened| {
            taking.attach(opened);
        },
        |peer, error| eprintln!("{peer}: {error:?}"),
        stopped,
    ));
    let (empty, start) = (resident(), Instant::now());
    let mut child = Command::new(std::env::current_exe()?)
        .args(["clients", &address.to_string()])
        .args([endpoints, chats, users].map(|n| n.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .ok_or("no stdin")?
        .write_all(ca.pem().as_bytes())?;
    let mut told = BufReader::new(child.stdout.take().ok_or("no stdout")?);
    let report = tokio::task::spawn_blocking(move || -> Result<(), Failed> {
        let mut line = String::new();
        told.read_line(&mut line)?;
        if line.trim() != "joined" {
            return Err("the clients did not get in; is `ulimit -n` large enough?".into());
        }
        let (now, joined) = (resident(), start.elapsed().as_secs_f64());
        println!(
            "mock: {endpoints} endpoints of {users} users joined one room over TLS 1.3 in {joined:.1} s ({:.1} s of processor)",
            spent()
        );
        println!(
            "mock: {now:.0} MiB resident, {:.1} KiB an endpoint",
            (now - empty) * 1024.0 / endpoints as f64
        );
        line.clear();
        told.read_to_string(&mut line)?;
        print!("{line}");
        println!(
            "mock: {:.0} MiB resident at the end, {:.1} s of processor",
            resident(),
            spent()
        );
        Ok(())
    });
    report.await??;
    let status = child.wait()?;
    mock.stop().await;
    if status.success() {
        Ok(())
    } else {
        Err("something was lost".into())
    }
}

/// Every client; the first one chats. Tells what arrived.
async fn clients(
    address: &str,
    endpoints: usize,
    chats: usize,
    users: usize,
) -> Result<(), Failed> {
    let mut pem = String::new();
    std::io::stdin().read_to_string(&mut pem)?;
    let tls = TlsClient {
        server_name: Some("localhost".to_owned()),
        ca: vec![Pem::Text(pem)],
        ..TlsClient::default()
    };
    let connector = Arc::new(Connector::new(Target::tls(address, tls))?);
    let gate = Arc::new(Semaphore::new(OPENING));
    let mut opening = Vec::new();
    for n in 0..endpoints {
        let (connector, gate) = (connector.clone(), gate.clone());
        opening.push(tokio::spawn(async move {
            let _permit = gate.acquire_owned().await?;
            let user = format!("u{}", n % users);
            let mut client = Client::open(&connector, &user, n as u64).await?;
            let dialog = client.dial().await?;
            let join = format!(
                "<xccos ver=\"1\" envid=\"1\" xmlns=\"urn:parlano:xml:ns:xccos\"><cmd id=\"cmd:join\" seqid=\"1\"><data><chanid key=\"0\" domain=\"example.com\" value=\"{ROOM}\"/></data></cmd></xccos>"
            );
            client.say(dialog, join).await?;
            client.hear(b"rpl:join").await?;
            Ok::<_, Failed>((client, dialog))
        }));
    }
    let mut inside = Vec::new();
    for opened in opening {
        inside.push(opened.await??);
    }
    println!("joined");
    // Each endpoint counts what it hears, in order.
    let heard = Arc::new(AtomicUsize::new(0));
    let (mut first, dialog) = inside.remove(0);
    let start = Instant::now();
    let listeners: Vec<_> = inside
        .into_iter()
        .map(|(mut client, _)| {
            let heard = heard.clone();
            tokio::spawn(async move {
                for n in 0..chats {
                    client
                        .hear(format!("<chat>load {n}</chat>").as_bytes())
                        .await?;
                    heard.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, Failed>(())
            })
        })
        .collect();
    for n in 0..chats {
        let chat = format!(
            "<xccos ver=\"1\" envid=\"{}\" xmlns=\"urn:parlano:xml:ns:xccos\"><grpchat id=\"grpchat\" seqid=\"1\" chanUri=\"ma-chan://example.com/{ROOM}\" author=\"sip:u0@example.com\" authdisp=\"\" alert=\"false\" chatId=\"0\" ts=\"2026-01-01T00:00:00Z\"><chat>load {n}</chat></grpchat></xccos>",
            n + 2
        );
        first.say(dialog, chat).await?;
        first
            .hear(format!("<chat>load {n}</chat>").as_bytes())
            .await?;
        heard.fetch_add(1, Ordering::Relaxed);
    }
    for listener in listeners {
        listener.await??;
    }
    let took = start.elapsed().as_secs_f64();
    let (heard, wanted) = (heard.load(Ordering::Relaxed), endpoints * chats);
    println!(
        "clients: {chats} chats to {endpoints} endpoints: {heard} of {wanted} delivered in {took:.1} s, {:.0} a second",
        heard as f64 / took
    );
    if heard == wanted {
        Ok(())
    } else {
        Err("chats were lost".into())
    }
}
