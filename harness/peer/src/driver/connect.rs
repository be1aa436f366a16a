/*! How an endpoint gets its connection.

[`Network`] opens TCP and TLS connections; tests and in-process runs bring a
[`Connect`] of their own, for instance one end of a duplex pipe.
*/

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

/// Both directions of a connection.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of whatever kind.
pub type BoxStream = Box<dyn Duplex>;

/// Where to connect, from the parameters of `sign_in`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// `host:port`.
    pub server: String,
    /// TLS, else TCP.
    pub tls: bool,
    /// Name in the certificate; the host when none.
    pub server_name: Option<String>,
    /// CA file; the system has none for us, so TLS without it needs `insecure`.
    pub ca: Option<PathBuf>,
    /// Certificate and key for mutual TLS.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// No verification of the certificate.
    pub insecure: bool,
}

/// Opens connections.
pub trait Connect: Send + Sync {
    /// A connection to `target`.
    fn connect(
        &self,
        target: Target,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxStream>> + Send + '_>>;
}

impl<F, S> Connect for F
where
    F: Fn(Target) -> io::Result<S> + Send + Sync,
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    fn connect(
        &self,
        target: Target,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxStream>> + Send + '_>> {
        let stream = self(target).map(|s| Box::new(s) as BoxStream);
        Box::pin(std::future::ready(stream))
    }
}

/// Connections over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network;

impl Connect for Network {
    fn connect(
        &self,
        target: Target,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxStream>> + Send + '_>> {
        Box::pin(async move {
            let tcp = tokio::net::TcpStream::connect(&target.server).await?;
            tcp.set_nodelay(true)?;
            if target.tls {
                return Err(io::Error::other("TLS is not built in yet"));
            }
            Ok(Box::new(tcp) as BoxStream)
        })
    }
}
