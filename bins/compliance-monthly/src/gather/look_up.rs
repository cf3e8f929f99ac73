//! What a report is restricted to, looked up. What means nobody and nothing would make a report without events, which must not pass
//! for a quiet month.

use std::collections::BTreeSet;

use audit_model::{AuditEvent, Location, PortalText, RoomId, Rooms};
use docspace_client::Directory;
use event_archive::Look;
use futures::TryStreamExt;
use job_runner::names::{self, Named, NamedList, Unknown, unknown};
use job_runner::{Error, Job};
use uuid::Uuid;

use crate::filter::{Filter, Selection, ids_in};

/// The setting, and the key of what its list names.
const IMPORTANT: &str = "only.important_documents";

/// The filter, and what the reader must know of entries that mean nothing, or are titles.
///
/// An id may be of something that was removed: it means something while an event of the report's time names it. An entry of the list
/// of important documents may have been thrown away long ago; a list of which nothing is left is refused like the other entries.
///
/// # Errors
/// All entries that mean nobody and nothing, at once; a list that cannot be read; the store.
pub(crate) async fn filter(
    only: &Selection,
    job: &Job,
    rooms: &Rooms,
    look: &mut Look,
) -> anyhow::Result<(Filter, Vec<String>)> {
    let important = important(only)?;
    let mut filter = Filter::new(only, important.clone());
    let mut missing = Vec::new();
    if !only.rooms.is_empty() {
        let (found, nowhere) = chosen(&only.rooms, rooms);
        missing.extend(nowhere);
        filter.rooms = Some(found);
        filter.room_titles = only.rooms.iter().cloned().collect();
    }
    if !only.people.is_empty() {
        let (found, nobody) = people(job, "only.people", &only.people, look).await;
        missing.extend(nobody);
        filter.people = Some(found);
        filter.addresses = only.people.iter().map(|name| name.trim().to_lowercase()).collect();
    }
    let nowhere = names::look_up(&by_id(only, &important), &job.client).await;
    missing.extend(look.answered("only", nowhere).unwrap_or_default());
    let missing = without_removed(missing, job).await?;
    let (missing, titled) = by_title(missing, job, &mut filter).await?;
    let is_list = |unknown: &Unknown| unknown.key == IMPORTANT;
    let nothing_is_left = missing.iter().filter(|unknown| is_list(unknown)).count() == important.len();
    // what was not read could name it
    let is_whole = look.coverage().gaps.is_empty();
    let is_refused = |unknown: &Unknown| is_whole && (nothing_is_left || !is_list(unknown));
    let (refused, told): (Vec<Unknown>, Vec<Unknown>) = missing.into_iter().partition(is_refused);
    if !refused.is_empty() {
        return Err(Error::unknown(&refused).into());
    }
    let told = told.iter().map(|unknown| format!("{unknown}; this report says nothing about it"));
    Ok((filter, titled.into_iter().chain(told).collect()))
}

/// Everything that a report is restricted to by name or id, for `doctor`.
///
/// # Errors
/// The list of important documents.
pub(crate) fn lists(only: &Selection) -> Result<Vec<NamedList>, Error> {
    let named = [NamedList::rooms("only.rooms", &only.rooms), NamedList::people("only.people", &only.people)];
    Ok(named.into_iter().chain(by_id(only, &important(only)?)).collect())
}

fn by_id(only: &Selection, important: &[String]) -> [NamedList; 3] {
    [
        NamedList::folders("only.folders", &only.folders),
        NamedList::files("only.files", &only.files),
        NamedList::files(IMPORTANT, important),
    ]
}

/// The ids in the list of important documents.
fn important(only: &Selection) -> Result<Vec<String>, Error> {
    let Some(path) = &only.important_documents else { return Ok(Vec::new()) };
    let shown = path.as_path().display();
    let unread = |error: std::io::Error| Error::setting(IMPORTANT, format!("cannot be read: {shown}: {error}"));
    // a pipe has no end, and a device none either
    if !std::fs::metadata(path.as_path()).map_err(unread)?.is_file() {
        return Err(Error::setting(IMPORTANT, format!("names {shown}, which is no file")));
    }
    let list = std::fs::read_to_string(path.as_path()).map_err(unread)?;
    let ids = ids_in(&list);
    if ids.is_empty() {
        return Err(Error::setting(IMPORTANT, format!("holds no id: write one on each line of {shown}")));
    }
    Ok(ids)
}

/// The rooms by id or exact title, and the entries that mean none.
fn chosen(wanted: &[String], rooms: &Rooms) -> (BTreeSet<RoomId>, Vec<Unknown>) {
    let (mut found, mut nowhere) = (BTreeSet::new(), Vec::new());
    for entry in wanted {
        let fits = rooms.iter().filter(|room| room.is_meant_by(entry));
        let fits: Vec<RoomId> = fits.map(|room| room.id.clone()).collect();
        if fits.is_empty() {
            nowhere.push(Unknown { key: "only.rooms".to_owned(), named: Named::Rooms, entry: entry.clone() });
        }
        found.extend(fits);
    }
    (found, nowhere)
}

/// Accounts by id or e-mail address, and the entries that mean none. The ids stay among those that were found.
pub(crate) async fn people(
    job: &Job,
    key: &'static str,
    entries: &[String],
    look: &mut Look,
) -> (BTreeSet<Uuid>, Vec<Unknown>) {
    let mut found: BTreeSet<Uuid> = entries.iter().filter_map(|entry| id_of(entry)).collect();
    let mut directory = Directory::default();
    if look.answered("people", directory.read_people(&job.client).await).is_none() {
        return (found, Vec::new());
    }
    found.extend(entries.iter().filter_map(|entry| directory.person(entry)).map(|account| account.person.id));
    (found, unknown(&[NamedList::people(key, entries)], &directory))
}

pub(crate) fn id_of(entry: &str) -> Option<Uuid> {
    Uuid::parse_str(entry.trim()).ok()
}

/// The entries without those whose id is named by an event or a login of the report's time.
async fn without_removed(mut missing: Vec<Unknown>, job: &Job) -> anyhow::Result<Vec<Unknown>> {
    if !missing.iter().any(Unknown::is_id) {
        return Ok(missing);
    }
    let mut events = std::pin::pin!(job.archive.events(job.window));
    while let Some(event) = events.try_next().await? {
        missing.retain(|unknown| match unknown.named {
            Named::People => id_of(&unknown.entry) != Some(event.actor),
            Named::Folders | Named::Files => !event.target.iter().any(|id| id == unknown.entry.trim()),
            // rooms of which only events tell are among the known ones
            Named::Rooms | Named::Groups => true,
        });
    }
    let mut logins = std::pin::pin!(job.archive.login_events(job.window));
    while let Some(login) = logins.try_next().await? {
        missing.retain(|unknown| unknown.named != Named::People || id_of(&unknown.entry) != Some(login.user));
    }
    Ok(missing)
}

/// The entries without those that are the title of one document or folder of the report's time, whose id the filter gets; and what the
/// reader must know of these. Several of one title could be meant otherwise, so their title means none.
async fn by_title(
    missing: Vec<Unknown>,
    job: &Job,
    filter: &mut Filter,
) -> anyhow::Result<(Vec<Unknown>, Vec<String>)> {
    let is_titled = |unknown: &Unknown| matches!(unknown.named, Named::Folders | Named::Files);
    if !missing.iter().any(is_titled) {
        return Ok((missing, Vec::new()));
    }
    let mut ids: Vec<BTreeSet<String>> = vec![BTreeSet::new(); missing.len()];
    let mut events = std::pin::pin!(job.archive.events(job.window));
    while let Some(event) = events.try_next().await? {
        let Some((what, title)) = titled(&event) else { continue };
        for (unknown, ids) in missing.iter().zip(&mut ids) {
            if unknown.named == what && unknown.entry.trim() == title {
                ids.extend(event.target.first().cloned());
            }
        }
    }
    let mut notes = Vec::new();
    let mut left = Vec::new();
    for (unknown, ids) in missing.into_iter().zip(ids) {
        let (Some(id), 1) = (ids.first(), ids.len()) else {
            left.push(unknown);
            continue;
        };
        let wanted = if unknown.named == Named::Files { &mut filter.files } else { &mut filter.folders };
        wanted.get_or_insert_default().insert(id.clone());
        let entry = PortalText::new(unknown.entry.trim()).for_terminal();
        notes.push(format!("`{entry}` in `{}` is the title of one thing only, with the id {id}", unknown.key));
    }
    Ok((left, notes))
}

/// The title of the one file or folder that an event is about, where the portal's sentence ends with it: no title holds a colon.
fn titled(event: &AuditEvent) -> Option<(Named, &str)> {
    let what = match event.action.info()?.location? {
        Location::Files => Named::Files,
        Location::Folders => Named::Folders,
        _ => return None,
    };
    let (_, title) = event.text.as_ref()?.raw().rsplit_once(": ")?;
    Some((what, title))
}
