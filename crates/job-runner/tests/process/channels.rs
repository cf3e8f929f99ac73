//! What `doctor` says of each channel, without sending.

use std::sync::{Arc, Mutex};

use cli_test::Run;
use cli_test::rsyslog::Rsyslog;
use portal_sim::PortalSim;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::common::Desk;

/// The program with one channel.
async fn run(desk: &Desk, sim: &PortalSim, channel: &str, command: &[&str], secret: &str) -> Run {
    let settings = format!("portal.url = \"{}\"\n[[alerts.channel]]\nname = \"soc\"\n{channel}", sim.url());
    let config = desk.write("sample.toml", &settings);
    let mut command = desk.command(&[command, &["--config", &config]].concat());
    command.env("ALERT_SOC_TOKEN", secret);
    cli_test::run(command).await
}

async fn checked(desk: &Desk, sim: &PortalSim, channel: &str, secret: &str) -> String {
    let doctor = run(desk, sim, channel, &["doctor"], secret).await;
    let mut lines = doctor.stdout.lines().filter(|line| line.contains("  alerts_channel: "));
    let line = lines.next().unwrap_or_else(|| panic!("{}{}", doctor.stdout, doctor.stderr)).to_owned();
    assert_eq!(lines.next(), None);
    line
}

#[tokio::test]
async fn doctor_reaches_a_syslog_server_and_sends_it_nothing() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (out, port) = (path("out"), path("port"));
    let settings = format!(
        "global(workDirectory=\"{}\")\nmodule(load=\"imtcp\")\naction(type=\"omfile\" file=\"{out}\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"0\" listenPortFileName=\"{port}\")\n",
        folder.path().display()
    );
    let Some(mut server) = Rsyslog::start(folder, &settings) else { return };
    let (desk, sim) = Desk::with_portal().await;
    let channel = format!("kind = \"syslog\"\naddress = \"tcp://127.0.0.1:{}\"", server.port("port").await);
    let line = checked(&desk, &sim, &channel, "").await;
    assert!(line.starts_with("ok    alerts_channel: soc: tcp://127.0.0.1:"), "{line}");
    assert!(line.ends_with(" accepts connections; nothing was sent"), "{line}");
    // what is read is written in order, so the first line is the first message
    let sent = run(&desk, &sim, &channel, &["alerts", "test", "soc"], "").await;
    assert_eq!(sent.exit, 0, "{}{}", sent.stdout, sent.stderr);
    let read = || std::fs::read_to_string(&out).unwrap_or_default();
    cli_test::until(|| read().ends_with('\n')).await;
    assert!(read().lines().count() == 1 && read().contains("this is a test alert"), "{}", read());
    drop(server);
    let line = checked(&desk, &sim, "kind = \"syslog\"\naddress = \"tcp://127.0.0.1:1\"", "").await;
    assert!(line.starts_with("FAIL  alerts_channel: soc: 127.0.0.1 does not accept connections on port 1"), "{line}");
}

/// A server of Matrix that knows one token; gives its address and what it was asked.
async fn matrix(token: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let seen = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut lines = BufReader::new(stream).lines();
            let mut head = Vec::new();
            while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
                head.push(line);
            }
            // who only looks whether somebody listens says nothing
            let Some(first) = head.first() else { continue };
            seen.lock().unwrap().push(first.clone());
            let is_known = head.iter().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Bearer {token}")));
            let (status, body) = match is_known {
                true => ("200 OK", r#"{"user_id":"@watch:example.com"}"#),
                false => ("401 Unauthorized", r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognised access token"}"#),
            };
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            lines.get_mut().get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

#[tokio::test]
async fn doctor_asks_a_receiver_whether_it_knows_the_token() {
    let (desk, sim) = Desk::with_portal().await;
    let (url, asked) = matrix("r1ght").await;
    let channel = format!("kind = \"matrix\"\nserver = \"{url}\"\nroom = \"!soc:example.com\"");
    let line = checked(&desk, &sim, &channel, "wr0ng").await;
    assert!(line.starts_with("FAIL  alerts_channel: soc: matrix http://127.0.0.1:"), "{line}");
    assert!(line.contains(" answered 401 Unauthorized: M_UNKNOWN_TOKEN; ") && !line.contains("wr0ng"), "{line}");
    let line = checked(&desk, &sim, &channel, "r1ght").await;
    let expected = "ok    alerts_channel: soc: 127.0.0.1 accepts connections and knows the secret; nothing was sent";
    assert_eq!(line, expected);
    assert_eq!(*asked.lock().unwrap(), ["GET /_matrix/client/v3/account/whoami HTTP/1.1"; 2]);
}

/// Looking must not depend on one chat: the run looks and reports, and says with each run that this channel has to be corrected.
#[tokio::test]
async fn a_run_looks_and_reports_without_a_channel_that_lacks_its_secret() {
    let (desk, sim) = Desk::with_portal().await;
    let channel = "kind = \"matrix\"\nserver = \"https://matrix.example.com\"\nroom = \"!soc:example.com\"\ntoken_file = \"gone\"";
    for _ in 0..2 {
        let ended = run(&desk, &sim, channel, &["--format", "json"], "").await;
        assert_eq!(ended.exit, 2, "{}{}", ended.stdout, ended.stderr);
        let said = "alerts cannot leave through the channel `soc`, and wait for it: `token_file` cannot be read from ";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        let report = ended.json();
        assert_eq!(report["coverage"]["complete"], true, "{report}");
        assert!(report["notes"].to_string().contains(said), "{}", report["notes"]);
    }
    let line = checked(&desk, &sim, channel, "").await;
    assert!(line.starts_with("FAIL  alerts_channel: soc: cannot be used: `token_file` cannot be read from "), "{line}");
    let test = run(&desk, &sim, channel, &["alerts", "test"], "").await;
    assert!(
        test.exit == 1 && test.stdout.contains("soc has not taken it: the channel cannot be used"),
        "{}",
        test.stdout
    );
    // it has never been read, whatever the settings say besides
    let wrong = run(&desk, &sim, &channel.replace("room", "rom"), &["--format", "json"], "").await;
    assert_eq!((wrong.exit, wrong.stdout.as_str()), (2, ""), "{}", wrong.stderr);
}

/// Nor on the password of a mail server that nothing but a channel uses.
#[tokio::test]
async fn a_run_looks_and_reports_where_a_channel_lacks_its_mail_server() {
    let (desk, sim) = Desk::with_portal().await;
    let channel = "kind = \"email\"\nto = \"soc@example.com\"\n[mail]\nhost = \"mail.example.com\"\n\
                   from = \"docspace@example.com\"\nuser = \"docspace\"\npassword_file = \"gone\"";
    let ended = run(&desk, &sim, channel, &["--format", "json"], "").await;
    assert_eq!(ended.exit, 2, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.json()["coverage"]["complete"], true, "{}", ended.stdout);
    let said = "alerts cannot leave through the channel `soc`, and wait for it: ";
    assert!(ended.stderr.contains(said) && ended.stderr.contains("mail.password_file"), "{}", ended.stderr);
    let line = checked(&desk, &sim, channel, "").await;
    assert!(line.starts_with("FAIL  alerts_channel: soc: cannot be used: ") && !line.contains("``"), "{line}");
}

/// Nor on a secret of another form, which each kind of channel has its own of.
#[tokio::test]
async fn a_run_looks_and_reports_without_a_webhook_that_lacks_its_secret() {
    let (desk, sim) = Desk::with_portal().await;
    let secret = desk.write("secret", "no such form");
    let settings = format!(
        "portal.url = \"{}\"\nalerts.webhook.url = \"https://soc.example.com/\"\nalerts.webhook.secret_file = \"{secret}\"\n",
        sim.url()
    );
    let config = desk.write("sample.toml", &settings);
    let ended = desk.run(&["--config", &config, "--format", "json"]).await;
    assert_eq!(ended.exit, 2, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.json()["coverage"]["complete"], true, "{}", ended.stdout);
    assert!(ended.stderr.contains("and wait for it: `secret_file` "), "{}", ended.stderr);
}
