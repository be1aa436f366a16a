use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::mock::Setup;

fn mock() -> Mock {
    let world = xccos::world::World::sample();
    let server = xccos::server::Server::new(world, Default::default());
    Mock::start(Setup {
        config: sip::agent::Config::server(sip::agent::Transport::Tcp, "127.0.0.1", 5060),
        seed: 1,
        wall: jiff::Timestamp::UNIX_EPOCH,
        faults: Vec::new(),
        carriage: Vec::new(),
        model: Box::new(Chat::new(server)),
        monitor: None,
        observers: Vec::new(),
    })
}

/// Asks and gives status line, head and body.
async fn get(address: std::net::SocketAddr, line: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn the_page_looks_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let feed = Feed::default();
    feed.push(r#"{"seq":0,"what":"</script><b>"}"#.to_owned());
    let (_stop, stopped) = watch::channel(false);
    let title = "mock".to_owned();
    tokio::spawn(serve(listener, feed, mock(), title, false, stopped));

    let (head, page) = get(address, "GET /", "127.0.0.1:9").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-security-policy: default-src 'none'"));
    for foreign in ["http://", "https://", "<style", "onclick", "innerHTML"] {
        assert!(!page.contains(foreign) && !SCRIPT.contains(foreign));
    }
    let (_, news) = get(address, "GET /news?after=0", "localhost").await;
    let news: Value = serde_json::from_str(&news).unwrap();
    assert_eq!(news["next"], 1);
    assert_eq!(news["rows"][0]["what"], "</script><b>");
    assert_eq!(news["state"]["rooms"][0]["name"], "Lobby");
    assert_eq!(news["state"]["rooms"][0]["here"], 0);

    for (line, host, status) in [
        ("GET /", "evil.example", "421"),
        ("POST /", "localhost", "405"),
        ("GET /../etc/passwd", "[::1]:80", "404"),
        ("GET /page.js", "[::1]", "200"),
    ] {
        let (head, _) = get(address, line, host).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{line} {head}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn old_rows_are_forgotten_and_that_is_said() {
    let feed = Feed::default();
    let quiet = feed.after(0, PATIENCE).await;
    assert_eq!((quiet.next, quiet.rows.len()), (0, 0));
    for n in 0..5100 {
        feed.push(n.to_string());
    }
    let news = feed.after(0, PATIENCE).await;
    assert_eq!((news.next, news.missed, news.rows.len()), (600, 100, 500));
    assert_eq!(news.rows[0], "100");
    let beyond = feed.after(9999, Duration::ZERO).await;
    assert_eq!((beyond.from, beyond.next), (100, 600));
}
