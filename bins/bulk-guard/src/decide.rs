//! `release`, `keep`, `extend`, `cancel`, `approve`: what somebody decides about an incident, written into the journal with who and why.
//!
//! Decisions do not wait for a run that is at work: each is written only over what it was decided about, and a run that finds an entry
//! changed leaves it to the next one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use audit_model::PortalText;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use event_archive::Archive;
use job_runner::exit::Exit;
use job_runner::time_spec::TimeSpec;
use job_runner::{Desk, Error, Looked, Setup};
use uuid::Uuid;

use crate::cli::{Because, MaybeBecause};
use crate::config::Config;
use crate::explain;
use crate::status::{is_off, is_unclear, whom};
use crate::suspend::command::{Command, decide};
use crate::suspend::entry::{Entry, State};
use crate::suspend::ledger::{Kept, Ledger};
use crate::suspend::next::next;
use crate::suspend::portal::Live;
use crate::suspend::run;
use crate::suspend::seen::Situation;
use crate::suspend::words::moment;

/// So often a decision is tried again because somebody has changed the entry meanwhile.
const TRIES: u32 = 8;

/// Incidents that a message names.
const NAMED: usize = 20;

/// What became of a decision about one incident.
enum Outcome {
    /// The entry as it is now; whether this has changed it.
    Decided(Box<Entry>, bool),
    /// Of whom, and why not.
    Refused(String, String),
}

/// Who decides, and why.
struct Deciding {
    who: String,
    why: String,
}

impl Deciding {
    fn new(by: Option<&str>, reason: Option<&str>, setup: &Setup<'_, Config>) -> Self {
        let operator = || setup.operator().unwrap_or_else(|| "somebody on this machine".to_owned());
        Deciding {
            who: by.map_or_else(operator, |by| by.trim().to_owned()),
            why: reason.map_or("no reason was given", str::trim).to_owned(),
        }
    }
}

/// Decides about all people of one incident. `order` gets each entry as it was shown.
pub(crate) async fn about(
    incident: &str,
    order: impl Fn(&Entry) -> Command,
    (by, reason): (Option<&str>, Option<&str>),
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Exit> {
    let deciding = Deciding::new(by, reason, setup);
    let (_, entries) = shown(setup).await?;
    let meant = named(&entries, incident)?;
    let orders = meant.iter().map(|entry| (entry.incident.id.clone(), order(entry))).collect();
    carry_out(orders, &deciding, setup).await
}

/// `extend INCIDENT --until TIME`
pub(crate) async fn extend(
    incident: &str,
    MaybeBecause { reason, by }: &MaybeBecause,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Exit> {
    let until = match setup.args.until {
        None => {
            let message = "is missing: give the time at which the suspension is to end, such as";
            return Err(Error::setting("--until", format!("{message} {}", in_4_hours(setup.now))).into());
        }
        Some(TimeSpec::Age(_)) => {
            let message = "is an age, which is in the past; give the time at which the suspension is to end, such as";
            return Err(Error::setting("--until", format!("{message} {}", in_4_hours(setup.now))).into());
        }
        Some(time) => time.resolve(setup.now, shown(setup).await?.0.zone),
    };
    about(incident, |_| Command::Extend { until }, (by.as_deref(), reason.as_deref()), setup).await
}

fn in_4_hours(now: DateTime<Utc>) -> String {
    (now + TimeDelta::hours(4)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `approve INCIDENT --by NAME --reason TEXT`: one person, who is printed.
pub(crate) async fn approve(
    incident: &str,
    (by, reason): (&str, &str),
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Exit> {
    let (_, entries) = shown(setup).await?;
    let held: Vec<&Entry> = named(&entries, incident)?.into_iter().filter(|entry| entry.state == State::Held).collect();
    if held.len() > 1 {
        // whoever approves several at once has not looked at each
        let mut text =
            format!("{} people of this incident are held. Look at each, and approve each by itself:\n", held.len());
        for entry in held {
            let reason = PortalText::new(entry.incident.reason.english()).for_terminal();
            writeln!(text, "  {}: {reason}", whom(entry))?;
            writeln!(text, "    bulk-guard approve {} --by NAME --reason TEXT", entry.incident.id)?;
        }
        setup.print(&text)?;
        return Ok(Exit::Nothing);
    }
    about(incident, |entry| Command::Approve { shown: entry.person() }, (Some(by), Some(reason)), setup).await
}

/// `release PERSON|--all --reason TEXT`; `None`: all.
pub(crate) async fn release(
    person: Option<&str>,
    Because { reason, by }: &Because,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Exit> {
    let deciding = Deciding::new(by.as_deref(), Some(reason), setup);
    let (looked, entries) = shown(setup).await?;
    let Some(word) = person else {
        let stays = |entry: &&Entry| entry.state == State::Kept || is_unclear(entry.state);
        let (stay, off): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().filter(|entry| is_off(entry.state) || is_unclear(entry.state)).partition(stays);
        let mut text = String::new();
        for entry in &stay {
            writeln!(text, "{}: not released. {}", whom(entry), next(entry, setup.now))?;
        }
        if stay.is_empty() && off.is_empty() {
            text += "Nobody's account is disabled through this program.\n";
        }
        setup.print(&text)?;
        let done = carry_out(orders(&off), &deciding, setup).await?;
        let is_unclear = stay.iter().any(|entry| is_unclear(entry.state));
        return Ok(if is_unclear { Exit::Nothing } else { done });
    };
    let of_incident: Vec<&Entry> = entries.iter().filter(|entry| entry.incident.is_called(word)).collect();
    if !of_incident.is_empty() {
        return carry_out(orders(&of_incident), &deciding, setup).await;
    }
    let person = person_of(word, (&looked, &entries), setup).await?;
    let of_person: Vec<&Entry> = entries.iter().filter(|entry| entry.person() == person).collect();
    let open: Vec<&Entry> =
        of_person.iter().copied().filter(|entry| is_off(entry.state) || is_unclear(entry.state)).collect();
    // whoever asks again hears that it is done
    let last = of_person.iter().copied().max_by_key(|entry| entry.noted_at());
    let is_released = |entry: &&Entry| entry.state == State::Released;
    let meant = if open.is_empty() { last.filter(is_released).into_iter().collect() } else { open };
    if meant.is_empty() {
        let shown = PortalText::new(word).for_terminal();
        let text = format!(
            "The account of {shown} is not disabled through this program, so there is nothing to release. `bulk-guard status` lists whose is.\n"
        );
        setup.print(&text)?;
        return Ok(Exit::Nothing);
    }
    carry_out(orders(&meant), &deciding, setup).await
}

fn orders(entries: &[&Entry]) -> Vec<(String, Command)> {
    entries.iter().map(|entry| (entry.incident.id.clone(), Command::Release)).collect()
}

/// Whom a word means: by what is remembered of the portal, then by what is in the journal, then by the portal itself. People choose their
/// names, also one that is the address of somebody else, so a name counts last.
async fn person_of(
    word: &str,
    (looked, entries): (&Looked, &[Entry]),
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Uuid> {
    if let Some(person) = setup.known_person(looked, word, entries.iter().map(Entry::person)).await? {
        return Ok(person);
    }
    let is_name = !word.contains('@') && Uuid::parse_str(word.trim()).is_err();
    let is_called = |entry: &&Entry| is_name && entry.incident.name.trim().eq_ignore_ascii_case(word.trim());
    let named: BTreeSet<Uuid> = entries.iter().filter(is_called).map(Entry::person).collect();
    if let (1, Some(person)) = (named.len(), named.first()) {
        return Ok(*person);
    }
    Ok(explain::find(word, &setup.client()?.people().await?)?.person.id)
}

/// What is remembered now, as a copy.
pub(crate) async fn shown(setup: &Setup<'_, Config>) -> anyhow::Result<(Looked, Vec<Entry>)> {
    let looked = setup.looked().await?;
    let entries = Kept::open(looked.store.clone(), setup.now).await?.entries().await?;
    Ok((looked, entries))
}

/// The entries of an incident: one for each of its people.
///
/// # Errors
/// There is none of that name: exit code 2, with those that there are.
pub(crate) fn named<'e>(entries: &'e [Entry], incident: &str) -> Result<Vec<&'e Entry>, Error> {
    let meant: Vec<&Entry> = entries.iter().filter(|entry| entry.incident.is_called(incident)).collect();
    if !meant.is_empty() {
        return Ok(meant);
    }
    let mut known: Vec<String> = Vec::new();
    for entry in entries.iter().rev() {
        let called = PortalText::new(entry.incident.called()).for_terminal();
        if !known.contains(&called) {
            known.push(called);
        }
    }
    let more = known.len().saturating_sub(NAMED);
    known.truncate(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let message = match known.is_empty() {
        true => "is no incident that this program remembers: it remembers none for which anybody could be suspended"
            .to_owned(),
        false => format!(
            "is no incident that this program remembers; `bulk-guard status` shows what there is, the newest first: {}{more}",
            known.join(", ")
        ),
    };
    Err(Error::Argument(PortalText::new(incident).for_terminal(), message))
}

/// Writes the decisions down, and says what follows.
async fn carry_out(
    orders: Vec<(String, Command)>,
    deciding: &Deciding,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<Exit> {
    if orders.is_empty() {
        return Ok(Exit::Concluded);
    }
    let decided = setup.at_desk(async |desk| decided(&orders, deciding, desk, setup).await).await?;
    let Some((text, exit)) = decided else {
        anyhow::bail!("the store is gone since it was looked at; try again");
    };
    setup.print(&text).map(|()| exit)
}

async fn decided(
    orders: &[(String, Command)],
    deciding: &Deciding,
    desk: &Desk,
    setup: &Setup<'_, Config>,
) -> anyhow::Result<(String, Exit)> {
    let mut outcomes = Vec::new();
    for (id, command) in orders {
        outcomes.push(write_down(desk, (id, command), deciding, setup.now).await?);
    }
    let mut text = String::new();
    let mut is_blocked = false;
    for outcome in &mut outcomes {
        let Outcome::Decided(entry, _) = outcome else { continue };
        let is_release = orders.iter().any(|(id, order)| *id == entry.incident.id && *order == Command::Release);
        if !is_release || desk.busy().is_some() || !matches!(entry.state, State::Done | State::ReleaseFailed) {
            continue;
        }
        if setup.stopping().is_asked() {
            is_blocked = true;
            continue;
        }
        match enable_now(desk, &entry.incident.id, setup).await {
            Ok(Some(now)) => **entry = now,
            Ok(None) => {}
            Err(failure) => {
                is_blocked = true;
                writeln!(
                    text,
                    "{}: the portal could not be asked to enable the account now: {failure:#}.",
                    whom(entry)
                )?;
            }
        }
        is_blocked |= entry.state != State::Released;
    }
    for outcome in &outcomes {
        match outcome {
            Outcome::Decided(entry, is_new) => {
                let before = if *is_new { "" } else { "This was decided before. " };
                writeln!(text, "{}: {}. {before}{}", whom(entry), happened(entry, orders), next(entry, setup.now))?;
            }
            Outcome::Refused(who, why) => writeln!(text, "{who}: nothing was decided, because {why}.")?,
        }
    }
    if setup.stopping().is_asked() && is_blocked {
        text += "This command was stopped. The next run does what is still to be done.\n";
    }
    let is_any_new = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Decided(_, true)));
    if let Some(busy) = desk.busy().filter(|_| is_any_new) {
        writeln!(text, "Note: {busy} is at work now. It leaves what was decided here as it is, to the run after it.")?;
    }
    let is_refused = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(..)));
    Ok((text, if is_refused || is_blocked { Exit::Nothing } else { Exit::Concluded }))
}

/// Ends one suspension as the next run would, with all that it asks before and after. Gives the entry as it is then.
async fn enable_now(desk: &Desk, id: &str, setup: &Setup<'_, Config>) -> anyhow::Result<Option<Entry>> {
    let client = setup.client()?;
    let situation = Situation::of_way_back(client.identity().await?.person.id);
    let archive = Archive::open(desk.store.clone()).await?;
    let live = Live::new(client, archive, (setup.config, &setup.common.service_accounts), setup.clock());
    let ledger = Kept::open(desk.store.clone(), setup.now).await?;
    run::follow_one((&ledger, &live), (&situation, &setup.config.terms()), id).await?;
    Ok(ledger.entries().await?.into_iter().find(|entry| entry.incident.id == id))
}

/// What an entry is now, by the order that was given about it.
fn happened(entry: &Entry, orders: &[(String, Command)]) -> String {
    let order = orders.iter().find(|(id, _)| *id == entry.incident.id).map(|(_, command)| command);
    match order {
        Some(Command::Approve { .. }) => {
            let reason = PortalText::new(entry.incident.reason.english()).for_terminal();
            format!("the suspension of this person is approved ({reason})")
        }
        Some(Command::Cancel) => "cancelled, so that nobody is suspended for this incident".to_owned(),
        Some(Command::Keep) => "the account is to stay disabled".to_owned(),
        Some(Command::Extend { until }) => format!("the suspension now ends at {}", moment(*until)),
        Some(Command::Release) if entry.state == State::Released => "the account is enabled again".to_owned(),
        Some(Command::Release) if entry.state == State::Settled => {
            let why = entry.why.as_deref().unwrap_or("somebody else has decided about it");
            format!("this program leaves the account alone, because {why}; look at it in the portal")
        }
        Some(Command::Release) if matches!(entry.state, State::ReleaseFailed | State::Releasing) => {
            let why = entry.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            format!("the account is not known to be enabled{why}")
        }
        Some(Command::Release) if entry.state == State::Done && entry.why.is_some() => {
            let why = entry.why.as_deref().unwrap_or_default();
            format!("the account is to be enabled, and could not be now: {why}")
        }
        Some(Command::Release) | None => "the account is to be enabled".to_owned(),
    }
}

/// One decision, on disk when this returns.
async fn write_down(
    desk: &Desk,
    (id, command): (&str, &Command),
    Deciding { who, why }: &Deciding,
    now: DateTime<Utc>,
) -> anyhow::Result<Outcome> {
    let ledger = Kept::open(desk.store.clone(), now).await?;
    for _ in 0..TRIES {
        let entries = ledger.entries().await?;
        let Some(entry) = entries.into_iter().find(|entry| entry.incident.id == id) else {
            return Ok(Outcome::Refused(id.to_owned(), "the incident is not remembered any more".to_owned()));
        };
        let decided = match decide(&entry, command, (who, why), now) {
            Ok(decided) if decided == entry => return Ok(Outcome::Decided(Box::new(entry), false)),
            Ok(decided) => decided,
            Err(why) => return Ok(Outcome::Refused(whom(&entry), why)),
        };
        if ledger.commit(&decided).await? {
            return Ok(Outcome::Decided(Box::new(decided), true));
        }
    }
    let why = "a run changes it all the time; try again when that run has ended";
    Ok(Outcome::Refused(id.to_owned(), why.to_owned()))
}
