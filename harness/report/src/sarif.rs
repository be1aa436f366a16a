/*! SARIF 2.1.0: broken requirements as results of a static-analysis viewer.

Rules are the requirements that were broken, results the findings, located at
the scenario step (or the scenario) that shows them, because a viewer can only
open files of the repository. Waived findings carry a suppression. What was the
fault of the harness or the environment is a notification, not a result.
*/

use indexmap::IndexMap;
use judge::{Blame, Catalogue, Finding, Verdict};
use serde_json::{Value, json};

use crate::evidence::evidence;
use crate::label::label;
use crate::run::{Run, Scenario};
use crate::text::visible;

/// Renders a run as one SARIF log.
pub fn render(run: &Run, catalogue: &Catalogue) -> String {
    let mut rules: IndexMap<String, Value> = IndexMap::new();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    let mut seen: IndexMap<u64, u32> = IndexMap::new();
    for scenario in &run.scenarios {
        for found in &scenario.last.findings {
            let finding = &found.finding;
            if finding.verdict == Verdict::Pass {
                continue;
            }
            if finding.blame != Blame::Target && finding.verdict == Verdict::Fail {
                notifications.push(json!({
                    "level": "error",
                    "message": {"text": format!("{}: {}", scenario.info.id, visible(&finding.message))},
                    "descriptor": {"id": visible(&finding.requirement)},
                }));
                continue;
            }
            let index = match rules.get_index_of(&finding.requirement) {
                Some(index) => index,
                None => {
                    rules.insert(finding.requirement.clone(), rule(finding, catalogue));
                    rules.len() - 1
                }
            };
            let print = fingerprint(scenario, finding);
            let nth = seen.entry(print).or_default();
            *nth += 1;
            let mut result = json!({
                "ruleId": visible(&finding.requirement),
                "ruleIndex": index,
                "level": level(finding),
                "message": {"text": message(scenario, finding)},
                "locations": [location(scenario, finding)],
                "partialFingerprints": {"parlanceFinding/v1": format!("{print:016x}:{nth}")},
                "properties": {
                    "scenario": scenario.info.id,
                    "path": finding.place.path,
                    "event": finding.event,
                    "trace": crate::trace_path(&scenario.info.id),
                },
            });
            if let Some(why) = &found.waived {
                result["suppressions"] =
                    json!([{"kind": "external", "status": "accepted", "justification": why}]);
            }
            results.push(result);
        }
        if let (Some(judge::Outcome::Error), Some(reason)) = (scenario.outcome(), scenario.reason())
        {
            notifications.push(json!({
                "level": "error",
                "message": {"text": format!("{}: {}", scenario.info.id, visible(reason))},
            }));
        }
    }
    for problem in run.end.iter().flat_map(|e| &e.problems) {
        notifications.push(json!({"level": "error", "message": {"text": visible(problem)}}));
    }
    let info = run.info.as_ref();
    let mut invocation = json!({
        "executionSuccessful": !run.interrupted() && notifications.is_empty(),
        "toolExecutionNotifications": notifications,
    });
    if let Some(end) = &run.end {
        invocation["exitCode"] = json!(end.exit_code);
    }
    if let Some(info) = info {
        invocation["startTimeUtc"] = json!(info.started);
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "parlance",
                "version": info.map_or("", |i| &i.version),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("parlance/{}/", info.map_or("", |i| &i.target))},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
            "properties": {
                "seed": info.map(|i| i.seed),
                "profile": info.map(|i| &i.profile),
            },
        }],
    });
    // Only text keys and finite numbers: cannot fail.
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn rule(finding: &Finding, catalogue: &Catalogue) -> Value {
    let id = visible(&finding.requirement);
    let known = catalogue.get(&finding.requirement);
    let short = match known {
        Some(r) => format!("{} (section {})", r.statement, r.section),
        None => match finding.requirement.as_str() {
            "SCHEMA" => "The payload fits the schema of the chosen profile.".to_owned(),
            "SIP" => "The message follows RFC 3261.".to_owned(),
            "XML" => "The payload is well-formed XML.".to_owned(),
            _ => id.to_string(),
        },
    };
    json!({
        "id": id,
        "shortDescription": {"text": short},
        "help": {"text": format!("parlance explain {id}")},
        "defaultConfiguration": {"level": if finding.level.is_binding() { "error" } else { "warning" }},
        "properties": {
            "level": finding.level.to_string(),
            "section": known.map(|r| &r.section),
            "tags": ["conformance"],
        },
    })
}

fn level(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Fail => "error",
        Verdict::Warn => "warning",
        Verdict::Info | Verdict::Pass => "note",
    }
}

fn message(scenario: &Scenario, finding: &Finding) -> String {
    let mut text = visible(&finding.message).into_owned();
    if let Some(found) = evidence(&scenario.last, finding) {
        text.push_str(&format!(
            " (message {}, {}",
            found.event.seq,
            label(found.event).line()
        ));
        if let Some(path) = &finding.place.path {
            text.push_str(&format!(", {}", visible(path)));
        }
        text.push(')');
    }
    text
}

fn location(scenario: &Scenario, finding: &Finding) -> Value {
    let (file, line) = match &finding.step {
        Some((file, line)) => (file.as_str(), *line),
        None if scenario.info.file.is_empty() => ("scenarios", 1),
        None => (scenario.info.file.as_str(), scenario.info.line),
    };
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line.max(1)},
        },
        "logicalLocations": [{"fullyQualifiedName": visible(&scenario.info.id), "kind": "function"}],
    })
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Equal for the same finding in the next run, whatever moved around it (FNV-1a).
fn fingerprint(scenario: &Scenario, finding: &Finding) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let path = finding.place.path.as_deref().unwrap_or("");
    for text in [&scenario.info.id, &finding.requirement, &finding.rule, path] {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}
