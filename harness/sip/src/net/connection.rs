/*! A framed connection: frames in, bytes out, every wait with a deadline. */

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout_at};

use super::error::explain;
use super::stream::{BoxStream, Control, Info, Opened};
use crate::frame::{Blank, Frame, Framer, Limits};

/// Bytes asked of the network at a time.
const CHUNK: usize = 4096;

/// A message that has begun must be whole after this time, unless told otherwise.
const STALL: Duration = Duration::from_secs(30);

/// Both halves of a connection; take them apart to use them in different tasks.
pub struct Connection {
    /// Frames from the peer.
    pub reader: Reader,
    /// Bytes to the peer.
    pub writer: Writer,
    /// What is known of the connection.
    pub info: Info,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("info", &self.info)
            .finish()
    }
}

impl Connection {
    /// Frames an open stream.
    pub fn new(opened: Opened, limits: Limits, blank: Blank) -> Connection {
        let (read, write) = tokio::io::split(opened.stream);
        Connection {
            reader: Reader {
                half: read,
                framer: Framer::new(limits, blank),
                begun: None,
                stall: STALL,
                end: None,
            },
            writer: Writer {
                half: write,
                control: opened.control,
                broken: false,
            },
            info: opened.info,
        }
    }
}

/// Why there is no further frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing (or not all) came in time. The reader can be asked again.
    Timeout {
        /// What was waited for: `a message`, `the rest of a body: 3 of 10 bytes have come`.
        waiting_for: String,
        /// How long.
        after: Duration,
    },
    /// The peer closed the connection in order.
    Closed,
    /// The peer closed the connection without TLS close_notify.
    Truncated,
    /// The connection was reset.
    Reset,
    /// TLS or the system failed; in words.
    Failed(String),
}

impl ReadError {
    /// How the connection ended, in the words of a trace; none when it has not ended.
    pub fn how(&self) -> Option<&str> {
        match self {
            ReadError::Timeout { .. } => None,
            ReadError::Closed => Some("end of stream"),
            ReadError::Truncated => Some("end of stream without TLS close_notify"),
            ReadError::Reset => Some("reset"),
            ReadError::Failed(what) => Some(what),
        }
    }

    fn from_io(error: &io::Error) -> ReadError {
        if let Some(tls) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return ReadError::Failed(explain(tls).1);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Truncated,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted => ReadError::Reset,
            _ => ReadError::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Timeout { waiting_for, after } => {
                write!(f, "waited {after:?} for {waiting_for}")
            }
            ReadError::Closed => f.write_str("the peer closed the connection"),
            ReadError::Truncated => {
                f.write_str("the peer closed the connection without TLS close_notify")
            }
            ReadError::Reset => f.write_str("the connection was reset"),
            ReadError::Failed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ReadError {}

/// The reading half.
pub struct Reader {
    half: ReadHalf<BoxStream>,
    framer: Framer,
    /// When the first byte of an unfinished message came.
    begun: Option<Instant>,
    stall: Duration,
    /// How the stream ended, told after what was left over.
    end: Option<ReadError>,
}

impl Reader {
    /// The next frame within the time (`Duration::MAX` waits for ever).
    ///
    /// A message that has begun must in any case be whole within the stall time
    /// (see [`Reader::set_stall`]). What was left over when the stream ended
    /// comes as a frame before the error. Dropping the future loses nothing.
    pub async fn frame(&mut self, within: Duration) -> Result<Frame, ReadError> {
        let start = Instant::now();
        let asked = start.checked_add(within);
        loop {
            if let Some(frame) = self.framer.next() {
                self.begun = (self.framer.pending() > 0).then(Instant::now);
                return Ok(frame);
            }
            if let Some(end) = &self.end {
                return match self.framer.finish() {
                    Some(frame) => Ok(frame),
                    None => Err(end.clone()),
                };
            }
            let stalled = self.begun.and_then(|b| b.checked_add(self.stall));
            let deadline = match (asked, stalled) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let mut chunk = [0; CHUNK];
            let read = match deadline {
                Some(deadline) => timeout_at(deadline, self.half.read(&mut chunk)).await,
                None => Ok(self.half.read(&mut chunk).await),
            };
            match read {
                Err(_) => {
                    return Err(ReadError::Timeout {
                        waiting_for: self.framer.waiting_for(),
                        after: match (asked, self.begun) {
                            (Some(asked), _) if Instant::now() >= asked => within,
                            (_, Some(begun)) => begun.elapsed(),
                            _ => start.elapsed(),
                        },
                    });
                }
                Ok(Ok(0)) => self.end = Some(ReadError::Closed),
                Ok(Ok(n)) => {
                    self.framer.push(&chunk[..n]);
                    self.begun.get_or_insert_with(Instant::now);
                }
                Ok(Err(error)) => self.end = Some(ReadError::from_io(&error)),
            }
        }
    }

    /// How long a message may take from its first byte to its last. Default 30 s.
    pub fn set_stall(&mut self, stall: Duration) {
        self.stall = stall;
    }

    /// Changes the size limits; to be done before the first frame.
    pub fn set_limits(&mut self, limits: Limits, blank: Blank) {
        self.framer = Framer::new(limits, blank);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("framer", &self.framer)
            .finish()
    }
}

/// Why bytes could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The peer did not take them in time; the connection is unusable now.
    Timeout(Duration),
    /// The connection is gone; in words.
    Gone(String),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Timeout(after) => {
                write!(f, "the peer has not taken our bytes within {after:?}")
            }
            WriteError::Gone(what) => write!(f, "the connection is gone: {what}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// The writing half.
pub struct Writer {
    half: WriteHalf<BoxStream>,
    control: Control,
    broken: bool,
}

impl Writer {
    /// Writes and flushes these bytes as one unit (faults count these units) within the time.
    pub async fn send(&mut self, bytes: &[u8], within: Duration) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Gone("an earlier write failed".to_owned()));
        }
        self.broken = true;
        let work = async {
            self.half.write_all(bytes).await?;
            self.half.flush().await
        };
        let done = match Instant::now().checked_add(within) {
            Some(deadline) => timeout_at(deadline, work).await,
            None => Ok(work.await),
        };
        match done {
            Err(_) => Err(WriteError::Timeout(within)),
            Ok(Err(error)) => Err(WriteError::Gone(error.to_string())),
            Ok(Ok(())) => {
                self.broken = false;
                Ok(())
            }
        }
    }

    /// Closes our direction in order: TLS close_notify, then TCP FIN.
    pub async fn close(&mut self, within: Duration) {
        self.broken = true;
        let _ = tokio::time::timeout(within, self.half.shutdown()).await;
    }

    /// The hold on the socket, to reset it or to close it without TLS close_notify.
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("broken", &self.broken)
            .finish()
    }
}
