/*! Self runs: each scenario meets a fresh peer of our own, over real TLS on loopback. */

use std::path::Path;
use std::sync::Arc;

use judge::Unproven;
use peer::driver::{Network, Options as ClientOptions, Reference};
use peer::mock::chat::Chat;
use peer::mock::{Mock, Setup, serve, target};
use scenario::engine::{Site, Stage};
use scenario::play::link::Later;
use scenario::play::{Hosting, Reach};
use scenario::{Scenario, Source, Target};
use sip::agent::{Config, Transport};
use sip::net::ca::Ca;
use sip::net::{Connector, Identity, Listener, NetError, Pem, TlsClient, TlsServer};
use tokio::sync::watch;
use xccos::defect::Defects;
use xccos::server::{Options, Server};
use xccos::world::World;

use super::host::{Host, sign_in};
use super::{Outward, words};

/// The certificate's name; what is checked is that name, not the address.
const NAME: &str = "localhost";

/// Our own chat server, a new one for each scenario.
pub struct OwnServer {
    world: World,
    defects: Defects,
    identity: Identity,
    ca: String,
}

/// Ends a scenario's server.
struct Running {
    stop: watch::Sender<bool>,
    _mock: Mock,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl OwnServer {
    /// With these defects, or none.
    pub fn new(world: World, defects: Defects) -> Result<OwnServer, NetError> {
        let ca = Ca::ephemeral("Parlance self run")?;
        Ok(OwnServer {
            world,
            defects,
            identity: ca.server(&[NAME, "127.0.0.1"])?,
            ca: ca.pem(),
        })
    }

    async fn stage(&self, seed: u64) -> Result<Stage, Unproven> {
        let failed = |e: NetError| Unproven::Environment(words(&e));
        let mut tls = TlsServer::new(self.identity.clone());
        tls.key_log = true;
        let listener = Listener::bind("127.0.0.1:0", Some(tls))
            .await
            .map_err(failed)?;
        let address = listener.local_addr();
        let described = describe(&self.world, &address.to_string())?;
        let options = Options {
            seed,
            defects: self.defects.clone(),
            // What the document asks for, where the field is more lenient.
            strict: true,
            ..Options::default()
        };
        let server = Server::new(self.world.clone(), options);
        let host = address.ip().to_string();
        let mock = Mock::start(Setup {
            config: Config::server(Transport::Tls, &host, address.port()),
            seed,
            wall: jiff::Timestamp::now(),
            faults: Vec::new(),
            carriage: self.defects.carriage().collect(),
            model: Box::new(Chat::new(server)),
            monitor: None,
            observers: Vec::new(),
        });
        let (stop, stopped) = watch::channel(false);
        let taking = mock.clone();
        tokio::spawn(serve::serve(
            listener,
            move |opened| {
                taking.attach(opened);
            },
            |_, _| {},
            stopped,
        ));
        let tls = TlsClient {
            server_name: Some(NAME.to_owned()),
            ca: vec![Pem::Text(self.ca.clone())],
            key_log: true,
            ..TlsClient::default()
        };
        let to = sip::net::Target::tls(&address.to_string(), tls);
        let connector = Connector::new(to).map_err(failed)?;
        Ok(Stage {
            target: described,
            reach: Reach::Client(Arc::new(Outward(connector))),
            keep: Box::new(Running { stop, _mock: mock }),
        })
    }
}

impl Site for OwnServer {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        Box::pin(self.stage(seed))
    }
}

/// Our own chat client, a new one for each scenario; the harness is its server.
pub struct OwnClient {
    world: World,
    defects: Defects,
    host: Host,
}

impl OwnClient {
    /// With these defects, or none. `folder` is where the CA's file goes.
    pub fn new(world: World, defects: Defects, folder: &Path) -> Result<OwnClient, NetError> {
        Ok(OwnClient {
            world,
            defects,
            host: Host::new("127.0.0.1:0", true, folder)?,
        })
    }

    async fn stage(&self, seed: u64) -> Result<Stage, Unproven> {
        let (listener, address) = self.host.listen().await?;
        let mut described = describe(&self.world, &address)?;
        described.implements = Some(trace::Seat::Client);
        let options = Options {
            seed,
            ..Options::default()
        };
        let mut hosting = Hosting::new(Server::new(self.world.clone(), options));
        hosting.listener = Some(Box::new(listener));
        hosting.driver = Some(Arc::new(Reference::new(
            ClientOptions {
                seed,
                wall: jiff::Timestamp::now(),
                faults: self.defects.client_faults(),
                ..ClientOptions::default()
            },
            Network,
        )));
        hosting.sign_in = sign_in(&self.host, &address);
        Ok(Stage {
            target: described,
            reach: Reach::Server(Box::new(hosting)),
            keep: Box::new(()),
        })
    }
}

impl Site for OwnClient {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        Box::pin(self.stage(seed))
    }
}

/// The target file of a world of ours.
fn describe(world: &World, address: &str) -> Result<Target, Unproven> {
    let text = target::describe(
        world,
        &target::Place {
            name: "self",
            protocol: "tls",
            address,
            server_name: Some(NAME),
            ca: None,
        },
    );
    Target::parse(&Source::new("self", text), Path::new(""))
        .map_err(|p| Unproven::Harness(p.render(false)))
}
