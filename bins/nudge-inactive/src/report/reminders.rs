//! What became of the reminders: who got one, who did not and why; in a dry run every mail in full.

use ::report::words::plural;
use ::report::{Block, Details, Line, Section, Table, line};
use safe_actions::ActionState;

use super::who;
use crate::body::{RemindedRoom, Reminder, Report, RoomReport};

/// Why nobody was written to, where somebody has to look first.
pub(super) fn held(actions: &[Reminder]) -> Option<Section> {
    let hold = actions.iter().filter_map(|action| action.held).find(|hold| hold.is_of_all())?;
    let section = Section { is_news: true, ..Section::new("no reminder was sent") };
    Some(section.with(Block::Warning(hold.words().into())))
}

/// Every reminder that was due: first those that went wrong.
pub(super) fn section(report: &Report, rooms: &[&RoomReport]) -> Option<Section> {
    let is_part = |step: &RemindedRoom| rooms.iter().any(|room| room.id == step.id);
    let all = report.body.actions.iter();
    let mut actions: Vec<&Reminder> = all.filter(|action| action.rooms.iter().any(is_part)).collect();
    if actions.is_empty() {
        return None;
    }
    actions.sort_by_key(|action| (order(action.state), action.person.id));
    let shared = shared_reason(&actions);
    let mut table = Table::new(counts(&actions), &["Who", "About", "Mail"]);
    for action in &actions {
        let steps: Vec<&RemindedRoom> = action.rooms.iter().filter(|step| is_part(step)).collect();
        table.row([who(&action.person).into(), about(&steps).into(), outcome(action, shared).into()]);
    }
    let is_news = report.head.run.dry_run || actions.iter().any(|action| action.state == ActionState::Failed);
    let mut section = Section { is_news, ..Section::new("reminders") };
    section.blocks.extend(shared.map(|reason| Block::Warning(reason.into())));
    section.blocks.push(Block::Table(table));
    section.blocks.extend(actions.iter().filter_map(|action| mail(action)));
    Some(section)
}

/// What went wrong comes first.
fn order(state: ActionState) -> u8 {
    match state {
        ActionState::Failed | ActionState::Unknown => 0,
        ActionState::Held => 1,
        ActionState::Planned => 2,
        ActionState::Done | ActionState::Already | ActionState::Released => 3,
    }
}

/// Why several mails were not sent, where it is the same for all that were not: said once.
fn shared_reason<'a>(actions: &[&'a Reminder]) -> Option<&'a str> {
    let mut reasons = actions.iter().filter(|action| is_failed(action)).map(|action| action.reason.as_str());
    let first = reasons.next()?;
    let others: Vec<&str> = reasons.collect();
    (!others.is_empty() && others.iter().all(|reason| *reason == first)).then_some(first)
}

fn is_failed(action: &Reminder) -> bool {
    action.state == ActionState::Failed && action.held.is_none()
}

/// What became of the mail, and why it was not sent, unless that is said of all.
fn outcome(action: &Reminder, shared: Option<&str>) -> String {
    let state = state(action);
    match (action.state, action.held) {
        (_, Some(hold)) if hold.is_of_all() => format!("{state}: see the warning above"),
        (ActionState::Failed, None) if shared.is_some() => format!("{state}: see the warning above"),
        (_, Some(hold)) => format!("{state}: {}", hold.words()),
        (ActionState::Failed, None) => format!("{state}: {}", action.reason),
        (ActionState::Planned, None) if action.waits_for_hours => {
            format!("{state} within the hours and days for mails (`remind.hours`)")
        }
        (_, None) => state.to_owned(),
    }
}

const MAY_HAVE_LEFT: &str = "may have been sent";

fn state(action: &Reminder) -> &'static str {
    match action.state {
        ActionState::Failed | ActionState::Unknown if action.may_have_left => MAY_HAVE_LEFT,
        ActionState::Failed | ActionState::Unknown => "not sent",
        ActionState::Held => "held",
        ActionState::Planned => "would be sent",
        ActionState::Done | ActionState::Already | ActionState::Released => "sent",
    }
}

/// `1 not sent, 4 sent`
fn counts(actions: &[&Reminder]) -> String {
    let count = |wanted: &str| actions.iter().filter(|action| state(action) == wanted).count();
    let states = ["not sent", MAY_HAVE_LEFT, "held", "would be sent", "sent"];
    let counted = states.into_iter().filter(|one| count(one) > 0).map(|one| format!("{} {one}", count(one)));
    let due = plural(actions.len() as u64, "person");
    format!("{due} due: {}", counted.collect::<Vec<_>>().join(", "))
}

/// `"Falcon" (day 14), "Eagle" (day 0)`
fn about(rooms: &[&RemindedRoom]) -> Line {
    let mut about = Line::default();
    for (at, step) in rooms.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        about = about.and(line![comma, "\"", Line::name(&step.title), format!("\" (day {})", step.step_days)]);
    }
    about
}

/// What would be sent.
fn mail(action: &Reminder) -> Option<Block> {
    let mail = action.mail.as_ref()?;
    let head = [format!("To: {}", mail.to), format!("Subject: {}", mail.subject), String::new()];
    let lines = head.into_iter().chain(mail.text.lines().map(str::to_owned)).map(Line::from).collect();
    let summary = line!["The mail to ", Line::name(&action.person.name)];
    Some(Block::Details(Details { summary, blocks: vec![Block::Quote(lines)] }))
}
