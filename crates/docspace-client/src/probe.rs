//! Who we are on which portal, and whether its answers can be trusted.

use audit_model::{Person, PersonStatus, PortalText};
use chrono_tz::Tz;
use futures::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::client::Question;
use crate::wire::{PersonDto, QuotaDto, SettingsDto};
use crate::{Client, Error, ErrorKind};

/// A user id that no account has: the honest answer to a question about it is an empty list.
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// The account that a key acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub person: Person,
    /// DocSpace admin or owner: only they can read the audit trail.
    pub is_admin: bool,
}

/// What a run must know of a portal before it believes anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portal {
    pub me: Identity,
    /// As the server's configuration says; a hint.
    pub version: Option<String>,
    /// UTC when the portal names no zone that we know.
    pub time_zone: Tz,
    /// Whether the audit trail can be asked questions. When false, every answer is the newest 20 rows, whatever was asked.
    pub audit_filter_works: bool,
}

impl Client {
    /// Asks the portal about itself: identity, quota, settings, and one audit question whose honest answer is empty.
    ///
    /// # Errors
    /// Of the first of the four that failed; without any one of them nothing the portal says can be trusted.
    pub async fn probe(&self) -> Result<Portal, Error> {
        let (me, quota, settings, canary_is_empty) =
            try_join!(self.identity(), self.quota(), self.settings(), self.canary_is_empty())?;
        let zone: Option<Tz> = settings.timezone.as_deref().and_then(|name| name.parse().ok());
        zone.into_iter().for_each(|zone| self.note_time_zone(zone));
        Ok(Portal {
            me,
            version: settings.version,
            time_zone: zone.unwrap_or(Tz::UTC),
            audit_filter_works: quota.audit && canary_is_empty,
        })
    }

    /// Asks only what every run has to ask: the audit question whose honest answer is empty. The rest is as an earlier probe knew it.
    ///
    /// # Errors
    /// Of that question.
    pub async fn probe_again(&self, known: Portal) -> Result<Portal, Error> {
        self.note_time_zone(known.time_zone);
        let audit_filter_works = known.audit_filter_works && self.canary_is_empty().await?;
        Ok(Portal { audit_filter_works, ..known })
    }

    async fn identity(&self) -> Result<Identity, Error> {
        let question = Question {
            asked: "the key's own account",
            path: "people/@self",
            query: &[],
            needs: "accounts.self:read or *:read",
        };
        let dto: PersonDto = self.get(question).await?.response;
        Ok(Identity { is_admin: dto.is_admin || dto.is_owner, person: person(dto) })
    }

    async fn quota(&self) -> Result<QuotaDto, Error> {
        let question = Question { asked: "the portal's plan", path: "portal/quota", query: &[], needs: "*:read" };
        Ok(self.get(question).await?.response)
    }

    async fn settings(&self) -> Result<SettingsDto, Error> {
        let question = Question { asked: "the portal's settings", path: "settings", query: &[], needs: "*:read" };
        Ok(self.get(question).await?.response)
    }

    /// A portal that ignores filters answers this with rows.
    pub(crate) async fn canary_is_empty(&self) -> Result<bool, Error> {
        let question = Question {
            asked: "the audit trail",
            path: "security/audit/events/filter",
            query: &[("userId", NOBODY), ("count", "1"), ("fields", "id,errors")],
            needs: "*:read",
        };
        Ok(self.get::<Vec<Value>>(question).await?.response.is_empty())
    }

    /// A person of the portal, or `None` when there is no such account any more.
    pub async fn person(&self, id: Uuid) -> Result<Option<Person>, Error> {
        let path = format!("people/{id}");
        let question =
            Question { asked: "a person's account", path: &path, query: &[], needs: "accounts:read or *:read" };
        match self.get::<PersonDto>(question).await {
            // a removed account is answered with the placeholder for removed accounts, which is nobody
            Ok(answer) if answer.response.id == id => Ok(Some(person(answer.response))),
            Ok(_) => Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn person(dto: PersonDto) -> Person {
    let names = [dto.first_name.trim(), dto.last_name.trim()];
    let full = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    let name = if full.is_empty() { dto.display_name } else { full };
    let status = dto.status.and_then(|status| match status {
        1 => Some(PersonStatus::Active),
        2 => Some(PersonStatus::Disabled),
        4 => Some(PersonStatus::Pending),
        _ => None,
    });
    Person { id: dto.id, name: PortalText::new(name), email: dto.email, status }
}
