//! A real target: what `target.yaml` describes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use judge::Unproven;
use scenario::engine::{Site, Stage};
use scenario::play::Reach;
use scenario::play::link::{Connector, Later, Link, LinkError, Stream};
use scenario::{Scenario, Target};
use sip::net::{Identity, NetError, Pem, TlsClient};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Outward;

/// A chat server at an address.
pub struct Remote {
    target: Target,
    connector: Arc<Watched>,
}

/// Scenarios that may find a target that takes connections and says nothing.
const PATIENCE: u32 = 2;

/// Remembers whether the target was ever reached and ever spoke: one that never did is not tried again and again.
struct Watched {
    inner: Outward,
    reached: AtomicBool,
    spoke: Arc<AtomicBool>,
    scenarios: AtomicU32,
    dead: OnceLock<String>,
}

/// A stream that notes whether anything arrives on it.
struct Heard {
    inner: Box<dyn Stream>,
    spoke: Arc<AtomicBool>,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.spoke.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Connector for Watched {
    fn connect(&self) -> Later<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            let mut result = self.inner.connect().await;
            if let Ok(link) = &mut result
                && !self.spoke.load(Ordering::Relaxed)
            {
                let inner = std::mem::replace(&mut link.stream, Box::new(tokio::io::empty()));
                link.stream = Box::new(Heard {
                    inner,
                    spoke: Arc::clone(&self.spoke),
                });
            }
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
                spoke: Arc::default(),
                scenarios: AtomicU32::new(0),
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
        let before = self.connector.scenarios.fetch_add(1, Ordering::Relaxed);
        let watched = &self.connector;
        if before >= PATIENCE
            && watched.reached.load(Ordering::Relaxed)
            && !watched.spoke.load(Ordering::Relaxed)
        {
            let _ = watched.dead.set(format!(
                "{} takes connections and has not said a word in {PATIENCE} scenarios",
                self.target.transport.address
            ));
        }
        let stage = match self.connector.dead.get() {
            Some(why) => Err(Unproven::Environment(format!("not tried again: {why}"))),
            None => Ok(Stage {
                target: self.target.clone(),
                reach: Reach::Client(self.connector.clone()),
                keep: Box::new(()),
            }),
        };
        Box::pin(std::future::ready(stage))
    }
}
