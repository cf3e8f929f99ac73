//! `backtest`: what other limits would have found in what is remembered, in one pass.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter::repeat_n;
use std::str::FromStr;

use audit_model::{Person, Window};
use chrono::TimeDelta;
use event_archive::{Archive, Reading};
use futures::TryStreamExt;
use job_runner::Setup;
use job_runner::exit::Exit;
use job_runner::replay::{Past, Remembered, people_by_findings};

use crate::config::{ClassLimits, Config, Limits};
use crate::gather::rooms::{Answers, Watched, choose};
use crate::rule::{self, Counting, Span, Usual};

/// What no later event changes is judged and forgotten after so long a time of events, and not before so many were counted: where they
/// are dense, memory goes by the time, and where they are rare, the work goes by their number.
const SETTLE_AFTER: (TimeDelta, u64) = (TimeDelta::hours(1), 1_000);

/// `20/1h`: more than 20 actions of one person in one room within an hour; `50%/30d`: more than half of a room's documents downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alternative {
    Actions(u64, Span),
    ShareOfRoom(u64),
}

impl FromStr for Alternative {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not of the form 20/1h or 50%/30d: actions, a slash, and 1h, 24h or 30d, or a percentage and /30d"
            )
        };
        let (amount, span) = text.split_once('/').ok_or_else(wrong)?;
        let (amount, is_percent) = match amount.trim().strip_suffix('%') {
            Some(percent) => (percent, true),
            None => (amount, false),
        };
        let amount: u64 = amount.trim().parse().map_err(|_| wrong())?;
        let span = match span.trim() {
            "1h" => Span::Hour,
            "24h" | "1d" => Span::Day,
            "30d" => Span::Month,
            _ => return Err(wrong()),
        };
        match (amount, is_percent, span) {
            (0, ..) => Err(format!("`{text}`: must be at least 1")),
            (percent, true, Span::Month) if percent <= 100 => Ok(Alternative::ShareOfRoom(percent)),
            (_, true, _) => Err(wrong()),
            (actions, false, span) => Ok(Alternative::Actions(actions, span)),
        }
    }
}

impl Alternative {
    /// This limit alone.
    fn limits(self) -> Limits {
        let off = ClassLimits::default();
        let (actions, span, share_of_room) = match self {
            Alternative::Actions(actions, span) => (actions, Some(span), 0),
            Alternative::ShareOfRoom(percent) => (0, None, percent),
        };
        let when = |of| if span == Some(of) { actions } else { 0 };
        Limits {
            per_hour: when(Span::Hour),
            per_day: when(Span::Day),
            per_30_days: when(Span::Month),
            whole_window: 0,
            unusual_hours: 0,
            share_of_room,
            deletions: off,
            sharing: off,
            ..Limits::default()
        }
    }

    fn name(self) -> String {
        match self {
            Alternative::Actions(actions, Span::Hour) => format!("{actions}/1h"),
            Alternative::Actions(actions, Span::Day) => format!("{actions}/24h"),
            Alternative::Actions(actions, Span::Month | Span::WholeWindow) => format!("{actions}/30d"),
            Alternative::ShareOfRoom(percent) => format!("{percent}%/30d"),
        }
    }
}

pub(crate) async fn run(alternatives: &[Alternative], setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    let config = setup.config;
    let past = Past::of(setup, Span::Month.length()).await?;
    if let Some(nothing) = past.nothing_remembered(env!("CARGO_PKG_NAME")).await? {
        setup.print(&nothing)?;
        return Ok(Exit::Concluded);
    }
    let Past { archive, zone, window, clock } = past;
    let rooms = archive.rooms(window).await?;
    let ids = choose(&config.rooms, &rooms, false)?;
    let watched = Watched { rooms, ids, folder_weight: config.folder_weight, is_unread: false };
    let limits: Vec<Limits> = alternatives.iter().map(|one| one.limits()).collect();
    let (events, found) = replay(&archive, window, &watched, &limits).await?;

    let mut text = String::new();
    writeln!(
        text,
        "{events} events of {} virtual data rooms remembered, {}, times in {zone}; folders count {} each.",
        watched.ids.len(),
        clock.span(window),
        config.folder_weight
    )?;
    let remembered = Remembered::of(&archive, window).await?;
    text += &remembered.lines(clock);
    writeln!(text, "limit      findings  per week  people")?;
    for (alternative, findings) in alternatives.iter().zip(found) {
        let people = people_by_findings(findings.iter().flat_map(|(person, count)| repeat_n(person, *count)));
        let count = findings.iter().map(|(_, count)| count).sum();
        let (name, per_week) = (alternative.name(), remembered.per_week(count));
        writeln!(text, "{name:<9}  {count:>8}  {per_week:>8}  {people}")?;
    }
    setup.print(&text)?;
    Ok(Exit::Concluded)
}

/// How many events happened in watched rooms, and how many findings each of the limits would have made, by person. Nothing is asked of the
/// portal.
async fn replay(
    archive: &Archive,
    window: Window,
    watched: &Watched,
    limits: &[Limits],
) -> anyhow::Result<(u64, Vec<Vec<(Person, usize)>>)> {
    let (answers, mut usual) = (Answers::default(), Usual::unknown(window.since));
    let held = archive.readings(&watched.ids).await?.into_iter();
    let most = |readings: Vec<Reading>| readings.iter().map(|reading| reading.holding.files).max();
    usual.documents = held.filter_map(|(room, readings)| Some((room, most(readings)?))).collect();
    let mut counting = Counting::of_each(limits, &usual, BTreeSet::new(), window.since);
    let (mut count, mut settled) = (0, (window.since, 0));
    let mut placing = watched.placing(&answers);
    let mut events = std::pin::pin!(archive.events_to_count(window, rule::counts_by_text));
    while let Some(event) = events.try_next().await? {
        let Some(mut placed) = placing.place(event) else { continue };
        // the line above the table says what a folder counts
        placed.weight.at_least = false;
        count += 1;
        let at = placed.event.at;
        if at - settled.0 >= SETTLE_AFTER.0 && count - settled.1 >= SETTLE_AFTER.1 {
            counting.settle(at);
            settled = (at, count);
        }
        counting.push(placed);
    }
    Ok((count, rule::numbers(counting)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_written() {
        for text in ["20/1h", "100/24h", "500/30d", "50%/30d"] {
            let alternative: Alternative = text.parse().unwrap();
            assert_eq!(alternative.name(), text);
            let limits = alternative.limits();
            assert_eq!(limits.armed().len() + usize::from(limits.share_of_room > 0), 1, "{text}");
        }
        for wrong in ["20", "20/10m", "x/1h", "0/1h", "20/2h", "50%/1h", "101%/30d", "0%/30d"] {
            assert!(wrong.parse::<Alternative>().unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
