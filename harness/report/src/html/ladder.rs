/*! The exchange as a ladder: one lane per endpoint, the server rightmost, one strip per event.

Strips are SVGs whose horizontal places are percentages, so that the lanes run
through from strip to strip at any width, and each strip can open to show its
message below it.
*/

use judge::Catalogue;
use trace::{Event, Intent, Kind, Seat};

use super::code::{self, escape};
use crate::console::diagnostic::stamp;
use crate::evidence::{Parties, bytes_of, evidence, payload_offset};
use crate::label::label;
use crate::run::{Attempt, Found, Weight};
use crate::text;

/// Events closer than this follow each other without a remark on the time between.
const PAUSE: u64 = 1_000_000;

/// How much of the messages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Heads and payloads.
    Full,
    /// No bytes, only the strips.
    Strips,
}

/// A lane's heading.
pub struct Lane {
    /// Endpoint name, or `server`.
    pub name: String,
    /// Whether the implementation under test plays it.
    pub under_test: bool,
}

/// One row of the ladder.
pub struct Row {
    /// Element id, `message=<scenario>:<seq>`.
    pub id: String,
    /// Text for screen readers.
    pub spoken: String,
    /// Time since the start.
    pub at: String,
    /// How long nothing happened before it, when that is worth saying.
    pub pause: Option<String>,
    /// `message`, `link`, `note`, `upper`, `noise`.
    pub class: String,
    /// The strip, as SVG.
    pub svg: String,
    /// How many findings point here, and the worst of them as a word.
    pub marks: usize,
    /// `fail`, `warn` or `info`; empty without findings.
    pub worst: &'static str,
    /// What it opens to; none when there is nothing more to see.
    pub detail: Option<Detail>,
}

/// An opened row.
pub struct Detail {
    /// Who, when, how long.
    pub facts: String,
    /// Why it is wrong on purpose.
    pub deliberate: Option<String>,
    /// The SIP head as HTML.
    pub head: String,
    /// The payload as HTML; empty without one.
    pub body: String,
    /// Where the payload came from: `XML payload, indented`.
    pub body_title: &'static str,
    /// Findings that point here.
    pub findings: Vec<Said>,
}

/// What a finding says beside its message.
pub struct Said {
    /// `fail`, `warn` or `info`.
    pub class: &'static str,
    /// Requirement id.
    pub requirement: String,
    /// MUST, SHOULD…
    pub level: String,
    /// Section of the document; empty when it is not known.
    pub section: String,
    /// The requirement's statement; empty when it is not known.
    pub statement: String,
    /// The conclusion.
    pub message: String,
    /// Which rule concluded it.
    pub rule: String,
}

/// The lanes of an exchange.
pub fn lanes(attempt: &Attempt, harness: Seat) -> Vec<Lane> {
    let parties = Parties::of(&attempt.events);
    let mut lanes: Vec<Lane> = parties
        .clients()
        .iter()
        .map(|name| Lane {
            name: text::cut(name, 28).into_owned(),
            under_test: harness == Seat::Server,
        })
        .collect();
    lanes.push(Lane {
        name: "server".to_owned(),
        under_test: harness == Seat::Client,
    });
    lanes
}

/// All rows of an exchange.
pub fn rows(scenario: &str, attempt: &Attempt, catalogue: &Catalogue, depth: Depth) -> Vec<Row> {
    let parties = Parties::of(&attempt.events);
    let lane_count = parties.clients().len() + 1;
    let mut last = None;
    attempt
        .events
        .iter()
        .map(|event| {
            let findings: Vec<&Found> = attempt
                .findings
                .iter()
                .filter(|f| f.finding.event == Some(event.seq) && f.weight() != Weight::Held)
                .collect();
            let pause = last
                .map(|at| event.at.saturating_sub(at))
                .filter(|gap| *gap >= PAUSE)
                .map(stamp);
            last = Some(event.at);
            row(
                scenario, attempt, catalogue, event, &parties, lane_count, &findings, pause, depth,
            )
        })
        .collect()
}

#[expect(
    clippy::too_many_arguments,
    reason = "one row needs all of its surroundings"
)]
fn row(
    scenario: &str,
    attempt: &Attempt,
    catalogue: &Catalogue,
    event: &Event,
    parties: &Parties,
    lanes: usize,
    findings: &[&Found],
    pause: Option<String>,
    depth: Depth,
) -> Row {
    let label = label(event);
    let worst = match findings.iter().map(|f| f.weight()).max() {
        Some(weight) => class_of(weight),
        None => "",
    };
    let who = match &event.kind {
        Kind::Message { from, .. } | Kind::Garbage { from, .. } => {
            let (sender, receiver) = parties.direction(event.conn, *from);
            format!("{sender} to {receiver}")
        }
        Kind::Upper { endpoint, .. } => format!("driver of {}", text::visible(endpoint)),
        Kind::Note { .. } => "note".to_owned(),
        Kind::Opened { .. } | Kind::Closed { .. } => parties.client(event.conn).to_owned(),
    };
    let mut spoken = format!(
        "{} at {}: {who}, {}",
        event.seq,
        stamp(event.at),
        label.line()
    );
    if !findings.is_empty() {
        spoken.push_str(&format!(", {}", text::count(findings.len(), "finding")));
    }
    let lane = |name: &str| parties.clients().iter().position(|n| n == name);
    let drawing = Drawing { lanes };
    let svg = match &event.kind {
        Kind::Message { from, intent, .. } => {
            let client = lane(parties.client(event.conn)).unwrap_or(0);
            let (a, b) = ends(client, lanes - 1, *from);
            let deliberate = matches!(intent, Intent::Deliberate(_));
            drawing.arrow(a, b, &label.head, &label.what, label.class, deliberate)
        }
        Kind::Garbage { from, .. } => {
            let client = lane(parties.client(event.conn)).unwrap_or(0);
            let (a, b) = ends(client, lanes - 1, *from);
            drawing.arrow(a, b, &label.head, "no SIP", "noise", false)
        }
        Kind::Opened { .. } | Kind::Closed { .. } => {
            let client = lane(parties.client(event.conn)).unwrap_or(0);
            drawing.link(client, lanes - 1, &label.line())
        }
        Kind::Upper {
            endpoint, command, ..
        } => {
            let at = lane(&text::visible(endpoint)).unwrap_or(0);
            drawing.note(at, if *command { "▸" } else { "◂" }, &label.what)
        }
        Kind::Note { text } => drawing.note(lanes / 2, "", &text::visible(text)),
    };
    Row {
        id: format!("message={scenario}:{}", event.seq),
        spoken,
        at: stamp(event.at),
        pause,
        class: label.class.to_owned(),
        svg,
        marks: findings.len(),
        worst,
        detail: match depth {
            Depth::Full => detail(attempt, catalogue, event, parties, findings),
            Depth::Strips => None,
        },
    }
}

/// The class of a row or a remark.
fn class_of(weight: Weight) -> &'static str {
    match weight {
        Weight::Violation => "fail",
        Weight::Warning | Weight::Waived => "warn",
        Weight::Remark | Weight::Held => "info",
    }
}

fn ends(client: usize, server: usize, from: Seat) -> (usize, usize) {
    match from {
        Seat::Client => (client, server),
        Seat::Server => (server, client),
    }
}

fn detail(
    attempt: &Attempt,
    catalogue: &Catalogue,
    event: &Event,
    parties: &Parties,
    findings: &[&Found],
) -> Option<Detail> {
    let marks: Vec<_> = findings
        .iter()
        .filter(|f| f.weight() > Weight::Remark)
        .filter_map(|f| evidence(attempt, &f.finding)?.range)
        .collect();
    let noted = findings
        .iter()
        .map(|found| {
            let f = &found.finding;
            let class = class_of(found.weight());
            let known = catalogue.get(&f.requirement);
            Said {
                class,
                requirement: text::visible(&f.requirement).into_owned(),
                level: f.level.to_string(),
                section: known.map_or(String::new(), |r| r.section.clone()),
                statement: known.map_or(String::new(), |r| r.statement.clone()),
                message: text::visible(&f.message).into_owned(),
                rule: text::visible(&f.rule).into_owned(),
            }
        })
        .collect();
    let facts = |from: Seat, bytes: &[u8]| {
        let (sender, receiver) = parties.direction(event.conn, from);
        format!(
            "message {} · {sender} → {receiver} · connection {} · {} · {}",
            event.seq,
            event.conn,
            stamp(event.at),
            text::count(bytes.len(), "byte")
        )
    };
    match &event.kind {
        Kind::Message {
            from,
            bytes,
            intent,
        } => {
            let offset = payload_offset(bytes);
            let readable = sip::Message::parse(bytes.as_slice()).is_ok();
            let (head, body) = if readable {
                let marks_head: Vec<_> =
                    marks.iter().filter(|m| m.start < offset).cloned().collect();
                let body = if offset < bytes.len() {
                    code::body(bytes, offset, &marks)
                } else {
                    String::new()
                };
                (code::head(&bytes[..offset], &marks_head), body)
            } else {
                (code::plain(bytes, &marks), String::new())
            };
            let well_formed = bytes.len() - offset <= 48 * 1024
                && std::str::from_utf8(&bytes[offset..])
                    .is_ok_and(|text| crate::xml::parse(text).is_ok());
            Some(Detail {
                facts: facts(*from, bytes),
                deliberate: match intent {
                    Intent::Plain => None,
                    Intent::Deliberate(how) => Some(text::visible(how).into_owned()),
                },
                head,
                body,
                body_title: if well_formed {
                    "payload, indented for reading"
                } else {
                    "payload, as it is"
                },
                findings: noted,
            })
        }
        Kind::Garbage {
            from,
            bytes,
            problem,
        } => Some(Detail {
            facts: format!("{} · {}", facts(*from, bytes), text::visible(problem)),
            deliberate: None,
            head: code::plain(bytes, &marks),
            body: String::new(),
            body_title: "",
            findings: noted,
        }),
        Kind::Upper {
            endpoint,
            command,
            text,
        } => Some(Detail {
            facts: format!(
                "{} of {} · {}",
                if *command {
                    "command to the driver"
                } else {
                    "answer of the driver"
                },
                text::visible(endpoint),
                stamp(event.at)
            ),
            deliberate: None,
            head: escape(text),
            body: String::new(),
            body_title: "",
            findings: noted,
        }),
        _ => None,
    }
    .filter(|_| bytes_of(event).is_some() || matches!(event.kind, Kind::Upper { .. }))
}

struct Drawing {
    lanes: usize,
}

const HEIGHT: u32 = 38;
const ARROW: u32 = 26;

impl Drawing {
    fn x(&self, lane: usize) -> String {
        percent((lane as f64 + 0.5) / self.lanes as f64)
    }

    fn open(&self, height: u32) -> String {
        let mut out = format!("<svg class=\"strip\" height=\"{height}\" aria-hidden=\"true\">");
        for lane in 0..self.lanes {
            let x = self.x(lane);
            out.push_str(&format!(
                "<line class=\"life\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{height}\"/>"
            ));
        }
        out
    }

    fn arrow(
        &self,
        from: usize,
        to: usize,
        head: &str,
        what: &str,
        class: &str,
        deliberate: bool,
    ) -> String {
        let mut out = self.open(HEIGHT);
        let (a, b) = (self.x(from), self.x(to));
        let middle = percent((from as f64 + to as f64 + 1.0) / 2.0 / self.lanes as f64);
        let point = if to >= from {
            "M0 0L-9 -4.5V4.5Z"
        } else {
            "M0 0L9 -4.5V4.5Z"
        };
        let class = if deliberate {
            format!("{class} deliberate")
        } else {
            class.to_owned()
        };
        out.push_str(&format!(
            "<g class=\"arrow {class}\"><line x1=\"{a}\" x2=\"{b}\" y1=\"{ARROW}\" y2=\"{ARROW}\"/><svg x=\"{b}\" y=\"{ARROW}\" overflow=\"visible\"><path d=\"{point}\"/></svg><circle cx=\"{a}\" cy=\"{ARROW}\" r=\"3\"/>"
        ));
        let head = text::cut(head, 40);
        let what = text::cut(what, 44);
        out.push_str(&format!(
            "<text x=\"{middle}\" y=\"17\">{}{}</text></g></svg>",
            escape(&head),
            if what.is_empty() {
                String::new()
            } else {
                format!(" <tspan>{}</tspan>", escape(&what))
            }
        ));
        out
    }

    fn link(&self, client: usize, server: usize, words: &str) -> String {
        let mut out = self.open(26);
        let (a, b) = (self.x(client), self.x(server));
        let middle = percent((client as f64 + server as f64 + 1.0) / 2.0 / self.lanes as f64);
        out.push_str(&format!(
            "<g class=\"arrow link\"><line x1=\"{a}\" x2=\"{b}\" y1=\"20\" y2=\"20\"/><text x=\"{middle}\" y=\"13\">{}</text></g></svg>",
            escape(&text::cut(words, 60))
        ));
        out
    }

    fn note(&self, lane: usize, sign: &str, words: &str) -> String {
        let mut out = self.open(26);
        out.push_str(&format!(
            "<g class=\"arrow note\"><text class=\"{}\" x=\"{}\" y=\"17\">{sign} {}</text></g></svg>",
            if lane == 0 { "start" } else { "" },
            if lane == 0 { "1%".to_owned() } else { self.x(lane) },
            escape(&text::cut(words, 70))
        ));
        out
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}
