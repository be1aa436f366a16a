/*! GitHub Actions: annotations and the step summary.

A runner shows ten annotations of a step at most, so nine point at scenario
lines and the tenth says how many there are more. Workflow commands are lines
of text, so nothing of a peer may begin one: [`defuse`] sees to it for anything
that is printed, and the annotations escape what they carry.
*/

use std::borrow::Cow;

use judge::{Catalogue, Outcome, Status, coverage};

use crate::run::{Run, Scenario};
use crate::text::{self, visible};

/// Annotations besides the roll-up.
const MOST: usize = 9;

/// Least size at which a step summary is cut; the runner refuses more than 1 MiB.
const SUMMARY: usize = 900_000;

/// The annotations of a run, one workflow command a line; empty when there is nothing to say.
pub fn annotations(run: &Run) -> String {
    let mut out = String::new();
    let worth: Vec<&Scenario> = [
        |o| matches!(o, Some(Outcome::Fail)),
        |o| matches!(o, Some(Outcome::Error) | None),
        |o| matches!(o, Some(Outcome::Warn)),
    ]
    .iter()
    .flat_map(|wanted: &fn(Option<Outcome>) -> bool| {
        run.scenarios.iter().filter(|s| wanted(s.outcome()))
    })
    .collect();
    for scenario in worth.iter().take(MOST) {
        out.push_str(&annotation(run, scenario));
    }
    let problems = run.end.iter().map(|e| e.problems.len()).sum::<usize>();
    let more = worth.len().saturating_sub(MOST);
    let mut rest = Vec::new();
    if more > 0 {
        rest.push(format!("{} more", text::count(more, "scenario")));
    }
    if problems > 0 {
        rest.push(text::count(problems, "problem") + " of the run as a whole");
    }
    if !rest.is_empty() {
        out.push_str(&command(
            "error",
            &[("title", "Parlance")],
            &format!("{}; see the report", rest.join(" and ")),
        ));
    }
    out
}

fn annotation(run: &Run, scenario: &Scenario) -> String {
    let kind = match scenario.outcome() {
        Some(Outcome::Warn) => "warning",
        _ => "error",
    };
    let first = scenario.violations().next();
    let count = scenario.violations().count();
    let (file, line) = match first.and_then(|f| f.step.as_ref()) {
        Some((file, line)) => (file.as_str(), *line),
        None => (scenario.info.file.as_str(), scenario.info.line),
    };
    let title = match first {
        Some(finding) => format!("{} {}", finding.requirement, scenario.info.id),
        None => scenario.info.id.clone(),
    };
    let mut message = match first {
        Some(finding) => format!("{}: {}", finding.level, visible(&finding.message)),
        None => visible(
            scenario
                .reason()
                .unwrap_or("the run ended before this scenario did"),
        )
        .into_owned(),
    };
    if count > 1 {
        message.push_str(&format!(" (and {} more)", count - 1));
    }
    message.push_str(&format!("\nrepeat with: {}", run.repeat(&scenario.info.id)));
    let line = line.max(1).to_string();
    let mut properties = Vec::new();
    if !file.is_empty() {
        properties.push(("file", file));
        properties.push(("line", line.as_str()));
    }
    properties.push(("title", title.as_str()));
    command(kind, &properties, &message)
}

fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", property(value)))
        .collect();
    let message: Vec<Cow<'_, str>> = message.split('\n').map(visible).collect();
    format!(
        "::{kind} {}::{}\n",
        properties.join(","),
        data(&message.join("\n"))
    )
}

fn data(text: &str) -> String {
    text::cut(text, 4_000)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace("##[", "#\\#[")
}

fn property(text: &str) -> String {
    data(&visible(&text::cut(text, 300)))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// Makes lines of text harmless for a runner that reads commands from them (`::command::`,
/// also behind blanks, and `##[command]` anywhere).
pub fn defuse(text: &str) -> Cow<'_, str> {
    let sly = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(sly) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive('\n') {
        let line = line.replace("##[", "#\\#[");
        if sly(&line) {
            let at = line.len() - line.trim_start().len();
            out.push_str(&line[..at]);
            out.push('\\');
            out.push_str(&line[at..]);
        } else {
            out.push_str(&line);
        }
    }
    Cow::Owned(out)
}

/// The step summary in Markdown, to append to the file `GITHUB_STEP_SUMMARY` names.
pub fn summary(run: &Run, catalogue: &Catalogue) -> String {
    let counts = run.summary();
    let target = run.info.as_ref().map_or("", |i| i.target.as_str());
    let mut out = format!(
        "## Parlance: {}{}\n\n",
        match &run.end {
            Some(end) if end.exit_code == judge::exit::CONFORMANT => "conformant",
            Some(end) if end.exit_code == judge::exit::VIOLATION => "not conformant",
            Some(end) if end.exit_code == judge::exit::NOTHING_RAN => "nothing ran",
            Some(end) if end.exit_code == judge::exit::GATE => "a gate was not met",
            Some(end) if end.exit_code == judge::exit::HARNESS_BUG => "a fault of the harness",
            Some(end) if end.exit_code == judge::exit::ENVIRONMENT => "the environment failed",
            _ => "interrupted",
        },
        if target.is_empty() {
            String::new()
        } else {
            format!(" · {}", markdown(target))
        }
    );
    out.push_str("| passed | failed | warned | inconclusive | errors | skipped | unfinished |\n|--:|--:|--:|--:|--:|--:|--:|\n");
    out.push_str(&format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n\n",
        counts.pass,
        counts.fail,
        counts.warn,
        counts.inconclusive,
        counts.error,
        counts.skip,
        run.unfinished()
    ));
    let [of_target, harness, environment] = run.blame();
    if of_target + harness + environment > 0 {
        out.push_str(&format!(
            "Whose fault: {of_target} of the target, {harness} of the harness, {environment} of the environment.\n\n"
        ));
    }
    if let Some(end) = &run.end {
        let count = |status| run.status_count(status);
        let seat = run.info.as_ref().map(|info| info.seat.other());
        let reached = coverage::coverage(catalogue, &end.requirements, seat, |l| l.is_binding());
        let filled = (reached.percent() / 5.0).round() as usize;
        out.push_str(&format!(
            "Requirements: {} satisfied, {} violated, {} waived, {} not exercised, {} not observable.\n`{}{}` {:.1} % of the observable MUST and MUST NOT of the target were exercised.\n\n",
            count(Status::Satisfied),
            count(Status::Violated),
            count(Status::Waived),
            count(Status::NotExercised),
            count(Status::NotObservable),
            "█".repeat(filled.min(20)),
            "░".repeat(20 - filled.min(20)),
            reached.percent(),
        ));
        for problem in &end.problems {
            out.push_str(&format!("- problem: {}\n", markdown(problem)));
        }
        if !end.problems.is_empty() {
            out.push('\n');
        }
    }
    table(&mut out, run);
    unproven(&mut out, run);
    if out.len() > SUMMARY {
        let mut end = SUMMARY;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str("\n\n… cut here; the HTML report shows all.\n");
    }
    out
}

fn table(out: &mut String, run: &Run) {
    let mut rows = String::new();
    let mut repeats = String::new();
    for scenario in &run.scenarios {
        if matches!(
            scenario.outcome(),
            Some(Outcome::Pass | Outcome::Skip | Outcome::Inconclusive)
        ) {
            continue;
        }
        let id = markdown(&scenario.info.id);
        let word = scenario.outcome_word();
        let mut any = false;
        for finding in scenario.violations().take(5) {
            any = true;
            rows.push_str(&format!(
                "| {word} | {id} | {} | {} | {} |\n",
                markdown(&finding.requirement),
                finding.level,
                markdown(&finding.message)
            ));
        }
        if !any {
            let reason = scenario.reason().unwrap_or("the run ended before it did");
            rows.push_str(&format!("| {word} | {id} | | | {} |\n", markdown(reason)));
        }
        repeats.push_str(&format!("{}\n", defuse(&run.repeat(&scenario.info.id))));
    }
    if rows.is_empty() {
        return;
    }
    out.push_str(
        "| verdict | scenario | requirement | level | what was found |\n|--|--|--|--|--|\n",
    );
    out.push_str(&rows);
    out.push_str("\n<details><summary>Repeat them</summary>\n\n<pre>");
    out.push_str(
        &repeats
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;"),
    );
    out.push_str("</pre>\n\n</details>\n\n");
}

fn unproven(out: &mut String, run: &Run) {
    let mut rows = String::new();
    for scenario in &run.scenarios {
        let why = scenario.reason().unwrap_or("no reason given");
        if let Some(outcome @ (Outcome::Skip | Outcome::Inconclusive)) = scenario.outcome() {
            rows.push_str(&format!(
                "- {outcome}: {} ({})\n",
                markdown(&scenario.info.id),
                markdown(why)
            ));
        }
        if scenario.flaky() {
            rows.push_str(&format!(
                "- flaky: {} (passed only when played again)\n",
                markdown(&scenario.info.id)
            ));
        }
        for (finding, why) in scenario.waived() {
            rows.push_str(&format!(
                "- waived: {} in {} ({})\n",
                markdown(&finding.requirement),
                markdown(&scenario.info.id),
                markdown(why)
            ));
        }
    }
    if !rows.is_empty() {
        out.push_str(&format!(
            "<details><summary>What proves nothing or is known</summary>\n\n{rows}\n</details>\n"
        ));
    }
}

/// Text that is no Markdown: everything that could be markup as a character reference.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in text::cut(&visible(text), 400).chars() {
        match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '#' | '@'
            | '~' | '\\' | ':' | '$' | '{' | '}' => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_text_begins_no_command() {
        assert_eq!(
            defuse("ok\n  ::error::x\n::add-mask::y\na ##[error]z\n"),
            "ok\n  \\::error::x\n\\::add-mask::y\na #\\#[error]z\n"
        );
        assert!(matches!(defuse("plain :: text\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn annotation_values_stay_values() {
        assert_eq!(
            command("error", &[("file", "a,b:c%")], "x\n::set-env name=A::b\r"),
            "::error file=a%2Cb%3Ac%25::x%0A::set-env name=A::b\\r\n"
        );
    }
}
