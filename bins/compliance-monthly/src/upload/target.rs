//! The folder of the portal that a report goes to: which one is meant, whether we may, and who can read it.

use std::collections::BTreeSet;
use std::fmt;

use ::report::words::list_of;
use audit_model::{PersonStatus, PortalText, RoomId};
use docspace_client::{Account, Area, Client, EntryId, Error, ErrorKind};
use uuid::Uuid;

/// A folder that is there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) folder: EntryId,
    /// The room that it is in, or is; `None` for a folder in somebody's own documents.
    pub(crate) room: Option<RoomId>,
    /// Titles of the room and the folders in it, on one line.
    pub(crate) path: String,
}

/// What keeps us from uploading into a folder that is there. Displays as both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obstacle {
    pub(crate) meaning: &'static str,
    pub(crate) remedy: &'static str,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.meaning, self.remedy)
    }
}

/// Why there is no target.
#[derive(Debug)]
pub(crate) enum NoTarget {
    /// The setting names nothing that is there.
    Setting(String),
    /// The portal did not answer.
    Portal(Error),
}

impl From<Error> for NoTarget {
    fn from(error: Error) -> Self {
        NoTarget::Portal(error)
    }
}

impl Target {
    /// Finds the folder by its id, or by the title of a room and the titles of the folders in it.
    pub(crate) async fn find(client: &Client, wanted: &str) -> Result<Self, NoTarget> {
        let folder = match wanted.trim().parse() {
            Ok(number) => EntryId::Number(number),
            Err(_) => by_titles(client, wanted).await?,
        };
        let path = match client.folder_path(&folder).await {
            Ok(path) => path,
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Err(NoTarget::Setting(format!(
                    "there is no folder with the id {folder}; look it up in the portal"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let room = path.iter().find(|above| above.room_type.is_some()).map(|room| room.id.clone());
        // the first is the section of the portal
        let titles: Vec<String> = path.iter().skip(1).map(|folder| folder.title.for_terminal()).collect();
        Ok(Target { folder, room, path: titles.join("/") })
    }

    /// What keeps us from uploading; `None` when nothing does.
    pub(crate) async fn obstacle(&self, client: &Client) -> Result<Option<Obstacle>, Error> {
        if let Some(key) = client.key().await?
            && !key.scopes.can_write(Area::Files)
        {
            return Ok(Some(Obstacle {
                meaning: "the key lacks the scope `files:write`",
                remedy: "make one with `*:read` and `files:write`",
            }));
        }
        if client.may_upload_to(&self.folder).await? {
            return Ok(None);
        }
        Ok(Some(Obstacle {
            meaning: "the owner of the key may not add files there",
            remedy: "make them a room manager or content creator of that room; being a DocSpace admin is not enough",
        }))
    }

    /// Who can read what is uploaded, as far as the portal tells.
    pub(crate) async fn readers(&self, client: &Client) -> Result<Vec<Account>, Error> {
        let everybody = client.people().await?;
        let admins =
            everybody.into_iter().filter(|account| account.person.role.is_some_and(|role| role.reads_every_room()));
        let mut readers: Vec<Account> = match &self.room {
            Some(room) => client.members(room).await?.into_iter().map(|member| member.account).chain(admins).collect(),
            None => admins.collect(),
        };
        readers.retain(|account| account.person.status != Some(PersonStatus::Disabled));
        readers.sort_by_key(|account| account.person.id);
        readers.dedup_by_key(|account| account.person.id);
        Ok(readers)
    }
}

async fn by_titles(client: &Client, wanted: &str) -> Result<EntryId, NoTarget> {
    let mut titles = wanted.split('/').map(str::trim);
    let room = titles.next().unwrap_or_default();
    let rooms = client.rooms().await?;
    let fitting = rooms.iter().filter(|known| known.fact.title.raw() == room && !known.archived);
    let mut folder = only(fitting.map(|known| &known.fact.id), "room", room)?;
    for title in titles {
        let contents = client.folder_contents(&folder).await?;
        let fitting = contents.folders.iter().filter(|inner| inner.title.raw() == title);
        folder = only(fitting.map(|inner| &inner.id), "folder", title)?;
    }
    Ok(folder)
}

fn only<'a>(mut fitting: impl Iterator<Item = &'a EntryId>, what: &str, title: &str) -> Result<EntryId, NoTarget> {
    let shown = PortalText::new(title).for_terminal();
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.clone()),
        (None, _) => Err(NoTarget::Setting(format!(
            "there is no {what} with the exact title `{shown}`; give the id of the folder"
        ))),
        (Some(_), Some(_)) => {
            Err(NoTarget::Setting(format!("more than one {what} has the title `{shown}`; give the id of the folder")))
        }
    }
}

/// What a reader of the report must know about its other readers. Links are no members, and are not asked for.
pub(crate) fn about_readers(readers: &[Account], named: &BTreeSet<Uuid>) -> Vec<String> {
    const SHOWN: usize = 20;
    let names = |some: &[&Account]| {
        let names: Vec<String> = some.iter().take(SHOWN).map(|account| account.person.name.for_terminal()).collect();
        list_of(&names, SHOWN, some.len() as u64)
    };
    let all: Vec<&Account> = readers.iter().collect();
    let mut lines = vec![format!("who can read it there: {}", names(&all))];
    let in_it: Vec<&Account> = readers.iter().filter(|account| named.contains(&account.person.id)).collect();
    if !in_it.is_empty() {
        lines.push(format!("WARNING: the report names people who can read it there: {}", names(&in_it)));
    }
    lines.push(
        "external links were not checked: anyone with a link to the room, folder or file can also read the report"
            .to_owned(),
    );
    lines
}
