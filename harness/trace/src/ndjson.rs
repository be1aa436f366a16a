/*! A trace as it is stored: one event a line.

Takes and gives JSON objects in the form of [`Event`]. The reader accepts what
a cut-off writer leaves (an unfinished last line) and names line and column of
anything else; numbers of events must grow, since findings cite them.
*/

use std::fmt;

use crate::{Event, Trace};

/// Longest line that is read, in bytes: a message of the largest size, escaped.
const LINE: usize = 64 << 20;

/// A line that is no event of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NdjsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for NdjsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}:{}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for NdjsonError {}

/// The events, one a line.
pub fn to_string(events: &[Event]) -> String {
    let mut out = String::new();
    for event in events {
        // Text keys and whole numbers only: cannot fail.
        if let Ok(line) = serde_json::to_string(event) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// Reads a stored trace. The second value tells whether an unfinished last line was left out.
pub fn read(bytes: &[u8]) -> Result<(Trace, bool), NdjsonError> {
    let mut events: Vec<Event> = Vec::new();
    let mut cut = false;
    let mut lines = bytes.split(|b| *b == b'\n').enumerate().peekable();
    while let Some((i, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let error = |column: usize, what: String| NdjsonError {
            line: i + 1,
            column: column.max(1),
            what,
        };
        if line.len() > LINE {
            return Err(error(1, format!("the line is longer than {LINE} bytes")));
        }
        let event: Event = match serde_json::from_slice(line) {
            Ok(event) => event,
            Err(e) if lines.peek().is_none() && e.is_eof() => {
                cut = true;
                break;
            }
            Err(e) => {
                let text = e.to_string();
                let what = text
                    .rfind(" at line ")
                    .map_or(text.as_str(), |end| &text[..end]);
                return Err(error(
                    e.column(),
                    format!("not an event of a trace: {what}"),
                ));
            }
        };
        if let Some(last) = events.last()
            && event.seq <= last.seq
        {
            return Err(error(
                1,
                format!(
                    "event number {} follows number {}; numbers must grow",
                    event.seq, last.seq
                ),
            ));
        }
        events.push(event);
    }
    Ok((events.into_iter().collect(), cut))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Seat};

    #[test]
    fn what_is_written_is_read() {
        let mut trace = Trace::default();
        for bytes in [&b"INFO sip:a SIP/2.0\r\n\r\n"[..], b"\xff\x00\n"] {
            trace.record(
                5,
                0,
                Kind::Message {
                    from: Seat::Client,
                    bytes: bytes.into(),
                    intent: Default::default(),
                },
            );
        }
        let text = to_string(trace.events());
        assert_eq!(read(text.as_bytes()), Ok((trace.clone(), false)));
        let (short, cut) = read(&text.as_bytes()[..text.len() - 5]).unwrap();
        assert!(cut);
        assert_eq!(short.events(), &trace.events()[..1]);
        let error = read(format!("\n{text}{text}").as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 4:1: event number 0 follows number 1; numbers must grow"
        );
        let error =
            read(b"{\"seq\":0,\"at\":0,\"conn\":0,\"kind\":{\"massage\":1}}\n").unwrap_err();
        assert!(error.what.contains("massage"), "{error}");
    }
}
