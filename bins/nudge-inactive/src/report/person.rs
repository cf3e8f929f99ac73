//! One person who is inactive in a room: what they did not do, by which right they are there, and what to do. Pure.

use ::report::words::{Clock, plural};
use ::report::{Line, PersonLine, line};
use audit_model::{Finding, PortalRole, PortalText};

use crate::body::{Inactive, Report};
use crate::rule::Risk;

/// The person as all reports show them, with what they did not do, by which right, and what to do.
pub(super) fn line(report: &Report, inactive: &Inactive, finding: &Finding, clock: Clock) -> PersonLine {
    let mut person = report.head.person(finding);
    if let Some(place) = &mut person.place {
        // the section leads there
        place.page = None;
    }
    let few = few_actions(report, inactive, clock);
    let more = sign_in_and_reminders(report, inactive, clock);
    person.what =
        line![few, " as ", right(&inactive.access, &inactive.groups), "; ", role_and_risk(inactive), "; ", more];
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

/// How little somebody did, as far back as it is known.
fn few_actions(report: &Report, inactive: &Inactive, clock: Clock) -> String {
    let window = report.head.window;
    let known_since = report.body.watched_since.filter(|since| *since < window.since);
    match (inactive.acts, inactive.last_activity, known_since) {
        (0, None, Some(since)) => format!("no action since monitoring began on {}", clock.day(since)),
        (0, ..) => format!("no action in {}", plural(window.length().num_days().unsigned_abs(), "day")),
        (acts, ..) => {
            let days = plural(window.length().num_days().unsigned_abs(), "day");
            format!("{} in {days}, fewer than {}", plural(acts, "action"), report.body.terms.min_activity)
        }
    }
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
