/*! Byte streams: TCP, TLS and memory behind one trait. */

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

/// Anything that carries bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Any [`Stream`].
pub type BoxStream = Box<dyn Stream>;

/// What is known of an open connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// `tcp`, `tls 1.3 TLS13_AES_256_GCM_SHA384`, `memory`.
    pub transport: String,
    /// Our address, as text.
    pub local: String,
    /// The peer's address, as text.
    pub peer: String,
    /// The peer's address, when it is one of a network.
    pub peer_addr: Option<SocketAddr>,
    /// Our address, when it is one of a network.
    pub local_addr: Option<SocketAddr>,
    /// Whether TLS was done without checking the peer's certificate.
    pub insecure: bool,
}

/// An open stream before framing: for whoever wants the bytes as they come (a proxy).
pub struct Opened {
    /// The bytes.
    pub stream: BoxStream,
    /// What is known of it.
    pub info: Info,
    /// The hold on the socket below.
    pub control: Control,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("info", &self.info).finish()
    }
}

const OPEN: u8 = 0;
const CLOSE: u8 = 1;
const RESET: u8 = 2;

/// A hold on the socket below TLS, to end it without ceremony. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Control {
    state: Arc<AtomicU8>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Control {
    /// Ends the TCP connection with a reset; data on the way is lost.
    pub fn reset(&self) {
        self.set(RESET);
    }

    /// Closes the TCP connection at once; under TLS, without a close_notify.
    pub fn close(&self) {
        self.set(CLOSE);
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    }

    fn note(&self, cx: &Context<'_>) {
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *waker {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
    }
}

/// What can be ended by a [`Control`].
pub(super) trait Endable: Stream {
    /// Makes dropping it a reset, where there is such a thing.
    fn harden(&self) -> io::Result<()>;
}

impl Endable for TcpStream {
    fn harden(&self) -> io::Result<()> {
        // Dropped with a linger time of zero, the socket sends RST.
        self.set_zero_linger()
    }
}

impl Endable for DuplexStream {
    fn harden(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that a [`Control`] can end.
pub(super) struct Wire<S: Endable> {
    inner: Option<S>,
    control: Control,
}

impl<S: Endable> Wire<S> {
    pub fn new(inner: S) -> (Wire<S>, Control) {
        let control = Control::default();
        let wire = Wire {
            inner: Some(inner),
            control: control.clone(),
        };
        (wire, control)
    }

    /// The socket, unless it has been ended.
    fn socket(&mut self) -> io::Result<&mut S> {
        let state = self.control.state.load(Ordering::SeqCst);
        if state != OPEN
            && let Some(inner) = self.inner.take()
            && state == RESET
        {
            inner.harden()?;
        }
        self.inner.as_mut().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection was ended on purpose",
            )
        })
    }
}

impl<S: Endable> Drop for Wire<S> {
    fn drop(&mut self) {
        // A reset that nobody polled for still has to be one.
        if self.control.state.load(Ordering::SeqCst) == RESET
            && let Some(inner) = &self.inner
        {
            let _ = inner.harden();
        }
    }
}

impl<S: Endable> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.control.note(cx);
        let tcp = self.socket()?;
        Pin::new(tcp).poll_read(cx, buf)
    }
}

impl<S: Endable> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tcp = self.socket()?;
        Pin::new(tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tcp = self.socket()?;
        Pin::new(tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tcp = self.socket()?;
        Pin::new(tcp).poll_shutdown(cx)
    }
}

/// Two ends of a stream in memory, each buffering up to `size` bytes.
pub fn memory(size: usize) -> (Opened, Opened) {
    let (one, other) = tokio::io::duplex(size);
    let end = |stream: DuplexStream, local: &str, peer: &str| {
        let (wire, control) = Wire::new(stream);
        Opened {
            stream: Box::new(wire),
            info: Info {
                transport: "memory".to_owned(),
                local: local.to_owned(),
                peer: peer.to_owned(),
                peer_addr: None,
                local_addr: None,
                insecure: false,
            },
            control,
        }
    };
    (end(one, "one", "other"), end(other, "other", "one"))
}
