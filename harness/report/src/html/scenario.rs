//! One scenario of the page: its line, and what it opens to.

use askama::Template;
use indexmap::IndexMap;
use judge::{Catalogue, Verdict};

use super::ladder::{self, Depth, Lane, Row};
use super::{code, filters};
use crate::console::diagnostic::stamp;
use crate::evidence::{Parties, evidence};
use crate::label::label;
use crate::run::{Attempt, Found, Run, Scenario, Weight, blame_word};
use crate::text::{self, visible};

/// A finding as a card.
pub struct Card {
    /// `fail`, `warn`, `info` or `waived`.
    pub class: &'static str,
    /// The class as a word people read.
    pub word: &'static str,
    /// Requirement id.
    pub requirement: String,
    /// Whether the catalogue has it, so that a link leads somewhere.
    pub known: bool,
    /// MUST, SHOULD…
    pub level: String,
    /// Section of the document; empty when it is not known.
    pub section: String,
    /// The requirement's statement; empty when it is not known.
    pub statement: String,
    /// Contradictions of the document around it.
    pub conflicts: String,
    /// The conclusion.
    pub message: String,
    /// Which rule concluded it.
    pub rule: String,
    /// Whose fault.
    pub blame: &'static str,
    /// The waiver's reason.
    pub waived: Option<String>,
    /// Scenario file and line that decided it.
    pub step: Option<String>,
    /// The deciding message: link target and words.
    pub message_link: Option<(String, String)>,
    /// `payload 3:7 /xccos/rpl[1]/@id`.
    pub place: String,
    /// The line with the marked part as HTML; empty without one.
    pub excerpt: String,
    /// Other messages it holds of as well: link target and number.
    pub more: Vec<(String, u64)>,
}

/// What a scenario opens to; rendered on its own so that it can be packed.
#[derive(Template)]
#[template(path = "scenario.html")]
pub struct Body {
    cards: Vec<Card>,
    more_cards: usize,
    held: Vec<String>,
    lanes: Vec<Lane>,
    rows: Vec<Row>,
    rows_dropped: usize,
    trace: String,
    diff: Vec<(&'static str, String)>,
    diff_cut: bool,
    repeat: String,
    file: String,
    earlier: Vec<(String, Vec<Card>)>,
    depth: Depth,
    reason: String,
}

/// Most rows of one ladder, cards of one scenario, and lines of one diff.
const ROWS: usize = 2_000;
const CARDS: usize = 100;
const DIFF: usize = 2_000;

/// Most further messages that one card links to.
const LINKS: usize = 40;

impl Body {
    /// Everything about one scenario, to the given depth.
    pub fn new(run: &Run, scenario: &Scenario, catalogue: &Catalogue, depth: Depth) -> Body {
        let id = &scenario.info.id;
        let attempt = &scenario.last;
        let mut rows = ladder::rows(id, attempt, catalogue, depth);
        let rows_dropped = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        let mut cards = cards(id, attempt, catalogue);
        let more_cards = cards.len().saturating_sub(CARDS);
        cards.truncate(CARDS);
        let mut held: Vec<String> = Vec::new();
        for found in &attempt.findings {
            let requirement = visible(&found.finding.requirement);
            if found.finding.verdict == Verdict::Pass && !held.iter().any(|h| *h == requirement) {
                held.push(requirement.into_owned());
            }
        }
        let diff_text = attempt
            .end
            .as_ref()
            .and_then(|e| e.snapshot_diff.as_deref())
            .unwrap_or("");
        Body {
            cards,
            more_cards,
            held,
            lanes: ladder::lanes(attempt, scenario.info.seat),
            rows,
            rows_dropped,
            trace: crate::trace_path(id),
            diff: diff_text.lines().take(DIFF).map(diff_line).collect(),
            diff_cut: diff_text.lines().count() > DIFF,
            repeat: run.repeat(id),
            file: match scenario.info.file.as_str() {
                "" => String::new(),
                file => format!("{}:{}", visible(file), scenario.info.line),
            },
            earlier: scenario
                .earlier
                .iter()
                .enumerate()
                .map(|(i, attempt)| {
                    let end = attempt.end.as_ref();
                    let mut words = format!("attempt {}", i + 1);
                    if let Some(end) = end {
                        words.push_str(&format!(
                            ": {} after {} s",
                            end.outcome,
                            text::seconds(end.duration_ms)
                        ));
                        if let Some(reason) = &end.reason {
                            words.push_str(&format!(" ({})", visible(reason)));
                        }
                    }
                    (words, self::cards(id, attempt, catalogue))
                })
                .collect(),
            depth,
            reason: scenario
                .reason()
                .map_or(String::new(), |r| visible(r).into_owned()),
        }
    }

    fn stripped(&self) -> bool {
        self.depth == Depth::Strips
    }

    /// Class for the ladder's least width.
    fn lanes_class(&self) -> usize {
        self.lanes.len().min(12)
    }
}

fn diff_line(line: &str) -> (&'static str, String) {
    let class = match line.as_bytes().first() {
        Some(b'+') => "add",
        Some(b'-') => "del",
        Some(b'@') => "hunk",
        _ => "",
    };
    (class, visible(line).into_owned())
}

/// The cards of one attempt: violations first, then what is waived, then information.
fn cards(scenario: &str, attempt: &Attempt, catalogue: &Catalogue) -> Vec<Card> {
    let mut found: Vec<&Found> = attempt
        .findings
        .iter()
        .filter(|f| f.finding.verdict != Verdict::Pass)
        .collect();
    found.sort_by_key(|f| std::cmp::Reverse(f.weight()));
    let mut groups: IndexMap<_, (&Found, Vec<u64>)> = IndexMap::new();
    for f in found {
        groups
            .entry((f.weight(), crate::run::kind(&f.finding)))
            .and_modify(|(_, more)| more.extend(f.finding.event))
            .or_insert((f, Vec::new()));
    }
    groups
        .into_values()
        .map(|(f, more)| {
            let mut card = card(scenario, attempt, catalogue, f);
            card.more = more
                .into_iter()
                .take(LINKS)
                .map(|seq| (format!("message={scenario}:{seq}"), seq))
                .collect();
            card
        })
        .collect()
}

fn card(scenario: &str, attempt: &Attempt, catalogue: &Catalogue, found: &Found) -> Card {
    let Found { finding, waived } = found;
    let (class, word) = match found.weight() {
        Weight::Violation => ("fail", "violation"),
        Weight::Warning => ("warn", "warning"),
        Weight::Waived => ("waived", "waived"),
        Weight::Remark | Weight::Held => ("info", "info"),
    };
    let requirement = catalogue.get(&finding.requirement);
    let evidence = evidence(attempt, finding);
    let parties = Parties::of(&attempt.events);
    let message_link = evidence.as_ref().map(|e| {
        let who = match &e.event.kind {
            trace::Kind::Message { from, .. } | trace::Kind::Garbage { from, .. } => {
                let (sender, receiver) = parties.direction(e.event.conn, *from);
                format!(", {sender} → {receiver}")
            }
            _ => String::new(),
        };
        (
            format!("message={scenario}:{}", e.event.seq),
            format!(
                "message {}{who}, {} at {}",
                e.event.seq,
                label(e.event).line(),
                stamp(e.event.at)
            ),
        )
    });
    let path = finding.place.path.as_deref().unwrap_or("");
    let (place, excerpt) = match evidence.as_ref().and_then(|e| e.excerpt.as_ref()) {
        Some(e) => (
            format!(
                "{} {}:{} {}",
                if e.in_payload { "payload" } else { "message" },
                e.line,
                e.column,
                visible(path)
            ),
            {
                let before = tail(&e.before, 90);
                let after = text::cut(&e.after, 120);
                let part = text::cut(&e.part, 200);
                format!(
                    "{}<mark>{}</mark>{}",
                    code::escape(&before),
                    code::escape(if part.is_empty() { "␣" } else { &part }),
                    code::escape(&after)
                )
            },
        ),
        None => (visible(path).into_owned(), String::new()),
    };
    Card {
        class,
        word,
        requirement: visible(&finding.requirement).into_owned(),
        known: requirement.is_some(),
        level: finding.level.to_string(),
        section: requirement.map_or(String::new(), |r| r.section.clone()),
        statement: requirement.map_or(String::new(), |r| r.statement.clone()),
        conflicts: requirement.map_or(String::new(), |r| r.conflicts.join(", ")),
        message: visible(&finding.message).into_owned(),
        rule: visible(&finding.rule).into_owned(),
        blame: blame_word(finding.blame),
        waived: waived.as_ref().map(|w| visible(w).into_owned()),
        step: finding
            .step
            .as_ref()
            .map(|(file, line)| format!("{}:{line}", visible(file))),
        message_link,
        place,
        excerpt,
        more: Vec::new(),
    }
}

/// The last `most` characters.
fn tail(text: &str, most: usize) -> String {
    let n = text.chars().count();
    if n <= most {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(n - most + 1).collect::<String>())
}
