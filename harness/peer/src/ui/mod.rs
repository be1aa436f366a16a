/*! The live page of a mock: rooms, who is joined, and the exchange as it grows.

Takes rows (JSON objects, made by whoever observes the recording) and the mock;
serves one page that asks for what is new. Everything the page needs comes from
here: no script, style or font of anybody else, and a policy that forbids them.
Rows are kept up to a limit, oldest forgotten first. The page can look and
nothing else: there is no request that changes the mock.
*/

mod feed;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::mock::Mock;
use crate::mock::chat::Chat;
pub use feed::Feed;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Connections at a time; more wait.
const CONNECTIONS: usize = 32;
/// How long a request for news may stay unanswered.
const PATIENCE: Duration = Duration::from_secs(15);
/// Rooms and users that are listed.
const LISTED: usize = 200;

/// Headers of every answer.
const HEADERS: &[(HeaderName, &str)] = &[
    (
        hyper::header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (hyper::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (hyper::header::REFERRER_POLICY, "no-referrer"),
    (hyper::header::CACHE_CONTROL, "no-store"),
];

struct Ui {
    feed: Feed,
    mock: Mock,
    title: String,
    /// Whether other machines may look; else a name that is not `localhost` is refused, so
    /// that no foreign page can reach this one by pointing its own name here.
    public: bool,
}

/// Serves until `stop` becomes true.
pub async fn serve(
    listener: TcpListener,
    feed: Feed,
    mock: Mock,
    title: String,
    public: bool,
    mut stop: watch::Receiver<bool>,
) {
    let ui = Arc::new(Ui {
        feed,
        mock,
        title,
        public,
    });
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map(|(stream, _)| stream),
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok(stream) = stream else {
            // Too many open files, which passes by itself.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let ui = Arc::clone(&ui);
        tokio::spawn(async move {
            connection(ui, stream).await;
            drop(permit);
        });
    }
}

async fn connection(ui: Arc<Ui>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let ui = Arc::clone(&ui);
        async move { Ok::<_, Infallible>(ui.answer(&request).await) }
    });
    // A connection that breaks concerns its browser only.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Ui {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, kind, body) = self.route(request).await;
        let mut response = Response::new(match *request.method() {
            Method::HEAD => Full::default(),
            _ => Full::new(body),
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    async fn route(&self, request: &Request<Incoming>) -> (StatusCode, &'static str, Bytes) {
        const TEXT: &str = "text/plain; charset=utf-8";
        let host = request.headers().get(HOST).and_then(|h| h.to_str().ok());
        if !self.public && !host.is_some_and(is_here) {
            let text = "Use 127.0.0.1 or localhost.\n";
            return (StatusCode::MISDIRECTED_REQUEST, TEXT, Bytes::from(text));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let text = "This page is for looking.\n";
            return (StatusCode::METHOD_NOT_ALLOWED, TEXT, Bytes::from(text));
        }
        match request.uri().path() {
            "/" => (StatusCode::OK, "text/html; charset=utf-8", PAGE.into()),
            "/page.css" => (StatusCode::OK, "text/css; charset=utf-8", STYLE.into()),
            "/page.js" => (
                StatusCode::OK,
                "text/javascript; charset=utf-8",
                SCRIPT.into(),
            ),
            "/news" => {
                let after = request
                    .uri()
                    .query()
                    .and_then(|q| q.strip_prefix("after="))
                    .and_then(|n| n.parse().ok());
                let news = self.news(after.unwrap_or(0)).await;
                (StatusCode::OK, "application/json", Bytes::from(news))
            }
            _ => {
                let text = "There is nothing at this address.\n";
                (StatusCode::NOT_FOUND, TEXT, Bytes::from(text))
            }
        }
    }

    /// What happened after a number, and how things stand; waits a while when nothing did.
    async fn news(&self, after: u64) -> String {
        let news = self.feed.after(after, PATIENCE).await;
        let state = self.state().await.unwrap_or(Value::Null);
        let title = &self.title;
        // Rows are JSON already.
        format!(
            "{{\"title\":{},\"from\":{},\"next\":{},\"missed\":{},\"state\":{state},\"rows\":[{}]}}",
            json!(title),
            news.from,
            news.next,
            news.missed,
            news.rows.join(",")
        )
    }

    /// Rooms and who is in them.
    async fn state(&self) -> Option<Value> {
        let asked = self.mock.with(|hub, _, _| {
            let connections = hub.connections();
            let chat = hub.model().as_any().downcast_mut::<Chat>()?;
            let server = chat.server();
            let present = server.who_is_where();
            let world = server.world();
            let rooms: Vec<Value> = world
                .rooms
                .values()
                .take(LISTED)
                .map(|room| {
                    let users = present.iter().find(|(uri, _)| *uri == room.uri);
                    let users = users.map(|(_, users)| users.as_slice()).unwrap_or_default();
                    let named = |key: &String| {
                        let user = world.users.get(&key.to_lowercase());
                        user.map_or_else(|| key.clone(), |u| u.name.clone())
                    };
                    let names: Vec<String> = users.iter().take(LISTED).map(named).collect();
                    json!({
                        "uri": room.uri, "name": room.name, "disabled": room.disabled,
                        "behavior": room.behavior, "visibility": room.visibility,
                        "here": users.len(), "users": names, "chats": room.history.len(),
                        "last": room.history.last().map(|c| json!({
                            "by": c.authdisp, "text": c.text.chars().take(200).collect::<String>(),
                        })),
                    })
                })
                .collect();
            Some(json!({
                "connections": connections, "users": world.users.len(),
                "more": world.rooms.len().saturating_sub(LISTED), "rooms": rooms,
            }))
        });
        asked.await.flatten()
    }
}

/// Whether a Host header names this machine by address or as `localhost`.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok()
}

#[cfg(test)]
mod tests;
