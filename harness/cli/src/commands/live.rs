//! What mock and proxy have in common: the judge of a live recording, and when to stop.

use std::time::Duration;

use judge::Monitor;
use tokio::sync::watch;
use xccos::rules;

use crate::args::Profile;

/// The always-on rules over a live recording.
pub fn monitor(target: rules::Target, profile: Profile) -> Box<dyn Monitor> {
    let setup = rules::Setup::live(target).in_profile(profile.name());
    Box::new(rules::Monitor::new(setup))
}

/// Becomes true at Ctrl-C, at SIGTERM, or after so long.
pub fn end(duration: Option<Duration>) -> watch::Receiver<bool> {
    let (raise, raised) = watch::channel(false);
    tokio::spawn(async move {
        let mut interrupts = super::run::interrupts();
        let time = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupts.wait_for(|stop| *stop) => {}
            () = terminated() => {}
            () = time => {}
        }
        let _ = raise.send(true);
    });
    raised
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
