//! What rules have judged: which spans, which rows came late and wait for it, and which holes are left. Rows that come late are stored
//! together with the note that they wait, so that a run that ends before it could tell anybody leaves them to the next one.
//!
//! Runs that look at everything, and runs that look at some rooms or people, remember this apart: what the latter pass over, the
//! former must find.

use audit_model::{SpanSet, Window};
use chrono::{DateTime, Utc};
use job_store::{Failure, Read, Row, Value, Write};

use crate::archive::{keep_moment_in, moment_in};
use crate::part::Part;
use crate::rows::{instant, micros, span};
use crate::{Archive, Error, LateRow};

/// What rules have judged, of what these runs look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Since when these runs look; `None` before the first.
    pub since: Option<DateTime<Utc>>,
    /// What was read and judged since then, or given up.
    pub spans: SpanSet,
    /// What runs with an earlier beginning of their own could not see or judge: holes before `since`.
    pub left_open: SpanSet,
    /// Where the last run ended that saw something, whether it could judge it or not.
    pub looked: Option<DateTime<Utc>>,
}

impl Judged {
    /// Up to when everything was judged: the beginning of the first hole, which may be the present.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        let since = self.since?;
        if let Some(first) = self.left_open.iter().next() {
            return Some(first.since);
        }
        let first = self.spans.iter().next().filter(|first| first.since <= since);
        Some(first.map_or(since, |first| first.until))
    }

    /// Where the last run ended that judged something; with holes before it, later than [`until`](Self::until).
    pub fn ended(&self) -> Option<DateTime<Utc>> {
        self.spans.iter().last().map(|last| last.until)
    }

    /// What was not judged since these runs look, and what was left open before, up to a moment.
    pub fn holes(&self, before: DateTime<Utc>) -> SpanSet {
        let since = self.since.map(|since| self.spans.missing_from(Window::new(since, before)));
        let open = self.left_open.iter().map(|span| Window::new(span.since, span.until.min(before)));
        since.into_iter().flatten().chain(open.filter(|span| !span.is_empty())).collect()
    }
}

/// A hole that somebody gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Of which runs; empty for those that look at everything.
    pub part: String,
    pub span: Window,
    pub reason: String,
    pub at: DateTime<Utc>,
}

impl GivenUp {
    /// As a row.
    fn values(&self) -> [Value; 5] {
        let GivenUp { part, span, reason, at } = self;
        [part.into(), micros(span.since).into(), micros(span.until).into(), reason.into(), micros(*at).into()]
    }
}

/// How rows of a source are told from those of the others that wait, before the name of the part.
pub(crate) const AUDIT_WAITS_AS: &str = "";

/// The same for logins.
pub(crate) const LOGINS_WAIT_AS: &str = "logins of ";

/// Notes the dates of late rows of a source down, in the transaction that stores the rows: for this part, and for every other that has
/// judged that time.
pub(crate) fn wait(write: &Write<'_>, late: &[DateTime<Utc>], (source, part): (&str, &Part)) -> Result<(), Failure> {
    for at in late {
        write.execute(
            "INSERT INTO unjudged (part, at_us) SELECT ?3 || ?1, CAST(?2 AS BIGINT)
             UNION SELECT ?3 || part, CAST(?2 AS BIGINT) FROM judged_span WHERE until_us > CAST(?2 AS BIGINT)
             ON CONFLICT DO NOTHING",
            &[Value::Text(part.as_str().into()), Value::Int(micros(*at)), Value::Text(source.into())],
        )?;
    }
    Ok(())
}

/// Under this name it is kept up to when these runs have looked.
fn looked_name(part: &str) -> String {
    format!("looked {part}")
}

/// The tables from which [`Archive::judged`] reads.
pub const JUDGED_TABLES: [&str; 4] = ["watched", "judged_span", "left_open", "moment"];

/// What a run tells the next ones about the time that it looked at.
#[derive(Clone, Debug)]
pub struct LookedAt {
    /// Where no run of these has looked before, they look since its beginning: what they do not judge from then on is a hole.
    pub window: Window,
    /// Whether the run saw something up to the end of the window. What it could not judge of that is a hole, and no pause.
    pub has_seen: bool,
    /// Whether the run saw everything up to the present, by a clock that was held against the portal's.
    pub is_present: bool,
    /// What it has judged; `None` where its findings were not told. Of what lies before these runs began to look, only what was left open
    /// is kept.
    pub judged: Option<SpanSet>,
    /// Whether what came late before was judged too. A run that ends before what was judged already is a repetition, and what came late
    /// waits on: it may be half of something that goes on after its window.
    pub with_late: bool,
    /// What it was asked to look at and could not see or judge: as far as it lies before the time since which these runs look, it is a hole
    /// like those after that.
    pub left_open: SpanSet,
}

impl Archive {
    /// What rules have judged, of what these runs look at.
    ///
    /// # Errors
    /// Of the store.
    pub async fn judged(&self) -> Result<Judged, Error> {
        self.judged_of(self.part().as_str()).await
    }

    async fn judged_of(&self, part: &str) -> Result<Judged, Error> {
        let part = part.to_owned();
        Ok(self.store().read("reading what was judged", move |read| judged_of(read, &part)).await?)
    }

    /// Remembers what a run has looked at and judged, all of it or nothing: what is not remembered is looked at again.
    ///
    /// # Errors
    /// Of the store.
    pub async fn keep_run(&self, run: LookedAt) -> Result<(), Error> {
        let part = self.part().clone();
        let keep = move |write: &Write<'_>| keep_run(write, part.as_str(), &run);
        Ok(self.store().write("noting down what was judged", keep).await?)
    }

    /// Gives up every hole before a moment, of all runs, and what nobody has looked at up to then: nobody asks for it any more. Gives what
    /// was given up.
    ///
    /// # Errors
    /// Of the store.
    pub async fn give_up(
        &self,
        before: DateTime<Utc>,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<GivenUp>, Error> {
        let mut all = Vec::new();
        for (part, mut judged) in self.judged_by_part().await? {
            let holes = judged.holes(before);
            for span in holes.iter() {
                judged.spans.insert(*span);
                judged.left_open.remove(*span);
                all.push(GivenUp { part: part.clone(), span: *span, reason: reason.to_owned(), at: now });
            }
            let given_up = all.iter().filter(|given_up| given_up.part == part).map(GivenUp::values).collect();
            self.store().write("giving up holes", move |write| give_up(write, &part, &judged, given_up)).await?;
        }
        Ok(all)
    }

    /// What all runs have judged, by what they look at; first those that look at everything.
    ///
    /// # Errors
    /// Of the store.
    pub async fn judged_by_part(&self) -> Result<Vec<(String, Judged)>, Error> {
        let sql = "SELECT part FROM watched ORDER BY part";
        let parts = self.store().all("reading what was judged", sql, [], |row| Ok(row.text(0)?.to_owned())).await?;
        let mut all = Vec::new();
        for part in parts {
            let judged = self.judged_of(&part).await?;
            all.push((part, judged));
        }
        Ok(all)
    }

    /// What was given up, oldest first.
    ///
    /// # Errors
    /// Of the store.
    pub async fn given_up(&self) -> Result<Vec<GivenUp>, Error> {
        let sql = "SELECT part, since_us, until_us, reason, at_us FROM given_up ORDER BY since_us, part";
        let given_up = |row: &Row<'_>| {
            let (part, reason) = (row.text(0)?.to_owned(), row.text(3)?.to_owned());
            let moments = span(row, 1)?.zip(instant(row.int(4)?));
            Ok(moments.map(|(span, at)| GivenUp { part, span, reason, at }))
        };
        let rows = self.store().all("reading what was given up", sql, [], given_up).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// What of a source came late in this run, and in earlier ones whose findings were not told; oldest first, each moment once.
    pub(crate) async fn unjudged(&self, source: &str) -> Result<Vec<LateRow>, Error> {
        let sql = "SELECT at_us FROM unjudged WHERE part = ? ORDER BY at_us";
        let part = format!("{source}{}", self.part().as_str());
        let dates = self.store().all("reading what came late", sql, [part.into()], |row| row.int(0)).await?;
        Ok(dates.into_iter().filter_map(instant).map(|at| LateRow { at }).collect())
    }

    /// What is stored of the holes: it was read by this run or an earlier one, and no rule has judged it yet. Oldest first.
    pub(crate) async fn in_holes(&self, dates_sql: &'static str) -> Result<Vec<LateRow>, Error> {
        let mut rows = Vec::new();
        for hole in self.holes().iter() {
            let values = [micros(hole.since).into(), micros(hole.until).into()];
            let dates = self.store().all("reading what was not judged", dates_sql, values, |row| row.int(0)).await?;
            rows.extend(dates.into_iter().filter_map(instant).map(|at| LateRow { at }));
        }
        Ok(rows)
    }
}

fn judged_of(read: &Read<'_>, part: &str) -> Result<Judged, Failure> {
    let since = read.row("SELECT since_us FROM watched WHERE part = ?", &[part.into()], |row| row.int(0))?;
    let spans = |sql| -> Result<SpanSet, Failure> {
        Ok(read.all(sql, &[part.into()], |row| span(row, 0))?.into_iter().flatten().collect())
    };
    Ok(Judged {
        since: since.and_then(instant),
        spans: spans("SELECT since_us, until_us FROM judged_span WHERE part = ?")?,
        left_open: spans("SELECT since_us, until_us FROM left_open WHERE part = ?")?,
        looked: moment_in(read, &looked_name(part))?,
    })
}

fn keep_run(write: &Write<'_>, part: &str, run: &LookedAt) -> Result<(), Failure> {
    let before = judged_of(write, part)?;
    let until = run.window.until;
    // a clock that was ahead has noted down a moment that has not come yet: then nothing that these runs leave open would be a hole
    let is_ahead = |since: &DateTime<Utc>| run.is_present && *since > until;
    let since = before.since.filter(|since| !is_ahead(since)).unwrap_or(run.window.since);
    if before.since != Some(since) {
        let sql = "INSERT INTO watched (part, since_us) VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET since_us = excluded.since_us";
        write.execute(sql, &[part.into(), micros(since).into()])?;
    }
    if run.has_seen && before.looked.is_none_or(|looked| looked < until) {
        keep_moment_in(write, &looked_name(part), until)?;
    }
    let (mut spans, mut left_open) = (before.spans.clone(), before.left_open.clone());
    if let Some(judged) = &run.judged {
        judged.iter().for_each(|span| spans.insert(Window::new(span.since.max(since), span.until)));
        judged.iter().for_each(|span| left_open.remove(*span));
        let with_late = run.with_late && before.ended().is_none_or(|ended| until >= ended);
        for source in [AUDIT_WAITS_AS, LOGINS_WAIT_AS].into_iter().filter(|_| with_late) {
            let values = [format!("{source}{part}").into(), micros(until).into()];
            write.execute("DELETE FROM unjudged WHERE part = ? AND at_us < ?", &values)?;
        }
    }
    let open = run.left_open.iter().map(|span| Window::new(span.since, span.until.min(since)));
    open.filter(|span| !span.is_empty()).for_each(|span| left_open.insert(span));
    if spans != before.spans {
        replace(write, JUDGED_SQL, part, &spans)?;
    }
    if left_open != before.left_open {
        replace(write, LEFT_OPEN_SQL, part, &left_open)?;
    }
    Ok(())
}

/// Empties a table of spans of a part, and fills it.
type ReplaceSql = [&'static str; 2];

const JUDGED_SQL: ReplaceSql =
    ["DELETE FROM judged_span WHERE part = ?", "INSERT INTO judged_span (part, since_us, until_us) VALUES (?, ?, ?)"];

const LEFT_OPEN_SQL: ReplaceSql =
    ["DELETE FROM left_open WHERE part = ?", "INSERT INTO left_open (part, since_us, until_us) VALUES (?, ?, ?)"];

fn replace(write: &Write<'_>, [empty, fill]: ReplaceSql, part: &str, spans: &SpanSet) -> Result<(), Failure> {
    write.execute(empty, &[part.into()])?;
    for span in spans.iter() {
        write.execute(fill, &[part.into(), micros(span.since).into(), micros(span.until).into()])?;
    }
    Ok(())
}

/// Notes down what was given up of a part, and what is left of it.
fn give_up(write: &Write<'_>, part: &str, judged: &Judged, given_up: Vec<[Value; 5]>) -> Result<(), Failure> {
    for values in given_up {
        let sql = "INSERT INTO given_up (part, since_us, until_us, reason, at_us) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT DO NOTHING";
        write.execute(sql, &values)?;
    }
    replace(write, JUDGED_SQL, part, &judged.spans)?;
    replace(write, LEFT_OPEN_SQL, part, &judged.left_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn judged(since: i64, spans: &[(i64, i64)]) -> Judged {
        let spans = spans.iter().map(|(since, until)| Window::new(hour(*since), hour(*until))).collect();
        Judged { since: Some(hour(since)), spans, ..Judged::default() }
    }

    /// What was read behind a hole must not hide it.
    #[test]
    fn what_was_judged_ends_where_the_first_hole_begins() {
        assert_eq!((Judged::default().until(), Judged::default().ended()), (None, None));
        let whole = judged(0, &[(0, 24)]);
        assert_eq!((whole.until(), whole.ended()), (Some(hour(24)), Some(hour(24))));
        assert!(whole.holes(hour(24)).is_empty());
        let torn = judged(0, &[(0, 10), (11, 24)]);
        assert_eq!((torn.until(), torn.ended()), (Some(hour(10)), Some(hour(24))));
        assert_eq!(torn.holes(hour(26)).iter().count(), 2, "the hole, and what came after the last run");
        let late = judged(0, &[(4, 24)]);
        assert_eq!((late.until(), late.holes(hour(24)).iter().count()), (Some(hour(0)), 1));
        let left_open = [Window::new(hour(2), hour(4))].into_iter().collect();
        let asked = Judged { left_open, ..judged(20, &[(20, 24)]) };
        assert_eq!((asked.until(), asked.holes(hour(24)).iter().count()), (Some(hour(2)), 1));
        assert!(asked.holes(hour(2)).is_empty());
    }
}
