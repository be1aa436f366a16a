//! A real target: what `target.yaml` describes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use judge::Unproven;
use scenario::engine::{Site, Stage};
use scenario::play::Reach;
use scenario::play::link::{Connector, Later, Link, LinkError};
use scenario::{Scenario, Target};
use sip::net::{Identity, NetError, Pem, TlsClient};

use super::Outward;

/// A chat server at an address.
pub struct Remote {
    target: Target,
    connector: Arc<Watched>,
}

/// Remembers whether the target was ever reached: one that never was is not tried again and again.
struct Watched {
    inner: Outward,
    reached: AtomicBool,
    dead: OnceLock<String>,
}

impl Connector for Watched {
    fn connect(&self) -> Later<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            let result = self.inner.connect().await;
            match &result {
                Ok(_) => self.reached.store(true, Ordering::Relaxed),
                Err(error) if !self.reached.load(Ordering::Relaxed) => {
                    let _ = self.dead.set(error.to_string());
                }
                Err(_) => {}
            }
            result
        })
    }
}

impl Remote {
    /// Reads certificates and checks the settings.
    pub fn new(target: Target) -> Result<Remote, NetError> {
        let transport = &target.transport;
        let file = |path: &Option<std::path::PathBuf>| path.clone().map(Pem::File);
        let mut to = sip::net::Target::tcp(&transport.address);
        if transport.tls {
            to.tls = Some(TlsClient {
                server_name: transport.server_name.clone(),
                ca: file(&transport.ca).into_iter().collect(),
                identity: file(&transport.cert)
                    .zip(file(&transport.key))
                    .map(|(cert, key)| Identity { cert, key }),
                insecure: transport.insecure,
                key_log: true,
                ..TlsClient::default()
            });
        }
        Ok(Remote {
            connector: Arc::new(Watched {
                inner: Outward(sip::net::Connector::new(to)?),
                reached: AtomicBool::new(false),
                dead: OnceLock::new(),
            }),
            target,
        })
    }

    /// What the user has to be told loudly.
    pub fn warnings(&self) -> Vec<String> {
        self.connector.inner.0.warnings()
    }
}

impl Site for Remote {
    fn open<'a>(&'a self, _: &'a Scenario, _: u64) -> Later<'a, Result<Stage, Unproven>> {
        let stage = match self.connector.dead.get() {
            Some(why) => Err(Unproven::Environment(format!(
                "the target could not be reached before, so it was not tried again: {why}"
            ))),
            None => Ok(Stage {
                target: self.target.clone(),
                reach: Reach::Client(self.connector.clone()),
                keep: Box::new(()),
            }),
        };
        Box::pin(std::future::ready(stage))
    }
}
