//! The memory of what people were told, and the step that writes it together with the alerts that wait.

use std::borrow::{Borrow, BorrowMut};
use std::collections::{HashMap, HashSet};

use audit_model::{Finding, FindingState, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use job_store::{Component, Failure, Migration, Read, Store, Value, Write};

use crate::alert::Alert;
use crate::channel::{About, Channel};
use crate::error::Error;
use crate::history::{self, Outcome};
use crate::matter::{Matter, Moment, has_more, id_of, state_of};
use crate::memory::{self, rank};
use crate::silence;

const COMPONENT: Component = Component {
    name: "outbox",
    steps: &[
        Migration { number: 1, name: "told and waiting", sql: include_str!("migrations/1_outbox.sql") },
        Migration { number: 2, name: "matters", sql: include_str!("migrations/2_matters.sql") },
        Migration { number: 3, name: "channels", sql: include_str!("migrations/3_channels.sql") },
    ],
    on_server: &[
        Migration { number: 2, name: "the outbox", sql: include_str!("migrations/postgres/outbox.sql") },
        Migration { number: 3, name: "channels", sql: include_str!("migrations/postgres/channels.sql") },
    ],
};

/// How far back a burst that does not end is judged from its beginning: each run has to go through all of it again.
const LONGEST_REACH: TimeDelta = TimeDelta::days(7);

const WAIT_SQL: &str = "INSERT INTO waiting (alert, channel, json, severity, tries, first_us, next_us, reached)
     VALUES (?, ?, ?, ?, 0, ?, ?, 0) ON CONFLICT DO NOTHING";

/// What people were told of one portal, and the alerts that wait for their channels.
///
/// A run goes through it in this order, and can be killed between any two steps: what it found is then told by the next run,
/// or waits and is offered by it.
/// 1. [`compare`](Self::compare) says what is new, and [`lapsed`](Self::lapsed) what was given up.
/// 2. With channels, [`keep`](Self::keep) writes what is told now, and the alerts, at once.
/// 3. The report is printed. Without channels that was the delivery, and only now `keep` remembers it.
///    [`forget`](Self::forget) what was given up and now stands in the report.
/// 4. [`drain`](Self::drain) offers what waits.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) store: Store,
}

impl Outbox {
    /// Opens the outbox in a store, creating or updating its tables.
    ///
    /// # Errors
    /// [`Error::Outbox`], for instance that a newer program has written the tables.
    pub async fn open(store: Store) -> Result<Self, Error> {
        store.migrate(&COMPONENT).await?;
        Ok(Outbox { store })
    }

    /// Sets the state of every finding by what was told of its matter, and the id of that. A finding that has grown, or is over, gets a
    /// reason that says what was told before. What the rule has silenced stays so, and what somebody has
    /// silenced becomes so, with a reason that says who, until when and why. Writes nothing.
    ///
    /// # Errors
    /// Of the store; the findings are then as they were.
    pub async fn compare<F: BorrowMut<Finding>>(
        &self,
        findings: &mut [F],
        moment: &Moment<'_>,
    ) -> Result<Compared, Error> {
        let mut findings: Vec<&mut Finding> = findings.iter_mut().map(BorrowMut::borrow_mut).collect();
        let asked: Vec<Finding> = findings.iter().map(|finding| (**finding).clone()).collect();
        let (part, Moment { now, quiet, seen_until, .. }) = (moment.part.to_owned(), *moment);
        let told = move |read: &Read<'_>| {
            let matters = asked.iter().map(|finding| memory::matter_of(read, finding, now));
            Ok((
                matters.collect::<Result<Vec<_>, Failure>>()?,
                memory::open_bursts(read, &part)?,
                memory::lapsed_conditions(read, &Moment { part: &part, now, seen_until, quiet })?,
                silence::silences(read, now)?,
            ))
        };
        let (matters, mut open, mut lapsed, silences) = self.store.read("reading what was told", told).await?;
        for (finding, kept) in findings.iter_mut().zip(&matters) {
            finding.matter = Some(kept.as_ref().map_or_else(|| id_of(finding), |kept| kept.matter.id.clone()));
        }
        let found: HashSet<&str> = findings.iter().filter_map(|finding| finding.matter.as_deref()).collect();
        open.retain(|(id, burst)| !found.contains(id.as_str()) && moment.is_over(burst.window.until));
        // what comes back after long is another matter, and has the same id where it began at the same moment
        lapsed.retain(|(id, _)| !found.contains(id.as_str()));
        let mut ended: Vec<Finding> = open.into_iter().map(|(id, burst)| ended(id, burst, moment)).collect();
        let mut lapsed: Vec<Finding> = lapsed.into_iter().map(|(id, found)| self::ended(id, found, moment)).collect();
        // the end of what is silenced is told after the silence
        ended.retain(|burst| silence::silencing(&silences, burst).is_none());
        lapsed.retain(|condition| silence::silencing(&silences, condition).is_none());
        let mut suppressed = 0;
        for (finding, kept) in findings.iter_mut().zip(matters) {
            let matter = kept.filter(|kept| kept.is_known_to(moment.part)).map(|kept| kept.matter);
            if finding.state == FindingState::Silenced {
                continue;
            }
            finding.state = state_of(finding, matter.as_ref(), moment);
            match (finding.state, matter) {
                (FindingState::Grown | FindingState::Ended, Some(matter)) => {
                    finding.reasons.push(matter.compared_with(finding, moment));
                }
                (FindingState::Known, Some(matter)) if has_more(finding, &matter) => suppressed += 1,
                _ => {}
            }
            if finding.state.is_told()
                && let Some(sentence) = silence::silencing(&silences, finding)
            {
                finding.state = FindingState::Silenced;
                finding.reasons.push(sentence);
            }
        }
        Ok(Compared { suppressed, ended, lapsed })
    }

    /// The finding that people call by this id, with all of its time; `None` where nothing is remembered of it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn told_of(&self, id: &str) -> Result<Option<Finding>, Error> {
        let id = id.to_owned();
        Ok(self.store.read("reading what was told", move |read| memory::told_of(read, &id)).await?)
    }

    /// From where on a run of that part has to judge, so that a burst which has not ended keeps its whole number: the beginning of the
    /// first of them, at most seven days ago. `None` when none is open.
    ///
    /// # Errors
    /// Of the store.
    pub async fn open_since(&self, part: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let part = part.to_owned();
        let since = self.store.read("reading what still goes on", move |read| memory::open_since(read, &part)).await?;
        Ok(since.map(|since| since.max(now - LONGEST_REACH)))
    }

    /// Lets alerts wait for the channels that take them, inside a transaction that writes down what they are about.
    ///
    /// # Errors
    /// Of the statements.
    pub fn wait(write: &Write<'_>, alerts: &[Alert], channels: &[Channel], now: DateTime<Utc>) -> Result<(), Failure> {
        alerts.iter().try_for_each(|alert| wait_for(write, About { alert, finding: None }, channels, now))
    }

    /// Remembers what people were told of the findings and of the bursts and conditions that are over, and lets every alert wait for every channel that takes
    /// it: all of it or nothing. A critical alert that the settings of all channels leave out waits for all of them. Known findings that have more to say are counted, and the next alert about them says how often that happened.
    ///
    /// Channels are told apart by their names.
    ///
    /// # Errors
    /// Of the store; nothing is remembered then, and the next run tells the findings again.
    pub async fn keep<F: Borrow<Finding>>(
        &self,
        findings: &[F],
        ended: &[Finding],
        alerts: &mut [Alert],
        channels: &[Channel],
        moment: &Moment<'_>,
    ) -> Result<(), Error> {
        let findings: Vec<Finding> = findings.iter().map(|finding| finding.borrow().clone()).collect();
        let told = Told { findings, ended: ended.to_vec(), alerts: alerts.to_vec(), channels: channels.to_vec() };
        let part = moment.part.to_owned();
        let (now, seen_until, quiet) = (moment.now, moment.seen_until, moment.quiet);
        let keep = move |write: &Write<'_>| {
            let moment = Moment { part: &part, now, seen_until, quiet };
            told.keep(write, &moment)
        };
        let suppressed = self.store.write("storing what is told", keep).await?;
        alerts.iter_mut().zip(suppressed).for_each(|(alert, suppressed)| alert.suppressed = suppressed);
        Ok(())
    }

    /// Forgets what ended 90 days ago, and was not found since, and what became of alerts before that. Whoever calls has to be sure of the
    /// present: a clock that is ahead for one run would forget what people were told.
    ///
    /// # Errors
    /// Of the store.
    pub async fn forget_old(&self, present: DateTime<Utc>) -> Result<(), Error> {
        let forget = move |write: &Write<'_>| {
            memory::forget_old(write, present)?;
            history::forget_old(write, present)
        };
        Ok(self.store.write("forgetting what was told long ago", forget).await?)
    }
}

/// What is remembered at once.
struct Told {
    findings: Vec<Finding>,
    ended: Vec<Finding>,
    alerts: Vec<Alert>,
    channels: Vec<Channel>,
}

impl Told {
    /// Gives how many findings were suppressed before each alert.
    fn keep(mut self, write: &Write<'_>, moment: &Moment<'_>) -> Result<Vec<u64>, Failure> {
        let (found, ended) = (by_matter(&self.findings), by_matter(&self.ended));
        for alert in &mut self.alerts {
            let finding = found.get(&about(alert)).copied();
            let matter = finding.map(|finding| memory::matter_of(write, finding, moment.now)).transpose()?.flatten();
            alert.suppressed = matter.map_or(0, |kept| kept.matter.suppressed);
            let finding = finding.or_else(|| ended.get(&about(alert)).copied());
            wait_for(write, About { alert, finding }, &self.channels, moment.now)?;
        }
        let silences = silence::silences(write, moment.now)?;
        for finding in &self.findings {
            memory::remember(write, finding, silence::silencing(&silences, finding).is_some(), moment)?;
        }
        for id in self.ended.iter().filter_map(|finding| finding.matter.as_deref()) {
            memory::end(write, id, moment.now)?;
        }
        if moment.seen_until.is_some() {
            memory::note_missing(write, moment)?;
        }
        Ok(self.alerts.iter().map(|alert| alert.suppressed).collect())
    }
}

/// Fingerprint and matter: by these an alert is about a finding.
type Key<'a> = (&'a str, Option<&'a str>);

fn about(alert: &Alert) -> Key<'_> {
    (&alert.fingerprint, alert.matter.as_deref())
}

/// The findings by what alerts are about; of several with the same, the first.
fn by_matter(findings: &[Finding]) -> HashMap<Key<'_>, &Finding> {
    // a later entry takes the place of an earlier one
    let from_the_last = findings.iter().rev();
    from_the_last.map(|finding| ((finding.fingerprint.as_str(), finding.matter.as_deref()), finding)).collect()
}

/// Of each channel, the setting that leaves the alert out; `None` where the channel gets it.
pub(crate) fn left_out(
    write: &Write<'_>,
    about: About<'_>,
    channels: &[Channel],
) -> Result<Vec<Option<&'static str>>, Failure> {
    let alert = about.alert;
    let left_out = |channel: &Channel| {
        let has_begun = history::has_begun(write, alert.matter.as_deref(), channel.name())?;
        if about.is_end_of_condition() && !(has_begun && channel.keeps_open()) {
            return Ok(Some("kind"));
        }
        Ok::<_, Failure>(channel.route.leaves_out(about, has_begun))
    };
    let mut left_out = channels.iter().map(left_out).collect::<Result<Vec<_>, _>>()?;
    if alert.severity == Severity::Critical && left_out.iter().all(Option::is_some) {
        // it has to reach somebody
        left_out.fill(None);
    }
    Ok(left_out)
}

/// Lets one alert wait for the channels that take it, and notes which do not.
fn wait_for(write: &Write<'_>, about: About<'_>, channels: &[Channel], now: DateTime<Utc>) -> Result<(), Failure> {
    let alert = about.alert;
    let left_out = left_out(write, about, channels)?;
    let (json, severity, at) = (Value::from(alert.to_json()), rank(alert.severity), now.timestamp_micros());
    for (channel, left_out) in channels.iter().zip(left_out) {
        let name = channel.name();
        if let Some(setting) = left_out {
            history::note(write, alert, name, (Outcome::LeftOut, &format!("`{setting}` leaves it out")), now)?;
            continue;
        }
        let row: [Value; 6] = [(&alert.id).into(), name.into(), json.clone(), severity.into(), at.into(), at.into()];
        // what was taken before is no news
        if write.execute(WAIT_SQL, &row)? > 0 {
            history::note(write, alert, name, (Outcome::Waits, ""), now)?;
        }
    }
    Ok(())
}

/// What the memory says of what a run has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many findings are not told although they have more actions than were told.
    pub suppressed: u64,
    /// Bursts that people were told of, that the run does not find any more, and that are over: as they were last found.
    pub ended: Vec<Finding>,
    /// Conditions that are over, as they were last found: news for receivers that keep something open, and for nobody else.
    pub lapsed: Vec<Finding>,
}

fn ended(id: String, found: Finding, moment: &Moment<'_>) -> Finding {
    let mut found = Finding { state: FindingState::Ended, matter: Some(id), ..found };
    let over = Matter::new(&found, moment.now).compared_with(&found, moment);
    found.reasons.push(over);
    found
}

#[cfg(test)]
mod tests {
    use audit_model::testing::finding;

    use super::*;

    #[test]
    fn an_alert_is_about_the_first_finding_of_its_fingerprint_and_matter() {
        let at = "2026-11-20T08:00:00Z".parse().unwrap();
        let findings: Vec<Finding> = (0..60u64)
            .map(|n| {
                let matter = (n % 3 > 0).then(|| format!("matter {}", n % 7));
                Finding { fingerprint: format!("rule:{}", n % 5), matter, evidence_total: n, ..finding(at) }
            })
            .collect();
        let map = by_matter(&findings);
        for wanted in &findings {
            let key = (wanted.fingerprint.as_str(), wanted.matter.as_deref());
            let first = findings.iter().find(|one| (one.fingerprint.as_str(), one.matter.as_deref()) == key);
            assert_eq!(map.get(&key).copied(), first, "{key:?}");
        }
        assert!(map.len() < findings.len(), "some are about the same");
        assert_eq!(map.get(&("rule:0", Some("another"))), None);
    }
}
