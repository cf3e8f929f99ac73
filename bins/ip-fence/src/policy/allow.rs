//! `policy allow`: adds a rule for one person and one address to the end of the policy's file, and touches nothing else in it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;

use audit_model::{AddressRange, Person};
use chrono::NaiveDate;
use job_runner::exit::Exit;
use job_runner::time_spec::TimeSpec;
use job_runner::{Error, Setup};

use super::given::{account, path, policy_file, resolved};
use super::import::{NewRule, free_label};
use super::{Entry, Policy, PolicyFile, Rule, directory, lint, parse, shown};
use crate::config::Config;

/// Of an IPv6 address, which the portal does not note as the rule has it.
const CUT: &str = "\nLook at it again: the portal notes an IPv6 address only up to its first colon, so runs cannot tell whether somebody came \
                   from here, and still report it as `cannot_judge`. Give an IPv4 address where there is one.\n";

pub(crate) async fn allow(
    setup: &Setup<'_, Config>,
    person: &str,
    address: &str,
    reason: &str,
) -> anyhow::Result<Exit> {
    let expires = last_day(setup.args.until, setup.now.date_naive())?;
    let wrong = |error| Error::setting("ADDRESS", format!("`{}` {error}", shown(address)));
    let range: AddressRange = address.trim().parse().map_err(wrong)?;
    let client = setup.client()?;
    let (policy, directory) = resolved(setup, &client, policy_file(setup)?).await?;
    let person = &account(&directory, person)?.person;
    if let Some(rule) = allowing(&policy, person, range, expires) {
        let (label, line) = (shown(&rule.label), rule.line);
        setup.print(&format!("rule \"{label}\" (line {line}) allows it already; nothing was changed\n"))?;
        return Ok(Exit::Concluded);
    }
    let rule = new_rule(&policy, person, range, (reason, expires));
    let Some(path) = path(setup) else { return Ok(Exit::Usage) };
    let before = std::fs::read_to_string(path)?;
    let text = format!("{}\n{rule}", if before.ends_with('\n') { "" } else { "\n" });
    // an addition that breaks the policy would blind every run
    let after = parse(&format!("{before}{text}")).map_err(|mistakes| directory::refused(path, mistakes))?;
    let what = if setup.args.dry_run {
        "would be added to"
    } else {
        let added = OpenOptions::new().append(true).open(path).and_then(|file| add(file, &text));
        added.map_err(|error| Error::setting("policy", format!("{} cannot be written: {error}", path.display())))?;
        "was added to"
    };
    let endless = if expires.is_none() { "\nThe rule has no end; `--until DATE` gives it one.\n" } else { "" };
    let cut = if matches!(range, AddressRange::V6 { .. }) { CUT } else { "" };
    setup.print(&format!("This rule {what} {}:\n{text}{}{cut}{endless}", path.display(), doubts(setup, &after)?))?;
    Ok(Exit::Concluded)
}

/// Adds the text at the end, or nothing: half a rule would blind every run.
fn add(mut file: File, text: &str) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    let added = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if added.is_err() {
        file.set_len(length)?;
    }
    added
}

/// Until when a rule counts: from that day on it does not.
fn last_day(until: Option<TimeSpec>, today: NaiveDate) -> Result<Option<NaiveDate>, Error> {
    match until {
        None => Ok(None),
        // it would allow nothing, and whoever asks believes that it does
        Some(TimeSpec::Date(day)) if day <= today => Err(Error::setting(
            "--until",
            format!("is over: the rule would not count any more; give a day after {today} (UTC)"),
        )),
        Some(TimeSpec::Date(day)) => Ok(Some(day)),
        Some(_) => Err(Error::setting(
            "--until",
            "must be a date such as 2027-01-01: from that day (UTC) on the rule does not count",
        )),
    }
}

/// The rule that allows somebody all of it for as long.
fn allowing<'p>(
    policy: &'p Policy,
    person: &Person,
    range: AddressRange,
    until: Option<NaiveDate>,
) -> Option<&'p Rule> {
    let own = policy.allowed(person.id)?.rules.iter().map(|rule| &policy.rules[*rule]);
    let holds = |entry: &Entry| lint::holds(entry.range, range);
    let lasts = |rule: &&Rule| rule.expires.is_none_or(|end| until.is_some_and(|until| until <= end));
    own.filter(lasts).find(|rule| rule.allow.iter().any(holds))
}

fn new_rule(
    policy: &Policy,
    person: &Person,
    range: AddressRange,
    (reason, expires): (&str, Option<NaiveDate>),
) -> NewRule {
    let id = person.id.to_string();
    let taken: BTreeSet<&str> = policy.rules.iter().map(|rule| rule.label.as_str()).collect();
    let label = format!("{}, {range}", person.name.for_terminal());
    let mut used = usize::from(taken.contains(label.as_str()));
    NewRule {
        label: free_label(&label, &taken, &mut used),
        people: vec![person.email.as_ref().map_or(id, |email| email.raw().to_owned())],
        allow: [range].into(),
        reason: Some(reason.to_owned()),
        expires,
    }
}

/// What is odd about the last entry of the policy.
fn doubts(setup: &Setup<'_, Config>, after: &PolicyFile) -> Result<String, Error> {
    let is_public = setup.config.portal.is_public(&setup.portal_url()?);
    let added = after.rules.last().map(|rule| rule.line).unwrap_or_default();
    let doubts =
        lint::doubts(after, Some(is_public), setup.now.date_naive()).into_iter().filter(|doubt| doubt.line >= added);
    Ok(doubts.map(|doubt| format!("\nLook at it again: {doubt}\n")).collect())
}
