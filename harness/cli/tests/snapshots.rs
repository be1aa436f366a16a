//! The accepted exchanges of the self runs, as CI sees them.

mod common;

use common::Place;

fn accepted() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/snapshots").to_owned()
}

/// What a run told of exchanges that changed.
fn changed(results: &str) -> Vec<String> {
    let results: serde_json::Value = serde_json::from_str(results).unwrap();
    let scenarios = results["scenarios"].as_array().unwrap();
    scenarios
        .iter()
        .filter(|s| s["snapshot"] == "changed")
        .map(|s| format!("{}\n{}", s["id"], s["snapshot_diff"].as_str().unwrap_or("")))
        .collect()
}

#[test]
fn self_runs_are_as_accepted() {
    let place = Place::new();
    for seat in ["client", "server"] {
        let line = format!(
            "run --seat {seat} --shuffle --report r -q --snapshots {}",
            accepted()
        );
        place.command(&line).env("CI", "1").output().unwrap();
        let changed = changed(&place.read("r/results.json"));
        assert!(
            changed.is_empty(),
            "exchanges differ from fixtures/snapshots; when that is meant, run `make snapshots` and read the diff of git:\n{}",
            changed.join("\n")
        );
    }
    let orphans = place.run(&format!("snapshot orphans --snapshots {}", accepted()));
    orphans.code(0);
}

#[test]
fn a_change_is_shown_with_its_path_and_accepted_when_wanted() {
    let place = Place::new();
    let run = "run server/join/join --seed 1 --report r --snapshots snaps";
    place.run(&format!("{run} --update-snapshots")).code(0);
    place.run(run).code(0);
    let file = "snaps/self/server/join/join.snap";
    let was = place.read(file);
    place.write(
        file,
        was.replacen("disabled=\"false\"", "disabled=\"true\"", 1),
    );

    // In CI: red, shown everywhere, nothing written.
    let ran = common::ran(place.command(run).env("CI", "1").output().unwrap());
    ran.code(1);
    assert!(
        ran.err.contains("exchange against its accepted snapshot"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("@@ server → alice INFO rpl:requri, /xccos/rpl/data/uib/@disabled"),
        "{}",
        ran.err
    );
    assert!(place.read("r/results.json").contains("\"snapshot_diff\""));
    assert!(
        place
            .read("r/index.html")
            .contains("/xccos/rpl/data/uib/@disabled")
    );
    assert!(
        !place
            .path()
            .join("snaps/self/server/join/join.snap.new")
            .exists()
    );

    // At a desk: pending, shown, accepted.
    place.run(run).code(1);
    let shown = place.run("snapshot diff --report r --snapshots snaps");
    shown.code(1);
    assert!(shown.out.contains("/@disabled"), "{}", shown.out);
    place
        .run("snapshot accept server/join --report r --snapshots snaps")
        .code(0);
    place.run(run).code(0);
    place
        .run("snapshot diff --report r --snapshots snaps")
        .code(0);

    // Somebody else's, of a scenario that is gone.
    place.write("snaps/self/server/gone.snap", was);
    let orphans = place.run("snapshot orphans --snapshots snaps");
    orphans.code(1);
    assert!(orphans.out.contains("gone.snap"), "{}", orphans.out);
    place
        .run("snapshot orphans --remove --snapshots snaps")
        .code(0);
    assert!(!place.path().join("snaps/self/server/gone.snap").exists());
}
