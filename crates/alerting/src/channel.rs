//! The ways in which an alert can leave: one file below `channel/` for each kind, and what all of them share.

mod chat;
mod email;
mod file;
mod http;
mod kind;
mod matrix;
mod mattermost;
mod ntfy;
mod offer;
mod rocketchat;
mod route;
mod settings;
mod slack;
mod standard_webhook;
mod teams;
mod telegram;
mod webhook;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use outbound::{HttpOptions, RetryPolicy};
use secrecy::SecretString;
use url::Url;

use crate::error::Error;
use crate::message::Language;

pub use http::{Answer, AnswerMeans, HttpKind, Request};
pub use kind::{KINDS, Kind, SecretMember};
pub use offer::{Offer, Sent};
pub(crate) use route::About;
pub use route::{QuietHours, Route};
pub use settings::{ChannelSettings, Fault, Members, WayOut, credential_of, variable_of};

/// A way in which alerts leave the program.
#[derive(Clone)]
pub struct Channel {
    name: String,
    way: Way,
    pub(crate) route: Route,
    pub(crate) language: Language,
}

/// How it leaves. What speaks HTTP is one of them, whatever it says.
#[derive(Clone)]
enum Way {
    File(PathBuf),
    Http(Arc<http::Http>),
    Email(Arc<email::Email>),
}

impl Channel {
    /// A file of JSON lines, appended to. Its folder must exist.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Channel::new(format!("file {}", path.display()), Way::File(path))
    }

    /// An address that takes one alert per POST. `secret` signs each of them, as Standard Webhooks does.
    ///
    /// # Errors
    /// The secret has another form than `whsec_…`, or the proxy or CA file cannot be used.
    pub fn webhook(url: Url, secret: Option<SecretString>, options: &HttpOptions) -> Result<Self, Fault> {
        let name = format!("webhook {}", http::origin(&url));
        let webhook = webhook::Webhook::new(url, secret);
        Ok(Channel::new(name, Way::http("webhook", webhook, &WayOut::new(options, true))?))
    }

    fn new(name: String, way: Way) -> Self {
        Channel { name, way, route: Route::default(), language: Language::default() }
    }

    /// The same with other pauses between tries.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        if let Way::Http(http) = &self.way {
            self.way = Way::Http(Arc::new(http.with_retry(retry)));
        }
        self
    }

    /// The same for a part of the alerts only.
    #[must_use]
    pub fn with_route(self, route: Route) -> Self {
        Channel { route, ..self }
    }

    /// What a report calls the channel, and what tells it from the others: the name in the settings; for `alerts.file` the path, and
    /// for `alerts.webhook` the origin without its secret part.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `file`, `webhook`, …
    pub fn kind(&self) -> &'static str {
        match &self.way {
            Way::File(_) => "file",
            Way::Http(http) => http.kind(),
            Way::Email(_) => "email",
        }
    }

    /// Where it leads, as far as that may be shown: the path of a file, or where it connects to.
    pub fn target(&self) -> Target<'_> {
        match &self.way {
            Way::File(path) => Target::File(path),
            Way::Http(http) => Target::Address(http.address()),
            Way::Email(_) => Target::MailServer,
        }
    }

    pub(crate) async fn send(&self, offer: &Offer<'_>) -> Result<Sent, Error> {
        match &self.way {
            Way::File(path) => file::append(path, offer.json).map(|()| Sent::default()),
            Way::Http(http) => http.send(offer).await,
            Way::Email(email) => email.send(offer).await,
        }
    }
}

/// Where a channel leads.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    File(&'a std::path::Path),
    /// Only its origin may be shown.
    Address(&'a Url),
    MailServer,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.name)
    }
}
