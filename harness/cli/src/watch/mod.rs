/*! What the mock and the proxy print: one line for every message, and what it violates below.

Observers of a live recording: [`Watch`] prints rows ([`row`]), [`Tally`] counts
violations, [`Record`] writes the trace, [`Feeder`] feeds the live page. None of them decides anything.
*/

mod feeder;
mod record;
pub mod row;
mod tally;

use std::fmt::Write as _;

use anstyle::AnsiColor;
use judge::Finding;
use peer::recorder::Observer;
use report::console::Verbosity;
use report::evidence::bytes_of;
use report::text;
use trace::{Event, Seat};

use crate::terminal::Terminal;
pub use feeder::Feeder;
pub use record::Record;
use row::{Row, Rows, Shown};
pub use tally::Tally;

/// How far findings are indented.
const PAD: usize = 12;

/// Prints to stderr.
pub struct Watch {
    terminal: Terminal,
    rows: Rows,
}

impl Watch {
    /// Prints; messages of `judged` seats are told to be accepted or not.
    pub fn new(terminal: Terminal, judged: &[Seat]) -> Watch {
        let width = terminal.width.saturating_sub(PAD + 8);
        Watch {
            terminal,
            rows: Rows::new(judged, width),
        }
    }

    fn line(&self, row: &Row) -> Option<String> {
        let verbose = self.terminal.verbosity;
        let unasked = !row.judged && row.kind == "message" && verbose < Verbosity::Normal;
        let noise = row.kind == "keep-alive" && verbose < Verbosity::Verbose;
        let quiet = verbose == Verbosity::Quiet && row.fails + row.warns == 0;
        if unasked || noise || quiet {
            return None;
        }
        let dim = AnsiColor::BrightBlack.on_default();
        let red = AnsiColor::Red.on_default().bold();
        let arrow = match row.from {
            Some(Seat::Client) => "→ ",
            Some(Seat::Server) => "← ",
            None => "",
        };
        let what = &row.what;
        let what = match (row.kind, row.judged) {
            ("garbage", _) => format!("{red}{what}{red:#}"),
            ("message" | "keep-alive", false) => format!("{dim}{what}{dim:#}"),
            _ => what.clone(),
        };
        let verdict = match (row.kind, row.judged, &row.refusal) {
            ("message" | "keep-alive" | "garbage", true, _) => accepted(row),
            (_, _, Some(why)) => format!("  {dim}{why}{dim:#}"),
            _ => String::new(),
        };
        let user = text::cut(&row.user, 10);
        Some(format!(
            "{dim}{:>11}{dim:#} #{} {user:<10} {arrow}{what}{verdict}",
            row.time, row.conn
        ))
    }
}

/// A finding with its caret, indented under its message.
fn violation(shown: &Shown) -> String {
    let style = match shown.fail {
        true => AnsiColor::Red.on_default().bold(),
        false => AnsiColor::Yellow.on_default().bold(),
    };
    let pad = " ".repeat(PAD);
    let whose = if shown.own { " (our own fault)" } else { "" };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{pad}{style}{}{style:#} {}{whose}: {}",
        shown.id, shown.level, shown.message
    );
    if let Some(about) = &shown.about {
        let _ = writeln!(out, "{pad}  about {about}");
    }
    if let Some(place) = &shown.place {
        let number = place.line.to_string();
        let blank = " ".repeat(number.len());
        let blue = AnsiColor::Blue.on_default().bold();
        let _ = writeln!(out, "{pad}{blank} {blue}::{blue:#} {}", place.path);
        let _ = writeln!(out, "{pad}{blue}{number} |{blue:#} {}", place.source);
        let _ = writeln!(
            out,
            "{pad}{blank} {blue}|{blue:#} {style}{}{style:#}",
            place.caret
        );
    }
    out
}

/// `accepted`, or how many requirements the message violates.
fn accepted(row: &Row) -> String {
    let (style, words) = match (row.fails, row.warns) {
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
        let Some(row) = self.rows.row(event, findings) else {
            return;
        };
        let mut out = String::new();
        if let Some(line) = self.line(&row) {
            let _ = writeln!(out, "{line}");
            if self.terminal.verbosity >= Verbosity::Wire
                && let Some(bytes) = bytes_of(event)
            {
                for line in text::visible_lines(&text::lossless(bytes)).lines() {
                    let _ = writeln!(out, "{:PAD$}| {line}", "");
                }
            }
        }
        for shown in &row.findings {
            out.push_str(&violation(shown));
        }
        if !out.is_empty() {
            anstream::eprint!("{out}");
        }
    }

    fn end(&mut self, findings: &[Finding]) {
        for shown in self.rows.shown(findings, None) {
            anstream::eprint!("{}", violation(&shown));
        }
    }
}
