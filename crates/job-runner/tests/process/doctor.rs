//! What `doctor` tries at those who watch, and at the mail server.

use std::process::Stdio;

use cli_test::holding::Holding;
use portal_sim::{Certificate, PortalSim, Scenario};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{Desk, NOW};

/// The lines of these checks.
async fn checked(desk: &Desk, sim: &PortalSim, config: &str, names: &[&str]) -> Vec<String> {
    let ended = desk.run(&["doctor", "--portal", &sim.url(), "--config", &desk.write("sample.toml", config)]).await;
    let is_asked = |line: &&str| names.iter().any(|name| line.contains(&format!("  {name}: ")));
    let lines: Vec<String> = ended.stdout.lines().filter(is_asked).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{}{}", ended.stdout, ended.stderr);
    lines
}

/// A request would be taken for a sign of life.
#[tokio::test]
async fn those_who_watch_are_asked_for_their_certificate_and_nothing_else() {
    let (desk, sim) = Desk::with_portal().await;
    for (certificate, is_trusted, expected) in [
        (
            Certificate::Issued,
            true,
            "ok    NAME: localhost accepts connections, and its certificate is trusted; nothing was sent, ",
        ),
        (
            Certificate::Issued,
            false,
            "FAIL  NAME: the certificate of localhost is signed by an authority that this machine does not trust; set ",
        ),
        (Certificate::Expired, true, "FAIL  NAME: the certificate of localhost has expired; have it renewed, "),
        (Certificate::OtherName, true, "FAIL  NAME: the certificate of localhost was issued for another name; use "),
    ] {
        let watcher = PortalSim::start_tls(Scenario::empty(NOW.parse().unwrap()), certificate).await.unwrap();
        let port = watcher.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        let trusted = desk.write("watcher.pem", watcher.trust_pem().unwrap());
        let outbound = if is_trusted { format!("[outbound]\nca_file = \"{trusted}\"\n") } else { String::new() };
        let url = format!("url = \"https://localhost:{port}/secret\"\n");
        let config = format!("{outbound}[heartbeat]\n{url}[alerts.webhook]\n{url}");
        for name in ["heartbeat", "alerts_webhook"] {
            let lines = checked(&desk, &sim, &config, &[name]).await;
            assert!(lines[0].starts_with(&expected.replace("NAME", name)), "{certificate:?}: {lines:?}");
            assert!(!lines[0].contains("secret"), "{lines:?}");
        }
        assert_eq!(watcher.requests().len(), 0, "{certificate:?}");
    }
    // a server that speaks no TLS
    let url = sim.url().replace("http://127.0.0.1", "https://localhost");
    let lines = checked(&desk, &sim, &format!("[heartbeat]\nurl = \"{url}/secret\"\n"), &["heartbeat"]).await;
    assert!(lines[0].starts_with("FAIL  heartbeat: no encrypted connection to localhost could be made ("), "{lines:?}");
}

/// A proxy that opens a way to this port, whatever name is asked for, or answers with this status.
async fn proxy(to: &str, status: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), format!("127.0.0.1:{to}"));
    tokio::spawn(async move {
        loop {
            let (mut inside, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(inside.read_u8().await.unwrap());
            }
            assert!(asked.starts_with(b"CONNECT portal.example:"), "{}", String::from_utf8_lossy(&asked));
            inside.write_all(format!("HTTP/1.1 {status} Said\r\n\r\n").as_bytes()).await.unwrap();
            if status == 200 {
                let mut outside = tokio::net::TcpStream::connect(&to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
            }
        }
    });
    port
}

/// Where runs go through a proxy, so do the checks.
#[tokio::test]
async fn those_who_watch_are_reached_through_the_proxy_that_runs_use() {
    let (desk, sim) = Desk::with_portal().await;
    let watcher = PortalSim::start_tls(Scenario::empty(NOW.parse().unwrap()), Certificate::OtherName).await.unwrap();
    let port = watcher.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let trusted = desk.write("watcher.pem", watcher.trust_pem().unwrap());
    for (scheme, status, expected) in [
        (
            "https",
            200,
            "ok    heartbeat: portal.example accepts connections through the proxy of `outbound.proxy`, and its certificate is trusted; ",
        ),
        ("https", 407, "FAIL  heartbeat: the proxy of `outbound.proxy` wants a name and a password, or others (407); "),
        (
            "https",
            403,
            "FAIL  heartbeat: the proxy of `outbound.proxy` opens no way to portal.example: it answered 403; ",
        ),
    ] {
        let proxy = proxy(&port, status).await;
        let outbound = format!("[outbound]\nca_file = \"{trusted}\"\nproxy = \"http://127.0.0.1:{proxy}\"\n");
        let config = format!("{outbound}[heartbeat]\nurl = \"{scheme}://portal.example:{port}/secret\"\n");
        let lines = checked(&desk, &sim, &config, &["heartbeat"]).await;
        assert!(lines[0].starts_with(expected), "{lines:?}");
        assert!(!lines[0].contains("secret"), "{lines:?}");
    }
    assert_eq!(watcher.requests().len(), 0, "a request would be taken for a sign of life");
}

/// A server that greets with these bytes, and hangs up when it was answered.
async fn greeting(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    port
}

/// What a mail server says is somebody else's text.
#[tokio::test]
async fn a_mail_server_cannot_write_lines_of_its_own() {
    let (desk, sim) = Desk::with_portal().await;
    for greeted in [
        "554-no\r\n554-ok    heartbeat: all is well\r\n554 \u{1b}[2J\u{7}gone\r\n".to_owned(),
        "554 no\nok    heartbeat: all is well\r\n".to_owned(),
        "554 no\u{85}ok    heartbeat: all is well\u{2028}\u{202e}\r\n".to_owned(),
        format!("554 {}\r\n", "x".repeat(100_000)),
    ] {
        let port = greeting(greeted.clone().into_bytes()).await;
        let config = format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"docspace@example.com\"\n"
        );
        let config = desk.write("sample.toml", &config);
        let ended = desk.run(&["doctor", "--portal", &sim.url(), "--config", &config]).await;
        let lines: Vec<&str> = ended.stdout.lines().filter(|line| line.contains("  mail: ")).collect();
        assert_eq!(lines.len(), 1, "{}", ended.stdout);
        assert!(lines[0].starts_with("FAIL  mail: ") && lines[0].len() < 700, "{lines:?}");
        let of_heartbeat = ended.stdout.split('\n').filter(|line| line.contains("  heartbeat: ")).count();
        assert_eq!(of_heartbeat, 1 + lines[0].matches("  heartbeat: ").count(), "{}", ended.stdout);
        let is_hostile = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{202e}'));
        assert!(!ended.stdout.contains(is_hostile) && !ended.stderr.contains(is_hostile), "{:?}", ended.stdout);
    }
}

/// The key that can do everything, for ever, is the one that must not get lost.
#[tokio::test]
async fn a_key_without_restriction_and_end_is_a_warning() {
    let mut portal = Scenario::empty(NOW.parse().unwrap());
    portal.keys[0].scopes.clear();
    portal.keys[0].expires = None;
    let sim = PortalSim::start(portal.clone()).await.unwrap();
    let desk = Desk { key: Some(sim.key()), ..Desk::new() };
    let lines = checked(&desk, &sim, "", &["key_expiry", "key_scope"]).await;
    assert!(lines[0].starts_with("warn  key_expiry: the key is not restricted and never expires; "), "{lines:?}");
    assert!(lines[1].starts_with("warn  key_scope: no restriction: "), "{lines:?}");
    portal.keys[0].scopes = vec!["*:read".to_owned()];
    portal.keys[0].expires = Some(portal.now + chrono::TimeDelta::days(300));
    let sim = PortalSim::start(portal).await.unwrap();
    let lines = checked(&desk, &sim, "", &["key_expiry", "key_scope"]).await;
    assert!(lines.iter().all(|line| line.starts_with("ok    ")), "{lines:?}");
}

/// What was found so far is printed, and nothing of the rest passes for checked.
#[cfg(unix)]
#[tokio::test]
async fn whoever_ends_it_gets_what_was_checked() {
    let (desk, sim) = Desk::with_portal().await;
    for (signal, wanted) in [("TERM", "files/rooms"), ("INT", "api/2.0/settings"), ("TERM", "people/@self")] {
        let mut holding = Holding::start(&sim.url(), wanted, 0).await;
        let mut command = desk.command(&["doctor", "--portal", &holding.url, "--format", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        cli_test::in_time(holding.held()).await;
        cli_test::send(signal, child.id().unwrap()).await;
        let ended = cli_test::in_time(child.wait_with_output()).await.unwrap();
        let shown = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{wanted}: {shown}");
        let report: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let state = |name: &str| {
            let checks = report["checks"].as_array().unwrap();
            checks.iter().find(|check| check["name"] == name).map(|check| check["state"].as_str().unwrap().to_owned())
        };
        assert_eq!(state("state").as_deref(), Some("ok"), "{wanted}: {shown}");
        assert!(shown.contains("stopped"), "{wanted}: {shown}");
        assert_ne!(state("rooms").as_deref(), Some("ok"), "{wanted}: {shown}");
    }
}

/// One that never answers: the question is named, and the checks that need no portal are made.
#[tokio::test]
async fn a_portal_that_never_answers_holds_up_nothing_else() {
    let (desk, sim) = Desk::with_portal().await;
    let config = desk.write("sample.toml", "run_limit = \"1s\"\n");
    for (wanted, name) in [("files/rooms", "rooms"), ("api/2.0/settings", "portal"), ("people/@self", "key")] {
        let holding = Holding::start(&sim.url(), wanted, 0).await;
        let ended = desk.run(&["doctor", "--portal", &holding.url, "--config", &config]).await;
        assert_eq!(ended.exit, 1, "{}", ended.stdout);
        assert!(ended.stdout.contains(&format!("FAIL  {name}: ")), "{wanted}: {}", ended.stdout);
        assert!(ended.stdout.contains("  heartbeat: ") && ended.stdout.contains("  textfile: "), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn placeholders_that_nothing_fills_in_are_refused() {
    let (desk, sim) = Desk::with_portal().await;
    let lines = checked(&desk, &sim, "textfile = \"{host}.prom\"", &["configuration"]).await;
    let says = "has braces around something other than a placeholder; use `{program}` and `{portal}`";
    assert!(lines[0].starts_with("FAIL") && lines[0].contains(says), "{lines:?}");
}
