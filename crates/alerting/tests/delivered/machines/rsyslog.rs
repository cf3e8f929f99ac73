//! A real rsyslog, which reads what it is sent, and other ends that do not.

use std::fs;
use std::net::UdpSocket;

use alerting::{Error, deliver};
use audit_model::{FindingState, Severity};
use cli_test::rsyslog::Rsyslog;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::{channel, found, now, options, told};
use crate::mail::certificate;

struct Server {
    udp: u16,
    ca: String,
    rsyslog: Rsyslog,
}

impl Server {
    fn start() -> Option<Server> {
        let folder = TempDir::new().unwrap();
        let [ca, certificate, key] = certificate(folder.path());
        let udp = free_udp_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let settings = format!(
            r#"global(workDirectory="{folder}" maxMessageSize="8k" DefaultNetstreamDriverCAFile="{ca}" DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp")
module(load="imudp")
module(load="imuxsock" SysSock.Use="off")
template(name="all" type="list") {{ property(name="jsonmesg") constant(value="\n") }}
action(type="omfile" file="{out}" template="all")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{tcp}")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{tls}" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imuxsock" Socket="{socket}" UseSpecialParser="off" UseSysTimeStamp="off")
"#,
            folder = folder.path().display(),
            out = path("out.ndjson"),
            tcp = path("tcp.port"),
            tls = path("tls.port"),
            socket = path("log.sock"),
        );
        Some(Server { udp, ca, rsyslog: Rsyslog::start(folder, &settings)? })
    }

    /// What it has read of an alert, by way.
    async fn read(&self, number: usize) -> Value {
        let path = self.rsyslog.folder.path().join("out.ndjson");
        found(async || {
            let text = fs::read_to_string(&path).ok()?;
            serde_json::from_str(text.lines().nth(number)?).ok()
        })
        .await
    }
}

/// One that nobody else was given just now.
fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn rsyslog_reads_each_message_by_every_way() {
    let Some(mut server) = Server::start() else { return };
    let (tcp, tls) = (server.rsyslog.port("tcp.port").await, server.rsyslog.port("tls.port").await);
    let socket = server.rsyslog.folder.path().join("log.sock");
    found(async || socket.exists().then_some(())).await;
    let ways = [
        format!("tcp://127.0.0.1:{tcp}"),
        format!("tls://localhost:{tls}"),
        format!("udp://127.0.0.1:{}", server.udp),
        format!("unix://{}", socket.display()),
    ];
    let options = outbound::HttpOptions { ca_file: Some(server.ca.clone().into()), ..options() };
    let mut finding = crate::common::finding();
    finding.room.as_mut().unwrap().title = "\"Al]pha\\\n".into();
    let alert = crate::common::alert_of(&finding, &crate::common::complete());
    for (number, (way, format)) in ways.iter().zip(["text", "json", "cef", "ocsf"]).enumerate() {
        let settings = json!({ "name": "siem", "kind": "syslog", "address": way, "format": format,
            "facility": "authpriv", "hostname": "watch.example.com" });
        let syslog = channel(&settings, &[], &options);
        let report = deliver(std::slice::from_ref(&alert), &[syslog], now()).await;
        assert_eq!(report.undelivered().count(), 0, "{way}: {report:?}");
        let read = server.read(number).await;
        let members = ["hostname", "app-name", "msgid", "syslogseverity", "syslogfacility"];
        let known = members.map(|member| read[member].as_str().unwrap().to_owned());
        assert_eq!(known, ["watch.example.com", "vdr-watch", "unusual_activity", "3", "10"], "{way}");
        let data = read["structured-data"].as_str().unwrap();
        assert!(data.ends_with(r#" room="\"Al\]pha\\\\u{a}"]"#), "{way}: {data}");
        let text = read["msg"].as_str().unwrap().trim();
        match format {
            "text" => assert!(text.starts_with("high: Anna Example in"), "{text}"),
            "cef" => assert!(text.starts_with("CEF:0|docspace|vdr-watch|1.0.0|"), "{text}"),
            "json" => assert_eq!(serde_json::from_str::<Value>(text).unwrap()["id"], alert.id),
            _ => assert_eq!(serde_json::from_str::<Value>(text).unwrap()["class_uid"], 2004),
        }
    }
    let doubting = json!({ "name": "siem", "kind": "syslog", "address": ways[1] });
    let report = deliver(&[alert], &[channel(&doubting, &[], &super::options())], now()).await;
    assert!(matches!(report.deliveries[0].failures[0].error, Error::Certificate { .. }), "{report:?}");
}

/// Nobody listens, or somebody hangs up in the middle.
#[tokio::test]
async fn what_was_not_read_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rude = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // the rest is thrown away
            let _ = stream.read(&mut [0]).await;
        }
    });
    let closed = cli_test::ClosedPort::take();
    for address in [
        format!("tcp://127.0.0.1:{rude}"),
        format!("tls://127.0.0.1:{rude}"),
        format!("tcp://127.0.0.1:{}", closed.number),
        format!("udp://127.0.0.1:{}", free_udp_port()),
        "unix:///nonexistent/log".to_owned(),
    ] {
        let settings = json!({ "name": "siem", "kind": "syslog", "address": address });
        let alerts = [told(FindingState::New, 41, Severity::High), told(FindingState::New, 42, Severity::High)];
        let report = deliver(&alerts, &[channel(&settings, &[], &options())], now()).await;
        let errors: Vec<_> = report.deliveries.iter().map(|delivery| &delivery.failures[0].error).collect();
        assert!(matches!(errors[..], [Error::Stream { .. }, Error::NotTried]), "{address}: {errors:?}");
    }
}
