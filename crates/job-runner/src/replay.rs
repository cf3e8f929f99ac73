//! Replaying rules over stored events: how much of the time is remembered, and whom a limit would have named.

use std::collections::BTreeMap;

use audit_model::{Person, PortalText, Window};
use chrono::{SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use event_archive::Archive;
use report::words::Clock;
use uuid::Uuid;

use crate::setup::Setup;

/// What a subcommand has that goes by what is remembered alone.
#[derive(Debug)]
pub struct Past {
    /// A copy: whatever is done to it is gone afterwards.
    pub archive: Archive,
    /// The portal's, as it was last told.
    pub zone: Tz,
    /// Half-open, UTC.
    pub window: Window,
    pub clock: Clock,
}

impl Past {
    /// Asks the portal for nothing. Without `--since` the window is so long.
    ///
    /// # Errors
    /// Of [`Setup::archive_snapshot`] and [`Setup::window`].
    pub async fn of<C>(setup: &Setup<'_, C>, length: TimeDelta) -> anyhow::Result<Self> {
        let archive = setup.archive_snapshot().await?;
        let zone = archive.portal(setup.now).await?.map_or(Tz::UTC, |portal| portal.time_zone);
        Ok(Past { window: setup.window(zone, length)?, clock: Clock(zone), archive, zone })
    }

    /// What to do where nothing of the window is remembered, as before the first run; `None` where anything is. Numbers of such a time say
    /// nothing.
    ///
    /// # Errors
    /// Of the store.
    pub async fn nothing_remembered(&self, program: &str) -> Result<Option<String>, event_archive::Error> {
        let is_nothing = self.archive.unread_audit(self.window).await? == [self.window];
        let (span, since) =
            (self.clock.span(self.window), self.window.since.to_rfc3339_opts(SecondsFormat::Secs, true));
        Ok(is_nothing.then(|| {
            format!(
                "Nothing is remembered of {span}.\nLet {program} run, and try again. `{program} --since {since}` reads all of that time at \
                 once, and tells what it finds there.\n"
            )
        }))
    }
}

const WEEK: TimeDelta = TimeDelta::weeks(1);

/// Names shown for each limit.
const NAMES_SHOWN: usize = 5;

/// What of a window is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    unread: Vec<Window>,
    /// How long that is; `None` when it is too short to say how often something happens in a week.
    weeks: Option<f64>,
}

impl Remembered {
    /// # Errors
    /// Of the store.
    pub async fn of(archive: &Archive, window: Window) -> Result<Self, event_archive::Error> {
        let unread = archive.unread_audit(window).await?;
        let remembered = window.length() - unread.iter().map(|gap| gap.length()).sum::<TimeDelta>();
        let weeks = (remembered >= WEEK).then(|| remembered.as_seconds_f64() / WEEK.as_seconds_f64());
        Ok(Remembered { unread, weeks })
    }

    /// Lines that say what is not remembered, and what numbers per week are of.
    pub fn lines(&self, clock: Clock) -> String {
        let unread = self.unread.iter().map(|gap| format!("Not remembered: {}\n", clock.span(*gap)));
        let weeks = match self.weeks {
            Some(weeks) => format!("Numbers per week are those of the {weeks:.1} weeks that are remembered.\n"),
            None => "Less than a week is remembered, which is too short to tell numbers per week.\n".to_owned(),
        };
        unread.chain([weeks]).collect()
    }

    /// So many, counted in all that is remembered, as a number per week: `1.5`, or `-`.
    pub fn per_week(&self, count: usize) -> String {
        self.weeks.map_or("-".to_owned(), |weeks| format!("{:.1}", count as f64 / weeks))
    }
}

/// The people of findings, each with how many they have, those with most first: `Mallory 3, Sybil 1, 2 more`.
pub fn people_by_findings<'p>(people: impl IntoIterator<Item = &'p Person>) -> String {
    let mut count: BTreeMap<Uuid, (usize, &PortalText)> = BTreeMap::new();
    for person in people {
        count.entry(person.id).or_insert((0, &person.name)).0 += 1;
    }
    let mut named: Vec<(usize, &PortalText)> = count.into_values().collect();
    named.sort_by_key(|(count, name)| (std::cmp::Reverse(*count), name.raw().to_owned()));
    let more = named.len().saturating_sub(NAMES_SHOWN);
    let mut shown: Vec<String> =
        named.iter().take(NAMES_SHOWN).map(|(count, name)| format!("{} {count}", name.for_terminal())).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    if shown.is_empty() { "nobody".to_owned() } else { shown.join(", ") }
}
