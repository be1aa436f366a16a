//! The reference client against a scripted server on in-memory pipes, under tokio's paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sip::agent::{Accept, Action, Agent, Config, Event, Transport};
use sip::{Blank, Frame, Framer, Limits, Seeded};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xccos::payload::{Class, Element, Envelope};

use super::*;

const LOBBY: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";

/// What the scripted server does out of the ordinary.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    Good,
    RefusesInvite,
    RefusesInfo,
    NeverAnswers,
    SilentOnSip,
    HangsUpOnJoin,
    ClosesOnJoin,
}

/// Serves one connection; notes the methods that arrive, and for INFOs what they carry.
async fn serve_one(mut stream: sip::net::BoxStream, script: Script, seen: Arc<Mutex<Vec<String>>>) {
    let config = Config::server(Transport::Tcp, "127.0.0.1", 5060);
    let mut agent = Agent::server(config, Box::new(Seeded::new(9)));
    let mut framer = Framer::new(Limits::default(), Blank::Pings);
    let start = tokio::time::Instant::now();
    let mut buffer = [0; 4096];
    loop {
        let read = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => n,
        };
        framer.push(&buffer[..read]);
        while let Some(frame) = framer.next() {
            if let Frame::Message(message) = &frame
                && let Some(method) = message.method()
            {
                let label = match Envelope::parse(message.body()) {
                    Ok(envelope) => envelope
                        .primitives()
                        .map(|p| p.id().to_owned())
                        .collect::<Vec<_>>()
                        .join("+"),
                    Err(_) => method.to_owned(),
                };
                seen.lock().unwrap().push(label);
            }
            let mut out = Vec::new();
            agent.receive(start.elapsed(), frame, &mut out);
            let mut at = 0;
            while at < out.len() {
                let action = out[at].clone();
                at += 1;
                match action {
                    Action::Send(bytes) => {
                        if script != Script::SilentOnSip && stream.write_all(&bytes).await.is_err()
                        {
                            return;
                        }
                    }
                    Action::Close(_) => return,
                    Action::Event(Event::Invited { dialog, .. }) => {
                        if script == Script::RefusesInvite {
                            agent
                                .reject(start.elapsed(), dialog, 404, &mut out)
                                .unwrap();
                        } else {
                            agent
                                .accept(start.elapsed(), dialog, Accept::default(), &mut out)
                                .unwrap();
                        }
                    }
                    Action::Event(Event::Info {
                        dialog,
                        tx,
                        request,
                        ..
                    }) => {
                        let envelope = Envelope::parse(request.body()).unwrap();
                        let lookup = envelope.primitives().any(|p| p.id() == "cmd:requri");
                        let join = envelope.primitives().any(|p| p.id() == "cmd:join");
                        if script == Script::RefusesInfo && join {
                            agent.answer(start.elapsed(), tx, 503, &mut out).unwrap();
                            continue;
                        }
                        agent.answer(start.elapsed(), tx, 200, &mut out).unwrap();
                        match script {
                            Script::HangsUpOnJoin if join => {
                                agent.bye(start.elapsed(), dialog, &mut out).unwrap();
                            }
                            Script::ClosesOnJoin if join => return,
                            Script::NeverAnswers if !lookup => {}
                            _ => {
                                for body in answers(&envelope) {
                                    agent
                                        .info(
                                            start.elapsed(),
                                            dialog,
                                            "text/plain",
                                            body.to_bytes(),
                                            &mut out,
                                        )
                                        .unwrap();
                                }
                            }
                        }
                    }
                    Action::Event(_) => {}
                }
            }
        }
    }
}

fn answers(envelope: &Envelope) -> Vec<Envelope> {
    let mut all = Vec::new();
    for primitive in envelope.primitives() {
        let to = primitive.msg_id().unwrap();
        if primitive.class == Class::Grpchat {
            let chat = primitive
                .element
                .clone()
                .with("chatId", "41")
                .with("ts", "2026-01-01T00:00:00Z");
            all.push(Envelope::new(7, [chat]));
            continue;
        }
        let mut data = Element::new("data");
        match primitive.id() {
            "cmd:requri" => data.push(Element::new("uib").with("uri", "sip:chat01@example.com")),
            "cmd:getserverinfo" => data.push(
                Element::new("sib")
                    .with("infoType", "512")
                    .with("displayName", "Pool"),
            ),
            "cmd:join" => {
                data.push(
                    Element::new("chanib")
                        .with("uri", LOBBY)
                        .with("name", "Lobby")
                        .child(Element::new("aib").with("key", "1").with("value", "0")),
                );
                data.push(
                    Element::new("uib")
                        .with("uri", "sip:alice@example.com")
                        .with("id", "0"),
                );
            }
            _ => {}
        }
        let reply = Element::new("rpl")
            .with("id", primitive.id().replace("cmd:", "rpl:"))
            .with("seqid", "1")
            .child(to.element("commandid"))
            .child(Element::new("resp").with("code", "200").text("OK"))
            .child(data);
        all.push(Envelope::new(7, [reply]));
    }
    all
}

struct Bench {
    driver: Arc<Reference>,
    seen: Arc<Mutex<Vec<String>>>,
    id: std::sync::atomic::AtomicU64,
}

impl Bench {
    fn new(script: Script) -> Bench {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = seen.clone();
        let connect = move |_: Target| {
            let (ours, theirs) = sip::net::memory(1024);
            tokio::spawn(serve_one(theirs.stream, script, log.clone()));
            Ok(ours)
        };
        let options = Options {
            retrieve: false,
            ..Options::default()
        };
        Bench {
            driver: Arc::new(Reference::new(options, connect)),
            seen,
            id: 0.into(),
        }
    }

    async fn call(&self, verb: &str, params: Value) -> Value {
        let id = self.id.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        self.driver
            .call(Request::new(id, verb, params))
            .await
            .to_json()
    }

    async fn sign_in(&self, user: &str) -> Value {
        self.call("sign_in", json!({"user": user, "uri": format!("sip:{user}@example.com"), "server": "x", "transport": "tcp"})).await
    }

    fn seen(&self) -> String {
        self.seen.lock().unwrap().join(" ")
    }
}

#[tokio::test(start_paused = true)]
async fn sign_in_look_up_join_chat_and_sign_out() {
    let bench = Bench::new(Script::Good);
    assert_eq!(
        bench.sign_in("alice").await["result"],
        json!({"server_uri": "sip:chat01@example.com", "display_name": "Pool"})
    );
    assert_eq!(
        bench.seen(),
        "INVITE ACK cmd:requri BYE INVITE ACK cmd:getserverinfo"
    );
    let joined = bench.call("join", json!({"rooms": [LOBBY]})).await;
    assert_eq!(
        joined["result"]["rooms"][0]["participants"],
        json!(["sip:alice@example.com"])
    );
    let sent = bench
        .call("send", json!({"room": LOBBY, "text": "hi"}))
        .await;
    assert_eq!(
        sent["result"],
        json!({"chat_id": 41, "ts": "2026-01-01T00:00:00Z"})
    );
    assert_eq!(
        bench.call("last_message_id", json!({"room": LOBBY})).await["result"]["last_message_id"],
        41
    );
    assert_eq!(
        bench.call("sign_out", json!({})).await,
        json!({"id": 5, "ok": true})
    );
    assert_eq!(
        bench.call("join", json!({"rooms": [LOBBY]})).await["error"]["code"],
        "not_signed_in"
    );
    bench.driver.close().await;
    assert!(
        bench.seen().ends_with("cmd:join cmd:bccontext grpchat BYE"),
        "{}",
        bench.seen()
    );
}

#[tokio::test(start_paused = true)]
async fn every_way_to_fail_has_its_code() {
    for (script, at_sign_in, code, status) in [
        (Script::RefusesInvite, true, "sip", json!(404)),
        (Script::SilentOnSip, true, "timeout", Value::Null),
        (Script::NeverAnswers, true, "timeout", Value::Null),
        (Script::RefusesInfo, false, "sip", json!(503)),
        (Script::HangsUpOnJoin, false, "disconnected", Value::Null),
        (Script::ClosesOnJoin, false, "disconnected", Value::Null),
    ] {
        let bench = Bench::new(script);
        let mut response = bench.sign_in("alice").await;
        if !at_sign_in {
            assert_eq!(response["ok"], true, "{code}");
            response = bench.call("join", json!({"rooms": [LOBBY]})).await;
        }
        assert_eq!(response["error"]["code"], code, "{response}");
        assert_eq!(response["error"]["status"], status, "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn users_have_their_own_endpoints_and_requests_can_be_cancelled() {
    let bench = Arc::new(Bench::new(Script::Good));
    for user in ["alice", "bob"] {
        assert_eq!(bench.sign_in(user).await["ok"], true);
    }
    assert_eq!(bench.sign_in("bob").await["error"]["code"], "failed");
    bench
        .call("join", json!({"user": "alice", "rooms": [LOBBY]}))
        .await;
    for (user, joined) in [("alice", true), ("bob", false)] {
        let state = bench
            .call("participants", json!({"user": user, "room": LOBBY}))
            .await;
        assert_eq!(state["result"]["joined"], joined, "{user}");
    }
    assert_eq!(
        bench
            .call("participants", json!({"user": "carol", "room": LOBBY}))
            .await["error"]["code"],
        "not_signed_in"
    );
    assert_eq!(
        bench.call("fly", json!({})).await["error"]["code"],
        "unsupported"
    );
    assert_eq!(
        bench.call("join", json!({})).await["error"]["code"],
        "failed"
    );

    let bench = Arc::new(Bench::new(Script::NeverAnswers));
    let (signing, cancelled) = tokio::join!(bench.sign_in("alice"), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        bench.call("cancel", json!({"request": 1})).await
    });
    assert_eq!(cancelled["ok"], true, "{cancelled}");
    assert_eq!(signing["error"]["code"], "cancelled");
}

/// Lines in, lines out; what is no request gets an error and kills nothing.
#[tokio::test(start_paused = true)]
async fn lines_that_are_no_requests_are_answered_with_their_number() {
    let bench = Bench::new(Script::Good);
    let input = [
        r#"{"id":1,"do":"sign_in","user":"alice","uri":"sip:alice@example.com","server":"x","transport":"tcp"}"#,
        "",
        "not json",
        "[]",
        r#"{"do":"join"}"#,
        r#"{"id":-1,"do":"join"}"#,
        r#"{"id":5}"#,
        r#"{"id":6,"do":"join","rooms":7}"#,
        "\u{0}\u{1}",
    ]
    .join("\n");
    let mut output = Vec::new();
    serve(bench.driver.clone(), input.as_bytes(), &mut output)
        .await
        .unwrap();
    let mut lines: Vec<String> = String::from_utf8(output)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    let lines = lines.join("\n");
    for words in [
        "line 3: not JSON",
        "line 4: a request is",
        "line 5: \\\"id\\\" is missing",
        "line 6: \\\"id\\\" is a whole",
        "line 7: \\\"do\\\" is missing",
        "\"id\":6,\"ok\":false",
        "line 9: not JSON",
    ] {
        assert!(lines.contains(words), "{words} in\n{lines}");
    }
    assert_eq!(lines.lines().count(), 8, "{lines}");
}

#[tokio::test]
async fn an_adapter_process_is_spoken_to_in_lines() {
    let script = r#"
while read -r line; do
  case "$line" in
    *crash*) exit 3;;
    *noise*) echo 'hello?'; echo '{"id":99,"ok":true}';;
    *unsupported*) echo '{"id":1,"ok":false,"error":{"code":"unsupported"}}';;
    *) echo '{"id":2,"ok":true,"result":{"rooms":[]}}';;
  esac
done"#;
    let command = ["sh", "-c", script].map(str::to_owned);
    let child = Child::start(&command, std::path::Path::new(".")).unwrap();
    let response = child.call(Request::new(1, "unsupported", json!({}))).await;
    assert_eq!(response.result.unwrap_err().code, "unsupported");
    let noisy = child.call(Request::new(3, "noise", json!({})));
    let answered = tokio::select! {
        biased;
        _ = noisy => panic!("nobody answers request 3"),
        answered = child.call(Request::new(2, "join", json!({"rooms": []}))) => answered,
    };
    assert_eq!(answered.result.unwrap(), json!({"rooms": []}));
    assert_eq!(child.complaints().len(), 2);
    let response = child.call(Request::new(4, "crash", json!({}))).await;
    assert_eq!(response.result.unwrap_err().code, "disconnected");
    assert!(child.has_ended());
    child.close().await;
}

/// Over real sockets: TLS with a CA file, TCP, and what goes wrong before SIP begins.
#[tokio::test]
async fn real_connections() {
    let directory = tempfile::tempdir().unwrap();
    let ca = sip::net::ca::Ca::ephemeral("test").unwrap();
    let pem = directory.path().join("ca.pem");
    std::fs::write(&pem, ca.pem()).unwrap();
    let other = directory.path().join("other.pem");
    let stranger = sip::net::ca::Ca::ephemeral("stranger").unwrap();
    std::fs::write(&other, stranger.pem()).unwrap();
    let identity = ca.server(&["localhost", "127.0.0.1"]).unwrap();
    let tls = sip::net::TlsServer::new(identity);
    let mut addresses = Vec::new();
    for tls in [Some(tls), None] {
        let listener = sip::net::Listener::bind("127.0.0.1:0", tls).await.unwrap();
        addresses.push(listener.local_addr().to_string());
        tokio::spawn(async move {
            while let Ok(incoming) = listener.accept().await {
                tokio::spawn(async move {
                    if let Ok(opened) = incoming.secure(Duration::from_secs(5)).await {
                        serve_one(opened.stream, Script::Good, Arc::default()).await;
                    }
                });
            }
        });
    }
    let reference = Reference::new(Options::default(), Arc::new(Network));
    for (id, server, transport, more, code) in [
        (1, addresses[0].clone(), "tls", json!({"ca": pem}), None),
        (
            2,
            addresses[0].clone(),
            "tls",
            json!({"ca": pem, "server_name": "localhost", "register": true}),
            None,
        ),
        (
            3,
            addresses[0].clone(),
            "tls",
            json!({"insecure": true}),
            None,
        ),
        (4, addresses[1].clone(), "tcp", json!({}), None),
        (
            5,
            addresses[0].clone(),
            "tls",
            json!({"ca": other}),
            Some("disconnected"),
        ),
        (
            6,
            addresses[0].clone(),
            "tls",
            json!({"ca": pem, "server_name": "chat.example.com"}),
            Some("disconnected"),
        ),
        (
            7,
            addresses[0].clone(),
            "tls",
            json!({}),
            Some("disconnected"),
        ),
        (
            8,
            "127.0.0.1:1".to_owned(),
            "tcp",
            json!({}),
            Some("disconnected"),
        ),
        (
            9,
            "nonsense".to_owned(),
            "tcp",
            json!({}),
            Some("disconnected"),
        ),
        (10, addresses[1].clone(), "udp", json!({}), Some("failed")),
    ] {
        let mut params = json!({"user": format!("u{id}"), "uri": "sip:alice@example.com", "server": server, "transport": transport});
        let more = more.as_object().unwrap().clone();
        params.as_object_mut().unwrap().extend(more);
        let response = reference.call(Request::new(id, "sign_in", params)).await;
        match (code, response.result) {
            (None, Ok(result)) => assert_eq!(result["display_name"], "Pool", "{id}"),
            (Some(code), Err(refusal)) => assert_eq!(refusal.code, code, "{id}: {refusal:?}"),
            (_, result) => panic!("{id}: {result:?}"),
        }
    }
    reference.close().await;
}

/// What a faulty client makes of SIP, seen by the server.
#[tokio::test(start_paused = true)]
async fn sip_faults_reach_the_wire() {
    for entry in xccos::client::defects::all() {
        if !entry
            .faults
            .iter()
            .any(|f| matches!(f, xccos::client::faults::Fault::Sip(_)))
        {
            continue;
        }
        let seen = |faults: Vec<xccos::client::faults::Fault>| async move {
            let raw: Arc<Mutex<Vec<u8>>> = Arc::default();
            let tap = raw.clone();
            let connect = move |_: Target| {
                let (ours, mut between) = sip::net::memory(64 * 1024);
                let (mut onward, theirs) = sip::net::memory(64 * 1024);
                tokio::spawn(serve_one(theirs.stream, Script::Good, Arc::default()));
                let tap = tap.clone();
                tokio::spawn(async move {
                    let mut buffers = ([0; 4096], [0; 4096]);
                    loop {
                        tokio::select! {
                            n = between.stream.read(&mut buffers.0) => match n {
                                Ok(n) if n > 0 => {
                                    tap.lock().unwrap().extend_from_slice(&buffers.0[..n]);
                                    onward.stream.write_all(&buffers.0[..n]).await.unwrap();
                                }
                                _ => return,
                            },
                            n = onward.stream.read(&mut buffers.1) => match n {
                                Ok(n) if n > 0 => between.stream.write_all(&buffers.1[..n]).await.unwrap(),
                                _ => return,
                            },
                        }
                    }
                });
                Ok(ours)
            };
            let options = Options {
                faults,
                ..Options::default()
            };
            let reference = Reference::new(options, connect);
            let params = json!({"uri": "sip:alice@example.com", "server": "x", "transport": "tcp"});
            let response = reference.call(Request::new(1, "sign_in", params)).await;
            let raw = raw.lock().unwrap().clone();
            (raw, response)
        };
        let right = seen(Vec::new()).await;
        assert_eq!(right, seen(Vec::new()).await, "the same bytes every time");
        assert_ne!(right, seen(entry.faults.to_vec()).await, "{}", entry.id);
    }
}
