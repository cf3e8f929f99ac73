//! What the portal says about itself: plan, settings, version, how long it keeps events.

use audit_model::PortalText;
use chrono_tz::Tz;
use tracing::warn;
use uuid::Uuid;

use crate::client::Question;
use crate::wire::{BuildDto, LifetimesDto, QuotaDto, SettingsDto};
use crate::{Client, Error};

/// What the portal's plan includes, as far as reading depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Without it the portal ignores filters on audit trail and login history.
    pub audit: bool,
    /// Not paid for, and not self-hosted under a licence.
    pub free: bool,
    /// Whether rooms and people tell how much space they use.
    pub statistics: bool,
    /// The largest file that the plan allows; `None` when it names no size.
    pub max_file_bytes: Option<u64>,
}

/// Whether the portal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortalState {
    Active,
    Suspended,
    RemovalPending,
    /// On its way to another region, being restored, migrated or encrypted.
    Busy,
    /// A number that we do not know.
    Other(i32),
}

/// The portal's settings. A stranger learns neither zone nor owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSettings {
    /// As the server's configuration says; a hint.
    pub version: Option<String>,
    /// Absent for strangers, and for a zone that we do not know.
    pub time_zone: Option<Tz>,
    /// What the portal calls its zone, where that is none that we know.
    pub unknown_time_zone: Option<PortalText>,
    /// Absent for strangers.
    pub owner: Option<Uuid>,
    /// Self-hosted. Proves nothing about the plan.
    pub is_standalone: bool,
    pub state: Option<PortalState>,
}

impl PortalSettings {
    /// Logs that nobody knows when the portal's clock changes: for whoever asks for the settings first.
    pub(crate) fn warn_of_unknown_zone(&self) {
        if let Some(name) = &self.unknown_time_zone {
            warn!(
                "the portal's time zone {:?} is not known: where clocks were set back, events can be dated up to an hour late. \
                 Choose another time zone in the portal's settings, such as Europe/Berlin",
                name.raw()
            );
        }
    }
}

/// Versions as the server's configuration says; hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    pub docspace: Option<String>,
    /// Absent when none is connected.
    pub document_server: Option<String>,
}

/// How many days the portal keeps what happened, 1 to 180.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Server 3.7 deletes no audit events: this only narrows its own reports.
    pub audit_days: u32,
    /// Older logins are deleted once a day.
    pub login_days: u32,
}

impl Client {
    /// The portal's plan.
    ///
    /// # Errors
    /// `MissingRight` when the key's owner is no admin. Servers up to 3.6 answer everybody but guests, so an answer proves no
    /// right.
    pub async fn quota(&self) -> Result<Quota, Error> {
        let dto: QuotaDto = self.get(Question::new("the portal's plan", "portal/quota", "*:read")).await?.response;
        let max_file_bytes = dto.max_file_size.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
        Ok(Quota { audit: dto.audit, free: dto.free, statistics: dto.statistic, max_file_bytes })
    }

    /// The settings as the key's owner sees them.
    pub async fn settings(&self) -> Result<PortalSettings, Error> {
        self.settings_by(Question::new("the portal's settings", "settings", "*:read")).await
    }

    /// The settings as everybody sees them, asked without the key: for keys that may not read settings, and to tell a suspended
    /// portal from none.
    pub async fn public_settings(&self) -> Result<PortalSettings, Error> {
        self.settings_by(Question::anonymous("the portal's public settings", "settings")).await
    }

    async fn settings_by(&self, question: Question<'_>) -> Result<PortalSettings, Error> {
        let dto: SettingsDto = self.get(question).await?.response;
        let owner = dto.owner_id.filter(|owner| !owner.is_nil());
        let named = dto.timezone.unwrap_or_default();
        let time_zone = named.parse().ok();
        // whoever is not signed in is told neither owner nor zone
        let is_unknown = time_zone.is_none() && (owner.is_some() || !named.is_empty());
        let unknown_time_zone = is_unknown.then(|| PortalText::new(named));
        Ok(PortalSettings {
            version: dto.version,
            time_zone,
            unknown_time_zone,
            owner,
            is_standalone: dto.standalone,
            state: dto.tenant_status.map(PortalState::from),
        })
    }

    /// The versions of the portal and its document server, asked without the key.
    pub async fn server_version(&self) -> Result<ServerVersion, Error> {
        let dto: BuildDto =
            self.get(Question::anonymous("the portal's version", "settings/version/build")).await?.response;
        Ok(ServerVersion { docspace: dto.doc_space, document_server: dto.document_server })
    }

    /// How long the portal keeps events and logins.
    ///
    /// # Errors
    /// `MissingRight` when the key's owner is no admin, `PlanLacks` when the hoster hides the history.
    pub async fn lifetimes(&self) -> Result<Lifetimes, Error> {
        let question = Question::new("how long the portal keeps events", "security/audit/settings/lifetime", "*:read");
        let dto: LifetimesDto = self.get(question).await?.response;
        Ok(Lifetimes { audit_days: dto.audit_trail_life_time, login_days: dto.login_history_life_time })
    }
}

impl From<i32> for PortalState {
    fn from(number: i32) -> Self {
        match number {
            0 => PortalState::Active,
            1 => PortalState::Suspended,
            2 => PortalState::RemovalPending,
            3..=6 => PortalState::Busy,
            other => PortalState::Other(other),
        }
    }
}
