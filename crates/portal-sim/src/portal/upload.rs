//! Uploads: in one request, as text, and in chunks.
//!
//! What a form is, is `multipart`'s business; how titles are rewritten, that of `titles`.

use super::entries;
use super::files::{NO_FILE, creatable, new_folder, read};
use super::json_body::{Class, Shape};
use super::multipart::{self, Form};
use super::query::Binder;
use super::reply::{Answer, Failure, Output, Reply};
use super::{Change, titles};
use crate::json::{Json, length};
use crate::scenario::{PersonKind, Reference, Session, StoredFile, Version};

/// The largest chunk of a session, in bytes; `files/settings` says the same.
const CHUNK: usize = 10_485_760;
/// Hours after its beginning that a session is said to live.
const SESSION_HOURS: i64 = 12;
/// The longest title of texts.
const MAX_TITLE: usize = 165;

/// A file that arrives.
struct Arrival<'a> {
    title: &'a str,
    content: Vec<u8>,
    /// Make `name (1).ext` instead of a new version.
    create_new: bool,
    /// The remark on its first version.
    comment: Option<&'static str>,
    /// Write the row of the audit trail.
    told: bool,
}

/// Stores a file under the portal's rules for titles that are taken; gives back its id.
fn store(change: &mut Change<'_>, folder: i32, arrival: Arrival<'_>) -> Result<i32, Failure> {
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

fn file_row(change: &mut Change<'_>, action: i32, id: i32, title: &str, folder: i32) {
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

fn drawn(change: &Change<'_>, id: i32) -> Result<Json, Failure> {
    let file = change.scenario.file(id).ok_or_else(|| Failure::not_found(NO_FILE))?;
    Ok(entries::file(&change.context(), file, None))
}

/// The form of the request, or nothing; what is wrong with it is noted in the binder.
fn form(change: &Change<'_>, binder: &mut Binder<'_>) -> Option<Form> {
    match multipart::read(change.body) {
        Ok(form) => form,
        Err((key, text)) => {
            binder.error(&key, text);
            None
        }
    }
}

/// `POST files/{id}/upload`: an array with one file.
pub(super) fn upload(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let create_new = binder.bool("createNewIfExist", false);
    binder.bool_or_empty("storeOriginalFile");
    binder.bool("keepConvertStatus", false);
    let form = form(change, &mut binder);
    binder.done()?;
    let form = form.unwrap_or_default();
    let file = form.file("file").ok_or_else(|| Failure::null_argument("uploadModel.File"))?;
    let folder = creatable(&change.context(), folder)?;
    let title = file.file_name.as_deref().unwrap_or_default();
    let arrival = Arrival { title, content: file.bytes.clone(), create_new, comment: None, told: true };
    let id = store(change, folder, arrival)?;
    convert(change, id)?;
    Ok(Answer { response: Json::List(vec![drawn(change, id)?]), count: 1, total: None })
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

const SESSION: Shape = Shape::Object(&Class {
    name: "ASC.Files.ApiModels.RequestDto.SessionRequest",
    members: &[
        ("fileName", Shape::Text),
        ("fileSize", Shape::Int { bits: 64, nullable: false }),
        ("relativePath", Shape::Text),
        ("createOn", Shape::Date),
        ("encrypted", Shape::Bool { nullable: false }),
        ("createNewIfExist", Shape::Bool { nullable: false }),
    ],
    required: &["fileName"],
});

/// Begins a session and gives back its id.
fn begin(change: &mut Change<'_>, folder: Option<i32>) -> Result<String, Failure> {
    let body = read(change, &SESSION, "Session", |_, _| {})?;
    let person = change.person()?;
    let mut folder = creatable(&change.context(), folder)?;
    let size = u64::try_from(body.get("fileSize").int().unwrap_or(0)).unwrap_or(0);
    if size > change.scenario.content.quota.file_size {
        return Err(Failure::quota("The file size exceeds the maximum file size"));
    }
    let path = body.get("relativePath").text().unwrap_or_default().to_owned();
    for title in path.split('/').map(titles::clean).filter(|title| !title.is_empty()) {
        let known = change.scenario.content.folders.iter().find(|inner| inner.parent == folder && inner.title == title);
        folder = match known.map(|known| known.id) {
            Some(id) => id,
            None => new_folder(change, folder, &title, person.id),
        };
    }
    let session = Session {
        id: change.scenario.next_id(23).simple().to_string(),
        folder,
        owner: person.id,
        title: body.get("fileName").text().unwrap_or_default().to_owned(),
        size,
        create_new: body.get("createNewIfExist").bool().unwrap_or(false),
        created: change.scenario.now,
        chunks: std::collections::BTreeMap::new(),
        file: None,
    };
    let id = session.id.clone();
    change.scenario.content.sessions.push(session);
    Ok(id)
}

/// A session as an object; its dates are plain UTC.
fn session_object(change: &Change<'_>, id: &str) -> Result<Json, Failure> {
    let session = session(change, id)?;
    let plain = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string();
    let path = entries::path_ids(change.scenario, session.folder);
    Ok(Json::object([
        ("id", session.id.as_str().into()),
        ("path", path.into()),
        ("created", plain(session.created).into()),
        ("expired", plain(session.created + chrono::Duration::hours(SESSION_HOURS)).into()),
        ("location", format!("{}/ChunkedUploader.ashx?uid={}", change.base, session.id).into()),
        ("bytes_total", i64::try_from(session.size).unwrap_or(i64::MAX).into()),
    ]))
}

/// An unknown session is one of the portal's null references.
fn session<'a>(change: &'a Change<'_>, id: &str) -> Result<&'a Session, Failure> {
    let found = change.scenario.content.sessions.iter().find(|session| session.id.eq_ignore_ascii_case(id));
    let alive = found.filter(|session| session.created + chrono::Duration::hours(SESSION_HOURS) > change.scenario.now);
    alive.ok_or_else(Failure::null_reference)
}

/// `POST files/{id}/session`
pub(super) fn session_begin(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let id = begin(change, folder)?;
    Ok(Answer::one(session_object(change, &id)?))
}

/// `POST files/{id}/upload/create_session`: the same in a wrapper.
pub(super) fn session_begin_wrapped(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let id = begin(change, folder)?;
    Ok(Answer::one(Json::object([("success", true.into()), ("data", session_object(change, &id)?)])))
}

/// Adds a chunk and says whether all bytes are there.
fn add(change: &mut Change<'_>, id: &str, number: Option<i64>, bytes: Vec<u8>) -> Result<bool, Failure> {
    session(change, id)?;
    if bytes.len() > CHUNK {
        return Err(Failure::quota("The chunk is too large"));
    }
    let found = change.scenario.content.sessions.iter_mut().find(|session| session.id.eq_ignore_ascii_case(id));
    let session = found.ok_or_else(Failure::null_reference)?;
    let number = number.unwrap_or_else(|| session.chunks.keys().last().map_or(1, |last| last + 1));
    session.chunks.insert(number, bytes);
    let there: usize = session.chunks.values().map(Vec::len).sum();
    Ok(there as u64 >= session.size)
}

/// Turns the chunks into a file, once; gives back its id.
fn commit(change: &mut Change<'_>, id: &str) -> Result<i32, Failure> {
    let session = session(change, id)?.clone();
    if let Some(file) = session.file {
        return Ok(file);
    }
    let content: Vec<u8> = session.chunks.into_values().flatten().collect();
    if content.len() as u64 != session.size {
        return Err(Failure::argument("The sizes do not add up"));
    }
    let arrival = Arrival {
        title: &session.title,
        content,
        create_new: session.create_new,
        comment: Some("Uploaded"),
        told: false,
    };
    let file = store(change, session.folder, arrival)?;
    let known = change.scenario.content.sessions.iter_mut().find(|known| known.id == session.id);
    if let Some(known) = known {
        known.file = Some(file);
    }
    Ok(file)
}

/// The answer to the last chunk, with its row in the audit trail: one for each time it is asked for.
fn finished(change: &mut Change<'_>, file: i32) -> Result<Json, Failure> {
    let found = change.scenario.file(file).ok_or_else(|| Failure::not_found(NO_FILE))?;
    let (title, folder, version) = (found.title.clone(), found.folder, found.versions.len());
    file_row(change, if version > 1 { 5099 } else { 5011 }, file, &title, folder);
    Ok(Json::object([
        ("id", file.into()),
        ("folderId", folder.into()),
        ("version", length(version).into()),
        ("title", title.into()),
        ("uploaded", true.into()),
        ("file", drawn(change, file)?),
    ]))
}

/// The part `file` of a chunk; without one the portal trips.
fn chunk(change: &Change<'_>, binder: &mut Binder<'_>) -> Option<Vec<u8>> {
    let form = form(change, binder)?;
    form.file("file").map(|file| file.bytes.clone())
}

/// `POST files/{id}/session/{session}/upload`: a chunk by number.
pub(super) fn session_chunk(change: &mut Change<'_>, id: &str) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let number = binder.number_named("chunkNumber", "ChunkNumber").map(i64::from);
    let bytes = chunk(change, &mut binder);
    binder.done()?;
    let complete = add(change, id, number, bytes.ok_or_else(Failure::null_reference)?)?;
    // what fits into one chunk is stored at once
    if complete && session(change, id)?.size < CHUNK as u64 {
        commit(change, id)?;
    }
    Ok(Answer::one(session_object(change, id)?))
}

/// `POST files/{id}/session/{session}`: the next chunk; the last one answers 201.
pub(super) fn session_next(change: &mut Change<'_>, id: &str) -> Result<Output, Failure> {
    let mut binder = Binder::new(change.query);
    let bytes = chunk(change, &mut binder);
    binder.done()?;
    if add(change, id, None, bytes.ok_or_else(Failure::null_reference)?)? {
        let file = commit(change, id)?;
        return Ok(Answer::one(finished(change, file)?).with_status(201));
    }
    let session = session(change, id)?;
    let going = Json::object([
        ("id", 0.into()),
        ("folderId", session.folder.into()),
        ("version", 0.into()),
        ("title", session.title.as_str().into()),
        ("uploaded", false.into()),
    ]);
    Ok(Answer::one(going).into())
}

/// `PUT files/{id}/session/{session}/finalize`
pub(super) fn session_finalize(change: &mut Change<'_>, id: &str) -> Result<Output, Failure> {
    let file = commit(change, id)?;
    Ok(Answer::one(finished(change, file)?).with_status(201))
}

/// `DELETE files/{id}/session/{session}`
pub(super) fn session_abort(change: &mut Change<'_>, id: &str) -> Result<Answer, Failure> {
    session(change, id)?;
    change.scenario.content.sessions.retain(|session| !session.id.eq_ignore_ascii_case(id));
    Ok(Answer::nothing())
}

/// `/ChunkedUploader.ashx`: outside the API; whatever goes wrong is a 200 that says so inside.
pub(super) fn chunked(change: &mut Change<'_>) -> Result<Output, Failure> {
    let (status, body) = match chunked_step(change) {
        Ok((status, data)) => {
            (status, Json::object([("success", true.into()), ("data", data), ("message", "".into())]))
        }
        Err(message) => (200, Json::object([("success", false.into()), ("message", message.into())])),
    };
    Ok(Output::Reply(Reply::new(status, Some("application/json"), body.render())))
}

fn chunked_step(change: &mut Change<'_>) -> Result<(u16, Json), String> {
    let said = |failure: Failure| match failure {
        Failure::Exception { message, .. } => message,
        Failure::Refused { message, .. } => message.to_owned(),
        Failure::Validation(errors) => errors.into_iter().map(|(_, text)| text).collect(),
        Failure::Empty(_) | Failure::Problem(_) | Failure::Blocked { .. } | Failure::MediaType => {
            "Access denied".to_owned()
        }
    };
    let asked = |name: &str| change.query.all(name).next().map(str::to_owned);
    let flag = |name: &str| asked(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let uid = asked("uid").unwrap_or_default();
    let number = asked("chunkNumber").and_then(|number| number.parse().ok());
    let (parallel, finalize, abort) = (flag("upload"), flag("finalize"), flag("abort"));
    let person = change.person().map_err(|_| "not authorized".to_owned())?;
    if session(change, &uid).map_err(said)?.owner != person.id {
        return Err("Access denied".to_owned());
    }
    if abort {
        session_abort(change, &uid).map_err(said)?;
        return Ok((200, Json::Absent));
    }
    if !finalize {
        let mut binder = Binder::new(change.query);
        let bytes = chunk(change, &mut binder);
        binder.done().map_err(said)?;
        let complete = add(change, &uid, number.filter(|_| parallel), bytes.ok_or("no file")?).map_err(said)?;
        if parallel || !complete {
            return Ok((200, session_object(change, &uid).map_err(said)?));
        }
    }
    let file = commit(change, &uid).map_err(said)?;
    Ok((201, finished(change, file).map_err(said)?))
}
