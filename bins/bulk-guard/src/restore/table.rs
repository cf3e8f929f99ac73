//! The rows of the list: a document each. Pure.

use ::report::csv::row;
use ::report::words::utc;
use audit_model::{Person, PortalText, RoomId};
use chrono::TimeDelta;
use docspace_client::File;
use job_runner::Naming;
use serde::Serialize;

use crate::restore::affected::{Affected, Fate};
use crate::restore::now::Now;
use crate::rule::kind::Kind;

/// The event of an upload may be dated so much later than the version that it made.
const ROW_COMES_LATER: TimeDelta = TimeDelta::seconds(5);

/// The whole list, as it stands in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    pub(crate) schema: &'static str,
    pub(crate) portal: String,
    pub(crate) made_at: String,
    /// The time of the incident, half-open.
    pub(crate) since: String,
    pub(crate) until: String,
    pub(crate) documents: Vec<Row>,
    /// Why the list is incomplete; empty where it is complete.
    pub(crate) not_seen: Vec<String>,
}

/// A document, or a folder that was changed as a whole. Absent is unknown.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Row {
    kind: &'static str,
    id: String,
    changes: Vec<&'static str>,
    events: u64,
    first: String,
    last: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_before: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_now: Option<PortalText>,
    /// The last one from before the first change.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_now: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<RoomId>,
    room: PortalText,
    where_now: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder_id: Option<String>,
    who_can_restore: String,
    how: String,
}

const COLUMNS: [&str; 16] = [
    "kind",
    "id",
    "changes",
    "events",
    "first",
    "last",
    "title_before",
    "title_now",
    "version_before",
    "version_now",
    "room_id",
    "room",
    "where_now",
    "folder_id",
    "who_can_restore",
    "how",
];

impl List {
    /// # Errors
    /// Never of plain data.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// No cell is a formula. What makes the list incomplete stands in rows of its own.
    pub(crate) fn csv(&self) -> String {
        let mut out = row(COLUMNS);
        self.documents.iter().for_each(|one| out += &row(one.cells()));
        for open in &self.not_seen {
            let mut cells = COLUMNS.map(|_| String::new());
            (cells[0], cells[15]) = ("not_seen".to_owned(), open.clone());
            out += &row(cells);
        }
        out
    }
}

impl Row {
    fn cells(&self) -> [String; 16] {
        let title = |title: &Option<PortalText>| title.as_ref().map(|title| title.raw().to_owned()).unwrap_or_default();
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        [
            self.kind.to_owned(),
            self.id.clone(),
            self.changes.join(", "),
            self.events.to_string(),
            self.first.clone(),
            self.last.clone(),
            title(&self.title_before),
            title(&self.title_now),
            number(self.version_before),
            number(self.version_now),
            self.room_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            self.room.raw().to_owned(),
            self.where_now.clone(),
            self.folder_id.clone().unwrap_or_default(),
            self.who_can_restore.clone(),
            self.how.clone(),
        ]
    }
}

/// A row for each document and folder, and for each document in a folder that was moved as a whole.
pub(crate) fn table(affected: &[Affected], now: &Now, naming: &Naming) -> Vec<Row> {
    let mut rows = Vec::new();
    for one in affected {
        rows.push(about(one, now, naming));
        for file in now.inside.get(&one.id).filter(|_| one.is_folder).into_iter().flatten() {
            rows.push(inside(one, file, now, naming));
        }
    }
    rows
}

fn about(one: &Affected, now: &Now, naming: &Naming) -> Row {
    let file = now.file(one);
    let named = |title: &PortalText| naming.portal_text(title);
    let title_now = file.map(|file| &file.title).or(one.title_told.as_ref());
    let former = one.first_rename.and_then(|event| now.former_titles.get(&event));
    let is_new = one.kinds.contains(&Kind::Created);
    // what was not renamed is called as before
    let unchanged = title_now.filter(|_| one.first_rename.is_none() && !is_new);
    let title_before = former.or(one.title_before.as_ref()).or(unchanged);
    let version_before = version_before(one, now);
    let (who, how) = way_back(one, file, version_before, now, naming);
    Row {
        title_before: title_before.map(named),
        title_now: title_now.map(named),
        version_before,
        version_now: file.map(|file| file.version),
        where_now: where_now(one, file, now, naming),
        folder_id: file.and_then(|file| file.folder.as_ref()).map(ToString::to_string),
        who_can_restore: who,
        how,
        ..told(one, &one.id, naming)
    }
}

/// A document that was moved with its folder.
fn inside(folder: &Affected, file: &File, now: &Now, naming: &Naming) -> Row {
    let (who_can_restore, _) = way_back(folder, None, None, now, naming);
    let title = Some(naming.portal_text(&file.title));
    Row {
        kind: "document",
        title_before: title.clone(),
        title_now: title,
        version_before: Some(file.version),
        version_now: Some(file.version),
        where_now: format!("in the folder {}", folder.id),
        folder_id: file.folder.as_ref().map(ToString::to_string),
        who_can_restore,
        how: "comes back with its folder".to_owned(),
        ..told(folder, &file.id.to_string(), naming)
    }
}

/// What events tell.
fn told(one: &Affected, id: &str, naming: &Naming) -> Row {
    Row {
        kind: if one.is_folder { "folder" } else { "document" },
        id: id.to_owned(),
        changes: one.kinds.iter().map(|kind| kind.participle()).collect(),
        events: one.events,
        first: utc(one.first),
        last: utc(one.last),
        room_id: one.room.clone(),
        room: naming.portal_text(&one.room_title),
        ..Row::default()
    }
}

/// The last version from before the first overwriting; of what nobody overwrote, the present one.
fn version_before(one: &Affected, now: &Now) -> Option<i64> {
    if one.kinds.contains(&Kind::Created) {
        return None;
    }
    let file = now.file(one)?;
    let Some(overwritten) = one.overwritten else { return Some(file.version) };
    let versions = now.versions.get(&one.id)?;
    let is_before = |version: &&File| {
        version.updated.is_some_and(|at| {
            let is_its_own = version.updated_by == Some(one.actor) && overwritten - at <= ROW_COMES_LATER;
            at < overwritten && !is_its_own
        })
    };
    versions.iter().filter(is_before).map(|version| version.version).max()
}

fn where_now(one: &Affected, file: Option<&File>, now: &Now, naming: &Naming) -> String {
    match (&one.fate, file) {
        (Fate::Gone, _) => "deleted for good".to_owned(),
        (Fate::Trash(owner, name), _) => format!("in the trash of {}", person(*owner, name, naming)),
        (_, Some(file)) if file.in_trash => "in the trash of the account of this program's key".to_owned(),
        (_, Some(file)) => match (now.listed_in.get(&one.id).and_then(|room| now.rooms.get(room)), &file.folder) {
            (Some(room), _) => format!("in the room {}", naming.portal_text(&room.fact.title).for_terminal()),
            (None, Some(folder)) => format!("in the folder {folder}"),
            (None, None) => "in the portal".to_owned(),
        },
        (Fate::Moved(folder), None) => format!("in the folder {folder}, as the audit trail tells"),
        (Fate::There, None) if one.is_folder => "where it was, as far as the audit trail tells".to_owned(),
        (Fate::There, None) => "not found: it is gone, or where this program's key cannot look".to_owned(),
    }
}

/// Who can put it back, and how.
fn way_back(
    one: &Affected,
    file: Option<&File>,
    version_before: Option<i64>,
    now: &Now,
    naming: &Naming,
) -> (String, String) {
    let owner = one.room.as_ref().and_then(|room| now.rooms.get(room)).and_then(|room| room.owner);
    let of_room = match owner.and_then(|id| Some((id, now.owners.get(&id)?))) {
        Some((id, name)) => format!("{}, who owns the room, or a room manager", person(id, name, naming)),
        None => "the owner of the room, or a room manager".to_owned(),
    };
    match &one.fate {
        Fate::Gone => ("nobody in the portal".to_owned(), "take it from a backup of the portal".to_owned()),
        Fate::Trash(owner, name) => (
            person(*owner, name, naming),
            "restore it from that trash before somebody empties it; nobody else can open it, and a disabled account \
             cannot sign in"
                .to_owned(),
        ),
        Fate::Moved(_) => (of_room, "move it back, and ask whoever owns the place where it is now".to_owned()),
        Fate::There if one.kinds.contains(&Kind::Created) => {
            (of_room, "it is new: there is nothing to restore".to_owned())
        }
        Fate::There if one.is_folder => (of_room, "look at the folder, and rename it back".to_owned()),
        Fate::There if file.is_none() => (of_room, "look for it in the room".to_owned()),
        Fate::There => {
            let mut steps = Vec::new();
            match (one.overwritten, version_before) {
                (Some(_), Some(version)) => steps.push(format!("restore version {version} in the version history")),
                (Some(_), None) => steps.push("no earlier version is known; take it from a backup".to_owned()),
                (None, _) => {}
            }
            if one.first_rename.is_some() {
                steps.push("rename it back".to_owned());
            }
            if steps.is_empty() {
                steps.push("there is nothing to restore".to_owned());
            }
            (of_room, steps.join(", and "))
        }
    }
}

fn person(id: uuid::Uuid, name: &PortalText, naming: &Naming) -> String {
    naming.person(Person::named(id, name.clone())).name.for_terminal()
}
