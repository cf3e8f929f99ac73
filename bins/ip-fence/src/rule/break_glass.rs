//! The portal's owner, whom no list stops: whoever has that account gets in from everywhere. Pure.

use std::collections::BTreeMap;

use ::report::words::{german, plural};
use audit_model::{PortalRole, PortalText, Sentence, Severity};
use chrono::{DateTime, NaiveDate, Utc};
use docspace_client::{AddressList, Directory};
use event_archive::{Fact, KnownList};
use uuid::Uuid;

use super::found::{Case, Kind, Rows, Subject};
use super::server::{Ruling, noted};
use super::sighting::{Sighting, in_german};

/// The owner's sign-ins while the list counts, one finding for each day (UTC). `logins` are those of the window, `is_judged` says which
/// of them this run judges: a day without any of these was told before.
pub(super) fn judge(
    known: &Fact<KnownList>,
    logins: &[Sighting],
    is_judged: impl Fn(DateTime<Utc>) -> bool,
    directory: &Directory,
) -> Vec<Case> {
    let list = &known.value.list;
    if !list.enabled {
        return Vec::new();
    }
    let is_owners =
        |login: &&Sighting| login.action.is_successful_login() && directory.role(login.user) == Some(PortalRole::Owner);
    let mut by_day: BTreeMap<(NaiveDate, Uuid), Vec<&Sighting>> = BTreeMap::new();
    for login in logins.iter().filter(is_owners).filter(|login| login.at >= known.learned_at) {
        by_day.entry((login.at.date_naive(), login.user)).or_default().push(login);
    }
    let judged = by_day.into_iter().filter(|(_, logins)| logins.iter().any(|login| is_judged(login.at)));
    judged.filter_map(|((day, owner), logins)| told(list, day, owner, &logins, directory)).collect()
}

fn told(list: &AddressList, day: NaiveDate, owner: Uuid, logins: &[&Sighting], directory: &Directory) -> Option<Case> {
    let mut rows = Rows::default();
    logins.iter().for_each(|login| rows.push(login));
    let nothing = PortalText::default();
    // a text that the request set says nothing
    let is_outside = |login: &&&Sighting| {
        !login.ip_was_set && noted(list, login.ip.as_ref().unwrap_or(&nothing), true) == Some(Ruling::Refused)
    };
    let outside: Vec<&&Sighting> = logins.iter().filter(is_outside).collect();
    let (times, times_de) = (plural(logins.len() as u64, "time"), german::number(logins.len() as u64));
    let (severity, from, from_de) = match outside.first() {
        None => (Severity::Info, String::new(), String::new()),
        Some(first) => {
            let (outside, ip) = (outside.len() as u64, first.shown_ip());
            (
                Severity::Medium,
                format!(", {} from an address that the list does not have, first from {ip}", plural(outside, "time")),
                format!(
                    ", davon {}-mal von einer Adresse, die nicht in der Liste steht, zuerst von {}",
                    german::number(outside),
                    in_german(&ip)
                ),
            )
        }
    };
    let person = directory.people.get(&owner)?.person.clone();
    let reasons = vec![Sentence::new(
        format!("signed in {times}{from}; the portal's list is on and does not stop its owner"),
        format!(
            "hat sich {times_de}-mal angemeldet{from_de}; die Liste des Portals ist eingeschaltet und hält den Eigentümer nicht auf"
        ),
    )];
    let key = format!("{owner}\n{day}");
    Some(rows.found(Subject { kind: Kind::BreakGlass, severity, person, place: None, key, reasons }))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use docspace_client::ListEntry;

    use super::*;
    use crate::testing::{ANNA, BOB, OLGA, directory, failed, login, now};

    fn known(enabled: bool, hours: i64) -> Fact<KnownList> {
        let entries = vec![ListEntry { ip: "192.0.2.7".into(), for_admin: true }];
        let value = KnownList { list: AddressList { entries, enabled }, ..KnownList::default() };
        Fact { value, learned_at: now() - TimeDelta::hours(hours) }
    }

    fn found(logins: &[Sighting]) -> Vec<Case> {
        judge(&known(true, 48), logins, |_| true, &directory())
    }

    #[test]
    fn a_day_of_the_owners_sign_ins_is_one_finding() {
        let (office, hotel) = (login(OLGA, "192.0.2.7", 7_200), login(OLGA, "203.0.113.9", 60));
        let daily = found(&[office.clone(), login(OLGA, "192.0.2.7", 3_600)]);
        assert_eq!((daily.len(), daily[0].finding.severity, daily[0].finding.person.id), (1, Severity::Info, OLGA));
        assert_eq!(
            daily[0].finding.reasons,
            ["signed in 2 times; the portal's list is on and does not stop its owner"]
        );
        let outside = found(&[office.clone(), hotel.clone()]);
        assert_eq!((outside.len(), outside[0].finding.severity), (1, Severity::Medium));
        assert_eq!(
            outside[0].finding.reasons,
            [
                "signed in 2 times, 1 time from an address that the list does not have, first from 203.0.113.9; the portal's list is on and does not stop its owner"
            ]
        );
        assert_eq!(outside[0].finding.fingerprint, daily[0].finding.fingerprint, "the same finding, and it has grown");
        let yesterday = login(OLGA, "192.0.2.7", 20 * 3_600);
        assert_eq!(found(&[yesterday.clone(), office.clone()]).len(), 2, "each day is another one");
        // what was judged before is told again only with what is new
        let judged = |new: &Sighting| {
            judge(
                &known(true, 48),
                &[yesterday.clone(), office.clone(), hotel.clone()],
                |at| at == new.at,
                &directory(),
            )
        };
        assert_eq!(judged(&hotel).iter().map(|found| found.finding.counts.acts).sum::<u64>(), 2);
        assert_eq!(judged(&yesterday).len(), 1);
    }

    #[test]
    fn nobody_else_and_no_list_that_is_off_is_told() {
        let others = [
            login(ANNA, "203.0.113.9", 60),
            login(BOB, "203.0.113.9", 50),
            failed("olga@example.com", "203.0.113.9", 40),
        ];
        assert_eq!(found(&others), []);
        let owner = [login(OLGA, "203.0.113.9", 7_200)];
        assert_eq!(judge(&known(false, 48), &owner, |_| true, &directory()), []);
        assert_eq!(judge(&known(true, 1), &owner, |_| true, &directory()), [], "the list was not known to be on then");
        let unknown = [login(OLGA, "", 60), Sighting { ip_was_set: true, ..login(OLGA, "203.0.113.9", 50) }];
        assert_eq!(found(&unknown)[0].finding.severity, Severity::Info, "nobody can tell from where");
        let cut = found(&[login(OLGA, "2001", 60)]);
        assert_eq!(cut[0].finding.severity, Severity::Medium, "no entry begins like that");
    }
}
