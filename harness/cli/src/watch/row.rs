/*! What one event of a live recording looks like to people.

Takes events with the findings they led to; gives rows that the terminal prints
and the live page shows, so that both say the same. It keeps the bytes of
messages that may still be complained about, for the caret. It decides nothing.
*/

use std::collections::{HashMap, VecDeque};

use judge::{Blame, Finding, Verdict};
use report::console::diagnostic::stamp;
use report::evidence::{bytes_of, excerpt, locate};
use report::label::label;
use report::text;
use serde::Serialize;
use trace::{Event, Kind, Seat};
use xccos::payload::Envelope;

/// Messages kept for findings that come later (a time limit that passed).
const KEPT: usize = 512;

/// Longest answer of a server that is quoted.
const QUOTED: usize = 120;

/// An event, in words.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Number of the event.
    pub seq: u64,
    /// Since the beginning, as people read it.
    pub time: String,
    /// Number of the connection.
    pub conn: trace::Conn,
    /// Who is behind it, once that was told: the part of the address before the `@`.
    pub user: String,
    /// `message`, `keep-alive`, `garbage` or `link`.
    pub kind: &'static str,
    /// Who sent it.
    pub from: Option<Seat>,
    /// Whether the sender is under test, so that it is accepted or not.
    pub judged: bool,
    /// What it is, in one line.
    pub what: String,
    /// Why the server refuses, for an answer that does.
    pub refusal: Option<String>,
    /// Requirements broken: MUSTs and SHOULDs.
    pub fails: usize,
    /// SHOULDs among them.
    pub warns: usize,
    /// What was found.
    pub findings: Vec<Shown>,
}

/// A finding with its caret.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The requirement.
    pub id: String,
    /// MUST, SHOULD …
    pub level: String,
    /// Whether a MUST was broken.
    pub fail: bool,
    /// Whether it is our own fault.
    pub own: bool,
    /// Found and expected.
    pub message: String,
    /// The event it is about, when that is an earlier one.
    pub about: Option<String>,
    /// Where.
    pub place: Option<Caret>,
}

/// A line of a message with a part underlined.
#[derive(Debug, Clone, Serialize)]
pub struct Caret {
    /// Path into the payload.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// The line, cut to fit.
    pub source: String,
    /// Carets under the part.
    pub caret: String,
}

/// Makes rows.
pub struct Rows {
    /// Whose messages get a verdict.
    judged: Vec<Seat>,
    /// Columns a source line may take.
    width: usize,
    recent: VecDeque<Event>,
    users: HashMap<trace::Conn, String>,
}

impl Rows {
    /// Messages of `judged` seats are accepted or not; source lines take at most `width` columns.
    pub fn new(judged: &[Seat], width: usize) -> Rows {
        Rows {
            judged: judged.to_vec(),
            width,
            recent: VecDeque::new(),
            users: HashMap::new(),
        }
    }

    /// The row of an event; none for what people did not do.
    pub fn row(&mut self, event: &Event, findings: &[Finding]) -> Option<Row> {
        let mut row = Row {
            seq: event.seq,
            time: stamp(event.at),
            conn: event.conn,
            user: self.user(event),
            kind: "link",
            from: None,
            judged: false,
            what: String::new(),
            refusal: None,
            fails: count(findings, Verdict::Fail),
            warns: count(findings, Verdict::Warn),
            findings: self.shown(findings, Some(event)),
        };
        match &event.kind {
            Kind::Message { from, bytes, .. } => {
                let blank = bytes.iter().all(|b| matches!(b, b'\r' | b'\n'));
                row.kind = if blank { "keep-alive" } else { "message" };
                row.from = Some(*from);
                row.judged = self.judged.contains(from);
                row.what = label(event).line();
                row.refusal = (*from == Seat::Server).then(|| refusal(bytes)).flatten();
            }
            Kind::Garbage {
                from,
                bytes,
                problem,
            } => {
                row.kind = "garbage";
                row.from = Some(*from);
                row.judged = self.judged.contains(from);
                let bytes = text::count(bytes.len(), "byte");
                row.what = format!("{bytes} that are no SIP: {}", text::visible(problem));
            }
            Kind::Opened {
                client, transport, ..
            } => row.what = format!("connected from {client}, {transport}"),
            Kind::Closed { by, how } => {
                let by = match by {
                    Some(Seat::Client) => " by the client",
                    Some(Seat::Server) => " by the server",
                    None => "",
                };
                row.what = format!("closed{by}: {}", text::visible(how));
            }
            Kind::Note { text: note } => row.what = text::visible(note).into_owned(),
            Kind::Upper { .. } => return None,
        }
        if matches!(event.kind, Kind::Message { .. } | Kind::Garbage { .. }) {
            if self.recent.len() == KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back(event.clone());
        }
        Some(row)
    }

    /// Findings that broke something; `now` is the event that led to them.
    pub fn shown(&self, findings: &[Finding], now: Option<&Event>) -> Vec<Shown> {
        let broken = |f: &&Finding| matches!(f.verdict, Verdict::Fail | Verdict::Warn);
        findings
            .iter()
            .filter(broken)
            .map(|f| self.show(f, now))
            .collect()
    }

    fn show(&self, finding: &Finding, now: Option<&Event>) -> Shown {
        let event = finding.event.and_then(|seq| {
            now.filter(|e| e.seq == seq)
                .or_else(|| self.recent.iter().find(|e| e.seq == seq))
        });
        let about = event
            .filter(|e| now.is_none_or(|now| now.seq != e.seq))
            .map(|e| format!("{} at {}", label(e).line(), stamp(e.at)));
        let place = event.and_then(|event| {
            let bytes = bytes_of(event)?;
            let range = locate(bytes, &finding.place)?;
            let found = excerpt(bytes, &range);
            let (source, caret) = found.caret(self.width);
            let path = finding.place.path.as_deref().unwrap_or("");
            Some(Caret {
                path: text::visible(path).into_owned(),
                line: found.line,
                source,
                caret,
            })
        });
        Shown {
            id: text::visible(&finding.requirement).into_owned(),
            level: finding.level.to_string(),
            fail: finding.verdict == Verdict::Fail,
            own: finding.blame == Blame::Harness,
            message: text::visible(&finding.message).into_owned(),
            about,
            place,
        }
    }

    fn user(&mut self, event: &Event) -> String {
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
            let name = address.split('@').next().unwrap_or_default();
            let name = text::cut(&text::visible(name), 40).into_owned();
            self.users.insert(event.conn, name);
        }
        let user = self.users.get(&event.conn).cloned().unwrap_or_default();
        if matches!(event.kind, Kind::Closed { .. }) {
            self.users.remove(&event.conn);
        }
        user
    }
}

fn count(findings: &[Finding], verdict: Verdict) -> usize {
    findings.iter().filter(|f| f.verdict == verdict).count()
}

/// Code and text of the first answer in this message that is not a success.
fn refusal(bytes: &[u8]) -> Option<String> {
    let message = sip::Message::parse(bytes).ok()?;
    let envelope = Envelope::parse(message.body()).ok()?;
    let resp = envelope.primitives().find_map(|p| {
        let resp = p.element.first("resp")?;
        (resp.get("code").map(str::trim) != Some("200")).then(|| resp.clone())
    })?;
    let words = format!("{} {}", resp.get("code").unwrap_or("?"), resp.content());
    Some(text::cut(&text::visible(words.trim()), QUOTED).into_owned())
}
