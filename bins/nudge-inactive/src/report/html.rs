//! One page for the manager: no script, nothing from elsewhere, fit for mail and for printing.

use std::io;

use ::report::coverage;
use ::report::words::{Clock, plural};
use audit_model::{Person, PortalText};

use super::words::{clock_of, headline, last_seen, outcome_of, right, role, room_page};
use crate::body::{Report, RoomReport};

const STYLE: &str = "body{font:15px/1.45 sans-serif;color:#222;max-width:60em;margin:1.5em auto;padding:0 1em}\
h1{font-size:1.35em}h2{font-size:1.1em;margin:1.6em 0 .4em}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3em .6em;border-bottom:1px solid #ddd}th{font-weight:600}\
.risk{font-weight:600}.note{color:#555}.gap{color:#8a1c00}@media print{a{color:inherit}}";

pub(super) fn whole(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let clock = clock_of(report);
    let head = &report.head;
    let title = escape(&headline(report));
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<title>{title}</title><style>{STYLE}</style></head><body>")?;
    writeln!(out, "<h1>{title}</h1>")?;
    let (since, until) = (clock.minute(head.window.since), clock.minute(head.window.until));
    let portal = escape(head.portal.shown());
    writeln!(out, "<p class=\"note\">Portal {portal}, {since} to {until}, times in {}</p>", clock.0)?;
    for note in &head.notes {
        writeln!(out, "<p class=\"note\">{}</p>", escape(note))?;
    }
    for gap in coverage::not_seen(&head.coverage, clock) {
        writeln!(out, "<p class=\"gap\">Not seen: {}</p>", escape(&gap))?;
    }
    for room in &report.body.unread_rooms {
        writeln!(out, "<p class=\"gap\">Not seen: members of room {}</p>", escape(&room.to_string()))?;
    }
    for room in &report.body.rooms {
        room_html(report, room, &clock, out)?;
    }
    reminders_html(report, out)?;
    let never = coverage::never_recorded(&head.coverage);
    if !never.is_empty() {
        writeln!(out, "<p class=\"note\">Never recorded by the portal: {}</p>", never.join("; "))?;
    }
    writeln!(out, "</body></html>")
}

fn room_html(report: &Report, room: &RoomReport, clock: &Clock, out: &mut impl io::Write) -> io::Result<()> {
    let page = escape(&room_page(report.head.portal.shown(), &room.id));
    writeln!(out, "<h2><a href=\"{page}\">{}</a></h2>", room.title.for_html())?;
    let excluded: String = room.excluded.iter().map(|(why, count)| format!(", {count} {}", why.words())).collect();
    let members = plural(room.members, "member");
    writeln!(
        out,
        "<p>{members}: {} inactive, {} active, {} not known, {} too new to judge{excluded}</p>",
        room.inactive.len(),
        room.active,
        room.unknown.len(),
        room.new.len()
    )?;
    if room.inactive.is_empty() && room.unknown.is_empty() && room.new.is_empty() {
        return Ok(());
    }
    writeln!(out, "<table><tr><th>Who</th><th>In the room as</th><th>What was seen</th><th>Risk</th></tr>")?;
    for inactive in &room.inactive {
        let right = escape(&format!("{}, {}", role(&inactive.person), right(inactive)));
        let seen = escape(&format!("{}, {}", plural(inactive.acts, "action"), last_seen(report, inactive, clock)));
        let (who, risk) = (who(&inactive.person), inactive.risk.words());
        writeln!(out, "<tr><td>{who}</td><td>{right}</td><td>{seen}</td><td class=\"risk\">{risk}</td></tr>")?;
    }
    for unknown in &room.unknown {
        let (who, why) = (who(&unknown.person), unknown.why.words());
        writeln!(
            out,
            "<tr><td>{who}</td><td>{}</td><td>not known: {}</td><td></td></tr>",
            role(&unknown.person),
            escape(why)
        )?;
    }
    for new in &room.new {
        let (who, joined) = (who(&new.person), clock.day(new.joined));
        writeln!(out, "<tr><td>{who}</td><td>{}</td><td>joined {joined}</td><td></td></tr>", role(&new.person))?;
    }
    writeln!(out, "</table>")
}

fn reminders_html(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    if report.body.actions.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Reminders</h2><table><tr><th>Who</th><th>About</th><th></th></tr>")?;
    for action in &report.body.actions {
        let titles: Vec<String> = action.rooms.iter().map(|step| step.title.for_html()).collect();
        let (state, why) = outcome_of(action);
        let (who, about) = (who(&action.person), titles.join(", "));
        writeln!(out, "<tr><td>{who}</td><td>{about}</td><td>{}: {}</td></tr>", state.to_lowercase(), escape(&why))?;
    }
    writeln!(out, "</table>")
}

fn who(person: &Person) -> String {
    let email = person.email.as_ref().map(|email| format!("<br>{}", email.for_html())).unwrap_or_default();
    format!("{}{email}", person.name.for_html())
}

fn escape(text: &str) -> String {
    PortalText::new(text).for_html()
}
