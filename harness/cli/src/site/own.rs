/*! Self runs: each scenario meets a fresh server of our own, over real TLS on loopback. */

use std::path::Path;
use std::sync::Arc;

use judge::Unproven;
use peer::mock::chat::Chat;
use peer::mock::{Mock, Setup, serve, target};
use scenario::engine::{Site, Stage};
use scenario::play::Reach;
use scenario::play::link::Later;
use scenario::{Scenario, Source, Target};
use sip::agent::{Config, Transport};
use sip::net::ca::Ca;
use sip::net::{Connector, Identity, Listener, Pem, TlsClient, TlsServer};
use tokio::sync::watch;
use xccos::defect::Defects;
use xccos::server::{Options, Server};
use xccos::world::World;

use super::{Outward, words};

/// The certificate's name; what is checked is that name, not the address.
const NAME: &str = "localhost";

/// Our own chat server, a new one for each scenario.
pub struct Own {
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

impl Own {
    /// With these defects, or none.
    pub fn new(world: World, defects: Defects) -> Result<Own, sip::net::NetError> {
        let ca = Ca::ephemeral("Parlance self run")?;
        Ok(Own {
            world,
            defects,
            identity: ca.server(&[NAME, "127.0.0.1"])?,
            ca: ca.pem(),
        })
    }

    async fn stage(&self, seed: u64) -> Result<Stage, Unproven> {
        let failed = |e: sip::net::NetError| Unproven::Environment(words(&e));
        let listener = Listener::bind("127.0.0.1:0", Some(TlsServer::new(self.identity.clone())))
            .await
            .map_err(failed)?;
        let address = listener.local_addr();
        let text = target::describe(
            &self.world,
            &target::Place {
                name: "self",
                protocol: "tls",
                address: &address.to_string(),
                server_name: Some(NAME),
                ca: None,
            },
        );
        let described = Target::parse(&Source::new("self", text), Path::new(""))
            .map_err(|p| Unproven::Harness(p.render(false)))?;
        let options = Options {
            seed,
            defects: self.defects.clone(),
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

impl Site for Own {
    fn open<'a>(&'a self, _: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>> {
        Box::pin(self.stage(seed))
    }
}
