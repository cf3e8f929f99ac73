//! The list of rooms and one room.

use std::cmp::Reverse;

use super::Context;
use super::entries;
use super::page;
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rights;
use super::room_shape::{room_object, updated};
use crate::actions::Names;
use crate::json::{Json, length};
use crate::scenario::{ARCHIVE, ROOMS, Room};

pub(super) const ROOM_TYPES: Names = &[
    ("FillingFormsRoom", 1),
    ("EditingRoom", 2),
    ("CustomRoom", 5),
    ("PublicRoom", 6),
    ("VirtualDataRoom", 8),
    ("AiRoom", 9),
];
pub(super) const SEARCH_AREAS: Names = &[
    ("Active", 0),
    ("Archive", 1),
    ("Any", 2),
    ("RecentByLinks", 3),
    ("Templates", 4),
    ("Knowledge", 5),
    ("ResultStorage", 6),
    ("AiAgents", 7),
];
pub(super) const SORT_ORDERS: Names = &[("Ascending", 0), ("Descending", 1)];

const SUBJECT_FILTERS: Names = &[("Owner", 0), ("Member", 1)];
const QUOTAS: Names = &[("All", 0), ("Default", 1), ("Custom", 2)];
const STORAGES: Names = &[("None", 0), ("Internal", 1), ("ThirdParty", 2)];
const PROVIDERS: Names = &[
    ("None", 0),
    ("Box", 1),
    ("DropBox", 2),
    ("GoogleDrive", 3),
    ("kDrive", 4),
    ("OneDrive", 5),
    ("SharePoint", 6),
    ("WebDav", 7),
    ("Yandex", 8),
    ("Storage", 9),
];

/// What the list is narrowed to, besides type and area.
struct Filter {
    text: Option<String>,
    owner: Option<String>,
    subject: Option<String>,
    by_owner: bool,
    exclude: bool,
    tags: Vec<String>,
    without_tags: bool,
    third_party: bool,
}

impl Filter {
    fn bind(binder: &mut Binder<'_>) -> Filter {
        let filter = Filter {
            text: binder.text("filterValue").map(str::to_lowercase),
            owner: binder.text("subjectOwnerId").map(str::to_lowercase),
            subject: binder.text("subjectId").map(str::to_lowercase),
            by_owner: false,
            exclude: binder.bool_or_empty("excludeSubject").unwrap_or(false),
            tags: binder.text("tags").and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default(),
            without_tags: binder.bool_or_empty("withoutTags").unwrap_or(false),
            third_party: false,
        };
        let obsolete = binder.named_or_empty("subjectFilter", "SubjectFilter", SUBJECT_FILTERS);
        let provider = binder.named_or_empty("provider", "Provider", PROVIDERS).unwrap_or(0);
        binder.named_or_empty("quotaFilter", "QuotaFilter", QUOTAS);
        let storage = binder.named_or_empty("storageFilter", "StorageFilter", STORAGES);
        binder.number_or_empty("groupId");
        // with the old way to say it the new one is passed over
        let owner = filter.owner.filter(|_| obsolete.is_none());
        Filter { by_owner: obsolete == Some(0), third_party: storage == Some(2) || provider != 0, owner, ..filter }
    }

    fn fits(&self, context: &Context<'_>, room: &Room) -> bool {
        let scenario = context.scenario;
        let has = |subject: &str| {
            let id = uuid::Uuid::try_parse(subject).unwrap_or_default();
            if self.by_owner {
                return room.owner == id;
            }
            room.members.contains(&id)
                || scenario.content.shares.iter().any(|share| share.room == room.id && share.subject == id)
        };
        let tags = scenario.extras(room).tags;
        !self.third_party
            && self.text.as_ref().is_none_or(|text| room.title.to_lowercase().contains(text))
            && self.owner.as_ref().is_none_or(|owner| room.owner.to_string() == *owner)
            && self.subject.as_ref().is_none_or(|subject| has(subject) != self.exclude)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag)))
            && (!self.without_tags || tags.is_empty())
    }
}

/// `GET files/rooms`: one object that holds the rooms, with its own `count` and `total`.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let types = binder.list("type", ROOM_TYPES);
    let area = binder.named_or_empty("searchArea", "SearchArea", SEARCH_AREAS).unwrap_or(0);
    let (count, start) = (binder.count(), binder.start_index());
    let descending = binder.named_or_empty("sortOrder", "SortOrder", SORT_ORDERS) == Some(1);
    let sort = binder.text("sortBy").unwrap_or_default().to_ascii_lowercase();
    let filter = Filter::bind(&mut binder);
    binder.done()?;
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    if start < 0 {
        let message = "Specified argument was out of the range of valid values. (Parameter 'startIndex')";
        return Err(Failure::exception(400, message, "System.ArgumentOutOfRangeException", -2_146_233_086));
    }
    let mut rooms: Vec<&Room> = context
        .scenario
        .rooms
        .iter()
        .filter(|room| types.is_empty() || types.contains(&room.room_type))
        .filter(|room| match area {
            0 => !room.archived && !room.is_agent(),
            1 => room.archived && !room.is_agent(),
            2 => !room.is_agent(),
            7 => room.is_agent(),
            _ => false,
        })
        .filter(|room| filter.fits(context, room))
        .filter(|room| context.scenario.may_read(person, room))
        .collect();
    rooms.sort_by_key(|room| room.id);
    match sort.as_str() {
        "az" => rooms.sort_by_key(|room| room.title.to_lowercase()),
        "roomtype" => rooms.sort_by_key(|room| room.room_type),
        "dateandtimecreation" => rooms.sort_by_key(|room| room.created),
        "dateandtime" => rooms.sort_by_key(|room| updated(room)),
        // the caller's saved order; new callers have "last changed first"
        _ => rooms.sort_by_key(|room| Reverse(updated(room))),
    }
    if descending {
        rooms.reverse();
    }
    let total = length(rooms.len());
    let folders: Vec<Json> =
        page(rooms, start, count).into_iter().map(|room| room_object(context, person, room)).collect();
    let shown = length(folders.len());
    let section = if area == 1 { ARCHIVE } else { ROOMS };
    Ok(Answer::one(Json::object([
        ("files", Json::List(Vec::new())),
        ("folders", Json::List(folders)),
        ("current", entries::section(context, section)),
        ("pathParts", entries::path_parts(context.scenario, section)),
        ("startIndex", start.into()),
        ("count", shown.into()),
        ("total", total.into()),
        ("new", 0.into()),
    ])))
}

/// `GET files/rooms/{id}`; `None` for an id that is no number, which third-party code answers on the portal.
pub(super) fn one(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let missing = "The required folder was not found";
    let id = id.ok_or_else(|| Failure::not_found(missing))?;
    rights::readable(context, id, missing)?;
    // any folder answers here
    Ok(Answer::one(entries::any_folder(context, id)))
}
