//! What a mock can do beside chatting: keep its state in a file, serve the web side and the live page, follow its world file.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use peer::mock::Mock;
use peer::mock::chat::Chat;
use peer::recorder::Observer;
use peer::ui;
use peer::web::{self, Served};
use sip::net::{Identity, Listener, TlsServer};
use tokio::sync::watch;
use xccos::server::{Direction, Options, Server, SqliteJournal};
use xccos::world::World;

use super::world;
use crate::args;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::watch::Feeder;

/// How often a world file is looked at for changes.
const LOOK: Duration = Duration::from_millis(500);

/// The server of a world, continuing what `--store` kept.
pub fn server(args: &args::Mock, world: World, options: Options) -> Result<Server, Failure> {
    let Some(path) = &args.store else {
        return Ok(Server::new(world, options));
    };
    SqliteJournal::open(path)
        .and_then(|journal| Server::with_journal(world, options, Box::new(journal)))
        .map_err(|e| Failure::environment(format!("--store: {e}")))
}

/// The listener of `--web`, if it is asked for; the world then tells its addresses.
pub async fn web(
    args: &args::Mock,
    identity: Option<&Identity>,
    world: &mut World,
) -> Result<Option<Listener>, Failure> {
    let Some(address) = &args.web else {
        return Ok(None);
    };
    let Some(identity) = identity else {
        return Err(Failure::usage(
            "--web serves HTTPS and needs a certificate: leave --transport at tls",
        ));
    };
    let listener = Listener::bind(address, Some(TlsServer::new(identity.clone()))).await?;
    let port = listener.local_addr().port();
    web::advertise(world, &format!("https://localhost:{port}"));
    Ok(Some(listener))
}

/// Serves the web side until `stop`, a line a request.
pub async fn serve(listener: Listener, mock: Mock, world: World, stop: watch::Receiver<bool>) {
    let failed = |peer: String, error: sip::net::NetError| {
        super::warn(&format!("web: {peer}: {}", crate::site::words(&error)));
    };
    web::serve(listener, mock, &world, tell, failed, stop).await;
}

/// Tells which file tokens nobody came with: a request that was missed leaves no other trace.
pub async fn tell_unused(mock: &Mock) {
    let unused = mock.with(|hub, _, _| {
        let chat = hub.model().as_any().downcast_mut::<Chat>()?;
        Some(chat.server().unused_tokens())
    });
    for token in unused.await.flatten().unwrap_or_default() {
        let what = match token.direction {
            Direction::Upload => "upload",
            Direction::Download => "download",
        };
        super::warn(&format!(
            "{} got a token to {what} {:?} and never used it",
            token.user, token.file
        ));
    }
}

fn tell(served: Served) {
    // A query may hold a token.
    let path = served.target.split('?').next().unwrap_or_default();
    anstream::eprintln!(
        "web {} {} {path} {}",
        served.peer,
        served.method,
        served.status
    );
    for remark in served.remarks.iter().filter(|r| !r.held) {
        super::warn(&format!("{}: {}", remark.requirement, remark.message));
    }
}

/// The live page before it is served.
pub struct Page {
    /// Where it will be.
    pub address: std::net::SocketAddr,
    listener: tokio::net::TcpListener,
    feed: ui::Feed,
}

/// The listener of `--ui`, if it is asked for; an observer feeds it from now on.
pub async fn ui(
    args: &args::Mock,
    observers: &mut Vec<Box<dyn Observer>>,
) -> Result<Option<Page>, Failure> {
    let Some(address) = &args.ui else {
        return Ok(None);
    };
    let failed = |e: std::io::Error| Failure::environment(format!("--ui {address}: {e}"));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    if !local.ip().is_loopback() && !args.ui_public {
        return Err(Failure::usage(format!(
            "--ui {address} would show every chat to other machines; add --ui-public if that is meant"
        )));
    }
    let feed = ui::Feed::default();
    observers.push(Box::new(Feeder::new(feed.clone())));
    Ok(Some(Page {
        address: local,
        listener,
        feed,
    }))
}

impl Page {
    /// Serves it until `stop`.
    pub async fn serve(self, mock: Mock, title: String, public: bool, stop: watch::Receiver<bool>) {
        ui::serve(self.listener, self.feed, mock, title, public, stop).await;
    }
}

/// Reloads the world whenever its file changes. A file that cannot be used is reported, and the world stays.
pub async fn follow(
    path: PathBuf,
    mock: Mock,
    kept: World,
    terminal: Terminal,
    mut stop: watch::Receiver<bool>,
) {
    let mut seen = changed(&path);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let now = changed(&path);
        if now == seen || now.is_none() {
            continue;
        }
        seen = now;
        let mut world = match world::read(&path, &terminal) {
            Ok(world) => world,
            Err(failure) => {
                failure.print();
                super::warn("the world stays as it is");
                continue;
            }
        };
        // The web side stays where it is.
        world.settings.file_store = kept.settings.file_store.clone();
        world.settings.room_management_url = kept.settings.room_management_url.clone();
        let done = mock.with(move |hub, now, wire| {
            hub.with_model(now, wire, |model, effects| {
                if let Some(chat) = model.as_any().downcast_mut::<Chat>() {
                    let outputs = chat.server().reload(now, world);
                    chat.carry(outputs, None, effects);
                }
            });
        });
        if done.await.is_some() && !terminal.is_quiet() {
            anstream::eprintln!("world read again from {}", path.display());
        }
    }
}

fn changed(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}
