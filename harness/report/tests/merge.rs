//! Shards joined give what one run would have given.

mod sample;

use judge::{RunEvent, Status, Summary, exit};
use report::merge::{MergeError, join};
use report::{Run, json};

/// Cuts a run's stream in shards by scenario, each with its own beginning and end.
fn shards(events: &[RunEvent], n: usize) -> Vec<Vec<RunEvent>> {
    let whole = Run::fold(events);
    (0..n)
        .map(|k| {
            let mine: Vec<&str> = whole
                .scenarios
                .iter()
                .enumerate()
                .filter(|(i, _)| i % n == k)
                .map(|(_, s)| s.info.id.as_str())
                .collect();
            let mut summary = Summary::default();
            let mut shard: Vec<RunEvent> = Vec::new();
            for event in events {
                let id = match event {
                    RunEvent::RunStarted { info, .. } => {
                        let mut info = info.clone();
                        info.command.push(format!("--shard={}/{n}", k + 1));
                        shard.push(RunEvent::RunStarted {
                            info,
                            selected: mine.len() as u32,
                        });
                        continue;
                    }
                    RunEvent::ScenarioStarted { scenario } => &scenario.id,
                    RunEvent::Traced { scenario, .. }
                    | RunEvent::Found { scenario, .. }
                    | RunEvent::ScenarioFinished { scenario, .. } => scenario,
                    RunEvent::RunFinished {
                        requirements,
                        problems,
                        exit_code,
                        ..
                    } => {
                        let part = Run::fold(&shard);
                        summary = part.summary();
                        let requirements = requirements
                            .iter()
                            .map(|r| {
                                let mut r = r.clone();
                                r.scenarios.retain(|s| mine.contains(&s.as_str()));
                                if r.scenarios.is_empty() && r.status != Status::NotObservable {
                                    r.status = Status::NotExercised;
                                }
                                r
                            })
                            .collect();
                        shard.push(RunEvent::RunFinished {
                            summary,
                            requirements,
                            problems: problems.clone(),
                            exit_code: *exit_code,
                            interrupted: false,
                            duration_ms: 532,
                        });
                        continue;
                    }
                };
                if mine.contains(&id.as_str()) {
                    shard.push(event.clone());
                }
            }
            let _ = summary;
            shard
        })
        .collect()
}

#[test]
fn shards_give_the_whole() {
    let events = sample::variety();
    let joined = join(&shards(&events, 3)).unwrap();
    let value = |events: &[RunEvent]| -> serde_json::Value {
        serde_json::from_str(&json::render(&Run::fold(events))).unwrap()
    };
    let (mut a, mut b) = (value(&events), value(&joined));
    for document in [&mut a, &mut b] {
        let by_id = |list: &mut serde_json::Value, key: &str| {
            if let Some(list) = list.as_array_mut() {
                list.sort_by_key(|s| s[key].to_string());
            }
        };
        by_id(&mut document["scenarios"], "id");
        if let Some(requirements) = document["requirements"].as_array_mut() {
            for r in requirements {
                if let Some(list) = r["scenarios"].as_array_mut() {
                    list.sort_by_key(ToString::to_string);
                }
            }
        }
    }
    assert_eq!(a, b);
}

#[test]
fn streams_of_different_runs_are_refused() {
    let events = sample::variety();
    assert_eq!(join(&[]), Err(MergeError::Nothing));
    assert_eq!(
        join(&[events.clone(), Vec::new()]),
        Err(MergeError::NoStart(1))
    );
    let twice = join(&[events.clone(), events.clone()]).unwrap_err();
    assert_eq!(
        twice.to_string(),
        "scenario server/join/one-room is in stream 2 and in one before it; shards share no scenario"
    );
    let mut other = shards(&events, 2);
    if let RunEvent::RunStarted { info, .. } = &mut other[1][0] {
        info.profile = "published".into();
    }
    assert_eq!(
        join(&other).unwrap_err().to_string(),
        "stream 2 is of another run: its schema profile is published, that of the first is interop"
    );
}

#[test]
fn exit_codes_and_cut_shards() {
    let mut parts = shards(&sample::large(4), 2);
    let code = |parts: &[Vec<RunEvent>]| Run::fold(&join(parts).unwrap()).end.unwrap().exit_code;
    assert_eq!(code(&parts), exit::VIOLATION);
    parts[1].pop();
    assert_eq!(code(&parts), exit::INTERRUPTED);
    let empty = vec![vec![RunEvent::RunStarted {
        info: sample::info(),
        selected: 0,
    }]];
    assert_eq!(
        join(&empty).unwrap().len(),
        1,
        "no end where no shard had one"
    );
}
