//! The mail server beside the portal, in scenarios that have one: as much of SMTP as it takes to take a mail, or to refuse whoever sends it.

use std::io;

use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// What the mail server does with what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailServer {
    /// It takes every mail.
    TakesAll,
    /// It knows no sender that may send: 550 to every MAIL FROM.
    RefusesSender,
}

impl MailServer {
    /// As the program says it of the server.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            MailServer::TakesAll => "takes every mail",
            MailServer::RefusesSender => "refuses every sender",
        }
    }
}

/// Serves until it is dropped. `manner` is asked at every mail, `take` gets each message that was taken.
pub(crate) async fn serve(
    listener: TcpListener,
    manner: impl Fn() -> MailServer + Clone + Send + Sync + 'static,
    take: impl Fn(Vec<u8>) + Clone + Send + Sync + 'static,
) {
    // dropped with the task, and their connections with them
    let mut talks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        talks.spawn(talk(stream, manner.clone(), take.clone()));
        while talks.try_join_next().is_some() {}
    }
}

/// One connection, until the client says that it is done or goes away.
async fn talk(stream: TcpStream, manner: impl Fn() -> MailServer, take: impl Fn(Vec<u8>)) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    writer.write_all(b"220 mail.example.com ESMTP\r\n").await?;
    while let Some(line) = line(&mut reader).await? {
        let verb = String::from_utf8_lossy(&line).chars().take(4).collect::<String>().to_ascii_uppercase();
        let answer = match (verb.as_str(), manner()) {
            ("EHLO", _) => "250-mail.example.com\r\n250 8BITMIME",
            ("MAIL", MailServer::RefusesSender) => "550 5.7.1 this sender may not send here",
            ("HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP", _) => "250 OK",
            ("DATA", _) => {
                writer.write_all(b"354 go ahead\r\n").await?;
                take(message(&mut reader).await?);
                "250 taken"
            }
            ("QUIT", _) => "221 bye",
            _ => "502 not known",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}

/// What stands between DATA and the line that is a dot.
async fn message(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    while let Some(line) = line(reader).await? {
        match line.strip_prefix(b".") {
            Some(b"\r\n") => return Ok(message),
            Some(rest) => message.extend(rest),
            None => message.extend(line),
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// The next line with its end; `None` when the client is gone.
async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    Ok((!line.is_empty()).then_some(line))
}
