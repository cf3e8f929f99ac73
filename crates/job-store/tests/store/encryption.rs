//! Encrypted connections to a real server on loopback: which certificates are accepted, and what is said about the others.

use std::io::Write as _;
use std::sync::Arc;

use job_store::testing::{EncryptedServer, encrypted_server};
use job_store::{Encryption, Error, OnServer, Store};
use outbound::{certificate_words, tls_config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn params(name: &str, is_ca: IsCa, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params("Authority", IsCa::Ca(BasicConstraints::Unconstrained), 2120);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server called `localhost`, whose certificate is valid until the year, and its authority.
fn server(until: i32) -> Option<(EncryptedServer, CertifiedIssuer<'static, KeyPair>)> {
    let (authority, key) = (authority("Ours"), KeyPair::generate().unwrap());
    let shown = params("localhost", IsCa::NoCa, until).signed_by(&key, &authority).unwrap();
    Some((encrypted_server(&shown.pem(), &key.serialize_pem())?, authority))
}

/// How a program that trusts this authority encrypts.
fn trusting(authority: &CertifiedIssuer<'static, KeyPair>) -> Encryption {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    let config = tls_config(Some((file.path(), "outbound.ca_file"))).unwrap();
    Encryption { config: Arc::new(config), explain: certificate_words }
}

async fn opened(address: &str, password: &str, encryption: Encryption) -> Result<Store, Error> {
    let url = format!("postgres://tester:{password}@{address}/tests?sslmode=verify-full").parse().unwrap();
    let (schema, portal) = ("tests".to_owned(), "docs.example.com".to_owned());
    Store::on_server(&OnServer { url, schema, portal, encryption: Some(encryption) }).await
}

fn said(opened: Result<Store, Error>) -> String {
    let error = opened.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    error.to_string()
}

#[tokio::test]
async fn a_certificate_is_verified_for_the_name_of_the_server() {
    let Some((server, authority)) = server(2120) else { return };
    let (port, password) = (server.port, server.password);
    let good = opened(&format!("localhost:{port}"), password, trusting(&authority)).await.unwrap();
    let sql = "SELECT CAST(ssl AS TEXT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let encrypted = good.row("looking", sql, [], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert_eq!(encrypted.as_deref(), Some("true"));
    good.close().await;

    let other_name = said(opened(&format!("127.0.0.1:{port}"), password, trusting(&authority)).await);
    assert_eq!(
        other_name,
        format!(
            "the certificate of the server of store postgres://tester@127.0.0.1:{port}/tests, schema tests was issued for another name; use the name it was issued for, or have one issued for this name"
        )
    );
    let unknown = said(opened(&format!("localhost:{port}"), password, trusting(&self::authority("Other"))).await);
    assert!(
        unknown.ends_with("is signed by an authority that this machine does not trust; set `outbound.ca_file` to a file with the certificate of the authority that signed it"),
        "{unknown}"
    );
    let wrong = opened(&format!("localhost:{port}"), "wrong", trusting(&authority)).await.unwrap_err();
    assert!(matches!(wrong, Error::CannotConnect { .. }), "{wrong:?}");
    // plain text, which this server does not take
    let url = format!("postgres://tester:{password}@localhost:{port}/tests").parse().unwrap();
    let (schema, portal) = ("tests".to_owned(), "docs.example.com".to_owned());
    let plain = Store::on_server(&OnServer { url, schema, portal, encryption: None }).await.unwrap_err();
    assert!(matches!(plain, Error::CannotConnect { .. }), "{plain:?}");
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_not_accepted() {
    let Some((server, authority)) = server(2021) else { return };
    let expired = said(opened(&format!("localhost:{}", server.port), server.password, trusting(&authority)).await);
    assert!(expired.ends_with("has expired; have it renewed, or correct the clock of this machine"), "{expired}");
}

/// Whoever stands between could say so.
#[tokio::test]
async fn nothing_is_sent_to_a_server_that_does_not_encrypt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    });
    let refused = opened(&format!("127.0.0.1:{port}"), "s3cret", trusting(&authority("Ours"))).await;
    assert!(matches!(refused, Err(Error::NotEncrypted { .. })), "{refused:?}");
    assert!(said(refused).contains("`sslmode=disable`"));
    assert_eq!(server.await.unwrap(), b"");
}
