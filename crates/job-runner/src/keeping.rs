//! Forgetting what is old: by hand, and by the first run of each day that has told what it found.

use alerting::{OUTBOX_TABLES, Outbox};
use audit_model::SpanSet;
use chrono::{DateTime, TimeDelta, Utc};
use event_archive::{ARCHIVE_TABLES, Archive};
use job_store::{JOURNAL_TABLES, Journal, Pruned, Store, Table};
use tracing::{info, warn};

use crate::config::CommonConfig;
use crate::memory::{self, Memory};

/// Steps of one table in a run: the rest is for the next runs.
const MOST_STEPS: u32 = 20;

/// When the last run forgot all that was old; as its value, when a run after that left it to a later one.
const PRUNED: &str = "pruned";

/// Between two runs that forget: more than between those of a program that runs once a month. After a longer time, or one that went back,
/// the clock may be wrong, and what is forgotten by a wrong clock is gone.
const LONGEST_PAUSE: TimeDelta = TimeDelta::days(35);

/// Until a later run goes by such a clock all the same: whoever sees that it is wrong sets it meanwhile.
const SECOND_LOOK: TimeDelta = TimeDelta::hours(12);

/// After a longer time than that, the second reading does not fit the first one. A program that runs once a quarter forgets as well.
const LONGEST_LOOK: TimeDelta = TimeDelta::days(100);

/// All tables of a store, those that others refer to last.
pub(crate) fn tables() -> Vec<&'static Table> {
    [memory::TABLES, JOURNAL_TABLES, OUTBOX_TABLES, ARCHIVE_TABLES].concat()
}

/// Opens all components, so that all [`tables`] are there.
pub(crate) async fn open_all(store: &Store) -> anyhow::Result<Archive> {
    Outbox::open(store.clone()).await?;
    Journal::open(store.clone()).await?;
    Memory::open(store).await?;
    Ok(Archive::open(store.clone()).await?)
}

/// What came of forgetting.
pub(crate) struct Forgot {
    pub(crate) tables: Vec<Pruned>,
    /// Time that no run had judged.
    pub(crate) holes: SpanSet,
}

/// Forgets what is older than a moment in all tables.
pub(crate) async fn prune(store: &Store, before: DateTime<Utc>, most_steps: u32) -> anyhow::Result<Forgot> {
    let archive = open_all(store).await?;
    let holes = archive.prune_spans(before).await?;
    let tables = store.prune(&tables(), before, most_steps).await?;
    if tables.iter().any(|pruned| pruned.rows > 0) {
        archive.prune_texts().await?;
    }
    Ok(Forgot { tables, holes })
}

/// Forgets what is older than `keep`, and than what this run has looked at, unless a run of this day has done that. `present` is the earlier
/// of what this machine's clock says and the portal's.
pub(crate) async fn daily(store: &Store, common: &CommonConfig, looked_since: DateTime<Utc>, present: DateTime<Utc>) {
    let keep = TimeDelta::from_std(common.keep.0).unwrap_or(TimeDelta::MAX);
    let before = present.checked_sub_signed(keep).map(|before| before.min(looked_since));
    let done = async {
        let memory = Memory::open(store).await?;
        let last = memory.get(PRUNED).await?;
        match Turn::of(last.as_ref(), present) {
            Turn::Done => return Ok(()),
            Turn::Later { is_noted } => {
                if !is_noted {
                    let last = last.map_or(DateTime::UNIX_EPOCH, |(_, at)| at);
                    memory.keep(PRUNED, &present.to_rfc3339(), last).await?;
                }
                return Ok(());
            }
            Turn::Now => {}
        }
        Outbox::open(store.clone()).await?.forget_old(present).await?;
        let Some(before) = before else { return Ok(memory.keep(PRUNED, "", present).await?) };
        let forgot = prune(store, before, MOST_STEPS).await?;
        let rows: u64 = forgot.tables.iter().map(|pruned| pruned.rows).sum();
        if rows > 0 {
            info!(rows, "forgot what happened before {before}, as `keep` says");
        }
        for hole in forgot.holes.iter() {
            warn!("no run has judged {hole}, and it is not remembered any more, as `keep` says");
        }
        // the rest is for the next run, which goes by the same clock and need not look at it twice
        let is_rest = forgot.tables.iter().any(|pruned| pruned.more);
        memory.keep(PRUNED, "", if is_rest { present - TimeDelta::days(1) } else { present }).await?;
        anyhow::Ok(())
    };
    if let Err(failure) = done.await {
        warn!("what is older than `keep` was not forgotten; the next run tries again: {failure:#}");
    }
}

/// Whether a run forgets what is old.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Now,
    /// A run of this day has.
    Done,
    /// Not by a clock that has moved so far since the last time: a later run looks at it once more.
    Later {
        is_noted: bool,
    },
}

impl Turn {
    /// `last` is when it was done, and, as text, when a run after that left it to a later one.
    fn of(last: Option<&(String, DateTime<Utc>)>, present: DateTime<Utc>) -> Self {
        match last {
            Some((_, at)) if at.date_naive() == present.date_naive() => return Turn::Done,
            Some((_, at)) if (present - *at).abs() <= LONGEST_PAUSE => return Turn::Now,
            _ => {}
        }
        let noted = last.and_then(|(noted, _)| DateTime::parse_from_rfc3339(noted).ok());
        match noted.map(|noted| present - noted.to_utc()) {
            Some(since) if (SECOND_LOOK..=LONGEST_LOOK).contains(&since) => Turn::Now,
            since => {
                Turn::Later { is_noted: since.is_some_and(|since| (TimeDelta::zero()..SECOND_LOOK).contains(&since)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/data-protection.md");

    /// A table that nobody has described would be neither shown nor forgotten.
    #[tokio::test]
    async fn every_table_is_described_and_named_on_the_page_about_data_protection() {
        let store = Store::temporary().await.unwrap();
        open_all(&store).await.unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let select = job_store::Select { doing: "listing", sql: sql.into(), values: Vec::new(), dictionary: None };
        let rows = store.rows(select, |row| Ok(row.text(0)?.to_owned()));
        let there: BTreeSet<String> = futures::TryStreamExt::try_collect(rows).await.unwrap();
        let described: BTreeSet<String> =
            tables().iter().map(|table| table.name.to_owned()).chain(["component_schema".to_owned()]).collect();
        assert_eq!(there, described);
        for table in tables() {
            assert!(PAGE.contains(&format!("`{}`", table.name)), "{} is missing", table.name);
            // whatever is described can be asked for
            store.shown(table, |_| true).await.unwrap();
            store.texts(table).await.unwrap();
            store.count(table, true).await.unwrap();
        }
        prune(&store, DateTime::UNIX_EPOCH, 1).await.unwrap();
        store.close().await;
    }

    /// One wrong reading of a clock forgets nothing; two that fit together are the present.
    #[test]
    fn a_clock_that_has_moved_far_is_looked_at_twice() {
        let start: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let at = |hours: i64| start + TimeDelta::hours(hours);
        let (day, year) = (24, 366 * 24);
        let turn = |noted: Option<i64>, last: i64, present: i64| {
            let noted = noted.map(|noted| at(noted).to_rfc3339()).unwrap_or_default();
            Turn::of(Some(&(noted, at(last))), at(present))
        };
        assert_eq!(Turn::of(None, start), Turn::Later { is_noted: false });
        assert_eq!([turn(None, 0, 1), turn(None, 0, day), turn(None, 0, 31 * day)], [Turn::Done, Turn::Now, Turn::Now]);
        assert_eq!(turn(None, 0, year), Turn::Later { is_noted: false });
        assert_eq!(turn(Some(year), 0, year + 1), Turn::Later { is_noted: true });
        // it was set right, or it was right
        assert_eq!([turn(Some(year), 0, day), turn(Some(year), 0, year + day)], [Turn::Now, Turn::Now]);
        // it was wrong the last time
        assert_eq!(turn(None, year, 0), Turn::Later { is_noted: false });
        assert_eq!([turn(Some(0), year, 1), turn(Some(0), year, day)], [Turn::Later { is_noted: true }, Turn::Now]);
        assert_eq!(turn(Some(year), -year, 0), Turn::Later { is_noted: false }, "what was noted is yet to come");
        // the first reading was right, after a long pause or in the first run, and the second one is wrong
        assert_eq!(turn(Some(50 * day), 0, 50 * day + year), Turn::Later { is_noted: false });
        assert_eq!(turn(Some(91 * day), 0, 182 * day), Turn::Now, "it runs once a quarter");
    }

    /// What one run cannot forget, the next one does, and does not wait until the clock was looked at twice again.
    #[tokio::test]
    async fn the_rest_is_for_the_next_run() {
        let store = Store::temporary().await.unwrap();
        open_all(&store).await.unwrap();
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
             INSERT INTO remembered (name, value, at_us) SELECT 'old ' || n, '', 0 FROM n";
        store.execute("storing", sql, [(i64::from(MOST_STEPS) * 7_500).into()]).await.unwrap();
        let common = CommonConfig::default();
        let start: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let mut left = Vec::new();
        for minutes in [0, 720, 721] {
            let present = start + TimeDelta::minutes(minutes);
            daily(&store, &common, present, present).await;
            let sql = "SELECT count(*) FROM remembered WHERE name LIKE 'old %'";
            left.push(store.row("counting", sql, [], |row| row.int(0)).await.unwrap().unwrap());
        }
        assert!(left[0] > left[1] && left[1] > 0, "{left:?}");
        assert_eq!(left[2], 0, "{left:?}");
    }

    /// A step for SQLite without its counterpart would be noticed on a server only, and nothing could be moved there.
    #[tokio::test]
    async fn both_engines_have_the_same_tables() {
        let mut described = Vec::new();
        for store in job_store::testing::stores().await {
            open_all(&store).await.unwrap();
            described.push(job_store::testing::described(&store).await);
        }
        let (first, others) = described.split_first().unwrap();
        assert!(first.contains(&"remembered.value text not null".to_owned()), "{first:?}");
        for other in others {
            assert_eq!(first, other);
        }
    }

    #[test]
    fn every_default_of_keep_stands_on_the_page_about_data_protection() {
        let programs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bins");
        let mut found = 0;
        for folder in std::fs::read_dir(programs).unwrap().map(|entry| entry.unwrap().path()) {
            let program = folder.file_name().unwrap().to_string_lossy().into_owned();
            let example = std::fs::read_to_string(folder.join(format!("{program}.example.toml"))).unwrap();
            let keep = example.lines().find_map(|line| line.strip_prefix("keep = \"")?.split('"').next()).unwrap();
            assert!(PAGE.contains(&format!("| `{program}` | `{keep}` |")), "{program}: {keep}");
            found += 1;
        }
        assert_eq!(found, 5);
    }
}
