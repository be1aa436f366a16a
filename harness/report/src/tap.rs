/*! TAP 14: one test point per scenario, with a YAML block where there is more to say.

| outcome | line |
|--|--|
| pass, warn | `ok` |
| pass with waived findings | `not ok … # TODO` with the waiver's reason: known, does not fail |
| skip, inconclusive | `ok … # SKIP` with the reason |
| fail, error, unfinished | `not ok` |

Problems of the run are a test point of their own; an interrupted run bails out.
*/

use judge::{Catalogue, Outcome};
use serde_json::Value;

use crate::console::diagnostic::{Context, diagnostic};
use crate::console::style::Paint;
use crate::run::{Run, Scenario, blame_word};
use crate::text::{cut, visible};

/// Renders a run as TAP.
pub fn render(run: &Run, catalogue: &Catalogue) -> String {
    let problems = run.end.as_ref().map_or(&[][..], |e| e.problems.as_slice());
    let points = run.scenarios.len() + usize::from(!problems.is_empty());
    let mut out = format!("TAP version 14\n1..{points}\n");
    for (i, scenario) in run.scenarios.iter().enumerate() {
        point(&mut out, i + 1, run, scenario, catalogue);
    }
    if !problems.is_empty() {
        out.push_str(&format!(
            "not ok {points} - run/baseline-and-gates\n  ---\n"
        ));
        out.push_str(&format!(
            "  message: {}\n  ...\n",
            quoted(&problems.join("; "))
        ));
    }
    if run.interrupted() {
        out.push_str("Bail out! The run was interrupted.\n");
    }
    out
}

fn point(out: &mut String, n: usize, run: &Run, scenario: &Scenario, catalogue: &Catalogue) {
    let waived: Vec<_> = scenario.waived().collect();
    let outcome = scenario.outcome();
    let ok = match outcome {
        Some(Outcome::Pass | Outcome::Warn) => waived.is_empty(),
        Some(Outcome::Skip | Outcome::Inconclusive) => true,
        Some(Outcome::Fail | Outcome::Error) | None => false,
    };
    let info = &scenario.info;
    let name = if info.title.is_empty() {
        info.id.clone()
    } else {
        format!("{} - {}", info.id, info.title)
    };
    out.push_str(if ok { "ok" } else { "not ok" });
    out.push_str(&format!(" {n} - {}", escaped(&name)));
    match outcome {
        Some(Outcome::Skip) => {
            let reason = scenario.reason().unwrap_or("no reason given");
            out.push_str(&format!(" # SKIP {}", escaped(reason)));
        }
        Some(Outcome::Inconclusive) => {
            let reason = scenario.reason().unwrap_or("no reason given");
            out.push_str(&format!(" # SKIP inconclusive: {}", escaped(reason)));
        }
        Some(Outcome::Pass | Outcome::Warn) if !waived.is_empty() => {
            out.push_str(&format!(" # TODO waived: {}", escaped(waived[0].1)));
        }
        _ => {}
    }
    out.push('\n');
    block(out, run, scenario, catalogue);
}

fn block(out: &mut String, run: &Run, scenario: &Scenario, catalogue: &Catalogue) {
    let findings: Vec<_> = scenario
        .last
        .grouped()
        .into_iter()
        .chain(scenario.waived().map(|(f, _)| (f, Vec::new())))
        .collect();
    let outcome = scenario.outcome();
    let plain = matches!(
        outcome,
        Some(Outcome::Pass | Outcome::Skip | Outcome::Inconclusive)
    );
    if findings.is_empty() && plain {
        return;
    }
    out.push_str("  ---\n");
    out.push_str(&format!("  severity: {}\n", scenario.outcome_word()));
    if let Some(reason) = scenario.reason() {
        out.push_str(&format!("  reason: {}\n", quoted(reason)));
    }
    if !scenario.info.file.is_empty() {
        let at = format!("{}:{}", scenario.info.file, scenario.info.line);
        out.push_str(&format!("  at: {}\n", quoted(&at)));
    }
    out.push_str(&format!("  duration_ms: {}\n", scenario.duration_ms()));
    if !findings.is_empty() {
        out.push_str("  findings:\n");
    }
    let context = Context {
        catalogue,
        paint: Paint(false),
        width: 100,
        sources: None,
    };
    for (finding, more) in findings.iter().take(20) {
        out.push_str(&format!(
            "    - requirement: {}\n      level: {}\n      message: {}\n      blame: {}\n      detail: |\n",
            quoted(&finding.requirement),
            quoted(&finding.level.to_string()),
            quoted(&finding.message),
            blame_word(finding.blame),
        ));
        for line in diagnostic(&context, &scenario.last, finding, more).lines() {
            out.push_str(&format!("        {line}\n"));
        }
    }
    out.push_str(&format!(
        "  repeat: {}\n  ...\n",
        quoted(&run.repeat(&scenario.info.id))
    ));
}

/// Text of a description: one line, with what TAP would read as a directive escaped.
fn escaped(text: &str) -> String {
    cut(&visible(text), 400)
        .replace('\\', "\\\\")
        .replace('#', "\\#")
}

/// A YAML double-quoted scalar; JSON's strings are.
fn quoted(text: &str) -> String {
    Value::from(visible(text).as_ref()).to_string()
}
