//! `parlance mock`: the chat server model on a listener, printing what it makes of every message.

use std::path::Path;

use judge::exit;
use peer::mock::chat::Chat;
use peer::mock::target::{Place, describe, write_whole};
use peer::mock::{Mock, Setup, serve};
use peer::recorder::Observer;
use sip::agent::{Config, Transport};
use sip::net::ca::Ca;
use sip::net::{Identity, Listener, Pem, TlsServer};
use trace::Seat;
use xccos::rules::Target as Judged;
use xccos::server::Options;
use xccos::world::World;

use super::{live, mock_extras as extras, world};
use crate::args::{self, ProxyTransport};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;
use crate::watch::{Record, Tally, Watch};

/// Serves until Ctrl-C or the end of `--duration`.
pub fn mock(args: &args::Mock, terminal: &Terminal) -> Done {
    let mut world = match &args.world {
        Some(path) => world::read(path, terminal)?,
        None => World::sample(),
    };
    let defects = super::defects::named(&args.defect)?;
    let tls = args.transport == ProxyTransport::Tls;
    let certificate = certificate(args, tls)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    runtime.block_on(async {
        let server_tls = certificate.as_ref().map(|c| {
            let mut tls = TlsServer::new(c.identity.clone());
            tls.key_log = true;
            tls
        });
        let listener = Listener::bind(&args.listen, server_tls).await?;
        let local = listener.local_addr();
        let tally = Tally::default();
        let mut observers: Vec<Box<dyn Observer>> = vec![
            Box::new(Watch::new(*terminal, &[Seat::Client])),
            Box::new(tally.clone()),
        ];
        if let Some(path) = &args.record {
            observers.push(Box::new(record(path)?));
        }
        let ui = extras::ui(args, &mut observers).await?;
        let identity = certificate.as_ref().map(|c| &c.identity);
        let web = extras::web(args, identity, &mut world).await?;
        let server = extras::server(
            args,
            world.clone(),
            Options {
                seed: args.seed.unwrap_or_else(super::run::draw),
                defects: defects.clone(),
                strict: args.strict_chat,
                field_refusals: args.field_refusals,
                merge_replies: args.merge_replies,
                processing: args.processing.unwrap_or_default(),
                stall: args.stall.clone(),
                max_pending: args.max_pending.map(|n| n as usize),
            },
        )?;
        let transport = if tls { Transport::Tls } else { Transport::Tcp };
        let host = match local.ip() {
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            ip => ip.to_string(),
        };
        let mock = Mock::start(Setup {
            config: Config::server(transport, &host, local.port()),
            seed: args.seed.unwrap_or_else(super::run::draw),
            wall: jiff::Timestamp::now(),
            faults: args.fault.clone(),
            carriage: defects.carriage().collect(),
            model: Box::new(Chat::new(server)),
            monitor: Some(live::monitor(Judged::Seat(Seat::Client), args.profile)),
            observers,
        });
        if let Some(path) = &args.write_target {
            write_target(path, &world, &local.to_string(), tls, certificate.as_ref())?;
        }
        if !terminal.is_quiet() {
            greet(args, &world, &local.to_string(), &defects);
            if let Some(ui) = &ui {
                anstream::eprintln!("  live page http://{}/", ui.address);
            }
        }
        let stop = live::end(args.duration);
        let taking = mock.clone();
        let serving = tokio::spawn(serve::serve(
            listener,
            move |opened| {
                taking.attach(opened);
            },
            |peer, error| super::warn(&format!("{peer}: {}", crate::site::words(&error))),
            stop.clone(),
        ));
        let web = web.map(|listener| {
            let (mock, world, stop) = (mock.clone(), world.clone(), stop.clone());
            tokio::spawn(extras::serve(listener, mock, world, stop))
        });
        if let Some(ui) = ui {
            let title = format!("{local}");
            tokio::spawn(ui.serve(mock.clone(), title, args.ui_public, stop.clone()));
        }
        if let Some(path) = &args.world {
            let (path, mock, world) = (path.clone(), mock.clone(), world.clone());
            tokio::spawn(extras::follow(path, mock, world, *terminal, stop.clone()));
        }
        let _ = serving.await;
        if let Some(web) = web {
            let _ = web.await;
        }
        if args.web.is_some() {
            extras::tell_unused(&mock).await;
        }
        mock.stop().await;
        let counts = tally.counts();
        if !terminal.is_quiet() {
            anstream::eprintln!(
                "{} messages, {} violations, {} warnings",
                counts.messages,
                counts.failed,
                counts.warned
            );
        }
        Ok(
            if counts.own > 0 && defects.is_empty() && args.fault.is_empty() {
                exit::HARNESS_BUG
            } else {
                exit::CONFORMANT
            },
        )
    })
}

struct Certificate {
    identity: Identity,
    /// What clients have to trust, and the name in the certificate, when the CA is our own.
    ca: Option<(String, &'static str)>,
}

fn certificate(args: &args::Mock, tls: bool) -> Result<Option<Certificate>, Failure> {
    if !tls {
        return match args.cert {
            Some(_) => Err(Failure::usage("--cert makes no sense with --transport tcp")),
            None => Ok(None),
        };
    }
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        let identity = Identity {
            cert: Pem::File(cert.clone()),
            key: Pem::File(key.clone()),
        };
        return Ok(Some(Certificate { identity, ca: None }));
    }
    let host = args.listen.rsplit_once(':').map_or("", |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    // Each has a name of its own, so that a stale ca.pem is told as what it is.
    let ca = Ca::ephemeral(&format!("Parlance mock {}", super::run::draw()))?;
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    // Not an address to reach anybody by.
    if !matches!(host, "0.0.0.0" | "::") && !names.contains(&host) {
        names.push(host);
    }
    Ok(Some(Certificate {
        identity: ca.server(&names)?,
        ca: Some((ca.pem(), "localhost")),
    }))
}

fn record(path: &Path) -> Result<Record, Failure> {
    Record::create(path)
        .map_err(|e| Failure::environment(format!("{} cannot be written: {e}", path.display())))
}

fn write_target(
    path: &Path,
    world: &World,
    address: &str,
    tls: bool,
    certificate: Option<&Certificate>,
) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| Failure::environment(format!("{path} cannot be written: {e}"))
    };
    let own = certificate.and_then(|c| c.ca.as_ref());
    let ca_name = ca_name(path);
    if let Some((pem, _)) = own {
        let ca = path.with_file_name(&ca_name);
        write_whole(&ca, pem).map_err(failed(&ca))?;
    }
    let text = describe(
        world,
        &Place {
            name: "mock",
            protocol: if tls { "tls" } else { "tcp" },
            address,
            server_name: own.map(|(_, name)| *name),
            ca: own.map(|_| ca_name.as_str()),
        },
    );
    write_whole(path, &text).map_err(failed(path))
}

/// `ca.pem`, unless another target file of this folder has one: several mocks may write into one place.
fn ca_name(path: &Path) -> String {
    let usual = "ca.pem".to_owned();
    let mine = path.file_name().is_some_and(|name| name == "target.yaml")
        || std::fs::read_to_string(path).is_ok_and(|text| text.contains("ca: ca.pem"));
    if mine || !path.with_file_name(&usual).exists() {
        return usual;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{stem}-ca.pem")
}

fn greet(args: &args::Mock, world: &World, address: &str, defects: &xccos::defect::Defects) {
    let kind = match args.transport {
        ProxyTransport::Tls => "TLS",
        ProxyTransport::Tcp => "TCP",
    };
    anstream::eprintln!("chat server on {address} ({kind}), Ctrl-C ends it");
    anstream::eprintln!(
        "  lookup at {}, channel server {}",
        world.lookup_uri,
        world.server_uri
    );
    let users: Vec<&str> = world
        .users
        .values()
        .map(|u| u.uri.as_str())
        .take(8)
        .collect();
    let more = world.users.len().saturating_sub(users.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    anstream::eprintln!("  users {}{more}", users.join(" "));
    for room in world.rooms.values().take(8) {
        anstream::eprintln!("  room {} {}", room.uri, room.name);
    }
    if world.rooms.len() > 8 {
        anstream::eprintln!("  and {} more rooms", world.rooms.len() - 8);
    }
    if let Some(path) = &args.write_target {
        anstream::eprintln!("  described in {}", path.display());
    }
    if args.web.is_some() {
        let settings = &world.settings;
        for url in [&settings.room_management_url, &settings.file_store]
            .into_iter()
            .flatten()
        {
            anstream::eprintln!("  web {url}");
        }
    }
    for defect in defects.iter() {
        super::warn(&format!(
            "defect {}: {} ({})",
            defect.id, defect.title, defect.requirement
        ));
    }
    for fault in &args.fault {
        super::warn(&format!("fault {fault} on every connection"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mocks_of_one_folder_keep_their_certificates_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        assert_eq!(ca_name(&path("broken.yaml")), "ca.pem");
        std::fs::write(path("ca.pem"), "").unwrap();
        assert_eq!(ca_name(&path("target.yaml")), "ca.pem");
        assert_eq!(ca_name(&path("broken.yaml")), "broken-ca.pem");
        std::fs::write(path("again.yaml"), "transport: { ca: ca.pem }").unwrap();
        assert_eq!(ca_name(&path("again.yaml")), "ca.pem");
    }
}
