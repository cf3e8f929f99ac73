//! A portal whose certificate is accepted, and what is said where it is not.

use std::io::Write;

use chrono::{DateTime, Utc};
use docspace_client::{ApiKey, Budget, Client, ErrorKind};
use outbound::{CertificateFault, HttpOptions, RetryPolicy, http_client};
use portal_sim::{Certificate, PortalSim, Scenario};
use secrecy::SecretString;
use url::Url;

async fn client(sim: &PortalSim, trusts: bool) -> Client {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(sim.trust_pem().unwrap().as_bytes()).unwrap();
    let mut options = HttpOptions::new("test", "1.0.0");
    options.ca_file = trusts.then(|| file.path().to_owned());
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&options, &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    Client::new(http, base, key, RetryPolicy::immediate(), Budget::default())
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_one_sentence_with_its_remedy() {
    let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
    let unknown = (CertificateFault::UnknownIssuer, "with the certificate of the authority that signed it");
    let cases = [
        (Certificate::Issued, true, None),
        (Certificate::SelfSigned, true, None),
        (Certificate::Issued, false, Some(unknown)),
        (
            Certificate::SelfSigned,
            false,
            Some((CertificateFault::SelfSigned, "set `outbound.ca_file` to a file with exactly this certificate")),
        ),
        (Certificate::Expired, true, Some((CertificateFault::Expired, "has expired; have it renewed"))),
        (
            Certificate::OtherName,
            true,
            Some((CertificateFault::OtherName, "was issued for another name; use the name")),
        ),
    ];
    for (certificate, trusts, expected) in cases {
        let sim = PortalSim::start_tls(Scenario::empty(now), certificate).await.unwrap();
        let client = client(&sim, trusts).await;
        let answer = client.identity().await;
        let Some((fault, remedy)) = expected else {
            answer.unwrap();
            continue;
        };
        let error = answer.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadCertificate(fault), "{certificate:?}");
        let shown = error.to_string();
        assert!(shown.starts_with("cannot read the key's own account: the portal's certificate "), "{shown}");
        assert!(shown.contains(remedy), "{shown}");
        // no words of a library behind it, and no second try: it fails again until somebody acts
        assert!(std::error::Error::source(&error).is_none() && error.needs_somebody());
        assert_eq!(client.requests(), 1);
    }
}

/// A port for plain HTTP that is asked for TLS: the address is wrong, and not the network.
#[tokio::test]
async fn https_to_a_port_for_plain_http_is_named_with_its_remedy() {
    let now: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
    let sim = PortalSim::start(Scenario::empty(now)).await.unwrap();
    let base: Url = sim.url().replace("http://", "https://").parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    let key = ApiKey::new(SecretString::from(sim.key()));
    let error = Client::new(http, base, key, RetryPolicy::immediate(), Budget::default()).identity().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SpeaksPlainHttp);
    assert!(error.to_string().contains("speaks plain HTTP") && error.to_string().contains("`--allow-http`"), "{error}");
    assert!(error.needs_somebody());
}
