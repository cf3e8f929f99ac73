//! `explain PERSON`: what is remembered of one person beside each limit, and whether a plan could suspend them. `explain INCIDENT`: the course of
//! one suspension.

mod incident;

use std::fmt::Write as _;

use ::report::words::plural;
use audit_model::PortalText;
use docspace_client::Account;
use job_runner::Setup;
use job_runner::config::Settings;
use job_runner::exit::Exit;
use job_runner::replay::Past;
use safe_actions::Candidate;
use uuid::Uuid;

use crate::config::{Armed, Config, Threshold};
use crate::decide;
use crate::drill::book::Spent;
use crate::gather::changes::{Answers, feed};
use crate::people;
use crate::rule::detector::Detector;
use crate::rule::kind::{DOCUMENT, Kind};

pub(crate) async fn run(subject: &str, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let (_, entries) = decide::shown(setup).await?;
    match decide::named(&entries, subject) {
        Ok(meant) => {
            setup.print(&incident::text(&meant, setup.now)?)?;
            Ok(Exit::Concluded)
        }
        Err(_) => person(subject, setup).await,
    }
}

async fn person(name: &str, setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let past = Past::of(setup, setup.config.reach(setup.about.window)).await?;
    let client = setup.client()?;
    let account = find(&setup.revealed(name).await?, &client.people().await?)?;

    let mut text = String::new();
    let person = &account.person;
    let shown = |text: &Option<PortalText>| text.as_ref().map(PortalText::for_terminal).unwrap_or_default();
    writeln!(text, "{} <{}>, {}", person.name.for_terminal(), shown(&person.email), person.id)?;
    match past.nothing_remembered(env!("CARGO_PKG_NAME")).await? {
        Some(nothing) => text += &nothing,
        None => {
            let spent = Spent::read(&setup.looked().await?.store, setup.now).await?;
            text += &beside_limits(person.id, past, (setup.config, spent)).await?;
        }
    }
    let robots = &setup.common.service_accounts;
    let protection = people::known(setup.config, &client, robots).await.protection;
    let candidate = Candidate {
        person: person.clone(),
        is_ldap: account.is_ldap,
        reason: String::new(),
        fingerprint: String::new(),
        hold: None,
    };
    match protection.hold(&candidate) {
        Some(hold) => writeln!(text, "A plan could not suspend this person: {}", hold.words())?,
        None => writeln!(text, "A plan could suspend this person.")?,
    }
    setup.print(&text)?;
    Ok(Exit::Concluded)
}

/// What is remembered of somebody beside each limit, a line each.
async fn beside_limits(person: Uuid, past: Past, (config, spent): (&Config, Spent)) -> anyhow::Result<String> {
    let Past { archive, zone, window, clock } = past;
    // with limits of nothing every stretch is an episode, the fullest among them
    let armed: Vec<Armed> = config.limits.armed();
    let open: Vec<Armed> =
        armed.iter().map(|one| Armed { threshold: Threshold { documents: 0, ..one.threshold }, ..*one }).collect();
    let mut detector = Detector::with(open);
    let answers = Answers::remembered((&archive, spent), window, config.folder_weight).await?;
    feed(&archive, window, &answers, |change| detector.push(change)).await?;
    let incidents = detector.finish();

    let mut text = String::new();
    writeln!(
        text,
        "From what is remembered, {}, times in {zone}; folders of which nothing is remembered count {} each:",
        clock.span(window),
        config.folder_weight
    )?;
    for Armed { kind, threshold } in armed {
        let own = incidents.iter().filter(|incident| incident.finding.person.id == person);
        let own = own.flat_map(|one| &one.exceeded).filter(|one| one.kind == kind);
        // a longer time with no more in it is left out
        let shorter = own.filter(|one| one.threshold.minutes <= threshold.minutes);
        let fullest = shorter.map(|one| one.documents).max();
        let (count, name) = (fullest.unwrap_or(0), kind.map_or("changed", Kind::participle));
        if count == 0 && kind.is_some() {
            continue;
        }
        let (what, span) = (plural(count, kind.map_or(DOCUMENT, Kind::counted)), threshold.span());
        writeln!(text, "  {name}: peak {what} in {span} (limit {})", threshold.documents)?;
    }
    for gap in archive.unread_audit(window).await? {
        writeln!(text, "Not remembered: {}", clock.span(gap))?;
    }
    Ok(text)
}

/// By id, e-mail address, or the one exact name.
pub(crate) fn find(name: &str, people: &[Account]) -> Result<Account, job_runner::Error> {
    let meant: Vec<&Account> = people.iter().filter(|account| account.person.is_meant_by(name)).collect();
    // people choose their names, also one that is the address of somebody else
    let is_name = meant.is_empty() && !name.trim().is_empty();
    let is_named = |account: &&Account| is_name && account.person.name.raw() == name;
    let mut found = meant.iter().copied().chain(people.iter().filter(is_named));
    let shown = PortalText::new(name).for_terminal();
    match (found.next(), found.next()) {
        (Some(account), None) => Ok(account.clone()),
        (Some(_), Some(_)) => Err(job_runner::Error::setting(
            "PERSON",
            format!("several people are named `{shown}`; give the e-mail address"),
        )),
        (None, _) => Err(job_runner::Error::setting(
            "PERSON",
            format!("nobody has the id, e-mail address or exact name `{shown}`, and no incident is called so"),
        )),
    }
}
