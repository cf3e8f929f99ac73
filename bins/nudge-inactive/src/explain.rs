//! `explain PERSON ROOM`: why somebody is, or is not, inactive there. Reads like a run, on a copy of what is remembered.

use ::report::words::{self, Clock, plural};
use ::report::{Block, Details, Document, Line, Section, TEXT_WIDTH, line};
use audit_model::{Coverage, PortalText, Verdict};
use job_runner::exit::{Ending, Exit, decide};
use job_runner::{Job, Setup};

use crate::config::{Config, RoomChoice};
use crate::gather::{Facts, gather};
use crate::remind;
use crate::report::{right, title, watched_before, who};
use crate::rule::{self, JudgedMember, RoomView, Standing};

/// People suggested for a name.
const SUGGESTED: usize = 3;

pub(crate) async fn explain(setup: &Setup<'_, Config>, person: &str, room: &str) -> anyhow::Result<Exit> {
    let person = &setup.revealed(person).await?;
    let (job, mut look) = setup.rehearsal(setup.config.period(), "who was active").await?;
    let config = Config { rooms: RoomChoice::Argument(room.to_owned()), ..setup.config.clone() };
    let facts = gather(&config, &job, &mut look).await?;
    let mut document = Document { run: None, ..setup.head(&job, look.coverage()).document() };
    document.notes = facts.notes.iter().map(|note| Line::from(note.as_str())).collect();
    let mut answers = Vec::new();
    let mut strangers = Vec::new();
    for room in facts.records.rooms.values() {
        let mut judged = rule::judge(room, &facts.terms, facts.window.until);
        match judged.iter().position(|judged| judged.member.account.person.is_meant_by(person)) {
            Some(at) => answers.push(answer(&config, &job, &facts, room, &judged.swap_remove(at)).await?),
            None => strangers.push(nobody(person, &judged, &title(&room.id, &room.title))),
        }
    }
    let is_known = !answers.is_empty();
    write(&mut document, answers, strangers);
    setup.print(&document.text(TEXT_WIDTH))?;
    let verdict = look.coverage().verdict();
    let ending = Ending {
        nothing: verdict == Verdict::Nothing,
        usage: !is_known,
        incomplete: verdict == Verdict::Incomplete,
        ..Ending::default()
    };
    Ok(decide(ending, setup.args.exit_code))
}

/// What is said of one membership.
struct Answer {
    who: Line,
    standing: Line,
    why: Section,
    reminders: Option<Section>,
}

/// The one answer stands above everything, several one below the other.
fn write(document: &mut Document, mut answers: Vec<Answer>, strangers: Vec<Line>) {
    let said = match (answers.len(), strangers.len()) {
        (1, _) => std::mem::take(&mut answers[0].standing),
        (0, 1) => strangers[0].clone(),
        (0, rooms) => format!("no such member in {}", plural(rooms as u64, "room")).into(),
        (rooms, _) => line![answers[0].who.clone(), format!(" is a member of {}", plural(rooms as u64, "room"))],
    };
    document.headline = headline(&document.coverage, said);
    for answer in answers {
        if !answer.standing.is_empty() {
            document.sections.push(Section::new(answer.standing));
        }
        document.sections.push(answer.why);
        document.sections.extend(answer.reminders);
    }
    if strangers.len() > 1 {
        document.sections.push(Section::new("no member").with(Block::List(strangers)));
    }
}

/// No answer is given as whole that is not.
fn headline(coverage: &Coverage, said: Line) -> Line {
    match coverage.verdict() {
        Verdict::Complete => said,
        Verdict::Incomplete => line!["incomplete: ", said],
        Verdict::Nothing => words::nothing(coverage).into(),
    }
}

async fn answer(
    config: &Config,
    job: &Job,
    facts: &Facts,
    room: &RoomView,
    judged: &JudgedMember,
) -> anyhow::Result<Answer> {
    let clock = Clock(job.portal.time_zone);
    let member = &judged.member;
    let groups = member.groups.iter().map(|group| &group.name).filter(|_| !member.is_direct);
    let (acts, days) = (plural(judged.acts, "action"), plural(facts.window.length().num_days().unsigned_abs(), "day"));
    let few = plural(config.min_activity, "action");
    let lines = [
        Some(line!["member as ", right(&member.access.to_string(), groups)]),
        Some(format!("{acts} in {days}; inactive means fewer than {few}").into()),
        last_action(judged, facts, clock).map(Line::from),
        Some(match judged.last_sign_in {
            Some(at) => format!("last sign-in to the portal on {}", clock.minute(at)).into(),
            None => "no sign-in to the portal is known".into(),
        }),
    ];
    let mut why = Section::new("why").with(Block::List(lines.into_iter().flatten().collect()));
    if !judged.samples.is_empty() {
        why = why.with(Block::Details(Details::of_evidence(&judged.samples, &acts)));
    }
    let reminders = remind::remembered(config, job, judged, &room.id).await?;
    let reminders: Vec<Line> = reminders.into_iter().map(Line::from).collect();
    Ok(Answer {
        who: who(&member.account.person),
        standing: standing(judged, title(&room.id, &room.title), clock),
        why,
        reminders: (!reminders.is_empty()).then(|| Section::new("reminders").with(Block::List(reminders))),
    })
}

fn last_action(judged: &JudgedMember, facts: &Facts, clock: Clock) -> Option<String> {
    match (judged.last, watched_before(facts.watched_since, facts.window)) {
        (Some(at), _) => Some(format!("last action there on {}", clock.minute(at))),
        (None, Some(since)) => Some(format!("no action there since monitoring began on {}", clock.day(since))),
        (None, None) => None,
    }
}

fn standing(judged: &JudgedMember, room: Line, clock: Clock) -> Line {
    let who = who(&judged.member.account.person);
    match &judged.standing {
        Standing::Inactive => line![who, " is inactive in ", room],
        Standing::Active => line![who, " is active in ", room],
        Standing::New { joined } => {
            line![who, " is too new to judge in ", room, format!(": joined on {}", clock.day(*joined))]
        }
        Standing::Unknown(why) => line!["it is not known whether ", who, " is inactive in ", room, ": ", why.words()],
        Standing::Excluded(why) => line![who, " is not judged in ", room, ": ", why.words()],
    }
}

/// What to say where nobody has this id or address: names are no ids, and several people can have one.
fn nobody(person: &str, judged: &[JudgedMember], room: &Line) -> Line {
    let shown = PortalText::new(person).for_terminal();
    let wanted = person.trim().to_lowercase();
    let people = judged.iter().map(|judged| &judged.member.account.person);
    let fits = people.filter(|one| !wanted.is_empty() && one.name.raw().to_lowercase().contains(&wanted));
    let fits: Vec<String> = fits.map(|one| who(one).for_terminal()).take(SUGGESTED).collect();
    match fits.len() {
        0 => line![format!("`{shown}` is not a member of "), room.clone()],
        _ => {
            let asked = format!(" has the id or address `{shown}`; did you mean {}?", fits.join(" or "));
            line!["nobody in ", room.clone(), asked]
        }
    }
}
