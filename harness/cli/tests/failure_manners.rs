//! Targets that behave badly below the chat: the message names whose fault it is, the exit code fits, reports are
//! written, and nothing hangs.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use common::{Mock, Place};

const HEAD: &str = "Via: SIP/2.0/TCP peer.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INFO\r\nMax-Forwards: 70\r\n";

/// Serves every connection with `act`, which gets it once the first bytes have come.
fn server(act: impl Fn(TcpStream) + Send + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut first = [0; 4096];
                if stream.read(&mut first).is_ok() {
                    act(stream);
                }
            });
        }
    });
    port
}

/// Keeps a connection open until the peer goes away.
fn linger(mut stream: TcpStream) {
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest), Ok(n) if n > 0) {}
}

fn target(place: &Place, port: u16) {
    place.run("new target -o t.yaml --force").code(0);
    let text = place.read("t.yaml");
    let line = text.lines().find(|l| l.starts_with("transport:")).unwrap();
    let tcp = format!("transport: {{ protocol: tcp, address: \"127.0.0.1:{port}\" }}");
    place.write("t.yaml", text.replace(line, &tcp));
}

/// Runs two scenarios against a server that acts so; gives what was said and checks what must always hold.
#[track_caller]
fn meets(act: impl Fn(TcpStream) + Send + Clone + 'static, code: i32, says: &str) {
    let place = Place::new();
    target(&place, server(act));
    let start = Instant::now();
    let run = place.run("run --target t.yaml server/join/join --seed 7 --time-scale 0.05");
    run.code(code).says(says);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        start.elapsed()
    );
    for file in ["index.html", "junit.xml", "results.json", "events.ndjson"] {
        assert!(!place.read(&format!("reports/latest/{file}")).is_empty());
    }
}

#[test]
fn refused() {
    let place = Place::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    target(&place, port);
    let run = place.run("run --target t.yaml server/join --seed 7");
    run.code(3)
        .says("the connection was refused (is the server running, and on this port?)")
        .says("not tried again")
        .says("the environment failed; nothing is proven (exit code 3)");
    assert!(place.read("reports/latest/junit.xml").contains("<error"));
}

#[test]
fn a_certificate_of_another_authority() {
    let place = Place::new();
    let one = Mock::start(&place, "one", "");
    let two = Mock::start(&place, "two", "");
    let ca = |mock: &Mock| mock.target.with_file_name("ca.pem");
    std::fs::copy(ca(&two), ca(&one)).unwrap();
    let run = place.run(&format!(
        "run --target {} server/info --seed 7",
        one.target.display()
    ));
    run.code(3).says("CA");
}

#[test]
fn a_certificate_for_another_name() {
    let place = Place::new();
    let mock = Mock::start(&place, "one", "");
    let text = std::fs::read_to_string(&mock.target).unwrap();
    std::fs::write(
        &mock.target,
        text.replace("server_name: localhost", "server_name: chat.example.org"),
    )
    .unwrap();
    let run = place.run(&format!(
        "run --target {} server/info --seed 7",
        mock.target.display()
    ));
    run.code(3).says("chat.example.org");
}

#[test]
fn plain_tcp_where_tls_is_expected() {
    let place = Place::new();
    let mock = Mock::start(&place, "plain", "--transport tcp");
    let text = std::fs::read_to_string(&mock.target).unwrap();
    place.write("ca/ca.pem", "");
    let tls = Mock::start(&place, "tls", "");
    std::fs::copy(
        tls.target.with_file_name("ca.pem"),
        mock.target.with_file_name("ca.pem"),
    )
    .unwrap();
    std::fs::write(
        &mock.target,
        text.replace("protocol: tcp,", "protocol: tls, ca: ca.pem,"),
    )
    .unwrap();
    let run = place.run(&format!(
        "run --target {} server/info --seed 7",
        mock.target.display()
    ));
    run.code(3);
}

#[test]
fn never_answers() {
    meets(linger, 4, "was never answered");
}

#[test]
fn half_a_message_then_silence() {
    meets(
        |mut stream| {
            let _ = stream.write_all(b"SIP/2.0 200 OK\r\nContent-Length: 50\r\n\r\nabc");
            linger(stream);
        },
        4,
        "was never answered",
    );
}

#[test]
fn a_body_of_twenty_megabytes() {
    meets(
        |mut stream| {
            let head = format!("INFO sip:a@b SIP/2.0\r\n{HEAD}Content-Length: 20000000\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&vec![b'x'; 1 << 20]);
            linger(stream);
        },
        1,
        "Content-Length announces 20000000 bytes, the limit is 16777216",
    );
}

#[test]
fn binary_garbage() {
    meets(
        |mut stream| {
            let _ = stream.write_all(&[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3]);
            linger(stream);
        },
        1,
        "the stream is not SIP",
    );
}

#[test]
fn dies_at_once() {
    meets(drop, 4, "the connection was closed");
}

#[test]
fn dies_in_the_middle_of_a_run() {
    let place = Place::new();
    // After some messages the mock resets every connection.
    let mock = Mock::start(&place, "dying", "--fault reset@7");
    let run = place.run(&format!(
        "run --target {} server/join --seed 7 --time-scale 0.05",
        mock.target.display()
    ));
    assert!(matches!(run.code, 1 | 3 | 4), "{}", run.err);
    run.says("reset");
}

#[test]
fn a_port_in_use() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = place.run(&format!("mock --listen 127.0.0.1:{port}"));
    run.code(3).says("cannot listen");
}

#[test]
fn an_adapter_that_is_not_there() {
    let place = Place::new();
    place
        .run("new target --implements client -o client.yaml")
        .code(0);
    let run = place.run("run --target client.yaml client/join/join --seed 7");
    run.code(3)
        .says("the adapter `./adapter` cannot be started");
}
