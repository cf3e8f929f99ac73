//! `serve`: the portal's webhooks, as real requests on loopback.

use std::time::Instant;

use cli_test::docspace_webhook::{Delivery, SIGNATURE, recorded};
use futures::StreamExt;
use futures::stream::iter;
use portal_sim::{Fault, FaultKind};
use reqwest::{Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::serve::{SECRET, Server, TOKEN};

/// A server that takes webhooks and scans after so long.
async fn server(debounce: &str, more: &str) -> Server {
    Server::start_with(&format!("webhook_secret_file = \"secret\"\nwebhook_debounce = \"{debounce}\"\n{more}")).await
}

impl Server {
    fn hook(&self) -> String {
        format!("{}/webhooks/docspace", self.url)
    }

    async fn deliver(&self, delivery: &Delivery) -> Response {
        self.send(&delivery.signature, delivery.body.clone()).await
    }

    async fn send(&self, signature: &str, body: Vec<u8>) -> Response {
        self.http.post(self.hook()).header(SIGNATURE, signature).body(body).send().await.unwrap()
    }
}

/// Cron's next run tells nobody again what a webhook's scan has told.
#[tokio::test]
async fn a_webhook_makes_a_scan_that_tells() {
    let server = server("1s", "[alerts.file]\npath = \"alerts.ndjson\"\n").await;
    let answer = server.deliver(&Delivery::trashed(SECRET, 1)).await;
    assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::NO_CONTENT, String::new()));
    server.counts("webhook_scans_total", 1).await;
    let alerts = std::fs::read_to_string(server.setting.state.path().join("alerts.ndjson")).unwrap();
    assert!(alerts.contains("mass_change"), "{alerts}");
    assert_eq!((server.counted("scans_failed_total").await, server.counted("webhooks_total").await), (0, 1));
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
    assert_eq!(std::fs::read_to_string(server.setting.state.path().join("alerts.ndjson")).unwrap(), alerts);
}

/// What a server has sent is taken, retries and all, once each.
#[tokio::test]
async fn recorded_webhooks_are_taken_once_each() {
    let server = server("10m", "").await;
    let ours: Vec<_> = recorded().into_iter().filter(|delivery| delivery.secret == SECRET).collect();
    for delivery in &ours {
        assert_eq!(server.deliver(delivery).await.status(), StatusCode::NO_CONTENT, "{}", delivery.name);
    }
    for delivery in &ours {
        let again = server.deliver(delivery).await;
        assert_eq!(again.status(), StatusCode::FORBIDDEN, "{}", delivery.name);
    }
    let taken = (server.counted("webhooks_total").await, server.counted("webhooks_refused_total").await);
    assert_eq!(taken, (ours.len() as u64, ours.len() as u64));
}

/// Whatever is not signed by the portal starts nothing, is counted, and learns nothing.
#[tokio::test]
async fn what_the_portal_has_not_signed_starts_nothing() {
    let server = server("1s", "").await;
    let Delivery { signature, body, .. } = Delivery::trashed(SECRET, 1);
    let mut other = body.clone();
    other[20] ^= 1;
    let foreign = Delivery::trashed("another-secret-2026!", 1).signature;
    let digits = signature.strip_prefix("sha256=").unwrap();
    let refused = [(&signature[..], &other), (&foreign, &body), (digits, &body), ("", &body), ("sha256=", &body)];
    let mut answers = Vec::new();
    for (signature, body) in refused {
        let answer = server.send(signature, body.clone()).await;
        answers.push((answer.status(), answer.text().await.unwrap()));
    }
    let unsigned = server.http.post(server.hook()).body(body.clone()).send().await.unwrap();
    answers.push((unsigned.status(), unsigned.text().await.unwrap()));
    for answer in &answers {
        let told = "{\"detail\":\"the signature is missing or wrong\",\"status\":\"error\"}\n".to_owned();
        assert_eq!(*answer, (StatusCode::UNAUTHORIZED, told));
    }
    // the token is no signature, and a signature no token
    let with_token = server.http.post(server.hook()).bearer_auth(TOKEN).body(body).send().await.unwrap();
    assert_eq!(with_token.status(), StatusCode::UNAUTHORIZED);
    let scan = server.http.post(format!("{}/security/scan", server.url)).header(SIGNATURE, &signature);
    assert_eq!(scan.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.counted("webhooks_refused_total").await, answers.len() as u64 + 1);
    // the scan that a right one makes is the only one
    assert_eq!(server.deliver(&Delivery::trashed(SECRET, 2)).await.status(), StatusCode::NO_CONTENT);
    server.counts("webhook_scans_total", 1).await;
    assert_eq!(server.counted("scans_total").await, 1);
}

/// Lower-case digits mean the same.
#[tokio::test]
async fn digits_in_lower_case_are_right() {
    let server = server("10m", "").await;
    let Delivery { signature, body, .. } = Delivery::trashed(SECRET, 1);
    assert_eq!(server.send(&signature.to_lowercase(), body).await.status(), StatusCode::NO_CONTENT);
}

/// The portal tries an address with HEAD and wants a 2xx; without a secret there is nothing to reach.
#[tokio::test]
async fn the_portal_finds_the_address() {
    let there = server("10m", "").await;
    let ask = async |server: &Server, method: Method| {
        let answer = server.http.request(method, server.hook()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(ask(&there, Method::HEAD).await, (StatusCode::OK, String::new()));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(ask(&there, method).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(there.counted("webhooks_total").await, 0);
    let none = Server::start_with("").await;
    assert_eq!(ask(&none, Method::HEAD).await.0, StatusCode::NOT_FOUND);
    assert_eq!(none.deliver(&Delivery::trashed(SECRET, 1)).await.status(), StatusCode::NOT_FOUND);
    assert!(!none.get("/metrics").await.1.contains("webhook"));
}

/// A folder of a thousand documents that is deleted costs a few scans, no more than one in the time of the setting.
#[tokio::test]
async fn a_burst_of_webhooks_costs_few_scans() {
    let server = server("1s", "").await;
    let began = Instant::now();
    let deliveries = iter(0..1000).map(|number| {
        let server = &server;
        async move { server.deliver(&Delivery::trashed(SECRET, number)).await.status() }
    });
    let answers: Vec<_> = deliveries.buffer_unordered(10).collect().await;
    assert!(answers.iter().all(|status| *status == StatusCode::NO_CONTENT));
    server.counts("webhook_scans_total", 1).await;
    let scans = server.counted("webhook_scans_total").await;
    assert!(scans <= began.elapsed().as_secs(), "{scans} scans in {:?}", began.elapsed());
    assert_eq!(server.counted("webhooks_total").await, 1000);
}

/// A scan that runs already may have read before it happened.
#[tokio::test]
async fn a_webhook_while_a_scan_runs_makes_one_more() {
    let server = server("1s", "").await;
    let slow = Fault::new(FaultKind::Latency { ms: 500, jitter_ms: 0 });
    server.setting.sim.edit(|portal| portal.faults.push(slow));
    let hinted = async {
        server.setting.sim.answered(1).await;
        for number in 0..5 {
            assert_eq!(server.deliver(&Delivery::trashed(SECRET, number)).await.status(), StatusCode::NO_CONTENT);
        }
    };
    let (posted, ()) = tokio::join!(server.scan(TOKEN), hinted);
    assert_eq!(posted.status(), StatusCode::OK);
    server.counts("webhook_scans_total", 1).await;
    assert_eq!(server.counted("scans_total").await, 2);
}

/// While cron's run has the lock, a webhook's scan comes to nothing, and is tried again until it has looked.
#[tokio::test]
async fn a_webhook_that_finds_cron_at_work_is_not_forgotten() {
    let server = server("1s", "").await;
    assert_eq!(server.scan(TOKEN).await.status(), StatusCode::OK);
    let lock = std::fs::File::options().write(true).open(server.setting.state_file("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(server.deliver(&Delivery::trashed(SECRET, 1)).await.status(), StatusCode::NO_CONTENT);
    server.counts("webhook_scans_total", 1).await;
    let asked = server.setting.sim.requests().len();
    lock.unlock().unwrap();
    server.setting.sim.answered(asked + 1).await;
    assert_eq!(server.get("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn long_and_slow_bodies_are_cut_off() {
    let server = server("1s", "").await;
    let long = Delivery::signed("long", SECRET, vec![b'x'; 70_000]);
    let refused = server.http.post(server.hook()).header(SIGNATURE, &long.signature).body(long.body).send().await;
    // the server may hang up before it has taken all of it
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    let Delivery { signature, body, .. } = Delivery::trashed(SECRET, 1);
    let address = server.url.strip_prefix("http://").unwrap();
    let head = format!("POST /webhooks/docspace HTTP/1.1\r\nHost: x\r\n{SIGNATURE}: {signature}\r\n");
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
    slow.write_all(&body[..20]).await.unwrap();
    let mut endless = tokio::net::TcpStream::connect(address).await.unwrap();
    endless.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let chunk = format!("fffe\r\n{}\r\n", "x".repeat(0xfffe));
    // the server may hang up before it has taken both
    for _ in 0..2 {
        endless.write_all(chunk.as_bytes()).await.ok();
    }
    for (connection, status) in [(&mut slow, "HTTP/1.1 408"), (&mut endless, "HTTP/1.1 413")] {
        let mut told = Vec::new();
        let read = cli_test::in_time(connection.read_to_end(&mut told)).await;
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(read.is_err() || told.starts_with(status), "{told}");
    }
    assert_eq!((server.counted("webhooks_total").await, server.counted("webhooks_refused_total").await), (0, 3));
    assert_eq!(server.setting.sim.requests().len(), 0);
}

/// Nobody waits for the answer of such a scan; the server does, so that nothing is left half done.
#[cfg(unix)]
#[tokio::test]
async fn a_scan_of_a_webhook_is_waited_for_when_the_server_stops() {
    let mut server = server("1s", "[alerts.file]\npath = \"alerts.ndjson\"\n").await;
    let slow = Fault::new(FaultKind::Latency { ms: 300, jitter_ms: 0 });
    server.setting.sim.edit(|portal| portal.faults.push(slow));
    assert_eq!(server.deliver(&Delivery::trashed(SECRET, 1)).await.status(), StatusCode::NO_CONTENT);
    server.setting.sim.answered(1).await;
    server.terminate().await;
    assert_eq!(cli_test::in_time(server.child.wait()).await.unwrap().code(), Some(0));
    let asked = server.setting.sim.requests().len();
    let alerts = std::fs::read_to_string(server.setting.state.path().join("alerts.ndjson")).unwrap();
    assert!(alerts.contains("mass_change"), "{alerts}");
    assert_eq!(server.setting.sim.requests().len(), asked, "the run has ended");
}

#[tokio::test]
async fn a_secret_that_cannot_be_the_portals_is_refused() {
    let setting = crate::common::setting(crate::common::office()).await;
    let url = setting.sim.url();
    setting.file("token", TOKEN);
    let long = "x".repeat(51);
    for (secret, debounce, reason) in [
        (Some("short"), "5s", "/secret must hold one word of at least 16 characters"),
        (Some(&long[..]), "5s", "no secret as long as that"),
        (None, "5s", "cannot be read"),
        (Some(SECRET), "0s", "must be between 1s and 10m: each scan costs"),
    ] {
        std::fs::remove_file(setting.state.path().join("secret")).ok();
        secret.map(|secret| setting.file("secret", secret));
        let settings = "[serve]\ntoken_file = \"token\"\nwebhook_secret_file = \"secret\"\nwebhook_debounce = ";
        let config = setting.file("bulk-guard.toml", &format!("{settings}\"{debounce}\"\n"));
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--config", &config, "--portal", &url];
        let ended = setting.run_with(&arguments).await;
        assert_eq!(ended.exit, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
        let doctor = setting.run_with(&["doctor", "--config", &config, "--portal", &url]).await;
        assert!(format!("{}{}", doctor.stdout, doctor.stderr).contains(reason), "{reason}: {}", doctor.stdout);
    }
    setting.file("secret", SECRET);
    let config = setting.file("right.toml", "[serve]\ntoken_file = \"token\"\nwebhook_secret_file = \"secret\"\n");
    let doctor = setting.run_with(&["doctor", "--config", &config, "--portal", &url]).await;
    let line = "serve_webhooks: the secret was read; 5s after a webhook a scan begins, which tells, and changes nothing at the portal";
    assert!(doctor.stdout.contains(line), "{}", doctor.stdout);
}
