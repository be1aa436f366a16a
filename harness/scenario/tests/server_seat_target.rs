//! The built-in server scenarios against our own chat server, in memory, on a paused clock.

use std::sync::Arc;

use judge::{Outcome, RunEvent, RunInfo, Verdict};
use scenario::engine::{Options, run};
use scenario::site::{ServerInMemory, server_world};
use scenario::{Library, Selection};
use trace::Seat;

fn info(seat: Seat) -> RunInfo {
    RunInfo {
        version: "test".to_owned(),
        seed: 1,
        seat,
        profile: "interop".to_owned(),
        target: "self".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        command: Vec::new(),
        strict: false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_conformant_server_passes_everything() {
    let library = Library::built_in();
    let selection = Selection {
        seat: Some(Seat::Client),
        words: std::env::var("SCENARIO").into_iter().collect(),
        ..Selection::default()
    };
    let chosen = selection.choose(&library.scenarios).unwrap();
    let site = Arc::new(ServerInMemory::new(server_world()).unwrap());
    let mut options = Options::new(info(Seat::Client));
    options.jobs = 8;
    options.epoch = Some(scenario::site::EPOCH);
    let mut bad = Vec::new();
    let verbose = std::env::var_os("VERBOSE").is_some();
    run(&chosen, site, &options, &mut |event| match event {
        RunEvent::Traced { event, scenario } if verbose => {
            eprintln!("{scenario} {}", serde_json::to_string(&event).unwrap());
        }
        RunEvent::Found {
            scenario, finding, ..
        } if finding.verdict > Verdict::Info
            && !(finding.verdict == Verdict::Warn && finding.blame == judge::Blame::Harness) =>
        {
            bad.push(format!(
                "{scenario}: {} {:?} {} {:?} {:?} {:?}",
                finding.requirement,
                finding.verdict,
                finding.message,
                finding.rule,
                finding.event,
                finding.step
            ));
        }
        RunEvent::ScenarioFinished {
            scenario,
            outcome,
            reason,
            ..
        } if outcome != Outcome::Pass => {
            bad.push(format!("{scenario}: {outcome} {reason:?}"));
        }
        _ => {}
    })
    .await;
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
