//! A plan that is not carried out yet, held against the logins of each run: how many days in a row it would have refused nobody.
//!
//! A plan is made again before it is carried out, so the days belong to the list that it would write, and to each that holds more.

use std::collections::BTreeSet;
use std::path::Path;

use ::report::words::{Clock, plural};
use audit_model::{PersonStatus, PortalRole, PortalText, Verdict, Window};
use chrono::{DateTime, Utc};
use docspace_client::{AddressList, Directory, ListEntry};
use event_archive::{Archive, Look};
use job_runner::Job;
use job_runner::names::accounts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::PlanFile;
use crate::plan::file::Listed;
use crate::plan::file::check::SHADOW_DAYS;
use crate::rule::Seen;
use crate::rule::found::INSTANT;
use crate::rule::server::{Ruling, noted};
use crate::rule::sighting::Sighting;

/// What is remembered, under this name.
const FACT: &str = "watched plan";

/// What runs have seen of a planned list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shadow {
    list: Listed,
    /// Nobody has come since whom it would have refused.
    clean_since: DateTime<Utc>,
    /// Up to then everything was seen.
    until: DateTime<Utc>,
    #[serde(default)]
    broken: Option<Broken>,
}

/// The last login that the list would have refused, or of which nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Broken {
    at: DateTime<Utc>,
    login: i64,
    refused: bool,
}

/// What one run has seen.
#[derive(Clone, Debug)]
struct Run {
    until: DateTime<Utc>,
    complete: bool,
    broken: Option<Broken>,
}

impl Shadow {
    /// How many days in a row the plan would have refused nobody; `None` when no run has watched its list.
    pub(crate) async fn clean_days(archive: &Archive, plan: &PlanFile) -> Result<Option<u32>, event_archive::Error> {
        let Some(fact) = archive.fact::<Shadow>(FACT, "").await? else { return Ok(None) };
        let shadow = fact.value;
        if !shadow.is_of(&plan.after) {
            return Ok(None);
        }
        let known_since = archive.logins_known_since(shadow.until).await?;
        Ok(Some(shadow.days(known_since)))
    }

    /// Whether what was seen of its list holds of this one, too: nobody is refused by more entries.
    fn is_of(&self, list: &Listed) -> bool {
        let entries: BTreeSet<&ListEntry> = list.entries.iter().collect();
        self.list.enable == list.enable && self.list.entries.iter().all(|entry| entries.contains(entry))
    }

    /// Whole days; the time before a hole in the login history does not count.
    fn days(&self, known_since: Option<DateTime<Utc>>) -> u32 {
        let Some(known_since) = known_since else { return 0 };
        u32::try_from((self.until - self.clean_since.max(known_since)).num_days()).unwrap_or_default()
    }

    /// After one more run. Of a list that nobody has watched yet the days begin now.
    fn after(known: Option<Shadow>, list: &Listed, run: Run) -> Self {
        let new = || Shadow { list: list.clone(), clean_since: run.until, until: run.until, broken: None };
        let mut shadow = known.filter(|known| known.is_of(list)).unwrap_or_else(new);
        shadow.list = list.clone();
        if let Some(broken) = run.broken.filter(|broken| broken.at > shadow.clean_since) {
            shadow.clean_since = broken.at;
            shadow.broken = Some(broken);
        }
        if run.complete {
            shadow.until = shadow.until.max(run.until);
        }
        shadow
    }

    fn words(&self, plan: &PlanFile, known_since: Option<DateTime<Utc>>, from: Option<String>, clock: Clock) -> String {
        let days = plural(self.days(known_since).into(), "day");
        let watched = format!(
            "plan {} has been watched for {days} without a login that it would refuse; {SHADOW_DAYS} are needed",
            plan.id
        );
        let Some(broken) = &self.broken else { return watched };
        let from = from.unwrap_or_else(|| "somewhere".to_owned());
        let what =
            if broken.refused { "would have been refused" } else { "may have been refused: its address was cut" };
        format!(
            "{watched}. The last that broke it: the login {} at {} from {from} {what}",
            broken.login,
            clock.at(broken.at)
        )
    }
}

/// Holds the logins of this run against the plan in a file, and says how far it is. `None` where the plan locks nobody out.
pub(crate) async fn watch(path: &Path, job: &Job, look: &Look, seen: &Seen) -> anyhow::Result<Option<String>> {
    let plan = match PlanFile::read(path) {
        Ok(plan) => plan,
        Err(unusable) => return Ok(Some(format!("the plan of the setting `shadow` is not watched: {unusable}"))),
    };
    if !plan.narrows() {
        return Ok(None);
    }
    let meant = accounts("--lock-out", &plan.flags.lock_out, &seen.directory).unwrap_or_default();
    let is_meant = |person: Uuid| {
        let is_nowhere = seen.policy.allowed(person).is_some_and(|own| !own.rules.is_empty() && own.is_nowhere());
        meant.contains(&person) || is_nowhere
    };
    let logins = seen.logins.iter().filter(|login| seen.unjudged.holds(login.at));
    let broken = last_refused(&plan.after, logins, &seen.directory, is_meant);
    let run = Run { until: job.window.until, complete: look.coverage().verdict() == Verdict::Complete, broken };
    let known = job.archive.fact::<Shadow>(FACT, "").await?.map(|fact| fact.value);
    let shadow = Shadow::after(known, &plan.after, run);
    job.archive.keep_fact(FACT, "", &shadow, job.now).await?;
    let known_since = job.archive.logins_known_since(shadow.until).await?;
    let from = match &shadow.broken {
        Some(broken) => {
            let rows = job.archive.logins(Window::new(broken.at, broken.at + INSTANT)).await?;
            let row = rows.into_iter().map(Sighting::from).find(|row| row.id == broken.login);
            row.map(|row| row.shown_ip())
        }
        None => None,
    };
    Ok(Some(shadow.words(&plan, known_since, from, seen.clock)))
}

/// The last login by somebody whom a list can stop that it would have refused, or of which nobody can tell.
fn last_refused<'l>(
    list: &Listed,
    logins: impl IntoIterator<Item = &'l Sighting>,
    directory: &Directory,
    is_meant: impl Fn(Uuid) -> bool,
) -> Option<Broken> {
    let list = AddressList { entries: list.entries.clone(), enabled: list.enable };
    let nothing = PortalText::default();
    let is_stoppable = |login: &Sighting| {
        directory.people.get(&login.user).is_some_and(|account| {
            account.person.role != Some(PortalRole::Owner) && account.person.status != Some(PersonStatus::Disabled)
        })
    };
    let judged = logins.into_iter().filter(|login| {
        login.action.is_successful_login() && !login.ip_was_set && is_stoppable(login) && !is_meant(login.user)
    });
    let broken = judged.filter_map(|login| {
        let ruling = noted(&list, login.ip.as_ref().unwrap_or(&nothing), directory.is_admin(login.user));
        (ruling != Some(Ruling::Admitted)).then(|| Broken {
            at: login.at,
            login: login.id,
            refused: ruling == Some(Ruling::Refused),
        })
    });
    broken.max_by_key(|broken| (broken.at, broken.login))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::testing::{BOB, GIL, OLGA, directory, login, now};

    const OFFICE: &str = "192.0.2.7";

    fn listed(ips: &[&str]) -> Listed {
        let entries = ips.iter().map(|ip| ListEntry { ip: PortalText::new(*ip), for_admin: false }).collect();
        Listed { entries, enable: true }
    }

    fn day(days: i64) -> DateTime<Utc> {
        now() + TimeDelta::days(days)
    }

    /// A run on that day that has seen everything, and perhaps a login a minute before that would have been refused.
    fn run(days: i64, is_broken: bool) -> Run {
        let broken = Broken { at: day(days) - TimeDelta::minutes(1), login: 7, refused: true };
        Run { until: day(days), complete: true, broken: is_broken.then_some(broken) }
    }

    fn watched(runs: &[Run]) -> Shadow {
        let list = listed(&[OFFICE]);
        runs.iter().cloned().fold(None, |known, run| Some(Shadow::after(known, &list, run))).unwrap()
    }

    #[test]
    fn days_count_until_somebody_comes_whom_the_list_would_refuse() {
        let days = |shadow: &Shadow| shadow.days(Some(day(-30)));
        assert_eq!(days(&watched(&[run(0, true)])), 0, "what was before the plan is in the plan");
        assert_eq!(days(&watched(&[run(0, true), run(3, false), run(7, false)])), 7);
        let broken = watched(&[run(0, false), run(3, false), run(4, true), run(6, false)]);
        assert_eq!((days(&broken), broken.broken.as_ref().map(|broken| broken.login)), (2, Some(7)));
        let again = watched(&[run(0, false), run(4, true), run(4, true), run(6, false)]);
        assert_eq!(again, broken, "a login that is judged twice breaks it once");
    }

    #[test]
    fn what_was_not_seen_does_not_count() {
        let unseen = |days| Run { complete: false, ..run(days, false) };
        let shadow = watched(&[run(0, false), run(3, false), unseen(7)]);
        assert_eq!(shadow.days(Some(day(-30))), 3);
        let closed = watched(&[run(0, false), run(3, false), unseen(5), run(7, false)]);
        assert_eq!(closed.days(Some(day(-30))), 7, "the gap was closed");
        assert_eq!((closed.days(Some(day(5))), closed.days(None)), (2, 0), "it was given up");
    }

    /// The plan is made again before it is carried out.
    #[test]
    fn days_hold_for_a_list_that_lets_in_more() {
        let shadow = watched(&[run(0, false), run(5, false)]);
        for (list, days) in [(&[OFFICE][..], 6), (&[OFFICE, "192.0.2.8"], 6), (&["192.0.2.8"], 0), (&[], 0)] {
            let next = Shadow::after(Some(shadow.clone()), &listed(list), run(6, false));
            assert_eq!(next.days(Some(day(-30))), days, "{list:?}");
        }
        assert!(!shadow.is_of(&Listed { enable: false, ..listed(&[OFFICE]) }));
    }

    #[test]
    fn only_people_whom_a_list_can_stop_break_it() {
        let broken = |rows: &[Sighting]| last_refused(&listed(&[OFFICE, "2001:db8::1"]), rows, &directory(), |_| false);
        assert_eq!(
            broken(&[login(BOB, OFFICE, 60), login(OLGA, "203.0.113.9", 50), login(GIL, "203.0.113.9", 40)]),
            None
        );
        let set = Sighting { ip_was_set: true, ..login(BOB, "203.0.113.9", 60) };
        assert_eq!(broken(&[set]), None, "nobody knows from where");
        let stranger = login(BOB, "203.0.113.9", 60);
        let expected = Broken { at: stranger.at, login: stranger.id, refused: true };
        assert_eq!(broken(&[stranger.clone(), login(BOB, OFFICE, 50)]), Some(expected));
        let cut = broken(&[login(BOB, "2001", 60)]).map(|broken| broken.refused);
        assert_eq!(cut, Some(false), "nobody can tell, so it is no proof");
        assert_eq!(
            last_refused(&listed(&[OFFICE]), &[stranger], &directory(), |person| person == BOB),
            None,
            "on purpose"
        );
    }
}
