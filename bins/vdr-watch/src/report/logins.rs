//! When and from where the people found signed in.

use audit_model::{Finding, GUEST_ACCOUNT, PortalText};
use chrono::{SecondsFormat, TimeDelta};
use report::words::{Clock, plural};
use report::{Block, Cell, Details, Line, PersonLine, Table};

use super::Report;
use crate::gather::logins::{MarkedLogin, Novelty};

/// Logins shown per person, the latest ones; JSON has all.
const LOGINS_SHOWN: usize = 5;

/// Whoever takes documents out of a room may have signed in so long before.
const DAY_BEFORE: TimeDelta = TimeDelta::days(1);

/// Addresses named that somebody has not signed in from before.
const ADDRESSES_SHOWN: usize = 3;

/// Where the person signed in from for the first time, and what was tried before. What the portal notes of an address is a claim.
pub(super) fn from_where(report: &Report, finding: &Finding, clock: Clock) -> Option<Line> {
    let logins = report.body.logins().details.get(&finding.person.id)?;
    let new: Vec<&MarkedLogin> = logins.iter().filter(|login| login.new.contains(&Novelty::Address)).collect();
    let first = new.first()?;
    let mut addresses: Vec<&PortalText> = new.iter().filter_map(|login| login.event.ip.as_ref()).collect();
    addresses.dedup();
    let others = addresses.len().saturating_sub(ADDRESSES_SHOWN);
    let line = addresses.iter().take(ADDRESSES_SHOWN).enumerate().fold(Line::from("from "), |line, (at, address)| {
        line.and(if at == 0 { "" } else { ", " }).and(Line::name(address))
    });
    let others = if others > 0 { format!(" and {others} more") } else { String::new() };
    let before_success = logins
        .iter()
        .take_while(|login| login.event.action.is_failed_login() || !login.new.contains(&Novelty::Address));
    let failed = before_success.filter(|login| login.event.action.is_failed_login()).count() as u64;
    let failed = if failed > 0 { format!(", after {}", plural(failed, "failed login")) } else { String::new() };
    Some(line.and(format!("{others}, new since {}{failed}", clock.minute(first.event.at))))
}

/// When and from where somebody signed in; that nobody did is a fact.
pub(super) fn add(person: &mut PersonLine, report: &Report, finding: &Finding, clock: Clock) {
    // whoever is not signed in has no logins to look for
    if finding.person.id == GUEST_ACCOUNT {
        return;
    }
    let logins = report.body.logins().details.get(&finding.person.id).map(Vec::as_slice).unwrap_or_default();
    let is_whole = !report.coverage().lacks(audit_model::Source::Logins);
    if logins.is_empty() {
        let none = if is_whole {
            "no login in the window; the use of an API key leaves none"
        } else {
            "no login seen, but the login history could not be read in full"
        };
        person.facts.push(none.into());
    }
    if !is_whole {
        // a finding that has left the window by then is not told again
        let since = (finding.window.since - DAY_BEFORE).to_rfc3339_opts(SecondsFormat::Secs, true);
        person
            .facts
            .push(format!("to see all sign-ins later: vdr-watch --dry-run --format json --since {since}").into());
    }
    if logins.is_empty() {
        return;
    }
    let which = if logins.len() > LOGINS_SHOWN { "Latest logins" } else { "Logins" };
    let read = if is_whole { "" } else { " as far as they could be read" };
    let summary = format!("{which} in the window{read}, {}", compared(report, finding, clock));
    let blocks = vec![Block::Table(login_table(logins, report.body.logins().compared_since.is_some()))];
    person.details.push(Details { summary: summary.into(), blocks });
}

fn login_table(logins: &[MarkedLogin], is_compared: bool) -> Table {
    let shown = &logins[logins.len().saturating_sub(LOGINS_SHOWN)..];
    // many portals never know a place
    let has_place = shown.iter().any(|login| place_of(login).is_some());
    let columns =
        [("When", true), ("What", true), ("From", true), ("Place", has_place), ("Browser", true), ("New", is_compared)];
    let columns: Vec<&str> = columns.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
    let mut table = Table::new("", &columns);
    for login in shown {
        let event = &login.event;
        let what = said(&event.text).unwrap_or_else(|| event.action.to_string().into());
        let mut cells: Vec<Cell> = vec![event.at.into(), what.into(), said(&event.ip).into()];
        cells.extend(has_place.then(|| place_of(login).into()));
        cells.push(said(&event.browser).into());
        let new: Vec<&str> = login.new.iter().map(novelty).collect();
        cells.extend(is_compared.then(|| new.join(", ").into()));
        table.row(cells);
    }
    table.of(logins.len() as u64, "the JSON report")
}

/// The portal writes an empty text for what it does not know.
fn said(text: &Option<PortalText>) -> Option<Line> {
    text.as_ref().filter(|text| !text.raw().is_empty()).map(Line::from)
}

fn place_of(login: &MarkedLogin) -> Option<Line> {
    match (said(&login.event.country), said(&login.event.city)) {
        (Some(country), Some(city)) => Some(country.and(", ").and(city)),
        (country, city) => country.or(city),
    }
}

fn novelty(novelty: &Novelty) -> &'static str {
    match novelty {
        Novelty::Address => "address",
        Novelty::Country => "country",
    }
}

/// What the marks of new addresses and countries mean.
fn compared(report: &Report, finding: &Finding, clock: Clock) -> String {
    let logins = report.body.logins();
    let earlier = logins.earlier.get(&finding.person.id).copied().unwrap_or_default();
    match logins.compared_since.map(|since| clock.day(since)) {
        None if logins.earlier_unseen.is_some() => {
            "what is new in them is not known, because earlier ones could not be read".to_owned()
        }
        None => "with too little history to say what is new".to_owned(),
        Some(since) if earlier == 0 => format!("the first since {since}"),
        Some(since) => format!("compared with {} since {since}", plural(earlier, "earlier login")),
    }
}
