//! A portal with TLS: which certificates a client accepts that trusts what the portal names.

mod common;

use std::sync::Arc;

use common::at;
use portal_sim::{Certificate, Fault, FaultKind, PortalSim, Scenario};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

async fn start(certificate: Certificate) -> PortalSim {
    let scenario = Scenario::empty(at("2026-11-20T09:00:00Z"));
    PortalSim::start_tls(scenario, certificate).await.expect("start")
}

/// Asks for the key with a client that trusts this certificate; the answer, or why there is none.
async fn ask(sim: &PortalSim, trust: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trust.as_bytes()).expect("PEM")).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = sim.url().strip_prefix("https://").expect("https").to_owned();
    let tcp = TcpStream::connect(&address).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    let head = format!(
        "GET /api/2.0/keys/@self HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        sim.key()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_portal_is_trusted_by_its_authority_and_by_no_other() {
    let (sim, other) = (start(Certificate::Issued).await, start(Certificate::Issued).await);
    let trust = sim.trust_pem().expect("TLS");
    // somebody who connects and says nothing holds nobody up
    let _silent = TcpStream::connect(sim.url().trim_start_matches("https://")).await.expect("connect");
    let answer = ask(&sim, trust).await.expect("trusted");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains(&format!("\"href\":\"{}/api/2.0/keys/@self\"", sim.url())), "{answer}");
    let stranger = ask(&sim, other.trust_pem().expect("TLS")).await.expect_err("a stranger").to_string();
    assert!(stranger.contains("UnknownIssuer") || stranger.contains("BadSignature"), "{stranger}");
    let plain = PortalSim::start(Scenario::empty(at("2026-11-20T09:00:00Z"))).await.expect("start");
    assert_eq!((plain.trust_pem(), plain.url().starts_with("http://")), (None, true));
}

#[tokio::test]
async fn bad_certificates_are_refused_for_their_own_reasons() {
    for (certificate, reason) in [
        (Certificate::Expired, "xpired"),
        (Certificate::OtherName, "not valid for name"),
        (Certificate::SelfSigned, "CaUsedAsEndEntity"),
    ] {
        let sim = start(certificate).await;
        let refused = ask(&sim, sim.trust_pem().expect("TLS")).await.expect_err("refused").to_string();
        assert!(refused.contains(reason), "{certificate:?}: {refused}");
        assert!(sim.requests().is_empty(), "{certificate:?}");
    }
}

#[tokio::test]
async fn connections_with_tls_can_be_reset() {
    let sim = start(Certificate::Issued).await;
    sim.set_faults(vec![Fault::new(FaultKind::Reset).times(1)]);
    let trust = sim.trust_pem().expect("TLS").to_owned();
    let error = ask(&sim, &trust).await.expect_err("reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(ask(&sim, &trust).await.is_ok());
}
