//! Uploads in one request.
//!
//! Chunks are in `upload_session`. What a form is, is `multipart`'s business; how titles are rewritten, that of `titles`.

use super::entries;
use super::files::{NO_FILE, creatable};
use super::multipart::{self, Form};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rights;
use super::{Change, titles};
use crate::json::Json;
use crate::scenario::{PersonKind, Reference, StoredFile, Version};
use crate::version::Ability;

/// A file that arrives.
pub(super) struct Arrival<'a> {
    pub(super) title: &'a str,
    pub(super) content: Vec<u8>,
    /// Make `name (1).ext` instead of a new version.
    pub(super) create_new: bool,
    /// The remark on its first version.
    pub(super) comment: Option<&'static str>,
    /// Write the row of the audit trail.
    pub(super) told: bool,
}

/// Stores a file under the portal's rules for titles that are taken; gives back its id.
pub(super) fn store(change: &mut Change<'_>, folder: i32, arrival: Arrival<'_>) -> Result<i32, Failure> {
    let person = change.person()?;
    let quota = change.scenario.content.quota;
    let size = arrival.content.len() as u64;
    if size > quota.file_size {
        return Err(Failure::quota("The file size exceeds the maximum file size"));
    }
    if used_space(change) + size > quota.space {
        return Err(Failure::quota("There is not enough disk space"));
    }
    let title = titles::clean_file(arrival.title);
    if title.is_empty() {
        return Err(Failure::null_argument("title"));
    }
    let at = change.scenario.now;
    let twin = change
        .scenario
        .content
        .files
        .iter()
        .filter(|file| file.folder == folder && file.title == title)
        .min_by_key(|file| (file.versions.first().map(|version| version.at), file.id));
    let rights = rights::rights(change.scenario, &person, folder);
    let editable =
        twin.filter(|file| rights.edit && person.kind != PersonKind::Guest && !file.busy).map(|file| file.id);
    let overwritten = editable.filter(|_| !arrival.create_new);
    let (id, stored, action) = match overwritten {
        Some(id) => {
            let version = Version { at, author: person.id, content: arrival.content, comment: Some("Uploaded") };
            if let Some(file) = change.scenario.file_mut(id) {
                file.versions.push(version);
            }
            (id, title, 5099)
        }
        None => {
            let taken = |title: &str| {
                change.scenario.content.files.iter().any(|file| file.folder == folder && file.title == title)
            };
            let title = if arrival.create_new { titles::numbered(&title, taken) } else { title };
            let id = change.scenario.next_entry();
            let mut file = StoredFile::new(id, folder, &title, person.id, at, &arrival.content);
            file.versions[0].comment = arrival.comment;
            change.scenario.content.files.push(file);
            (id, title, 5011)
        }
    };
    if arrival.told {
        file_row(change, action, id, &stored, folder);
    }
    Ok(id)
}

fn used_space(change: &Change<'_>) -> u64 {
    let versions = change.scenario.content.files.iter().flat_map(|file| &file.versions);
    versions.map(|version| version.content.len() as u64).sum()
}

pub(super) fn file_row(change: &mut Change<'_>, action: i32, id: i32, title: &str, folder: i32) {
    change.entry_row(action, Reference::File(id), &[title], folder);
}

/// Makes the document server's copy next to a file that must be converted.
fn convert(change: &mut Change<'_>, id: i32) -> Result<(), Failure> {
    let Some(file) = change.scenario.file(id) else { return Ok(()) };
    let Some(title) = titles::converted(&file.title) else { return Ok(()) };
    let (folder, content) = (file.folder, file.current().content.clone());
    let copy = store(change, folder, Arrival { title: &title, content, create_new: true, comment: None, told: false })?;
    let title = change.scenario.file(copy).map(|file| file.title.clone()).unwrap_or_default();
    file_row(change, 5035, copy, &title, folder);
    Ok(())
}

pub(super) fn drawn(change: &Change<'_>, id: i32) -> Result<Json, Failure> {
    let file = change.scenario.file(id).ok_or_else(|| Failure::not_found(NO_FILE))?;
    Ok(entries::file(&change.context(), file, None))
}

/// The form of the request, or nothing; what is wrong with it is noted in the binder.
pub(super) fn form(change: &Change<'_>, binder: &mut Binder<'_>) -> Option<Form> {
    match multipart::read(change.body) {
        Ok(form) => form,
        Err((key, text)) => {
            binder.error(&key, text);
            None
        }
    }
}

/// `POST files/{id}/upload`: an array with one file; older portals answer the file itself, see [`Ability`].
pub(super) fn upload(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let mut create_new = binder.bool("createNewIfExist", false);
    binder.bool_or_empty("storeOriginalFile");
    binder.bool("keepConvertStatus", false);
    let form = form(change, &mut binder);
    binder.done()?;
    let form = form.unwrap_or_default();
    let strict = change.scenario.can(Ability::UploadAnswersList);
    if !strict && let Some(flag) = form.field("createNewIfExist") {
        create_new = flag.trim().eq_ignore_ascii_case("true");
    }
    let file = if strict { form.file("file") } else { form.any_file() };
    let file = file.ok_or_else(|| Failure::null_argument("uploadModel.File"))?;
    let folder = creatable(&change.context(), folder)?;
    let title = file.file_name.as_deref().unwrap_or_default();
    let arrival = Arrival { title, content: file.bytes.clone(), create_new, comment: None, told: true };
    let id = store(change, folder, arrival)?;
    convert(change, id)?;
    let file = drawn(change, id)?;
    Ok(Answer::one(if strict { Json::List(vec![file]) } else { file }))
}
