//! A way through a proxy without a request to the server behind it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

/// A proxy that says more before it opens the way is none.
const LONGEST_ANSWER: usize = 16 * 1024;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
    if !proxy.username().is_empty() {
        let mut secret = decoded(proxy.username());
        secret.push(b':');
        secret.extend(decoded(proxy.password().unwrap_or_default()));
        asked += &format!("Proxy-Authorization: Basic {}\r\n", base64(&secret));
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

/// Without percent signs.
fn decoded(text: &str) -> Vec<u8> {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= group.len() { char::from(BASE64[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_sent_as_they_are_meant() {
        assert_eq!([base64(b""), base64(b"a"), base64(b"ab"), base64(b"abc")], ["", "YQ==", "YWI=", "YWJj"]);
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(decoded("p%40ss%3Aw%c3%b6rd%"), "p@ss:wörd%".as_bytes());
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 Proxy Authentication Required\r\nA: b\r\n\r\n"), Some(407));
        assert_eq!(status(b"220 mail.example.com ESMTP\r\n\r\n"), None);
    }
}
