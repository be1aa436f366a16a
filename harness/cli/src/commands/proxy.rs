//! `parlance proxy`: two real peers, judged in passing.

use judge::exit;
use peer::mock::serve;
use peer::proxy::{Proxy, Setup};
use peer::recorder::Observer;
use sip::net::ca::Ca;
use sip::net::{Connector, Identity, Listener, Pem, TlsClient, TlsServer};
use trace::Seat;
use xccos::rules::Target as Judged;

use super::live;
use crate::args::{self, ProxyTransport};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;
use crate::watch::{Record, Tally, Watch};

/// Carries connections until Ctrl-C or the end of `--duration`; exit code 1 when somebody violated a MUST.
pub fn proxy(args: &args::Proxy, terminal: &Terminal) -> Done {
    let tls = args.transport == ProxyTransport::Tls;
    if !tls && (args.ca.is_some() || args.cert.is_some() || args.write_ca.is_some()) {
        return Err(Failure::usage(
            "--ca, --cert and --write-ca make no sense with --transport tcp",
        ));
    }
    let mut upstream = sip::net::Target::tcp(&args.to);
    if tls {
        upstream.tls = Some(TlsClient {
            server_name: args.server_name.clone(),
            ca: args.ca.clone().map(Pem::File).into_iter().collect(),
            insecure: args.insecure,
            key_log: true,
            ..TlsClient::default()
        });
    }
    let upstream = Connector::new(upstream)?;
    for warning in upstream.warnings() {
        super::warn(&warning);
    }
    let server_tls = if tls { Some(server_tls(args)?) } else { None };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    runtime.block_on(async {
        let listener = Listener::bind(&args.listen, server_tls).await?;
        if !terminal.is_quiet() {
            anstream::eprintln!(
                "proxy on {}, to {}; Ctrl-C ends it",
                listener.local_addr(),
                args.to
            );
        }
        let tally = Tally::default();
        let mut observers: Vec<Box<dyn Observer>> = vec![
            Box::new(Watch::new(*terminal, &[Seat::Client, Seat::Server])),
            Box::new(tally.clone()),
        ];
        if let Some(path) = &args.record {
            observers.push(Box::new(Record::create(path).map_err(|e| {
                Failure::environment(format!("{} cannot be written: {e}", path.display()))
            })?));
        }
        let proxy = Proxy::start(Setup {
            upstream,
            monitor: Some(live::monitor(Judged::Both, args.profile)),
            observers,
        });
        let carrying = proxy.clone();
        serve::serve(
            listener,
            move |opened| {
                let proxy = carrying.clone();
                tokio::spawn(async move {
                    if let Err(error) = proxy.carry(opened).await {
                        super::warn(&format!(
                            "a client was turned away, the server cannot be reached: {}",
                            crate::site::words(&error)
                        ));
                    }
                });
            },
            |peer, error| super::warn(&format!("{peer}: {}", crate::site::words(&error))),
            live::end(args.duration),
        )
        .await;
        proxy.stop().await;
        let counts = tally.counts();
        if !terminal.is_quiet() {
            anstream::eprintln!(
                "{} messages, {} violations, {} warnings",
                counts.messages,
                counts.failed,
                counts.warned
            );
        }
        Ok(if counts.failed > 0 {
            exit::VIOLATION
        } else {
            exit::CONFORMANT
        })
    })
}

fn server_tls(args: &args::Proxy) -> Result<TlsServer, Failure> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        return Ok(TlsServer::new(Identity {
            cert: Pem::File(cert.clone()),
            key: Pem::File(key.clone()),
        }));
    }
    let host = |address: &str| {
        let host = address.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_matches(['[', ']']).to_owned()
    };
    // Clients expect the real server's name; they reach us under ours.
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(args.server_name.clone());
    names.extend([host(&args.to), host(&args.listen)]);
    names.retain(|n| !n.is_empty() && n != "0.0.0.0" && n != "::");
    names.sort();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ca = Ca::ephemeral(&format!("Parlance proxy {}", super::run::draw()))?;
    if let Some(path) = &args.write_ca {
        peer::mock::target::write_whole(path, &ca.pem()).map_err(|e| {
            Failure::environment(format!("{} cannot be written: {e}", path.display()))
        })?;
    }
    Ok(TlsServer::new(ca.server(&names)?))
}
