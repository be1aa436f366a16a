/*! The edge: sockets, TLS, deadlines and faults, on tokio.

Takes addresses and TLS settings; gives [`Connection`]s whose reader yields
frames and whose writer takes bytes, each wait with a deadline. It interprets
nothing: what a frame means is the agent's business. Errors say whose fault it
is and what to do ([`NetError`]).

```no_run
use std::time::Duration;
use sip::net::{Connector, Incoming, Listener, Pem, Target, TlsClient, TlsServer, ca::Ca};
# async fn demo() -> Result<(), Box<dyn std::error::Error>> {
let ca = Ca::ephemeral("Parlance")?;
let listener = Listener::bind("127.0.0.1:0", Some(TlsServer::new(ca.server(&["127.0.0.1", "localhost"])?))).await?;
let address = listener.local_addr().to_string();
tokio::spawn(async move {
    while let Ok(incoming) = listener.accept().await {
        // One task per connection: a slow handshake then holds up nobody.
        tokio::spawn(async move {
            let Ok(mut connection) = incoming.open(Duration::from_secs(10), &[]).await else { return };
            while let Ok(frame) = connection.reader.frame(Duration::MAX).await {
                println!("{frame:?}");
            }
        });
    }
});
let tls = TlsClient { ca: vec![Pem::Text(ca.pem())], ..TlsClient::default() };
let connector = Connector::new(Target::tls(&address, tls))?; // reads the files once
let mut connection = connector.connect(&[]).await?;
connection.writer.send(b"\r\n\r\n", Duration::from_secs(5)).await?;
# Ok(()) }
```
*/

pub mod ca;
mod connect;
mod connection;
mod error;
pub mod fault;
mod faulty;
pub mod forecast;
mod listen;
mod stream;
mod tls;

pub use connect::{Connector, Target};
pub use connection::{Connection, ReadError, Reader, WriteError, Writer};
pub use error::{NetError, NetErrorKind, Whose};
pub use listen::{Incoming, Listener};
pub use stream::{BoxStream, Control, Info, Opened, Stream, memory};
pub use tls::{Identity, Pem, TlsClient, TlsServer, Versions};

#[cfg(test)]
mod tests;
