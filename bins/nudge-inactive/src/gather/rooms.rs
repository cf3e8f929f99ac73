//! Which rooms the settings mean.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{PortalText, RoomId};
use docspace_client::{Client, Room};

use crate::config::type_number;

/// The rooms that carry each of the tags that are wanted.
///
/// # Errors
/// Of the portal.
pub(crate) async fn tagged(wanted: Option<&[String]>, client: &Client) -> Result<Tagged, docspace_client::Error> {
    let mut tagged = Tagged::new();
    for tag in wanted.unwrap_or_default().iter().filter_map(|entry| entry.strip_prefix("tag:")) {
        let rooms = client.rooms_with_tag(tag).await?;
        tagged.insert(tag.to_owned(), rooms.into_iter().map(|room| room.fact.id).collect());
    }
    Ok(tagged)
}

/// Rooms by tag.
pub(crate) type Tagged = BTreeMap<String, Vec<RoomId>>;

/// What to do about an entry that means no room.
pub(crate) fn advice(unknown: &str, rooms: &[Room]) -> String {
    let is_alike = |room: &&Room| room.fact.title.for_terminal().to_lowercase() == unknown.to_lowercase();
    match rooms.iter().find(is_alike) {
        Some(room) => format!("did you mean `{}`?", room.fact.title.for_terminal()),
        None => "look ids, titles and tags up in the portal".to_owned(),
    }
}

/// The rooms to look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) ids: BTreeSet<RoomId>,
    /// Entries that fit no room, in words.
    pub(crate) unknown: Vec<String>,
    /// How many were left out because they are archived.
    pub(crate) archived: usize,
}

/// Chooses among the rooms that the portal shows; `tagged` says which rooms carry the tags that were asked for.
pub(crate) fn choose(wanted: Option<&[String]>, rooms: &[Room], tagged: &Tagged) -> Choice {
    let mut choice = Choice::default();
    let mut archived = BTreeSet::new();
    let mut add = |fits: Vec<&Room>, choice: &mut Choice| {
        for room in fits {
            let kept = if room.archived { &mut archived } else { &mut choice.ids };
            kept.insert(room.fact.id.clone());
        }
    };
    match wanted {
        None => add(rooms.iter().collect(), &mut choice),
        Some(wanted) => {
            for entry in wanted {
                let fits: Vec<&Room> = rooms.iter().filter(|room| is_meant(entry, room, tagged)).collect();
                if fits.is_empty() {
                    choice.unknown.push(PortalText::new(entry.as_str()).for_terminal());
                }
                add(fits, &mut choice);
            }
        }
    }
    choice.archived = archived.len();
    choice
}

/// A title cannot hold a colon, so `type:` and `tag:` are never titles.
fn is_meant(entry: &str, room: &Room, tagged: &Tagged) -> bool {
    if let Some(kind) = entry.strip_prefix("type:") {
        return room.fact.room_type == type_number(kind) && room.fact.room_type.is_some();
    }
    if let Some(tag) = entry.strip_prefix("tag:") {
        return tagged.get(tag).is_some_and(|rooms| rooms.contains(&room.fact.id));
    }
    room.fact.is_meant_by(entry)
}

#[cfg(test)]
mod tests {
    use audit_model::RoomFact;

    use super::*;

    fn room(id: i64, title: &str, kind: i32, archived: bool) -> Room {
        let fact = RoomFact { id: RoomId::Number(id), title: title.into(), room_type: Some(kind), created: None };
        Room { fact, archived, owner: None, files: None, folders: None }
    }

    #[test]
    fn rooms_are_meant_by_id_title_type_and_tag() {
        let rooms = [room(71, "Falcon", 8, false), room(72, "Office", 2, false), room(73, "Old", 8, true)];
        let tagged = [("deal".to_owned(), vec![RoomId::Number(72)])].into();
        let chosen = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&entry| entry.to_owned()).collect();
            let choice = choose(Some(&wanted), &rooms, &tagged);
            let ids: Vec<String> = choice.ids.iter().map(ToString::to_string).collect();
            (ids.join(" "), choice.unknown.join(" "), choice.archived)
        };
        let told = |ids: &str, unknown: &str, archived| (ids.to_owned(), unknown.to_owned(), archived);
        assert_eq!(chosen(&["71"]), told("71", "", 0));
        assert_eq!(chosen(&["Office", "type:vdr"]), told("71 72", "", 1));
        assert_eq!(chosen(&["tag:deal", "tag:none"]), told("72", "tag:none", 0));
        assert_eq!(chosen(&["falcon"]), told("", "falcon", 0));
        let all = choose(None, &rooms, &Tagged::new());
        assert_eq!((all.ids.len(), all.archived), (2, 1));
    }
}
