//! Tables for spreadsheets: every cell is quoted, none is a formula, each row is one line (RFC 4180).

use std::io;

use audit_model::{AuditEvent, LoginEvent, Place, PortalText, Rooms, title_in_context};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use crate::words::local;

pub(crate) const EVENT_COLUMNS: [&str; 19] = [
    "id",
    "date_utc",
    "date_local",
    "user",
    "user_id",
    "action_id",
    "action",
    "text",
    "target",
    "context",
    "room_id",
    "room_title",
    "ip",
    "country",
    "city",
    "browser",
    "platform",
    "page",
    "topics",
];

pub(crate) const LOGIN_COLUMNS: [&str; 14] = [
    "id",
    "date_utc",
    "date_local",
    "user",
    "user_id",
    "login",
    "action_id",
    "action",
    "ip",
    "country",
    "city",
    "browser",
    "platform",
    "ip_was_set",
];

/// One row; texts of the portal and our own alike.
pub(crate) fn row<'a>(cells: impl IntoIterator<Item = &'a str>, out: &mut impl io::Write) -> io::Result<()> {
    let cells: Vec<String> = cells.into_iter().map(|cell| PortalText::new(cell).for_csv()).collect();
    write!(out, "{}\r\n", cells.join(","))
}

pub(crate) fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn raw(text: Option<&PortalText>) -> &str {
    text.map(PortalText::raw).unwrap_or_default()
}

pub(crate) fn event(
    event: &AuditEvent,
    (zone, rooms): (Tz, &Rooms),
    topics: &str,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let room_id = match rooms.place(event) {
        Place::Room(id, _) => id.to_string(),
        Place::OneOf { .. } | Place::UnknownRoom { .. } | Place::Elsewhere => String::new(),
    };
    let room_title = title_in_context(event);
    let details = event.details.as_deref();
    let detail = |of: fn(&audit_model::EventDetails) -> &Option<PortalText>| raw(details.and_then(|d| of(d).as_ref()));
    row(
        [
            event.id.to_string().as_str(),
            &utc(event.at),
            &local(event.at, zone),
            event.actor_name.raw(),
            &event.actor.to_string(),
            &event.action.0.to_string(),
            &event.action.to_string(),
            raw(event.text.as_ref()),
            &event.target.join(","),
            raw(event.context.as_ref()),
            &room_id,
            raw(room_title.as_ref()),
            raw(event.ip.as_ref()),
            detail(|d| &d.country),
            detail(|d| &d.city),
            detail(|d| &d.browser),
            detail(|d| &d.platform),
            detail(|d| &d.page),
            topics,
        ],
        out,
    )
}

pub(crate) fn login(login: &LoginEvent, zone: Tz, out: &mut impl io::Write) -> io::Result<()> {
    row(
        [
            login.id.to_string().as_str(),
            &utc(login.at),
            &local(login.at, zone),
            login.user_name.raw(),
            &login.user.to_string(),
            raw(login.login.as_ref()),
            &login.action.0.to_string(),
            &login.action.to_string(),
            raw(login.ip.as_ref()),
            raw(login.country.as_ref()),
            raw(login.city.as_ref()),
            raw(login.browser.as_ref()),
            raw(login.platform.as_ref()),
            if login.ip_was_set { "yes" } else { "" },
        ],
        out,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn begins_a_formula(text: &str) -> bool {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
        text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    }

    /// The cells of a line, read as RFC 4180 says.
    fn cells_of(line: &str) -> Vec<String> {
        let mut cells = Vec::new();
        let mut rest = line;
        loop {
            let mut cell = String::new();
            rest = rest.strip_prefix('"').expect("every cell is quoted");
            loop {
                let end = rest.find('"').expect("every quote is closed");
                cell.push_str(&rest[..end]);
                rest = &rest[end + 1..];
                match rest.strip_prefix('"') {
                    Some(more) => {
                        cell.push('"');
                        rest = more;
                    }
                    None => break,
                }
            }
            cells.push(cell);
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    assert_eq!(rest, "");
                    return cells;
                }
            }
        }
    }

    proptest! {
        /// However hostile the cells: one line, as many cells as there were, and no cell that a spreadsheet computes.
        #[test]
        fn a_row_stays_a_row(cells in prop::collection::vec(any::<String>(), 1..5)) {
            let mut out = Vec::new();
            row(cells.iter().map(String::as_str), &mut out).unwrap();
            let line = String::from_utf8(out).unwrap();
            prop_assert!(line.ends_with("\r\n"));
            let line = line.trim_end_matches("\r\n");
            prop_assert!(!line.contains(char::is_control));
            let found = cells_of(line);
            prop_assert_eq!(found.len(), cells.len());
            for (cell, raw) in found.iter().zip(&cells) {
                let shown = PortalText::new(raw.as_str()).for_terminal();
                // what some spreadsheets take for cells of their own
                let pieces: Vec<(&str, &str)> = cell.split(';').zip(shown.split(';')).collect();
                prop_assert_eq!(pieces.len(), cell.split(';').count());
                for (piece, shown) in pieces {
                    prop_assert!(!begins_a_formula(piece), "{}", piece);
                    prop_assert!(piece == shown || piece.strip_prefix('\'') == Some(shown));
                }
            }
            // and the same of the whole line, as it stands
            prop_assert!(!line.split(';').any(begins_a_formula), "{}", line);
        }
    }
}
