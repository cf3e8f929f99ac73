//! One look at the portal: whatever a run reads goes through it, and it notes what could not be seen, so that no program can forget to.

use audit_model::{BlindSpot, Coverage, Gap, GapReason, MainSource, RoomId, Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, ErrorKind, Room};
use tracing::warn;

use crate::{Archive, Error, LookUps, Refreshed, Unjudged};

/// What a run reads, and the statement of what of it was seen.
#[derive(Debug)]
pub struct Look {
    pub client: Client,
    pub archive: Archive,
    /// Half-open, UTC.
    pub window: Window,
    pub now: DateTime<Utc>,
    judged_from: DateTime<Utc>,
    coverage: Coverage,
    /// As the portal has told it in this run.
    rooms: Option<Vec<Room>>,
    /// The audit trail was read without a gap.
    is_audit_whole: bool,
}

impl Look {
    /// A look at nothing yet. Nothing can be concluded without `main`; `blind_spots` is what no portal records of the matter.
    pub fn new(
        (client, archive): (Client, Archive),
        (window, now): (Window, DateTime<Utc>),
        main: MainSource,
        blind_spots: &[BlindSpot],
    ) -> Self {
        let coverage = Coverage { main, blind_spots: blind_spots.to_vec(), ..Coverage::default() };
        let judged_from = window.since;
        Look { client, archive, window, now, judged_from, coverage, rooms: None, is_audit_whole: false }
    }

    /// The same for a run that judges from before its window on, where a burst began that has not ended.
    #[must_use]
    pub fn judging_from(self, judged_from: DateTime<Utc>) -> Self {
        Look { judged_from: judged_from.min(self.window.since), ..self }
    }

    /// What was seen so far, and what was not.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// What was seen, and what was not.
    pub fn into_coverage(self) -> Coverage {
        self.coverage
    }

    /// Brings the audit trail of the window up to date. Gives what of it rules have to judge.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn audit(&mut self) -> Result<Unjudged, Error> {
        self.audit_since(self.window.since).await
    }

    /// The same for rules that count what happened just before the window, too: what is not remembered of the time from `since` on is read
    /// once. What of that cannot be had is a gap before the window.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn audit_since(&mut self, since: DateTime<Utc>) -> Result<Unjudged, Error> {
        let client = self.client.clone();
        self.audit_through(&client, since).await
    }

    /// The same with the members of each event that only reports need.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn detailed_audit(&mut self) -> Result<Unjudged, Error> {
        self.detailed_audit_since(self.window.since).await
    }

    /// [`Look::audit_since`] with these.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn detailed_audit_since(&mut self, since: DateTime<Utc>) -> Result<Unjudged, Error> {
        let client = self.client.with_details();
        self.audit_through(&client, since).await
    }

    async fn audit_through(&mut self, client: &Client, since: DateTime<Utc>) -> Result<Unjudged, Error> {
        // what is remembered is not read again for its age: a run reads over a part of its window alone
        let known = self.archive.audit_known_since(self.window.since).await?;
        let since = if known.is_some_and(|known| known <= since) { self.window.since } else { since };
        let since = since.min(self.window.since);
        let mut refreshed = self.archive.refresh_audit_since(client, (self.window, since), self.now).await?;
        let before = std::mem::take(&mut refreshed.history);
        let unjudged = self.saw_audit(refreshed);
        self.coverage.add_gaps(before);
        Ok(unjudged)
    }

    /// Brings the login history of the window up to date, for programs that judge logins. Gives what of it rules have to judge.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn logins(&mut self) -> Result<Unjudged, Error> {
        let refreshed = self.archive.refresh_logins(&self.client, self.window, self.now).await?;
        self.coverage.logins.clone_from(&refreshed.coverage);
        Ok(self.hand_on(refreshed))
    }

    /// The logins of `window` for programs that judge none of them, and what is missing of so long a time before it, to compare with. How far
    /// back that reaches tells [`Archive::logins_known_since`]. Gives what of that time could not be seen though the portal has it: no gap of
    /// the window, so whoever compares must say it.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn logins_and_history(&mut self, window: Window, history: TimeDelta) -> Result<Option<Gap>, Error> {
        let mut refreshed = self.archive.refresh_logins_and_history(&self.client, window, history, self.now).await?;
        let failed = std::mem::take(&mut refreshed.history).into_iter().next();
        self.coverage.logins.clone_from(&refreshed.coverage);
        self.saw(refreshed);
        Ok(failed)
    }

    /// Brings the list of rooms up to date, and gives it; `None` when it could not be read. The portal is asked once in a run.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn rooms(&mut self) -> Result<Option<Vec<Room>>, Error> {
        if self.rooms.is_none() {
            let answer = self.archive.refresh_rooms(&self.client, self.window, self.now).await?;
            self.rooms = self.answered(Source::Rooms.name(), answer);
        }
        Ok(self.rooms.clone())
    }

    /// Brings the remembered rooms up to date, for whoever does not need the list itself: the portal is asked for it only when it may have
    /// changed. Whether all its rooms are known. Call it after the audit trail was read.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn knows_rooms(&mut self) -> Result<bool, Error> {
        let is_fresh = self.is_audit_whole && self.archive.rooms_are_fresh(self.window, self.now).await?;
        Ok(is_fresh || self.rooms().await?.is_some())
    }

    /// Brings the activity log of a room up to date, and gives what of it was not seen. A room that is gone has none, and that is no gap.
    ///
    /// # Errors
    /// Only of the store.
    pub async fn room_log(&mut self, room: &RoomId, window: Window) -> Result<Vec<Gap>, Error> {
        let Refreshed { coverage, gaps, error, .. } =
            self.archive.refresh_room_log(&self.client, room, window, self.now).await?;
        if error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotFound) {
            return Ok(gaps);
        }
        if let Some(error) = error {
            warn!(room.id = %room, "{:#}", anyhow::Error::new(error));
        }
        self.coverage.add_room_log(coverage, gaps.clone());
        Ok(gaps)
    }

    /// An answer of the portal, or a gap of the whole window in what it would have told.
    pub fn answered<T>(&mut self, what: &str, answer: Result<T, docspace_client::Error>) -> Option<T> {
        answer.map_err(|error| self.failed(what, error)).ok()
    }

    /// Notes that the portal did not tell something about the window.
    pub fn failed(&mut self, what: &str, error: docspace_client::Error) {
        self.coverage.gap(what, self.window, error.gap_reason());
        warn!("{:#}", anyhow::Error::new(error));
    }

    /// Notes a span that was not seen.
    pub fn gap(&mut self, what: &str, span: Window, why: GapReason) {
        self.coverage.gap(what, span, why);
    }

    /// Notes, once, what cannot be told however complete the look is.
    pub fn blind(&mut self, spot: BlindSpot) {
        self.coverage.blind(spot);
    }

    /// Notes actions of which nobody can tell the room.
    pub fn unattributed(&mut self, actions: u64) {
        self.coverage.unattributed += actions;
    }

    /// Notes what look-ups left open, as gaps of the whole window.
    pub fn finish(&mut self, look_ups: LookUps) {
        let (gaps, errors) = look_ups.finish(self.window);
        errors.into_iter().for_each(|error| warn!("{:#}", anyhow::Error::new(error)));
        self.coverage.add_gaps(gaps);
    }

    fn saw_audit(&mut self, refreshed: Refreshed) -> Unjudged {
        self.coverage.audit.clone_from(&refreshed.coverage);
        self.is_audit_whole = refreshed.coverage.is_some() && refreshed.gaps.is_empty() && refreshed.error.is_none();
        self.hand_on(refreshed)
    }

    fn hand_on(&mut self, refreshed: Refreshed) -> Unjudged {
        let unjudged = Unjudged::new(self.window, self.judged_from, &refreshed.late);
        self.saw(refreshed);
        unjudged
    }

    fn saw(&mut self, refreshed: Refreshed) {
        refreshed.error.into_iter().for_each(|error| warn!("{:#}", anyhow::Error::new(error)));
        self.coverage.add_gaps(refreshed.gaps);
    }
}
