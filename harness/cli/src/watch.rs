/*! What the mock and the proxy print: one line for every message, and what it violates below.

An observer of a live recording. It takes events with the findings they led to
and prints; it keeps, of each message that may still be complained about, its
bytes for the caret. It decides nothing.
*/

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anstyle::AnsiColor;
use judge::{Blame, Finding, Verdict};
use peer::recorder::Observer;
use report::console::Verbosity;
use report::console::diagnostic::stamp;
use report::evidence::{bytes_of, excerpt, locate};
use report::label::label;
use report::text;
use trace::{Event, Kind, Seat};

use crate::terminal::Terminal;

/// Messages kept for findings that come later (a time limit that passed).
const KEPT: usize = 512;

/// Prints to stderr.
pub struct Watch {
    terminal: Terminal,
    /// Whose messages get a verdict: the seats under test.
    judged: Vec<Seat>,
    recent: VecDeque<Event>,
    /// Name of the user behind each connection, once it told.
    users: std::collections::HashMap<trace::Conn, String>,
}

impl Watch {
    /// Prints; messages of `judged` seats are told to be accepted or not.
    pub fn new(terminal: Terminal, judged: &[Seat]) -> Watch {
        Watch {
            terminal,
            judged: judged.to_vec(),
            recent: VecDeque::new(),
            users: Default::default(),
        }
    }

    fn who(&mut self, event: &Event) -> String {
        if let Kind::Message {
            from: Seat::Client,
            bytes,
            ..
        } = &event.kind
            && !self.users.contains_key(&event.conn)
            && let Ok(message) = sip::Message::parse(bytes.clone())
            && message.is_request()
            && let Ok(from) = message.from()
        {
            let address = from.uri.address();
            self.users
                .insert(event.conn, text::visible(&address).into_owned());
        }
        let user = self.users.get(&event.conn).map_or("", String::as_str);
        let user = user.split('@').next().unwrap_or_default();
        format!("#{} {:<10}", event.conn, text::cut(user, 10))
    }

    fn line(&mut self, event: &Event, findings: &[Finding]) -> Option<String> {
        let who = self.who(event);
        let dim = AnsiColor::BrightBlack.on_default();
        let time = format!("{dim}{:>11}{dim:#}", stamp(event.at));
        let verbose = self.terminal.verbosity;
        let line = match &event.kind {
            Kind::Message { from, bytes, .. } => {
                let what = label(event).line();
                if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) && verbose < Verbosity::Verbose
                {
                    return None;
                }
                let arrow = if *from == Seat::Client { "→" } else { "←" };
                let judged = self.judged.contains(from);
                if !judged && verbose < Verbosity::Normal {
                    return None;
                }
                let verdict = if judged {
                    accepted(findings)
                } else {
                    String::new()
                };
                let what = if judged {
                    what
                } else {
                    format!("{dim}{what}{dim:#}")
                };
                format!("{time} {who} {arrow} {what}{verdict}")
            }
            Kind::Garbage { bytes, problem, .. } => {
                let red = AnsiColor::Red.on_default().bold();
                format!(
                    "{time} {who} → {red}{} that are no SIP{red:#}: {}",
                    text::count(bytes.len(), "byte"),
                    text::visible(problem)
                )
            }
            Kind::Opened {
                client, transport, ..
            } => {
                format!("{time} {who} connected from {client}, {transport}")
            }
            Kind::Closed { by, how } => {
                let by = match by {
                    Some(Seat::Client) => " by the client",
                    Some(Seat::Server) => " by the server",
                    None => "",
                };
                format!("{time} {who} closed{by}: {}", text::visible(how))
            }
            Kind::Note { text: note } => format!("{time} {who} {}", text::visible(note)),
            Kind::Upper { .. } => return None,
        };
        let quiet = verbose == Verbosity::Quiet && !findings.iter().any(is_violation);
        (!quiet).then_some(line)
    }

    /// A finding with its caret, indented under its message.
    fn violation(&self, finding: &Finding, now: Option<&Event>) -> String {
        let style = match finding.verdict {
            Verdict::Fail => AnsiColor::Red.on_default().bold(),
            _ => AnsiColor::Yellow.on_default().bold(),
        };
        let pad = " ".repeat(12);
        let mut out = String::new();
        let whose = match finding.blame {
            Blame::Harness => " (our own fault)",
            _ => "",
        };
        let _ = writeln!(
            out,
            "{pad}{style}{}{style:#} {}{whose}: {}",
            text::visible(&finding.requirement),
            finding.level,
            text::visible(&finding.message)
        );
        let event = finding.event.and_then(|seq| {
            now.filter(|e| e.seq == seq)
                .or_else(|| self.recent.iter().find(|e| e.seq == seq))
        });
        let Some(event) = event else {
            return out;
        };
        if now.is_none_or(|now| now.seq != event.seq) {
            let _ = writeln!(
                out,
                "{pad}  about {} at {}",
                label(event).line(),
                stamp(event.at)
            );
        }
        if let Some(bytes) = bytes_of(event)
            && let Some(range) = locate(bytes, &finding.place)
        {
            let found = excerpt(bytes, &range);
            let room = self.terminal.width.saturating_sub(pad.len() + 8);
            let (source, caret) = found.caret(room);
            let path = finding.place.path.as_deref().unwrap_or("");
            let number = found.line.to_string();
            let blank = " ".repeat(number.len());
            let blue = AnsiColor::Blue.on_default().bold();
            let _ = writeln!(out, "{pad}{blank} {blue}::{blue:#} {}", text::visible(path));
            let _ = writeln!(out, "{pad}{blue}{number} |{blue:#} {source}");
            let _ = writeln!(out, "{pad}{blank} {blue}|{blue:#} {style}{caret}{style:#}");
        }
        out
    }
}

fn is_violation(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Warn)
}

/// `accepted`, or how many requirements the message violates.
fn accepted(findings: &[Finding]) -> String {
    let fails = findings
        .iter()
        .filter(|f| f.verdict == Verdict::Fail)
        .count();
    let warns = findings
        .iter()
        .filter(|f| f.verdict == Verdict::Warn)
        .count();
    let (style, words) = match (fails, warns) {
        (0, 0) => (AnsiColor::Green.on_default(), "accepted".to_owned()),
        (0, n) => (
            AnsiColor::Yellow.on_default(),
            format!("accepted, {}", text::count(n, "warning")),
        ),
        (n, _) => (
            AnsiColor::Red.on_default().bold(),
            text::count(n, "violation"),
        ),
    };
    format!("  {style}{words}{style:#}")
}

impl Observer for Watch {
    fn event(&mut self, event: &Event, findings: &[Finding]) {
        let mut out = String::new();
        if let Some(line) = self.line(event, findings) {
            let _ = writeln!(out, "{line}");
            if self.terminal.verbosity >= Verbosity::Wire
                && let Some(bytes) = bytes_of(event)
            {
                for line in text::visible_lines(&text::lossless(bytes)).lines() {
                    let _ = writeln!(out, "{:12}| {line}", "");
                }
            }
        }
        for finding in findings.iter().filter(|f| is_violation(f)) {
            out.push_str(&self.violation(finding, Some(event)));
        }
        if !out.is_empty() {
            anstream::eprint!("{out}");
        }
        if matches!(event.kind, Kind::Message { .. } | Kind::Garbage { .. }) {
            if self.recent.len() == KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back(event.clone());
        }
    }

    fn end(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|f| is_violation(f)) {
            anstream::eprint!("{}", self.violation(finding, None));
        }
    }
}

/// Counts violations, for the last line and the exit code.
#[derive(Clone, Default)]
pub struct Tally(std::sync::Arc<std::sync::Mutex<Counts>>);

/// What a [`Tally`] counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub messages: u64,
    pub failed: u64,
    pub warned: u64,
    pub own: u64,
}

impl Tally {
    /// The counts so far.
    pub fn counts(&self) -> Counts {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn add(&self, message: bool, findings: &[Finding]) {
        let mut counts = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.messages += u64::from(message);
        for finding in findings {
            match (finding.verdict, finding.blame) {
                (Verdict::Fail, Blame::Target) => counts.failed += 1,
                (Verdict::Fail, _) => counts.own += 1,
                (Verdict::Warn, _) => counts.warned += 1,
                _ => {}
            }
        }
    }
}

impl Observer for Tally {
    fn event(&mut self, event: &Event, findings: &[Finding]) {
        self.add(matches!(event.kind, Kind::Message { .. }), findings);
    }

    fn end(&mut self, findings: &[Finding]) {
        self.add(false, findings);
    }
}

/// Writes the trace as NDJSON, event by event.
pub struct Record {
    out: BufWriter<File>,
    failed: bool,
}

impl Record {
    /// Into a fresh file.
    pub fn create(path: &Path) -> std::io::Result<Record> {
        Ok(Record {
            out: BufWriter::new(File::create(path)?),
            failed: false,
        })
    }
}

impl Observer for Record {
    fn event(&mut self, event: &Event, _: &[Finding]) {
        let write = |out: &mut BufWriter<File>| -> std::io::Result<()> {
            serde_json::to_writer(&mut *out, event)?;
            out.write_all(b"\n")?;
            // A recording is wanted most when the process dies.
            out.flush()
        };
        if !self.failed
            && let Err(error) = write(&mut self.out)
        {
            self.failed = true;
            crate::commands::warn(&format!("the recording ends here: {error}"));
        }
    }
}
