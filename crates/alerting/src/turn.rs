//! What one call offers to a channel: what is due, as much of it as the channel takes at this time, and what counts the rest.

use std::collections::VecDeque;

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
const DUE_SQL: &str = "SELECT alert, json, tries, first_us FROM waiting
     WHERE channel = ?1 AND (next_us <= ?2 OR next_us > ?3)
     ORDER BY severity DESC, first_us, rowid";

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
    fn is_critical(&self) -> bool {
        self.value.as_ref().is_some_and(|alert| alert.severity == Severity::Critical)
    }

    pub(crate) fn matter(&self) -> Option<&str> {
        self.value.as_ref()?.matter.as_deref()
    }
}

/// What one call offers to one channel.
pub(crate) struct Turn {
    pub(crate) due: VecDeque<Due>,
    /// How many wait on.
    pub(crate) left: usize,
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
        let mut due = self.due(name, now).await?;
        let all = due.len();
        if route.quiet.is_some_and(|quiet| quiet.contains(time)) {
            due.retain(Due::is_critical);
        }
        let hour = match route.per_hour {
            Some(_) => Some(self.taken_since(name, now - TimeDelta::hours(1)).await?),
            None => None,
        };
        let left_of_hour = route.per_hour.zip(hour).map(|(most, (taken, _))| u64::from(most).saturating_sub(taken));
        let most = [route.per_run.map(u64::from), left_of_hour].into_iter().flatten().min();
        // what is critical leaves whatever the limits say, and stands first
        let critical = due.iter().filter(|row| row.is_critical()).count();
        let most = most.map_or(usize::MAX, |most| critical.max(usize::try_from(most).unwrap_or(usize::MAX)));
        let most = if due.len() > STORM { most.min(MOST_PER_RUN) } else { most };
        let rest = due.split_off(due.len().min(most));
        let has_summed = hour.is_some_and(|(_, summaries)| summaries > 0);
        due.truncate(MOST_PER_RUN);
        let mut due = VecDeque::from(due);
        if rest.len() > 1 && !has_summed {
            due.extend(summary(rest));
        } else if !has_summed && let [last] = &rest[..] {
            // one more is no reason for a summary
            due.push_back(last.clone());
        }
        let offered: usize = due.iter().map(|row| row.stands_for.len().max(1)).sum();
        Ok(Turn { left: all - offered, due })
    }

    async fn due(&self, channel: &str, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
        let due = |row: &Row<'_>| {
            let (alert, json) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            let value = serde_json::from_str(&json).ok();
            Ok(Due { alert, json, tries: row.int(2)?, first: instant(row.int(3)?), value, stands_for: Vec::new() })
        };
        let values = [channel.into(), now.timestamp_micros().into(), (now + LONGEST_PAUSE).timestamp_micros().into()];
        Ok(self.store.all("reading the alerts that wait", DUE_SQL, values, due).await?)
    }
}
