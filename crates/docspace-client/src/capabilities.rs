//! What this portal lets this key do, asked before anything depends on it.
//!
//! Found out by asking, not by the version's text: that is what the server's configuration says, and it can say anything.

use std::future::Future;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use futures::try_join;

use crate::{Client, Error, ErrorKind, Identity, KeyFacts, PortalSettings, PortalState, Quota, Scopes};

/// Whether something can be had, or what the portal says against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    Works,
    Refused(ErrorKind),
}

impl Ability {
    pub fn works(&self) -> bool {
        *self == Ability::Works
    }
}

/// What a portal and a key can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// As the server's configuration says; a hint.
    pub version: Option<String>,
    /// Self-hosted.
    pub is_standalone: bool,
    pub state: Option<PortalState>,
    /// Unknown to a key that may not read settings.
    pub time_zone: Option<Tz>,
    /// Whether audit questions are answered as asked. `PlanLacks` when every answer is the newest 20 rows.
    pub audit_filter: Ability,
    /// Whether the whole login history can be read; as above.
    pub login_history: Ability,
    /// The plan, where the key may read it.
    pub quota: Option<Quota>,
    /// The server tells about the key that asks. False for a personal access token and for servers before 3.1.
    pub api_keys: bool,
    pub scopes: Scopes,
    /// `None` for never, or for a personal access token, whose end nobody can ask for.
    pub key_expires: Option<DateTime<Utc>>,
    /// DocSpace admin or owner. Judged by the account, because old servers answer others where new ones refuse them.
    pub admin: bool,
    /// The portal's owner.
    pub owner: bool,
}

impl Client {
    /// What the portal lets the key do, in at most eight requests. A refusal is part of the answer.
    ///
    /// # Errors
    /// Whatever is no refusal: a dead key, a blocked address, a portal that is unpaid, suspended or not reached.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        // first and alone: with a dead key the others would blame something else
        let key = self.key().await?;
        let (me, settings, quota, audit, logins) = try_join!(
            self.identity_by_any_means(key.as_ref()),
            self.settings_by_any_means(),
            refusal_or(self.quota()),
            refusal_or(self.canary_is_empty()),
            refusal_or(self.login_canary_is_empty()),
        )?;
        settings.warn_of_unknown_zone();
        let plan_lacks_audit = quota.as_ref().is_ok_and(|quota| !quota.audit);
        let ability = |canary: Result<bool, ErrorKind>| match canary {
            Ok(true) if !plan_lacks_audit => Ability::Works,
            Ok(_) => Ability::Refused(ErrorKind::PlanLacks),
            Err(kind) => Ability::Refused(kind),
        };
        Ok(Capabilities {
            version: settings.version,
            is_standalone: settings.is_standalone,
            state: settings.state,
            time_zone: settings.time_zone,
            audit_filter: ability(audit),
            login_history: ability(logins),
            quota: quota.ok(),
            api_keys: key.is_some(),
            key_expires: key.as_ref().and_then(|key| key.expires),
            scopes: key.map_or_else(Scopes::unrestricted, |key| key.scopes),
            admin: me.is_admin,
            owner: me.is_owner,
        })
    }

    /// A key without the scope for its own account may still read any one account.
    async fn identity_by_any_means(&self, key: Option<&KeyFacts>) -> Result<Identity, Error> {
        let refused = match self.identity().await {
            Err(error) if matches!(error.kind, ErrorKind::MissingScope { .. }) => error,
            other => return other,
        };
        let Some(owner) = key.and_then(|key| key.owner) else { return Err(refused) };
        Ok(self.account(owner).await?.ok_or(refused)?.into())
    }

    /// A key without the scope for settings is refused what everybody may read.
    async fn settings_by_any_means(&self) -> Result<PortalSettings, Error> {
        match self.settings().await {
            Err(error) if error.kind == ErrorKind::ClosedRoute => self.public_settings().await,
            other => other,
        }
    }
}

/// The answer, or why the portal refuses it; other errors stay errors.
async fn refusal_or<T>(asking: impl Future<Output = Result<T, Error>>) -> Result<Result<T, ErrorKind>, Error> {
    match asking.await {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) if error.is_refusal() => Ok(Err(error.kind)),
        Err(error) => Err(error),
    }
}
