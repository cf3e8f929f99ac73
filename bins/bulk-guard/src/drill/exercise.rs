//! Carries a drill out: commit, call, look, until nothing follows or the time of a step is over.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use audit_model::Sentence;
use docspace_client::Client;
use job_runner::{Desk, Setup};
use tokio::time::timeout;

use crate::config::Config;
use crate::drill::book;
use crate::drill::children;
use crate::drill::course::{Do, Drill, LIVES_FOR, OwnRoom, RoomSeen, Seen, Stage, Step, next};
use crate::drill::decide::order;
use crate::drill::site::{Site, pause, upload};
use crate::suspend::entry::Entry;
use crate::suspend::ledger::{Kept, Ledger as _};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// So often it is said that somebody is at work.
const BEAT: Duration = Duration::from_secs(20);

/// A drill at work.
pub(super) struct Exercise<'a> {
    setup: &'a Setup<'a, Config>,
    site: Site,
    /// The step that is waited for, and since when.
    waits: Option<((Stage, Step), Instant)>,
    beaten: Instant,
    /// What the last run said.
    said: Sentence,
}

/// What may be left, as a clause.
pub(super) fn left_of(drill: &Drill) -> String {
    format!(
        "the account {} may be disabled (`bulk-guard status`), and the room \"{}\" may be there; the next runs go on with it",
        drill.name,
        drill.title()
    )
}

impl<'a> Exercise<'a> {
    pub(super) fn new(setup: &'a Setup<'a, Config>, site: Site) -> Self {
        Exercise {
            setup,
            site,
            waits: None,
            beaten: Instant::now(),
            said: ("no run was made", "es gab keinen Lauf").into(),
        }
    }

    async fn at_desk<T>(&self, work: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>) -> anyhow::Result<T> {
        // what follows after a signal is kept, too
        let done = self.setup.at_desk_to_its_end(work).await?;
        done.context("nothing is remembered yet; let cron run `bulk-guard` first")
    }

    /// The oldest drill of which something may be left.
    pub(super) async fn open(&self) -> anyhow::Result<Option<Drill>> {
        let open = self.at_desk(async |desk| book::open(&desk.store).await).await?;
        Ok(open.into_iter().find(|drill| drill.stage < Stage::Over))
    }

    /// Whether somebody wants it to end: then nothing more is begun.
    fn is_stopped(&self) -> bool {
        self.setup.stopping().is_asked()
    }

    async fn pause(&self, length: Duration) {
        tokio::select! {
            () = pause(length) => {}
            () = self.setup.stopping().asked() => {}
        }
    }

    /// Runs until no drill is open, or its time is over.
    pub(super) async fn runs_until_settled(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            children::run(self.setup).await?;
            let is_over = self.is_stopped() || began.elapsed() > self.setup.config.drill.step_limit.0;
            if is_over || self.open().await?.is_none() {
                return Ok(());
            }
            self.pause(PAUSE).await;
        }
    }

    /// From its beginning to its end.
    ///
    /// # Errors
    /// Of the store, or because somebody else goes on with it. The next runs take away what is left.
    pub(super) async fn carry_out(mut self, drill: Drill) -> anyhow::Result<Drill> {
        // rows have whole seconds: what happens in the second in which enforcing was switched on counts as before it
        self.pause(PAUSE).await;
        // the intent comes first, and with it nothing is done yet
        let mut drill = self.commit(&drill).await?;
        loop {
            let entries = self.entries().await?;
            let (late, before) = (self.late(&drill), drill.clone());
            let (after, what) = {
                let seen = self.seen(&drill, &entries, late.as_ref()).await;
                next(&drill, &seen)
            };
            if after != drill {
                drill = self.commit(&after).await?;
            }
            if what == Do::Nothing {
                break;
            }
            if let Some(why) = late.filter(|_| drill.stage == before.stage) {
                if before.failure.is_some() {
                    return self.left(drill).await;
                }
                let step = drill.expected();
                drill = self.commit(&drill.given_up(step, why)).await?;
            }
            if drill.failure.is_some() && before.failure.is_none() {
                // the way back has as much time again
                self.waits = None;
            }
            if self.is_stopped() {
                let why = ("the drill was stopped", "die Übung wurde angehalten");
                let step = drill.expected();
                return self.left(drill.given_up(step, why)).await;
            }
            drill = self.perform(drill, what, &entries).await?;
        }
        // a run tells how it ended
        if !self.is_stopped() {
            children::run(self.setup).await?;
        }
        Ok(drill)
    }

    /// Leaves it to the next runs.
    async fn left(&self, drill: Drill) -> anyhow::Result<Drill> {
        let now = self.setup.clock();
        let left = Drill { lives_until: now - LIVES_FOR, ..drill.clone() };
        let kept = self.at_desk(async |desk| book::commit(&desk.store, &left, Default::default(), now).await).await?;
        Ok(kept.unwrap_or(drill))
    }

    async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let now = self.setup.now;
        self.at_desk(async |desk| Kept::open(desk.store.clone(), now).await?.entries().await).await
    }

    async fn seen<'e>(&self, drill: &Drill, entries: &'e [Entry], late: Option<&'e Sentence>) -> Seen<'e> {
        let is_leaving = drill.stage >= Stage::Leaving || drill.stage == Stage::Watching;
        let account = if is_leaving { self.site.status(drill.account).await } else { None };
        let room = if drill.stage >= Stage::Leaving { self.site.room(drill).await } else { RoomSeen::Unread };
        let now = self.site.watching.portal_now().unwrap_or_else(|| self.setup.clock());
        Seen { now, suspension: drill.suspension(entries), account, room, late }
    }

    /// Why the step that is expected does not happen, once its time is over.
    fn late(&mut self, drill: &Drill) -> Option<Sentence> {
        let expected = (drill.stage, drill.expected());
        let since = match self.waits {
            Some((waited, since)) if waited == expected => since,
            _ => self.waits.insert((expected, Instant::now())).1,
        };
        let limit = self.setup.config.drill.step_limit;
        let is_over = since.elapsed() > limit.0;
        is_over.then(|| {
            Sentence::new(
                format!("it did not happen within {limit} (`drill.step_limit`); {}", self.said),
                format!("es geschah nicht innerhalb von {limit} (`drill.step_limit`); {}", self.said.german()),
            )
        })
    }

    /// Keeps a drill, and says that somebody is at work on it.
    async fn commit(&mut self, drill: &Drill) -> anyhow::Result<Drill> {
        let now = self.setup.clock();
        let alive = Drill { lives_until: now + LIVES_FOR, ..drill.clone() };
        let kept = self.at_desk(async |desk| book::commit(&desk.store, &alive, Default::default(), now).await).await?;
        self.beaten = Instant::now();
        match kept {
            Some(kept) => Ok(kept),
            None => bail!("another run has gone on with the drill, because this one was silent for too long"),
        }
    }

    async fn beat(&mut self, drill: Drill) -> anyhow::Result<Drill> {
        if self.beaten.elapsed() < BEAT { Ok(drill) } else { self.commit(&drill).await }
    }

    /// Does what follows. Before the room is made, the drill is kept once more: where another run has ended it meanwhile, nobody would take the
    /// room away. The other calls ask no such thing: they are about this drill's own room and nothing else, which whoever ends the drill deletes
    /// with all that is in it, and no other drill begins before that.
    async fn perform(&mut self, mut drill: Drill, what: Do, entries: &[Entry]) -> anyhow::Result<Drill> {
        match &what {
            Do::MakeRoom => return self.make_room(drill).await,
            Do::Upload(room) => {
                let Some(own) = self.site.own.clone() else { return Ok(drill) };
                for number in 1..=drill.documents {
                    if self.is_stopped() {
                        return Ok(drill);
                    }
                    drill = self.beat(drill).await?;
                    if let Err(error) = upload(&own, (&drill, room), number).await {
                        return self.commit(&drill.given_up(Step::Made, Sentence::quoted(error.to_string()))).await;
                    }
                }
                drill.stage = Stage::Renaming;
                return self.commit(&drill).await;
            }
            Do::Rename(room) => return self.rename(drill, room).await,
            Do::Approve | Do::Cancel | Do::Release => {
                if let Some(entry) = drill.suspension(entries) {
                    let now = self.setup.clock();
                    self.at_desk(async |desk| {
                        let ledger = Kept::open(desk.store.clone(), now).await?;
                        order(&ledger, entry, &what, now).await.map(drop)
                    })
                    .await?;
                }
            }
            Do::Archive(room) => self.site.archive(room).await,
            Do::Delete(room) => self.site.delete(room).await,
            Do::Wait | Do::Nothing => {}
        }
        let is_run = matches!(what, Do::Wait | Do::Approve | Do::Cancel | Do::Release) && drill.stage < Stage::Ending;
        if is_run {
            drill = self.run(drill).await?;
        } else {
            self.pause(PAUSE / 4).await;
        }
        self.beat(drill).await
    }

    /// An ordinary run, and a moment after it.
    async fn run(&mut self, mut drill: Drill) -> anyhow::Result<Drill> {
        let mut run = std::pin::pin!(children::run(self.setup));
        let output = loop {
            match timeout(BEAT, run.as_mut()).await {
                Ok(output) => break output?,
                Err(_) => drill = self.beat(drill).await?,
            }
        };
        self.said = children::said(&output, drill.account);
        self.pause(PAUSE / 4).await;
        Ok(drill)
    }

    async fn make_room(&mut self, drill: Drill) -> anyhow::Result<Drill> {
        let Some(own) = self.site.own.clone() else { return Ok(drill) };
        let drill = self.commit(&drill).await?;
        let made = own.create_data_room(&drill.title()).await;
        let after = match made {
            Ok(room) => Drill { room: OwnRoom::Made(room.fact.id), stage: Stage::Filling, ..drill },
            Err(error) => {
                let room = if error.may_have_acted() { OwnRoom::Asked } else { OwnRoom::Refused };
                Drill { room, ..drill }.given_up(Step::Made, Sentence::quoted(error.to_string()))
            }
        };
        self.commit(&after).await
    }

    async fn rename(&mut self, mut drill: Drill, room: &audit_model::RoomId) -> anyhow::Result<Drill> {
        let Some(own) = self.site.own.clone() else { return Ok(drill) };
        let files = match own.files_in(room).await {
            Ok(files) => files,
            Err(error) => return self.commit(&drill.given_up(Step::Made, Sentence::quoted(error.to_string()))).await,
        };
        if (files.len() as u64) < drill.documents {
            let (there, all) = (files.len(), drill.documents);
            let english = format!("the room has {there} of {all} documents");
            let why = Sentence::new(english, format!("der Raum hat {there} von {all} Dokumenten"));
            return self.commit(&drill.given_up(Step::Made, why)).await;
        }
        for (file, number) in files.iter().zip(1..) {
            if self.is_stopped() {
                return Ok(drill);
            }
            drill = self.beat(drill).await?;
            if let Err(error) = rename(&own, &drill, (&file.id, number)).await {
                return self.commit(&drill.given_up(Step::Made, Sentence::quoted(error.to_string()))).await;
            }
        }
        drill.times.made = Some(own.portal_now().unwrap_or_else(|| self.setup.clock()));
        drill.stage = Stage::Watching;
        self.commit(&drill).await
    }
}

async fn rename(
    own: &Client,
    drill: &Drill,
    (file, number): (&docspace_client::EntryId, u64),
) -> Result<(), docspace_client::Error> {
    let title = format!("drill {number:02} renamed.{}", drill.mark);
    own.rename_file(file, &title).await.map(drop)
}
