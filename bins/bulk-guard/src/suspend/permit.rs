//! Whether this run may change the portal at all.

use audit_model::Sentence;
use chrono::{DateTime, TimeDelta, Utc};

use crate::suspend::entry::Entry;
use crate::suspend::seen::{Asked, Clocks, Seen, Situation};
use crate::suspend::terms::DECIDED_FOR;

/// A channel is proven by a test alert that was taken not longer ago.
pub(crate) const PROVEN_FOR: TimeDelta = TimeDelta::days(7);

/// So much may a clock be set back without anything being wrong.
const SET_BACK: TimeDelta = TimeDelta::minutes(2);

/// Why a run changes nothing, or suspends nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    DryRun,
    OnlyReads,
    Replay,
    NoLock,
    ClockUnknown,
    ClocksApart { seconds: i64 },
    ClockWentBack,
    Observing,
    AfterPause,
    NoProvenChannel,
    KeyEnds { at: DateTime<Utc> },
    TrailIncomplete,
    OthersUseTheAccount,
    GuardUnread(String),
}

impl Refusal {
    /// As the end of a sentence: "nobody is suspended: …".
    pub(crate) fn words(&self) -> String {
        match self {
            Refusal::DryRun => "this is a dry run".to_owned(),
            Refusal::OnlyReads => "the caller only reads; send a POST request to act".to_owned(),
            Refusal::Replay => "`--since` or `--until` was given, so this run looks at the past".to_owned(),
            Refusal::NoLock => "this run does not hold the lock of the store".to_owned(),
            Refusal::ClockUnknown => "the portal has not told its time".to_owned(),
            Refusal::ClocksApart { seconds } => format!(
                "the clocks of this machine and the portal are {seconds} s apart, more than 120 s; set the wrong one"
            ),
            Refusal::ClockWentBack => {
                "the portal's clock shows a time before this program's last action; set it right".to_owned()
            }
            Refusal::Observing => "the settings say `observe`".to_owned(),
            Refusal::AfterPause => "it is the first run after a pause, so all that it sees is from the pause".to_owned(),
            Refusal::NoProvenChannel => {
                "no channel has taken a test alert within 7 days; send one with `bulk-guard alerts test`".to_owned()
            }
            Refusal::KeyEnds { at } => format!(
                "the key expires on {}, before the longest term could end; create a new key",
                at.format("%Y-%m-%d at %H:%M UTC")
            ),
            Refusal::TrailIncomplete => "the audit trail could not be read completely".to_owned(),
            Refusal::OthersUseTheAccount => {
                "the audit trail shows changes by the key's account that this program did not make; give it an account of its own, or find the other host that runs it".to_owned()
            }
            Refusal::GuardUnread(what) => format!("it is not known whom the settings protect: {what}"),
        }
    }

    /// The same in both languages.
    pub(crate) fn sentence(&self) -> Sentence {
        Sentence::new(self.words(), self.german())
    }

    fn german(&self) -> String {
        let fixed = match self {
            Refusal::DryRun => "dies ist ein Probelauf (`--dry-run`)",
            Refusal::OnlyReads => "der Aufrufer liest nur; senden Sie eine POST-Anfrage, um zu handeln",
            Refusal::Replay => "`--since` oder `--until` ist angegeben, dieser Lauf sieht also in die Vergangenheit",
            Refusal::NoLock => "dieser Lauf hat den Speicher nicht für sich",
            Refusal::ClockUnknown => "das Portal hat seine Uhrzeit nicht genannt",
            Refusal::ClocksApart { seconds } => {
                return format!(
                    "die Uhren dieses Rechners und des Portals gehen {seconds} s auseinander, mehr als 120 s; stellen Sie die falsche"
                );
            }
            Refusal::ClockWentBack => {
                "die Uhr des Portals zeigt eine Zeit vor der letzten Aktion dieses Programms; stellen Sie sie richtig"
            }
            Refusal::Observing => "in den Einstellungen steht `observe`",
            Refusal::AfterPause => {
                "es ist der erste Lauf nach einer Pause, alles, was er sieht, ist also aus dieser Pause"
            }
            Refusal::NoProvenChannel => {
                "kein Kanal hat innerhalb von 7 Tagen eine Testmeldung angenommen; senden Sie eine mit `bulk-guard alerts test`"
            }
            Refusal::KeyEnds { at } => {
                return format!(
                    "der Schlüssel läuft am {} ab, bevor die längste Frist enden könnte; legen Sie einen neuen an",
                    at.format("%d.%m.%Y um %H:%M UTC")
                );
            }
            Refusal::TrailIncomplete => "das Audit-Protokoll war nicht vollständig zu lesen",
            Refusal::OthersUseTheAccount => {
                "das Audit-Protokoll zeigt Änderungen durch das Konto des Schlüssels, die dieses Programm nicht vorgenommen hat; geben Sie ihm ein eigenes Konto, oder suchen Sie den anderen Rechner, auf dem es läuft"
            }
            Refusal::GuardUnread(what) => {
                return format!("es ist nicht bekannt, wen die Einstellungen schützen („{what}“)");
            }
        };
        fixed.to_owned()
    }

    /// 4 for clocks, 1 for what else somebody has to see to, 0 for what is as it was asked for.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Refusal::DryRun
            | Refusal::OnlyReads
            | Refusal::Replay
            | Refusal::Observing
            | Refusal::AfterPause
            | Refusal::NoLock => 0,
            Refusal::ClockUnknown | Refusal::ClocksApart { .. } | Refusal::ClockWentBack | Refusal::TrailIncomplete => {
                4
            }
            Refusal::NoProvenChannel
            | Refusal::KeyEnds { .. }
            | Refusal::OthersUseTheAccount
            | Refusal::GuardUnread(_) => 1,
        }
    }
}

/// Whether this run may change anything at all, the way back included.
pub(crate) fn may_call(situation: &Situation) -> Result<(), Refusal> {
    match situation {
        Situation { is_dry_run: true, .. } => Err(Refusal::DryRun),
        Situation { asked: Asked::Get, .. } => Err(Refusal::OnlyReads),
        Situation { has_window: true, .. } => Err(Refusal::Replay),
        Situation { has_lock: false, .. } => Err(Refusal::NoLock),
        _ => Ok(()),
    }
}

/// The time by which terms are measured: both clocks agree on it, and it has not gone back since the last action.
pub(crate) fn time(clocks: Clocks, entries: &[Entry]) -> Result<DateTime<Utc>, Refusal> {
    let portal = clocks.portal.ok_or(Refusal::ClockUnknown)?;
    let apart = || Refusal::ClocksApart { seconds: (portal - clocks.here).num_seconds().abs() };
    let now = clocks.agreed().ok_or_else(apart)?;
    let newest = entries.iter().filter_map(Entry::newest_moment).max();
    if newest.is_some_and(|newest| newest > now + SET_BACK) {
        return Err(Refusal::ClockWentBack);
    }
    Ok(now)
}

/// Whether this run may suspend somebody, whoever it is. Gives the time.
pub(crate) fn may_suspend(seen: &Seen<'_>) -> Result<DateTime<Utc>, Refusal> {
    let Situation { own, enforced_since, is_after_pause, proven_at, key_ends, .. } = *seen.situation;
    may_call(seen.situation)?;
    let now = time(seen.clocks, seen.entries)?;
    if enforced_since.is_none() {
        return Err(Refusal::Observing);
    }
    if is_after_pause {
        return Err(Refusal::AfterPause);
    }
    if proven_at.is_none_or(|at| now - at > PROVEN_FOR) {
        return Err(Refusal::NoProvenChannel);
    }
    if let Some(at) = key_ends.filter(|at| *at < now + seen.terms.longest) {
        return Err(Refusal::KeyEnds { at });
    }
    if !seen.trail.is_complete {
        return Err(Refusal::TrailIncomplete);
    }
    if seen.trail.unexplained(own, seen.entries, (i64::MAX, now - DECIDED_FOR), None).is_some() {
        return Err(Refusal::OthersUseTheAccount);
    }
    match seen.guard {
        None => Err(Refusal::GuardUnread("the portal's lists could not be read".to_owned())),
        Some(guard) => match guard.protection.unread.clone() {
            Some(what) => Err(Refusal::GuardUnread(what)),
            None if guard.active_people == 0 => Err(Refusal::GuardUnread("the list of people is empty".to_owned())),
            None if guard.protection.own != Some(own) => Err(Refusal::GuardUnread(
                "the key belongs to another account than at the beginning of this run".to_owned(),
            )),
            None => Ok(now),
        },
    }
}
