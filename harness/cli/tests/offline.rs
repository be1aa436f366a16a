//! Recordings that lack something: what a log does not show is held against nobody.

mod common;

use std::path::PathBuf;

use common::Place;
use trace::{Intent, Kind, Seat};

/// The messages of every scenario of a self run, as directed log entries.
fn recorded(place: &Place) -> Vec<(PathBuf, Vec<String>)> {
    place
        .run("run server/join server/chat --report r -q")
        .code(0);
    let mut found = Vec::new();
    let mut open = vec![place.path().join("r/traces")];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let (trace, _) = trace::ndjson::read(&std::fs::read(&path).unwrap()).unwrap();
            // Only where both sides behave.
            let wrong = |e: &trace::Event| {
                matches!(
                    &e.kind,
                    Kind::Message {
                        intent: Intent::Deliberate(_),
                        ..
                    }
                )
            };
            if trace.events().iter().any(wrong) {
                continue;
            }
            let entries = trace.events().iter().filter_map(|event| match &event.kind {
                Kind::Message { from, bytes, .. } => {
                    let (a, b) = match from {
                        Seat::Client => (
                            format!("10.0.0.1:4{:04}", event.conn),
                            "10.0.0.2:5061".to_owned(),
                        ),
                        Seat::Server => (
                            "10.0.0.2:5061".to_owned(),
                            format!("10.0.0.1:4{:04}", event.conn),
                        ),
                    };
                    let text = String::from_utf8_lossy(bytes);
                    Some(format!(
                        "10:00:{:02}.{:06} {a} -> {b}\n{text}\n\n",
                        event.at / 1_000_000,
                        event.at % 1_000_000
                    ))
                }
                _ => None,
            });
            found.push((path.clone(), entries.collect()));
        }
    }
    found
}

#[test]
fn holes_in_a_log_are_no_violations() {
    let place = Place::new();
    let recordings = recorded(&place);
    assert!(recordings.len() > 4);
    let to_server = |entry: &str| entry.lines().next().unwrap().ends_with(":5061");
    for (path, entries) in &recordings {
        let info = |e: &&String| e.contains("\nINFO ");
        let mut parts: Vec<(&str, String)> = vec![
            ("everything", entries.concat()),
            (
                "one side",
                entries.iter().filter(|e| to_server(e)).cloned().collect(),
            ),
            (
                "the other side",
                entries.iter().filter(|e| !to_server(e)).cloned().collect(),
            ),
            (
                "requests with payloads",
                entries.iter().filter(info).cloned().collect(),
            ),
            ("from the middle", entries[entries.len() / 2..].concat()),
            (
                "every seventh gone",
                entries
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| i % 7 != 3)
                    .map(|(_, e)| e.as_str())
                    .collect(),
            ),
        ];
        let whole = entries.concat();
        let cut = whole.floor_char_boundary(whole.len() * 2 / 3);
        parts.push(("cut off", whole[..cut].to_owned()));
        parts.push((
            "beginning inside",
            whole[whole.floor_char_boundary(whole.len() / 3)..].to_owned(),
        ));
        for (what, text) in parts {
            place.write("x.log", text);
            let ran = place.run("check x.log");
            assert_eq!(ran.code, 0, "{}, {what}:\n{}", path.display(), ran.err);
        }
    }
}
