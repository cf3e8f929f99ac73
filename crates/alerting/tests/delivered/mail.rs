//! Mails handed to a real SMTP server, well-behaved and not, and read back by a real MIME parser.

use std::path::Path;
use std::process::Command;

use alerting::{Fate, Mail, MailFile, Mailer, Recipient};
use cli_test::jump_from;
use cli_test::smtp::Server;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};
use outbound::{SMTP_PATIENCE, SmtpOptions, SmtpSecurity};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn mail(to: &str) -> Mail {
    Mail {
        to: Recipient {
            name: "Žofie \"Zo\" <x@evil.example>\r\nBcc: all@example.com".to_owned(),
            address: to.to_owned(),
        },
        subject: "Räume, die auf Sie warten – 契約書\r\nX-Injected: yes".to_owned(),
        text: "Guten Tag,\n\n.\nein Punkt allein beendet nichts.\n".to_owned(),
        html: Some("<p>Guten Tag – ein <b>Punkt</b></p>".to_owned()),
        message_id: "0123456789abcdef@docs.example.com".to_owned(),
        references: Vec::new(),
        unsubscribe: vec!["mailto:stop@example.com".to_owned(), "https://docs.example.com/stop?who=1".to_owned()],
        one_click: false,
        reply_to: None,
        files: Vec::new(),
        date: "2026-11-20T09:00:00Z".parse().unwrap(),
    }
}

fn options(port: u16) -> SmtpOptions {
    SmtpOptions {
        host: "localhost".to_owned(),
        port,
        security: SmtpSecurity::None,
        credentials: None,
        ca_file: None,
        patience: SMTP_PATIENCE,
    }
}

fn mailer(options: SmtpOptions) -> Mailer {
    Mailer::new(options, "DocSpace <docspace@example.com>", Some("it@example.com")).unwrap()
}

/// Sends one mail and says what became of it.
async fn fate_of(mailer: &mut Mailer, to: &str) -> Option<Fate> {
    mailer.send(&mail(to)).await.err().map(|error| error.fate())
}

#[tokio::test]
async fn a_message_arrives_as_it_was_meant_and_nobody_injects_a_header() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let mut mailer = mailer(options(server.port));
    mailer.send(&mail("anna@example.com")).await.unwrap();
    mailer.send(&mail("ben@example.com")).await.unwrap();
    mailer.close().await;
    let taken = server.messages();
    assert_eq!(taken.len(), 2);
    let message = MessageParser::default().parse(&taken[0]).unwrap();
    let to = message.to().unwrap().first().unwrap();
    assert_eq!((message.to().unwrap().iter().count(), to.address()), (1, Some("anna@example.com")));
    assert!(to.name().unwrap().contains("Žofie"), "{to:?}");
    assert!(message.subject().unwrap().starts_with("Räume, die auf Sie warten – 契約書"));
    assert_eq!(message.message_id(), Some("0123456789abcdef@docs.example.com"));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-11-20T09:00:00Z");
    for injected in ["Bcc", "X-Injected"] {
        assert!(message.header(injected).is_none(), "{injected}");
    }
    let text = |name: &str| match message.header(name) {
        Some(HeaderValue::Text(text)) => text.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(text("Auto-Submitted"), "auto-generated");
    let raw = String::from_utf8_lossy(&taken[0]);
    assert!(raw.contains("List-Unsubscribe: <mailto:stop@example.com>"), "{raw}");
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), mail("x@example.com").text);
    assert!(message.body_html(0).unwrap().contains("ein <b>Punkt</b>"));
    // the same mail has the same bytes
    assert_eq!(mailer.format(&mail("a@example.com")).unwrap(), mailer.format(&mail("a@example.com")).unwrap());
}

#[tokio::test]
async fn a_server_that_defers_has_not_taken_it_and_one_refused_address_stops_nobody_else() {
    let Some(server) = Server::start("defer", &[]).await else { return };
    let mut mailer = mailer(options(server.port));
    assert_eq!(fate_of(&mut mailer, "anna@example.com").await, Some(Fate::NotSent));
    std::fs::write(server.folder.path().join("mode"), "refuse:ben@example.com").unwrap();
    assert_eq!(fate_of(&mut mailer, "ben@example.com").await, Some(Fate::Refused));
    assert_eq!(fate_of(&mut mailer, "anna@example.com").await, None);
    assert_eq!(server.messages().len(), 1);
}

/// A refusal of the sender or of the message says nothing of the address, whatever step it comes at.
#[tokio::test]
async fn a_refusal_that_is_about_us_is_not_one_of_the_address() {
    for (mode, stops) in [("refuse-sender", true), ("relay-denied", false), ("refuse-message", false)] {
        let Some(server) = Server::start(mode, &[]).await else { return };
        let mut mailer = mailer(options(server.port));
        let error = mailer.send(&mail("anna@example.com")).await.unwrap_err();
        let told = (error.fate(), error.is_about_us(), error.is_about_the_server());
        assert_eq!(told, (Fate::NotSent, true, stops), "{mode}: {error:?}");
        assert_eq!(mailer.probe().await.is_err(), stops, "{mode}");
        server.switch("accept");
        assert_eq!(fate_of(&mut mailer, "anna@example.com").await, None, "{mode}");
    }
}

/// A server that takes so many mails over one connection ends it with 421: the next goes over another.
#[tokio::test]
async fn a_connection_that_is_used_up_is_replaced() {
    let Some(server) = Server::start("only:2", &[]).await else { return };
    let mut mailer = mailer(options(server.port));
    for n in 0..9 {
        assert_eq!(fate_of(&mut mailer, &format!("p{n}@example.com")).await, None, "{n}");
    }
    assert_eq!(server.messages().len(), 9);
}

/// It is asked whether a mail may leave once the server is ready for the message, and not before: connecting may take its time.
#[tokio::test]
async fn a_mail_that_may_not_leave_any_more_is_not_handed_over() {
    let Some(server) = Server::start("refuse:ben@example.com", &[]).await else { return };
    let mut mailer = mailer(options(server.port));
    let asked = std::cell::Cell::new(0);
    let answer = async |may_leave: Result<(), &'static str>| {
        asked.set(asked.get() + 1);
        may_leave
    };
    let (anna, ben) = (mail("anna@example.com"), mail("ben@example.com"));
    assert_eq!(mailer.send_if(&anna, || answer(Err("too late"))).await.unwrap_err(), "too late");
    assert_eq!((server.messages().len(), asked.get()), (0, 1));
    let refused = mailer.send_if(&ben, || answer(Err("too late"))).await.unwrap();
    assert_eq!((refused.unwrap_err().fate(), asked.get()), (Fate::Refused, 1));
    mailer.send_if(&anna, || answer(Ok(()))).await.unwrap().unwrap();
    assert_eq!((server.messages().len(), asked.get()), (1, 2));
}

#[tokio::test]
async fn a_file_goes_with_the_mail_and_answers_reach_whom_it_names() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let file = MailFile { name: "list.csv".to_owned(), kind: "text/csv; charset=utf-8", content: "a,ž\n".into() };
    let mara = Recipient { name: "Mara".to_owned(), address: "mara@example.com".to_owned() };
    let mail = Mail { files: vec![file], reply_to: Some(mara), ..mail("anna@example.com") };
    mailer(options(server.port)).send(&mail).await.unwrap();
    let bytes = server.messages().remove(0);
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("mara@example.com"));
    assert!(message.body_text(0).unwrap().starts_with("Guten Tag,") && message.body_html(0).is_some());
    let attached = message.attachment(0).unwrap();
    assert_eq!((attached.attachment_name(), attached.text_contents()), (Some("list.csv"), Some("a,ž\n")));
}

#[tokio::test]
async fn whether_a_server_that_dies_has_the_message_is_unknown() {
    for (mode, taken) in [("die", 0), ("die-after", 1)] {
        let Some(server) = Server::start(mode, &[]).await else { return };
        let mut mailer = mailer(options(server.port));
        assert_eq!(fate_of(&mut mailer, "anna@example.com").await, Some(Fate::Unknown), "{mode}");
        assert_eq!(server.messages().len(), taken, "{mode}");
        std::fs::write(server.folder.path().join("mode"), "accept").unwrap();
        assert_eq!(fate_of(&mut mailer, "anna@example.com").await, None, "{mode}");
    }
}

#[tokio::test]
async fn without_a_server_nothing_is_sent_and_the_others_need_not_be_tried() {
    let port = cli_test::ClosedPort::take();
    let error = mailer(options(port.number)).send(&mail("anna@example.com")).await.unwrap_err();
    assert_eq!((error.fate(), error.is_about_the_server()), (Fate::NotSent, true));
    let error = mailer(options(port.number)).send(&mail("no address")).await.unwrap_err();
    assert_eq!((error.fate(), error.is_about_the_server()), (Fate::Refused, false));
}

/// A certificate for `localhost` of an authority of our own: (authority, certificate, key).
pub(crate) fn certificate(folder: &Path) -> [String; 3] {
    let path = |name: &str| folder.join(name).display().to_string();
    let openssl = |arguments: &str| {
        let ended = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    };
    let extensions = "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n";
    std::fs::write(folder.join("leaf.ext"), extensions).unwrap();
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Test-CA -keyout ca.key -out ca.pem");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr");
    openssl("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.pem");
    [path("ca.pem"), path("leaf.pem"), path("leaf.key")]
}

#[tokio::test]
async fn starttls_and_tls_need_a_certificate_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, certificate, key] = certificate(folder.path());
    for (security, more) in
        [(SmtpSecurity::StartTls, vec![&*certificate, &*key]), (SmtpSecurity::Tls, vec![&*certificate, &*key, "tls"])]
    {
        let Some(server) = Server::start("accept", &more).await else { return };
        let trusting = SmtpOptions { security, ca_file: Some(ca.as_str().into()), ..options(server.port) };
        mailer(trusting).send(&mail("anna@example.com")).await.unwrap();
        let envelope = std::fs::read_to_string(server.folder.path().join("000.json")).unwrap();
        assert!(envelope.contains("\"tls\": true"), "{security:?}: {envelope}");
        let doubting = SmtpOptions { security, ..options(server.port) };
        assert_eq!(fate_of(&mut mailer(doubting), "anna@example.com").await, Some(Fate::NotSent), "{security:?}");
        assert_eq!(server.messages().len(), 1);
    }
}

/// Nothing goes out in plain where TLS was asked for.
#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let Some(server) = Server::start("accept", &[]).await else { return };
    let wanted = SmtpOptions { security: SmtpSecurity::StartTls, ..options(server.port) };
    let error = mailer(wanted).send(&mail("anna@example.com")).await.unwrap_err();
    let told = format!("{:?}", error);
    assert!(told.contains("NoStartTls"), "{told}");
    assert_eq!(server.messages().len(), 0);
}

#[tokio::test]
async fn signing_in_is_needed_and_a_wrong_password_is_said() {
    let Some(server) = Server::start("auth", &[]).await else { return };
    let with = |password: &str| SmtpOptions {
        credentials: Some(("docspace".to_owned(), password.to_owned())),
        ..options(server.port)
    };
    mailer(with("s3cret")).send(&mail("anna@example.com")).await.unwrap();
    mailer(with("s3cret")).probe().await.unwrap();
    let error = mailer(with("guess")).send(&mail("anna@example.com")).await.unwrap_err();
    assert_eq!((error.fate(), error.is_about_the_server()), (Fate::NotSent, true));
    assert!(format!("{error:?}").contains("SignIn"), "{error:?}");
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_silent_after_the_message_is_not_waited_for() {
    let Some(server) = Server::start("hang", &[]).await else { return };
    let has_the_message = || server.messages().len() == 1;
    let mut impatient = mailer(options(server.port));
    let (fate, ()) = tokio::join!(fate_of(&mut impatient, "anna@example.com"), jump_from(has_the_message));
    assert_eq!(fate, Some(Fate::Unknown));
}

#[tokio::test]
async fn a_server_that_is_silent_after_the_password_is_not_waited_for() {
    let Some(server) = Server::start("auth-hang", &[]).await else { return };
    let credentials = Some(("docspace".to_owned(), "guess".to_owned()));
    let has_the_password = || server.folder.path().join("password").exists();
    let mut impatient = mailer(SmtpOptions { credentials, ..options(server.port) });
    let (fate, ()) = tokio::join!(fate_of(&mut impatient, "anna@example.com"), jump_from(has_the_password));
    assert_eq!(fate, Some(Fate::NotSent));
}

/// A server that greets, takes or refuses the sender, and ends; gives the commands that it was told.
async fn server_that_answers_mail(answer: &str) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    server_that_answers("MAIL", answer.to_owned()).await
}

/// The same of another command; `.` is the end of a message.
async fn server_that_answers(command: &'static str, answer: String) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut told = Vec::new();
        write.write_all(b"220 mail.example.com\r\n").await.unwrap();
        let mut is_in_message = false;
        // who is offended may go without a word
        while let Ok(Some(line)) = lines.next_line().await {
            if is_in_message && line != "." {
                continue;
            }
            let word = line.split([' ', ':']).next().unwrap().to_uppercase();
            is_in_message = word == "DATA" && command != "DATA";
            let said = match word.as_str() {
                word if word == command => answer.as_str(),
                "DATA" => "354 go on",
                _ => "250 mail.example.com",
            };
            let is_heard = write.write_all(format!("{said}\r\n").as_bytes()).await.is_ok();
            let is_end = word == "QUIT" || !is_heard;
            told.push(word);
            if is_end {
                break;
            }
        }
        told
    });
    (port, told)
}

/// What a server says to a sender, a recipient, a message or its end is somebody else's text: it stays one short line.
#[tokio::test]
async fn nothing_that_a_server_says_to_a_mail_begins_another_line() {
    for command in ["MAIL", "RCPT", "DATA", "."] {
        for code in ["554", "451"] {
            for said in [
                format!("{code}-no\r\n{code} 2026-11-20T09:00:00Z ERROR forged"),
                format!("{code} no\n2026-11-20T09:00:00Z ERROR forged"),
                format!("{code} \u{1b}[2J\u{7}\u{0}\u{85}\u{2028}\u{202e}gone"),
                format!("{code} {}", "x".repeat(10_000)),
            ] {
                let (port, _told) = server_that_answers(command, said.clone()).await;
                let refused = mailer(options(port)).send(&mail("anna@example.com")).await.unwrap_err();
                let mut shown = refused.to_string();
                let mut next = std::error::Error::source(&refused);
                while let Some(cause) = next {
                    shown = format!("{shown}: {cause}");
                    next = cause.source();
                }
                let is_hostile = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
                assert!(!shown.contains(is_hostile) && shown.len() < 1_000, "{command} {said:.60?}: {shown:.300?}");
            }
        }
    }
}

/// Signing in is not enough: a server that does not take our sender would refuse every mail.
#[tokio::test]
async fn a_look_at_the_server_names_the_sender_and_sends_nothing() {
    for (answer, is_taken) in [("250 ok", true), ("550 5.7.1 not yours", false), ("451 later", false)] {
        let (port, told) = server_that_answers_mail(answer).await;
        let looked = mailer(options(port)).probe().await;
        assert_eq!(looked.is_ok(), is_taken, "{looked:?}");
        if let Err(error) = looked {
            assert!(error.to_string().contains("`mail.from`") && error.fate() == Fate::NotSent, "{error:?}");
        }
        assert_eq!(told.await.unwrap(), ["EHLO", "MAIL", "RSET", "QUIT"]);
    }
}
