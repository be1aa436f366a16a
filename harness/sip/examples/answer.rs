//! A chat server without chat: registers anybody, accepts every INVITE, answers
//! every INFO with 200 and sends its body back in an INFO of its own.
//!
//! `cargo run -p sip --example answer -- 127.0.0.1:5060` listens on plain TCP.
//! Useful to try a client or a load generator against the agent alone.

use std::time::Duration;

use sip::agent::{Accept, Action, Agent, Config, Event, Transport};
use sip::net::{Connection, Listener, ReadError};
use sip::{Ids as _, Seeded};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:5060".to_owned());
    let listener = Listener::bind(&address, None).await?;
    let start = Instant::now();
    println!("listening on {}", listener.local_addr());
    let mut seeds = Seeded::new(1);
    loop {
        let incoming = listener.accept().await?;
        let seed = seeds.bits();
        let local = listener.local_addr();
        tokio::spawn(async move {
            let Ok(connection) = incoming.open(Duration::from_secs(10), &[]).await else {
                return;
            };
            let mut config = Config::server(Transport::Tcp, &local.ip().to_string(), local.port());
            config.trying = true;
            let agent = Agent::server(config, Box::new(Seeded::new(seed)));
            let peer = connection.info.peer.clone();
            let end = serve(connection, agent, start).await;
            println!("{peer}: {end}");
        });
    }
}

/// Serves one connection until it ends; gives how it ended.
async fn serve(mut connection: Connection, mut agent: Agent, start: Instant) -> String {
    if let Some(peer) = connection.info.peer_addr {
        agent.set_peer(peer);
    }
    let mut infos = 0;
    loop {
        let now = start.elapsed();
        let wait = agent
            .deadline()
            .map_or(Duration::MAX, |d| d.saturating_sub(now));
        let frame = connection.reader.frame(wait).await;
        let now = start.elapsed();
        let mut todo = Vec::new();
        match frame {
            Ok(frame) => agent.receive(now, frame, &mut todo),
            Err(ReadError::Timeout { .. }) => agent.tick(now, &mut todo),
            Err(end) => return format!("{end} after {infos} INFOs"),
        }
        let mut at = 0;
        while at < todo.len() {
            let more = match &todo[at] {
                Action::Send(bytes) => {
                    if let Err(e) = connection.writer.send(bytes, Duration::from_secs(10)).await {
                        return e.to_string();
                    }
                    None
                }
                Action::Event(event) => Some(event.clone()),
                Action::Close(why) => return why.clone(),
            };
            match more {
                Some(Event::Invited { dialog, .. }) => {
                    let _ = agent.accept(now, dialog, Accept::default(), &mut todo);
                }
                Some(Event::Info {
                    dialog,
                    tx,
                    request,
                    ..
                }) => {
                    infos += 1;
                    let _ = agent.answer(now, tx, 200, &mut todo);
                    let _ = agent.info(now, dialog, "text/plain", request.body(), &mut todo);
                }
                Some(Event::Remark(remark)) if infos < 3 => {
                    println!("{}: {}", remark.code, remark.text)
                }
                _ => {}
            }
            at += 1;
        }
    }
}
