/*! How an agent presents itself and what it answers on its own. */

use std::time::Duration;

use crate::view::Uri;

/// The transport named in Via.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// As Via writes it.
    pub fn via(self) -> &'static str {
        match self {
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// As a `transport` URI parameter writes it.
    pub fn uri(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }
}

/// How an agent presents itself. Make one with [`Config::client`] or [`Config::server`] and change what differs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose agent it is: From of REGISTER, SUBSCRIBE, INVITE and OPTIONS.
    pub uri: Uri,
    /// The display name beside it.
    pub display: Option<String>,
    /// The endpoint identifier clients of this family add to From.
    pub epid: Option<String>,
    /// Where the peer reaches us: our Contact.
    pub contact: Uri,
    /// The transport in Via.
    pub transport: Transport,
    /// `host:port` in Via.
    pub sent_by: String,
    /// User-Agent of requests, Server of responses.
    pub product: Option<String>,
    /// T1 of RFC 3261 17; a request unanswered after 64 × T1 has failed. Default 500 ms.
    pub t1: Duration,
    /// Session timer: the interval we name in our 200 to an INVITE, or ask for in our INVITE. Seconds.
    pub session_expires: Option<u32>,
    /// Whether we refresh sessions when it is our task, and end those the peer let expire. Sessions with
    /// peers that know neither UPDATE nor timers are left alone, whatever was agreed.
    pub keep_sessions: bool,
    /// Whether a 100 Trying goes out before the upper layer decides on an INVITE.
    pub trying: bool,
    /// Whether an ACK follows a 2xx by itself; else the upper layer calls `Agent::ack`.
    pub ack: bool,
    /// Whether a 2xx to an INVITE is repeated until its ACK comes (13.3.1.4 asks for it on any transport).
    pub repeat_2xx: bool,
    /// Pings (CRLF CRLF) after this much silence of ours.
    pub keep_alive: Option<Duration>,
    /// Dialogs at a time; INVITEs beyond it are answered 503. Default 4096.
    pub max_dialogs: usize,
    /// Requests that wait for the upper layer at a time; others are answered 503. Default 1024.
    pub max_waiting: usize,
    /// What a registrar and presence server answers; none makes REGISTER and SUBSCRIBE methods we do not allow.
    pub registrar: Option<Registrar>,
}

impl Config {
    /// A chat client's agent for `uri`, reachable at `host:port`.
    pub fn client(uri: Uri, transport: Transport, host: &str, port: u16) -> Config {
        let host = &bracketed(host);
        let mut contact = uri.bare();
        contact.host.clone_from(host);
        contact.port = Some(port);
        Config::new(uri, contact, transport, host, port)
    }

    /// A chat server's agent, reachable at `host:port`, with a registrar that signs anybody in.
    pub fn server(transport: Transport, host: &str, port: u16) -> Config {
        let host = &bracketed(host);
        let mut contact = Uri::sip("", host);
        contact.user = None;
        contact.port = Some(port);
        let mut config = Config::new(contact.clone(), contact, transport, host, port);
        config.session_expires = Some(1800);
        config.registrar = Some(Registrar::default());
        config
    }

    fn new(uri: Uri, mut contact: Uri, transport: Transport, host: &str, port: u16) -> Config {
        contact
            .params
            .push(crate::view::Param::new("transport", transport.uri()));
        Config {
            uri,
            display: None,
            epid: None,
            contact,
            transport,
            sent_by: format!("{host}:{port}"),
            product: Some(concat!("Parlance/", env!("CARGO_PKG_VERSION")).to_owned()),
            t1: Duration::from_millis(500),
            session_expires: None,
            keep_sessions: true,
            trying: false,
            ack: true,
            repeat_2xx: true,
            keep_alive: None,
            max_dialogs: 4096,
            max_waiting: 1024,
            registrar: None,
        }
    }
}

/// A host as URIs and Via write it: IPv6 addresses in brackets.
fn bracketed(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => host.to_owned(),
    }
}

/// What a registrar answers. Nobody is challenged.
#[derive(Debug, Clone)]
pub struct Registrar {
    /// The longest registration granted, in seconds; also what is granted when the client names none.
    pub expires: u32,
    /// The body of the 200 to a SUBSCRIBE for [`PROVISIONING`], with its media type.
    pub provisioning: Option<(String, Vec<u8>)>,
    /// Whether other event packages are granted (else 489).
    pub any_package: bool,
    /// The silence in seconds after which clients should ping, told in the 200 to REGISTER.
    pub keep_alive: Option<u32>,
}

/// The event package by which clients of this family fetch their settings.
pub const PROVISIONING: &str = "vnd-microsoft-provisioning-v2";

impl Default for Registrar {
    fn default() -> Registrar {
        Registrar {
            expires: 7200,
            provisioning: None,
            any_package: false,
            keep_alive: None,
        }
    }
}

/// What happens to incoming requests of one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The agent answers as RFC 3261 says, then tells.
    #[default]
    Auto,
    /// The agent tells; the upper layer answers with `Agent::answer`, when it likes.
    Ask,
    /// The agent answers with this status, then tells.
    Status(u16),
    /// The agent tells; nobody answers.
    Silent,
}
