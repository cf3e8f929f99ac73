//! A way through a proxy without a request to the server behind it.

use std::io;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

/// A proxy that says more before it opens the way is none.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Why a proxy opened no way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    #[error("it answered {0}")]
    Refused(u16),
    #[error("its answer is none of a proxy")]
    NoProxy,
    #[error(transparent)]
    Broken(#[from] io::Error),
}

/// Asks a proxy for a way to the host of `target`, with the name and the password that stand in the proxy's address. Waits for it without
/// limit.
///
/// # Errors
/// [`TunnelError`]. Nothing was sent to the target.
pub async fn tunnel(mut stream: TcpStream, proxy: &Url, target: &Url) -> Result<TcpStream, TunnelError> {
    let host = target.host().unwrap_or(Host::Domain(""));
    let port = target.port_or_known_default().unwrap_or(443);
    let mut asked = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(credentials) = credentials(proxy) {
        asked += &format!("Proxy-Authorization: Basic {credentials}\r\n");
    }
    stream.write_all(format!("{asked}\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    // byte by byte, so that nothing of what the server says is lost
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST_ANSWER {
            return Err(TunnelError::NoProxy);
        }
        answer.push(stream.read_u8().await?);
    }
    match status(&answer) {
        Some(200..=299) => Ok(stream),
        Some(status) => Err(TunnelError::Refused(status)),
        None => Err(TunnelError::NoProxy),
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let first = std::str::from_utf8(answer.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = first.split(' ');
    words.next().filter(|word| word.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// The name and the password of a proxy's address, as its header takes them.
fn credentials(proxy: &Url) -> Option<String> {
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let (name, password) = (proxy.username(), proxy.password().unwrap_or_default());
    (!name.is_empty()).then(|| BASE64_STANDARD.encode([decoded(name), decoded(password)].join(&b':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_sent_as_they_are_meant() {
        let of = |proxy: &str| credentials(&proxy.parse().unwrap());
        assert_eq!(of("http://Aladdin:open%20sesame@proxy:3128").unwrap(), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        // a%:p@ss:wörd%
        assert_eq!(of("http://a%25:p%40ss%3Aw%c3%b6rd%@proxy").unwrap(), "YSU6cEBzczp3w7ZyZCU=");
        assert_eq!([of("http://a@proxy"), of("http://proxy")], [Some("YTo=".to_owned()), None]);
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 Proxy Authentication Required\r\nA: b\r\n\r\n"), Some(407));
        assert_eq!(status(b"220 mail.example.com ESMTP\r\n\r\n"), None);
    }
}
