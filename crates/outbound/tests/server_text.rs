//! What a mail server says is somebody else's text: whatever it is, an error stays one short line.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::error::Error;
use std::time::Duration;

use outbound::{SmtpError, SmtpOptions, SmtpSecurity, smtp_connect};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A server that says the first of these at once, and one more after each line that it hears.
async fn scripted(script: Vec<String>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        for reply in script {
            if stream.get_mut().write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            let _ = stream.read_line(&mut String::new()).await;
        }
    });
    port
}

async fn refused(script: Vec<String>) -> SmtpError {
    let options = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port: scripted(script).await,
        security: SmtpSecurity::None,
        credentials: Some(("docspace".to_owned(), "s3cret".to_owned())),
        ca_file: None,
        patience: Duration::from_secs(60),
    };
    smtp_connect(&options).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn nothing_that_a_server_says_begins_another_line() {
    let hostile = [
        "no\r\n{code} 2026-11-20T09:00:00Z ERROR forged\r\n",
        "no\n2026-11-20T09:00:00Z ERROR forged\r\n",
        "\u{1b}[2J\u{7}\u{0}\u{85}\u{2028}\u{202e}gone\r\n",
        &format!("{}\r\n", "x".repeat(10_000)),
    ]
    .map(str::to_owned);
    for text in hostile {
        let last = |code: &str| {
            format!("{code}{}{}", if text.contains("{code}") { "-" } else { " " }, text.replace("{code}", code))
        };
        let (greeting, hello) =
            ("220 mail.example.com\r\n".to_owned(), "250-mail.example.com\r\n250 AUTH PLAIN\r\n".to_owned());
        for script in
            [vec![last("554")], vec![greeting.clone(), last("554"), last("554")], vec![greeting, hello, last("535")]]
        {
            let error = refused(script.clone()).await;
            let mut shown = error.to_string();
            let mut next = error.source();
            while let Some(cause) = next {
                shown = format!("{shown}: {cause}");
                next = cause.source();
            }
            let is_hostile = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
            assert!(!shown.contains(is_hostile) && shown.len() < 2_000, "{script:?}: {shown:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}
