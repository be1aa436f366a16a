//! The program against a mock in another process, over TLS.

mod common;

use common::{Mock, Place};

/// Defects of the mock, the requirement that must be named, and scenarios that meet it.
///
/// One for each of the main things a chat server does; the kill matrix has all of them.
const DEFECTS: &[(&str, &str, &str)] = &[
    (
        "server/chat-without-name",
        "XCCOSIP-2.2.2.2.9-12",
        "server/chat/fan-out",
    ),
    (
        "server/fan-out-to-all",
        "XCCOSIP-3.2.6.5-11",
        "server/chat/fan-out",
    ),
    (
        "server/chatid-repeats",
        "XCCOSIP-2.2.2.2.9-20",
        "server/chat/fan-out",
    ),
    (
        "server/join-open-to-all",
        "XCCOSIP-3.2.4.5-05",
        "server/join/refused",
    ),
    (
        "server/join-without-roles",
        "XCCOSIP-3.2.4.5-12",
        "server/join/join",
    ),
    (
        "server/bjoin-failures-unsaid",
        "XCCOSIP-3.2.3.5-21",
        "server/join/bjoin",
    ),
    (
        "server/commandid-foreign-envid",
        "XCCOSIP-3.2.1.5-09",
        "server/info",
    ),
    (
        "server/unknown-gets-reply",
        "XCCOSIP-3.2.1.5-05",
        "server/errors/unknown-command",
    ),
    (
        "server/serverinfo-always-all",
        "XCCOSIP-3.2.2.5-02",
        "server/info",
    ),
    (
        "server/envid-repeats",
        "XCCOSIP-2.2.2.2.1-08",
        "server/join/join",
    ),
    (
        "server/quit-untold",
        "XCCOSIP-2.2.2.2.5-15",
        "server/leave/quit",
    ),
    ("server/info-wrong-tag", "SIP", "server/join/join"),
];

#[test]
fn a_conformant_mock_is_found_conformant_and_finds_us_conformant() {
    let place = Place::new();
    let mock = Mock::start(&place, "good", "");
    let target = mock.target.display().to_string();
    let run = place.run(&format!(
        "run --target {target} --seed 7 --junit junit.xml --skip-tag negative"
    ));
    run.code(0)
        .says("conformant: everything that ran passed (exit code 0)");
    run.says("reports/latest/index.html").says("junit.xml");
    let results: serde_json::Value =
        serde_json::from_str(&place.read("reports/latest/results.json")).unwrap();
    assert_eq!(results["summary"]["fail"], 0);
    assert!(
        results["summary"]["pass"].as_u64().unwrap() >= 10,
        "{}",
        results["summary"]
    );
    assert!(place.read("junit.xml").contains("<testsuite"));
    assert!(place.read("reports/latest/index.html").contains("<html"));
    let (code, printed) = mock.end();
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("INFO cmd:join  accepted"), "{printed}");
}

#[test]
fn ten_defects_are_found_and_named() {
    let place = Place::new();
    for (defect, requirement, select) in DEFECTS {
        // In the self run the peer is as real, and each run gets its own.
        let run = place.run(&format!(
            "run --defect {defect} {select} --seed 7 --time-scale 0.1 --report r/{defect}"
        ));
        assert_eq!(run.code, 1, "{defect}:\n{}", run.err);
        assert!(
            run.err.contains(&format!("violation[{requirement}]")),
            "{defect} is not blamed on {requirement}:\n{}",
            run.err
        );
        assert!(
            run.err.contains("repeat with: parlance run --defect"),
            "{}",
            run.err
        );
    }
}

#[test]
fn a_broken_mock_in_another_process_is_red() {
    let place = Place::new();
    let (defect, requirement, select) = DEFECTS[0];
    let mock = Mock::start(&place, "bad", &format!("--defect {defect}"));
    let target = mock.target.display().to_string();
    let run = place.run(&format!(
        "run --target {target} {select} --seed 7 --time-scale 0.1"
    ));
    run.code(1)
        .says(requirement)
        .says("not conformant (exit code 1)");
}

#[test]
fn the_server_seat_judges_our_own_client() {
    let place = Place::new();
    let run = place.run("run --seat server client/join client/sign-in --seed 7 --time-scale 0.1");
    run.code(0).says("harness in the server seat");
}

#[test]
fn our_own_adapter_drives_the_reference_client() {
    let place = Place::new();
    place
        .run("new target --implements client -o client.yaml")
        .code(0);
    let text = place.read("client.yaml").replace(
        "\"./adapter\"",
        &format!(
            "\"{}\", \"client\", \"--driver\"",
            env!("CARGO_BIN_EXE_parlance")
        ),
    );
    place.write("client.yaml", text);
    let run = place.run("run --target client.yaml client/join/join --seed 7 --time-scale 0.1");
    run.code(0).says("1 passed");
}

#[test]
fn a_recording_can_be_judged_again() {
    let place = Place::new();
    let mock = Mock::start(&place, "rec", "--record trace.ndjson");
    let target = mock.target.display().to_string();
    place
        .run(&format!("run --target {target} server/join/join --seed 7"))
        .code(0);
    let (code, _) = mock.end();
    assert_eq!(code, 0);
    let trace = place.read("trace.ndjson");
    assert!(trace.lines().count() > 10 && trace.contains("cmd:join"));
}

#[test]
fn reports_render_again_and_shards_merge() {
    let place = Place::new();
    for part in [1, 2] {
        let run = place.run(&format!(
            "run server/join server/info server/lookup --seed 7 --shard {part}/2 --report out/{part} -q"
        ));
        assert!(matches!(run.code, 0 | 4), "{}", run.err);
    }
    place.run("report merge out/1 out/2 --report all").code(0);
    let results: serde_json::Value = serde_json::from_str(&place.read("all/results.json")).unwrap();
    assert!(results["summary"]["pass"].as_u64().unwrap() >= 5);
    let before = place.read("all/junit.xml");
    place.run("report render all").code(0);
    assert_eq!(before, place.read("all/junit.xml"));
}

#[test]
fn the_proxy_changes_nothing_and_judges_both() {
    let place = Place::new();
    let mock = Mock::start(&place, "behind", "--transport tcp");
    let text = std::fs::read_to_string(&mock.target).unwrap();
    let address = text
        .split('"')
        .find(|t| t.starts_with("127.0.0.1:"))
        .unwrap()
        .to_owned();
    let port = free_port();
    let mut proxy = place
        .command(&format!(
            "proxy --listen 127.0.0.1:{port} --to {address} --transport tcp --duration 20"
        ))
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    common::wait_for(port);
    place.write(
        "proxied.yaml",
        text.replace(&address, &format!("127.0.0.1:{port}")),
    );
    let run = place.run("run --target proxied.yaml server/join/join --seed 7");
    let _ = std::process::Command::new("kill")
        .arg(proxy.id().to_string())
        .status();
    let _ = proxy.wait();
    run.code(0).says("1 passed");
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut proxy.stderr.take().unwrap(), &mut printed).unwrap();
    assert!(printed.contains("INFO cmd:join  accepted"), "{printed}");
    assert!(printed.contains("INFO rpl:join  accepted"), "{printed}");
    assert!(printed.contains(" 0 violations"), "{printed}");
}

#[test]
fn machine_output_is_alone_on_stdout() {
    let place = Place::new();
    for line in [
        "list scenarios --format json",
        "list requirements 3.2.6.5 --format json",
        "list defects --format json",
        "explain XCCOSIP-3.2.6.5-11 --format json",
        "run --list --format json server/join",
    ] {
        let run = place.run(line);
        run.code(0);
        serde_json::from_str::<serde_json::Value>(&run.out)
            .unwrap_or_else(|e| panic!("{line}: {e}\n{}", run.out));
    }
    for line in [
        "completions bash",
        "man",
        "man run",
        "--help",
        "run --help",
        "--version",
    ] {
        let run = place.run(line);
        run.code(0);
        assert!(
            !run.out.is_empty() && run.err.is_empty(),
            "{line}: {}",
            run.err
        );
    }
}

#[test]
fn what_is_new_is_right() {
    let place = Place::new();
    place.run("new target").code(0);
    place
        .run("new target --implements client -o client.yaml")
        .code(0);
    place.run("new world").code(0);
    place.run("new scenario").code(0);
    place
        .run("lint target.yaml client.yaml world.yaml scenario.yaml")
        .code(0);
    place
        .run("run scenario.yaml --seed 7")
        .code(0)
        .says("1 passed");
    place.run("new target").code(2).says("exists already");
}

#[test]
fn flags_come_from_the_environment_and_lose_to_the_command_line() {
    let place = Place::new();
    let by_env = |line: &str, value: &str| {
        let mut command = place.command(line);
        common::ran(command.env("PARLANCE_SEED", value).output().unwrap())
    };
    by_env("run server/info --report r", "12")
        .code(0)
        .says("seed 12");
    by_env("run server/info --report r --seed 13", "12")
        .code(0)
        .says("seed 13");
    by_env("run server/info --report r", "x").code(2);
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
