//! The ways in which an alert can leave: one file below `channel/` for each kind, and what all of them share.

mod alertmanager;
mod call;
mod chat;
mod document;
mod email;
mod file;
mod format;
#[cfg(test)]
mod golden;
mod http;
mod kind;
mod matrix;
mod mattermost;
mod ntfy;
mod offer;
mod opsgenie;
mod pagerduty;
mod rocketchat;
mod route;
mod settings;
mod slack;
mod splunk;
mod standard_webhook;
mod syslog;
mod teams;
mod telegram;
mod templated;
mod webhook;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use outbound::{HttpOptions, RetryPolicy};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::message::Language;

pub use http::{Answer, AnswerMeans, HttpKind, Request};
pub use kind::{KINDS, Kind, SecretMember};
pub use offer::{Offer, Sent};
pub(crate) use route::About;
pub use route::{QuietHours, Route};
pub use settings::{ChannelSettings, Fault, Members, WayOut, credential_of, is_secret_header, variable_of};

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
    Email(Arc<email::Email>),
    File(PathBuf, format::Format),
    Http(Arc<http::Http>),
    Syslog(Arc<syslog::Syslog>),
    /// None: what is missing to make one, of which kind.
    Missing(&'static str, Fault),
}

impl Channel {
    /// A file of JSON lines, appended to. Its folder must exist.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Channel::new(format!("file {}", path.display()), Way::File(path, format::Format::Alert))
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

    /// The webhook of `alerts.webhook`, whose secret cannot be had.
    pub fn webhook_without(url: &Url, fault: Fault) -> Self {
        Channel::new(format!("webhook {}", http::origin(url)), Way::Missing("webhook", fault))
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

    /// The person groups that its settings name, by id or name.
    pub fn groups(&self) -> &[String] {
        &self.route.groups
    }

    /// The same, knowing who is in these groups; until it is known, a channel with groups gets alerts about whomever.
    #[must_use]
    pub fn with_members(mut self, members: BTreeSet<Uuid>) -> Self {
        self.route.members = Some(members);
        self
    }

    /// What a report calls the channel, and what tells it from the others: the name in the settings; for `alerts.file` the path, and
    /// for `alerts.webhook` the origin without its secret part.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `file`, `webhook`, …
    pub fn kind(&self) -> &'static str {
        match &self.way {
            Way::Email(_) => "email",
            Way::File(..) => "file",
            Way::Http(http) => http.kind(),
            Way::Syslog(_) => "syslog",
            Way::Missing(kind, _) => kind,
        }
    }

    /// What keeps the channel from sending anything until somebody corrects it, such as a secret that is missing: the member of its settings,
    /// and what is wrong with it. Alerts wait for such a channel as for one that does not answer. `None`: it can be tried.
    pub fn missing(&self) -> Option<&Fault> {
        match &self.way {
            Way::Missing(_, fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether its receiver keeps something open until it hears that it is over.
    pub(crate) fn keeps_open(&self) -> bool {
        KINDS.iter().find(|kind| kind.name == self.kind()).is_none_or(|kind| kind.keeps_open)
    }

    /// Where it leads, as far as that may be shown: the path of a file, or where it connects to.
    pub fn target(&self) -> Target<'_> {
        match &self.way {
            Way::Email(_) => Target::MailServer,
            Way::File(path, _) => Target::File(path),
            Way::Http(http) => Target::Address(http.address()),
            Way::Syslog(syslog) => Target::Syslog(syslog.address()),
            Way::Missing(..) => Target::Nowhere,
        }
    }

    /// Whether the receiver knows the secret of the channel, without sending anything that anybody sees; `None` where only sending tells.
    pub async fn probe(&self) -> Option<Result<(), Error>> {
        match &self.way {
            Way::Http(http) => http.probe().await,
            Way::Email(_) | Way::File(..) | Way::Syslog(_) | Way::Missing(..) => None,
        }
    }

    pub(crate) async fn send(&self, offer: &Offer<'_>) -> Result<Sent, Error> {
        match &self.way {
            Way::Email(email) => email.send(offer).await,
            Way::File(path, format) => file::append(path, &format.line(offer)).map(|()| Sent::default()),
            Way::Http(http) => http.send(offer).await,
            Way::Syslog(syslog) => syslog.send(offer).await,
            Way::Missing(_, fault) => Err(Error::Missing(fault.clone())),
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
    /// `udp://`, `tcp://`, `tls://` or `unix://`.
    Syslog(&'a Url),
    /// Something is [missing](Channel::missing).
    Nowhere,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.name)
    }
}
