/*! What a person reads while and after a run.

One line per scenario as it ends, failures last with caret diagnostics and the
command that repeats them, then what is known of the requirements and the sum.
The caller decides on colour, width and whether a progress bar may be drawn;
whatever a peer sent is shown with its control characters escaped.
*/

pub mod diagnostic;
pub mod style;

use std::io::{self, Write};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use judge::{Catalogue, Outcome, RunEvent, SnapshotState, Status, coverage};

use crate::evidence::{Parties, bytes_of};
use crate::label::label;
use crate::run::{Attempt, Run, Scenario};
use crate::{Fold, text};
use diagnostic::{Context, diagnostic, fold, stamp};
use style::Paint;

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Only failures and the last line (`-q`).
    Quiet,
    /// A line per scenario, failures, summary.
    #[default]
    Normal,
    /// Also a line per message, information and SHOULD findings of passing scenarios (`-v`).
    Verbose,
    /// Also the bytes of each message (`-vv`).
    Wire,
}

/// The caller's choices.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether to colour.
    pub color: bool,
    /// Columns of the terminal, 100 when there is none.
    pub width: usize,
    /// How much to say.
    pub verbosity: Verbosity,
    /// Draw a progress bar on stderr; only for a terminal, never in CI.
    pub progress: bool,
    /// The output is read by a GitHub runner: nothing printed may be one of its commands.
    pub github: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            color: false,
            width: 100,
            verbosity: Verbosity::Normal,
            progress: false,
            github: false,
        }
    }
}

/// Failing scenarios that are shown with everything.
const DETAILED: usize = 20;

/// Gives the text of a scenario file by the name the stream calls it, for carets into it.
pub type SourceReader = Box<dyn Fn(&str) -> Option<String> + Send>;

/// The console report.
pub struct Console<W: Write> {
    out: W,
    catalogue: Arc<Catalogue>,
    options: Options,
    sources: Option<SourceReader>,
    run: Run,
    bar: Option<ProgressBar>,
    repeats: Vec<String>,
}

impl<W: Write> Console<W> {
    /// A console report to `out`, usually stderr.
    pub fn new(out: W, catalogue: Arc<Catalogue>, options: Options) -> Console<W> {
        Console {
            out,
            catalogue,
            options,
            sources: None,
            run: Run::default(),
            bar: None,
            repeats: Vec::new(),
        }
    }

    /// Lets the report point into scenario files.
    pub fn with_sources(mut self, sources: SourceReader) -> Console<W> {
        self.sources = Some(sources);
        self
    }

    /// What was folded so far.
    pub fn run(&self) -> &Run {
        &self.run
    }

    fn paint(&self) -> Paint {
        Paint(self.options.color)
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        let text = if self.options.github {
            crate::github::defuse(text)
        } else {
            text.into()
        };
        match &self.bar {
            Some(bar) => bar.suspend(|| out.write_all(text.as_bytes())),
            None => out.write_all(text.as_bytes()),
        }
    }

    fn header(&mut self) -> io::Result<()> {
        let Some(info) = &self.run.info else {
            return Ok(());
        };
        let paint = self.paint();
        let seat = match info.seat {
            trace::Seat::Client => "client",
            trace::Seat::Server => "server",
        };
        let mut line = format!(
            "parlance {} · target {} · harness in the {seat} seat · profile {} · seed {} · {}",
            info.version,
            info.target,
            info.profile,
            info.seed,
            text::count(self.run.selected as usize, "scenario"),
        );
        if info.strict {
            line.push_str(" · strict");
        }
        let line = format!("{}\n\n", paint.bold(&fold(&line, self.options.width, 2)));
        let (selected, progress) = (self.run.selected, self.options.progress);
        self.say(&line)?;
        if progress {
            let bar = ProgressBar::with_draw_target(
                Some(u64::from(selected)),
                ProgressDrawTarget::stderr(),
            );
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            self.bar = Some(bar);
        }
        Ok(())
    }

    fn scenario_line(&self, scenario: &Scenario) -> String {
        let paint = self.paint();
        let outcome = scenario.outcome();
        let word = match outcome {
            Some(Outcome::Inconclusive) => "UNPROVEN".to_owned(),
            _ => scenario.outcome_word().to_uppercase(),
        };
        let word = if scenario.flaky() && outcome == Some(Outcome::Pass) {
            paint.yellow("   FLAKY")
        } else {
            paint.outcome(outcome, &format!("{word:>8}"))
        };
        let mut line = format!(
            "{word} {} {}",
            paint.dim(&format!("[{:>8}s]", text::seconds(scenario.duration_ms()))),
            text::visible(&scenario.info.id)
        );
        let mut notes = Vec::new();
        if let Some(reason) = scenario.reason() {
            notes.push(text::visible(reason).into_owned());
        }
        let waived = scenario.waived().count();
        if waived > 0 {
            notes.push(format!("{} waived", text::count(waived, "finding")));
        }
        if scenario.flaky() {
            notes.push(format!(
                "passed after {} failed",
                text::count(scenario.earlier.len().max(1), "attempt")
            ));
        }
        match scenario.last.end.as_ref().map(|e| e.snapshot) {
            Some(SnapshotState::New) => notes.push("new snapshot".to_owned()),
            Some(SnapshotState::Changed) if scenario.reason().is_none() => {
                notes.push("the exchange differs from its snapshot".to_owned());
            }
            _ => {}
        }
        if !notes.is_empty() {
            line.push_str(&paint.dim(&format!("  ({})", notes.join("; "))));
        }
        line.push('\n');
        line
    }

    fn context(&self) -> Context<'_> {
        Context {
            catalogue: &self.catalogue,
            paint: self.paint(),
            width: self.options.width,
            sources: self
                .sources
                .as_ref()
                .map(|s| s.as_ref() as &dyn Fn(&str) -> Option<String>),
        }
    }

    fn failure(&self, scenario: &Scenario) -> String {
        let paint = self.paint();
        let mut out = format!(
            "{} {}\n",
            paint.outcome(scenario.outcome(), &scenario.outcome_word().to_uppercase()),
            paint.bold(&text::visible(&scenario.info.id))
        );
        if !scenario.info.title.is_empty() {
            out.push_str(&format!("  {}\n", text::visible(&scenario.info.title)));
        }
        if !scenario.info.file.is_empty() {
            out.push_str(&paint.dim(&format!(
                "  {}:{}\n",
                text::visible(&scenario.info.file),
                scenario.info.line
            )));
        }
        if let Some(reason) = scenario.reason() {
            out.push_str(&format!("  {}\n", fold(reason, self.options.width, 2)));
        }
        if scenario.outcome().is_none() {
            out.push_str("  the run ended before this scenario did\n");
        }
        out.push('\n');
        out.push_str(&self.findings(&scenario.last));
        if let Some(diff) = scenario
            .last
            .end
            .as_ref()
            .and_then(|e| e.snapshot_diff.as_deref())
        {
            out.push_str(&paint.bold("exchange against its accepted snapshot\n"));
            for line in diff.lines() {
                let shown = text::visible(line);
                let shown = match line.as_bytes().first() {
                    Some(b'+') => paint.green(&shown),
                    Some(b'-') => paint.red(&shown),
                    Some(b'@') => paint.blue(&shown),
                    _ => shown.into_owned(),
                };
                out.push_str(&format!("  {shown}\n"));
            }
            out.push('\n');
        }
        out.push_str(&format!(
            "  repeat with: {}\n\n",
            paint.bold(&self.run.repeat(&scenario.info.id))
        ));
        out
    }

    fn findings(&self, attempt: &Attempt) -> String {
        const MOST: usize = 12;
        let context = self.context();
        let mut out = String::new();
        let all = attempt.grouped();
        for (finding, more) in all.iter().take(MOST) {
            out.push_str(&diagnostic(&context, attempt, finding, more));
            out.push('\n');
        }
        if all.len() > MOST {
            out.push_str(&format!(
                "  … and {} more; the HTML report shows all\n\n",
                all.len() - MOST
            ));
        }
        out
    }

    fn traced(&self, scenario: &str, event: &trace::Event) -> Option<String> {
        if self.options.verbosity < Verbosity::Verbose {
            return None;
        }
        let paint = self.paint();
        let attempt = &self.run.scenario(scenario)?.last;
        let parties = Parties::of(&attempt.events);
        let who = match &event.kind {
            trace::Kind::Message { from, .. } | trace::Kind::Garbage { from, .. } => {
                let (sender, receiver) = parties.direction(event.conn, *from);
                format!("{sender} → {receiver}")
            }
            trace::Kind::Upper { endpoint, .. } => text::visible(endpoint).into_owned(),
            trace::Kind::Note { .. } => "note".to_owned(),
            _ => parties.client(event.conn).to_owned(),
        };
        let mut out = format!(
            "         {} {:>3} {who}: {}\n",
            paint.dim(&stamp(event.at)),
            event.seq,
            label(event).line()
        );
        if self.options.verbosity >= Verbosity::Wire
            && let Some(bytes) = bytes_of(event)
        {
            for line in text::visible_lines(&text::lossless(bytes)).lines() {
                out.push_str(&paint.dim(&format!("             | {line}")));
                out.push('\n');
            }
        }
        Some(out)
    }

    fn requirement_lines(&self) -> String {
        let Some(end) = &self.run.end else {
            return String::new();
        };
        let paint = self.paint();
        let count = |status| self.run.status_count(status);
        let seat = self.run.info.as_ref().map(|info| info.seat.other());
        let reached =
            coverage::coverage(&self.catalogue, &end.requirements, seat, |l| l.is_binding());
        let mut parts = vec![format!("{} satisfied", count(Status::Satisfied))];
        let violated = count(Status::Violated);
        if violated > 0 {
            parts.push(paint.red(&format!("{violated} violated")));
        }
        let waived = count(Status::Waived);
        if waived > 0 {
            parts.push(paint.yellow(&format!("{waived} waived")));
        }
        parts.push(format!("{} not exercised", count(Status::NotExercised)));
        parts.push(format!("{} not observable", count(Status::NotObservable)));
        let mut out = format!("{} {}\n", paint.bold("requirements"), parts.join(", "));
        if reached.observable > 0 {
            out.push_str(&format!(
                "             {:.1} % of the {} observable MUST and MUST NOT of the target were exercised\n",
                reached.percent(),
                reached.observable
            ));
        }
        let broken: Vec<_> = end
            .requirements
            .iter()
            .filter(|r| r.status == Status::Violated)
            .collect();
        for result in broken.iter().take(20) {
            out.push_str(&format!(
                "             {} {} {}\n",
                paint.red("✗"),
                text::visible(&result.id),
                paint.dim(&result.level.to_string())
            ));
        }
        if broken.len() > 20 {
            out.push_str(&format!("             … and {} more\n", broken.len() - 20));
        }
        out
    }

    fn summary_lines(&self) -> String {
        let paint = self.paint();
        let summary = self.run.summary();
        let ended = self.run.scenarios.len() - self.run.unfinished();
        let mut parts = Vec::new();
        let flaky = self.run.scenarios.iter().filter(|s| s.flaky()).count();
        for (n, word, outcome) in [
            (summary.pass, "passed", Outcome::Pass),
            (summary.fail, "failed", Outcome::Fail),
            (summary.warn, "warned", Outcome::Warn),
            (summary.inconclusive, "inconclusive", Outcome::Inconclusive),
            (
                summary.error,
                if summary.error == 1 {
                    "error"
                } else {
                    "errors"
                },
                Outcome::Error,
            ),
            (summary.skip, "skipped", Outcome::Skip),
        ] {
            if n > 0 || outcome == Outcome::Pass {
                let mut part = paint.outcome(Some(outcome), &format!("{n} {word}"));
                if outcome == Outcome::Pass && n == 0 {
                    part = format!("{n} {word}");
                }
                if outcome == Outcome::Pass && flaky > 0 {
                    part.push_str(&paint.yellow(&format!(" ({flaky} flaky)")));
                }
                parts.push(part);
            }
        }
        if self.run.unfinished() > 0 {
            parts.push(paint.red(&format!("{} unfinished", self.run.unfinished())));
        }
        let mut out = format!(
            "{} {} {}: {}\n",
            paint.bold("scenarios   "),
            paint.dim(&format!("[{:>8}s]", text::seconds(self.run.duration_ms()))),
            text::count(ended, "scenario"),
            parts.join(", ")
        );
        let [target, harness, environment] = self.run.blame();
        if target + harness + environment > 0 {
            out.push_str(&format!(
                "{} {} the target, {harness} the harness, {environment} the environment\n",
                paint.bold("blame       "),
                if target == 1 {
                    "1 violation is of".to_owned()
                } else {
                    format!("{target} violations are of")
                },
            ));
        }
        out
    }

    fn verdict_line(&self) -> String {
        let paint = self.paint();
        let Some(end) = &self.run.end else {
            return format!(
                "{}\n",
                paint.red("interrupted: the stream of the run stops before its end")
            );
        };
        let text = match end.exit_code {
            judge::exit::CONFORMANT => "conformant: everything that ran passed",
            judge::exit::VIOLATION => "not conformant",
            judge::exit::USAGE => "not usable input",
            judge::exit::ENVIRONMENT => "the environment failed; nothing is proven",
            judge::exit::NOTHING_RAN => "nothing ran",
            judge::exit::GATE => "a gate was not met",
            judge::exit::HARNESS_BUG => "a fault of the harness; please report it",
            judge::exit::INTERRUPTED => "interrupted; this is only what was known until then",
            _ => "ended",
        };
        let line = format!("{text} (exit code {})\n", end.exit_code);
        if end.exit_code == judge::exit::CONFORMANT {
            paint.green(line.trim_end()) + "\n"
        } else {
            paint.red(line.trim_end()) + "\n"
        }
    }

    fn scenario_finished(&mut self, id: &str) -> io::Result<()> {
        let Some(scenario) = self.run.scenario(id) else {
            return Ok(());
        };
        let outcome = scenario.outcome();
        let bad = matches!(outcome, Some(Outcome::Fail | Outcome::Error));
        let quiet = self.options.verbosity == Verbosity::Quiet;
        let mut line = String::new();
        if !quiet || bad {
            line = self.scenario_line(scenario);
        }
        if self.options.verbosity >= Verbosity::Verbose && !bad {
            line.push_str(&self.findings(&scenario.last));
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        self.say(&line)
    }
}

impl<W: Write> Fold for Console<W> {
    fn take(&mut self, event: &RunEvent) -> io::Result<()> {
        self.run.take(event);
        match event {
            RunEvent::RunStarted { .. } if self.options.verbosity > Verbosity::Quiet => {
                self.header()
            }
            RunEvent::ScenarioStarted { scenario } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(text::visible(&scenario.id).into_owned());
                }
                Ok(())
            }
            RunEvent::Traced { scenario, event } => match self.traced(scenario, event) {
                Some(lines) => self.say(&lines),
                None => Ok(()),
            },
            RunEvent::ScenarioFinished { scenario, .. } => {
                let id = scenario.clone();
                self.scenario_finished(&id)
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let paint = self.paint();
        let mut out = String::new();
        let bad =
            |s: &&Scenario| matches!(s.outcome(), Some(Outcome::Fail | Outcome::Error) | None);
        let failures: Vec<&Scenario> = self.run.scenarios.iter().filter(bad).collect();
        if !failures.is_empty() {
            out.push_str(&format!("\n{}\n\n", paint.bold("failures")));
            let (mut told, mut alike): (Vec<&Scenario>, usize) = (Vec::new(), 0);
            for scenario in &failures {
                if told.iter().any(|t| same_environment(t, scenario)) {
                    alike += 1;
                } else {
                    told.push(scenario);
                }
            }
            for scenario in told.iter().take(DETAILED) {
                out.push_str(&self.failure(scenario));
            }
            if alike > 0 {
                out.push_str(&format!(
                    "{} more ended with the same error and no finding\n\n",
                    text::count(alike, "scenario")
                ));
            }
            if told.len() > DETAILED {
                out.push_str(&format!(
                    "… and {} more failing; the HTML report shows all\n\n",
                    text::count(told.len() - DETAILED, "scenario")
                ));
            }
        } else {
            out.push('\n');
        }
        if self.options.verbosity > Verbosity::Quiet {
            out.push_str(&self.requirement_lines());
        }
        out.push_str(&self.summary_lines());
        if let Some(end) = &self.run.end {
            for problem in &end.problems {
                out.push_str(&format!(
                    "{} {}\n",
                    paint.red("problem     "),
                    fold(problem, self.options.width, 13)
                ));
            }
        }
        out.push_str(&self.verdict_line());
        self.repeats = failures
            .iter()
            .map(|s| self.run.repeat(&s.info.id))
            .collect();
        self.say(&out)?;
        self.out.flush()
    }
}

/// Whether two scenarios failed alike before anything could be judged: one target
/// that cannot be reached is one thing to read, not one for each scenario.
fn same_environment(told: &Scenario, scenario: &Scenario) -> bool {
    let bare =
        |s: &Scenario| s.outcome() == Some(Outcome::Error) && s.last.violations().next().is_none();
    bare(told)
        && bare(scenario)
        && match (told.reason(), scenario.reason()) {
            (Some(first), Some(next)) => next.ends_with(first) || next == first,
            _ => false,
        }
}
