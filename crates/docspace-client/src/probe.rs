//! Who we are on which portal, and whether its answers can be trusted.

use audit_model::{Person, PortalRole, PortalText};
use chrono_tz::Tz;
use futures::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Question;
use crate::wire::PersonDto;
use crate::{Account, Client, Error, ErrorKind, PortalSettings};

/// A user id that no account has: the honest answer to a question about it is an empty list.
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// The account that a key acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub person: Person,
    /// DocSpace admin or owner: only they can read the audit trail.
    pub is_admin: bool,
    /// The portal's owner, whom address lists do not stop and admins cannot disable.
    #[serde(default)]
    pub is_owner: bool,
}

/// What the audit question asks for, in an error.
pub const AUDIT_TRAIL: &str = "the audit trail";

/// What a run must know of a portal before it believes anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portal {
    pub me: Identity,
    /// As the server's configuration says; a hint.
    pub version: Option<String>,
    /// UTC when the portal names no zone that we know.
    pub time_zone: Tz,
    /// What the portal calls its zone, where that is none that we know; empty where it names none. Then rows can be dated late where clocks
    /// were set back. What lacks this member, as earlier versions kept it, is no portal: its UTC may stand for any zone.
    #[serde(deserialize_with = "Option::deserialize")]
    pub unknown_time_zone: Option<PortalText>,
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
        Ok(self.portal_of(me, settings, quota.audit && canary_is_empty))
    }

    /// After a [`probe`](Self::probe) that failed: the same without the audit question, for programs that can conclude something without
    /// the audit trail. Whether its filter works is then as the portal's quota says.
    ///
    /// # Errors
    /// The failure that was handed in, unless the audit question alone has failed, and not because the portal has no such feature.
    pub async fn probe_without_audit(&self, failed: Error) -> Result<Portal, Error> {
        if failed.asked != AUDIT_TRAIL || failed.kind == ErrorKind::PlanLacks {
            return Err(failed);
        }
        let Ok((me, quota, settings)) = try_join!(self.identity(), self.quota(), self.settings()) else {
            return Err(failed);
        };
        Ok(self.portal_of(me, settings, quota.audit))
    }

    /// What was asked, as one; dates are read in the portal's zone from now on.
    fn portal_of(&self, me: Identity, settings: PortalSettings, audit_filter_works: bool) -> Portal {
        settings.warn_of_unknown_zone();
        let PortalSettings { version, time_zone, unknown_time_zone, .. } = settings;
        time_zone.into_iter().for_each(|zone| self.note_time_zone(zone));
        Portal { me, version, time_zone: time_zone.unwrap_or(Tz::UTC), unknown_time_zone, audit_filter_works }
    }

    /// Asks only what every run has to ask: the audit question whose honest answer is empty. The rest is as an earlier probe knew it.
    ///
    /// # Errors
    /// Of that question.
    pub async fn probe_again(&self, known: Portal) -> Result<Portal, Error> {
        // UTC also stands for a zone that nobody knows
        if known.unknown_time_zone.is_none() {
            self.note_time_zone(known.time_zone);
        }
        let audit_filter_works = known.audit_filter_works && self.canary_is_empty().await?;
        Ok(Portal { audit_filter_works, ..known })
    }

    /// The account that the key acts as.
    pub async fn identity(&self) -> Result<Identity, Error> {
        let question = Question::new("the key's own account", "people/@self", "accounts.self:read or *:read");
        let dto: PersonDto = self.get(question).await?.response;
        Ok(Account::from(dto).into())
    }

    /// A portal that ignores filters answers this with rows.
    pub(crate) async fn canary_is_empty(&self) -> Result<bool, Error> {
        self.asks_about_nobody(AUDIT_TRAIL, "security/audit/events/filter").await
    }

    /// The same for the login history.
    pub(crate) async fn login_canary_is_empty(&self) -> Result<bool, Error> {
        self.asks_about_nobody("the login history", "security/audit/login/filter").await
    }

    async fn asks_about_nobody(&self, asked: &'static str, path: &str) -> Result<bool, Error> {
        let query = [("userId", NOBODY), ("count", "1"), ("fields", "id,errors")];
        let question = Question::new(asked, path, "*:read").query(&query);
        Ok(self.get::<Vec<Value>>(question).await?.response.is_empty())
    }
}

impl From<Account> for Identity {
    fn from(account: Account) -> Self {
        let role = account.person.role;
        Identity {
            is_admin: role.is_some_and(PortalRole::reads_every_room),
            is_owner: role == Some(PortalRole::Owner),
            person: account.person,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Earlier versions did not keep whether the zone is known: UTC may then stand for any, so the portal is asked again.
    #[test]
    fn what_does_not_say_whether_its_zone_is_known_is_no_portal() {
        let me =
            Identity { person: Person::named(uuid::Uuid::nil(), "Mara Moe".into()), is_admin: true, is_owner: false };
        let (time_zone, version) = (Tz::UTC, None);
        let portal = Portal { me, version, time_zone, unknown_time_zone: None, audit_filter_works: true };
        let mut kept = serde_json::to_value(&portal).unwrap();
        assert_eq!(serde_json::from_value::<Portal>(kept.clone()).unwrap(), portal);
        kept.as_object_mut().unwrap().remove("unknown_time_zone");
        assert!(serde_json::from_value::<Portal>(kept).is_err());
    }
}
