//! The portal's own list and switch against what they were, and against whom the portal lets in. Pure.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use ::report::words::Clock;
use audit_model::{ActionId, Address, Finding, Person, PortalRole, PortalText, SYSTEM_ACCOUNT, Severity, Window};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use docspace_client::{AddressList, Directory, ListEntry};
use event_archive::{Fact, KnownList};
use uuid::Uuid;

use super::Seen;
use super::found::{Case, INSTANT, Kind, Rows, Subject};
use super::server::{self, Caller, Ruling};
use super::sighting::{Sighting, Source};

/// Each process of the portal keeps the switch for so long.
const CACHED: TimeDelta = TimeDelta::minutes(5);

/// A run takes back before it reads the list, which it dates by its own beginning; events of that come after its window.
const TAKES: TimeDelta = TimeDelta::minutes(5);

/// Lists are read by this machine's clock, and writes are dated by the portal's.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// All that is told of the list; `judged` are the logins of this run.
pub(super) fn judge(seen: &Seen, judged: &[&Sighting]) -> Vec<Case> {
    let known = seen.list.as_ref();
    let (difference, writes) = of_others(known, &seen.writes, (&seen.own_writes, &seen.own_written));
    let mut found = told(difference.as_ref(), &writes, &seen.logins, (&seen.directory, seen.clock), seen.window);
    let believed = known.filter(|_| seen.list_is_whole);
    found.extend(believed.and_then(|known| not_enforced(known, seen.last_write, judged, &seen.directory)));
    found
}

/// Without what we have written ourselves, at `own_at`: its events, and a difference that nobody else has made.
fn of_others(
    known: Option<&Fact<KnownList>>,
    writes: &[Sighting],
    (own, own_at): (&BTreeSet<i64>, &[DateTime<Utc>]),
) -> (Option<Fact<KnownList>>, Vec<Sighting>) {
    let (ours, others): (Vec<Sighting>, Vec<Sighting>) =
        writes.iter().cloned().partition(|write| own.contains(&write.id));
    let mut known = known.cloned();
    if let Some(known) = &mut known {
        let made_it_so = |writes: &[Sighting]| writes.iter().any(|write| is_of_difference(known, write.at));
        let has_taken_back = own_at.iter().any(|at| is_of_difference(known, *at - TAKES));
        if (made_it_so(&ours) || has_taken_back) && !made_it_so(&others) {
            (known.value.before, known.value.before_seen) = (None, None);
        }
    }
    (known, others)
}

/// What was written. `writes` are the audit events of writes that are judged, `logins` those of the window; `known` is what runs have read.
pub(super) fn told(
    known: Option<&Fact<KnownList>>,
    writes: &[Sighting],
    logins: &[Sighting],
    (directory, clock): (&Directory, Clock),
    window: Window,
) -> Vec<Case> {
    let seen_to_differ = known.filter(|known| known.value.before.is_some() && known.learned_at >= window.since);
    let made_it_so = |write: &Sighting| seen_to_differ.is_some_and(|known| is_of_difference(known, write.at));
    let (changes, others): (Vec<Sighting>, Vec<Sighting>) = writes.iter().cloned().partition(made_it_so);
    let mut found: Vec<Case> =
        seen_to_differ.into_iter().filter_map(|known| changed(known, &changes, directory)).collect();
    let mut by_writer: BTreeMap<(Uuid, NaiveDate), Vec<&Sighting>> = BTreeMap::new();
    for write in &others {
        by_writer.entry((write.user, write.at.date_naive())).or_default().push(write);
    }
    found.extend(by_writer.values().filter_map(|writes| written(known, writes, logins, (directory, clock))));
    found
}

/// Whether a write fell between the two reads of which the second found another list. The first of them may have been answered with what
/// was cached.
fn is_of_difference(known: &Fact<KnownList>, at: DateTime<Utc>) -> bool {
    let since = known.value.before_seen.map(|seen| seen - CLOCKS_DIFFER - CACHED);
    since.is_none_or(|since| at > since) && at <= known.learned_at + CLOCKS_DIFFER
}

/// What somebody wrote on one day without any run having read another list for it: written and written back, or the same once more.
fn written(
    known: Option<&Fact<KnownList>>,
    writes: &[&Sighting],
    logins: &[Sighting],
    (directory, clock): (&Directory, Clock),
) -> Option<Case> {
    let (first, last) = (*writes.first()?, *writes.last()?);
    let mut rows = Rows::default();
    writes.iter().for_each(|write| rows.push(write));
    let from: BTreeSet<String> = writes.iter().map(|write| write.shown_ip()).collect();
    let span = words::Span::new(first.at, last.at, clock);
    let read_after = |known: &&Fact<KnownList>| known.value.seen.is_some_and(|seen| seen + CLOCKS_DIFFER >= last.at);
    let stood = known.filter(|known| known.learned_at < first.at).filter(read_after);
    let mut reasons =
        vec![words::wrote(writes.len(), &span, &from), words::what_was_changed(writes.len(), stood.is_some())];
    let until = last.at + CACHED;
    let came = stood.map(|known| strangers(&known.value.list, logins, (first.at, until), directory));
    let came = came.filter(|came| came.first().is_some());
    reasons.extend(came.as_ref().map(|came| words::meanwhile(came, &span)));
    let severity = if came.is_some() { Severity::High } else { Severity::Medium };
    let key = format!("written\n{}\n{}", first.user, first.at.date_naive());
    let person = who(first, directory);
    Some(rows.found(Subject { kind: Kind::ListChanged, severity, person, place: None, key, reasons }))
}

fn who(write: &Sighting, directory: &Directory) -> Person {
    let named = || Person::named(write.user, write.user_name.clone());
    directory.people.get(&write.user).map_or_else(named, |account| account.person.clone())
}

/// The difference between the last two forms that runs have read. `changes` are the audit events of writes in between.
fn changed(known: &Fact<KnownList>, changes: &[Sighting], directory: &Directory) -> Option<Case> {
    let before = known.value.before.as_ref()?;
    let now = &known.value.list;
    let mut reasons = Vec::new();
    match (before.enabled, now.enabled) {
        (true, false) => reasons.push(words::SWITCHED_OFF.into()),
        (false, true) => reasons.push(words::SWITCHED_ON.into()),
        _ => {}
    }
    let added = difference(&now.entries, &before.entries);
    let removed = difference(&before.entries, &now.entries);
    reasons.extend((!added.is_empty()).then(|| words::added(&added)));
    reasons.extend((!removed.is_empty()).then(|| words::removed(&removed)));
    let severity = if before.enabled && !now.enabled { Severity::High } else { Severity::Medium };
    let mut rows = Rows::default();
    changes.iter().for_each(|change| rows.push(change));
    let person = match changes.last() {
        Some(change) => who(change, directory),
        None => {
            reasons.push(words::NO_EVENT.into());
            the_portal()
        }
    };
    // the same change made again is another one
    let (from, to) = (in_fingerprint(before), in_fingerprint(now));
    let key = format!("{from}\n{to}\n{}", known.learned_at.timestamp_micros());
    let mut found = rows.found(Subject { kind: Kind::ListChanged, severity, person, place: None, key, reasons });
    if changes.is_empty() {
        seen_at(&mut found.finding, known.learned_at);
    }
    Some(found)
}

/// Logins that the portal would have refused if its list counted as it says. List and switch are known since they were first seen so,
/// and since the last write: what they were between two writes nobody can tell.
pub(super) fn not_enforced(
    known: &Fact<KnownList>,
    last_write: Option<DateTime<Utc>>,
    logins: &[&Sighting],
    directory: &Directory,
) -> Option<Case> {
    let list = &known.value.list;
    let since = last_write.map_or(known.learned_at, |write| write.max(known.learned_at)) + CACHED;
    let rows = strangers(list, logins.iter().copied(), (since, DateTime::<Utc>::MAX_UTC), directory);
    let first = rows.first()?.shown_ip();
    let reasons = vec![words::not_enforced(&rows, &first), words::WHY_NOT_ENFORCED.into()];
    let key = in_fingerprint(list);
    Some(rows.found(Subject {
        kind: Kind::NotEnforced,
        severity: Severity::High,
        person: the_portal(),
        place: None,
        key,
        reasons,
    }))
}

/// Logins of a time (half-open) that a list refuses.
fn strangers<'l>(
    list: &AddressList,
    logins: impl IntoIterator<Item = &'l Sighting>,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    directory: &Directory,
) -> Rows {
    let mut rows = Rows::default();
    for login in logins.into_iter().filter(|login| (since..until).contains(&login.at)) {
        if !login.action.is_successful_login() || login.ip_was_set {
            continue;
        }
        // the servers' own networks are let in whatever the list holds
        let Address::V4(ip) = login.address() else { continue };
        let role = directory.role(login.user).filter(|role| *role != PortalRole::Owner);
        let Some(role) = role else { continue };
        let caller = Caller { is_owner: false, is_admin: role == PortalRole::DocspaceAdmin, address: ip.into() };
        if server::rule(list, &caller) == Ruling::Refused {
            rows.push(login);
        }
    }
    rows
}

/// The list and its switch in the form that fingerprints were made of from the beginning on. It must never change, whatever else is
/// known of a list one day.
fn in_fingerprint(list: &AddressList) -> String {
    let entry = |entry: &ListEntry| {
        format!("ListEntry {{ ip: {:?}, for_admin: {} }}", entry.ip.for_terminal(), entry.for_admin)
    };
    let entries: Vec<String> = list.entries.iter().map(entry).collect();
    format!("AddressList {{ entries: [{}], enabled: {} }}", entries.join(", "), list.enabled)
}

/// For findings that are about nobody.
fn the_portal() -> Person {
    Person::named(SYSTEM_ACCOUNT, PortalText::new("the portal's address list"))
}

fn seen_at(finding: &mut Finding, at: DateTime<Utc>) {
    finding.window = Window::new(at, at + INSTANT);
}

/// What is in the first list and not in the second; doubles count.
pub(crate) fn difference(one: &[ListEntry], other: &[ListEntry]) -> Vec<ListEntry> {
    let mut left: BTreeMap<&ListEntry, usize> = BTreeMap::new();
    other.iter().for_each(|entry| *left.entry(entry).or_default() += 1);
    let missing = one.iter().filter(|entry| match left.get_mut(entry) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    missing.cloned().collect()
}

/// Whether a row is a write of list and switch.
pub(crate) fn is_write(row: &Sighting) -> bool {
    row.source == Source::Audit && row.action == ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANNA, BOB, act, directory, login, now, spoken};

    fn write(seconds: i64) -> Sighting {
        Sighting { action: ActionId::IP_RESTRICTIONS_SETTINGS_UPDATED, ..act(ANNA, "203.0.113.66", seconds) }
    }

    /// One entry, switched on, read so an hour ago and now.
    fn standing() -> Fact<KnownList> {
        let entries = vec![ListEntry { ip: "192.0.2.7".into(), for_admin: false }];
        let list = AddressList { entries, enabled: true };
        let value = KnownList { list, seen: Some(now()), ..KnownList::default() };
        Fact { value, learned_at: now() - TimeDelta::hours(1) }
    }

    fn told_of(known: &Fact<KnownList>, writes: &[Sighting], logins: &[Sighting]) -> Vec<Case> {
        let window = Window::new(now() - TimeDelta::days(1), now());
        spoken(told(Some(known), writes, logins, (&directory(), Clock(chrono_tz::Tz::Europe__Berlin)), window))
    }

    #[test]
    fn a_list_that_was_off_and_is_on_again_is_told_with_who_came_in() {
        let (off, on) = (write(1_800), write(1_200));
        let quiet = told_of(&standing(), &[off.clone(), on.clone()], &[login(BOB, "192.0.2.7", 1_500)]);
        assert_eq!((quiet.len(), quiet[0].finding.severity, quiet[0].finding.person.id), (1, Severity::Medium, ANNA));
        let reasons = &quiet[0].finding.reasons;
        assert_eq!(
            reasons[0],
            "wrote the portal's address list 2 times, between 2026-11-20 09:30 and 2026-11-20 09:40 (Europe/Berlin), from 203.0.113.66"
        );
        assert!(reasons[1].contains("may have been off"), "{reasons:?}");
        let logins = [login(BOB, "203.0.113.9", 1_500)];
        let open = told_of(&standing(), &[off.clone(), on.clone()], &logins);
        assert_eq!((open.len(), open[0].finding.severity), (1, Severity::High));
        assert!(open[0].finding.reasons[2].contains("first from 203.0.113.9"), "{:?}", open[0].finding.reasons);
        // of that time nothing is concluded about enforcement, and of the time after it again
        let enforced = |login: &Sighting| not_enforced(&standing(), Some(on.at), &[login], &directory());
        assert_eq!(enforced(&logins[0]), None);
        assert_eq!(enforced(&login(BOB, "203.0.113.9", 901)), None, "the switch is remembered for five minutes");
        assert!(enforced(&login(BOB, "203.0.113.9", 900)).is_some());
    }

    /// The list could not be read since, or never before.
    #[test]
    fn nothing_is_said_of_a_list_that_was_not_read() {
        let unread =
            Fact { value: KnownList { seen: Some(now() - TimeDelta::hours(1)), ..standing().value }, ..standing() };
        let (off, on) = (write(1_800), write(1_200));
        let logins = [login(BOB, "203.0.113.9", 1_500)];
        let window = Window::new(now() - TimeDelta::days(1), now());
        for known in [Some(&unread), None] {
            let found = told(known, &[off.clone(), on.clone()], &logins, (&directory(), Clock::default()), window);
            assert_eq!((found.len(), found[0].finding.severity), (1, Severity::Medium));
            assert!(found[0].finding.reasons[1].contains("nobody can tell"), "{:?}", found[0].finding.reasons);
        }
    }

    /// Somebody else's write on the same day is news of its own; one more by the same person makes it larger.
    #[test]
    fn each_writer_of_a_day_is_one_finding() {
        let mine = Sighting { user: BOB, ..write(600) };
        let found = told_of(&standing(), &[write(1_800), write(1_200), mine], &[]);
        assert_eq!(found.iter().map(|found| found.finding.counts.acts).sum::<u64>(), 3);
        let print = |writes: &[Sighting]| told_of(&standing(), writes, &[])[0].finding.fingerprint.clone();
        assert_eq!(print(&[write(1_800)]), print(&[write(1_800), write(60)]));
    }

    /// The writes between two reads that differ belong to the difference; what was written before that was told by itself.
    #[test]
    fn writes_belong_to_the_difference_that_they_made() {
        let before = AddressList { enabled: false, ..standing().value.list };
        let value =
            KnownList { before: Some(before), before_seen: Some(now() - TimeDelta::hours(2)), ..standing().value };
        let known = Fact { value, ..standing() };
        let found = told_of(&known, &[write(9_000), write(4_000), write(60)], &[]);
        let reasons: Vec<&str> = found.iter().map(|found| found.finding.reasons[0].english()).collect();
        assert_eq!(found.len(), 2, "{reasons:?}");
        assert_eq!((reasons[0], found[0].finding.counts.acts), ("the portal's address list was switched on", 1));
        assert_eq!(found[1].finding.counts.acts, 2);
    }

    #[test]
    fn what_we_have_written_is_no_news_and_what_others_wrote_is() {
        let before = AddressList { enabled: false, ..standing().value.list };
        let value =
            KnownList { before: Some(before), before_seen: Some(now() - TimeDelta::hours(2)), ..standing().value };
        let known = Fact { value, ..standing() };
        // two of ours made the difference, the third came after it
        let ours = [write(4_200), write(4_000), write(60)];
        let own: BTreeSet<i64> = ours.iter().map(|write| write.id).collect();
        let told_at = |writes: &[Sighting], own_at: &[DateTime<Utc>]| {
            let (known, writes) = of_others(Some(&known), writes, (&own, own_at));
            let window = Window::new(now() - TimeDelta::days(1), now());
            told(known.as_ref(), &writes, &[], (&directory(), Clock::default()), window)
        };
        let told_without = |writes: &[Sighting]| told_at(writes, &[]);
        assert_eq!(told_without(&ours), []);
        let learned = known.learned_at;
        assert_eq!(told_at(&[], &[learned + TimeDelta::minutes(4)]), [], "taken back before the list was read");
        assert_eq!(told_at(&[], &[learned + TimeDelta::minutes(10)]).len(), 1, "that was later");
        let theirs = Sighting { user: BOB, ..write(4_100) };
        assert_eq!(told_at(std::slice::from_ref(&theirs), &[learned]).len(), 1, "others have, too");
        let between = told_without(&[ours[0].clone(), theirs.clone(), ours[1].clone()]);
        assert_eq!((between.len(), between[0].finding.person.id, between[0].finding.counts.acts), (1, BOB, 1));
        assert!(between[0].finding.reasons[0].contains("switched on"), "{:?}", between[0].finding.reasons);
        let after = told_without(&[&ours[..], &[Sighting { user: BOB, ..write(30) }]].concat());
        assert_eq!((after.len(), after[0].finding.person.id), (1, BOB), "also when the list is as before");
        assert_eq!(told_without(&[]).len(), 1, "a difference without an event may be anybody's");
    }

    /// Off, on, and off again: the second time is news, too, however much else was changed that day.
    #[test]
    fn the_same_change_made_again_is_another_finding() {
        let list = |enabled| AddressList { entries: Vec::new(), enabled };
        let window = Window::new(now() - TimeDelta::days(1), now());
        let switched_off = |hours| {
            let value = KnownList { list: list(false), before: Some(list(true)), ..KnownList::default() };
            let known = Fact { value, learned_at: now() - TimeDelta::hours(hours) };
            told(Some(&known), &[], &[], (&directory(), Clock::default()), window).remove(0).finding.fingerprint
        };
        assert_eq!(switched_off(3), switched_off(3), "in the next run");
        assert_ne!(switched_off(3), switched_off(1));
    }

    /// Every sentence about the list, in both languages.
    #[test]
    fn every_sentence_is_written_in_both_languages() {
        let mut other = standing();
        let entries = vec![ListEntry { ip: "192.0.2.8".into(), for_admin: true }];
        other.value.before = Some(AddressList { entries, enabled: true });
        other.value.list.enabled = false;
        let mut on = other.clone();
        std::mem::swap(&mut on.value.list, on.value.before.as_mut().unwrap());
        let unread = Fact { learned_at: now(), ..standing() };
        let writes = [write(1_800), write(1_200)];
        let mut found = told_of(&standing(), &writes, &[login(BOB, "203.0.113.9", 1_500)]);
        found.extend(told_of(&standing(), &writes[..1], &[]));
        found.extend(told_of(&unread, &writes[..1], &[]));
        found.extend(told_of(&other, &[], &[]));
        found.extend(told_of(&on, &[], &[]));
        let stranger = login(BOB, "203.0.113.9", 60);
        found.extend(spoken(not_enforced(&standing(), None, &[&stranger], &directory()).into_iter().collect()));
        let reasons = found.iter().flat_map(|found| &found.finding.reasons);
        let shown = reasons.map(|reason| format!("{reason}\n{}\n", reason.german())).collect::<Vec<_>>();
        insta::assert_snapshot!(shown.join("\n"));
    }
}
