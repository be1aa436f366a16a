/*! JUnit XML in the dialect every reader takes.

The intersection of what the strict Jenkins xUnit schema allows and what
GitLab, GitHub and Azure readers look at: one `testsuite` per scenario file
with the run's properties, one `testcase` per scenario, one `failure` with all
that was broken, `error` only for harness and environment, `skipped` with a
reason for what proved nothing. Root counts are the sums of their children.

| outcome | element |
|--|--|
| pass, warn | none; warnings and waived findings in `system-out` |
| fail | `failure`, its type the first broken requirement |
| inconclusive, skip | `skipped` with the reason |
| error, unfinished | `error`, its type whose fault it is |
*/

use indexmap::IndexMap;
use judge::{Blame, Catalogue, Outcome, Verdict};

use crate::console::diagnostic::{Context, diagnostic};
use crate::console::style::Paint;
use crate::run::{Attempt, Run, Scenario, blame_word};
use crate::text::{self, xml, xml_lines};

/// Longest text of one element, in bytes; GitLab refuses files above 30 MB.
const BODY: usize = 32 * 1024;

#[derive(Default)]
struct Suite {
    cases: String,
    tests: u32,
    failures: u32,
    errors: u32,
    skipped: u32,
    ms: u64,
}

/// Renders a run as `junit.xml`.
pub fn render(run: &Run, catalogue: &Catalogue) -> String {
    let mut suites: IndexMap<&str, Suite> = IndexMap::new();
    for scenario in &run.scenarios {
        let file = match scenario.info.file.as_str() {
            "" => "(no file)",
            file => file,
        };
        case(suites.entry(file).or_default(), run, scenario, catalogue);
    }
    let mut own = Suite::default();
    run_case(&mut own, run);
    if own.tests > 0 {
        suites.insert("parlance run", own);
    }

    let sum = |of: fn(&Suite) -> u32| suites.values().map(of).sum::<u32>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites name=\"parlance\" time=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
        text::seconds(suites.values().map(|s| s.ms).sum()),
        sum(|s| s.tests),
        sum(|s| s.failures),
        sum(|s| s.errors),
    ));
    let started = run.info.as_ref().map_or(String::new(), |info| {
        format!(" timestamp=\"{}\"", xml(&info.started))
    });
    let properties = properties(run);
    for (name, suite) in &suites {
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"{started}>\n{properties}{}  </testsuite>\n",
            xml(name),
            suite.tests,
            suite.failures,
            suite.errors,
            suite.skipped,
            text::seconds(suite.ms),
            suite.cases,
        ));
    }
    out.push_str("</testsuites>\n");
    out
}

fn properties(run: &Run) -> String {
    let Some(info) = &run.info else {
        return String::new();
    };
    let seat = match info.seat {
        trace::Seat::Client => "client",
        trace::Seat::Server => "server",
    };
    let mut out = String::from("    <properties>\n");
    for (name, value) in [
        ("parlance.version", info.version.as_str()),
        ("parlance.target", &info.target),
        ("parlance.seat", seat),
        ("parlance.profile", &info.profile),
        ("parlance.seed", &info.seed.to_string()),
    ] {
        out.push_str(&format!(
            "      <property name=\"{name}\" value=\"{}\"/>\n",
            xml(value)
        ));
    }
    out.push_str("    </properties>\n");
    out
}

/// `server/join/x` is the case `x`'s class `server.join`: what GitLab shows as its suite.
fn class_name(id: &str) -> String {
    match id.rsplit_once('/') {
        Some((class, _)) => class.replace('/', "."),
        None => "scenarios".to_owned(),
    }
}

fn case(suite: &mut Suite, run: &Run, scenario: &Scenario, catalogue: &Catalogue) {
    suite.tests += 1;
    suite.ms += scenario.duration_ms();
    let info = &scenario.info;
    let name = if info.title.is_empty() {
        info.id.clone()
    } else {
        format!("{} - {}", info.id, info.title)
    };
    let mut inner = String::new();
    match scenario.outcome() {
        Some(Outcome::Pass | Outcome::Warn) => {}
        Some(Outcome::Fail) => {
            suite.failures += 1;
            inner.push_str(&failure(run, scenario, catalogue));
        }
        Some(outcome @ (Outcome::Skip | Outcome::Inconclusive)) => {
            suite.skipped += 1;
            let reason = scenario.reason().unwrap_or("no reason given");
            let message = match outcome {
                Outcome::Skip => reason.to_owned(),
                _ => format!("inconclusive: {reason}"),
            };
            inner.push_str(&format!("      <skipped message=\"{}\"/>\n", xml(&message)));
        }
        Some(Outcome::Error) | None => {
            suite.errors += 1;
            let culprit = scenario
                .violations()
                .find(|f| f.blame != Blame::Target)
                .map(|f| f.blame);
            let kind = match (scenario.outcome(), culprit) {
                (None, _) => "interrupted",
                (_, Some(blame)) => blame_word(blame),
                (_, None) if scenario.reason().is_some_and(|r| r.starts_with("harness")) => {
                    "harness"
                }
                (_, None) => "environment",
            };
            let message = scenario
                .reason()
                .unwrap_or("the run ended before this scenario did");
            let body = details(run, scenario, &scenario.last, catalogue);
            inner.push_str(&format!(
                "      <error type=\"{kind}\" message=\"{}\">{}</error>\n",
                xml(message),
                xml_lines(&body)
            ));
        }
    }
    for attempt in &scenario.earlier {
        inner.push_str(&earlier(scenario, attempt, run, catalogue));
    }
    let remarks = remarks(run, scenario, catalogue);
    if !remarks.is_empty() {
        inner.push_str(&format!(
            "      <system-out>{}</system-out>\n",
            xml_lines(&remarks)
        ));
    }
    let open = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
        xml(&name),
        xml(&class_name(&info.id)),
        text::seconds(scenario.duration_ms())
    );
    if inner.is_empty() {
        suite.cases.push_str(&format!("{open}/>\n"));
    } else {
        suite
            .cases
            .push_str(&format!("{open}>\n{inner}    </testcase>\n"));
    }
}

fn failure(run: &Run, scenario: &Scenario, catalogue: &Catalogue) -> String {
    let all: Vec<_> = scenario.violations().collect();
    let (kind, message) = match all.as_slice() {
        [] => (
            "snapshot".to_owned(),
            scenario
                .reason()
                .unwrap_or("the scenario failed")
                .to_owned(),
        ),
        [first, more @ ..] => {
            let mut message = format!("{} {}: {}", first.requirement, first.level, first.message);
            if !more.is_empty() {
                message.push_str(&format!(" (and {} more)", more.len()));
            }
            (first.requirement.clone(), message)
        }
    };
    let body = details(run, scenario, &scenario.last, catalogue);
    format!(
        "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
        xml(&kind),
        xml(&message),
        xml_lines(&body)
    )
}

/// A failed attempt before the last one: `flakyFailure` when the scenario passed in the end.
fn earlier(scenario: &Scenario, attempt: &Attempt, run: &Run, catalogue: &Catalogue) -> String {
    let outcome = attempt.end.as_ref().map(|e| e.outcome);
    let kind = match outcome {
        Some(Outcome::Fail) => "Failure",
        Some(Outcome::Error) | None => "Error",
        Some(_) => return String::new(),
    };
    let prefix = match scenario.outcome() {
        Some(Outcome::Pass | Outcome::Warn) => "flaky",
        _ => "rerun",
    };
    let first = attempt.violations().next();
    let message = match (first, attempt.end.as_ref().and_then(|e| e.reason.as_ref())) {
        (Some(f), _) => format!("{}: {}", f.requirement, f.message),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "no reason given".to_owned(),
    };
    format!(
        "      <{prefix}{kind} type=\"{}\" message=\"{}\"><stackTrace>{}</stackTrace></{prefix}{kind}>\n",
        xml(first.map_or("attempt", |f| f.requirement.as_str())),
        xml(&message),
        xml_lines(&details(run, scenario, attempt, catalogue))
    )
}

fn details(run: &Run, scenario: &Scenario, attempt: &Attempt, catalogue: &Catalogue) -> String {
    let context = plain(catalogue);
    let mut out = String::from("\n");
    for (finding, more) in attempt.grouped() {
        out.push_str(&diagnostic(&context, attempt, finding, &more));
        out.push('\n');
        if out.len() > BODY {
            break;
        }
    }
    if let Some(diff) = attempt.end.as_ref().and_then(|e| e.snapshot_diff.as_ref()) {
        out.push_str("exchange against its accepted snapshot:\n");
        out.push_str(&text::visible_lines(diff));
        out.push('\n');
    }
    shorten(&mut out);
    out.push_str(&format!("repeat with: {}\n", run.repeat(&scenario.info.id)));
    out
}

/// Warnings of what passed, and what was waived.
fn remarks(run: &Run, scenario: &Scenario, catalogue: &Catalogue) -> String {
    let context = plain(catalogue);
    let mut out = String::new();
    if matches!(scenario.outcome(), Some(Outcome::Pass | Outcome::Warn)) {
        for (finding, more) in scenario.last.grouped() {
            if finding.verdict == Verdict::Warn {
                out.push_str(&diagnostic(&context, &scenario.last, finding, &more));
            }
        }
        if !out.is_empty() {
            out.push_str(&format!("repeat with: {}\n", run.repeat(&scenario.info.id)));
        }
    }
    for (finding, why) in scenario.waived() {
        out.push_str(&format!(
            "waived: {} {}: {} ({})\n",
            finding.requirement,
            finding.level,
            text::visible(&finding.message),
            text::visible(why)
        ));
    }
    shorten(&mut out);
    out
}

fn plain(catalogue: &Catalogue) -> Context<'_> {
    Context {
        catalogue,
        paint: Paint(false),
        width: 120,
        sources: None,
    }
}

fn shorten(out: &mut String) {
    if out.len() > BODY {
        let mut end = BODY;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str("\n… cut here; the HTML report shows all\n");
    }
}

/// Complaints about the run as a whole, which belong to no scenario but change the exit code.
fn run_case(suite: &mut Suite, run: &Run) {
    let mut add = |name: &str, inner: String| {
        suite.tests += 1;
        suite.cases.push_str(&format!(
            "    <testcase name=\"{name}\" classname=\"parlance\" time=\"0.000\">\n{inner}    </testcase>\n"
        ));
    };
    let problems = run.end.as_ref().map_or(&[][..], |e| e.problems.as_slice());
    if let [first, more @ ..] = problems {
        let mut message = first.clone();
        if !more.is_empty() {
            message.push_str(&format!(" (and {} more)", more.len()));
        }
        add(
            "run/baseline-and-gates",
            format!(
                "      <failure type=\"baseline-or-gate\" message=\"{}\">{}</failure>\n",
                xml(&message),
                xml_lines(&problems.join("\n"))
            ),
        );
        suite.failures += 1;
    }
    if run.interrupted() {
        let ended = run.scenarios.len() - run.unfinished();
        let message = format!("interrupted: {ended} of {} scenarios ended", run.selected);
        let mut add = |inner: String| {
            suite.tests += 1;
            suite.cases.push_str(&format!(
                "    <testcase name=\"run/complete\" classname=\"parlance\" time=\"0.000\">\n{inner}    </testcase>\n"
            ));
        };
        add(format!(
            "      <error type=\"interrupted\" message=\"{message}\"/>\n"
        ));
        suite.errors += 1;
    }
}
