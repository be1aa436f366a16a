use super::*;
use crate::{Place, Requirement, Role};

fn catalogue() -> Arc<Catalogue> {
    let entry = |id: &str, level, observable| Requirement {
        id: id.into(),
        section: "1".into(),
        role: Role::Server,
        sender: None,
        level,
        statement: "x".into(),
        observable,
        conflicts: vec![],
        checked_by: vec![],
    };
    Arc::new(
        Catalogue::new([
            entry("R-1", Level::Must, Observable::Wire),
            entry("R-2", Level::Should, Observable::Wire),
            entry("R-3", Level::Must, Observable::Internal),
            entry("R-4", Level::Must, Observable::Schema),
        ])
        .unwrap(),
    )
}

fn finding(requirement: &str, verdict: Verdict, blame: Blame) -> Finding {
    Finding {
        requirement: requirement.into(),
        level: if requirement == "R-2" {
            Level::Should
        } else {
            Level::Must
        },
        verdict,
        blame,
        message: "the room is wrong".into(),
        rule: "test".into(),
        event: Some(7),
        place: Place::default(),
        profiles: vec![],
        step: None,
    }
}

fn waiver(requirement: &str) -> Waiver {
    Waiver {
        requirement: requirement.into(),
        reason: "bug 42".into(),
        until: Some("2027-01-31".into()),
        message: None,
        scenario: Some("server/*".into()),
    }
}

fn run(waivers: Vec<Waiver>, strict: bool) -> Verdicts {
    Verdicts::new(catalogue(), waivers, strict, "2026-11-21")
}

fn status(closing: &Closing, id: &str) -> Status {
    closing
        .requirements
        .iter()
        .find(|r| r.id == id)
        .unwrap()
        .status
}

#[test]
fn findings_become_outcomes_statuses_and_a_code() {
    let mut v = run(vec![], false);
    v.start("server/a");
    v.finding("server/a", &finding("R-1", Verdict::Pass, Blame::Target));
    assert_eq!(v.outcome("server/a"), (Outcome::Pass, None));
    v.finding("server/a", &finding("R-2", Verdict::Warn, Blame::Target));
    // A MUST that is only warned of stands in a contradiction: neither kept nor broken.
    v.finding("server/a", &finding("R-4", Verdict::Warn, Blame::Target));
    assert_eq!(v.outcome("server/a").0, Outcome::Warn);
    v.start("server/b");
    v.finding("server/b", &finding("R-1", Verdict::Fail, Blame::Target));
    assert_eq!(v.outcome("server/b").0, Outcome::Fail);
    let closing = v.finish(&Gates::default());
    assert_eq!(closing.exit_code, exit::VIOLATION);
    assert_eq!(
        (
            closing.summary.pass,
            closing.summary.warn,
            closing.summary.fail
        ),
        (0, 1, 1)
    );
    assert_eq!(status(&closing, "R-1"), Status::Violated);
    assert_eq!(
        closing.requirements[0].decided_by,
        Some(("server/b".into(), 7))
    );
    assert_eq!(
        closing.requirements[0].scenarios,
        vec!["server/a", "server/b"]
    );
    assert_eq!(status(&closing, "R-2"), Status::Violated);
    assert_eq!(status(&closing, "R-3"), Status::NotObservable);
    assert_eq!(status(&closing, "R-4"), Status::NotExercised);
}

#[test]
fn a_broken_should_counts_only_when_strict() {
    for (strict, code) in [(false, exit::CONFORMANT), (true, exit::VIOLATION)] {
        let mut v = run(vec![], strict);
        v.start("a");
        v.finding("a", &finding("R-2", Verdict::Warn, Blame::Target));
        assert_eq!(v.finish(&Gates::default()).exit_code, code);
    }
}

#[test]
fn a_waiver_covers_until_it_is_stale_or_expired() {
    let fail = finding("R-1", Verdict::Fail, Blame::Target);
    let mut v = run(vec![waiver("R-1")], false);
    v.start("server/a");
    assert_eq!(v.finding("server/a", &fail).as_deref(), Some("bug 42"));
    let closing = v.finish(&Gates::default());
    assert_eq!(closing.exit_code, exit::CONFORMANT);
    assert_eq!(status(&closing, "R-1"), Status::Waived);

    // Another scenario is not covered by the glob.
    let mut v = run(vec![waiver("R-1")], false);
    v.start("client/a");
    assert_eq!(v.finding("client/a", &fail), None);
    assert_eq!(v.finish(&Gates::default()).exit_code, exit::VIOLATION);

    // The requirement holds now.
    let mut v = run(vec![waiver("R-1")], false);
    v.start("server/a");
    v.finding("server/a", &finding("R-1", Verdict::Pass, Blame::Target));
    let closing = v.finish(&Gates::default());
    assert!(closing.problems[0].contains("stale"));
    assert_eq!(closing.exit_code, exit::VIOLATION);

    // The pin names another message: not covered, and stale.
    let mut pinned = waiver("R-1");
    pinned.message = Some("the user is wrong".into());
    let mut v = run(vec![pinned], false);
    v.start("server/a");
    assert_eq!(v.finding("server/a", &fail), None);
    assert_eq!(v.finish(&Gates::default()).problems.len(), 1);

    // Nothing looked at it: nobody can say that it is stale.
    let mut v = run(vec![waiver("R-1")], false);
    v.start("server/a");
    assert!(v.finish(&Gates::default()).problems.is_empty());

    let mut v = Verdicts::new(catalogue(), vec![waiver("R-1")], false, "2027-02-01");
    v.start("server/a");
    assert_eq!(v.finding("server/a", &fail), None);
    assert!(v.finish(&Gates::default()).problems[0].contains("expired"));
}

#[test]
fn a_skip_is_never_a_pass_and_faults_are_told_apart() {
    let code = |why: Unproven| {
        let mut v = run(vec![], false);
        v.start("a");
        v.unproven("a", why);
        v.finish(&Gates::default()).exit_code
    };
    assert_eq!(code(Unproven::Skip("no driver".into())), exit::NOTHING_RAN);
    assert_eq!(
        code(Unproven::Environment("refused".into())),
        exit::ENVIRONMENT
    );
    assert_eq!(code(Unproven::Harness("bug".into())), exit::HARNESS_BUG);
    assert_eq!(
        code(Unproven::Inconclusive("no sanity".into())),
        exit::NOTHING_RAN
    );
    assert_eq!(
        run(vec![], false).finish(&Gates::default()).exit_code,
        exit::NOTHING_RAN
    );

    let mut v = run(vec![], false);
    v.start("a");
    v.finding("a", &finding("SCHEMA", Verdict::Fail, Blame::Harness));
    assert_eq!(v.outcome("a").0, Outcome::Error);
    assert_eq!(v.finish(&Gates::default()).exit_code, exit::HARNESS_BUG);
}

#[test]
fn gates() {
    let gates = Gates {
        min_coverage: Some(75.0),
        fail_on: vec![Outcome::Inconclusive],
        ..Gates::default()
    };
    let mut v = run(vec![], false);
    v.start("a");
    v.finding("a", &finding("R-1", Verdict::Pass, Blame::Target));
    v.unproven("a", Unproven::Inconclusive("x".into()));
    let closing = v.finish(&gates);
    assert_eq!(closing.exit_code, exit::GATE);
    assert_eq!(closing.problems.len(), 2, "{:?}", closing.problems);
    assert!(closing.problems[0].contains("50.0 % (1 of 2)"));
}

#[test]
fn a_retry_forgets_the_earlier_attempt() {
    let mut v = run(vec![], false);
    v.start("a");
    v.finding("a", &finding("R-1", Verdict::Fail, Blame::Target));
    v.start("a");
    v.finding("a", &finding("R-1", Verdict::Pass, Blame::Target));
    let closing = v.finish(&Gates::default());
    assert_eq!(closing.exit_code, exit::CONFORMANT);
    assert_eq!(status(&closing, "R-1"), Status::Satisfied);
}
