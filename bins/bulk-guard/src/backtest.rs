//! `backtest`: what other limits would have found in what is remembered, in one pass.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::TimeDelta;
use job_runner::Setup;
use job_runner::exit::Exit;
use job_runner::replay::{Past, Remembered, people_by_findings};

use crate::config::{Armed, Config, Limit, Limits, RoomLimit};
use crate::drill::book::Spent;
use crate::gather::changes::{Answers, feed};
use crate::rule::detector::Detector;
use crate::rule::incident::Exceeded;

/// How far back without `--since`.
const USUAL: TimeDelta = TimeDelta::days(30);

/// `20/10m`: more than 20 documents within 10 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alternative(pub(crate) Limit);

impl FromStr for Alternative {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not of the form 20/10m: documents, a slash, minutes");
        let (documents, minutes) = text.split_once('/').ok_or_else(wrong)?;
        let documents = documents.trim().parse().map_err(|_| wrong())?;
        let minutes = minutes.trim().strip_suffix('m').ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
        if documents == 0 || minutes == 0 || minutes > 24 * 60 {
            return Err(format!("`{text}`: documents must be at least 1, minutes between 1 and 1440"));
        }
        Ok(Alternative(Limit { documents, minutes, long_documents: 0, ..Limit::default() }))
    }
}

pub(crate) async fn run(alternatives: &[Alternative], setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let past = Past::of(setup, USUAL).await?;
    if let Some(nothing) = past.nothing_remembered(env!("CARGO_PKG_NAME")).await? {
        setup.print(&nothing)?;
        return Ok(Exit::Concluded);
    }
    let Past { archive, zone, window, clock } = past;
    let mut detectors: Vec<Detector> = alternatives.iter().map(|one| Detector::with(armed(one.0))).collect();
    let spent = Spent::read(&setup.looked().await?.store, setup.now).await?;
    let answers = Answers::remembered((&archive, spent), window, setup.config.folder_weight).await?;
    let take = |change: &_| detectors.iter_mut().for_each(|detector| detector.push(change));
    let changes = feed(&archive, window, &answers, take).await?;
    let found = alternatives.iter().zip(detectors.into_iter().map(Detector::finish));

    let mut text = String::new();
    writeln!(
        text,
        "{changes} changes remembered, {}, times in {zone}; folders of which nothing is remembered count {} each.",
        clock.span(window),
        answers.folder_weight
    )?;
    let remembered = Remembered::of(&archive, window).await?;
    text += &remembered.lines(clock);
    writeln!(text, "limit      incidents  per week  planned without other signs  people")?;
    for (Alternative(limit), incidents) in found {
        let floods = incidents.iter().filter(|one| one.exceeded.iter().any(Exceeded::is_flood)).count();
        let name = format!("{}/{}m", limit.documents, limit.minutes);
        let (count, per_week) = (incidents.len(), remembered.per_week(incidents.len()));
        let people = people_by_findings(incidents.iter().map(|incident| &incident.finding.person));
        writeln!(text, "{name:<9}  {count:>9}  {per_week:>8}  {floods:>27}  {people}")?;
    }
    setup.print(&text)?;
    Ok(Exit::Concluded)
}

/// The limit for every kind of change, and for all together.
fn armed(limit: Limit) -> Vec<Armed> {
    Limits {
        changes: limit,
        deleted: limit,
        overwritten: limit,
        renamed: limit,
        moved_out: limit,
        created: limit,
        downloaded: limit,
        viewed: limit,
        shared: limit,
        members_removed: limit,
        dismantled: limit,
        room: RoomLimit { documents: 0, ..RoomLimit::default() },
    }
    .armed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_written() {
        let limit = Limit { long_documents: 0, ..Limit::default() };
        assert_eq!("20/10m".parse(), Ok(Alternative(limit)));
        for wrong in ["20", "20/10", "x/10m", "0/10m", "20/0m", "20/9999m", "20/10h"] {
            assert!(wrong.parse::<Alternative>().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
