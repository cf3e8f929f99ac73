//! From which countries people have signed in, and how many have failed to.

use std::collections::BTreeMap;

use audit_model::{PortalText, Window};
use job_store::Row;
use uuid::Uuid;

use crate::rows::micros;
use crate::{Archive, Error};

/// The actions of `ActionId::is_successful_login`; a test compares them.
const COUNTRIES_SQL: &str = "SELECT user_id, country, count(*) FROM login_event
     WHERE at_us >= ? AND at_us < ? AND country IS NOT NULL
     AND action IN (1000, 1001, 1007, 1010, 1011, 1012, 1015, 1019, 1021, 1024, 1027, 1028, 1029) GROUP BY user_id, country";

/// The actions of `ActionId::is_failed_login`; a test compares them.
const FAILING_SQL: &str = "SELECT count(DISTINCT login) FROM login_event
     WHERE at_us >= ? AND at_us < ? AND login IS NOT NULL
     AND action IN (1002, 1003, 1004, 1005, 1008, 1009, 1013, 1014, 1018, 1020, 1022, 1023, 1025, 1026)
     GROUP BY (at_us - ?) / 86400000000";

impl Archive {
    /// With how many different typed names logins failed, of each day of the window on which any did; days begin with the window.
    ///
    /// # Errors
    /// Of the store.
    pub async fn failing_by_day(&self, window: Window) -> Result<Vec<u64>, Error> {
        let values = [micros(window.since).into(), micros(window.until).into(), micros(window.since).into()];
        let days = self.store().all("counting failed logins", FAILING_SQL, values, |row| row.int(0)).await?;
        Ok(days.into_iter().map(i64::unsigned_abs).collect())
    }

    /// How often each person signed in from each country in the window, as far as the portal knew the country.
    ///
    /// # Errors
    /// Of the store.
    pub async fn login_countries(&self, window: Window) -> Result<BTreeMap<Uuid, BTreeMap<PortalText, u64>>, Error> {
        let values = [micros(window.since).into(), micros(window.until).into()];
        let logins = |row: &Row<'_>| {
            let user = Uuid::parse_str(row.text(0)?).unwrap_or_default();
            Ok((user, PortalText::new(row.text(1)?), row.int(2)?.unsigned_abs()))
        };
        let rows = self.store().all("counting countries", COUNTRIES_SQL, values, logins).await?;
        let mut countries: BTreeMap<Uuid, BTreeMap<PortalText, u64>> = BTreeMap::new();
        for (user, country, logins) in rows {
            countries.entry(user).or_default().insert(country, logins);
        }
        Ok(countries)
    }
}

#[cfg(test)]
mod tests {
    use audit_model::ActionId;

    use super::*;

    #[test]
    fn logins_that_succeeded_and_failed_are_told_apart() {
        for action in 1000..1030 {
            assert_eq!(COUNTRIES_SQL.contains(&action.to_string()), ActionId(action).is_successful_login(), "{action}");
            assert_eq!(FAILING_SQL.contains(&action.to_string()), ActionId(action).is_failed_login(), "{action}");
        }
    }
}
