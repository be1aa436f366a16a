/*! The web side of a chat server: the file service of file tokens (3.1.19) and the room-management page ([MS-OCGCWEB]).

Takes HTTPS connections; serves two addresses that the chat server hands out,
so that what a client does next is seen and judged. The original file service
is SOAP; this one is a small REST form of it:

```text
PUT  <serveruri>?token=T&channelUri=U&fileUrl=F    body = the file      201
GET  <serveruri>?token=T&channelUri=U&fileUrl=F                         200, the file
```

A token that is unknown, used, expired, or for something else gets 403, a
missing parameter 400, a file nobody uploaded 404, one that is too large 413.
Files live in memory and are gone with the process.
*/

mod files;
pub mod management;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sip::net::{Listener, NetError, Opened};
use tokio::sync::{Semaphore, watch};
use xccos::world::World;

use crate::mock::chat::Chat;
use crate::mock::{Mock, serve};
use files::Files;
pub use management::Remark;

/// Where the file service is served.
const FILES: &str = "/PersistentChat/files";
/// Where the page is served when the world names no address of its own.
const PAGE: &str = "/PersistentChat/RM/";
/// Connections at a time; more wait.
const CONNECTIONS: usize = 256;
/// How long a client may take for a request's head.
const HEAD: Duration = Duration::from_secs(30);

/// One request that was served, for whoever prints or counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Address of the client.
    pub peer: String,
    /// The method.
    pub method: String,
    /// Path and query as they came, tokens included.
    pub target: String,
    /// The status it got.
    pub status: u16,
    /// What the request says about the client.
    pub remarks: Vec<Remark>,
}

/// Points a world's file service and room-management page to `origin` (`https://localhost:8443`).
/// Path and query of the page stay as the world has them, so that kept parameters can be judged.
pub fn advertise(world: &mut World, origin: &str) {
    let page = world
        .settings
        .room_management_url
        .as_deref()
        .unwrap_or(PAGE);
    let page = format!("{origin}{}", after_origin(page));
    world.settings.room_management_url = Some(page);
    world.settings.file_store = Some(format!("{origin}{FILES}"));
}

/// Path and query of an address, from the first slash behind the authority.
fn after_origin(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or(PAGE, |at| &rest[at..])
}

struct Web {
    mock: Mock,
    /// The address of the page, as the chat server tells it.
    page: String,
    files: Files,
    report: Box<dyn Fn(Served) + Send + Sync>,
    connections: Arc<Semaphore>,
}

/// Serves until `stop` becomes true. `world` is the one that was advertised; requests are judged against it.
pub async fn serve(
    listener: Listener,
    mock: Mock,
    world: &World,
    report: impl Fn(Served) + Send + Sync + 'static,
    failed: impl Fn(String, NetError) + Send + Sync + 'static,
    stop: watch::Receiver<bool>,
) {
    let web = Arc::new(Web {
        mock,
        page: world
            .settings
            .room_management_url
            .clone()
            .unwrap_or_default(),
        files: Files::default(),
        report: Box::new(report),
        connections: Arc::new(Semaphore::new(CONNECTIONS)),
    });
    let take = move |opened: Opened| {
        tokio::spawn(connection(Arc::clone(&web), opened));
    };
    serve::serve(listener, take, failed, stop).await;
}

async fn connection(web: Arc<Web>, opened: Opened) {
    let Ok(_permit) = Arc::clone(&web.connections).acquire_owned().await else {
        return;
    };
    let peer = opened.info.peer.clone();
    let service = service_fn(move |request| {
        let (web, peer) = (Arc::clone(&web), peer.clone());
        async move { Ok::<_, Infallible>(web.answer(peer, request).await) }
    });
    // A connection that breaks concerns its client only.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(opened.stream), service)
        .await;
}

/// An answer in the making.
struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Bytes,
    remarks: Vec<Remark>,
}

impl Answer {
    fn text(status: StatusCode, text: impl Into<String>) -> Answer {
        let mut text = text.into();
        text.push('\n');
        Answer {
            status,
            kind: "text/plain; charset=utf-8",
            body: Bytes::from(text),
            remarks: Vec::new(),
        }
    }
}

impl Web {
    async fn answer(&self, peer: String, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let method = request.method().clone();
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |p| p.as_str())
            .to_owned();
        let answer = self.route(request, &target).await;
        (self.report)(Served {
            peer,
            method: method.to_string(),
            target,
            status: answer.status.as_u16(),
            remarks: answer.remarks,
        });
        let mut response = Response::new(match method {
            Method::HEAD => Full::default(),
            _ => Full::new(answer.body),
        });
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
        );
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT"));
        }
        response
    }

    async fn route(&self, request: Request<Incoming>, target: &str) -> Answer {
        let path = request.uri().path().to_owned();
        let page = after_origin(&self.page);
        let page_path = page.split(['?', '#']).next().unwrap_or(page);
        if path == FILES {
            return self.files.answer(&self.mock, request).await;
        }
        if path != page_path {
            return Answer::text(StatusCode::NOT_FOUND, "There is nothing at this address.");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "The page is for reading.");
        }
        let rooms = self.rooms().await;
        let remarks = management::check(&self.page, target, &rooms);
        Answer {
            status: StatusCode::OK,
            kind: "text/html; charset=utf-8",
            body: Bytes::from(management::page(target, &remarks, &rooms)),
            remarks,
        }
    }

    /// The rooms there are now: GUID and name.
    async fn rooms(&self) -> Vec<(String, String)> {
        let rooms = self.mock.with(|hub, _, _| {
            let chat = hub.model().as_any().downcast_mut::<Chat>()?;
            let world = chat.server().world();
            Some(
                world
                    .rooms
                    .values()
                    .map(|r| (r.guid.clone(), r.name.clone()))
                    .collect(),
            )
        });
        rooms.await.flatten().unwrap_or_default()
    }
}

/// The parameters of a query, decoded, in order.
fn parameters(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Text without percent signs and plus signs; what does not decode stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| {
            bytes
                .get(at + offset)
                .and_then(|b| (*b as char).to_digit(16))
        };
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
