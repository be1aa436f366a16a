/*! TLS settings and what rustls makes of them.

The cryptography is always ring, passed explicitly; no process-wide default is
touched. Versions are 1.2 and 1.3, older ones do not exist here.
*/

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, KeyLogFile, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::error::{NetError, NetErrorKind};

/// PEM text, at hand or in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pem {
    /// In this file.
    File(PathBuf),
    /// Here.
    Text(String),
}

impl Pem {
    fn name(&self) -> String {
        match self {
            Pem::File(path) => path.display().to_string(),
            Pem::Text(_) => "the given PEM text".to_owned(),
        }
    }

    fn read(&self) -> Result<Vec<u8>, NetError> {
        match self {
            Pem::Text(text) => Ok(text.clone().into_bytes()),
            Pem::File(path) => {
                std::fs::read(path).map_err(|e| self.error(format!("the file cannot be read: {e}")))
            }
        }
    }

    fn error(&self, what: impl Into<String>) -> NetError {
        NetError::new(NetErrorKind::Settings, &self.name(), what)
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, NetError> {
        let bytes = self.read()?;
        let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        match list {
            Ok(list) if !list.is_empty() => Ok(list),
            Ok(_) => Err(self.error("there is no CERTIFICATE in it")),
            Err(e) => Err(self.error(format!("it is not PEM: {e}"))),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, NetError> {
        PrivateKeyDer::from_pem_slice(&self.read()?)
            .map_err(|e| self.error(format!("there is no usable PRIVATE KEY in it: {e}")))
    }
}

/// A certificate chain and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then those it is signed with.
    pub cert: Pem,
    /// The private key.
    pub key: Pem,
}

/// Which TLS versions are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// Only 1.2.
    Tls12,
    /// Only 1.3.
    Tls13,
}

impl Versions {
    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Versions::Both => vec![&rustls::version::TLS12, &rustls::version::TLS13],
            Versions::Tls12 => vec![&rustls::version::TLS12],
            Versions::Tls13 => vec![&rustls::version::TLS13],
        }
    }
}

/// How a client does TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsClient {
    /// The name for SNI and for the check of the certificate; the host of the address when none.
    pub server_name: Option<String>,
    /// The CAs to trust. Must not be empty unless `insecure`.
    pub ca: Vec<Pem>,
    /// Our own certificate, for mutual TLS.
    pub identity: Option<Identity>,
    /// The versions to offer.
    pub versions: Versions,
    /// Take any certificate. [`super::Connector::warnings`] says so loudly.
    pub insecure: bool,
    /// Write session keys to the file named by `SSLKEYLOGFILE`.
    pub key_log: bool,
}

/// How a server does TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsServer {
    /// Our certificate.
    pub identity: Identity,
    /// The CAs of the client certificates to demand; none demands none.
    pub client_ca: Vec<Pem>,
    /// The versions to accept.
    pub versions: Versions,
    /// Write session keys to the file named by `SSLKEYLOGFILE`.
    pub key_log: bool,
}

impl TlsServer {
    /// A server with this certificate that accepts any client.
    pub fn new(identity: Identity) -> TlsServer {
        TlsServer {
            identity,
            client_ca: Vec::new(),
            versions: Versions::Both,
            key_log: false,
        }
    }

    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, NetError> {
        let cert = &self.identity.cert;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&self.versions.list())
            .map_err(|e| cert.error(e.to_string()))?;
        let builder = if self.client_ca.is_empty() {
            builder.with_no_client_auth()
        } else {
            let roots = roots(&self.client_ca)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(|e| cert.error(e.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        };
        let mut config = builder
            .with_single_cert(cert.certificates()?, self.identity.key.key()?)
            .map_err(|e| cert.error(format!("certificate and key do not serve: {e}")))?;
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(Arc::new(config))
    }
}

impl TlsClient {
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, NetError> {
        let settings =
            |e: rustls::Error| NetError::new(NetErrorKind::Settings, "TLS settings", e.to_string());
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&self.versions.list())
            .map_err(settings)?;
        let builder = if self.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider())))
        } else if self.ca.is_empty() {
            return Err(NetError::new(
                NetErrorKind::Settings,
                "TLS settings",
                "no CA is given, so no server could be trusted: give `ca` (or, loudly, `insecure: true`)",
            ));
        } else {
            let roots = Arc::new(roots(&self.ca)?);
            let chains = WebPkiServerVerifier::builder_with_provider(roots, provider())
                .build()
                .map_err(|e| {
                    NetError::new(NetErrorKind::Settings, "TLS settings", e.to_string())
                })?;
            let mut listed = Vec::new();
            for pem in &self.ca {
                listed.extend(pem.certificates()?);
            }
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Listed { chains, listed }))
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.cert.certificates()?, identity.key.key()?)
                .map_err(|e| {
                    identity
                        .cert
                        .error(format!("certificate and key do not serve: {e}"))
                })?,
        };
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(pems: &[Pem]) -> Result<RootCertStore, NetError> {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        for certificate in pem.certificates()? {
            roots
                .add(certificate)
                .map_err(|e| pem.error(format!("a certificate in it cannot be a CA: {e}")))?;
        }
    }
    Ok(roots)
}

/// Trusts what a listed CA signed, and also a listed certificate that the server
/// itself presents: the self-signed certificate of a test server, named as its own
/// CA, which path building alone refuses. Its name is checked all the same.
#[derive(Debug)]
struct Listed {
    chains: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Listed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.chains.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.listed.iter().any(|c| c == end_entity) =>
            {
                let certificate = ParsedCertificate::try_from(end_entity)?;
                verify_server_name(&certificate, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Takes any certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// `tls 1.3 TLS13_AES_256_GCM_SHA384`
pub(super) fn describe(connection: &rustls::CommonState) -> String {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
        _ => "?",
    };
    match connection.negotiated_cipher_suite() {
        Some(suite) => format!("tls {version} {:?}", suite.suite()),
        None => format!("tls {version}"),
    }
}
