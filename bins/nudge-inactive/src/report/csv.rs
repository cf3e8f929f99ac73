//! One row per member who is not active, for spreadsheets.

use std::io;

use audit_model::{Person, PersonStatus, PortalText};
use chrono::SecondsFormat;

use super::words::{right, role};
use crate::body::{Report, RoomReport};

const HEADER: &str = "room_id,room,verdict,why,person_id,name,email,status,role,right,risk,acts,last_activity,joined";

pub(super) fn whole(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for room in &report.body.rooms {
        for inactive in &room.inactive {
            let last = inactive.last_activity.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
            let rest = [
                role(&inactive.person).to_owned(),
                right(inactive),
                inactive.risk.words().to_owned(),
                inactive.acts.to_string(),
                last.unwrap_or_default(),
                String::new(),
            ];
            row(room, ("inactive", ""), &inactive.person, rest, out)?;
        }
        for unknown in &room.unknown {
            let empty = String::new;
            let rest = [role(&unknown.person).to_owned(), empty(), empty(), empty(), empty(), empty()];
            row(room, ("unknown", unknown.why.words()), &unknown.person, rest, out)?;
        }
        for new in &room.new {
            let empty = String::new;
            let joined = new.joined.to_rfc3339_opts(SecondsFormat::Secs, true);
            let rest = [role(&new.person).to_owned(), empty(), empty(), empty(), empty(), joined];
            row(room, ("new", ""), &new.person, rest, out)?;
        }
    }
    Ok(())
}

fn row(
    room: &RoomReport,
    (verdict, why): (&str, &str),
    person: &Person,
    rest: [String; 6],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let status = match person.status {
        Some(PersonStatus::Active) => "active",
        Some(PersonStatus::Disabled) => "disabled",
        Some(PersonStatus::Pending) => "pending",
        None => "",
    };
    let (room_id, person_id) = (room.id.to_string(), person.id.to_string());
    let own = [
        PortalText::new(room_id),
        room.title.clone(),
        verdict.into(),
        why.into(),
        PortalText::new(person_id),
        person.name.clone(),
        person.email.clone().unwrap_or_default(),
        status.into(),
    ];
    let rest = rest.into_iter().map(PortalText::new);
    let cells: Vec<String> = own.into_iter().chain(rest).map(|cell| cell.for_csv()).collect();
    write!(out, "{}\r\n", cells.join(","))
}
