//! Renaming files, and taking a room away for good.
//!
//! The portal archives and deletes behind its answer, so a success says only that it has begun: whoever needs the end looks at the room.

use audit_model::RoomId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Question, parse, segment};
use crate::folders::file_value;
use crate::wire::FileDto;
use crate::{Client, EntryId, Error, ErrorKind, File};

impl Client {
    /// Gives a file another title, and gives it as the portal says it is then. The portal keeps the extension: where the title has
    /// another one, it puts the old one behind it.
    ///
    /// # Errors
    /// `NotFound`, `MissingRight`, `MissingScope`. Never repeated.
    pub async fn rename_file(&self, file: &EntryId, title: &str) -> Result<File, Error> {
        const ASKED: &str = "a file";
        let path = format!("files/file/{}", segment(file));
        let question = Question::new(ASKED, &path, "files:write or *:write");
        let body = self.change_by(Method::PUT, &question, &json!({ "title": title })).await;
        let renamed = body.and_then(|body| {
            let dto = parse::<FileDto>(&question, &body)?.response;
            file_value(dto).ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))
        });
        renamed.map_err(|error| error.trying_to("rename"))
    }

    /// Begins to archive a room, which comes before deleting it. Only its owner, its managers and DocSpace admins may.
    ///
    /// # Errors
    /// `NotFound`, `MissingRight`, `MissingScope`. Never repeated.
    pub async fn archive_room(&self, room: &RoomId) -> Result<(), Error> {
        let path = format!("files/rooms/{}/archive", segment(room));
        let question = Question::new("a room", &path, NEEDS);
        let done = self.change_by(Method::PUT, &question, &json!({ "deleteAfter": true })).await;
        done.map(drop).map_err(|error| error.trying_to("archive"))
    }

    /// Begins to delete an archived room for good, with all that is in it: nothing of it goes into a trash.
    ///
    /// # Errors
    /// `NotFound`, `MissingRight`, `MissingScope`. Never repeated.
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), Error> {
        let path = format!("files/rooms/{}", segment(room));
        let question = Question::new("a room", &path, NEEDS);
        let done = self.change_by(Method::DELETE, &question, &json!({ "deleteAfter": true })).await;
        done.map(drop).map_err(|error| error.trying_to("delete"))
    }

    async fn change_by(&self, method: Method, question: &Question<'_>, body: &Value) -> Result<Vec<u8>, Error> {
        let request = self.request(method, question)?.json(body);
        self.exchange(question, request).await
    }
}

const NEEDS: &str = "rooms:write or *:write";
