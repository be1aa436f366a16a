use std::collections::BTreeMap;
use std::sync::Arc;

use judge::{Outcome, RunEvent, RunInfo};

use super::*;
use crate::engine::{Options, run};
use crate::site::{EPOCH, ServerInMemory, world};
use crate::{Library, Scenario, Selection, Source};

/// Plays scenarios against our server in memory; gives each one's events, outcome and complaint.
async fn play(scenarios: &[Arc<Scenario>]) -> BTreeMap<String, (Vec<Event>, Outcome, String)> {
    let info = RunInfo {
        version: "test".to_owned(),
        seed: 1,
        seat: Seat::Client,
        profile: "interop".to_owned(),
        target: "self".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        command: Vec::new(),
        strict: false,
    };
    let mut options = Options::new(info);
    options.jobs = 8;
    options.epoch = Some(EPOCH);
    let site = Arc::new(ServerInMemory::new(world()).unwrap());
    let mut out: BTreeMap<String, (Vec<Event>, Outcome, String)> = BTreeMap::new();
    let mut traced: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    run(scenarios, site, &options, &mut |event| match event {
        RunEvent::Traced { event, scenario } => traced.entry(scenario).or_default().push(event),
        RunEvent::Found {
            scenario, finding, ..
        } if finding.verdict > Verdict::Info => {
            let all = found.entry(scenario).or_default();
            all.push_str(&format!("{} {}; ", finding.requirement, finding.message));
        }
        RunEvent::ScenarioFinished {
            scenario,
            outcome,
            reason,
            ..
        } => {
            let events = traced.remove(&scenario).unwrap_or_default();
            let words = format!("{reason:?} {}", found.remove(&scenario).unwrap_or_default());
            out.insert(scenario, (events, outcome, words));
        }
        _ => {}
    })
    .await;
    out
}

#[tokio::test(start_paused = true)]
async fn what_our_server_was_recorded_doing_it_does_again() {
    let library = Library::built_in();
    let selection = Selection {
        seat: Some(Seat::Client),
        ..Selection::default()
    };
    let chosen = selection.choose(&library.scenarios).unwrap();
    let recorded = play(&chosen).await;
    let mut again = Vec::new();
    let mut texts = BTreeMap::new();
    for (id, (events, outcome, _)) in &recorded {
        // What this world does not have was not played, so nothing was recorded.
        if *outcome == Outcome::Skip {
            continue;
        }
        let made = match skeleton(events, id) {
            Ok(made) => made,
            Err(why) => {
                assert!(id.contains("/sip/") || id.contains("lookup"), "{id}: {why}");
                continue;
            }
        };
        let source = Source::new(format!("{id}.yaml"), made.text.clone());
        let scenario = library.parse(id, &source);
        again.push(Arc::new(
            scenario.unwrap_or_else(|p| panic!("{id}: {p}\n{}", made.text)),
        ));
        texts.insert(id.clone(), made.text);
    }
    let played = play(&again).await;
    let bad: Vec<String> = played
        .iter()
        .filter(|(_, (_, outcome, _))| *outcome != Outcome::Pass)
        .map(|(id, (_, outcome, words))| format!("{id}: {outcome} {words}"))
        .collect();
    if let Some(id) = std::env::var_os("SKELETON").and_then(|id| id.into_string().ok()) {
        eprintln!("{}", texts.get(&id).cloned().unwrap_or_default());
    }
    assert!(
        bad.is_empty(),
        "{} of {}:\n{}",
        bad.len(),
        played.len(),
        bad.join("\n")
    );
}

#[test]
fn words_and_values() {
    assert_eq!(slug("Town Hall!", "room"), "town-hall");
    assert_eq!(slug("日本", "room"), "room");
    assert_eq!(
        replaced(
            "sip:al@x.com sip:al@x.com.au SIP:AL@X.COM",
            "sip:al@x.com",
            "A"
        ),
        "A sip:al@x.com.au A"
    );
    assert_eq!(literal("${x}"), "$${x}");
    assert_eq!(Yaml::from("yes").flow(), "\"yes\"");
    assert_eq!(Yaml::from("a: b").flow(), "\"a: b\"");
    assert_eq!(Yaml::from("cmd:join").flow(), "cmd:join");
    assert_eq!(one("data", Yaml::Map(Vec::new())).flow(), "{ data: {} }");
}

#[test]
fn a_recording_without_a_client_is_refused() {
    assert!(skeleton(&[], "x").unwrap_err().contains("no INVITE"));
}
