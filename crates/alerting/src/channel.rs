//! The ways in which an alert can leave.

use std::fmt;
use std::path::PathBuf;

use outbound::{HttpOptions, RetryPolicy, http_client};
use url::Url;

use crate::error::Error;
use crate::{file, webhook};

/// A way in which alerts leave the program.
#[derive(Clone)]
pub enum Channel {
    /// A file of JSON lines, appended to. Its folder must exist.
    File { path: PathBuf },
    /// An address that takes one alert per POST.
    Webhook {
        /// `https`, or `http` where the caller allows it. Often holds a secret, so it is never shown in full.
        url: Url,
        /// Made by [`outbound::http_client`], which does not follow redirects.
        http: reqwest::Client,
        /// Pauses between tries.
        retry: RetryPolicy,
    },
}

impl Channel {
    /// A webhook with a client of its own and the usual pauses between tries.
    ///
    /// # Errors
    ///
    /// Those of [`outbound::http_client`]: a proxy or CA file that cannot be used.
    pub fn webhook(url: Url, options: &HttpOptions) -> Result<Self, outbound::Error> {
        let http = http_client(options, &url)?;
        Ok(Channel::Webhook { url, http, retry: RetryPolicy::default() })
    }

    /// What a report calls the channel: the path of the file, or the origin of the webhook without its secret part.
    pub fn name(&self) -> String {
        match self {
            Channel::File { path } => format!("file {}", path.display()),
            Channel::Webhook { url, .. } => format!("webhook {}", webhook::origin(url)),
        }
    }

    pub(crate) async fn send(&self, json: &str) -> Result<(), Error> {
        match self {
            Channel::File { path } => file::append(path, json),
            Channel::Webhook { url, http, retry } => webhook::post(url, http, *retry, json).await,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.name())
    }
}
