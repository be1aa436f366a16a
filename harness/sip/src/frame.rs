/*! Messages out of a byte stream.

Takes bytes in whatever pieces the network delivers; gives frames: messages
delimited by Content-Length (RFC 3261 18.3), CRLF keep-alives (RFC 5626 3.5.1),
or one fatal error, after which the stream is beyond reading. Does no I/O and
never holds more than its limits. The cost is linear in the bytes, also when
they come one by one, and any split of a stream yields the same frames.
*/

use std::fmt;

use crate::message::Message;
use crate::name::is_token_byte;
use crate::parse::{self, Head, Length, blank_line, excerpt};

/// How much of a faulty stream an error keeps as evidence.
const EVIDENCE: usize = 64 * 1024;

/// How large a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of start line and headers together. Default 64 KiB.
    pub head: usize,
    /// Header lines. Default 256.
    pub headers: usize,
    /// Bytes of the body. Default 16 MiB.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: 64 * 1024,
            headers: 256,
            body: 16 * 1024 * 1024,
        }
    }
}

/// How empty lines between messages are read (RFC 5626 3.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blank {
    /// CRLF CRLF is a ping. A single CRLF is a pong, known as such once a message follows or the stream ends.
    /// The way of who accepted the connection.
    #[default]
    Pings,
    /// Every CRLF is a pong at once. The way of who opened the connection and sends the pings.
    Pongs,
}

/// A unit of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(Message),
    /// Empty lines between messages.
    KeepAlive {
        /// Which half of the keep-alive.
        kind: KeepAlive,
        /// The exact bytes.
        bytes: Vec<u8>,
    },
    /// The stream cannot be read any further.
    Error(FrameError),
}

/// The halves of a keep-alive (RFC 5626 3.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// CRLF CRLF: asks whether the peer is there.
    Ping,
    /// CRLF: the answer.
    Pong,
}

/// Why a stream cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError {
    /// The kind of fault.
    pub kind: FrameErrorKind,
    /// What is wrong, as a sentence without full stop.
    pub what: String,
    /// Offset of the fault in `bytes`.
    pub offset: usize,
    /// What had arrived of the faulty message, at most 64 KiB.
    pub bytes: Vec<u8>,
    /// The head, when it could be read: whoever wants to answer 400 or 413 finds the headers here.
    pub head: Option<Box<Message>>,
}

/// The kinds of framing faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameErrorKind {
    /// The bytes are not SIP.
    NotSip,
    /// Start line and headers exceed the limit in bytes or lines.
    HeadTooLarge,
    /// Content-Length is no number.
    BadContentLength,
    /// Two different Content-Length values.
    ConflictingContentLength,
    /// Content-Length exceeds the limit.
    BodyTooLarge,
    /// The stream ended inside a message.
    HalfMessage,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for FrameError {}

/// Cuts a byte stream into frames.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    blank: Blank,
    buf: Vec<u8>,
    /// Offset in `buf` of the current message's first byte.
    from: usize,
    /// Offset in `buf` up to which line ends were looked for.
    seen: usize,
    /// Offset in `buf` where the line being looked at begins.
    line: usize,
    /// The head of the current message with the message's full length, once known.
    head: Option<(Head, usize)>,
    dead: bool,
}

impl Framer {
    /// A framer at the beginning of a stream.
    pub fn new(limits: Limits, blank: Blank) -> Framer {
        Framer {
            limits,
            blank,
            buf: Vec::new(),
            from: 0,
            seen: 0,
            line: 0,
            head: None,
            dead: false,
        }
    }

    /// Adds bytes as they arrived. After a fatal error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.dead {
            return;
        }
        if self.from > 0 && self.from * 2 >= self.buf.len() {
            self.buf.drain(..self.from);
            self.seen -= self.from;
            self.line -= self.from;
            self.from = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    /// The next frame, or none until more bytes come. Call it until it gives none.
    #[expect(
        clippy::should_implement_trait,
        reason = "a framer that gave none may give more later"
    )]
    pub fn next(&mut self) -> Option<Frame> {
        if self.dead {
            return None;
        }
        match self.step() {
            Ok(None) => {
                self.relax();
                None
            }
            Ok(frame) => frame,
            Err(error) => {
                self.dead = true;
                self.buf = Vec::new();
                self.head = None;
                self.advance(0);
                Some(Frame::Error(error))
            }
        }
    }

    /// Tells the end of the stream: gives what was left over, which is half a message or a pong.
    pub fn finish(&mut self) -> Option<Frame> {
        if self.dead {
            return None;
        }
        self.dead = true;
        let frame = self.left_over();
        self.buf = Vec::new();
        self.head = None;
        self.advance(0);
        frame
    }

    fn left_over(&self) -> Option<Frame> {
        let rest = &self.buf[self.from..];
        if rest.is_empty() {
            return None;
        }
        if matches!(rest, b"\r\n" | b"\n") {
            return Some(Frame::KeepAlive {
                kind: KeepAlive::Pong,
                bytes: rest.to_vec(),
            });
        }
        let what = match &self.head {
            Some((head, whole)) => format!(
                "the stream ended inside a message: {} of {} bytes of the body had come",
                rest.len() - head.end,
                whole - head.end
            ),
            None => format!(
                "the stream ended inside a message: its head had not ended after {} bytes",
                rest.len()
            ),
        };
        let offset = rest.len();
        Some(Frame::Error(self.fault(
            FrameErrorKind::HalfMessage,
            what,
            offset,
        )))
    }

    /// Bytes held of a message that is not whole yet.
    pub fn pending(&self) -> usize {
        self.buf.len() - self.from
    }

    /// What is being waited for, for messages about a peer that fell silent.
    pub fn waiting_for(&self) -> String {
        match &self.head {
            _ if self.pending() == 0 => "a message".to_owned(),
            Some((head, whole)) => format!(
                "the rest of a body: {} of {} bytes have come",
                self.pending() - head.end,
                whole - head.end
            ),
            None => format!(
                "the end of a message head, of which {} bytes have come",
                self.pending()
            ),
        }
    }

    /// Gives the space of a large message back once it was taken: most connections are idle most of the time.
    fn relax(&mut self) {
        const KEPT: usize = 16 << 10;
        if self.from == self.buf.len() && self.buf.capacity() > KEPT {
            self.buf = Vec::new();
            self.advance(0);
        }
    }

    fn step(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.head.is_none() {
            if let Some(frame) = self.blank_lines() {
                return Ok(Some(frame));
            }
            if !self.find_head()? {
                return Ok(None);
            }
        }
        let whole = match &self.head {
            Some((_, whole)) if self.pending() >= *whole => *whole,
            _ => return Ok(None),
        };
        let Some((head, _)) = self.head.take() else {
            return Ok(None);
        };
        let end = self.from + whole;
        let bytes = self.buf[self.from..end].to_vec();
        self.advance(end);
        Ok(Some(Frame::Message(Message::assemble(head, bytes))))
    }

    fn advance(&mut self, to: usize) {
        self.from = to;
        self.seen = to;
        self.line = to;
    }

    /// Takes empty lines before a message as keep-alives.
    fn blank_lines(&mut self) -> Option<Frame> {
        if self.seen > self.from {
            return None;
        }
        let first = blank_line(&self.buf, self.from)?;
        let (kind, end) = match (self.blank, blank_line(&self.buf, first)) {
            (Blank::Pongs, _) => (KeepAlive::Pong, first),
            (Blank::Pings, Some(second)) => (KeepAlive::Ping, second),
            // A second CRLF may still be on its way.
            (Blank::Pings, None) if self.buf.len() == first => return None,
            (Blank::Pings, None) if self.buf[first..] == *b"\r" => return None,
            (Blank::Pings, None) => (KeepAlive::Pong, first),
        };
        let bytes = self.buf[self.from..end].to_vec();
        self.advance(end);
        Some(Frame::KeepAlive { kind, bytes })
    }

    /// Looks for the empty line that ends the head; parses the head once it is there.
    fn find_head(&mut self) -> Result<bool, FrameError> {
        let rest = &self.buf[self.from..];
        match rest {
            [] | [b'\r'] => return Ok(false),
            // An empty line that may become a ping.
            _ if self.seen == self.from && blank_line(rest, 0).is_some() => return Ok(false),
            [first, ..] if !is_token_byte(*first) => {
                let what = if rest.starts_with(&[0x16]) {
                    "the peer speaks TLS where plain SIP was expected".to_owned()
                } else {
                    format!("the stream is not SIP: it begins with {}", excerpt(rest))
                };
                return Err(self.fault(FrameErrorKind::NotSip, what, 0));
            }
            _ => {}
        }
        if self.line == self.from
            && let Some(at) = self.buf[self.seen..]
                .iter()
                .take_while(|b| **b != b'\n')
                .position(|b| (*b < b' ' && !matches!(b, b'\t' | b'\r')) || *b == 0x7f)
        {
            // Noise rarely contains line ends; it need not be waited for.
            let at = self.seen - self.from + at;
            let what = format!(
                "the stream is not SIP: a control character in {}",
                excerpt(rest)
            );
            return Err(self.fault(FrameErrorKind::NotSip, what, at));
        }
        while let Some(at) = self.buf[self.seen..].iter().position(|b| *b == b'\n') {
            let lf = self.seen + at;
            let line = self.line;
            self.seen = lf + 1;
            self.line = lf + 1;
            let mut text = &self.buf[line..lf];
            text = text.strip_suffix(b"\r").unwrap_or(text);
            if line == self.from {
                if let Err(what) = parse::check_start_line(text) {
                    let what = format!("the stream is not SIP: {what}");
                    return Err(self.fault(FrameErrorKind::NotSip, what, 0));
                }
            } else if text.is_empty() {
                return self.take_head(lf + 1).map(|()| true);
            }
            if self.seen - self.from > self.limits.head {
                break;
            }
        }
        if self.seen - self.from <= self.limits.head {
            self.seen = self.buf.len();
        }
        if self.pending() > self.limits.head {
            let what = format!(
                "the head of a message has not ended after {} bytes",
                self.limits.head
            );
            return Err(self.fault(FrameErrorKind::HeadTooLarge, what, self.limits.head));
        }
        Ok(false)
    }

    fn take_head(&mut self, end: usize) -> Result<(), FrameError> {
        let bytes = &self.buf[self.from..end];
        if bytes.len() > self.limits.head {
            let what = format!("the head of a message exceeds {} bytes", self.limits.head);
            return Err(self.fault(FrameErrorKind::HeadTooLarge, what, self.limits.head));
        }
        let head = match parse::head(bytes, self.limits.headers) {
            Ok(head) => head,
            Err(e) => {
                let kind = if bytes.iter().filter(|b| **b == b'\n').count() > self.limits.headers {
                    FrameErrorKind::HeadTooLarge
                } else {
                    FrameErrorKind::NotSip
                };
                return Err(self.fault(kind, format!("line {}: {}", e.line, e.what), e.offset));
            }
        };
        let (kind, what, offset) = match head.length {
            Length::Missing => {
                let whole = head.end;
                self.head = Some((head, whole));
                return Ok(());
            }
            Length::Bytes(n) if n <= self.limits.body as u64 => {
                let whole = head.end + n as usize;
                self.head = Some((head, whole));
                return Ok(());
            }
            Length::Bytes(n) => (
                FrameErrorKind::BodyTooLarge,
                format!(
                    "Content-Length announces {n} bytes, the limit is {}",
                    self.limits.body
                ),
                head.end,
            ),
            Length::Bad(at) => (
                FrameErrorKind::BadContentLength,
                "Content-Length is not a number, so the end of the message is unknown".to_owned(),
                at,
            ),
            Length::Conflict(at) => (
                FrameErrorKind::ConflictingContentLength,
                "two Content-Length headers differ, so the end of the message is unknown"
                    .to_owned(),
                at,
            ),
        };
        let copy = bytes.to_vec();
        let mut error = self.fault(kind, what, offset);
        error.head = Some(Box::new(Message::assemble(head, copy)));
        Err(error)
    }

    fn fault(&self, kind: FrameErrorKind, what: String, offset: usize) -> FrameError {
        let rest = &self.buf[self.from..];
        FrameError {
            kind,
            what,
            offset,
            bytes: rest[..rest.len().min(EVIDENCE)].to_vec(),
            head: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framer: &mut Framer, bytes: &[u8]) -> Vec<Frame> {
        framer.push(bytes);
        std::iter::from_fn(|| framer.next()).collect()
    }

    fn one(bytes: &[u8]) -> FrameError {
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        match frames(&mut framer, bytes).as_slice() {
            [Frame::Error(e)] => e.clone(),
            other => panic!("one error expected, got {other:?}"),
        }
    }

    #[test]
    fn body_with_blank_lines_and_pipelined_messages() {
        let stream = b"INFO sip:a@b SIP/2.0\r\nl: 8\r\n\r\nab\r\n\r\ncd\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n\r\n";
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        let got = frames(&mut framer, stream);
        let [
            Frame::Message(info),
            Frame::KeepAlive {
                kind: KeepAlive::Ping,
                ..
            },
        ] = &got[..2]
        else {
            panic!("{got:?}")
        };
        assert_eq!(info.body(), b"ab\r\n\r\ncd");
        assert!(matches!(&got[2], Frame::Message(m) if m.status() == Some(200)));
        assert_eq!(got.len(), 3, "the last CRLF may become a ping");
        assert!(matches!(
            framer.finish(),
            Some(Frame::KeepAlive {
                kind: KeepAlive::Pong,
                ..
            })
        ));
    }

    #[test]
    fn pongs_are_known_at_once_by_who_pings() {
        let mut framer = Framer::new(Limits::default(), Blank::Pongs);
        assert_eq!(frames(&mut framer, b"\r\n\r\n").len(), 2);
    }

    #[test]
    fn fatal_faults() {
        use FrameErrorKind::*;
        let start = "INFO sip:a@b SIP/2.0\r\n";
        for (text, kind) in [
            ("\u{16}\u{3}\u{1}", NotSip),
            ("{\"json\":1}\r\n", NotSip),
            ("GET / HTTP/1.1\r\n", NotSip),
            ("some\u{0}noise", NotSip),
            (
                &format!("{start}Content-Length: x\r\n\r\n"),
                BadContentLength,
            ),
            (
                &format!("{start}Content-Length: -1\r\n\r\n"),
                BadContentLength,
            ),
            (
                &format!("{start}l: 1\r\nContent-Length: 2\r\n\r\n"),
                ConflictingContentLength,
            ),
            (
                &format!("{start}l: 99999999999999999999999\r\n\r\n"),
                BodyTooLarge,
            ),
            (&format!("{start}l: 20000000\r\n\r\n"), BodyTooLarge),
            (&format!("{start}A: {}", "x".repeat(70_000)), HeadTooLarge),
            (
                &format!("{start}{}\r\n", "a: b\r\n".repeat(300)),
                HeadTooLarge,
            ),
        ] {
            assert_eq!(
                one(text.as_bytes()).kind,
                kind,
                "{}",
                &text[..text.len().min(60)]
            );
        }
        assert!(
            one(b"INFO sip:a@b SIP/2.0\r\nCall-ID: 7\r\nl: x\r\n\r\n")
                .head
                .is_some()
        );
    }

    #[test]
    fn nothing_follows_a_fault() {
        let good = b"INFO sip:a@b SIP/2.0\r\nl: 0\r\n\r\n";
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        assert_eq!(
            frames(&mut framer, &[&good[..], b"\x16noise"].concat()).len(),
            2
        );
        assert!(frames(&mut framer, good).is_empty());
        assert_eq!((framer.pending(), framer.finish()), (0, None));
        assert_eq!(framer.waiting_for(), "a message");
    }

    #[test]
    fn the_body_limit_is_checked_before_the_body_comes() {
        let error = one(b"INFO sip:a@b SIP/2.0\r\nl: 20000000\r\n\r\n");
        assert_eq!(error.kind, FrameErrorKind::BodyTooLarge);
        assert!(error.what.contains("20000000"), "{}", error.what);
    }

    #[test]
    fn half_a_message_is_told() {
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        assert!(frames(&mut framer, b"INFO sip:a@b SIP/2.0\r\nl: 10\r\n\r\nabc").is_empty());
        assert_eq!(
            framer.waiting_for(),
            "the rest of a body: 3 of 10 bytes have come"
        );
        let Some(Frame::Error(e)) = framer.finish() else {
            panic!()
        };
        assert_eq!(e.kind, FrameErrorKind::HalfMessage);
        assert!(e.what.contains("3 of 10"), "{}", e.what);
        assert!(framer.next().is_none());
    }

    #[test]
    fn missing_length_means_no_body() {
        let mut framer = Framer::new(Limits::default(), Blank::Pings);
        let got = frames(&mut framer, b"INFO sip:a@b SIP/2.0\r\nTo: x\r\n\r\n");
        let [Frame::Message(m)] = &got[..] else {
            panic!("{got:?}")
        };
        assert!(
            m.notes()
                .iter()
                .any(|n| n.kind == crate::NoteKind::MissingContentLength)
        );
    }
}
