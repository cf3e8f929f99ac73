//! Who and what stands at the end of the report: rooms that could not be read, members who were not judged, rooms without anybody inactive.
//! Pure.

use ::report::words::{Clock, plural};
use ::report::{Block, Cell, Details, Line, Link, Section, Table};

use super::{counts, page, title, who};
use crate::body::{Report, RoomReport};

/// Rooms whose members could not be read.
pub(super) fn unread(report: &Report) -> Option<Section> {
    let rooms = &report.body.unread_rooms;
    let lines: Vec<Line> = rooms.iter().map(|id| Line::from(format!("room {id}"))).collect();
    let section = Section::new("rooms whose members could not be read");
    (!lines.is_empty()).then(|| section.with(Block::List(lines)))
}

/// Members who are neither active nor inactive, as far as anybody can say.
pub(super) fn not_judged(rooms: &[&RoomReport], clock: Clock) -> Option<Section> {
    let mut unknown = Table::new("", &["Who", "Room", "Why not", "Last sign-in"]);
    let mut new = Table::new("", &["Who", "Room", "Joined"]);
    for room in rooms {
        for one in &room.unknown {
            let sign_in = one.last_sign_in.map(|at| clock.day(at)).unwrap_or_default();
            unknown.row([
                who(&one.person).into(),
                title(&room.id, &room.title).into(),
                one.why.words().into(),
                sign_in.into(),
            ]);
        }
        for one in &room.new {
            new.row([who(&one.person).into(), title(&room.id, &room.title).into(), clock.day(one.joined).into()]);
        }
    }
    let folded = |table: Table, what: &str| {
        let summary = format!("{} {what}", plural(table.rows.len() as u64, "membership"));
        (!table.rows.is_empty())
            .then(|| Block::Details(Details { summary: summary.into(), blocks: vec![Block::Table(table)] }))
    };
    let blocks: Vec<Block> = [folded(unknown, "with too few records to judge"), folded(new, "too new to judge")]
        .into_iter()
        .flatten()
        .collect();
    let section = Section::new("members who were not judged");
    (!blocks.is_empty()).then_some(Section { blocks, is_background: true, ..section })
}

/// Rooms in which nobody was found inactive, in one table.
pub(super) fn quiet(report: &Report, rooms: &[&RoomReport]) -> Option<Section> {
    let rooms: Vec<&RoomReport> = rooms.iter().copied().filter(|room| room.inactive.is_empty()).collect();
    let mut table = Table::new(plural(rooms.len() as u64, "room"), &["Room", "Members"]);
    for room in rooms {
        let name = match page(&report.head, room) {
            Some(page) => Cell::Link(Link::new(title(&room.id, &room.title), page)),
            None => title(&room.id, &room.title).into(),
        };
        table.row([name, counts(room).into()]);
    }
    let section = Section { is_background: true, ..Section::new("rooms in which nobody was found inactive") };
    (!table.rows.is_empty()).then(|| section.with(Block::Table(table)))
}
