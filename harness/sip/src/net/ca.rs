/*! A certification authority for self runs and the mock: made on the spot, trusted by nobody else. */

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::error::{NetError, NetErrorKind};
use super::tls::{Identity, Pem};

/// A certification authority with its key in memory.
#[derive(Debug)]
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Ca {
    /// A new authority under this common name.
    pub fn ephemeral(name: &str) -> Result<Ca, NetError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Ca { issuer })
    }

    /// The authority's certificate: what peers have to trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's private key.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A server certificate for these host names and addresses.
    pub fn server(&self, names: &[&str]) -> Result<Identity, NetError> {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, |_| {})
    }

    /// A client certificate for this name.
    pub fn client(&self, name: &str) -> Result<Identity, NetError> {
        self.issue(&[name], ExtendedKeyUsagePurpose::ClientAuth, |_| {})
    }

    /// A server certificate that expired years ago, to see what peers make of it.
    pub fn expired_server(&self, names: &[&str]) -> Result<Identity, NetError> {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    fn issue(
        &self,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Identity, NetError> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let common = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, common);
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity {
            cert: Pem::Text(certificate.pem()),
            key: Pem::Text(key.serialize_pem()),
        })
    }
}

fn failed(error: rcgen::Error) -> NetError {
    NetError::new(
        NetErrorKind::Settings,
        "certificate",
        format!("it cannot be made: {error}"),
    )
}
