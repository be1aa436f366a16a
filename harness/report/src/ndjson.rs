/*! The event stream as it is stored: one JSON object a line, `events.ndjson`.

Append-only: a run that is cut short leaves a readable file. The reader takes
what a reader of a log expects (empty lines, a cut last line) and names the
line of anything else. `schemas/events.schema.json` describes the form.
*/

use std::fmt;
use std::io::{self, Write};

use judge::RunEvent;

use crate::Fold;

/// Writes each event as it happens and flushes it, so that nothing is lost when the process dies.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// A writer to a fresh file (or any sink).
    pub fn new(out: W) -> Writer<W> {
        Writer { out }
    }
}

impl<W: Write> Fold for Writer<W> {
    fn take(&mut self, event: &RunEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        // Wire traffic is plentiful and losing its tail costs little; conclusions are flushed at once.
        match event {
            RunEvent::Traced { .. } => Ok(()),
            _ => self.out.flush(),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}:{}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for ReadError {}

/// Reads a stored stream; a last line without line end that is cut off is left out.
pub fn read(bytes: &[u8]) -> Result<Vec<RunEvent>, ReadError> {
    let mut events = Vec::new();
    let mut lines = bytes.split(|b| *b == b'\n').enumerate().peekable();
    while let Some((i, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(e) if lines.peek().is_none() && e.is_eof() => break,
            Err(e) => {
                let text = e.to_string();
                let what = match text.rfind(" at line ") {
                    Some(end) => &text[..end],
                    None => &text,
                };
                return Err(ReadError {
                    line: i + 1,
                    column: e.column().max(1),
                    what: format!("not an event of a Parlance run: {what}"),
                });
            }
        }
    }
    Ok(events)
}

/// A whole stream in its stored form.
pub fn to_string(events: &[RunEvent]) -> String {
    let mut out = String::new();
    for event in events {
        // Maps with text keys and plain numbers only: cannot fail.
        if let Ok(line) = serde_json::to_string(event) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}
