//! One finding as a block with carets: into the payload, and into the scenario that decided it.

use judge::{Blame, Catalogue, Finding, Verdict};
use unicode_width::UnicodeWidthStr;

use super::style::Paint;
use crate::evidence::{Parties, evidence};
use crate::label::label;
use crate::run::{Attempt, blame_word};
use crate::text;

/// Gives the text of a scenario file, when the caller can.
pub type Sources<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a diagnostic is rendered with.
pub struct Context<'a> {
    /// Statements and sections.
    pub catalogue: &'a Catalogue,
    /// Colours or not.
    pub paint: Paint,
    /// Columns of the terminal.
    pub width: usize,
    /// Scenario files.
    pub sources: Option<Sources<'a>>,
}

/// Renders one finding; `more` are the numbers of other messages that it holds of as well. Every
/// line ends with a line feed.
pub fn diagnostic(
    context: &Context<'_>,
    attempt: &Attempt,
    finding: &Finding,
    more: &[u64],
) -> String {
    let paint = context.paint;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };

    let word = match (finding.verdict, finding.blame) {
        (Verdict::Fail, Blame::Target) => paint.red("violation"),
        (Verdict::Fail, Blame::Harness) => paint.red("harness fault"),
        (Verdict::Fail, Blame::Environment) => paint.red("environment"),
        (Verdict::Warn, _) => paint.yellow("warning"),
        (Verdict::Info, _) => paint.blue("info"),
        (Verdict::Pass, _) => paint.green("held"),
    };
    let id = paint.bold(&text::visible(&finding.requirement));
    let message = text::visible(&finding.message);
    let indent = 2;
    let head = format!("{word}[{id}] {}: ", finding.level);
    line(format!("{head}{}", paint.bold(&message)));

    let gutter = number_width(attempt, finding, context);
    let pad = " ".repeat(gutter);
    let bar = paint.blue("|");
    let equals = paint.blue("=");
    if let Some(found) = evidence(attempt, finding) {
        let parties = Parties::of(&attempt.events);
        let mut place = format!("message {}", found.event.seq);
        if let trace::Kind::Message { from, .. } | trace::Kind::Garbage { from, .. } =
            &found.event.kind
        {
            let (sender, receiver) = parties.direction(found.event.conn, *from);
            place.push_str(&format!(", {sender} → {receiver}"));
        }
        place.push_str(&format!(
            ", {} at {}",
            label(found.event).line(),
            stamp(found.event.at)
        ));
        line(format!(
            "{pad}{} {}",
            paint.blue("-->"),
            fold(&place, context.width, gutter + 4)
        ));
        if let Some(excerpt) = &found.excerpt {
            let region = if excerpt.in_payload {
                "payload"
            } else {
                "message"
            };
            let path = finding.place.path.as_deref().unwrap_or("");
            line(format!(
                "{pad}{} {region} {}:{} {}",
                paint.blue("==>"),
                excerpt.line,
                excerpt.column,
                text::visible(path)
            ));
            let (source, caret) = excerpt.caret(context.width.saturating_sub(gutter + 4));
            line(format!("{pad} {bar}"));
            line(format!(
                "{} {bar} {source}",
                paint.blue(&format!("{:>gutter$}", excerpt.line))
            ));
            line(format!(
                "{pad} {bar} {}",
                match finding.verdict {
                    Verdict::Fail => paint.red(&caret),
                    _ => paint.yellow(&caret),
                }
            ));
        } else if let Some(path) = &finding.place.path {
            line(format!(
                "{pad}{} {}",
                paint.blue("==>"),
                text::visible(path)
            ));
        }
    }
    if let Some((file, number)) = &finding.step {
        line(format!(
            "{pad}{} {}:{number}",
            paint.blue("-->"),
            text::visible(file)
        ));
        if let Some(source) = context.sources.and_then(|read| read(file))
            && let Some(step) = source.lines().nth(number.saturating_sub(1) as usize)
        {
            let shown = text::visible(step.trim_end());
            let room = context.width.saturating_sub(gutter + 4);
            let shown = text::cut(&shown, room.max(20));
            let start = shown.len() - shown.trim_start().len();
            line(format!("{pad} {bar}"));
            line(format!(
                "{} {bar} {shown}",
                paint.blue(&format!("{number:>gutter$}"))
            ));
            line(format!(
                "{pad} {bar} {}{}",
                " ".repeat(start),
                paint.blue(&"-".repeat(shown.trim().width().max(1)))
            ));
        }
    }
    if let Some(requirement) = context.catalogue.get(&finding.requirement) {
        line(format!(
            "{pad} {equals} section {}: {}",
            requirement.section,
            fold(&requirement.statement, context.width, gutter + 3 + indent)
        ));
        if !requirement.conflicts.is_empty() {
            line(format!(
                "{pad} {equals} the document contradicts itself here: {}",
                requirement.conflicts.join(", ")
            ));
        }
    }
    if !more.is_empty() {
        let mut numbers: Vec<String> = more.iter().take(8).map(u64::to_string).collect();
        if more.len() > numbers.len() {
            numbers.push("…".to_owned());
        }
        line(format!(
            "{pad} {equals} the same of {} more: {}",
            text::count(more.len(), "message"),
            numbers.join(", ")
        ));
    }
    let mut by = format!("found by {}", text::visible(&finding.rule));
    if finding.verdict == Verdict::Fail || finding.verdict == Verdict::Warn {
        by.push_str(&format!("; blame: {}", blame_word(finding.blame)));
    }
    line(format!("{pad} {equals} {by}"));
    out
}

/// Microseconds since the start as `0.123 s`.
pub fn stamp(micros: u64) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros / 1000 % 1000)
}

fn number_width(attempt: &Attempt, finding: &Finding, context: &Context<'_>) -> usize {
    let payload = evidence(attempt, finding)
        .and_then(|e| e.excerpt)
        .map_or(0, |e| e.line);
    let step = match (&finding.step, context.sources) {
        (Some((_, line)), Some(_)) => *line,
        _ => 0,
    };
    payload.max(step).max(1).to_string().len()
}

/// Breaks prose at blanks so that it fits, with later lines indented.
pub fn fold(prose: &str, width: usize, indent: usize) -> String {
    let prose = text::visible(prose);
    let room = width.saturating_sub(indent).max(24);
    let mut lines = vec![String::new()];
    // The first line follows some words already; the budget stays the same to keep it simple.
    for word in prose.split_whitespace() {
        let last = lines.len() - 1;
        let current = &mut lines[last];
        if !current.is_empty() && current.width() + 1 + word.width() > room {
            lines.push(word.to_owned());
        } else {
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}
