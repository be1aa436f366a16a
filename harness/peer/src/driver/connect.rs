/*! How an endpoint gets its connection.

[`Network`] opens TCP and TLS connections by `sip::net`; tests and in-process
runs bring a [`Connect`] of their own, for instance one end of
[`sip::net::memory`].
*/

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use sip::net::fault::{Fault, Faulty};
use sip::net::{Connector, Identity, Opened, Pem, Target as NetTarget, TlsClient};

/// Where to connect, from the parameters of `sign_in`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// `host:port`.
    pub server: String,
    /// TLS, else TCP.
    pub tls: bool,
    /// Name in the certificate; the host when none.
    pub server_name: Option<String>,
    /// CA file. There is no other trust: without one, TLS needs `insecure`.
    pub ca: Option<PathBuf>,
    /// Certificate and key for mutual TLS.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// No check of the certificate.
    pub insecure: bool,
}

/// A connection, or in words why there is none.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Opened, String>> + Send + 'a>>;

/// Opens connections.
pub trait Connect: Send + Sync {
    /// A connection to `target`.
    fn connect(&self, target: Target) -> Connecting<'_>;
}

impl<F> Connect for F
where
    F: Fn(Target) -> Result<Opened, String> + Send + Sync,
{
    fn connect(&self, target: Target) -> Connecting<'_> {
        Box::pin(std::future::ready(self(target)))
    }
}

impl<T: Connect + ?Sized> Connect for Arc<T> {
    fn connect(&self, target: Target) -> Connecting<'_> {
        (**self).connect(target)
    }
}

/// Connections over the network that suffer faults. Status faults do nothing here.
#[derive(Debug, Clone, Default)]
pub struct Disturbed(pub Vec<Fault>);

impl Connect for Disturbed {
    fn connect(&self, target: Target) -> Connecting<'_> {
        Box::pin(async move {
            let mut opened = Network.connect(target).await?;
            if !self.0.is_empty() {
                let faulty = Faulty::new(opened.stream, Some(opened.control.clone()), &self.0);
                opened.stream = Box::new(faulty);
            }
            Ok(opened)
        })
    }
}

/// Connections over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Connect for Network {
    fn connect(&self, target: Target) -> Connecting<'_> {
        Box::pin(async move {
            let net = if target.tls {
                let identity = target.identity.map(|(cert, key)| Identity {
                    cert: Pem::File(cert),
                    key: Pem::File(key),
                });
                let tls = TlsClient {
                    server_name: target.server_name,
                    ca: target.ca.into_iter().map(Pem::File).collect(),
                    identity,
                    insecure: target.insecure,
                    key_log: true,
                    ..TlsClient::default()
                };
                NetTarget::tls(&target.server, tls)
            } else {
                NetTarget::tcp(&target.server)
            };
            let connector = Connector::new(net).map_err(|e| e.to_string())?;
            connector.open().await.map_err(|e| e.to_string())
        })
    }
}
