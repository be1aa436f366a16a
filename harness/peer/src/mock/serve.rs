/*! Accepts connections for whoever wants them: the mock, the proxy.

Takes a listener, gives every connection that shook hands. A slow or failed
handshake holds up nobody; it is reported and forgotten.
*/

use std::sync::Arc;
use std::time::Duration;

use sip::net::{Listener, NetError, Opened};
use tokio::sync::{Semaphore, watch};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes at a time; more wait in the system's queue.
const HANDSHAKES: usize = 256;

/// Pause after an error of the system (too many open files), which passes by itself.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` becomes true: `take` gets each connection, `failed` each handshake that failed, with the peer's address.
pub async fn serve(
    listener: Listener,
    take: impl Fn(Opened) + Send + Sync + 'static,
    failed: impl Fn(String, NetError) + Send + Sync + 'static,
    mut stop: watch::Receiver<bool>,
) {
    let take = Arc::new(take);
    let failed = Arc::new(failed);
    let permits = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let incoming = tokio::select! {
            incoming = listener.accept() => incoming,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(error) => {
                failed(String::new(), error);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let (take, failed) = (Arc::clone(&take), Arc::clone(&failed));
        tokio::spawn(async move {
            let peer = incoming.peer().to_string();
            let opened = incoming.secure(HANDSHAKE).await;
            drop(permit);
            match opened {
                Ok(opened) => take(opened),
                Err(error) => failed(peer, error),
            }
        });
    }
}
