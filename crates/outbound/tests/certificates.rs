//! Certificates of real servers on loopback: which are accepted, and what is said about the others.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use outbound::{CertificateFault, HttpOptions, SmtpError, SmtpOptions, SmtpSecurity, certificate_fault, http_client};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const AUTHORITY: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

fn params(name: &str, is_ca: IsCa, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params
}

/// What a server shows, and what somebody would give to trust it.
struct Shown {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    trust: NamedTempFile,
}

fn file(pem: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    file
}

fn self_signed(params: CertificateParams) -> Shown {
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    Shown {
        certificate: made.der().clone(),
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        trust: file(&made.pem()),
    }
}

fn issued(leaf: CertificateParams) -> Shown {
    let authority = params("Authority", AUTHORITY, (2020, 2120));
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let made = leaf.signed_by(&key, &authority).unwrap();
    Shown {
        certificate: made.der().clone(),
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        trust: file(&authority.pem()),
    }
}

/// A server that answers one line to whoever trusts its certificate; gives its port.
async fn serve(shown: &Shown, line: &'static str) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![shown.certificate.clone()], shown.key.clone_key())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.write_all(line.as_bytes()).await;
                let _ = stream.flush().await;
                while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    port
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async fn ask(port: u16, trust: Option<&Path>) -> Result<u16, CertificateFault> {
    let url = format!("https://localhost:{port}/").parse().unwrap();
    let mut options = HttpOptions::new("test", "1.0.0");
    options.ca_file = trust.map(Path::to_owned);
    let answer = http_client(&options, &url).unwrap().get(url).send().await;
    answer.map(|answer| answer.status().as_u16()).map_err(|error| certificate_fault(&error).unwrap())
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_accepted_by_file_and_only_that_one() {
    for is_ca in [AUTHORITY, IsCa::NoCa, IsCa::ExplicitNoCa] {
        let shown = self_signed(params("localhost", is_ca, (2020, 2120)));
        let port = serve(&shown, OK).await;
        assert_eq!(ask(port, Some(shown.trust.path())).await, Ok(200), "{is_ca:?}");
        let fault = if is_ca == AUTHORITY { CertificateFault::SelfSigned } else { CertificateFault::UnknownIssuer };
        assert_eq!(ask(port, None).await, Err(fault), "{is_ca:?}");
        let other = self_signed(params("localhost", is_ca, (2020, 2120)));
        assert!(ask(port, Some(other.trust.path())).await.is_err(), "{is_ca:?}: of the same name");
    }
}

#[tokio::test]
async fn name_and_dates_count_whoever_signed() {
    let cases = [
        (("localhost", (2020, 2120)), Ok(200)),
        (("localhost", (2019, 2020)), Err(CertificateFault::Expired)),
        (("localhost", (2110, 2120)), Err(CertificateFault::NotYetValid)),
        (("portal.example", (2020, 2120)), Err(CertificateFault::OtherName)),
    ];
    for ((name, years), expected) in cases {
        for shown in [
            self_signed(params(name, AUTHORITY, years)),
            self_signed(params(name, IsCa::NoCa, years)),
            issued(params(name, IsCa::NoCa, years)),
        ] {
            let port = serve(&shown, OK).await;
            assert_eq!(ask(port, Some(shown.trust.path())).await, expected, "{name} {years:?}");
        }
    }
    let unknown = issued(params("localhost", IsCa::NoCa, (2020, 2120)));
    assert_eq!(ask(serve(&unknown, OK).await, None).await, Err(CertificateFault::UnknownIssuer));
}

async fn greet(shown: &Shown, line: &'static str) -> Result<(), SmtpError> {
    let options = SmtpOptions {
        host: "localhost".to_owned(),
        port: serve(shown, line).await,
        security: SmtpSecurity::Tls,
        credentials: None,
        ca_file: Some(shown.trust.path().to_owned()),
        patience: std::time::Duration::from_secs(60),
    };
    outbound::smtp_connect(&options).await.map(|_| ())
}

#[tokio::test]
async fn mail_servers_are_judged_alike_but_for_authorities() {
    let refused = |params| async { greet(&self_signed(params), "").await.unwrap_err().to_string() };
    let expired = refused(params("localhost", IsCa::NoCa, (2019, 2020))).await;
    assert!(expired.starts_with("the certificate of the mail server localhost has expired; "), "{expired}");
    let other = refused(params("mail.example", IsCa::NoCa, (2020, 2120))).await;
    assert!(other.contains("was issued for another name; "), "{other}");
    let authority = refused(params("localhost", AUTHORITY, (2020, 2120))).await;
    assert!(authority.contains("is signed by itself") && authority.contains("CA:FALSE"), "{authority}");
}

/// The banner is whatever the server likes.
#[tokio::test]
async fn what_a_mail_server_says_stays_on_one_short_line() {
    let shown = self_signed(params("localhost", IsCa::NoCa, (2020, 2120)));
    let banner = "554-busy\r\n554 2026-11-20T09:00:00Z ERROR forged\u{1b}[2J\u{202e}\r\n";
    let error = greet(&shown, banner).await.unwrap_err();
    let chain = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    assert!(chain.contains("forged"), "{chain}");
    assert!(!chain.contains(char::is_control) && !chain.contains('\u{202e}') && chain.len() < 600, "{chain}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.source().is_none(), "causes are said once");
}
