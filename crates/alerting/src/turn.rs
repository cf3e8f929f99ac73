//! What one call offers to a channel: what is due, as much of it as the channel takes at this time, and what counts the rest.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

use audit_model::Severity;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use job_store::Row;

use crate::alert::Alert;
use crate::channel::Channel;
use crate::error::Error;
use crate::memory::instant;
use crate::outbox::Outbox;
use crate::summary::summary_of;
use crate::waiting::LONGEST_PAUSE;

/// A channel is offered at most so many alerts by one run. Whoever gets fifty looks into the report anyway, and a slow channel
/// must not make the run take longer than the pause between two runs. The others wait for the next run.
const MOST_PER_RUN: usize = 50;

/// So many alerts that wait for one channel are a storm, which nobody reads to its end: fifty leave, and one alert counts the others, whatever
/// the limits of the channel are and however urgent they are.
const STORM: usize = 500;

/// Due is what waited long enough; and what waits longer than any pause, because a clock was wrong when it was put off.
const WAITING_SQL: &str =
    "SELECT alert, json, tries, first_us, CASE WHEN next_us <= ?2 OR next_us > ?3 THEN 1 ELSE 0 END
     FROM waiting WHERE channel = ?1 AND next_us IS NOT NULL ORDER BY first_us, rowid";

#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) alert: String,
    pub(crate) json: String,
    pub(crate) tries: i64,
    pub(crate) first: DateTime<Utc>,
    /// `None`: a later version wrote it.
    pub(crate) value: Option<Alert>,
    /// Of a summary, what it counts; it waits nowhere itself.
    pub(crate) stands_for: Vec<Due>,
}

impl Due {
    fn severity(&self) -> Severity {
        // who knows what a later version wrote
        self.value.as_ref().map_or(Severity::High, |alert| alert.severity)
    }

    /// Whether it says that its matter is over.
    pub(crate) fn is_end(&self) -> bool {
        self.value.as_ref().is_some_and(Alert::is_over)
    }

    pub(crate) fn matter(&self) -> Option<&str> {
        self.value.as_ref()?.matter.as_deref()
    }
}

/// What one call offers to one channel.
pub(crate) struct Turn {
    pub(crate) due: VecDeque<Due>,
    /// How many wait on because there are too many.
    pub(crate) left: usize,
    /// How many wait on for another reason.
    pub(crate) held: usize,
}

/// In the order in which they leave, and how severe what they make way for is: the most severe first, and what is about one matter from
/// its beginning on. `waiting` is everything that waits for the channel, the oldest first, and whether it is due. What is not due leaves
/// before later news about its matter; an end is not due before that.
fn in_order(waiting: Vec<(Due, bool)>) -> Vec<(Severity, Due)> {
    let mut begun_late = HashSet::new();
    let mut leaves = Vec::new();
    // what has news behind it, from the newest on
    let mut news: HashMap<String, Severity> = HashMap::new();
    for (row, is_due) in &waiting {
        let matter = row.matter().map(str::to_owned);
        let waits = matter.as_ref().is_some_and(|matter| begun_late.contains(matter));
        leaves.push(*is_due && !(waits && row.is_end()));
        if !is_due {
            begun_late.extend(matter);
        }
    }
    let mut ordered: Vec<(Severity, Due)> = Vec::new();
    for ((row, _), leaves) in waiting.into_iter().zip(leaves).rev() {
        let of_matter = row.matter().and_then(|matter| news.get(matter)).copied();
        if !leaves && of_matter.is_none() {
            continue;
        }
        let severity = of_matter.map_or(row.severity(), |later| later.max(row.severity()));
        if let Some(matter) = row.matter() {
            news.insert(matter.to_owned(), severity);
        }
        ordered.push((severity, row));
    }
    ordered.reverse();
    ordered.sort_by_key(|(severity, _)| Reverse(*severity));
    ordered
}

fn summary(rest: Vec<Due>) -> Option<Due> {
    let alerts: Vec<Alert> = rest.iter().filter_map(|row| row.value.clone()).collect();
    let alert = summary_of(&alerts)?;
    let first = rest.first()?.first;
    Some(Due { alert: alert.id.clone(), json: alert.to_json(), tries: 0, first, value: Some(alert), stands_for: rest })
}

impl Outbox {
    /// What one call offers to a channel: what is due, as much of it as the channel takes, and one alert that counts the rest.
    pub(crate) async fn turn(&self, channel: &Channel, time: NaiveTime, now: DateTime<Utc>) -> Result<Turn, Error> {
        let (route, name) = (&channel.route, channel.name());
        let waiting = self.waiting_for(name, now).await?;
        let all = waiting.iter().filter(|(_, is_due)| *is_due).count();
        let mut due = in_order(waiting);
        if route.quiet.is_some_and(|quiet| quiet.contains(time)) {
            due.retain(|(_, row)| row.severity() == Severity::Critical);
        }
        let held = all.saturating_sub(due.len());
        let all = due.len();
        let hour = match route.per_hour {
            Some(_) => Some(self.taken_since(name, now - TimeDelta::hours(1)).await?),
            None => None,
        };
        let left_of_hour = route.per_hour.zip(hour).map(|(most, (taken, _))| u64::from(most).saturating_sub(taken));
        let most = [route.per_run.map(u64::from), left_of_hour].into_iter().flatten().min();
        // what is critical leaves whatever the limits say, and stands first
        let critical = due.iter().filter(|(severity, _)| *severity == Severity::Critical).count();
        let mut due: Vec<Due> = due.into_iter().map(|(_, row)| row).collect();
        let most = most.map_or(usize::MAX, |most| critical.max(usize::try_from(most).unwrap_or(usize::MAX)));
        let most = if due.len() > STORM { most.min(MOST_PER_RUN) } else { most };
        let mut rest = due.split_off(due.len().min(most));
        if rest.iter().any(Due::is_end) {
            // a summary closes nothing that was opened
            let begun = self.matters_taken(name).await?;
            rest.retain(|row| !(row.is_end() && row.matter().is_some_and(|matter| begun.contains(matter))));
        }
        let has_summed = hour.is_some_and(|(_, summaries)| summaries > 0);
        // one more than the limit may leave in the place of a summary
        let is_full = route.per_hour.zip(hour).is_some_and(|(most, (taken, _))| taken > u64::from(most));
        due.truncate(MOST_PER_RUN);
        let mut due = VecDeque::from(due);
        if rest.len() > 1 && !has_summed {
            due.extend(summary(rest));
        } else if !has_summed
            && !is_full
            && let [last] = &rest[..]
        {
            // one more is no reason for a summary
            due.push_back(last.clone());
        }
        let offered: usize = due.iter().map(|row| row.stands_for.len().max(1)).sum();
        Ok(Turn { left: all.saturating_sub(offered), held, due })
    }

    /// Everything that waits for the channel, the oldest first, and whether it is due.
    async fn waiting_for(&self, channel: &str, now: DateTime<Utc>) -> Result<Vec<(Due, bool)>, Error> {
        let waiting = |row: &Row<'_>| {
            let (alert, json) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            let value = serde_json::from_str(&json).ok();
            let (tries, first) = (row.int(2)?, instant(row.int(3)?));
            Ok((Due { alert, json, tries, first, value, stands_for: Vec::new() }, row.int(4)? == 1))
        };
        let values = [channel.into(), now.timestamp_micros().into(), (now + LONGEST_PAUSE).timestamp_micros().into()];
        Ok(self.store.all("reading the alerts that wait", WAITING_SQL, values, waiting).await?)
    }
}
