//! Why a channel did not take an alert, or the outbox could not be used.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;

/// Why a channel did not take an alert, or the outbox could not be used. Webhooks are named by their origin only: the rest of the address is often a secret.
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
    #[error("webhook {origin} cannot be reached or did not answer; check its address, the network and the proxy")]
    Unreachable {
        origin: String,
        /// Without the address.
        #[source]
        source: reqwest::Error,
    },
    /// The receiver shows a certificate that cannot be trusted, so nothing was sent.
    #[error("the certificate of webhook {origin} {fault}; {}", fault.remedy())]
    Certificate { origin: String, fault: outbound::CertificateFault },
    /// The receiver answered with something else than 2xx.
    #[error("webhook {origin} answered {status} instead of 2xx{}", hint(*status))]
    Refused {
        origin: String,
        status: StatusCode,
        /// The pause that the receiver asked for.
        retry_after: Option<Duration>,
    },
    /// An earlier alert of the same call could not reach the channel, or found it overloaded.
    #[error("not tried, because the channel did not accept an earlier alert; see that one for the cause")]
    NotTried,
    /// What was told, or what waits, cannot be read or written.
    #[error("the memory of what was reported cannot be used")]
    Outbox(#[from] job_store::Error),
}

impl Error {
    /// Whether the next alert would meet the same after the same long wait.
    pub(crate) fn is_about_the_channel(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::Certificate { .. } => true,
            Error::Refused { status, .. } => is_overload(*status),
            Error::File { .. } | Error::NotTried | Error::Outbox(_) => false,
        }
    }

    /// Whether another run holds the lease of the store by now.
    pub(crate) fn is_taken_over(&self) -> bool {
        matches!(self, Error::Outbox(job_store::Error::LeaseLost { .. }))
    }
}

/// Answers that say that the request was not taken, and that a later one may be.
pub(crate) fn is_overload(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn hint(status: StatusCode) -> &'static str {
    if status.is_redirection() {
        "; redirects are not followed, set the final address"
    } else if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
        "; check its address"
    } else {
        ""
    }
}
