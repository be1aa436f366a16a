/*! Accepting connections. */

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::error::{NetError, NetErrorKind};
use super::fault::{Fault, Faulty};
use super::stream::{BoxStream, Info, Opened, Wire};
use super::tls::{TlsServer, describe};
use crate::frame::{Blank, Limits};

/// A listening socket.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    local: SocketAddr,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("local", &self.local)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

impl Listener {
    /// Listens on `host:port` (port 0 takes any); with TLS when settings are given.
    pub async fn bind(address: &str, tls: Option<TlsServer>) -> Result<Listener, NetError> {
        let tls = match tls {
            Some(tls) => Some(TlsAcceptor::from(tls.config()?)),
            None => None,
        };
        let failed = |e: std::io::Error| {
            NetError::new(NetErrorKind::Bind, address, format!("cannot listen: {e}"))
        };
        let tcp = TcpListener::bind(address).await.map_err(failed)?;
        let local = tcp.local_addr().map_err(failed)?;
        Ok(Listener { tcp, tls, local })
    }

    /// The address it listens on, with the true port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next TCP connection, before any handshake. Errors are the system's and may pass
    /// (too many open files): wait a little, then try again.
    pub async fn accept(&self) -> Result<Incoming, NetError> {
        match self.tcp.accept().await {
            Ok((tcp, peer)) => {
                let _ = tcp.set_nodelay(true);
                Ok(Incoming {
                    tcp,
                    peer,
                    tls: self.tls.clone(),
                })
            }
            Err(e) => Err(NetError::new(
                NetErrorKind::Io,
                &self.local.to_string(),
                format!("cannot accept: {e}"),
            )),
        }
    }
}

/// A connection that was accepted but has not shaken hands.
pub struct Incoming {
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("peer", &self.peer)
            .finish()
    }
}

impl Incoming {
    /// Who connected.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Shakes hands within the time, and frames the stream; writes and reads suffer `faults`.
    pub async fn open(self, within: Duration, faults: &[Fault]) -> Result<Connection, NetError> {
        let mut opened = self.secure(within).await?;
        if !faults.is_empty() {
            let faulty = Faulty::new(opened.stream, Some(opened.control.clone()), faults);
            opened.stream = Box::new(faulty);
        }
        Ok(Connection::new(opened, Limits::default(), Blank::Pings))
    }

    /// Shakes hands within the time; the bytes are the caller's.
    pub async fn secure(self, within: Duration) -> Result<Opened, NetError> {
        let peer = self.peer.to_string();
        let local_addr = self.tcp.local_addr().ok();
        let mut info = Info {
            transport: "tcp".to_owned(),
            local: local_addr.map_or(String::new(), |a| a.to_string()),
            peer: peer.clone(),
            peer_addr: Some(self.peer),
            local_addr,
            insecure: false,
        };
        let (wire, control) = Wire::new(self.tcp);
        let stream: BoxStream = match self.tls {
            None => Box::new(wire),
            Some(acceptor) => {
                let tls = timeout(within, acceptor.accept(wire))
                    .await
                    .map_err(|_| {
                        NetError::new(
                            NetErrorKind::HandshakeTimeout,
                            &peer,
                            format!("the TLS handshake did not end within {within:?}"),
                        )
                    })?
                    .map_err(|e| NetError::handshake(&peer, &e))?;
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
