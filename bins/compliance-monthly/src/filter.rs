//! What a report is restricted to. Everything given must fit; within one list, one entry that fits is enough.

use std::collections::BTreeSet;

use audit_model::{ActClass, ActionId, AuditEvent, LoginEvent, Place, RoomId, Rooms};
use job_runner::config::{PathSetting, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// As the settings say it. Empty: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Selection {
    /// By id or exact title.
    pub(crate) rooms: Vec<String>,
    /// By id. Events of a file do not name its folder: this finds what was done to the folder itself, and what was moved or copied
    /// into it.
    pub(crate) folders: Vec<String>,
    /// By id.
    pub(crate) files: Vec<String>,
    /// By id or e-mail.
    pub(crate) people: Vec<String>,
    /// Classes (`download`), the portal's names (`FileDownloaded`) or numbers (`5009`).
    pub(crate) actions: Vec<String>,
    /// A text file with an id of a file on each line, taken like `files`.
    pub(crate) important_documents: Option<PathSetting>,
}

impl Selection {
    pub(crate) fn is_everything(&self) -> bool {
        *self == Selection::default()
    }

    pub(crate) fn validate(&self, wrong: &mut Validation) {
        wrong.no_blanks("only.rooms", &self.rooms, "ids or exact titles");
        wrong.no_blanks("only.folders", &self.folders, "ids");
        wrong.no_blanks("only.files", &self.files, "ids");
        wrong.no_blanks("only.people", &self.people, "ids or e-mail addresses");
        for word in self.actions.iter().filter(|word| Wanted::parse(word).is_none()) {
            let message = format!(
                "knows no action `{word}`; give a class ({}), a name such as `FileDownloaded`, or a number",
                CLASSES.map(|(name, _)| name).join(", ")
            );
            wrong.refuse_if(true, "only.actions", message);
        }
    }
}

const CLASSES: [(&str, ActClass); 6] = [
    ("view", ActClass::View),
    ("download", ActClass::Download),
    ("change", ActClass::Change),
    ("delete", ActClass::Delete),
    ("share", ActClass::Share),
    ("membership", ActClass::Membership),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Class(ActClass),
    Action(ActionId),
}

impl Wanted {
    fn parse(word: &str) -> Option<Self> {
        if let Some((_, class)) = CLASSES.into_iter().find(|(name, _)| *name == word) {
            return Some(Wanted::Class(class));
        }
        if let Ok(number) = word.parse() {
            return Some(Wanted::Action(ActionId(number)));
        }
        ActionId::by_name(word).map(Wanted::Action)
    }

    fn fits(self, action: ActionId) -> bool {
        match self {
            Wanted::Class(class) => action.class() == Some(class),
            Wanted::Action(wanted) => wanted == action,
        }
    }
}

/// A selection with its names looked up. `None`: not restricted in this respect.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) rooms: Option<BTreeSet<RoomId>>,
    /// Titles that were asked for: an event can name a room by its title alone.
    pub(crate) room_titles: BTreeSet<String>,
    pub(crate) folders: Option<BTreeSet<String>>,
    pub(crate) files: Option<BTreeSet<String>>,
    pub(crate) people: Option<BTreeSet<Uuid>>,
    /// Addresses asked for: a failed login has nothing else.
    pub(crate) addresses: BTreeSet<String>,
    /// What the list of important documents held; part of `files`. The list itself may be another one tomorrow.
    pub(crate) important: Vec<String>,
    actions: Option<Vec<Wanted>>,
}

impl Filter {
    /// What can be said without asking anybody; rooms and people are looked up by the caller.
    pub(crate) fn new(selection: &Selection, important: Vec<String>) -> Self {
        let ids = |list: &[String]| list.iter().map(|id| id.trim().to_owned()).collect::<BTreeSet<String>>();
        let mut files = ids(&selection.files);
        files.extend(ids(&important));
        let is_restricted = selection.important_documents.is_some() || !files.is_empty();
        let actions = selection.actions.iter().filter_map(|word| Wanted::parse(word)).collect();
        Filter {
            folders: (!selection.folders.is_empty()).then(|| ids(&selection.folders)),
            files: is_restricted.then_some(files),
            actions: (!selection.actions.is_empty()).then_some(actions),
            important,
            ..Filter::default()
        }
    }

    pub(crate) fn fits(&self, event: &AuditEvent, rooms: &Rooms) -> bool {
        let place_fits = |wanted: &BTreeSet<RoomId>| match rooms.place(event) {
            Place::Room(id, _) => wanted.contains(&id),
            Place::OneOf { candidates, .. } => candidates.iter().any(|id| wanted.contains(id)),
            Place::UnknownRoom { title } => self.room_titles.contains(title.raw()),
            Place::Elsewhere => false,
        };
        let acted_on = |wanted: &BTreeSet<String>| event.target.iter().any(|id| wanted.contains(id));
        self.actions.as_ref().is_none_or(|wanted| wanted.iter().any(|one| one.fits(event.action)))
            && self.people.as_ref().is_none_or(|wanted| wanted.contains(&event.actor))
            && self.folders.as_ref().is_none_or(acted_on)
            && self.files.as_ref().is_none_or(acted_on)
            && self.rooms.as_ref().is_none_or(place_fits)
    }

    /// Logins are restricted to people; of all other restrictions they know nothing.
    pub(crate) fn fits_login(&self, login: &LoginEvent) -> bool {
        let typed = login.login.as_ref().map(|typed| typed.raw().to_lowercase());
        self.people.as_ref().is_none_or(|wanted| {
            wanted.contains(&login.user) || typed.is_some_and(|typed| self.addresses.contains(&typed))
        })
    }
}

/// The ids in a list of important documents: one on each line, `#` begins a remark.
pub(crate) fn ids_in(list: &str) -> Vec<String> {
    let ids = list.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use audit_model::{PortalText, RoomFact, VIRTUAL_DATA_ROOM, testing};
    use chrono::DateTime;

    use super::*;

    fn event(action: i32, target: &str, context: &str) -> AuditEvent {
        let event = testing::event(action, target, DateTime::from_timestamp(1_000_000, 0).unwrap());
        AuditEvent { context: Some(PortalText::new(context)), ..event }
    }

    fn rooms() -> Rooms {
        let mut rooms = Rooms::default();
        for (id, title) in [(71, "Alpha"), (72, "Beta")] {
            let room_type = Some(VIRTUAL_DATA_ROOM);
            rooms.learn(RoomFact { id: RoomId::Number(id), title: title.into(), room_type, created: None });
        }
        rooms
    }

    fn fits(selection: &Selection, event: &AuditEvent) -> bool {
        Filter::new(selection, Vec::new()).fits(event, &rooms())
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn actions_are_named_by_class_name_or_number() {
        let download = event(5009, "9417", "Rooms: Alpha");
        for (actions, expected) in [
            (&["download"][..], true),
            (&["FileDownloaded"], true),
            (&["5009"], true),
            (&["delete", "5009"], true),
            (&["delete"], false),
            (&["59999"], false),
            (&[], true),
        ] {
            let selection = Selection { actions: words(actions), ..Selection::default() };
            assert_eq!(fits(&selection, &download), expected, "{actions:?}");
        }
        assert_eq!(Wanted::parse("59999"), Some(Wanted::Action(ActionId(59_999))), "newer servers have more");
    }

    #[test]
    fn all_that_is_given_must_fit() {
        let moved = AuditEvent { target: words(&["9417", "250"]), ..event(5015, "", "Rooms: Alpha") };
        let by = |files: &[&str], folders: &[&str]| Selection {
            files: words(files),
            folders: words(folders),
            ..Selection::default()
        };
        assert!(fits(&by(&["9417", "1"], &["250"]), &moved));
        assert!(fits(&by(&[" 9417"], &["250 "]), &moved), "blanks around an id mean nothing");
        assert!(!fits(&by(&["9417"], &["251"]), &moved));
        let filter = Filter { rooms: Some(BTreeSet::from([RoomId::Number(72)])), ..Filter::default() };
        assert!(!filter.fits(&moved, &rooms()));
        assert!(filter.fits(&event(5009, "1", "Rooms: Beta"), &rooms()));
        assert!(!filter.fits(&event(6094, "", "Settings"), &rooms()));
        let people = Filter { people: Some(BTreeSet::from([Uuid::from_u128(2)])), ..Filter::default() };
        assert!(!people.fits(&moved, &rooms()));
    }

    #[test]
    fn an_empty_list_of_important_documents_lets_nothing_through() {
        let selection = Selection { important_documents: Some("list.txt".into()), ..Selection::default() };
        assert!(!fits(&selection, &event(5009, "9417", "Rooms: Alpha")));
        let filter = Filter::new(&selection, ids_in("# board papers\n9417  # minutes\n\n 9418\n"));
        assert!(filter.fits(&event(5009, "9418", ""), &rooms()));
        assert_eq!(filter.files.unwrap().len(), 2);
    }
}
