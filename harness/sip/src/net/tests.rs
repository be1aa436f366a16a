use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ca::Ca;
use super::fault::{Fault, Faulty, status_for};
use super::*;
use crate::frame::{Blank, Frame, FrameErrorKind, Limits};

const SOON: Duration = Duration::from_secs(5);
const MESSAGE: &[u8] = b"INFO sip:a@b SIP/2.0\r\nCSeq: 1 INFO\r\nContent-Length: 5\r\n\r\nhello";

/// A connected pair in memory; what the first sends suffers the faults.
fn pair(faults: &[&str]) -> (Connection, Connection) {
    let (mut one, other) = memory(1 << 20);
    let faults: Vec<Fault> = faults.iter().map(|f| f.parse().unwrap()).collect();
    one.stream = Box::new(Faulty::new(one.stream, Some(one.control.clone()), &faults));
    (
        Connection::new(one, Limits::default(), Blank::Pongs),
        Connection::new(other, Limits::default(), Blank::Pings),
    )
}

fn numbered(n: u32) -> Vec<u8> {
    format!("INFO sip:a@b SIP/2.0\r\nCSeq: {n} INFO\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// The CSeq numbers of the messages that arrive until the end or a second of silence, and how it ended.
async fn arrivals(reader: &mut Reader) -> (Vec<u32>, String) {
    let mut got = Vec::new();
    loop {
        match reader.frame(Duration::from_secs(1)).await {
            Ok(Frame::Message(m)) => got.push(m.cseq().unwrap().seq),
            Ok(Frame::Error(e)) => return (got, format!("{:?}", e.kind)),
            Ok(other) => panic!("{other:?}"),
            Err(ReadError::Timeout { waiting_for, .. }) => return (got, waiting_for),
            Err(e) => return (got, e.to_string()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn faults_do_what_they_say() {
    let closed = "the peer closed the connection";
    for (faults, want, end) in [
        (&[][..], &[1, 2, 3, 4][..], "a message"),
        (&["drop@2"], &[1, 3, 4], "a message"),
        (&["drop@/2"], &[1, 3], "a message"),
        (&["duplicate@2-3"], &[1, 2, 2, 3, 3, 4], "a message"),
        (&["reorder@2"], &[1, 3, 2, 4], "a message"),
        (&["reorder@4"], &[1, 2, 3, 4], "a message"),
        (&["fragment:1"], &[1, 2, 3, 4], "a message"),
        (&["coalesce:3"], &[1, 2, 3, 4], "a message"),
        (
            &["delay:100ms", "duplicate@1"],
            &[1, 1, 2, 3, 4],
            "a message",
        ),
        (&["truncate:20@3"], &[1, 2], "HalfMessage"),
        (
            &["stall:20@3"],
            &[1, 2],
            "the end of a message head, of which 20 bytes have come",
        ),
        (&["reset@2"], &[1, 2], closed),
        (&["close@1"], &[1], closed),
    ] {
        let (mut one, mut other) = pair(faults);
        // The sender's reader runs too, as it does in every peer.
        let watch = tokio::spawn(async move { one.reader.frame(Duration::MAX).await });
        let mut writer = one.writer;
        for n in 1..=4 {
            if writer.send(&numbered(n), SOON).await.is_err() {
                break;
            }
        }
        let got = arrivals(&mut other.reader).await;
        assert_eq!(got, (want.to_vec(), end.to_owned()), "{faults:?}");
        drop(writer);
        watch.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_reads_slowly() {
    let (one, mut other) = pair(&["slow:1000"]);
    let mut reader = one.reader;
    let big = [
        &b"INFO sip:a@b SIP/2.0\r\nContent-Length: 5000\r\n\r\n"[..],
        &[b'x'; 5000],
    ]
    .concat();
    other.writer.send(&big, SOON).await.unwrap();
    let start = tokio::time::Instant::now();
    reader.frame(Duration::MAX).await.unwrap();
    let took = start.elapsed();
    assert!(
        took >= Duration::from_secs(5) && took < Duration::from_secs(6),
        "{took:?}"
    );
}

#[test]
fn fault_specs() {
    for text in [
        "delay:200ms",
        "drop@3",
        "duplicate@2-5",
        "reorder@/7",
        "fragment:7@2+",
        "coalesce:3",
        "truncate:0@1",
        "stall:100@2",
        "reset@1",
        "close@9",
        "no-notify",
        "slow:1000",
        "status:503:INFO@2",
    ] {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault.to_string(), text);
    }
    assert_eq!(
        "delay:1.5s".parse::<Fault>().unwrap().to_string(),
        "delay:1500ms"
    );
    for (text, hint) in [
        ("explode", "unknown fault"),
        ("delay", "no time"),
        ("delay:5", "no time"),
        ("delay:-5s", "no time"),
        ("delay:9999999s", "no time"),
        ("fragment", "needs a number"),
        ("fragment:0", "from 1"),
        ("drop:3", "takes no value"),
        ("drop@0", "counted from 1"),
        ("drop@5-2", "counted from 1"),
        ("slow:10@3", "always on"),
        ("status:200", "no status"),
    ] {
        let error = text.parse::<Fault>().unwrap_err();
        assert!(error.contains(hint), "{text}: {error}");
    }
    let faults = [
        "status:503:INFO@2".parse().unwrap(),
        "status:486:INVITE".parse().unwrap(),
    ];
    assert_eq!(status_for(&faults, "INFO", 1), None);
    assert_eq!(status_for(&faults, "INFO", 2), Some(503));
    assert_eq!(status_for(&faults, "INVITE", 7), Some(486));
}

#[tokio::test(start_paused = true)]
async fn half_a_message_then_silence() {
    let (mut one, mut other) = pair(&[]);
    one.writer
        .send(&MESSAGE[..MESSAGE.len() - 2], SOON)
        .await
        .unwrap();
    let error = other
        .reader
        .frame(Duration::from_secs(3))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "waited 3s for the rest of a body: 3 of 5 bytes have come"
    );
    // Also when nobody sets a limit, a message that has begun must end.
    other.reader.set_stall(Duration::from_secs(20));
    let start = tokio::time::Instant::now();
    assert!(matches!(
        other.reader.frame(Duration::MAX).await,
        Err(ReadError::Timeout { .. })
    ));
    assert_eq!(start.elapsed(), Duration::from_secs(17));
    one.writer
        .send(&MESSAGE[MESSAGE.len() - 2..], SOON)
        .await
        .unwrap();
    assert!(
        matches!(other.reader.frame(SOON).await, Ok(Frame::Message(_))),
        "nothing is lost"
    );
    one.writer.send(b"INFO s", SOON).await.unwrap();
    one.writer.close(SOON).await;
    assert!(matches!(
        other.reader.frame(SOON).await,
        Ok(Frame::Error(e)) if e.kind == FrameErrorKind::HalfMessage
    ));
    assert_eq!(other.reader.frame(SOON).await, Err(ReadError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing() {
    let (one, _other) = memory(64);
    let mut one = Connection::new(one, Limits::default(), Blank::Pongs);
    let big = vec![b'x'; 1000];
    assert_eq!(
        one.writer.send(&big, SOON).await,
        Err(WriteError::Timeout(SOON))
    );
    assert!(matches!(
        one.writer.send(&big, SOON).await,
        Err(WriteError::Gone(_))
    ));
}

/// A TLS server that answers every message with itself, and what its handshake made of the client.
async fn echo(tls: Option<TlsServer>) -> (String, tokio::task::JoinHandle<Result<(), NetError>>) {
    let listener = Listener::bind("127.0.0.1:0", tls).await.unwrap();
    let address = listener.local_addr().to_string();
    let task = tokio::spawn(async move {
        let mut c = listener.accept().await?.open(SOON, &[]).await?;
        while let Ok(Frame::Message(m)) = c.reader.frame(SOON).await {
            let _ = c.writer.send(m.bytes(), SOON).await;
        }
        c.writer.close(SOON).await;
        Ok(())
    });
    (address, task)
}

fn trusting(ca: &Ca) -> TlsClient {
    TlsClient {
        ca: vec![Pem::Text(ca.pem())],
        ..TlsClient::default()
    }
}

async fn open(address: &str, tls: TlsClient) -> Result<Connection, NetError> {
    Connector::new(Target::tls(address, tls))
        .unwrap()
        .connect(&[])
        .await
}

async fn round_trip(c: &mut Connection) -> Result<Frame, ReadError> {
    let _ = c.writer.send(MESSAGE, SOON).await;
    c.reader.frame(SOON).await
}

#[tokio::test]
async fn tls_1_2_1_3_and_tcp() {
    let ca = Ca::ephemeral("Test").unwrap();
    let server = TlsServer::new(ca.server(&["127.0.0.1", "chat.example.com"]).unwrap());
    for (versions, name) in [
        (Versions::Tls12, "tls 1.2"),
        (Versions::Tls13, "tls 1.3"),
        (Versions::Both, "tls 1.3"),
    ] {
        let (address, task) = echo(Some(server.clone())).await;
        let tls = TlsClient {
            versions,
            server_name: Some("chat.example.com".into()),
            ..trusting(&ca)
        };
        let mut c = open(&address, tls).await.unwrap();
        assert!(c.info.transport.starts_with(name), "{}", c.info.transport);
        let Ok(Frame::Message(m)) = round_trip(&mut c).await else {
            panic!()
        };
        assert_eq!(m.bytes(), MESSAGE);
        c.writer.close(SOON).await;
        assert_eq!(c.reader.frame(SOON).await, Err(ReadError::Closed));
        task.await.unwrap().unwrap();
    }
    let (address, _task) = echo(None).await;
    let mut c = Connector::new(Target::tcp(&address))
        .unwrap()
        .connect(&[])
        .await
        .unwrap();
    assert!(matches!(round_trip(&mut c).await, Ok(Frame::Message(_))));
}

#[tokio::test]
async fn mutual_tls() {
    let (ca, stranger) = (
        Ca::ephemeral("Test").unwrap(),
        Ca::ephemeral("Stranger").unwrap(),
    );
    let server = TlsServer {
        client_ca: vec![Pem::Text(ca.pem())],
        ..TlsServer::new(ca.server(&["127.0.0.1"]).unwrap())
    };
    let with = |identity| TlsClient {
        identity,
        ..trusting(&ca)
    };
    let (address, task) = echo(Some(server.clone())).await;
    let mut c = open(&address, with(Some(ca.client("alice").unwrap())))
        .await
        .unwrap();
    assert!(matches!(round_trip(&mut c).await, Ok(Frame::Message(_))));
    drop(c);
    task.await.unwrap().unwrap();
    for identity in [None, Some(stranger.client("alice").unwrap())] {
        let (address, task) = echo(Some(server.clone())).await;
        // In TLS 1.3 the client learns it only after its own handshake is done.
        let said = match open(&address, with(identity)).await {
            Ok(mut c) => round_trip(&mut c).await.unwrap_err().to_string(),
            Err(e) => e.to_string(),
        };
        assert!(said.contains("alert") || said.contains("reset"), "{said}");
        assert!(task.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn certificates_that_do_not_fit() {
    let (ca, stranger) = (
        Ca::ephemeral("Test").unwrap(),
        Ca::ephemeral("Stranger").unwrap(),
    );
    let named = |names: &[&str]| TlsServer::new(ca.server(names).unwrap());
    let expired = TlsServer::new(ca.expired_server(&["127.0.0.1"]).unwrap());
    use NetErrorKind as K;
    for (server, tls, kind, text) in [
        (
            named(&["127.0.0.1"]),
            trusting(&stranger),
            K::UnknownIssuer,
            "give the CA's certificate",
        ),
        (
            named(&["chat.example.com"]),
            trusting(&ca),
            K::WrongName,
            "not for 127.0.0.1, but for",
        ),
        (expired, trusting(&ca), K::Expired, "has expired"),
    ] {
        let (address, task) = echo(Some(server)).await;
        let error = open(&address, tls).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(task.await.unwrap().is_err());
    }
    let (address, _task) = echo(Some(named(&["elsewhere"]))).await;
    let tls = TlsClient {
        insecure: true,
        ..TlsClient::default()
    };
    let connector = Connector::new(Target::tls(&address, tls)).unwrap();
    assert!(connector.warnings()[0].contains("NOT checked"));
    let mut c = connector.connect(&[]).await.unwrap();
    assert!(c.info.insecure);
    assert!(matches!(round_trip(&mut c).await, Ok(Frame::Message(_))));
}

/// What `openssl req -x509` makes: a CA that signs nothing but itself and serves as it is.
fn self_signed(name: &str) -> Identity {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        cert: Pem::Text(certificate.pem()),
        key: Pem::Text(key.serialize_pem()),
    }
}

#[tokio::test]
async fn a_self_signed_server_is_trusted_by_its_own_certificate_only() {
    let (mine, other) = (self_signed("127.0.0.1"), self_signed("127.0.0.1"));
    let misnamed = self_signed("chat.example.com");
    let trust = |identity: &Identity| TlsClient {
        ca: vec![identity.cert.clone()],
        ..TlsClient::default()
    };
    let (address, _task) = echo(Some(TlsServer::new(mine.clone()))).await;
    let mut c = open(&address, trust(&mine)).await.unwrap();
    assert!(matches!(round_trip(&mut c).await, Ok(Frame::Message(_))));
    for (serves, trusts, kind) in [
        (&mine, &other, NetErrorKind::UnknownIssuer),
        (&misnamed, &misnamed, NetErrorKind::WrongName),
    ] {
        let (address, _task) = echo(Some(TlsServer::new(serves.clone()))).await;
        let error = open(&address, trust(trusts)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn peers_that_are_something_else() {
    use NetErrorKind as K;
    let ca = Ca::ephemeral("Test").unwrap();
    // Nobody there: a port that was free a moment ago.
    let free = Listener::bind("127.0.0.1:0", None)
        .await
        .unwrap()
        .local_addr()
        .to_string();
    let error = open(&free, trusting(&ca)).await.unwrap_err();
    assert_eq!(
        (error.kind, error.fault()),
        (K::Refused, Whose::Environment)
    );
    assert!(
        error.to_string().contains("is the server running"),
        "{error}"
    );
    let error = open("no-such-host.invalid:5061", trusting(&ca))
        .await
        .unwrap_err();
    assert_eq!(error.kind, K::Dns);
    // A plain-text server, one that hangs up, one that says nothing.
    for (greeting, kind) in [
        (Some(&b"220 hello\r\n"[..]), K::NotTls),
        (None, K::ClosedInHandshake),
    ] {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut s, _) = tcp.accept().await.unwrap();
            let _ = s.read(&mut [0; 4096]).await;
            if let Some(greeting) = greeting {
                let _ = s.write_all(greeting).await;
                let _ = s.read(&mut [0; 4096]).await;
            }
        });
        let error = open(&address, trusting(&ca)).await.unwrap_err();
        assert_eq!((error.kind, error.fault()), (kind, Whose::Peer), "{error}");
    }
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = Target::tls(&mute.local_addr().unwrap().to_string(), trusting(&ca));
    target.timeout = Duration::from_millis(50);
    let error = Connector::new(target)
        .unwrap()
        .connect(&[])
        .await
        .unwrap_err();
    assert_eq!(error.kind, K::HandshakeTimeout, "{error}");
    // A plain client at a TLS server, and the other way round.
    let (address, task) = echo(Some(TlsServer::new(ca.server(&["127.0.0.1"]).unwrap()))).await;
    let mut c = Connector::new(Target::tcp(&address))
        .unwrap()
        .connect(&[])
        .await
        .unwrap();
    let _ = c.writer.send(MESSAGE, SOON).await;
    assert_eq!(task.await.unwrap().unwrap_err().kind, K::NotTls);
    let tcp = Listener::bind("127.0.0.1:0", None).await.unwrap();
    let address = tcp.local_addr().to_string();
    let client = tokio::spawn(async move { open(&address, trusting(&ca)).await.err() });
    let mut c = tcp.accept().await.unwrap().open(SOON, &[]).await.unwrap();
    let Ok(Frame::Error(e)) = c.reader.frame(SOON).await else {
        panic!()
    };
    assert!(e.what.contains("speaks TLS"), "{}", e.what);
    drop(c);
    assert!(client.await.unwrap().is_some());
}

#[test]
fn settings_that_cannot_be_used() {
    let said = |target| Connector::new(target).unwrap_err().to_string();
    assert!(said(Target::tcp("nowhere")).contains("not host:port"));
    assert!(said(Target::tls("h:1", TlsClient::default())).contains("no CA is given"));
    let ca = |pem| TlsClient {
        ca: vec![pem],
        ..TlsClient::default()
    };
    assert!(
        said(Target::tls("h:1", ca(Pem::File("/does/not/exist".into()))))
            .contains("cannot be read")
    );
    assert!(said(Target::tls("h:1", ca(Pem::Text("nonsense".into())))).contains("no CERTIFICATE"));
    let (one, two) = (Ca::ephemeral("A").unwrap(), Ca::ephemeral("B").unwrap());
    let mixed = Identity {
        key: two.client("x").unwrap().key,
        ..one.client("x").unwrap()
    };
    let tls = TlsClient {
        identity: Some(mixed),
        ..ca(Pem::Text(one.pem()))
    };
    assert!(said(Target::tls("h:1", tls)).contains("do not serve"));
}

#[tokio::test]
async fn ends_without_ceremony() {
    let ca = Ca::ephemeral("Test").unwrap();
    for (fault, want) in [
        ("reset@1", ReadError::Reset),
        ("close@1", ReadError::Truncated),
        ("no-notify", ReadError::Truncated),
        ("delay:0ms", ReadError::Closed),
    ] {
        let tls = TlsServer::new(ca.server(&["127.0.0.1"]).unwrap());
        let listener = Listener::bind("127.0.0.1:0", Some(tls)).await.unwrap();
        let address = listener.local_addr().to_string();
        let server = tokio::spawn(async move {
            let faults = [fault.parse().unwrap()];
            let mut c = listener
                .accept()
                .await
                .unwrap()
                .open(SOON, &faults)
                .await
                .unwrap();
            let _ = c.reader.frame(SOON).await;
            let _ = c.writer.send(MESSAGE, SOON).await;
            c.writer.close(SOON).await;
            // The reader is still polled, as in a real peer, which is when a reset leaves.
            let _ = c.reader.frame(Duration::from_millis(200)).await;
        });
        let mut c = open(&address, trusting(&ca)).await.unwrap();
        c.writer.send(MESSAGE, SOON).await.unwrap();
        let mut last = c.reader.frame(SOON).await;
        if last.is_ok() {
            last = c.reader.frame(SOON).await;
        }
        assert_eq!(last, Err(want), "{fault}");
        drop(c);
        server.await.unwrap();
    }
}
