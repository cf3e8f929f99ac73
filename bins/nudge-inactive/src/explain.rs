//! `explain PERSON ROOM`: why somebody is, or is not, inactive there. Reads like a run, on a copy of what is remembered.

use std::fmt::Write;

use ::report::coverage::lines;
use ::report::words::Clock;
use audit_model::{Coverage, PortalText, Verdict as Reading};
use event_archive::Archive;
use job_runner::exit::Exit;
use job_runner::{Job, Program, Setup};
use job_store::Store;

use crate::config::{Config, RoomChoice};
use crate::remind::explain_reminders;
use crate::report::who;
use crate::rule::{Judged, Verdict};
use crate::run::{Judgement, NudgeInactive, judge_rooms};

pub(crate) async fn explain(setup: &Setup<'_, NudgeInactive>, person: &str, room: &str) -> anyhow::Result<Exit> {
    let client = setup.client()?;
    let store = Store::snapshot_of(&std::path::absolute(setup.state_paths()?.store)?).await?;
    let portal = client.probe().await?;
    let zone = portal.time_zone;
    let window = setup.window(zone, setup.config.period())?;
    let job = Job {
        program: NudgeInactive::NAME,
        version: NudgeInactive::VERSION,
        portal_url: setup.portal_url()?,
        client,
        portal: Some(portal),
        archive: Archive::open(store.clone()).await?,
        store: Ok(store),
        window,
        unseen_after: None,
        now: setup.now,
        dry_run: true,
        mailer: None,
        service_accounts: setup.common.service_accounts.iter().map(|entry| entry.to_lowercase()).collect(),
        notes: Vec::new(),
    };
    let config = Config { rooms: RoomChoice::List(vec![room.to_owned()]), ..setup.config.clone() };
    let judgement = judge_rooms(&config, &job).await?;
    let mut text = String::new();
    let is_known = write(&mut text, person, &config, &job, &judgement).await?;
    setup.print(&text)?;
    Ok(match judgement.coverage.verdict() {
        Reading::Nothing => Exit::Nothing,
        _ if !is_known => Exit::Usage,
        Reading::Incomplete => Exit::Incomplete,
        Reading::Complete => Exit::Concluded,
    })
}

/// Whether the person is a member of one of the rooms.
async fn write(
    text: &mut String,
    person: &str,
    config: &Config,
    job: &Job,
    judgement: &Judgement,
) -> anyhow::Result<bool> {
    let clock = Clock(job.portal.as_ref().map_or(chrono_tz::Tz::UTC, |portal| portal.time_zone));
    let mut is_known = false;
    for (room, judged) in &judgement.judged {
        let title = judgement.found.rooms.get(room).map(|room| room.title.for_terminal()).unwrap_or_default();
        let Some(judged) = judged.iter().find(|judged| judged.member.account.person.is_meant_by(person)) else {
            let shown = PortalText::new(person).for_terminal();
            writeln!(text, "{shown} is no member of \"{title}\" (room {room})")?;
            continue;
        };
        is_known = true;
        let (since, until) = (clock.minute(job.window.since), clock.minute(job.window.until));
        writeln!(text, "{} in \"{title}\" (room {room}), {since} to {until}", who(&judged.member.account.person))?;
        writeln!(text, "  {}", verdict(judged, &clock))?;
        let groups: Vec<String> = judged.member.groups.iter().map(|group| group.name.for_terminal()).collect();
        let through = if judged.member.is_direct || groups.is_empty() {
            "by a right of their own".to_owned()
        } else {
            format!("through {}", groups.join(", "))
        };
        writeln!(text, "  member as {}, {through}", judged.member.access)?;
        writeln!(text, "  actions that count: {}; inactive means fewer than {}", judged.acts, config.min_activity)?;
        for sample in &judged.samples {
            let what = sample.title.as_ref().map_or_else(|| sample.action.to_string(), PortalText::for_terminal);
            writeln!(text, "    {}  {what}", clock.minute(sample.at))?;
        }
        let key = (judged.member.account.person.id, room.clone());
        match (judged.last.or(judgement.last.get(&key).copied()), judgement.watched_since) {
            (Some(at), _) => writeln!(text, "  last seen there {}", clock.minute(at))?,
            (None, Some(since)) => {
                writeln!(text, "  no activity there since monitoring began on {}", clock.day(since))?
            }
            (None, None) => {}
        }
        for line in explain_reminders(config, job, judged, room).await? {
            writeln!(text, "  {line}")?;
        }
    }
    coverage(text, &judgement.coverage, clock)?;
    Ok(is_known)
}

fn verdict(judged: &Judged, clock: &Clock) -> String {
    match &judged.verdict {
        Verdict::Inactive => "INACTIVE".to_owned(),
        Verdict::Active => "active".to_owned(),
        Verdict::New { joined } => format!("not judged: joined {}", clock.day(*joined)),
        Verdict::Unknown(why) => format!("not known: {}", why.words()),
        Verdict::Excluded(why) => format!("not judged: {}", why.words()),
    }
}

fn coverage(text: &mut String, coverage: &Coverage, clock: Clock) -> std::fmt::Result {
    lines(coverage, clock).iter().try_for_each(|line| writeln!(text, "{line}"))
}
