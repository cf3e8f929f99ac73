//! What people are told of a suspension: never more than was read back, and always how to undo it.

mod german;

use audit_model::{PersonStatus, PortalRole, PortalText, Sentence};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::suspend::entry::{Entry, Incident};
use crate::suspend::seen::AccountNow;
use crate::suspend::why;

/// What a suspension does not stop.
const GOES_ON: &str = "Documents that are open in the editor can still be saved, external links go on working, and API keys of the person work again as soon as the account is enabled.";

/// How to undo it without this program.
const BY_HAND: &str = "To enable the account without this program, open Contacts in the portal as an administrator and enable the person there.";

pub(crate) fn name(incident: &Incident) -> String {
    PortalText::new(incident.name.as_str()).for_terminal()
}

/// Who asked for a run, as the end of "asked for by …".
pub(crate) fn asker(who: &str) -> String {
    PortalText::new(who).for_terminal()
}

/// On one line: minutes, and the zone.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn id(incident: &Incident) -> &str {
    incident.called()
}

/// The account as it was read, as a whole sentence.
fn as_read(account: &AccountNow) -> String {
    let status = match account {
        AccountNow::Gone => return "The account does not exist any more.".to_owned(),
        AccountNow::Unread(_) => return "The account could not be read.".to_owned(),
        AccountNow::There(account) => account.person.status,
    };
    match status {
        Some(PersonStatus::Active) => "The account is enabled.",
        Some(PersonStatus::Disabled) => "The account is disabled.",
        Some(PersonStatus::Pending) => "The account is an invitation that has not been accepted.",
        None => "The status of the account could not be read.",
    }
    .to_owned()
}

/// Why the portal refuses, by what the account is now: its answer is the same for every reason.
pub(crate) fn refusal(account: &AccountNow, own: Uuid) -> Option<Sentence> {
    let account = match account {
        AccountNow::Gone => return Some(why::GONE.into()),
        AccountNow::Unread(_) => return None,
        AccountNow::There(account) => account,
    };
    let why = match account.person.role {
        Some(PortalRole::Owner) => why::OWNER_NOW,
        Some(PortalRole::DocspaceAdmin) => why::ADMIN_NOW,
        _ if account.person.id == own => why::OWN_ACCOUNT,
        _ if account.is_ldap => why::DIRECTORY_NOW,
        _ => return None,
    };
    Some(why.into())
}

pub(crate) fn held(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "{} is not suspended: {why}. {}. To let it go on, run `bulk-guard approve {} --by NAME --reason TEXT` within 30 minutes.",
            name(incident),
            incident.reason,
            id(incident)
        ),
        german::held(incident, why),
    )
}

pub(crate) fn held_together(people: usize, incidents: &[&str], why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "Nobody is suspended, because the plan is too large: {why}. It names {people} people. Look at each, and run `bulk-guard approve INCIDENT --by NAME --reason TEXT` for those that are right: {}.",
            incidents.join(", ")
        ),
        german::held_together(people, incidents, why),
    )
}

pub(crate) fn suspending(entry: &Entry) -> Sentence {
    let term = match (entry.deadline(), &entry.incident.needs_decision) {
        (Some(end), _) => format!("The term would end at {}.", moment(end)),
        (None, Some(why)) => {
            format!("No term ends it, because {why}: the account stays disabled until somebody decides.")
        }
        (None, None) => "The account stays disabled until somebody decides.".to_owned(),
    };
    let asked_by = entry.intent.as_ref().and_then(|intent| intent.asked_by.as_deref());
    let asked = asked_by.map_or_else(String::new, |who| format!(" The run was asked for by {}.", asker(who)));
    Sentence::new(
        format!("Suspending {}: {}. {term}{asked}", name(&entry.incident), entry.incident.reason),
        german::suspending(entry),
    )
}

pub(crate) fn done(entry: &Entry) -> Sentence {
    let incident = &entry.incident;
    let term = match (entry.deadline(), &entry.incident.needs_decision) {
        (Some(end), _) => format!("The account will be enabled again at {}, after a warning.", moment(end)),
        (None, Some(why)) => format!("The account stays disabled until somebody decides, because {why}."),
        (None, None) => "The account stays disabled until somebody decides.".to_owned(),
    };
    let links = links(incident);
    Sentence::new(
        format!(
            "{} is suspended: the account is disabled, and the audit trail shows it. {term} {GOES_ON}{links} To enable it now, run `bulk-guard release {} --reason TEXT`; to keep it disabled, run `bulk-guard keep {} --reason TEXT`. {BY_HAND}",
            name(incident),
            incident.person,
            id(incident)
        ),
        german::done(entry),
    )
}

/// Links that a sentence names.
const LINKS_SHOWN: usize = 5;

fn links(incident: &Incident) -> String {
    let many = incident.links.len();
    let shown: Vec<String> = incident.links.iter().take(LINKS_SHOWN).map(|link| shown(link)).collect();
    match many {
        0 => String::new(),
        1 => format!(
            " The person made 1 external link in the last 24 h, to {}; remove it in the portal if it should not go on.",
            shown.concat()
        ),
        _ if many > LINKS_SHOWN => format!(
            " The person made {many} external links in the last 24 h, among them to {}; remove those in the portal that should not go on.",
            shown.join(", ")
        ),
        _ => format!(
            " The person made {many} external links in the last 24 h, to {}; remove those in the portal that should not go on.",
            shown.join(", ")
        ),
    }
}

fn shown(text: &str) -> String {
    format!("\"{}\"", title(text))
}

fn title(text: &str) -> String {
    PortalText::new(text).for_terminal_within(60)
}

pub(crate) fn failed(incident: &Incident, why: &Sentence, account: &AccountNow) -> Sentence {
    Sentence::new(
        format!("{} could not be suspended: {why}. {}", name(incident), as_read(account)),
        german::failed(incident, why, account),
    )
}

pub(crate) fn unknown(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "It is not known whether {} is suspended: {why}. Look at the account in the portal; this program does not touch it again until that is clear. {BY_HAND}",
            name(incident)
        ),
        german::unknown(incident, why),
    )
}

pub(crate) fn warning(incident: &Incident, end: DateTime<Utc>) -> Sentence {
    Sentence::new(
        format!(
            "The account of {} will be enabled again at about {}. To keep it disabled, run `bulk-guard keep {} --reason TEXT`. {BY_HAND}",
            name(incident),
            moment(end),
            id(incident)
        ),
        german::warning(incident, end),
    )
}

pub(crate) fn blocked(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "The suspension of {} should end, and this program cannot end it: {why}. It tries again with each run. {BY_HAND}",
            name(incident)
        ),
        german::blocked(incident, why),
    )
}

pub(crate) fn overdue(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "The suspension of {} may be over, and this program ends none while it does not know what time it is: {why}. The next runs end it once the clocks agree. {BY_HAND}",
            name(incident)
        ),
        german::overdue(incident, why),
    )
}

pub(crate) fn released(incident: &Incident) -> Sentence {
    Sentence::new(
        format!(
            "The account of {} is enabled again. The person has to sign in anew; old sessions stay closed.",
            name(incident)
        ),
        german::released(incident),
    )
}

pub(crate) fn release_failed(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!(
            "The account of {} is not known to be enabled again: {why}. This program tries again, each time after a longer pause of up to 1 h. {BY_HAND}",
            name(incident)
        ),
        german::release_failed(incident, why),
    )
}

pub(crate) fn settled(incident: &Incident, why: &Sentence, account: &AccountNow) -> Sentence {
    let is_off = matches!(account, AccountNow::There(account) if account.person.status == Some(PersonStatus::Disabled));
    let by_hand = if is_off { format!(" {BY_HAND}") } else { String::new() };
    Sentence::new(
        format!(
            "This program leaves the account of {} alone from now on: {why}. {} Check that this is what you want.{by_hand}",
            name(incident),
            as_read(account)
        ),
        german::settled(incident, why, account),
    )
}

pub(crate) fn dropped(incident: &Incident, why: &Sentence) -> Sentence {
    Sentence::new(
        format!("{} was not suspended: {why}. {}.", name(incident), incident.reason),
        german::dropped(incident, why),
    )
}

pub(crate) fn lost(person: Uuid, at: DateTime<Utc>) -> Sentence {
    Sentence::new(
        format!(
            "The audit trail says that the account of this program's key switched the account {person} on or off at {}, and this program does not remember why: its store was lost, or another host or a person uses the key's account. It neither enables the account nor suspends anybody for 24 h. {BY_HAND}",
            moment(at)
        ),
        german::lost(person, at),
    )
}

pub(crate) fn kept(incident: &Incident) -> Sentence {
    Sentence::new(
        format!("The account of {} stays disabled until somebody enables it in the portal. {BY_HAND}", name(incident)),
        german::kept(incident),
    )
}

pub(crate) fn cancelled(incident: &Incident) -> Sentence {
    Sentence::new(
        format!("{} is not suspended for this incident: somebody has cancelled it.", name(incident)),
        german::cancelled(incident),
    )
}
