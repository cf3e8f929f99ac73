//! Bringing the archive up to date, and saying what that could not reach.

mod doubt;
mod progress;

use audit_model::{Gap, GapReason, RoomId, SpanSet, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Slice};
use job_store::Read;
use tracing::{debug, warn};

use self::progress::{Doubted, Progress, in_order};
pub use self::progress::{LateRow, Refreshed};
use crate::archive::{covered_in, moment_in, unknown_form_name, unreadable_name};
use crate::facts::Fact;
use crate::judged::{AUDIT_WAITS_AS, LOGINS_WAIT_AS};
use crate::keep::Spans;
use crate::reading::Reading;
use crate::source::{Audit, Logins, RoomLog, Source};
use crate::unread::Unread;
use crate::{Archive, Error};

/// Every run reads this much again. It holds the portal's usual delays of seconds, a restart of its queue, and the hour by which
/// dates are late in autumn.
const OVERLAP: TimeDelta = TimeDelta::hours(2);

/// The first run of a day reads this much again: a queue that stood still over a weekend.
const DAILY_OVERLAP: TimeDelta = TimeDelta::days(3);

/// Clocks that differ by less than this are set well enough: the overlap covers it.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// Logins before a window: when they were last asked for, and why some of them were not seen.
const LOGIN_HISTORY: &str = "login history";

const EVENT_DATES_SQL: &str = "SELECT DISTINCT at_us FROM audit_event WHERE at_us >= ? AND at_us < ? ORDER BY at_us";

const LOGIN_DATES_SQL: &str = "SELECT DISTINCT at_us FROM login_event WHERE at_us >= ? AND at_us < ? ORDER BY at_us";

impl Archive {
    /// Reads what is missing of the audit trail of the window, and the last hours before it again.
    ///
    /// A portal that fails leaves gaps, not an error: what was read before is kept.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_audit(&self, client: &Client, window: Window, now: DateTime<Utc>) -> Result<Refreshed, Error> {
        self.refresh_audit_since(client, (window, window.since), now).await
    }

    /// The same from before the window on, for rules that count what happened just before it. What of that time cannot be had is no gap of
    /// the window: [`Refreshed::history`] tells it.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_audit_since(
        &self,
        client: &Client,
        (window, since): (Window, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        let refreshed = self.refresh(&Audit, client, (window, since), self.holes(), now).await?;
        let late = self.unjudged(AUDIT_WAITS_AS).await?.into_iter().chain(self.in_holes(EVENT_DATES_SQL).await?);
        Ok(Refreshed { late: in_order(late), ..refreshed })
    }

    /// The same for the login history, which the portal forgets after some time. For runs that judge it.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_logins(
        &self,
        client: &Client,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        let refreshed = self.read_logins(client, window, (TimeDelta::zero(), self.holes()), now).await?;
        let late = self.unjudged(LOGINS_WAIT_AS).await?.into_iter().chain(self.in_holes(LOGIN_DATES_SQL).await?);
        Ok(Refreshed { late: in_order(late), ..refreshed })
    }

    /// The logins of the window for runs that judge none of them, without holes; and once a day what is missing of so long a time before
    /// the window, to compare with. What of that cannot be had is no gap: [`Archive::logins_known_since`] tells how far back it reaches,
    /// and [`Refreshed::history`] what failed. What failed is asked for again by the next run, unless the budget ran out.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_logins_and_history(
        &self,
        client: &Client,
        window: Window,
        history: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        self.read_logins(client, window, (history, &SpanSet::default()), now).await
    }

    async fn read_logins(
        &self,
        client: &Client,
        window: Window,
        (history, holes): (TimeDelta, &SpanSet),
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        // without an answer everything is asked for, and what is older than the oldest login counts as forgotten
        let lifetimes = client.lifetimes().await.inspect_err(|error| warn!("{error}; old logins may be gone"));
        let no_lifetimes = lifetimes.as_ref().err().map(docspace_client::Error::gap_reason);
        let kept = lifetimes.ok();
        let portal_now = client.portal_clock().unwrap_or(now);
        let kept = kept.map(|kept| portal_now - TimeDelta::days(i64::from(kept.login_days)));
        let asked: Option<Fact<Option<GapReason>>> = self.fact(LOGIN_HISTORY, "").await?;
        let asked = asked.filter(|asked| asked.learned_at.date_naive() == now.date_naive());
        let with_history = asked.is_none() && kept.is_some() && history > TimeDelta::zero();
        let since = if with_history { window.since - history } else { window.since };
        let source = Logins { kept_since: kept, portal_now };
        let refreshed = self.refresh(&source, client, (window, since), holes, now).await?;
        if with_history {
            let why = refreshed.history.first().map(|gap| gap.why);
            let is_told_nothing = refreshed.gaps.iter().any(|gap| gap.why == GapReason::NothingRecorded);
            // asking again on the same day would only cost as much again; whoever could not even read the window reads both
            let ran_out = why == Some(GapReason::BudgetExhausted) && refreshed.gaps.is_empty();
            if !is_told_nothing && (ran_out || (why.is_none() && refreshed.error.is_none())) {
                self.keep_fact(LOGIN_HISTORY, "", &why, now).await?;
            }
            return Ok(refreshed);
        }
        let why = asked.map_or(no_lifetimes, |asked| asked.value).filter(|_| history > TimeDelta::zero());
        let before = Window::new(window.since - history, window.since);
        let unseen = why.map(|why| Gap { what: source.what().to_owned(), span: before, why });
        Ok(Refreshed { history: unseen.into_iter().collect(), ..refreshed })
    }

    /// Since when the login history is known without a hole up to this moment; `None` when it is not known just before it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn logins_known_since(&self, moment: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        let covered = self.covered("logins").await?;
        let reaches = covered.iter().find(|span| span.since < moment && moment <= span.until);
        Ok(reaches.map(|span| span.since))
    }

    /// The same for the activity log of a room.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn refresh_room_log(
        &self,
        client: &Client,
        room: &RoomId,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        self.refresh(&RoomLog(room), client, (window, window.since), &SpanSet::default(), now).await
    }

    /// Reads from `since` on, and then the holes; tells what was reached of the window and of them.
    async fn refresh<S: Source>(
        &self,
        source: &S,
        client: &Client,
        (window, since): (Window, DateTime<Utc>),
        holes: &SpanSet,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, Error> {
        let name = source.name();
        let Known { is_known, before, read_again, unreadable, unknown_form } = self.known(source).await?;
        let thorough = read_again.is_none_or(|last| last.date_naive() != now.date_naive());
        let overlap = if thorough { DAILY_OVERLAP } else { OVERLAP };
        let past = seen_by_portal(Window::new(since, window.until), client.portal_clock());
        let (known_bad, known_odd) =
            if thorough { (SpanSet::default(), SpanSet::default()) } else { (unreadable, unknown_form) };
        let mut progress = Progress::new(source.what(), window, holes, before);
        progress.history = Window::new(since, window.since);
        if past.until + CLOCK_TOLERANCE < window.until {
            progress.gap(Window::new(past.until, window.until), GapReason::ClockSkew);
        }
        let mut kept = |past: Window| match source.kept_since() {
            Some(kept_since) if kept_since > past.since => {
                let forgotten = Window::new(past.since, kept_since.min(past.until));
                for span in progress.before.missing_from(forgotten) {
                    progress.gap(span, GapReason::BeyondRetention);
                }
                Window::new(forgotten.until, past.until)
            }
            _ => past,
        };
        let past = kept(past);
        let holes: Vec<Window> = holes.iter().map(|hole| kept(*hole)).collect();
        // what could not be read the last time is asked for again once a day, and is a gap until then
        known_bad.iter().for_each(|span| progress.gap(*span, GapReason::UnreadableRow));
        let known: SpanSet = progress.before.iter().chain(known_odd.iter()).copied().collect();
        let mut spans = to_read(past, &known, overlap);
        if !is_known {
            // what passed for read held no row, so all of it is asked for again
            spans = together(spans, [past]);
        }
        spans = together(spans, self.again().iter().map(|span| span.intersection(&past)));
        // last, so that a hole that takes the whole budget does not make another one
        let asked: SpanSet = known.iter().chain(&spans).copied().collect();
        spans.extend(holes.into_iter().flat_map(|hole| asked.missing_from(hole)));
        progress.keep_odd(&known_odd, &spans);
        let spans = spans.iter().flat_map(|span| known_bad.missing_from(*span)).collect();
        let mut unread = Unread::new(spans);
        let mut reading = Reading::new(|part| source.read(client, part));
        reading.begin(&mut unread);
        while let Some(slice) = reading.next().await {
            unread.learn(&slice);
            progress.carry(&slice, |row| (source.id(row), source.at(row)));
            let lost = reading.meanwhile(self.lost(source, client, &slice, &progress.carried)).await?;
            let slice = match lost {
                Some(lost) => match progress.doubt(slice, lost) {
                    Doubted::AskAgain(spans, slice) => {
                        unread.ask_again(spans.iter().copied());
                        slice
                    }
                    Doubted::Refuted(slice) => {
                        reading.meanwhile(self.forget_if_renumbered(source, lost)).await?;
                        slice
                    }
                },
                None => slice,
            };
            let slice = match source.room().filter(|_| !is_known) {
                Some(room) => reading.meanwhile(self.unless_named(room, slice, client)).await?,
                None => slice,
            };
            progress.note(&slice, |row| source.at(row));
            // a portal that fails is asked for nothing more; what it has been asked already is kept
            if progress.stopped.is_none() {
                reading.begin(&mut unread);
            }
            reading.meanwhile(self.store_slice(source, &name, slice, &mut progress)).await?;
        }
        let told_nothing = match progress.take_none_ever() {
            Some(none_ever) => self.judge_none_ever(source, client, &none_ever, (&mut progress, now)).await?,
            None => false,
        };
        if let Some(why) = progress.stopped {
            unread.into_spans().for_each(|part| progress.gap(part, why));
        }
        // a window that ends before what was read is a repetition: what comes late after it is still to be looked for today.
        // A run that used up its budget would use it up again before it comes to what is new: the next one goes on from here instead
        let reaches_the_end = progress.before.iter().last().is_none_or(|known| known.until <= window.until);
        if thorough
            && reaches_the_end
            && !told_nothing
            && matches!(progress.stopped, None | Some(GapReason::BudgetExhausted))
        {
            self.keep_moment(&name, now).await?;
        }
        let coverage = if progress.any_read { Some(self.summary(source, window).await?) } else { None };
        Ok(progress.finish(coverage))
    }

    /// What earlier runs have left of the source.
    async fn known<S: Source>(&self, source: &S) -> Result<Known, Error> {
        let (name, is_known) = (source.name(), source.is_known_sql());
        let known = move |read: &Read<'_>| {
            Ok(Known {
                is_known: read.row(is_known, &[(&name).into()], |row| row.flag(0))?.unwrap_or_default(),
                before: covered_in(read, &name)?,
                read_again: moment_in(read, &name)?,
                unreadable: covered_in(read, &unreadable_name(&name))?,
                unknown_form: covered_in(read, &unknown_form_name(&name))?,
            })
        };
        Ok(self.store().read("comparing with what is stored", known).await?)
    }

    /// Whether any row of the source is stored.
    async fn is_known<S: Source>(&self, source: &S) -> Result<bool, Error> {
        self.says("comparing with what is stored", source.is_known_sql(), [source.name().into()]).await
    }

    /// Keeps the rows of a slice, and what of the source's time is covered now.
    async fn store_slice<S: Source>(
        &self,
        source: &S,
        name: &str,
        slice: Slice<S::Row>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let spans =
            Spans { before: &progress.before, covered: &progress.covered, bad: &progress.bad, odd: &progress.odd };
        let late = self.keep(source, name, &slice.rows, spans).await?;
        debug!(source = name, rows = slice.rows.len(), late = late.len(), "slice stored");
        progress.late.extend(late.into_iter().map(|at| LateRow { at }));
        progress.error = progress.error.take().or(slice.error);
        Ok(())
    }
}

/// What earlier runs have left of a source.
struct Known {
    /// Any row is stored.
    is_known: bool,
    /// What was read completely.
    before: SpanSet,
    /// When more than the last hours was last read again.
    read_again: Option<DateTime<Utc>>,
    /// What held an unreadable row, and a row of an unknown form, when that was last asked for.
    unreadable: SpanSet,
    unknown_form: SpanSet,
}

/// The part of the window that lies in the portal's past: nothing later can be said to be read.
fn seen_by_portal(window: Window, portal_clock: Option<DateTime<Utc>>) -> Window {
    // the portal's clock is read in whole seconds
    let now = portal_clock.map_or(window.until, |clock| clock + TimeDelta::seconds(1));
    Window::new(window.since, window.until.min(now).max(window.since))
}

/// Spans that touch are one.
fn together(spans: Vec<Window>, more: impl IntoIterator<Item = Window>) -> Vec<Window> {
    spans.into_iter().chain(more).collect::<SpanSet>().iter().copied().collect()
}

/// What to ask for: what is missing, and what was read of the time before the edge of what is known again, oldest first.
fn to_read(window: Window, covered: &SpanSet, overlap: TimeDelta) -> Vec<Window> {
    let missing = covered.missing_from(window);
    let edge = missing.last().filter(|last| last.until == window.until).map_or(window.until, |last| last.since);
    let recent = Window::new(edge - overlap, edge);
    let again = covered.iter().map(|known| known.intersection(&recent));
    let all: SpanSet = missing.into_iter().chain(again).collect();
    all.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn hours(since: i64, until: i64) -> Window {
        Window::new(hour(since), hour(until))
    }

    fn set(windows: &[Window]) -> SpanSet {
        windows.iter().copied().collect()
    }

    fn asked(window: Window, covered: &[Window]) -> Vec<Window> {
        to_read(window, &set(covered), OVERLAP)
    }

    #[test]
    fn the_first_run_reads_the_whole_window_and_nothing_before() {
        assert_eq!(asked(hours(0, 24), &[]), [hours(0, 24)]);
        assert_eq!(to_read(hours(0, 24), &SpanSet::default(), DAILY_OVERLAP), [hours(0, 24)]);
    }

    #[test]
    fn the_next_run_reads_what_is_new_and_two_hours_before() {
        assert_eq!(asked(hours(1, 25), &[hours(0, 24)]), [hours(22, 25)]);
        assert_eq!(asked(hours(0, 24), &[hours(0, 24)]), [hours(22, 24)]);
    }

    #[test]
    fn the_first_run_of_a_day_reads_three_days_again() {
        let known = set(&[hours(-200, 24)]);
        assert_eq!(to_read(hours(1, 25), &known, DAILY_OVERLAP), [hours(24 - 72, 25)]);
    }

    #[test]
    fn an_old_gap_is_asked_for_alone() {
        assert_eq!(asked(hours(0, 24), &[hours(0, 10), hours(11, 24)]), [hours(10, 11), hours(22, 24)]);
    }

    #[test]
    fn after_a_pause_the_overlap_stands_before_it() {
        assert_eq!(asked(hours(0, 24), &[hours(-5, 10)]), [hours(8, 24)]);
        assert_eq!(asked(hours(10, 24), &[hours(-5, 10)]), [hours(8, 24)]);
    }

    #[test]
    fn nothing_after_the_portals_own_now_counts_as_read() {
        let seen = seen_by_portal(hours(0, 24), Some(hour(23)));
        assert_eq!(seen, Window::new(hour(0), hour(23) + TimeDelta::seconds(1)));
        assert_eq!(seen_by_portal(hours(0, 24), Some(hour(30))), hours(0, 24));
        assert_eq!(seen_by_portal(hours(0, 24), None), hours(0, 24));
    }

    #[test]
    fn gaps_that_touch_are_one() {
        let mut progress = Progress::new("audit", hours(0, 24), &SpanSet::default(), SpanSet::default());
        for (span, why) in [
            (hours(5, 7), GapReason::PortalError),
            (hours(1, 3), GapReason::PortalError),
            (hours(3, 4), GapReason::UnreadableRow),
            (hours(3, 5), GapReason::PortalError),
            (hours(9, 10), GapReason::PortalError),
        ] {
            progress.gap(span, why);
        }
        let gaps: Vec<_> = progress.finish(None).gaps.iter().map(|gap| (gap.span, gap.why)).collect();
        let expected = [
            (hours(3, 4), GapReason::UnreadableRow),
            (hours(1, 7), GapReason::PortalError),
            (hours(9, 10), GapReason::PortalError),
        ];
        assert_eq!(gaps, expected);
    }

    #[test]
    fn a_gap_in_what_was_read_before_is_asked_for_again() {
        let mut progress = Progress::new("audit", hours(0, 24), &SpanSet::default(), set(&[hours(0, 24)]));
        progress.gap(hours(2, 4), GapReason::UnreadableRow);
        assert_eq!(progress.gaps[0].span, hours(2, 4));
        assert_eq!(progress.covered, set(&[hours(0, 2), hours(4, 24)]));
    }
}
