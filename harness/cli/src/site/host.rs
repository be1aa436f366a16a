/*! The harness as server: what a client under test connects to. */

use std::path::{Path, PathBuf};

use judge::Unproven;
use scenario::play::link::{Later, Link, LinkError};
use serde_json::{Map, Value};
use sip::net::ca::Ca;
use sip::net::{Identity, Listener, NetError, TlsServer};
use std::time::Duration;

use super::words;

/// The name in our certificate.
pub const NAME: &str = "localhost";

/// How long a handshake of a client may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where the harness listens in the server seat.
pub struct Host {
    address: String,
    tls: Option<Identity>,
    ca: Option<PathBuf>,
}

impl Host {
    /// On `address` (port 0 takes any); with TLS, an ephemeral CA whose certificate goes to `folder/ca.pem`.
    pub fn new(address: &str, tls: bool, folder: &Path) -> Result<Host, NetError> {
        if !tls {
            return Ok(Host {
                address: address.to_owned(),
                tls: None,
                ca: None,
            });
        }
        let ca = Ca::ephemeral("Parlance")?;
        let path = folder.join("ca.pem");
        // A client that cannot read the file says so when it connects.
        let _ = report::files::put(&path, ca.pem().as_bytes());
        Ok(Host {
            address: address.to_owned(),
            tls: Some(ca.server(&[NAME, "127.0.0.1", "::1"])?),
            ca: Some(std::path::absolute(&path).unwrap_or(path)),
        })
    }

    /// A listener for one scenario, and its address.
    pub async fn listen(&self) -> Result<(Inward, String), Unproven> {
        let tls = self.tls.clone().map(|identity| {
            let mut tls = TlsServer::new(identity);
            tls.key_log = true;
            tls
        });
        let listener = Listener::bind(&self.address, tls)
            .await
            .map_err(|e| Unproven::Environment(words(&e)))?;
        let address = listener.local_addr().to_string();
        Ok((Inward(listener), address))
    }
}

/// What every `sign_in` has to say about the harness's server.
pub fn sign_in(host: &Host, address: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("server".to_owned(), address.into());
    match &host.ca {
        Some(ca) => {
            map.insert("transport".to_owned(), "tls".into());
            map.insert("server_name".to_owned(), NAME.into());
            map.insert("ca".to_owned(), ca.display().to_string().into());
        }
        None => {
            map.insert("transport".to_owned(), "tcp".into());
        }
    }
    map
}

/// A listener of `sip::net` as the player's.
pub struct Inward(Listener);

impl scenario::play::link::Listener for Inward {
    fn accept(&mut self) -> Later<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            let failed = |e: NetError| LinkError(words(&e));
            let incoming = self.0.accept().await.map_err(failed)?;
            let opened = incoming.secure(HANDSHAKE).await.map_err(failed)?;
            Ok(Link {
                stream: Box::new(opened.stream),
                control: opened.control,
                transport: opened.info.transport,
                client: opened.info.peer,
                server: opened.info.local,
            })
        })
    }
}
