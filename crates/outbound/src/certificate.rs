//! Which certificates are accepted, and in words why one is not.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

/// Why the certificate of a server is not accepted. Displays as the rest of a sentence about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    Expired,
    NotYetValid,
    OtherName,
    /// Or signed by itself without being an authority's.
    UnknownIssuer,
    /// It is its own authority, as `openssl req -x509` makes it.
    SelfSigned,
    /// Damaged, revoked, or of a kind that cannot be checked.
    Unusable,
}

impl CertificateFault {
    /// What to do about the certificate of a server that is reached over HTTPS.
    pub fn remedy(self) -> &'static str {
        match self {
            CertificateFault::Expired => "have it renewed, or correct the clock of this machine",
            CertificateFault::NotYetValid => "correct the clock of this machine, or wait",
            CertificateFault::OtherName => "use the name it was issued for, or have one issued for this name",
            CertificateFault::UnknownIssuer => {
                "set `outbound.ca_file` to a file with the certificate of the authority that signed it"
            }
            CertificateFault::SelfSigned => "set `outbound.ca_file` to a file with exactly this certificate",
            CertificateFault::Unusable => "have a new one issued",
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CertificateFault::Expired => "has expired",
            CertificateFault::NotYetValid => "is not valid yet",
            CertificateFault::OtherName => "was issued for another name",
            CertificateFault::UnknownIssuer => "is signed by an authority that this machine does not trust",
            CertificateFault::SelfSigned => "is signed by itself",
            CertificateFault::Unusable => "is damaged, revoked, or of a kind that cannot be checked",
        })
    }
}

/// Whether what answered does not speak TLS, as a port for plain HTTP does not.
pub fn is_no_tls(error: &(dyn StdError + 'static)) -> bool {
    tls_error(error)
        .is_some_and(|error| matches!(error, rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}

/// What is wrong with the server's certificate, if that is what an error comes from.
pub fn certificate_fault(error: &(dyn StdError + 'static)) -> Option<CertificateFault> {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(error)) => Some(fault(error)),
        _ => None,
    }
}

/// The same as the rest of a sentence about the certificate, with what to do about it.
pub fn certificate_words(error: &(dyn StdError + 'static)) -> Option<String> {
    certificate_fault(error).map(|fault| format!("{fault}; {}", fault.remedy()))
}

fn tls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        // an I/O error hides the one inside from `source`
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

fn fault(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::OtherName
        }
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        other if is_authority(other) => CertificateFault::SelfSigned,
        _ => CertificateFault::Unusable,
    }
}

/// Whether all that was found wrong is that the server shows the certificate of an authority. Its dates are looked at before.
fn is_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = error else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// TLS as usual, which trusts these certificates besides the system's roots.
///
/// # Errors
/// One of them cannot be used.
pub(crate) fn trusting(own: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Box<dyn StdError + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in &own {
        roots.add(certificate.clone())?;
    }
    let (found, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if found == 0 {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    let provider = Arc::new(ring::default_provider());
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let verifier = Arc::new(Verifier { usual, own });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Accepts what is usual, and of servers that show the certificate of an authority exactly those that somebody trusts by file, as
/// `curl --cacert` does.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.usual.verify_server_cert(shown, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(error)) if is_authority(&error) && self.own.contains(shown) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
