//! One person who is inactive in a room: what they did not do, by which right they are there, and what to do. Pure.

use ::report::words::{Clock, plural};
use ::report::{Line, PersonLine, line};
use audit_model::{Finding, PortalRole, PortalText, Window};
use chrono::{DateTime, TimeDelta, Utc};

use crate::body::{Inactive, Report};
use crate::rule::Risk;

/// The person as all reports show them, with what they did not do, by which right, and what to do.
pub(super) fn line(report: &Report, inactive: &Inactive, finding: &Finding, clock: Clock) -> PersonLine {
    let mut person = report.head.person(finding);
    if let Some(place) = &mut person.place {
        // the section leads there
        place.page = None;
    }
    let (few, since) = few_actions(report, inactive, clock);
    let more = sign_in_and_reminders(report, inactive, clock);
    let right = right(&inactive.access, &inactive.groups);
    person.what = line![few, " as ", right, " ", since, "; ", role_and_risk(inactive), "; ", more];
    // it is for `alerts`, of which this program has none
    person.matter = None;
    person.facts = Vec::new();
    person.how_much = Line::default();
    (person.first, person.last) = (None, inactive.last_activity);
    person.what_to_do = what_to_do(inactive);
    person
}

/// `last sign-in 2026-11-19, reminded on 2026-11-06 (day 14)`
fn sign_in_and_reminders(report: &Report, inactive: &Inactive, clock: Clock) -> String {
    let sign_in = match inactive.last_sign_in {
        Some(at) => format!("last sign-in {}", clock.day(at)),
        None => "no sign-in known".to_owned(),
    };
    let reminded = report.body.reminded.get(&(inactive.person.id, inactive.room.clone()));
    let reminded = reminded.map(|(at, days)| format!(", reminded on {} (day {days})", clock.day(*at)));
    format!("{sign_in}{}", reminded.unwrap_or_default())
}

/// `ordinary user, may change documents`
fn role_and_risk(inactive: &Inactive) -> String {
    let risk = inactive.risk.words();
    match (inactive.risk, inactive.person.role) {
        (Risk::GuestWhoMayChange | Risk::Guest, _) => risk.to_owned(),
        (_, role) => format!("{}, {risk}", role.map_or("role in the portal not known", PortalRole::words)),
    }
}

/// How little somebody did, and in which time: as far back as it is known, where that is longer than the period.
fn few_actions(report: &Report, inactive: &Inactive, clock: Clock) -> (String, String) {
    let window = report.head.window;
    let period = format!("in {}", plural(window.length().num_days().unsigned_abs(), "day"));
    match (inactive.acts, inactive.last_activity, watched_before(report.body.watched_since, window)) {
        (0, None, Some(since)) => ("no action".to_owned(), format!("since monitoring began on {}", clock.day(since))),
        (0, ..) => ("no action".to_owned(), period),
        (acts, ..) => (plural(acts, "action"), format!("{period}, fewer than {}", report.body.terms.min_activity)),
    }
}

/// Since when there are records, where that is more than the period: at least a day.
pub(crate) fn watched_before(since: Option<DateTime<Utc>>, window: Window) -> Option<DateTime<Utc>> {
    since.filter(|since| window.since - *since >= TimeDelta::days(1))
}

/// `editor through the group "Auditors"`
pub(crate) fn right<'g>(access: &str, groups: impl IntoIterator<Item = &'g PortalText>) -> Line {
    match named(groups) {
        None => access.into(),
        Some(groups) => line![access, " through ", groups],
    }
}

/// `the groups "Auditors", "Partners"`; nothing for none.
fn named<'g>(groups: impl IntoIterator<Item = &'g PortalText>) -> Option<Line> {
    let names: Vec<Line> = groups.into_iter().map(|name| line!["\"", Line::name(name), "\""]).collect();
    let (first, more) = names.split_first()?;
    let word = if more.is_empty() { "the group " } else { "the groups " };
    Some(more.iter().fold(line![word, first.clone()], |line, name| line.and(", ").and(name.clone())))
}

fn what_to_do(inactive: &Inactive) -> Vec<Line> {
    let name = Line::name(&inactive.person.name);
    if inactive.judged.member.is_owner {
        return vec![
            line!["ask ", name, " whether they should still own the room"],
            "if not, make somebody else its owner".into(),
        ];
    }
    let ask = match inactive.risk {
        Risk::GuestWhoMayChange | Risk::Guest => {
            line!["ask the manager of the room whether ", name, " still needs access"]
        }
        Risk::MayChange | Risk::Reader => line!["ask ", name, " whether they still need the room"],
    };
    let may_change = matches!(inactive.risk, Risk::GuestWhoMayChange | Risk::MayChange);
    let remove = match named(&inactive.groups) {
        Some(groups) => line!["if not, take them out of ", groups, ", or take the group out of the room"],
        None if may_change => "if not, take them out of the room; if they only read, make them a viewer".into(),
        None => "if not, take them out of the room".into(),
    };
    vec![ask, remove]
}
