//! The mail server beside the portal: what it takes, and what it refuses.

use portal_sim::{MailServer, PortalSim, Scenario};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Says all of this at once; gives the codes of the answers until the server hangs up.
async fn say(sim: &PortalSim, lines: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(sim.mail_address().expect("a mail server")).await.expect("it listens");
    stream.write_all(lines.replace('\n', "\r\n").as_bytes()).await.expect("it reads");
    let mut answers = BufReader::new(stream).lines();
    let mut codes = Vec::new();
    while let Some(line) = answers.next_line().await.expect("readable") {
        codes.push(line[..4].to_owned());
    }
    codes
}

#[tokio::test]
async fn it_refuses_the_sender_until_it_takes_all() {
    let now = "2026-11-20T09:00:00Z".parse().expect("an instant");
    let sim = PortalSim::start(Scenario::builtin("refused-sender", now).expect("built in")).await.expect("start");
    let refused = say(&sim, "EHLO us\nMAIL FROM:<a@example.com>\nRSET\nHELP\nQUIT\n").await;
    assert_eq!(refused, ["220 ", "250-", "250 ", "550 ", "250 ", "502 ", "221 "]);
    sim.edit(|portal| portal.mail_server = Some(MailServer::TakesAll));
    let mail = "HELO us\nMAIL FROM:<a@example.com>\nRCPT TO:<b@example.com>\nDATA\nSubject: x\n\n..a dot\n.\nQUIT\n";
    assert_eq!(say(&sim, mail).await, ["220 ", "250 ", "250 ", "250 ", "354 ", "250 ", "221 "]);
    assert_eq!(sim.mails(), [b"Subject: x\r\n\r\n.a dot\r\n".to_vec()]);
    assert!(PortalSim::start(Scenario::empty(now)).await.expect("start").mail_address().is_none());
}
