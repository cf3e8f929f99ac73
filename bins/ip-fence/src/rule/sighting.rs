//! Somebody seen from an address: a row of the login history or of the audit trail, as the rules need it.

use audit_model::{ActionId, Address, AuditEvent, Evidence, LoginEvent, PortalText};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// For a row without an address.
const NO_ADDRESS: &str = "no address";

/// An address as [`Sighting::shown_ip`] gives it, as it stands behind `von`.
pub(crate) fn in_german(shown: &str) -> &str {
    if shown == NO_ADDRESS { "unbekannter Adresse" } else { shown }
}

/// Every wrong password, that of the web form included.
const WRONG_PASSWORD: ActionId = ActionId(1013);

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    Logins,
    Audit,
}

/// One row. In the report it is the `raw` of the published events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sighting {
    pub(crate) source: Source,
    /// Unique within its source only.
    pub(crate) id: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) user: Uuid,
    pub(crate) user_name: PortalText,
    /// What was typed; of logins only, and of few that succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login: Option<PortalText>,
    pub(crate) action: ActionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<PortalText>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ip_was_set: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) browser: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<PortalText>,
    #[serde(skip)]
    pub(crate) targets: Vec<String>,
}

impl Sighting {
    pub(crate) fn address(&self) -> Address {
        Address::of(self.ip.as_ref())
    }

    /// Whether person and address belong together. Those of what the editor saves need not.
    pub(crate) fn is_of_its_person(&self) -> bool {
        !self.action.is_saved_by_editor()
    }

    /// The address as it was noted, for people.
    pub(crate) fn shown_ip(&self) -> String {
        self.ip.as_ref().map_or_else(|| NO_ADDRESS.to_owned(), PortalText::for_terminal)
    }

    /// What the portal makes of it, with a blank before it: ` (France, Paris; Chrome 131, Windows 10)`; empty where that is nothing.
    pub(crate) fn circumstances(&self) -> String {
        let said = |texts: [&Option<PortalText>; 2]| {
            let texts = texts.into_iter().flatten().filter(|text| !text.raw().is_empty());
            texts.map(PortalText::for_terminal).collect::<Vec<_>>().join(", ")
        };
        let about = [said([&self.country, &self.city]), said([&self.browser, &self.platform])];
        let about: Vec<String> = about.into_iter().filter(|text| !text.is_empty()).collect();
        if about.is_empty() { String::new() } else { format!(" ({})", about.join("; ")) }
    }

    /// Whether somebody typed a wrong password, which the portal words as a failure of its interface.
    pub(crate) fn is_wrong_password(&self) -> bool {
        self.action == WRONG_PASSWORD
    }

    pub(crate) fn evidence(&self) -> Evidence {
        Evidence {
            event: self.id,
            at: self.at,
            action: self.action,
            // of a failed login, what was typed
            target: self.targets.first().cloned().or_else(|| self.login.as_ref().map(|login| login.raw().to_owned())),
            title: if self.is_wrong_password() { Some("wrong password".into()) } else { self.text.clone() },
            ip: self.ip.clone(),
        }
    }

    /// By time; of one moment the logins first, then by id.
    pub(crate) fn order(&self) -> (DateTime<Utc>, Source, i64) {
        (self.at, self.source, self.id)
    }
}

impl From<LoginEvent> for Sighting {
    fn from(login: LoginEvent) -> Self {
        Sighting {
            source: Source::Logins,
            id: login.id,
            at: login.at,
            user: login.user,
            user_name: login.user_name,
            login: login.login,
            action: login.action,
            text: login.text,
            ip: login.ip,
            ip_was_set: login.ip_was_set,
            country: login.country,
            city: login.city,
            browser: login.browser,
            platform: login.platform,
            targets: Vec::new(),
        }
    }
}

impl From<AuditEvent> for Sighting {
    fn from(event: AuditEvent) -> Self {
        Sighting {
            source: Source::Audit,
            id: event.id,
            at: event.at,
            user: event.actor,
            user_name: event.actor_name,
            login: None,
            action: event.action,
            text: event.text,
            ip: event.ip,
            ip_was_set: false,
            country: None,
            city: None,
            browser: None,
            platform: None,
            targets: event.target,
        }
    }
}
