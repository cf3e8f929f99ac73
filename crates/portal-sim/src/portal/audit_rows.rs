//! Audit rows written straight into the page, for the speed of large portals.
//!
//! The bytes are those of `audit_row::row`, which remains the one description of a row; a test compares them. Rows that
//! bring columns of their own, or whose texts need a closer look, are left to it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use uuid::Uuid;

use super::audit_row;
use super::reply::{Failure, trimmed};
use crate::actions::{self, Action};
use crate::dates;
use crate::json::{Json, escape, write_number, write_text};
use crate::scenario::{Event, Place, Scenario, Words};

/// The members of a row, in order.
const MEMBERS: [&str; 18] = [
    "id",
    "date",
    "user",
    "userId",
    "action",
    "actionId",
    "ip",
    "country",
    "city",
    "browser",
    "platform",
    "page",
    "actionType",
    "product",
    "location",
    "target",
    "entries",
    "context",
];

/// What is always the same about an action.
struct Known {
    action: &'static Action,
    /// The format between its placeholders, if these are `{0}`, `{1}` … and nothing else.
    format: Option<Vec<Piece>>,
    action_type: i32,
    product: i32,
    location: i32,
    entries: String,
}

enum Piece {
    Text(&'static str),
    /// The stored text of this number.
    Stored(usize),
}

static KNOWN: LazyLock<HashMap<i32, Known>> = LazyLock::new(|| {
    actions::all()
        .filter(|action| action.is_mapped())
        .map(|action| {
            let known = Known {
                action,
                format: pieces(action.format()),
                action_type: action.action_type(),
                product: action.product(),
                location: action.location(),
                entries: Json::from(action.entries()).render(),
            };
            (action.id, known)
        })
        .collect()
});

/// The list of rows as text, each with only the members that `fields` names; or what the page dies of.
pub(super) fn page(scenario: &Scenario, events: &[&Event], fields: Option<&[&str]>) -> Result<String, Failure> {
    let wanted = MEMBERS.map(|member| {
        fields.is_none_or(|fields| {
            fields
                .iter()
                .any(|field| field.strip_prefix(member).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        })
    });
    let mut out = String::with_capacity(700 * events.len() + 2);
    let mut names = Names::default();
    out.push('[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let ordinary = KNOWN.get(&event.action).filter(|_| !event.poison && event.stored.is_none());
        let before = out.len();
        if ordinary.is_none_or(|known| {
            Row { out: &mut out, wanted, any: false }.write(scenario, event, known, &mut names).is_none()
        }) {
            out.truncate(before);
            let row = audit_row::row(scenario, event, false)?;
            let row = if let Some(fields) = fields { trimmed(row, fields) } else { row };
            out.push_str(&row.render());
        }
    }
    out.push(']');
    Ok(out)
}

/// Names of actors as JSON; looked up once in a page. Robots, which share an actor, are told apart by what they call
/// themselves.
type Names<'a> = HashMap<(Uuid, Option<&'a str>), String>;

/// A row on its way.
struct Row<'a> {
    out: &'a mut String,
    wanted: [bool; MEMBERS.len()],
    /// A member has been written.
    any: bool,
}

impl Row<'_> {
    /// Writes the name of the member, if it is wanted.
    fn member(&mut self, index: usize) -> bool {
        if self.wanted[index] {
            self.out.push_str(if self.any { ",\"" } else { "{\"" });
            self.out.push_str(MEMBERS[index]);
            self.out.push_str("\":");
            self.any = true;
        }
        self.wanted[index]
    }

    fn number(&mut self, index: usize, value: impl Into<i64>) {
        if self.member(index) {
            write_number(value.into(), self.out);
        }
    }

    fn text(&mut self, index: usize, value: &str) {
        if self.member(index) {
            write_text(value, self.out);
        }
    }

    /// The whole row; `None` when it is not ordinary after all, with a part of it written.
    fn write<'a>(mut self, scenario: &Scenario, event: &'a Event, known: &Known, names: &mut Names<'a>) -> Option<()> {
        // the place is one text more, which no ordinary format asks for
        let texts = event.texts.len();
        let format = known.format.as_ref()?;
        let describes_itself = event.texts.is_empty()
            || format.iter().any(|piece| matches!(piece, Piece::Stored(index) if *index >= texts))
            || event.texts.last().is_some_and(|last| last.starts_with('{'))
            || audit_row::is_special(event.action)
            || scenario.condition.words != Words::default();
        if describes_itself {
            return None;
        }
        self.number(0, event.id);
        if self.member(1) {
            self.out.push('"');
            dates::write_event_to(event.at, scenario.zone, self.out);
            self.out.push('"');
        }
        if self.member(2) {
            let name = names
                .entry((event.actor, event.initiator.as_deref()))
                .or_insert_with(|| Json::from(audit_row::actor_name(scenario, event)).render());
            self.out.push_str(name);
        }
        if self.member(3) {
            let _ = write!(self.out, "\"{}\"", event.actor.as_hyphenated());
        }
        if self.member(4) {
            self.out.push('"');
            for piece in format {
                match piece {
                    Piece::Text(text) => escape(text, self.out),
                    Piece::Stored(index) => join(&event.texts[*index], self.out),
                }
            }
            self.out.push('"');
        }
        self.number(5, event.action);
        if let Some(ip) = &event.ip {
            self.text(6, ip.split(':').next().unwrap_or_default());
        }
        self.text(7, "");
        self.text(8, "");
        if event.ip.is_some() {
            let folder = if let Place::Room { id, .. } = event.place { id } else { 1 };
            self.text(9, "Chrome 131");
            self.text(10, "Windows 10");
            if self.member(11) {
                let _ = write!(self.out, "\"https://portal.example/rooms/shared/{folder}/filter?folder={folder}\"");
            }
        }
        self.number(12, known.action_type);
        self.number(13, known.product);
        self.number(14, known.location);
        if event.target.iter().any(|id| id.contains(',')) || event.target == [""] {
            return None;
        }
        if !event.target.is_empty() && self.member(15) {
            for (index, id) in event.target.iter().enumerate() {
                self.out.push(if index > 0 { ',' } else { '[' });
                write_text(id, self.out);
            }
            self.out.push(']');
        }
        if self.member(16) {
            self.out.push_str(&known.entries);
        }
        match &event.place {
            Place::Room { title, .. } if known.action.is_documents() && !title.is_empty() => {
                if self.member(17) {
                    self.out.push_str("\"Rooms: ");
                    escape(title, self.out);
                    self.out.push('"');
                }
            }
            Place::MyDocuments if known.action.is_documents() => self.text(17, "My documents"),
            Place::Room { .. } | Place::Agent { .. } if known.action.is_documents() => return None,
            _ => {
                if let Some(location) = known.action.location_text() {
                    self.text(17, location);
                }
            }
        }
        self.out.push_str(if self.any { "}" } else { "{}" });
        Some(())
    }
}

/// The text with the pieces between its commas joined anew, escaped.
fn join(text: &str, out: &mut String) {
    for (index, piece) in text.split(',').filter(|piece| !piece.is_empty()).enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        escape(piece, out);
    }
}

fn pieces(format: &'static str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let (index, tail) = after.split_once('}')?;
        pieces.extend([Piece::Text(before), Piece::Stored(index.parse().ok()?)]);
        rest = tail;
    }
    pieces.push(Piece::Text(rest));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike as _, Duration, Utc};

    use super::*;
    use crate::scenario::{GUEST, Person, Room, SYSTEM};

    /// Every action in every place, with texts of every kind, by every kind of actor.
    fn events(scenario: &mut Scenario) -> Vec<Event> {
        let texts: [&[&str]; 7] = [
            &[],
            &["plan.docx"],
            &["a,,b.docx", "\"q\" \\ <b> é 😀 \u{1}", "c", "d"],
            &["{x}"],
            &["{\"RoomTitle\":\"Forged\"}"],
            &["1073741824"],
            &["", "{0}", "x"],
        ];
        let places = [
            Place::None,
            Place::MyDocuments,
            Place::Room { id: 71, title: "Alpha – „A“".to_owned() },
            Place::Room { id: 72, title: String::new() },
        ];
        let targets: [&[&str]; 5] = [&[], &["9417"], &["9417", "71"], &["a,b"], &[""]];
        let actors = [scenario.owner().id, SYSTEM, GUEST, Uuid::nil()];
        let mut made = Vec::new();
        let ids: Vec<i32> = actions::all().filter(|action| action.is_mapped()).map(|action| action.id).collect();
        for (index, action) in ids.iter().flat_map(|id| [*id; 35]).enumerate() {
            let at: DateTime<Utc> = "2025-10-25T22:00:00.1234560Z".parse().expect("an instant");
            let mut event = Event::new(action, actors[index % 4], at + Duration::minutes(index as i64 * 7 % 400));
            event.id = index as i64;
            event.texts = texts[index % 7].iter().map(|text| (*text).to_owned()).collect();
            event.place = places[index / 7 % 4].clone();
            event.target = targets[index % 5].iter().map(|id| (*id).to_owned()).collect();
            event.ip = [None, Some("192.0.2.7".to_owned()), Some("2001:db8::1".to_owned())][index % 3].clone();
            event.initiator = (index % 2 == 0).then(|| "DocsService".to_owned());
            made.push(event);
        }
        made
    }

    #[test]
    fn the_quick_way_writes_the_same_bytes() {
        let now = "2026-11-20T09:00:00Z".parse().expect("an instant");
        let mut scenario = Scenario::empty(now)
            .with_zone(chrono_tz::Europe::Berlin)
            .with_room(Room::vdr(71, "Alpha"))
            .with_person(Person::new("bob@example.com", "Bob", "Ray"));
        let fields: [Option<&[&str]>; 4] =
            [None, Some(&["id", "context"]), Some(&["date.utcTime", "nope", "target", "page"]), Some(&["errors"])];
        let mut quick = 0;
        for event in events(&mut scenario) {
            for fields in fields {
                let slow = audit_row::row(&scenario, &event, false).map(|row| match fields {
                    Some(fields) => trimmed(row, fields).render(),
                    None => row.render(),
                });
                let fast = page(&scenario, &[&event], fields);
                assert_eq!(fast, slow.map(|row| format!("[{row}]")), "{event:?} {fields:?}");
            }
            let mut out = String::new();
            let row = Row { out: &mut out, wanted: [true; MEMBERS.len()], any: false };
            quick += usize::from(row.write(&scenario, &event, &KNOWN[&event.action], &mut Names::default()).is_some());
        }
        assert!(quick > 1000, "the quick way is taken: {quick}");
    }

    #[test]
    fn years_are_written_with_four_digits() {
        let at: DateTime<Utc> = "0987-01-02T03:04:05Z".parse().expect("an instant");
        assert_eq!(at.year(), 987);
        assert_eq!(dates::write_event(at, chrono_tz::UTC), "0987-01-02T03:04:05.0000000Z");
    }
}
