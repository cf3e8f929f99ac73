//! Uploads in chunks: sessions and their chunks.

use super::entries;
use super::files::{NO_FILE, creatable, new_folder, read};
use super::json_body::{Class, Shape};
use super::query::Binder;
use super::reply::{Answer, Failure, Output};
use super::upload::{Arrival, drawn, file_row, form, store};
use super::{Change, titles};
use crate::json::{Json, length};
use crate::scenario::Session;

/// Hours after its beginning that a session is said to live.
const SESSION_HOURS: i64 = 12;

const SESSION: Shape = Shape::Object(&Class {
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
fn open(change: &mut Change<'_>, folder: Option<i32>) -> Result<String, Failure> {
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
pub(super) fn begin(change: &mut Change<'_>, folder: Option<i32>) -> Result<Answer, Failure> {
    let id = open(change, folder)?;
    Ok(Answer::one(session_object(change, &id)?))
}

/// Adds a chunk and says whether all bytes are there.
fn add(change: &mut Change<'_>, id: &str, number: Option<i64>, bytes: Vec<u8>) -> Result<bool, Failure> {
    session(change, id)?;
    if bytes.len() as u64 > change.scenario.content.quota.chunk {
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
fn part(change: &Change<'_>, binder: &mut Binder<'_>) -> Option<Vec<u8>> {
    let form = form(change, binder)?;
    form.file("file").map(|file| file.bytes.clone())
}

/// `POST files/{id}/session/{session}/upload`: a chunk by number.
pub(super) fn chunk(change: &mut Change<'_>, id: &str) -> Result<Answer, Failure> {
    let mut binder = Binder::new(change.query);
    let number = binder.number_named("chunkNumber", "ChunkNumber").map(i64::from);
    let bytes = part(change, &mut binder);
    binder.done()?;
    let complete = add(change, id, number, bytes.ok_or_else(Failure::null_reference)?)?;
    // what fits into one chunk is stored at once
    if complete && session(change, id)?.size < change.scenario.content.quota.chunk {
        commit(change, id)?;
    }
    Ok(Answer::one(session_object(change, id)?))
}

/// `PUT files/{id}/session/{session}/finalize`
pub(super) fn finalize(change: &mut Change<'_>, id: &str) -> Result<Output, Failure> {
    let file = commit(change, id)?;
    Ok(Answer::one(finished(change, file)?).with_status(201))
}

/// `DELETE files/{id}/session/{session}`
pub(super) fn abort(change: &mut Change<'_>, id: &str) -> Result<Answer, Failure> {
    session(change, id)?;
    change.scenario.content.sessions.retain(|session| !session.id.eq_ignore_ascii_case(id));
    Ok(Answer::nothing())
}
