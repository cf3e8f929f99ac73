//! The people, groups, rooms, folders and files that settings name, looked up at the portal in one place. An entry that means nobody does nothing, so
//! whoever wrote it has to hear of it before the day on which it matters.

use std::collections::BTreeSet;
use std::fmt;

use audit_model::{PortalText, RoomId, is_robot};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Client, Directory, EntryId, Error, ErrorKind};
use job_store::Store;
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::memory::Memory;

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Named {
    /// By id or e-mail address, as [`audit_model::Person::is_meant_by`] understands them.
    People,
    /// By id or exact name.
    Groups,
    /// By id or exact title.
    Rooms,
    /// By id. The portal is asked for each.
    Folders,
    /// By id. The portal is asked for each.
    Files,
}

/// A list of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedList {
    /// The setting, with dots between levels.
    pub key: &'static str,
    pub named: Named,
    pub entries: Vec<String>,
}

impl NamedList {
    pub fn people<'e>(key: &'static str, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList::new(key, Named::People, entries)
    }

    pub fn groups<'e>(key: &'static str, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList::new(key, Named::Groups, entries)
    }

    pub fn rooms<'e>(key: &'static str, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList::new(key, Named::Rooms, entries)
    }

    pub fn folders<'e>(key: &'static str, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList::new(key, Named::Folders, entries)
    }

    pub fn files<'e>(key: &'static str, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList::new(key, Named::Files, entries)
    }

    fn new<'e>(key: &'static str, named: Named, entries: impl IntoIterator<Item = &'e String>) -> Self {
        NamedList { key, named, entries: entries.into_iter().cloned().collect() }
    }
}

/// An entry that means nobody and nothing. Displays as a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    pub key: String,
    pub named: Named,
    pub entry: String,
}

impl Unknown {
    /// What is wrong, without the setting.
    fn what(&self) -> String {
        let what = match self.named {
            Named::People => "nobody in the portal has the id or the e-mail address",
            Named::Groups => "no group of the portal has the id or the exact name",
            Named::Rooms => "no room of the portal has the id or the exact title",
            Named::Folders => "no folder of the portal has the id",
            Named::Files => "no file of the portal has the id",
        };
        let entry = PortalText::new(self.entry.as_str()).for_terminal_within(200);
        format!("{what} `{entry}`")
    }

    /// What is wrong and what to do, as it follows on the name of the setting.
    pub(crate) fn message(&self) -> String {
        let remedy = match self.named {
            Named::People | Named::Groups | Named::Rooms => "check both in the portal",
            Named::Folders | Named::Files => "check it in the portal",
        };
        format!("{}; {remedy}", self.what())
    }

    /// Whether the entry has the form of an id, so that it may mean what was removed from the portal.
    pub fn is_id(&self) -> bool {
        match self.named {
            Named::People | Named::Groups => Uuid::parse_str(self.entry.trim()).is_ok(),
            Named::Rooms => matches!(RoomId::from(self.entry.trim()), RoomId::Number(_)),
            Named::Folders | Named::Files => true,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, named in `{}`", self.what(), self.key)
    }
}

/// Which entries of the lists mean nobody, in their order.
///
/// # Errors
/// Of the portal: without its lists nobody can tell.
pub async fn look_up(lists: &[NamedList], client: &Client) -> Result<Vec<Unknown>, Error> {
    let is_asked = |named: Named| lists.iter().any(|list| list.named == named && !list.entries.is_empty());
    let mut directory = Directory::default();
    if is_asked(Named::People) {
        directory.read_people(client).await?;
    }
    if is_asked(Named::Groups) {
        directory.read_groups(client).await?;
    }
    if is_asked(Named::Rooms) {
        directory.read_rooms(client).await?;
    }
    let mut missing = BTreeSet::new();
    for list in lists {
        for entry in &list.entries {
            if is_missing(list.named, entry, client).await? {
                missing.insert((list.key, entry.as_str()));
            }
        }
    }
    Ok(unknown_but(lists, &directory, &missing))
}

/// Whether the portal says that it has no such folder or file. Of one that it does not show to us it says so, and has it.
async fn is_missing(named: Named, entry: &str, client: &Client) -> Result<bool, Error> {
    let id = EntryId::from(entry.trim());
    let error = match named {
        Named::People | Named::Groups | Named::Rooms => return Ok(false),
        Named::Folders => client.folder_path(&id).await.err(),
        Named::Files => match client.file(&id).await {
            Ok(file) => return Ok(file.is_none()),
            Err(error) => Some(error),
        },
    };
    match error {
        None => Ok(false),
        Some(Error { kind: ErrorKind::MissingRight, .. }) => Ok(false),
        // what has no form that an id can have is refused in several ways
        Some(Error {
            kind: ErrorKind::NotFound | ErrorKind::Refused { .. } | ErrorKind::BadRequest { .. }, ..
        }) => Ok(true),
        Some(error) => Err(error),
    }
}

/// The same for people, groups and rooms, with a directory of which every list was read that is asked for.
pub fn unknown(lists: &[NamedList], directory: &Directory) -> Vec<Unknown> {
    unknown_but(lists, directory, &BTreeSet::new())
}

/// Ids of the people that a list names, with a directory whose people were read.
///
/// # Errors
/// The entries that mean nobody, as mistakes in the setting or flag `key`.
pub fn accounts(key: &'static str, entries: &[String], directory: &Directory) -> Result<BTreeSet<Uuid>, crate::Error> {
    let unknown = unknown(&[NamedList::people(key, entries)], directory);
    if !unknown.is_empty() {
        return Err(crate::Error::unknown(&unknown));
    }
    Ok(entries.iter().filter_map(|entry| directory.person(entry)).map(|account| account.person.id).collect())
}

/// What the reader must know of a report about these people alone, as the settings name them; `None` where they name nobody.
pub fn restriction(entries: &[String]) -> Option<String> {
    let names: Vec<String> = entries.iter().map(|entry| PortalText::new(entry.trim()).for_terminal()).collect();
    let note = || format!("only findings about {} are reported; this says nothing of anybody else", names.join(", "));
    (!names.is_empty()).then(note)
}

fn unknown_but(lists: &[NamedList], directory: &Directory, missing: &BTreeSet<(&str, &str)>) -> Vec<Unknown> {
    let is_known = |key: &str, named: Named, entry: &str| match named {
        Named::People => {
            let is_built_in = Uuid::parse_str(entry.trim()).is_ok_and(is_robot);
            is_built_in || directory.person(entry).is_some()
        }
        Named::Groups => directory.groups_meant_by(entry).next().is_some(),
        Named::Rooms => directory.rooms_meant_by(entry).next().is_some(),
        Named::Folders | Named::Files => !missing.contains(&(key, entry)),
    };
    let of_list = |list: &NamedList| {
        let NamedList { key, named, entries } = list.clone();
        let unknown = entries.into_iter().filter(move |entry| !is_known(key, named, entry));
        unknown.map(move |entry| Unknown { key: key.to_owned(), named, entry }).collect::<Vec<_>>()
    };
    lists.iter().flat_map(of_list).collect()
}

/// People join and leave seldom, and the lists of a large portal are long.
const ASKED_EVERY: TimeDelta = TimeDelta::hours(24);

/// The name in the memory.
const NAMES: &str = "names";

#[derive(Serialize, Deserialize)]
struct Remembered {
    /// The lists that were looked up, so that a correction is seen at once.
    lists: String,
    unknown: Vec<Unknown>,
}

/// For the notes of a run: asks the portal once a day, and whenever the lists have changed. Failing at it is no failure of the run.
pub(crate) async fn for_run(lists: &[NamedList], store: &Store, client: &Client, now: DateTime<Utc>) -> Vec<Unknown> {
    if lists.iter().all(|list| list.entries.is_empty()) {
        return Vec::new();
    }
    let looked = async {
        let memory = Memory::open(store).await?;
        let shown = serde_json::to_string(lists)?;
        let known = memory.get(NAMES).await?.filter(|(_, at)| (TimeDelta::zero()..ASKED_EVERY).contains(&(now - *at)));
        let known = known.and_then(|(value, _)| serde_json::from_str::<Remembered>(&value).ok());
        if let Some(known) = known.filter(|known| known.lists == shown) {
            return Ok(known.unknown);
        }
        let unknown = look_up(lists, client).await?;
        let value = serde_json::to_string(&Remembered { lists: shown, unknown: unknown.clone() })?;
        if let Err(failure) = memory.keep(NAMES, &value, now).await {
            debug!("the next run looks names up again: {:#}", anyhow::Error::new(failure));
        }
        anyhow::Ok(unknown)
    };
    looked.await.unwrap_or_else(|failure| {
        warn!("the names in the settings could not be looked up: {failure:#}");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use audit_model::Person;
    use docspace_client::{Account, Group};

    use super::*;

    fn account(id: Uuid, email: &str) -> Account {
        let person = Person { email: Some(email.into()), ..Person::named(id, "Anna".into()) };
        Account { person, is_ldap: false, is_sso: false, culture: None }
    }

    #[test]
    fn every_entry_that_means_nobody_is_named() {
        let (anna, board) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let people = [account(anna, "Anna@example.com")];
        let groups = vec![Group { id: board, name: "Board".into(), manager: None, size: None }];
        let directory = Directory { groups, ..people.into_iter().collect() };
        let entries = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let braced = format!("{{{}}}", anna.to_string().to_uppercase());
        let robot = audit_model::SYSTEM_ACCOUNT.to_string();
        let lists = [
            NamedList::people("stop", &entries(&[" ANNA@example.com ", &braced, "anna@exmaple.com", &robot])),
            NamedList::people("service_accounts", &entries(&["bo\u{202e}t@example.com", &board.to_string()])),
            NamedList::groups("protect.groups", &entries(&["Board", &format!("{{{board}}}"), "board"])),
            NamedList::rooms("exclude", &entries(&["71"])),
        ];
        let unknown = unknown(&lists, &directory);
        let shown: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "nobody in the portal has the id or the e-mail address `anna@exmaple.com`, named in `stop`".to_owned(),
                "nobody in the portal has the id or the e-mail address `bo\\u{202e}t@example.com`, named in \
                 `service_accounts`"
                    .to_owned(),
                format!("nobody in the portal has the id or the e-mail address `{board}`, named in `service_accounts`"),
                "no group of the portal has the id or the exact name `board`, named in `protect.groups`".to_owned(),
                "no room of the portal has the id or the exact title `71`, named in `exclude`".to_owned(),
            ]
        );
    }
}
