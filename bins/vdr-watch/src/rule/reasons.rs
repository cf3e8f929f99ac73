//! Why there is a finding: each reason as a value, and as a sentence for people.

mod german;

use std::collections::BTreeMap;
use std::fmt;

use audit_model::{ActClass, Episode, Evidence, RoomId, Sentence};
use report::words::{list_of, plural};

use super::counting::{Activity, Counted, RoomKey};
use super::limits::{Basis, Limit};
use super::usual::Hours;

/// Folders named that nobody could weigh.
const FOLDERS_NAMED: usize = 5;

/// One reason. In the order in which a finding gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A limit was exceeded.
    Above(Above),
    /// So many actions were done to folders of which nobody knows what they held.
    UncountedFolders(u64),
    /// What was done, by kind.
    Kinds(Kinds),
    /// These could not be weighed.
    NotListed(Vec<Sentence>),
    /// It is open where it was.
    Open(Open),
}

/// How much more than a limit allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Above {
    limit: Limit,
    acts: u64,
    documents: u64,
    at_least: bool,
    hours: Option<Hours>,
}

/// Actions by kind, and the documents that they were done to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) classes: BTreeMap<ActClass, u64>,
    pub(crate) documents: u64,
    /// There may be more: nobody could tell what one of the folders held.
    pub(crate) at_least: bool,
}

/// Why it is not known where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// Several rooms have had the title.
    Twins { is_unplaced: bool },
    /// The same, of all that surely or possibly was in this room.
    Perhaps { room: RoomId, is_unplaced: bool },
    /// No known room had the title.
    Unknown { is_unplaced: bool },
    /// The list of agents could not be read, and the word before the title is not known.
    MayBeAgent,
}

impl Reason {
    pub(super) fn above<S>(limit: &Limit, episode: &Episode<S>, hours: Option<Hours>) -> Self {
        let peak = &episode.peak;
        let (acts, documents, at_least) = (peak.acts, peak.documents, peak.at_least);
        Reason::Above(Above { limit: *limit, acts, documents, at_least, hours })
    }

    /// Which of the folders nobody could weigh.
    pub(super) fn not_listed<'c>(acts: impl Iterator<Item = &'c Counted>, room: Option<&RoomId>) -> Self {
        let folders: BTreeMap<String, &Evidence> =
            acts.filter_map(|act| Some((act.document()?.to_string(), act.unweighed_folder()?))).collect();
        Reason::NotListed(folders.into_iter().map(|(id, event)| folder_name(&id, event, room)).collect())
    }

    /// As people read it.
    pub(super) fn sentence(&self) -> Sentence {
        Sentence::new(self.to_string(), self.german())
    }

    /// Why it is not known where it was; nothing when it is.
    pub(super) fn open(subject: &Activity, room: &RoomKey) -> impl Iterator<Item = Self> {
        let is_unplaced = subject.doubt.is_unplaced;
        let open = match room {
            RoomKey::Known(_) => subject.doubt.may_be_agent.then_some(Open::MayBeAgent),
            RoomKey::Perhaps(room) => Some(Open::Perhaps { room: room.clone(), is_unplaced }),
            RoomKey::OneOf(_) if subject.room.candidates.is_empty() => Some(Open::Unknown { is_unplaced }),
            RoomKey::OneOf(_) => Some(Open::Twins { is_unplaced }),
        };
        open.map(Reason::Open).into_iter()
    }
}

/// What the portal says was done to it, which names it.
fn folder_name(id: &str, event: &Evidence, room: Option<&RoomId>) -> Sentence {
    if room.is_some_and(|room| RoomId::from(id) == *room) {
        return ("the room itself", "der Raum selbst").into();
    }
    let said = event.title.as_ref().map(|said| format!(" (\u{201c}{}\u{201d})", said.for_terminal()));
    let said = said.unwrap_or_default();
    Sentence::new(format!("folder {id}{said}"), format!("Ordner {id}{said}"))
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Above(above) => above.fmt(f),
            Reason::UncountedFolders(actions) => {
                write!(f, "{} on folders of which nobody knows what they held", plural(*actions, "action"))
            }
            Reason::Kinds(kinds) => kinds.fmt(f),
            Reason::NotListed(names) => {
                let names = list_of(names, FOLDERS_NAMED, names.len() as u64);
                write!(f, "nobody could tell how many documents were in {names}; there may be more")
            }
            Reason::Open(open) => open.fmt(f),
        }
    }
}

/// `41 actions within 1 h, more than 20`
impl fmt::Display for Above {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Above { limit, acts, documents, at_least, hours } = self;
        let counted = match limit.class {
            Some(class) => of_class(class, *acts),
            None => plural(*acts, "action"),
        };
        let at_least = if *at_least { "≥ " } else { "" };
        let span = limit.span.words();
        match limit.basis {
            Basis::Actions => write!(f, "{at_least}{counted} {span}, more than {}", limit.acts),
            Basis::UnusualHours => {
                let hours = hours.map(|hours| hours.words()).unwrap_or_default();
                write!(f, "{at_least}{counted} {span} outside the usual hours, {hours}: more than {}", limit.acts)
            }
            Basis::ShareOfRoom { percent, documents: all } => {
                let (share, taken) = (share(*documents, all), (*documents).min(all));
                let of_all = format!("{taken} of {all} documents of the room downloaded {span} ({share} %)");
                write!(f, "{at_least}{of_all}, more than {percent} %")
            }
        }
    }
}

/// `38 downloads, 3 changes on 40 documents`
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.by_class(), plural(self.documents, "document"))
    }
}

impl Kinds {
    /// `38 downloads, 3 changes`, most frequent first.
    pub(crate) fn by_class(&self) -> String {
        let classes = frequent(&self.classes)
            .into_iter()
            .map(|(class, count)| of_class(class, count))
            .collect::<Vec<_>>()
            .join(", ");
        if self.at_least { format!("≥ {classes}") } else { classes }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NOT_LOOKED_UP: &str = "where the documents are could not be looked up";
        let several = |is_unplaced: bool| {
            let why = if is_unplaced { NOT_LOOKED_UP } else { "the portal's records do not tell them apart" };
            format!("several rooms have had this title, and {why}")
        };
        match self {
            Open::Twins { is_unplaced } => f.write_str(&several(*is_unplaced)),
            Open::Perhaps { room, is_unplaced } => {
                let several = several(*is_unplaced);
                write!(f, "{several}; this counts all actions that surely or possibly were in room {room}")
            }
            Open::Unknown { is_unplaced: true } => {
                write!(f, "no known room had this title then, and {NOT_LOOKED_UP}")
            }
            Open::Unknown { is_unplaced: false } => {
                f.write_str("no known room had this title then; it may be one that was renamed or deleted since")
            }
            Open::MayBeAgent => f.write_str(
                "the list of AI agents could not be read: it may have happened in an agent of this title, and not in the room",
            ),
        }
    }
}

/// Most frequent first.
fn frequent(classes: &BTreeMap<ActClass, u64>) -> Vec<(ActClass, u64)> {
    let mut classes: Vec<(ActClass, u64)> = classes.iter().map(|(class, count)| (*class, *count)).collect();
    classes.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    classes
}

/// In percent. What was deleted since may make it more than all.
pub(crate) fn share(documents: u64, of: u64) -> u64 {
    (documents.saturating_mul(100) / of.max(1)).min(100)
}

pub(crate) fn of_class(class: ActClass, count: u64) -> String {
    match class {
        ActClass::View => plural(count, "opening"),
        ActClass::Download => plural(count, "download"),
        ActClass::Change => plural(count, "change"),
        ActClass::Delete => plural(count, "deletion"),
        ActClass::Share => plural(count, "share"),
        ActClass::Membership if count == 1 => "1 change of members".to_owned(),
        ActClass::Membership => format!("{count} changes of members"),
    }
}
