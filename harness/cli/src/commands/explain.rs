//! `parlance explain`: what an id means.

use std::fmt::Write as _;

use judge::{Requirement, exit};
use scenario::{Library, Scenario};
use serde_json::{Value, json};
use xccos::defect::{Defect, defects};
use xccos::policy::{Contradiction, contradictions};

use super::print;
use crate::args::{Explain, Format};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// Codes that stand where no single requirement is to blame.
const CODES: &[(&str, &str)] = &[
    (
        "SCHEMA",
        "A payload does not fit the schema profile. The message carries the validation rule's code (cvc-…), the path and what was expected. The published schema is patched by a ledger of errata: `parlance explain ERR-X1`, for example.",
    ),
    (
        "SIP",
        "RFC 3261 (or one of its companions) is broken: the form of a message, a transaction or a dialog. The rule's code stands in the message.",
    ),
    (
        "XML",
        "A payload is not well-formed XML, so nothing in it can be read.",
    ),
];

/// Explains every id, or fails naming the first that means nothing.
pub fn explain(args: &Explain, terminal: &Terminal) -> Done {
    let library = Library::built_in();
    let mut documents = Vec::new();
    for (i, id) in args.ids.iter().enumerate() {
        let (text, document) = one(id, &library, terminal).ok_or_else(|| unknown(id))?;
        match args.format {
            Format::Human => {
                let gap = if i > 0 { "\n" } else { "" };
                print(&format!("{gap}{text}"))?;
            }
            Format::Json => documents.push(document),
        }
    }
    if args.format == Format::Json {
        super::json(&Value::Array(documents))?;
    }
    Ok(exit::CONFORMANT)
}

fn one(id: &str, library: &Library, terminal: &Terminal) -> Option<(String, Value)> {
    let catalogue = xccos::catalogue();
    if let Some(requirement) = catalogue
        .get(id)
        .or_else(|| catalogue.iter().find(|r| r.id.eq_ignore_ascii_case(id)))
    {
        return Some(requirement_page(requirement, library, terminal));
    }
    if let Some(defect) = defects().find(|d| d.id.eq_ignore_ascii_case(id)) {
        return Some(defect_page(&defect, terminal));
    }
    if let Some(contradiction) = contradictions()
        .iter()
        .find(|c| c.id.eq_ignore_ascii_case(id))
    {
        return Some(contradiction_page(contradiction, terminal));
    }
    let ledger = xccos::schema::ledger();
    if let Some(erratum) = ledger
        .errata()
        .iter()
        .find(|e| e.id.eq_ignore_ascii_case(id))
    {
        return Some(erratum_page(erratum, terminal));
    }
    let (code, text) = CODES
        .iter()
        .find(|(code, _)| code.eq_ignore_ascii_case(id))?;
    let mut out = title(code, "finding code");
    paragraph(&mut out, text, terminal);
    Some((out, json!({ "id": code, "kind": "code", "text": text })))
}

fn requirement_page(r: &Requirement, library: &Library, terminal: &Terminal) -> (String, Value) {
    let decides = |s: &&std::sync::Arc<Scenario>| {
        s.covers
            .iter()
            .chain(&s.decides)
            .any(|p| judge::glob(p, &r.id))
    };
    let scenarios: Vec<&str> = library
        .scenarios
        .iter()
        .filter(decides)
        .map(|s| s.id.as_str())
        .collect();
    let breakers: Vec<Defect> = defects().filter(|d| d.requirement == r.id).collect();
    let mut out = title(&r.id, &format!("{} of [MS-XCCOSIP] {}", r.level, r.section));
    paragraph(&mut out, &r.statement, terminal);
    row(&mut out, "who", &word(&r.role));
    row(&mut out, "observable", &word(&r.observable));
    row(&mut out, "checked by", &r.checked_by.join(", "));
    row(&mut out, "scenarios", &list(&scenarios, 8));
    let ids: Vec<&str> = breakers.iter().map(|d| d.id).collect();
    row(&mut out, "proven by", &list(&ids, 8));
    for id in &r.conflicts {
        let note = contradictions()
            .iter()
            .find(|c| c.id == *id)
            .map_or("", |c| c.note.as_str());
        row(&mut out, "conflict", &format!("{id}: {note}"));
    }
    if let Some(defect) = breakers.first() {
        let select = scenarios.first().copied().unwrap_or_default();
        row(
            &mut out,
            "see it",
            &format!("parlance run --defect {} {select}", defect.id),
        );
    }
    let mut document = serde_json::to_value(r).unwrap_or_default();
    if let Some(map) = document.as_object_mut() {
        map.insert("kind".to_owned(), json!("requirement"));
        map.insert("scenarios".to_owned(), json!(scenarios));
        map.insert("defects".to_owned(), json!(ids));
    }
    (out, document)
}

fn defect_page(d: &Defect, terminal: &Terminal) -> (String, Value) {
    let seat = word(&d.seat);
    let mut out = title(d.id, &format!("a defect of our {seat}"));
    paragraph(&mut out, d.title, terminal);
    row(&mut out, "breaks", d.requirement);
    if let Some(r) = xccos::catalogue().get(d.requirement) {
        row(&mut out, "which says", &r.statement);
    }
    row(
        &mut out,
        "see it",
        &format!("parlance run --defect {}", d.id),
    );
    let document = json!({ "id": d.id, "kind": "defect", "seat": d.seat, "requirement": d.requirement, "title": d.title });
    (out, document)
}

fn contradiction_page(c: &Contradiction, terminal: &Terminal) -> (String, Value) {
    let mut out = title(&c.id, "a contradiction of the documents");
    paragraph(&mut out, &c.note, terminal);
    for (profile, stance) in [("interop", &c.interop), ("published", &c.published)] {
        row(&mut out, profile, &format!("accepts {}", stance.accepts));
        let mut reports: Vec<_> = stance.reports.iter().collect();
        reports.sort_by_key(|(id, _)| id.as_str());
        for (id, weight) in reports {
            row(
                &mut out,
                "",
                &format!("{id} is reported as {}", word_debug(weight)),
            );
        }
    }
    row(&mut out, "because", &c.why);
    row(&mut out, "stands in", &c.entries.join(", "));
    let document = json!({ "id": c.id, "kind": "contradiction", "note": c.note, "why": c.why, "entries": c.entries,
        "interop": c.interop.accepts, "published": c.published.accepts });
    (out, document)
}

fn erratum_page(e: &xsd::patch::Erratum, terminal: &Terminal) -> (String, Value) {
    let mut out = title(&e.id, "an erratum of the published schema");
    paragraph(&mut out, &e.title, terminal);
    row(&mut out, "because", &e.why);
    row(&mut out, "sections", &e.sections.join(", "));
    row(&mut out, "profiles", &e.profiles.join(", "));
    if let Ok(changes) = xccos::schema::ledger().changes(e, xccos::schema::published_text()) {
        for change in changes {
            row(&mut out, "line", &change.line.to_string());
            for line in change.before.lines() {
                let _ = writeln!(out, "  - {line}");
            }
            for line in change.after.lines() {
                let _ = writeln!(out, "  + {line}");
            }
        }
    }
    let document = serde_json::to_value(e).unwrap_or_default();
    (out, document)
}

fn unknown(id: &str) -> Failure {
    let catalogue = xccos::catalogue();
    let known = catalogue
        .iter()
        .map(|r| r.id.as_str())
        .chain(defects().map(|d| d.id))
        .chain(contradictions().iter().map(|c| c.id.as_str()))
        .chain(
            xccos::schema::ledger()
                .errata()
                .iter()
                .map(|e| e.id.as_str()),
        )
        .chain(CODES.iter().map(|(code, _)| *code));
    let hint = scenario::lang::diag::nearest(id, known)
        .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Failure::usage(format!("nothing has the id `{id}`{hint}"))
}

fn title(id: &str, what: &str) -> String {
    format!("{id} · {what}\n")
}

fn paragraph(out: &mut String, text: &str, terminal: &Terminal) {
    let text = report::console::diagnostic::fold(text, terminal.width, 2);
    let _ = writeln!(out, "\n  {text}\n");
}

fn row(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "{name:<12}{text}");
    }
}

fn list(items: &[&str], most: usize) -> String {
    let mut text = items
        .iter()
        .take(most)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if items.len() > most {
        text.push_str(&format!(" and {} more", items.len() - most));
    }
    text
}

/// A unit variant by its serialized name.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn word_debug(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}
