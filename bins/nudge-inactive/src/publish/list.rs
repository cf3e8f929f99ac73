//! Everybody who is inactive, one line each, for whoever has to decide about many. Pure.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use job_runner::Naming;
use report::words::Clock;

use crate::body::RoomReport;

/// As a table that spreadsheets open: by room, then by risk.
pub(super) fn csv(rooms: &[&RoomReport], clock: Clock, naming: &Naming) -> Vec<u8> {
    let day = |at: Option<DateTime<Utc>>| at.map(|at| clock.day(at)).unwrap_or_default();
    let mut csv = String::from("room_id,room,person,email,right,risk,last_action,last_sign_in\r\n");
    for room in rooms {
        for one in &room.inactive {
            let person = naming.person(one.person.clone());
            let texts = [
                room.id.to_string().as_str().into(),
                naming.portal_text(&room.title),
                person.name,
                person.email.unwrap_or_default(),
                one.access.as_str().into(),
                one.risk.words().into(),
                day(one.last_activity).as_str().into(),
                day(one.last_sign_in).as_str().into(),
            ];
            let cells: Vec<String> = texts.iter().map(PortalText::for_csv).collect();
            csv.push_str(&cells.join(","));
            csv.push_str("\r\n");
        }
    }
    csv.into_bytes()
}
