use super::management::check;
use super::*;

const GUID: &str = "93489432-b6be-4c67-932f-09e39a162072";

fn broken(base: &str, target: &str) -> Vec<&'static str> {
    let rooms = [(GUID.to_owned(), "Lobby".to_owned())];
    check(base, target, &rooms)
        .into_iter()
        .filter(|r| !r.held)
        .map(|r| r.requirement)
        .collect()
}

#[test]
fn page_requests_are_judged_by_the_document() {
    let base = "https://h/rm/";
    let kept = "https://h/rm/?extensionparam=value";
    let id = format!("&id={}", GUID.to_uppercase());
    for (base, target, expect) in [
        (base, "/rm/?clientlang=en-US".to_owned(), vec![]),
        (base, format!("/rm/?clientlang=de-DE{id}"), vec![]),
        (
            kept,
            "/rm/?extensionparam=value&clientlang=en-US".to_owned(),
            vec![],
        ),
        (
            kept,
            format!("/rm/?extensionparam=value&clientlang=en-US{id}"),
            vec![],
        ),
        (base, "/rm/".to_owned(), vec!["OCGCWEB-3.1.5-02"]),
        (base, format!("/rm/?id={GUID}"), vec!["OCGCWEB-3.1.5-03"]),
        (
            base,
            "/rm/?clientlang=EN-US".to_owned(),
            vec!["OCGCWEB-2.2.1-03"],
        ),
        (
            base,
            "/rm/?clientlang=en-us".to_owned(),
            vec!["OCGCWEB-2.2.1-04"],
        ),
        (
            base,
            "/rm/?clientlang=english".to_owned(),
            vec!["OCGCWEB-2.2.1-02"],
        ),
        (
            base,
            "/rm/?clientlang=en-US&id=ma-chan%3A%2F%2Fexample.com%2Fx".to_owned(),
            vec!["OCGCWEB-2.2.2-04"],
        ),
        (
            base,
            format!("/rm/?id={GUID}&clientlang=en-US"),
            vec!["OCGCWEB-4-03"],
        ),
        (
            base,
            "/rm/?clientlang=en-US&theme=dark".to_owned(),
            vec!["OCGCWEB-2.2.1-01"],
        ),
        (
            kept,
            "/rm/?clientlang=en-US".to_owned(),
            vec!["OCGCWEB-3.1.5-05"],
        ),
        (
            kept,
            "/rm/?clientlang=en-US&extensionparam=value".to_owned(),
            vec!["OCGCWEB-3.1.5-05"],
        ),
    ] {
        assert_eq!(broken(base, &target), expect, "{base} {target}");
    }
    assert!(broken(kept, "/rm/?extensionparam=value?clientlang=en-US").contains(&"OCGCWEB-4-02"));
}

#[test]
fn advertised_addresses_keep_path_and_query() {
    let mut world = World::sample();
    world.settings.room_management_url = Some("http://other.example/rm/?a=b".to_owned());
    advertise(&mut world, "https://localhost:8443");
    assert_eq!(
        world.settings.room_management_url.as_deref(),
        Some("https://localhost:8443/rm/?a=b")
    );
    assert_eq!(
        world.settings.file_store.as_deref(),
        Some("https://localhost:8443/PersistentChat/files")
    );
}

#[test]
fn queries_are_decoded() {
    assert_eq!(
        parameters("a=b%20c&d&=x&e=%zz+%e2%82%ac"),
        [("a", "b c"), ("d", ""), ("", "x"), ("e", "%zz €")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
}

mod wire {
    use std::sync::Mutex;

    use sip::agent::{Config, Transport};
    use sip::net::ca::Ca;
    use sip::net::{Connector, Pem, Target, TlsClient, TlsServer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use xccos::server::{Options, Server, Service};
    use xccos::time::Now;

    use super::*;
    use crate::mock::Setup;

    async fn ask(connector: &Connector, request: &str) -> String {
        let mut stream = connector.open().await.unwrap().stream;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn tokens_carry_files_over_https_once() {
        let ca = Ca::ephemeral("test").unwrap();
        let tls = TlsServer::new(ca.server(&["localhost", "127.0.0.1"]).unwrap());
        let listener = Listener::bind("127.0.0.1:0", Some(tls)).await.unwrap();
        let address = listener.local_addr();
        let mut world = World::sample();
        advertise(&mut world, &format!("https://localhost:{}", address.port()));
        let mut server = Server::new(world.clone(), Options::default());
        let now = Now::after(jiff::Timestamp::UNIX_EPOCH, Duration::ZERO);
        let alice = server.connect(now, "sip:alice@example.com", Service::Channel);
        let mut token = |command: &str| {
            let body = format!(
                r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="1"><cmd id="cmd:{command}" seqid="1"><data><ftdb channelUri="ma-chan://example.com/{GUID}" fileUrl="a b.txt"/></data></cmd></xccos>"#
            );
            let outputs = server.receive(now, alice, body.as_bytes());
            let Some(xccos::server::Output::Send { envelope, .. }) = outputs.first() else {
                panic!("no reply: {outputs:?}");
            };
            let primitive = envelope.primitives().next().unwrap();
            primitive
                .data()
                .unwrap()
                .first("token")
                .unwrap()
                .get("token")
                .unwrap()
                .to_owned()
        };
        let (up, down, again) = (token("getfutok"), token("getfdtok"), token("getfdtok"));
        let mock = Mock::start(Setup {
            config: Config::server(Transport::Tls, "127.0.0.1", 0),
            seed: 1,
            wall: jiff::Timestamp::UNIX_EPOCH,
            faults: Vec::new(),
            carriage: Vec::new(),
            model: Box::new(Chat::new(server)),
            monitor: None,
            observers: Vec::new(),
        });
        let seen: Arc<Mutex<Vec<Served>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let (stop, stopped) = watch::channel(false);
        let serving = {
            let (mock, world) = (mock.clone(), world.clone());
            tokio::spawn(async move {
                serve(
                    listener,
                    mock,
                    &world,
                    move |s| sink.lock().unwrap().push(s),
                    |_, _| {},
                    stopped,
                )
                .await;
            })
        };
        let connector = Connector::new(Target::tls(
            &address.to_string(),
            TlsClient {
                server_name: Some("localhost".to_owned()),
                ca: vec![Pem::Text(ca.pem())],
                ..TlsClient::default()
            },
        ))
        .unwrap();
        let query = |token: &str| {
            format!(
                "/PersistentChat/files?token={token}&channelUri=ma-chan://example.com/{GUID}&fileUrl=a%20b.txt"
            )
        };
        let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        let get = |token: &str| format!("GET {} {head}\r\n", query(token));
        let put = format!("PUT {} {head}Content-Length: 5\r\n\r\nhello", query(&up));
        for (request, status, part) in [
            (get(&up), "403", "another file"),
            (put.clone(), "201", "5 bytes kept"),
            (put, "403", "used already"),
            (get(&down), "200", "hello"),
            (get(&again.replace('a', "b")), "403", "never given out"),
            (
                format!("GET /PersistentChat/files {head}\r\n"),
                "400",
                "needed",
            ),
            (format!("DELETE {} {head}\r\n", query(&down)), "405", ""),
            (
                format!("GET /PersistentChat/RM/?clientlang=en-US&id={GUID} {head}\r\n"),
                "200",
                "id `93489432",
            ),
            (format!("GET /secret {head}\r\n"), "404", "nothing"),
        ] {
            let answer = ask(&connector, &request).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part),
                "{request}\n{answer}"
            );
        }
        let remarks: Vec<Remark> = seen
            .lock()
            .unwrap()
            .iter()
            .flat_map(|s| s.remarks.clone())
            .collect();
        assert!(
            remarks.len() >= 5 && remarks.iter().all(|r| r.held),
            "{remarks:?}"
        );
        let _ = stop.send(true);
        let _ = serving.await;
        mock.stop().await;
    }
}
