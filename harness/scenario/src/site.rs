/*! Stages in memory: our own peers at the other end of a pipe.

For tests and the kill matrix: nothing touches a socket, and under tokio's
paused clock nothing takes time. Real sockets are the program's business.
*/

use std::path::Path;
use std::sync::Arc;

use judge::Unproven;
use peer::driver::{Options as ClientOptions, Reference};
use peer::mock::chat::Chat;
use peer::mock::{Mock, Setup, target};
use serde_json::Map;
use sip::net::{Opened, memory};
use tokio::sync::{Mutex, mpsc};
use xccos::server::{Options as ServerOptions, Server};
use xccos::world::World;

use crate::engine::{Site, Stage};
use crate::lang::diag::Source;
use crate::plan::Scenario;
use crate::play::link::{Connector, Later, Link, LinkError, Listener};
use crate::play::{Hosting, Reach};
use crate::target::Target;

/// Bytes a pipe holds.
const PIPE: usize = 1 << 20;

/// Calendar time at the start of scenarios in memory.
pub const EPOCH: jiff::Timestamp = jiff::Timestamp::constant(1_790_000_000, 0);

/// The world that self runs hold: the sample's, and what more of it scenarios can use.
pub fn world() -> World {
    World::parse(include_str!("world.yaml")).unwrap_or_else(|_| World::sample())
}

/// The world of self runs in which the server is under test: more of everything, so that more can be tried.
pub fn server_world() -> World {
    World::parse(include_str!("server_world.yaml")).unwrap_or_else(|_| world())
}

/// The target file of a world that is reached through memory.
pub fn describe(world: &World) -> Result<Target, Unproven> {
    let text = target::describe(
        world,
        &target::Place {
            name: "self",
            protocol: "tcp",
            address: "memory.invalid:5060",
            server_name: None,
            ca: None,
        },
    );
    Target::parse(&Source::new("self", text), Path::new(""))
        .map_err(|p| Unproven::Harness(p.to_string()))
}

fn link(opened: Opened, client: &str, server: &str) -> Link {
    Link {
        stream: Box::new(opened.stream),
        control: opened.control,
        transport: "memory".to_owned(),
        client: client.to_owned(),
        server: server.to_owned(),
    }
}

/// A fresh chat server of ours for each scenario.
#[derive(Clone)]
pub struct ServerInMemory {
    /// What it holds.
    pub world: World,
    /// How it behaves, its defects among that.
    pub options: ServerOptions,
    target: Target,
}

impl ServerInMemory {
    /// A conformant one.
    pub fn new(world: World) -> Result<ServerInMemory, Unproven> {
        Ok(ServerInMemory {
            target: describe(&world)?,
            world,
            options: ServerOptions {
                // What the document asks for, where the field is more lenient.
                strict: true,
                ..ServerOptions::default()
            },
        })
    }
}

struct Pipes(Mock);

impl Connector for Pipes {
    fn connect(&self) -> Later<'_, Result<Link, LinkError>> {
        let (ours, theirs) = memory(PIPE);
        self.0.attach(theirs);
        Box::pin(std::future::ready(Ok(link(
            ours,
            "client.invalid:5060",
            "server.invalid:5060",
        ))))
    }
}

impl Site for ServerInMemory {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        let options = ServerOptions {
            seed,
            ..self.options.clone()
        };
        let server = Server::new(self.world.clone(), options);
        let mock = Mock::start(Setup {
            config: sip::agent::Config::server(sip::agent::Transport::Tcp, "server.invalid", 5060),
            seed,
            wall: EPOCH,
            faults: Vec::new(),
            carriage: self.options.defects.carriage().collect(),
            model: Box::new(Chat::new(server)),
            monitor: None,
            observers: Vec::new(),
        });
        let stage = Stage {
            target: self.target.clone(),
            reach: Reach::Client(Arc::new(Pipes(mock.clone()))),
            keep: Box::new(mock),
        };
        Box::pin(std::future::ready(Ok(stage)))
    }
}

/// A fresh reference client of ours for each scenario.
#[derive(Clone)]
pub struct ClientInMemory {
    /// What the harness's own server holds.
    pub world: World,
    /// How the client behaves, its faults among that.
    pub options: ClientOptions,
    target: Target,
}

impl ClientInMemory {
    /// A conformant one.
    pub fn new(world: World) -> Result<ClientInMemory, Unproven> {
        let mut target = describe(&world)?;
        target.implements = Some(trace::Seat::Client);
        target.server_uri = None;
        Ok(ClientInMemory {
            target,
            world,
            options: ClientOptions {
                wall: EPOCH,
                ..ClientOptions::default()
            },
        })
    }
}

struct Arrivals(Arc<Mutex<mpsc::UnboundedReceiver<Opened>>>);

impl Listener for Arrivals {
    fn accept(&mut self) -> Later<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            match self.0.lock().await.recv().await {
                Some(opened) => Ok(link(opened, "client.invalid:5060", "server.invalid:5060")),
                // The client is gone; nobody will come any more.
                None => std::future::pending().await,
            }
        })
    }
}

impl Site for ClientInMemory {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        let server = Server::new(
            self.world.clone(),
            ServerOptions {
                seed,
                ..ServerOptions::default()
            },
        );
        let (sender, arrivals) = mpsc::unbounded_channel();
        let options = ClientOptions {
            seed,
            ..self.options.clone()
        };
        let driver = Reference::new(options, move |_| {
            let (ours, theirs) = memory(PIPE);
            sender
                .send(theirs)
                .map_err(|_| "the server is gone".to_owned())?;
            Ok(ours)
        });
        let mut hosting = Hosting::new(server);
        hosting.listener = Some(Box::new(Arrivals(Arc::new(Mutex::new(arrivals)))));
        hosting.driver = Some(Arc::new(driver));
        let mut sign_in = Map::new();
        sign_in.insert("server".into(), "server.invalid:5060".into());
        sign_in.insert("transport".into(), "tcp".into());
        hosting.sign_in = sign_in;
        let mut target = self.target.clone();
        // The harness's server is what the target file's lookup finds.
        target.server_uri = None;
        let stage = Stage {
            target,
            reach: Reach::Server(Box::new(hosting)),
            keep: Box::new(()),
        };
        Box::pin(std::future::ready(Ok(stage)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worlds_of_self_runs_can_be_read_and_described() {
        for text in [
            include_str!("world.yaml"),
            include_str!("server_world.yaml"),
        ] {
            describe(&World::parse(text).unwrap()).unwrap();
        }
    }
}
