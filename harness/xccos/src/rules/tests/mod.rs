/*! The monitor on recordings: a good exchange, unusual ones, and single edits. */

mod defects;
mod exchange;
mod stage;

use exchange::{good, play};
use judge::Verdict;
use stage::{Stage, Style, complaints, judge, schema};
use trace::Seat;

use super::{Setup, Target};

fn live(target: Target) -> Setup {
    Setup::live(target).with_schema("interop", schema())
}

fn offline() -> Setup {
    Setup::offline().with_schema("interop", schema())
}

fn run(
    edit: impl FnMut(&str) -> String + 'static,
    style: Style,
    setup: Setup,
) -> Vec<judge::Finding> {
    let mut stage = Stage::new(edit);
    stage.style = style;
    play(&mut stage);
    stage.wait(40.0);
    judge(stage.trace.events(), setup, stage.at)
}

#[test]
fn a_good_exchange_raises_nothing() {
    for target in [
        Target::Both,
        Target::Seat(Seat::Client),
        Target::Seat(Seat::Server),
        Target::Neither,
    ] {
        let found = run(str::to_owned, Style::default(), live(target));
        assert_eq!(complaints(&found), Vec::<String>::new(), "{target:?}");
    }
    let found = run(str::to_owned, Style::default(), live(Target::Both));
    let passed = found.iter().filter(|f| f.verdict == Verdict::Pass).count();
    assert!(passed > 250, "only {passed} requirements were exercised");
}

#[test]
fn an_unusual_exchange_raises_nothing() {
    let styles = [
        Style {
            unusual: true,
            early: false,
        },
        Style {
            unusual: false,
            early: true,
        },
        Style {
            unusual: true,
            early: true,
        },
    ];
    for style in styles {
        let found = run(str::to_owned, style, live(Target::Both));
        assert_eq!(complaints(&found), Vec::<String>::new());
    }
    let prefixed = |xml: &str| {
        let mut out = xml.replace("</", "</p:").replace("xmlns=", "xmlns:p=");
        let mut at = 0;
        while let Some(i) = out[at..].find('<') {
            let i = at + i + 1;
            if out.as_bytes().get(i) != Some(&b'/') {
                out.insert_str(i, "p:");
            }
            at = i;
        }
        out.replace("><", ">\n  <").replace("<p:/p:", "</p:")
    };
    let found = run(prefixed, Style::default(), live(Target::Both));
    assert_eq!(complaints(&found), Vec::<String>::new());
    let shifted = |xml: &str| {
        // Wide numbers, and fractions of any length.
        xml.replace("envid=\"1", "envid=\"796244956")
            .replace("envid=\"5", "envid=\"1844674407370")
            .replace(".123Z", ".1234567Z")
            .replace("true\"", "1\"")
    };
    let found = run(shifted, Style::default(), live(Target::Both));
    assert_eq!(complaints(&found), Vec::<String>::new());
}

#[test]
fn a_recording_that_starts_anywhere_raises_nothing() {
    let mut stage = Stage::new(str::to_owned);
    play(&mut stage);
    stage.wait(40.0);
    let events = stage.trace.events();
    for start in (0..events.len()).step_by(7) {
        let found = judge(&events[start..], offline(), stage.at);
        assert_eq!(
            complaints(&found),
            Vec::<String>::new(),
            "from event {start}"
        );
    }
}

#[test]
fn a_recording_that_ends_anywhere_raises_nothing() {
    let mut stage = Stage::new(str::to_owned);
    play(&mut stage);
    let events = stage.trace.events();
    for end in (0..events.len()).step_by(7) {
        let at = events.get(end).map_or(0, |e| e.at);
        let found = judge(&events[..end], live(Target::Both), at);
        assert_eq!(
            complaints(&found),
            Vec::<String>::new(),
            "up to event {end}"
        );
    }
}

#[test]
fn one_edit_breaks_one_requirement() {
    let mut missed = Vec::new();
    for (from, to, wanted) in good::EDITS {
        let mut hits = 0;
        let mut stage = Stage::new({
            let (from, to) = (*from, *to);
            let mut done = false;
            move |xml: &str| {
                if !done && xml.contains(from) {
                    done = true;
                    xml.replacen(from, to, 1)
                } else {
                    xml.to_owned()
                }
            }
        });
        play(&mut stage);
        stage.wait(40.0);
        let found = judge(stage.trace.events(), live(Target::Both), stage.at);
        let broken: Vec<_> = found
            .iter()
            .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Warn))
            .map(|f| f.requirement.trim_start_matches("XCCOSIP-").to_owned())
            .collect();
        hits += usize::from(broken.iter().any(|b| b == wanted));
        let extra: Vec<_> = broken
            .iter()
            // A server that takes it is wrong as well.
            .filter(|b| b != wanted && *b != "3.2.1.5-02")
            .collect();
        if hits == 0 || extra.len() > 2 {
            missed.push(format!(
                "{from:?} → {to:?}: wanted {wanted}, got {broken:?}"
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn the_catalogue_names_the_rules_that_check() {
    let catalogue = crate::catalogue();
    let mut wrong = Vec::new();
    for (id, rule) in super::checks() {
        let Some(requirement) = catalogue.get(id) else {
            wrong.push(format!("{id} is in no catalogue"));
            continue;
        };
        let name = if rule == "schema" {
            rule.to_owned()
        } else {
            format!("rule:{rule}")
        };
        if !requirement.checked_by.contains(&name) {
            wrong.push(format!("{id} does not name {name}"));
        }
    }
    let known: std::collections::HashSet<_> = super::checks().into_iter().collect();
    for requirement in catalogue.iter() {
        for name in &requirement.checked_by {
            if let Some(rule) = name.strip_prefix("rule:")
                && !known
                    .iter()
                    .any(|(id, r)| *id == requirement.id && *r == rule)
            {
                wrong.push(format!(
                    "{} names {name}, which does not check it",
                    requirement.id
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every id a rule writes down is one it says it checks.
#[test]
fn rules_check_what_they_say() {
    let found = run(str::to_owned, Style::default(), live(Target::Both));
    let known: std::collections::HashSet<_> =
        super::checks().into_iter().map(|(id, _)| id).collect();
    for finding in found {
        let id = finding.requirement.as_str();
        assert!(
            known.contains(id) || matches!(id, "SIP" | "SCHEMA" | "XML"),
            "{} concludes about {id} without saying so",
            finding.rule
        );
    }
}
