//! Uploads in one request: as a file, as raw content, as text, as another version.
//!
//! Chunks are in `upload_session`. What a form is, is `multipart`'s business; how titles are rewritten, that of `titles`.

use super::entries;
use super::files::{NO_FILE, creatable, read};
use super::json_body::{Class, Shape};
use super::multipart::{self, Form};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::{Change, titles};
use crate::json::Json;
use crate::scenario::{PersonKind, Reference, StoredFile, Version};
use crate::version::Ability;

/// The longest title of texts.
const MAX_TITLE: usize = 165;

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
    let rights = entries::rights(change.scenario, &person, folder);
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

/// `POST files/{id}/insert`: the title comes from the form or the query, the content from the first file or the body.
pub(super) fn insert(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let form = form(change, &mut binder);
    let (title, flag, content) = match &form {
        Some(form) => (
            form.field("title"),
            form.field("createNewIfExist"),
            form.any_file().map(|file| file.bytes.clone()).unwrap_or_default(),
        ),
        None => {
            let all = |name: &'static str| change.query.all(name).next().map(str::to_owned);
            (all("title"), all("createNewIfExist"), change.body.bytes.to_vec())
        }
    };
    binder.done()?;
    if form.is_none() {
        multipart::within_limit(change.body)?;
    }
    let folder = creatable(&change.context(), folder)?;
    let title = title.filter(|title| !title.trim().is_empty()).ok_or_else(|| Failure::null_argument("title"))?;
    let create_new = flag.is_some_and(|flag| flag.trim().eq_ignore_ascii_case("true"));
    let id = store(change, folder, Arrival { title: &title, content, create_new, comment: None, told: true })?;
    convert(change, id)?;
    Ok(Answer::one(drawn(change, id)?))
}

const TEXT: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.CreateTextOrHtmlFile",
    members: &[("title", Shape::Text), ("content", Shape::Text), ("createNewIfExist", Shape::Bool { nullable: false })],
    required: &["title"],
});

/// `POST files/{id}/text` and `/html`: no row of the audit trail, and the flag works the wrong way round.
pub(super) fn text(change: &mut Change<'_>, folder: Option<i32>, html: bool) -> Result<Answer, Failure> {
    multipart::within_limit(change.body)?;
    let body = read(change, &TEXT, "File", |binder, body| {
        let length = body.get("title").text().map_or(1, |title| title.chars().count());
        if !(1..=MAX_TITLE).contains(&length) {
            let text = format!(
                "The field Title must be a string with a minimum length of 1 and a maximum length of {MAX_TITLE}."
            );
            binder.error("File.Title", text);
        }
    })?;
    let title = body.get("title").text().ok_or_else(|| Failure::null_argument("title"))?;
    let content = body.get("content").text().ok_or_else(|| Failure::null_argument("s"))?;
    if title.trim().is_empty() {
        return Err(Failure::argument("The value cannot be an empty string. (Parameter 'title')"));
    }
    let folder = creatable(&change.context(), folder)?;
    let wanted = if html || titles::looks_like_markup(content) { ".html" } else { ".txt" };
    let title = if titles::extension(title) == wanted { title.to_owned() } else { format!("{title}{wanted}") };
    let create_new = !body.get("createNewIfExist").bool().unwrap_or(false);
    let content = content.as_bytes().to_vec();
    let id = store(change, folder, Arrival { title: &title, content, create_new, comment: None, told: false })?;
    convert(change, id)?;
    Ok(Answer::one(drawn(change, id)?))
}

/// `PUT files/{fileId}/update`: other content for a file.
pub(super) fn update(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let form = form(change, &mut binder);
    for name in ["Encrypted", "Forcesave"] {
        let value = form.as_ref().and_then(|form| form.field(name));
        if let Some(value) = value.filter(|value| !matches!(value.trim().to_lowercase().as_str(), "true" | "false")) {
            binder.error(name, format!("The value '{value}' is not valid for {name}."));
        }
    }
    binder.done()?;
    let Some(form) = form else {
        let message = "This request does not have a Content-Type header. Forms are available from requests with \
                       bodies like POSTs and a form Content-Type of either application/x-www-form-urlencoded or \
                       multipart/form-data.";
        return Err(Failure::invalid_operation(message));
    };
    let file = form.any_file().ok_or_else(Failure::null_reference)?;
    let content = file.bytes.clone();
    let person = change.person()?;
    let context = change.context();
    let (found, rights) = super::files::readable_file(&context, id)?;
    if !rights.edit {
        return Err(Failure::invalid_operation("You don't have enough permission to edit the file"));
    }
    let (id, title, folder) = (found.id, found.title.clone(), found.folder);
    let at = change.scenario.now;
    if let Some(file) = change.scenario.file_mut(id) {
        file.versions.push(Version { at, author: person.id, content, comment: None });
    }
    file_row(change, 5002, id, &title, folder);
    Ok(Answer::one(drawn(change, id)?))
}
