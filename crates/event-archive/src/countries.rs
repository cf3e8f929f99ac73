//! From which countries people have signed in.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use uuid::Uuid;

use crate::rows::micros;
use crate::{Archive, Error};

const COUNTRIES_SQL: &str = "SELECT user, country, count(*) FROM login_event
     WHERE at_us >= ? AND at_us < ? AND country IS NOT NULL AND action NOT IN (1006, 1016, 1017) GROUP BY user, country";

impl Archive {
    /// How often each person signed in from each country in the window, as far as the portal knew the country. Failed logins stand
    /// under the guest account.
    ///
    /// # Errors
    /// Of the store.
    pub async fn login_countries(&self, window: Window) -> Result<BTreeMap<Uuid, BTreeMap<PortalText, u64>>, Error> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(COUNTRIES_SQL)
            .bind(micros(window.since))
            .bind(micros(window.until))
            .fetch_all(self.store().pool())
            .await
            .map_err(|source| self.failed("counting countries", source))?;
        let mut countries: BTreeMap<Uuid, BTreeMap<PortalText, u64>> = BTreeMap::new();
        for (user, country, logins) in rows {
            let own = countries.entry(Uuid::parse_str(&user).unwrap_or_default()).or_default();
            own.insert(PortalText::new(country), logins.unsigned_abs());
        }
        Ok(countries)
    }
}
