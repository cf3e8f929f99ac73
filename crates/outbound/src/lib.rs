#![doc = include_str!("../README.md")]

mod certificate;
mod handshake;
mod http;
mod retry;
mod smtp;
mod tunnel;

pub use certificate::{CertificateFault, certificate_fault, certificate_words, is_no_tls};
pub use handshake::{HandshakeError, tls_connect, tls_handshake};
pub use http::{Error, HttpOptions, http_client, is_loopback, is_no_http, tls_config};
pub use retry::{Repeat, RetryPolicy, parse_retry_after, with_retries};
pub use smtp::{SMTP_PATIENCE, ServerSaid, SmtpError, SmtpOptions, SmtpSecurity, smtp_connect};
pub use tunnel::{TunnelError, tunnel};
