//! The kinds of channels: a line each.

use serde::de::DeserializeOwned;

use super::alertmanager::Alertmanager;
use super::call::Call;
use super::http::HttpKind;
use super::matrix::Matrix;
use super::mattermost::Mattermost;
use super::ntfy::Ntfy;
use super::opsgenie::Opsgenie;
use super::pagerduty::PagerDuty;
use super::rocketchat::RocketChat;
use super::settings::{Fault, Members, WayOut, read};
use super::slack::Slack;
use super::splunk::Splunk;
use super::teams::Teams;
use super::telegram::Telegram;
use super::webhook::Webhook;
use super::{Way, email, file, syslog};

/// Every kind that `kind = "…"` can name, by name.
pub const KINDS: &[Kind] = &[
    Kind::http::<Alertmanager>(
        "alertmanager",
        &[SecretMember::address("url"), SecretMember::optional("authorization")],
    ),
    email::KIND,
    file::KIND,
    Kind::http::<Call>("http", &[SecretMember::address("url"), SecretMember::optional("secret")]),
    Kind::http::<Matrix>("matrix", &[SecretMember::required("token")]).for_people(),
    Kind::http::<Mattermost>("mattermost", &[SecretMember::address("url")]).for_people(),
    Kind::http::<Ntfy>("ntfy", &[SecretMember::address("url"), SecretMember::optional("token")]).for_people(),
    Kind::http::<Opsgenie>("opsgenie", &[SecretMember::required("key")]),
    Kind::http::<PagerDuty>("pagerduty", &[SecretMember::required("routing_key")]),
    Kind::http::<RocketChat>("rocketchat", &[SecretMember::address("url")]).for_people(),
    Kind::http::<Slack>("slack", &[SecretMember::optional_address("url"), SecretMember::optional("token")])
        .for_people(),
    Kind::http::<Splunk>("splunk", &[SecretMember::address("url"), SecretMember::required("token")]),
    syslog::KIND,
    Kind::http::<Teams>("teams", &[SecretMember::address("url")]).for_people(),
    Kind::http::<Telegram>("telegram", &[SecretMember::required("token")]).for_people(),
    Kind::http::<Webhook>("webhook", &[SecretMember::address("url"), SecretMember::optional("secret")]),
];

/// One kind of channel.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    /// Members that are secrets.
    pub secrets: &'static [SecretMember],
    /// Whether its receiver keeps something open until it hears that it is over: an incident, a ticket, or a state that it counts by.
    pub(super) keeps_open: bool,
    pub(super) check: fn(Members) -> Result<(), Fault>,
    pub(super) build: fn(Members, &'static str, &WayOut<'_>) -> Result<Way, Fault>,
}

impl Kind {
    /// A kind that speaks HTTP: `S` are its own settings, which `#[serde(deny_unknown_fields)]` keeps strict, secrets as `SecretString`.
    pub(super) const fn http<S: HttpKind + DeserializeOwned + 'static>(
        name: &'static str,
        secrets: &'static [SecretMember],
    ) -> Kind {
        Kind {
            name,
            secrets,
            keeps_open: true,
            check: |members| read::<S>(members)?.check(),
            build: |members, kind, out| Way::http(kind, out.permitted(read::<S>(members)?)?, out),
        }
    }

    /// It carries messages to people, who have read them and keep nothing open.
    pub(super) const fn for_people(self) -> Kind {
        Kind { keeps_open: false, ..self }
    }
}

/// A member that is a secret. It is found in the variable `ALERT_NAME_MEMBER`, the credential `alert-NAME-MEMBER`, or the file that
/// `MEMBER_file` names.
#[derive(Clone, Copy, Debug)]
pub struct SecretMember {
    pub name: &'static str,
    pub is_required: bool,
    /// Whether it may stand in the settings as well.
    pub may_be_inline: bool,
}

impl SecretMember {
    /// An address that is a secret as a whole.
    pub const fn address(name: &'static str) -> Self {
        SecretMember { name, is_required: true, may_be_inline: true }
    }

    /// An address that may be missing.
    pub const fn optional_address(name: &'static str) -> Self {
        SecretMember { name, is_required: false, may_be_inline: true }
    }

    /// A token, key or password.
    pub const fn required(name: &'static str) -> Self {
        SecretMember { name, is_required: true, may_be_inline: false }
    }

    /// One that may be missing.
    pub const fn optional(name: &'static str) -> Self {
        SecretMember { name, is_required: false, may_be_inline: false }
    }
}
