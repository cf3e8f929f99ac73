#![doc = include_str!("../README.md")]

mod http;
mod retry;
mod smtp;

pub use http::{Error, HttpOptions, http_client};
pub use retry::{Repeat, RetryPolicy, parse_retry_after, with_retries};
pub use smtp::{SMTP_PATIENCE, SmtpError, SmtpOptions, SmtpSecurity, smtp_connect};
