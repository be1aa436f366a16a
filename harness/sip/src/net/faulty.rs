/*! A stream that suffers [`Fault`]s.

Written bytes gather until they are flushed; then the unit becomes steps (write,
wait, end …) which are done as far as the stream below takes them. Nothing runs
unless the stream is polled: what is kept back too long leaves when somebody reads.
*/

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::fault::{Fault, FaultKind, Switch};
use super::stream::{BoxStream, Control};

/// How long `reorder` and `coalesce` wait for a further unit.
const HOLD: Duration = Duration::from_millis(100);

/// How often `slow` grants its bytes.
const TICK: Duration = Duration::from_millis(100);

/// What is still to be done to the stream below.
enum Step {
    Write {
        bytes: Vec<u8>,
        at: usize,
        piece: usize,
        flush: bool,
    },
    Sleep(Duration),
    /// End our direction in order.
    Finish,
    /// Swallow everything from here on.
    Silence,
    Close,
    Reset,
}

/// A stream that suffers faults.
pub struct Faulty {
    inner: BoxStream,
    control: Option<Control>,
    switch: Switch,
    /// Which setting of the switch `faults` is.
    turn: Option<u64>,
    faults: Vec<Fault>,
    /// Bytes since the last flush.
    unit: Vec<u8>,
    count: u64,
    steps: VecDeque<Step>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Bytes kept back by `reorder` or `coalesce`, and how many units are among them.
    held: Vec<u8>,
    held_units: usize,
    hold: Option<Pin<Box<Sleep>>>,
    silent: bool,
    ended: bool,
    /// Bytes that `slow` still grants now.
    granted: usize,
    tick: Option<Pin<Box<Sleep>>>,
}

impl Faulty {
    /// Wraps a stream. `control` reaches the socket below for `reset`, `close` and `no-notify`;
    /// without one these merely end the stream.
    pub fn new(inner: BoxStream, control: Option<Control>, faults: &[Fault]) -> Faulty {
        Faulty::switched(inner, control, Switch::new(faults))
    }

    /// Like [`Faulty::new`], with faults that somebody else changes.
    pub fn switched(inner: BoxStream, control: Option<Control>, switch: Switch) -> Faulty {
        Faulty {
            inner,
            control,
            switch,
            turn: None,
            faults: Vec::new(),
            unit: Vec::new(),
            count: 0,
            steps: VecDeque::new(),
            sleep: None,
            held: Vec::new(),
            held_units: 0,
            hold: None,
            silent: false,
            ended: false,
            granted: 0,
            tick: None,
        }
    }

    /// Takes over what the switch says by now.
    fn follow(&mut self) {
        if let Some((turn, faults)) = self.switch.since(self.turn) {
            self.turn = Some(turn);
            self.faults = faults;
            self.count = 0;
        }
    }

    fn slow(&self) -> Option<usize> {
        self.faults.iter().find_map(|f| match f.kind {
            FaultKind::Slow(n) => Some(usize::try_from(n / 10).unwrap_or(usize::MAX).max(1)),
            _ => None,
        })
    }

    /// Turns the unit that was just flushed into steps.
    fn plan(&mut self) {
        self.follow();
        let mut bytes = std::mem::take(&mut self.unit);
        self.count += 1;
        let n = self.count;
        let (mut copies, mut piece, mut after) = (1, usize::MAX, None);
        let (mut reorder, mut coalesce) = (false, None);
        for fault in self.faults.iter().filter(|f| f.which.hits(n)) {
            match fault.kind {
                FaultKind::Delay(time) => self.steps.push_back(Step::Sleep(time)),
                FaultKind::Drop => copies = 0,
                FaultKind::Duplicate => copies *= 2,
                FaultKind::Reorder => reorder = true,
                FaultKind::Fragment(size) => piece = size,
                FaultKind::Coalesce(units) => coalesce = Some(units),
                FaultKind::Truncate(size) => {
                    bytes.truncate(size);
                    after = Some(Step::Finish);
                }
                FaultKind::Stall(size) => {
                    bytes.truncate(size);
                    after = Some(Step::Silence);
                }
                FaultKind::Reset => after = Some(Step::Reset),
                FaultKind::Close => after = Some(Step::Close),
                FaultKind::NoNotify | FaultKind::Slow(_) | FaultKind::Status(..) => {}
            }
        }
        let bytes = bytes.repeat(copies);
        let was_held = self.held_units;
        if let Some(units) = coalesce {
            self.held.extend(bytes);
            self.held_units += 1;
            if self.held_units < units {
                self.hold = Some(Box::pin(sleep(HOLD)));
            } else {
                self.release(piece);
            }
        } else if reorder && was_held == 0 {
            self.held.extend(bytes);
            self.held_units = 1;
            self.hold = Some(Box::pin(sleep(HOLD)));
        } else {
            self.write(bytes, piece);
            self.release(piece);
        }
        if let Some(step) = after {
            self.release(piece);
            self.steps.push_back(step);
        }
    }

    fn write(&mut self, bytes: Vec<u8>, piece: usize) {
        if !bytes.is_empty() {
            self.steps.push_back(Step::Write {
                bytes,
                at: 0,
                piece,
                flush: false,
            });
        }
    }

    /// Lets go what was kept back.
    fn release(&mut self, piece: usize) {
        let bytes = std::mem::take(&mut self.held);
        self.held_units = 0;
        self.hold = None;
        self.write(bytes, piece);
    }

    /// Does the steps as far as the stream below lets it.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(step) = self.steps.front_mut() {
            match step {
                Step::Write {
                    bytes,
                    at,
                    piece,
                    flush,
                } => {
                    if *flush {
                        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
                        *flush = false;
                    }
                    if *at < bytes.len() {
                        let end = at.saturating_add(*piece).min(bytes.len());
                        let n = ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[*at..end]))?;
                        if n == 0 {
                            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                        }
                        *at += n;
                        *flush = true;
                        continue;
                    }
                }
                Step::Sleep(time) => {
                    let time = *time;
                    let timer = self.sleep.get_or_insert_with(|| Box::pin(sleep(time)));
                    ready!(timer.as_mut().poll(cx));
                    self.sleep = None;
                }
                Step::Finish => {
                    ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
                    self.ended = true;
                }
                Step::Silence => self.silent = true,
                Step::Close => {
                    self.ended = true;
                    match &self.control {
                        Some(control) => control.close(),
                        None => ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?,
                    }
                }
                Step::Reset => {
                    self.ended = true;
                    match &self.control {
                        Some(control) => control.reset(),
                        None => ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?,
                    }
                }
            }
            self.steps.pop_front();
        }
        Poll::Ready(Ok(()))
    }

    fn refuse_after_end(&self) -> io::Result<()> {
        if self.ended {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "an injected fault ended the stream",
            ));
        }
        Ok(())
    }
}

impl AsyncWrite for Faulty {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.refuse_after_end()?;
        if !self.silent {
            self.unit.extend_from_slice(buf);
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.silent {
            return Poll::Ready(Ok(()));
        }
        if !self.unit.is_empty() {
            self.plan();
        }
        ready!(self.drive(cx))?;
        if self.ended || self.silent {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        if !self.silent {
            if !self.unit.is_empty() {
                self.plan();
            }
            if self.held_units > 0 {
                self.release(usize::MAX);
            }
            ready!(self.drive(cx))?;
        }
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        self.follow();
        let notify = !self.faults.iter().any(|f| f.kind == FaultKind::NoNotify);
        match (&self.control, notify) {
            (Some(control), false) => {
                control.close();
                self.ended = true;
                Poll::Ready(Ok(()))
            }
            _ => Pin::new(&mut self.inner).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Faulty {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Whoever reads also watches over what is kept back too long.
        if let Some(hold) = &mut self.hold
            && hold.as_mut().poll(cx).is_ready()
        {
            self.release(usize::MAX);
            if self.drive(cx)?.is_ready() {
                let _ = Pin::new(&mut self.inner).poll_flush(cx)?;
            }
        }
        self.follow();
        let Some(grant) = self.slow() else {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        };
        if self.granted == 0 {
            let timer = self.tick.get_or_insert_with(|| Box::pin(sleep(TICK)));
            ready!(timer.as_mut().poll(cx));
            self.tick = None;
            self.granted = grant;
        }
        let mut space = [0; 1024];
        let most = space.len().min(self.granted).min(buf.remaining());
        let mut part = ReadBuf::new(&mut space[..most]);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        self.granted -= part.filled().len();
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}
