//! Whose fault it is when a scenario does not reach its purpose, against our own chat server in memory.

use std::sync::Arc;

use judge::{Blame, Outcome, RunEvent, RunInfo, Verdict};
use scenario::engine::{Options, run};
use scenario::site::{EPOCH, ServerInMemory, world};
use scenario::{Library, Source};
use trace::Seat;
use xccos::defect::Defects;

const HEAD: &str = "title: a test\ntarget: server\nneeds: { users: [alice] }\nendpoints: { alice: { user: alice } }\nsteps:\n  - use: common/open\n    with: { endpoints: [alice] }\n";

const ASK: &str = "cmd:getserverinfo: { data: { sib: { \"@domain\": \"${domain}\", \"@infoType\": 1, \"@clientVersion\": x } } }";

/// How a scenario of these steps ends, why, what it breaks, and the run's exit code.
async fn play(steps: &str, defect: Option<&str>) -> (Outcome, String, Vec<String>, u8) {
    let library = Library::built_in();
    let source = Source::new("test.yaml", format!("{HEAD}{steps}"));
    let scenario = library
        .parse("test", &source)
        .unwrap_or_else(|p| panic!("{p}"));
    let mut site = ServerInMemory::new(world()).unwrap();
    if let Some(defect) = defect {
        site.options.defects = Defects::named([defect]).unwrap();
    }
    let mut options = Options::new(RunInfo {
        version: "test".to_owned(),
        seed: 1,
        seat: Seat::Client,
        profile: "interop".to_owned(),
        target: "self".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        command: Vec::new(),
        strict: false,
    });
    options.epoch = Some(EPOCH);
    let (mut end, mut broken) = (None, Vec::new());
    let closing = run(
        &[Arc::new(scenario)],
        Arc::new(site),
        &options,
        &mut |event| match event {
            RunEvent::Found { finding, .. }
                if finding.verdict == Verdict::Fail && finding.blame == Blame::Target =>
            {
                broken.push(finding.requirement);
            }
            RunEvent::ScenarioFinished {
                outcome, reason, ..
            } => end = Some((outcome, reason.unwrap_or_default())),
            _ => {}
        },
    )
    .await;
    let (outcome, why) = end.unwrap();
    (outcome, why, broken, closing.exit_code)
}

#[tokio::test(start_paused = true)]
async fn a_value_that_never_came_blames_nobody() {
    let capture = "  - expect: { at: alice, optional: true, within: 10ms, grpchat: { \"@chatId\": { save: chat_id } } }\n";
    // In a message to send, in a message to wait for, in one that must not come, in a check.
    for steps in [
        format!(
            "{capture}  - send: {{ from: alice, xml: \"<x a='${{chat_id}}'/>\", invalid: x }}\n"
        ),
        format!(
            "{capture}  - send: {{ from: alice, {ASK}, as: ask }}\n  - expect: {{ at: alice, answers: ask, rpl:getserverinfo: {{ resp: {{ \"@code\": \"${{chat_id}}\" }} }}, decides: [XCCOSIP-3.2.2.5-01] }}\n"
        ),
        format!(
            "{capture}  - send: {{ from: alice, {ASK}, as: ask }}\n  - never: {{ at: alice, rpl: {{ resp: {{ \"@code\": \"${{chat_id}}\" }} }}, for: 1s, decides: [XCCOSIP-3.2.2.5-01] }}\n"
        ),
        format!(
            "{capture}  - send: {{ from: alice, {ASK}, as: ask }}\n  - expect:\n      at: alice\n      answers: ask\n      rpl: {{}}\n      check:\n        - rpl: {{ resp: {{ \"@code\": {{ not: {{ equals: \"${{chat_id}}\" }} }} }} }}\n          decides: [XCCOSIP-3.2.2.5-01]\n"
        ),
    ] {
        let (outcome, why, broken, code) = play(&steps, None).await;
        assert_eq!(outcome, Outcome::Inconclusive, "{steps}{why}");
        assert!(why.contains("`chat_id` has no value"), "{why}");
        assert!(broken.is_empty(), "{broken:?}");
        // Nothing was proven, and that is no conformance.
        assert_eq!(code, judge::exit::NOTHING_RAN);
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_broken_is_one_fault() {
    // Connecting waits for rpl:getserverinfo; it comes, in forms that cannot be recognised.
    for (defect, breaks) in [
        ("server/reply-without-commandid", "XCCOSIP-2.2.2.2.4-02"),
        ("server/commandid-foreign-envid", "XCCOSIP-3.2.1.5-09"),
        ("server/foreign-namespace", "XCCOSIP-2.2.1-01"),
    ] {
        let (outcome, why, broken, code) = play("", Some(defect)).await;
        assert_eq!(outcome, Outcome::Fail, "{defect}: {why}");
        assert_eq!(code, judge::exit::VIOLATION);
        assert!(broken.contains(&breaks.to_owned()), "{defect}: {broken:?}");
        let beside: Vec<_> = broken
            .iter()
            .filter(|id| id.starts_with("XCCOSIP-3.2.2"))
            .collect();
        assert!(beside.is_empty(), "{defect}: {beside:?} as well");
    }
    // What did not come at all is the fault that the step names.
    let (outcome, _, broken, _) = play("", Some("server/serverinfo-unanswered")).await;
    assert_eq!(outcome, Outcome::Fail);
    assert!(!broken.is_empty());
}
