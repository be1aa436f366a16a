//! What each text report says, word for word.

mod sample;

use std::sync::Arc;

use report::console::{Console, Options, Verbosity};
use report::{Fold, Run};

fn console(events: &[judge::RunEvent], options: Options) -> String {
    let mut out = Vec::new();
    let mut console = Console::new(&mut out, Arc::new(sample::catalogue()), options).with_sources(
        Box::new(|file| {
            file.ends_with("two-rooms.yaml").then(|| {
                (1..20)
                    .map(|n| format!("  - step: {n}   # with \ttab\n"))
                    .collect()
            })
        }),
    );
    for event in events {
        console.take(event).unwrap();
    }
    console.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn console_normal() {
    insta::assert_snapshot!(console(&sample::variety(), Options::default()));
}

#[test]
fn console_quiet_and_interrupted() {
    let options = Options {
        verbosity: Verbosity::Quiet,
        ..Options::default()
    };
    insta::assert_snapshot!(console(&sample::interrupted(), options));
}

#[test]
fn console_verbose() {
    let options = Options {
        verbosity: Verbosity::Verbose,
        ..Options::default()
    };
    let text = console(&sample::variety(), options);
    assert!(text.contains("alice → server: INFO cmd:join"), "{text}");
    assert!(text.contains("the reply came after 10.2 s"), "{text}");
    let wire = console(
        &sample::variety(),
        Options {
            verbosity: Verbosity::Wire,
            ..Options::default()
        },
    );
    assert!(wire.contains("| Call-ID: c0ffee"), "{wire}");
}

/// Whatever the bytes, the terminal only ever gets text, line feeds, and our own colours.
#[test]
fn console_is_safe_and_narrow() {
    for (color, width) in [(false, 40), (true, 80)] {
        for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Wire] {
            let options = Options {
                color,
                width,
                verbosity,
                progress: false,
                github: true,
            };
            let text = console(&sample::variety(), options);
            let stripped = if color {
                strip_styles(&text)
            } else {
                text.clone()
            };
            assert!(
                !stripped
                    .chars()
                    .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
                "{stripped:?}"
            );
            assert!(!stripped.lines().any(|l| l.trim_start().starts_with("::")));
            assert!(!stripped.contains("##["));
        }
    }
}

fn strip_styles(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("\x1b[") {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("a style ends");
        let code = &rest[start + 2..start + end];
        assert!(
            code.chars().all(|c| c.is_ascii_digit() || c == ';'),
            "{code}"
        );
        rest = &rest[start + end + 1..];
    }
    out + rest
}

#[test]
fn junit() {
    let events = sample::variety();
    let text = report::junit::render(&Run::fold(&events), &sample::catalogue());
    insta::assert_snapshot!(text);
}

#[test]
fn json() {
    insta::assert_snapshot!(report::json::render(&Run::fold(&sample::variety())));
}

#[test]
fn stream_survives_its_storage() {
    let events = sample::variety();
    let stored = report::ndjson::to_string(&events);
    assert_eq!(stored.lines().count(), events.len());
    assert_eq!(report::ndjson::read(stored.as_bytes()).unwrap(), events);
    let cut = &stored.as_bytes()[..stored.len() - 40];
    assert_eq!(
        report::ndjson::read(cut).unwrap(),
        &events[..events.len() - 1]
    );
    let bad = format!(
        "{}\n{{\"run-began\":1}}\n\n",
        stored.lines().next().unwrap()
    );
    let error = report::ndjson::read(bad.as_bytes()).unwrap_err();
    assert_eq!(error.line, 2);
    assert!(error.what.contains("run-began"), "{error}");
}

#[test]
fn trace_paths_stay_inside() {
    assert_eq!(
        report::trace_path("server/join/x"),
        "traces/server/join/x.ndjson"
    );
    assert_eq!(
        report::trace_path("../../etc/passwd"),
        "traces/-/-/etc/passwd.ndjson"
    );
    assert_eq!(report::trace_path("/a b\\c\0"), "traces/a-b-c-.ndjson");
}

#[test]
fn tap() {
    let events = sample::variety();
    let text = report::tap::render(&Run::fold(&events), &sample::catalogue());
    insta::assert_snapshot!(text);
    let text = report::tap::render(&Run::fold(&sample::interrupted()), &sample::catalogue());
    assert!(
        text.ends_with("Bail out! The run was interrupted.\n"),
        "{text}"
    );
}

#[test]
fn sarif() {
    let text = report::sarif::render(&Run::fold(&sample::variety()), &sample::catalogue());
    insta::assert_snapshot!(text);
}

#[test]
fn github() {
    let run = Run::fold(&sample::variety());
    insta::assert_snapshot!(format!(
        "{}\n----\n{}",
        report::github::annotations(&run),
        report::github::summary(&run, &sample::catalogue())
    ));
}

/// Nine that point somewhere and one that says how many there are more; every line is ours.
#[test]
fn github_annotations_are_few_and_safe() {
    for events in [sample::large(200), sample::variety(), sample::interrupted()] {
        let text = report::github::annotations(&Run::fold(&events));
        assert!(text.lines().count() <= 10, "{text}");
        for line in text.lines() {
            assert!(
                line.starts_with("::error ") || line.starts_with("::warning "),
                "{line}"
            );
            assert!(!line.contains('\r') && !line.contains("##["), "{line}");
        }
    }
    let text = report::github::annotations(&Run::fold(&sample::large(200)));
    assert!(
        text.ends_with("::11 scenarios more; see the report\n"),
        "{text}"
    );
    let summary = report::github::summary(&Run::fold(&sample::variety()), &sample::catalogue());
    for markup in ["<script", "<img", "![", "](", "@"] {
        assert!(!summary.contains(markup), "{markup}: {summary}");
    }
}
