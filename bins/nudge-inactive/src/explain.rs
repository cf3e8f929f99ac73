//! `explain PERSON ROOM`: why somebody is, or is not, inactive there. Reads like a run, on a copy of what is remembered.

use std::fmt::Write;

use ::report::Who;
use ::report::coverage::lines;
use ::report::words::Clock;
use audit_model::{Coverage, PortalText, Verdict as Reading};
use job_runner::exit::Exit;
use job_runner::{Job, Setup};

use crate::config::{Config, RoomChoice};
use crate::gather::{Facts, gather};
use crate::remind::explain_reminders;
use crate::rule::{JudgedMember, Verdict};

pub(crate) async fn explain(setup: &Setup<'_, Config>, person: &str, room: &str) -> anyhow::Result<Exit> {
    let (job, mut look) = setup.rehearsal(setup.config.period()).await?;
    if !job.portal.audit_filter_works {
        anyhow::bail!("the portal's plan has no audit feature, so nobody can tell who was active");
    }
    let config = Config { rooms: RoomChoice::List(vec![room.to_owned()]), ..setup.config.clone() };
    let facts = gather(&config, &job, &mut look).await?;
    let mut text = String::new();
    let is_known = write(&mut text, person, &config, &job, &facts).await?;
    coverage(&mut text, look.coverage(), Clock(job.portal.time_zone))?;
    setup.print(&text)?;
    Ok(match look.coverage().verdict() {
        Reading::Nothing => Exit::Nothing,
        _ if !is_known => Exit::Usage,
        Reading::Incomplete => Exit::Incomplete,
        Reading::Complete => Exit::Concluded,
    })
}

/// Whether the person is a member of one of the rooms.
async fn write(text: &mut String, person: &str, config: &Config, job: &Job, facts: &Facts) -> anyhow::Result<bool> {
    let clock = Clock(job.portal.time_zone);
    let mut is_known = false;
    for (room, judged) in &facts.judged {
        let title = facts.found.rooms.get(room).map(|room| room.title.for_terminal()).unwrap_or_default();
        let Some(judged) = judged.iter().find(|judged| judged.member.account.person.is_meant_by(person)) else {
            writeln!(text, "{}", nobody(person, judged, &format!("\"{title}\" (room {room})")))?;
            continue;
        };
        is_known = true;
        let who = Who::from(&judged.member.account.person).line().for_terminal();
        let (since, until) = (clock.minute(job.window.since), clock.minute(job.window.until));
        writeln!(text, "{who} in \"{title}\" (room {room}), {since} to {until}")?;
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
        match (judged.last.or(facts.last.get(&key).copied()), facts.watched_since) {
            (Some(at), _) => writeln!(text, "  last seen there {}", clock.minute(at))?,
            (None, Some(since)) => {
                writeln!(text, "  no activity there since monitoring began on {}", clock.day(since))?
            }
            (None, None) => {}
        }
        if let Some(at) = judged.last_sign_in {
            writeln!(text, "  last sign-in to the portal {}", clock.minute(at))?;
        }
        for line in explain_reminders(config, job, judged, room).await? {
            writeln!(text, "  {line}")?;
        }
    }
    Ok(is_known)
}

/// What to say where nobody has this id or address: names are no ids, and several people can have one.
fn nobody(person: &str, judged: &[JudgedMember], room: &str) -> String {
    let shown = PortalText::new(person).for_terminal();
    let wanted = person.trim().to_lowercase();
    let people = judged.iter().map(|judged| &judged.member.account.person);
    let fits = people.filter(|one| !wanted.is_empty() && one.name.raw().to_lowercase().contains(&wanted));
    let fits: Vec<String> = fits.map(|one| Who::from(one).line().for_terminal()).take(SUGGESTED).collect();
    match fits.len() {
        0 => format!("{shown} is no member of {room}"),
        _ => format!("nobody in {room} has the id or address `{shown}`; did you mean {}?", fits.join(" or ")),
    }
}

/// People suggested for a name.
const SUGGESTED: usize = 3;

fn verdict(judged: &JudgedMember, clock: &Clock) -> String {
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
