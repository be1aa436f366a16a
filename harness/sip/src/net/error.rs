/*! What goes wrong below SIP: whose fault it is and what to do about it. */

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as Tls};

/// Whose fault a network error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The peer's.
    Peer,
    /// The machine's, the network's or the name service's.
    Environment,
    /// That of whoever wrote the settings.
    Settings,
}

/// The kinds of network errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetErrorKind {
    /// An address or name that cannot be used, a file that cannot be read, a certificate that is none.
    Settings,
    /// The name does not resolve.
    Dns,
    /// Nobody listens there.
    Refused,
    /// The network does not reach it.
    Unreachable,
    /// No connection within the time.
    ConnectTimeout,
    /// The listening address cannot be had.
    Bind,
    /// Connected, but the TLS handshake did not end within the time.
    HandshakeTimeout,
    /// The peer does not speak TLS.
    NotTls,
    /// The peer closed or reset the connection during the handshake.
    ClosedInHandshake,
    /// The peer's certificate comes from a CA that is not trusted.
    UnknownIssuer,
    /// The peer's certificate is for another name.
    WrongName,
    /// The peer's certificate has expired or is not valid yet.
    Expired,
    /// The peer's certificate is unusable for another reason.
    BadCertificate,
    /// The peer wants a client certificate, or does not accept ours.
    ClientCertificate,
    /// No TLS version or cipher in common.
    Incompatible,
    /// The peer broke off the handshake with another alert, or broke its rules.
    Handshake,
    /// Any other failure of the system's.
    Io,
}

/// A connection that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetError {
    /// The kind.
    pub kind: NetErrorKind,
    /// The address or file it is about.
    pub subject: String,
    /// What happened, as a phrase.
    pub what: String,
    /// What to do about it, when something can be said.
    pub hint: Option<&'static str>,
}

impl NetError {
    pub(super) fn new(kind: NetErrorKind, subject: &str, what: impl Into<String>) -> NetError {
        NetError {
            kind,
            subject: subject.to_owned(),
            what: what.into(),
            hint: hint(kind),
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Whose {
        use NetErrorKind::*;
        match self.kind {
            Settings | Bind | Dns | UnknownIssuer | WrongName => Whose::Settings,
            Unreachable | ConnectTimeout | Refused | Io => Whose::Environment,
            HandshakeTimeout | NotTls | ClosedInHandshake | Expired | BadCertificate
            | ClientCertificate | Incompatible | Handshake => Whose::Peer,
        }
    }

    pub(super) fn connect(subject: &str, error: &io::Error) -> NetError {
        use io::ErrorKind as E;
        let kind = match error.kind() {
            E::ConnectionRefused => NetErrorKind::Refused,
            E::TimedOut => NetErrorKind::ConnectTimeout,
            E::HostUnreachable | E::NetworkUnreachable | E::NetworkDown | E::AddrNotAvailable => {
                NetErrorKind::Unreachable
            }
            _ => NetErrorKind::Io,
        };
        let what = match kind {
            NetErrorKind::Refused => "the connection was refused".to_owned(),
            _ => error.to_string(),
        };
        NetError::new(kind, subject, what)
    }

    /// What a failed TLS handshake means.
    pub(super) fn handshake(subject: &str, error: &io::Error) -> NetError {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Tls>());
        let (kind, what) = match tls {
            Some(tls) => explain(tls),
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof => (
                    NetErrorKind::ClosedInHandshake,
                    "the peer closed the connection during the TLS handshake".to_owned(),
                ),
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted => (
                    NetErrorKind::ClosedInHandshake,
                    "the peer reset the connection during the TLS handshake".to_owned(),
                ),
                _ => (NetErrorKind::Handshake, error.to_string()),
            },
        };
        NetError::new(kind, subject, what)
    }
}

/// Kind and text of a TLS error.
pub(super) fn explain(error: &Tls) -> (NetErrorKind, String) {
    use NetErrorKind as K;
    match error {
        Tls::InvalidMessage(_) => (
            K::NotTls,
            "the peer's bytes are not TLS; it may speak plain TCP on this port".to_owned(),
        ),
        Tls::InvalidCertificate(certificate) => explain_certificate(certificate),
        Tls::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::AccessDenied => (
                K::ClientCertificate,
                format!("the peer does not accept our certificate (alert {alert:?})"),
            ),
            AlertDescription::UnknownCA => (
                K::ClientCertificate,
                "the peer does not trust the CA of our certificate (alert UnknownCA)".to_owned(),
            ),
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity => (
                K::Incompatible,
                format!("the peer found no common TLS version or cipher (alert {alert:?})"),
            ),
            _ => (
                K::Handshake,
                format!("the peer broke off the TLS handshake (alert {alert:?})"),
            ),
        },
        Tls::NoCertificatesPresented => (
            K::ClientCertificate,
            "the peer presented no certificate".to_owned(),
        ),
        Tls::PeerIncompatible(reason) => (
            K::Incompatible,
            format!("no common TLS version or cipher ({reason:?})"),
        ),
        other => (K::Handshake, other.to_string()),
    }
}

fn explain_certificate(error: &CertificateError) -> (NetErrorKind, String) {
    use NetErrorKind as K;
    match error {
        CertificateError::UnknownIssuer => (
            K::UnknownIssuer,
            "the peer's certificate is not signed by a CA we trust".to_owned(),
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => (
            K::WrongName,
            format!(
                "the peer's certificate is not for {}, but for {}",
                expected.to_str(),
                if presented.is_empty() {
                    "no name at all (it has no subjectAltName)".to_owned()
                } else {
                    presented.join(", ")
                }
            ),
        ),
        CertificateError::NotValidForName => (
            K::WrongName,
            "the peer's certificate is for another name".to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (K::Expired, "the peer's certificate has expired".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            K::Expired,
            "the peer's certificate is not valid yet".to_owned(),
        ),
        CertificateError::Other(reason) if reason.to_string().contains("CaUsedAsEndEntity") => (
            K::UnknownIssuer,
            "the peer's certificate is self-signed and not the one we trust".to_owned(),
        ),
        other => (
            K::BadCertificate,
            format!("the peer's certificate is unusable: {other}"),
        ),
    }
}

fn hint(kind: NetErrorKind) -> Option<&'static str> {
    use NetErrorKind::*;
    Some(match kind {
        Dns => "check the host name in the address",
        Refused => "is the server running, and on this port?",
        ConnectTimeout | Unreachable => "check address, route and firewall",
        Bind => "is another program using the port? port 0 takes any free one",
        HandshakeTimeout => "does the peer speak TLS on this port? `protocol: tcp` is without",
        NotTls => "use `protocol: tcp`, or the peer's TLS port",
        UnknownIssuer => "give the CA's certificate as `ca`",
        WrongName => "give the certificate's name as `server_name`",
        Expired => "renew the certificate, or check the clocks",
        ClientCertificate => "give a client certificate the peer accepts as `cert` and `key`",
        Incompatible => "TLS 1.2 and 1.3 are supported here; check the versions on both sides",
        Settings | ClosedInHandshake | BadCertificate | Handshake | Io => return None,
    })
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)?;
        match self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for NetError {}
