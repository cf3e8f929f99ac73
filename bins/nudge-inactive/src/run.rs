//! The job: refresh, look at the rooms, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ::report::words;
use alerting::Alert;
use anyhow::Context;
use audit_model::{BlindSpot, Coverage, GapReason, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use docspace_client::Room;
use job_runner::args::{FlagSetting, ReportFormat};
use job_runner::config::{Problem, Problems};
use job_runner::exit::Exit;
use job_runner::names::NamedList;
use job_runner::{Check, Conclusion, Head, Job, Program, Reached, Setup, Tellable};
use tracing::warn;
use uuid::Uuid;

use crate::activity;
use crate::cli::{Cli, Command};
use crate::config::{Config, Form};
use crate::outcome::{Outcome, RoomReport, Seen};
use crate::remind::{Remembered, remind, spared};
use crate::report;
use crate::rooms::{Choice, choose, tags};
use crate::rule::{Judged, Terms, Verdict, judge};

/// What no portal records of a room, however complete the read is.
pub(crate) const BLIND_SPOTS: [BlindSpot; 2] = [BlindSpot::StreamDownloads, BlindSpot::ViewOnlySessions];

async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
    let judgement = judge_rooms(config, job).await?;
    let Judgement { coverage, notes, found, judged, watched_since, last } = judgement;
    let report = |(id, judged): (RoomId, Vec<Judged>)| {
        let title = found.rooms.get(&id).map(|room| room.title.clone()).unwrap_or_default();
        RoomReport::new(id, title, judged, &last)
    };
    let rooms: Vec<RoomReport> = judged.into_iter().map(report).collect();
    let seen = Seen { rooms, unread_rooms: found.unread.clone(), watched_since, notes };
    Ok(Outcome { found, ..Outcome::new(config, job, coverage, seen) })
}

/// Reminds, and reports to the manager, who gets the report also when reminding failed.
async fn act(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    let is_judged = outcome.head.coverage.audit.is_some();
    let mut reminded = Ok(());
    if config.remind.enabled && is_judged {
        let remembered = Remembered { rooms: &outcome.rooms, found: &outcome.found };
        let mut actions = Vec::new();
        reminded = remind(config, job, &remembered, &mut actions).await;
        actions.sort_by_key(|action| action.person.id);
        outcome.actions = actions;
    }
    if let Err(failure) = &reminded {
        outcome.head.notes.push(format!("not everybody who is due was reminded: {failure:#}"));
    }
    if !job.dry_run {
        write_file(config, outcome)?;
        mail_manager(config, job, outcome).await?;
    }
    reminded
}

/// The chosen rooms and what the rule says of their members.
#[derive(Default)]
pub(crate) struct Judgement {
    pub(crate) coverage: Coverage,
    pub(crate) notes: Vec<String>,
    pub(crate) found: activity::Seen,
    pub(crate) judged: Vec<(RoomId, Vec<Judged>)>,
    /// Since when the audit trail is known without a hole.
    pub(crate) watched_since: Option<DateTime<Utc>>,
    /// When those who are inactive were last seen before the window.
    pub(crate) last: BTreeMap<(Uuid, RoomId), DateTime<Utc>>,
}

pub(crate) async fn judge_rooms(config: &Config, job: &Job) -> anyhow::Result<Judgement> {
    if job.portal.as_ref().is_none_or(|portal| !portal.audit_filter_works) {
        let coverage = Coverage::unseen("audit", job.window, GapReason::AuditFeatureMissing);
        return Ok(Judgement { coverage, ..Judgement::default() });
    }
    let refreshed = job.archive.refresh_audit(&job.client, job.window, job.now).await?;
    if let Some(error) = refreshed.error {
        warn!("{:#}", anyhow::Error::new(error));
    }
    let mut coverage = Coverage { blind_spots: BLIND_SPOTS.to_vec(), audit: refreshed.coverage, ..Coverage::default() };
    coverage.add_gaps(refreshed.gaps);
    let mut notes = Vec::new();
    let (shown, choice) = chosen(config, job, &mut coverage).await?;
    if choice.archived > 0 {
        notes.push(format!("archived rooms are not looked at: {}", choice.archived));
    }
    let rooms: Vec<&Room> = shown.iter().filter(|room| choice.ids.contains(&room.fact.id)).collect();
    let found = activity::read(job, &rooms, &config.classes, &mut coverage).await?;
    let terms = terms(config, job, &coverage);
    let judged: Vec<(RoomId, Vec<Judged>)> =
        found.rooms.values().map(|room| (room.id.clone(), judge(room, &terms, job.window.until))).collect();
    let watched_since = job.archive.audit_known_since(job.window.until).await?;
    let last = match watched_since.filter(|since| *since < job.window.since) {
        Some(since) => activity::last_before(job, since, &inactive(&judged), &found).await?,
        None => BTreeMap::new(),
    };
    Ok(Judgement { coverage, notes, found, judged, watched_since, last })
}

/// The rooms that the portal shows, and which of them are meant.
async fn chosen(config: &Config, job: &Job, coverage: &mut Coverage) -> anyhow::Result<(Vec<Room>, Choice)> {
    let wanted = config.rooms.wanted();
    let asked = async {
        let mut tagged = Vec::new();
        for tag in tags(wanted) {
            let rooms = job.client.rooms_with_tag(tag).await?;
            tagged.push((tag.to_owned(), rooms.into_iter().map(|room| room.fact.id).collect()));
        }
        Ok::<_, docspace_client::Error>(tagged)
    };
    let shown = job.archive.refresh_rooms(&job.client, job.window, job.now).await?;
    let asked = match shown {
        Ok(shown) => asked.await.map(|tagged| (shown, tagged)),
        Err(error) => Err(error),
    };
    let (shown, tagged): (Vec<Room>, Vec<(String, Vec<RoomId>)>) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            coverage.gap("rooms", job.window, error.gap_reason());
            warn!("{:#}", anyhow::Error::new(error));
            return Ok((Vec::new(), Choice::default()));
        }
    };
    let choice = choose(wanted, &shown, &tagged);
    if !choice.unknown.is_empty() {
        let message =
            |unknown: &String| format!("no room is meant by `{unknown}`; look ids, titles and tags up in the portal");
        let problems = choice.unknown.iter().map(|unknown| Problem::new("rooms", message(unknown))).collect();
        return Err(job_runner::Error::Config(Problems(problems)).into());
    }
    Ok((shown, choice))
}

fn terms(config: &Config, job: &Job, coverage: &Coverage) -> Terms {
    Terms {
        min_activity: config.min_activity,
        grace: config.grace(),
        with_owner: config.include_owner,
        with_managers: config.include_managers,
        robots: job.service_accounts.clone(),
        listed: config.exclude_people.clone(),
        own: job.portal.as_ref().map(|portal| portal.me.person.id),
        blind: activity::blindness(job, config.period(), coverage),
    }
}

fn inactive(judged: &[(RoomId, Vec<Judged>)]) -> BTreeSet<(Uuid, RoomId)> {
    let of_room = |(room, judged): &(RoomId, Vec<Judged>)| {
        let inactive = judged.iter().filter(|judged| judged.verdict == Verdict::Inactive);
        inactive.map(|judged| (judged.member.account.person.id, room.clone())).collect::<Vec<_>>()
    };
    judged.iter().flat_map(of_room).collect()
}

/// Replaces the manager's file, at once.
fn write_file(config: &Config, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(path) = config.manager.file.as_ref().map(|path| path.as_path()) else { return Ok(()) };
    let form = Form::of_file(path).context("the ending of `manager.file` was checked with the settings")?;
    let mut bytes = Vec::new();
    report::whole(outcome, form, &mut bytes)?;
    if let Err(error) = job_store::files::replace(path, &bytes, job_store::files::PRIVATE) {
        // the report on stdout is there all the same
        tracing::error!("cannot write `manager.file` {}: {error}; check its folder and rights", path.display());
    }
    Ok(())
}

/// Mails the whole report to the manager. That it could not be sent is logged: the report stands on stdout as well.
async fn mail_manager(config: &Config, job: &Job, outcome: &Outcome) -> anyhow::Result<()> {
    if config.manager.mail_to.is_empty() {
        return Ok(());
    }
    let Some(mailer) = &job.mailer else {
        return Err(job_runner::Error::setting("mail.host", "is missing: `manager.mail_to` needs a mail server").into());
    };
    let mut mailer = mailer.lock().await;
    for address in &config.manager.mail_to {
        if let Err(error) = mailer.send(&report::manager_mail(outcome, address)?).await {
            tracing::error!("the report was not mailed to the manager: {:#}", anyhow::Error::new(error));
        }
    }
    mailer.close().await;
    Ok(())
}

/// This program, as the runner sees it.
pub(crate) struct NudgeInactive;

impl Program for NudgeInactive {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const WINDOW: TimeDelta = TimeDelta::days(30);

    type Cli = Cli;
    type Config = Config;
    type Outcome = Outcome;

    fn flags(cli: &Cli) -> Vec<FlagSetting> {
        cli.flags()
    }

    /// The period before its end, whatever earlier runs have seen: a shorter one would call people inactive who are not.
    fn window(
        config: &Config,
        since: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        _zone: Tz,
    ) -> Result<Option<Window>, job_runner::Error> {
        let until = until.unwrap_or(now);
        Ok(Some(Window::new(since.unwrap_or(until - config.period()), until)))
    }

    fn named(config: &Config, now: DateTime<Utc>) -> Vec<NamedList> {
        spared(config, now)
    }

    async fn run(config: &Config, job: &Job) -> anyhow::Result<Outcome> {
        run(config, job).await
    }

    async fn act(config: &Config, job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
        act(config, job, outcome).await
    }

    fn head(outcome: &mut Outcome) -> &mut Head {
        &mut outcome.head
    }

    fn unseen(config: &Config, job: &Job, coverage: Coverage) -> Outcome {
        Outcome::new(config, job, coverage, Seen::default())
    }

    fn conclusion(outcome: &Outcome) -> Conclusion<'_> {
        Conclusion {
            coverage: &outcome.head.coverage,
            findings: &outcome.findings,
            suppressed: outcome.suppressed,
            held: outcome.is_held(),
        }
    }

    fn tellable(outcome: &mut Outcome) -> Option<Tellable<'_>> {
        Some(outcome.tellable())
    }

    fn render(outcome: &Outcome, format: ReportFormat, out: &mut impl io::Write) -> io::Result<()> {
        report::render(outcome, format, out)
    }

    fn says_more(outcome: &Outcome) -> bool {
        outcome.print.is_some() || outcome.is_held() || words::told(&outcome.findings).next().is_some()
    }

    /// None: who is inactive is for the manager, in one report, and not an incident each.
    fn alerts(_outcome: &Outcome) -> Vec<Alert> {
        Vec::new()
    }

    fn needs_mail(config: &Config) -> bool {
        config.remind.enabled || !config.manager.mail_to.is_empty()
    }

    async fn checks(config: &Config, reached: Option<&Reached>) -> Vec<Check> {
        crate::checks::checks(config, reached).await
    }

    async fn own_command(cli: &Cli, setup: &Setup<'_, Self>) -> anyhow::Result<Exit> {
        match &cli.command {
            Some(Command::Explain { person, room }) => crate::explain::explain(setup, person, room).await,
            Some(Command::Common(_)) | None => Ok(Exit::Usage),
        }
    }
}
