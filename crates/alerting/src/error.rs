//! Why a channel did not take an alert, or the outbox could not be used.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;

use crate::channel::Fault;
use crate::mail::MailError;
use crate::templates::TemplateError;

/// Why a channel did not take an alert, or the outbox could not be used. Receivers are named by their origin only: the rest of the address is often a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or written; a part of the line may stand in it, on a line of its own.
    #[error("cannot append to alert file {}; check its folder, the rights of this user and the space on disk", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// No answer came. Unless no connection was made, the alert may have arrived.
    #[error("{kind} {origin} cannot be reached or did not answer; check its address, the network and the proxy")]
    Unreachable {
        kind: &'static str,
        origin: String,
        /// Without the address.
        #[source]
        source: reqwest::Error,
    },
    /// The receiver shows a certificate that cannot be trusted, so nothing was sent.
    #[error("the certificate of {kind} {origin} {fault}; {}", fault.remedy())]
    Certificate { kind: &'static str, origin: String, fault: outbound::CertificateFault },
    /// The receiver answered with something else than 2xx.
    #[error("{kind} {origin} answered {status}{}{}", said_or_class(*status, said.as_deref()), hint(*status))]
    Refused {
        kind: &'static str,
        origin: String,
        status: StatusCode,
        /// A word of the receiver's.
        said: Option<String>,
        /// The pause that the receiver asked for.
        retry_after: Option<Duration>,
    },
    /// The syslog receiver cannot be reached, or hung up; what it has read it may keep.
    #[error("{kind} {origin} cannot be reached or did not take the message; check its address and the firewall")]
    Stream {
        kind: &'static str,
        origin: String,
        #[source]
        source: std::io::Error,
    },
    /// A template in the settings cannot say this alert.
    #[error("a template of {kind} cannot say this alert; correct it in the settings")]
    Template {
        kind: &'static str,
        #[source]
        source: TemplateError,
    },
    /// An earlier alert of the same call could not reach the channel, or found it overloaded.
    #[error("not tried, because the channel did not accept an earlier alert; see that one for the cause")]
    NotTried,
    /// The channel lacks something, such as a secret.
    #[error("the channel cannot be used: {}", .0.in_words())]
    Missing(Fault),
    /// The mail server did not take it.
    #[error("the mail was not accepted")]
    Mail {
        #[source]
        source: MailError,
    },
    /// What waits is no alert, or one of a later version of this program.
    #[error("the alert that waits cannot be read; a later version of this program may have written it")]
    Unreadable {
        #[source]
        source: serde_json::Error,
    },
    /// What was told, or what waits, cannot be read or written.
    #[error("the memory of what was reported cannot be used")]
    Outbox(#[from] job_store::Error),
}

impl Error {
    /// Whether the next alert would meet the same after the same long wait.
    pub(crate) fn is_about_the_channel(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::Certificate { .. } | Error::Stream { .. } | Error::Missing(_) => true,
            Error::Refused { status, .. } => is_overload(*status),
            Error::Mail { source, .. } => source.is_about_the_server(),
            Error::File { .. }
            | Error::NotTried
            | Error::Outbox(_)
            | Error::Template { .. }
            | Error::Unreadable { .. } => false,
        }
    }

    /// Whether another run holds the lease of the store by now.
    pub(crate) fn is_taken_over(&self) -> bool {
        matches!(self, Error::Outbox(job_store::Error::LeaseLost { .. }))
    }
}

/// An error with its causes, in one line.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", in_full(cause)))
}

/// Answers that say that the request was not taken, and that a later one may be.
pub(crate) fn is_overload(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// `: invalid_auth` or ` instead of 2xx`
fn said_or_class(status: StatusCode, said: Option<&str>) -> String {
    match said.filter(|said| !said.is_empty()) {
        Some(said) => format!(": {said}"),
        None if status.is_success() => " but did not take it".to_owned(),
        None => " instead of 2xx".to_owned(),
    }
}

fn hint(status: StatusCode) -> &'static str {
    if status.is_redirection() {
        "; redirects are not followed, set the final address"
    } else if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        "; check its address, and the secret where it has one"
    } else if status == StatusCode::NOT_FOUND {
        "; check its address"
    } else {
        ""
    }
}
