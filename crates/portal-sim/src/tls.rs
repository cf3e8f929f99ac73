//! Certificates of the simulated portal, made anew for each start, and what clients must trust for them.

use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Names and addresses of this machine.
const LOOPBACK: [&str; 2] = ["localhost", "127.0.0.1"];

/// Which certificate a portal with TLS shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificate {
    /// For `localhost` and `127.0.0.1`, from an authority of its own.
    Issued,
    /// The same, and its time is over.
    Expired,
    /// From an authority of its own, for another name.
    OtherName,
    /// Signed by itself and marked as an authority, as `openssl req -x509` makes them.
    SelfSigned,
}

/// A certificate in use.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// What a client must trust.
    pub(crate) trust: String,
}

impl Tls {
    pub(crate) fn new(certificate: Certificate) -> io::Result<Tls> {
        let (chain, key, trust) = make(certificate).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![chain], key))
            .map_err(io::Error::other)?;
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), trust })
    }
}

type Made = (tokio_rustls::rustls::pki_types::CertificateDer<'static>, PrivateKeyDer<'static>, String);

fn make(certificate: Certificate) -> Result<Made, rcgen::Error> {
    let names = if certificate == Certificate::OtherName { vec!["portal.example"] } else { LOOPBACK.to_vec() };
    let mut leaf = CertificateParams::new(names.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
    if certificate == Certificate::Expired {
        leaf.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate()?;
    let (made, trust) = if certificate == Certificate::SelfSigned {
        leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = leaf.self_signed(&key)?;
        let trust = made.pem();
        (made, trust)
    } else {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (authority.not_before, authority.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        (leaf.signed_by(&key, &authority)?, authority.pem())
    };
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((made.der().clone(), key, trust))
}
