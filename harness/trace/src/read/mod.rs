/*! Traces out of what other programs recorded.

Takes the bytes of a file; gives a [`Trace`] with a guess of who sits in which
seat, and remarks on everything the file does not show, so that nobody takes
silence for conformance. Reads stored traces, SIP text logs of many kinds, and
packet captures. It judges nothing and opens no file itself.
*/

mod capture;
mod holes;
mod log;
mod packets;
mod seats;
mod tcp;

use std::fmt;

use crate::{Trace, ndjson};

/// Largest file that is read, in bytes.
pub const LARGEST: usize = 1 << 30;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One XML document: a payload, no exchange.
    Payload,
    /// A stored trace, one event a line.
    Trace,
    /// The event stream of a Parlance run (`events.ndjson`).
    Run,
    /// SIP messages in text, with or without lines between them.
    Log,
    /// A packet capture (pcap or pcapng).
    Capture,
}

impl Format {
    /// The format in words.
    pub fn words(self) -> &'static str {
        match self {
            Format::Payload => "an XML payload",
            Format::Trace => "a stored trace",
            Format::Run => "the event stream of a run",
            Format::Log => "a SIP text log",
            Format::Capture => "a packet capture",
        }
    }
}

/// A file, read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it was taken for.
    pub format: Format,
    /// What it shows.
    pub trace: Trace,
    /// Who was taken for whom and why, one sentence each.
    pub seats: Vec<String>,
    /// What the file does not show, or what had to be assumed, one sentence each.
    pub remarks: Vec<String>,
    /// Whether messages are missing inside it (not just before and after): then only what a message shows by itself
    /// can be held against anybody. A remark says so.
    pub holes: bool,
}

/// Why a file gives no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The name the file was given by.
    pub name: String,
    /// Line and column from 1, when the place is known and the file is text.
    pub place: Option<(usize, usize)>,
    /// What is wrong and, where possible, what to do.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.name, self.what),
            None => write!(f, "{}: {}", self.name, self.what),
        }
    }
}

impl std::error::Error for ReadError {}

/// What the bytes look like; none when they look like nothing that can be read.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    if packets::is_capture(bytes) {
        return Some(Format::Capture);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    match text.first() {
        // A log that begins inside a body looks like a document at first sight.
        Some(b'<') if log::has_message(bytes) && !is_document(text) => Some(Format::Log),
        Some(b'<') => Some(Format::Payload),
        Some(b'{') if text.starts_with(b"{\"run-started\"") => Some(Format::Run),
        Some(b'{') => Some(Format::Trace),
        _ if log::has_message(bytes) => Some(Format::Log),
        // UTF-16 with a mark: an XML document of the other kind, whose fault the payload's reader tells.
        Some(0xff | 0xfe) if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) => {
            Some(Format::Payload)
        }
        _ => None,
    }
}

fn is_document(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| roxmltree::Document::parse(text).is_ok())
}

/// Reads a file as a trace. `name` is only used in errors.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let error = |place, what: String| ReadError {
        name: name.to_owned(),
        place,
        what,
    };
    if bytes.len() > LARGEST {
        return Err(error(
            None,
            format!("the file is larger than {LARGEST} bytes; cut it to the part in question"),
        ));
    }
    match detect(bytes) {
        Some(Format::Trace) => match ndjson::read(bytes) {
            Ok((trace, cut)) => {
                let mut remarks = Vec::new();
                if cut {
                    remarks.push("the last line is cut off and was left out".to_owned());
                }
                if trace.events().is_empty() {
                    remarks.push("the trace has no events".to_owned());
                }
                Ok(Reading {
                    format: Format::Trace,
                    trace,
                    seats: Vec::new(),
                    remarks,
                    holes: false,
                })
            }
            Err(e) => Err(error(Some((e.line, e.column)), e.what)),
        },
        Some(Format::Log) => log::read(bytes).map_err(|what| error(None, what)),
        Some(Format::Capture) => capture::read(bytes).map_err(|what| error(None, what)),
        Some(Format::Payload) => Err(error(
            None,
            "this is one XML document, not an exchange; it can only be checked as a payload".into(),
        )),
        Some(Format::Run) => Err(error(
            None,
            "this is the event stream of a run; `parlance report render` reads it, and the traces beside it can be checked".into(),
        )),
        None if bytes.is_empty() => Err(error(None, "the file is empty".into())),
        None => Err(error(
            None,
            "no SIP message was found: expected a payload, a SIP text log, a stored trace (NDJSON) or a packet capture (pcap, pcapng)".into(),
        )),
    }
}

#[cfg(test)]
mod tests;
