/*! Opening connections. */

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::error::{NetError, NetErrorKind};
use super::fault::{Fault, Faulty};
use super::stream::{BoxStream, Info, Opened, Wire};
use super::tls::{TlsClient, describe};
use crate::frame::{Blank, Limits};

/// Where to connect, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `host:port`; IPv6 addresses in brackets.
    pub address: String,
    /// TLS settings; none is plain TCP.
    pub tls: Option<TlsClient>,
    /// Time for connecting and handshake together. Default 10 s.
    pub timeout: Duration,
}

impl Target {
    /// Plain TCP to `host:port`.
    pub fn tcp(address: &str) -> Target {
        Target {
            address: address.to_owned(),
            tls: None,
            timeout: Duration::from_secs(10),
        }
    }

    /// TLS to `host:port`.
    pub fn tls(address: &str, tls: TlsClient) -> Target {
        Target {
            tls: Some(tls),
            ..Target::tcp(address)
        }
    }
}

/// Opens any number of connections to one target; files are read and checked once.
#[derive(Debug, Clone)]
pub struct Connector {
    target: Target,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Connector {
    /// Checks the settings. Errors are all of kind `Settings`.
    pub fn new(target: Target) -> Result<Connector, NetError> {
        let settings = |what: String| NetError::new(NetErrorKind::Settings, &target.address, what);
        let host = match target.address.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => host,
            _ => return Err(settings("the address is not host:port".to_owned())),
        };
        let tls = match &target.tls {
            None => None,
            Some(tls) => {
                let name = tls
                    .server_name
                    .as_deref()
                    .unwrap_or(host)
                    .trim_matches(['[', ']']);
                let name = ServerName::try_from(name.to_owned())
                    .map_err(|_| settings(format!("{name} is no host name TLS can check")))?;
                Some((tls.config()?, name))
            }
        };
        Ok(Connector { target, tls })
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What a user must be told loudly before this connector is used.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(tls) = &self.target.tls else {
            return warnings;
        };
        if tls.insecure {
            warnings.push(format!(
                "insecure: the certificate of {} is NOT checked; anybody could be at the other end",
                self.target.address
            ));
        }
        if tls.key_log && std::env::var_os("SSLKEYLOGFILE").is_some() {
            warnings.push(
                "the TLS session keys are written to SSLKEYLOGFILE; whoever has that file can read the traffic"
                    .to_owned(),
            );
        }
        warnings
    }

    /// Connects, shakes hands, and frames the stream; writes and reads suffer `faults`.
    pub async fn connect(&self, faults: &[Fault]) -> Result<Connection, NetError> {
        let mut opened = self.open().await?;
        if !faults.is_empty() {
            let faulty = Faulty::new(opened.stream, Some(opened.control.clone()), faults);
            opened.stream = Box::new(faulty);
        }
        Ok(Connection::new(opened, Limits::default(), Blank::Pongs))
    }

    /// Connects and shakes hands; the bytes are the caller's.
    pub async fn open(&self) -> Result<Opened, NetError> {
        let address = &self.target.address;
        let deadline = Instant::now() + self.target.timeout;
        let late = |kind, what: &str| {
            NetError::new(
                kind,
                address,
                format!("{what} within {:?}", self.target.timeout),
            )
        };
        let tcp = timeout_at(deadline, dial(address))
            .await
            .map_err(|_| late(NetErrorKind::ConnectTimeout, "no connection"))??;
        let _ = tcp.set_nodelay(true);
        let (local_addr, peer_addr) = (tcp.local_addr().ok(), tcp.peer_addr().ok());
        let text = |a: Option<std::net::SocketAddr>| a.map_or(String::new(), |a| a.to_string());
        let mut info = Info {
            transport: "tcp".to_owned(),
            local: text(local_addr),
            peer: text(peer_addr),
            peer_addr,
            local_addr,
            insecure: self.target.tls.as_ref().is_some_and(|t| t.insecure),
        };
        let (wire, control) = Wire::new(tcp);
        let stream: BoxStream = match &self.tls {
            None => Box::new(wire),
            Some((config, name)) => {
                let handshake = TlsConnector::from(config.clone()).connect(name.clone(), wire);
                let tls = timeout_at(deadline, handshake)
                    .await
                    .map_err(|_| {
                        late(
                            NetErrorKind::HandshakeTimeout,
                            "connected, but the TLS handshake did not end",
                        )
                    })?
                    .map_err(|e| NetError::handshake(address, &e))?;
                info.transport = describe(tls.get_ref().1);
                Box::new(tls)
            }
        };
        Ok(Opened {
            stream,
            info,
            control,
        })
    }
}

/// Tries every address of the name, in order; the first that connects wins.
async fn dial(address: &str) -> Result<TcpStream, NetError> {
    let addresses: Vec<_> = lookup_host(address)
        .await
        .map_err(|e| {
            NetError::new(
                NetErrorKind::Dns,
                address,
                format!("the name does not resolve: {e}"),
            )
        })?
        .collect();
    let mut last = None;
    for candidate in addresses {
        match TcpStream::connect(candidate).await {
            Ok(tcp) => return Ok(tcp),
            Err(e) => last = Some(e),
        }
    }
    Err(match last {
        Some(e) => NetError::connect(address, &e),
        None => NetError::new(NetErrorKind::Dns, address, "the name has no address"),
    })
}
