//! Files into folders, and their bytes back.
//!
//! No upload is repeated by itself: nobody knows what a call that broke has done, so whoever wants a file there once looks before the
//! second try. Chunks are, because a number is stored over itself.

use serde_json::json;
use uuid::Uuid;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::client::{Question, parse, segment};
use crate::folders::file_value;
use crate::rooms::title_problem;
use crate::wire::{CommittedDto, OneOrMany, RightsDto, SessionDto, UploadSettingsDto};
use crate::{Client, EntryId, Error, ErrorKind, File};

/// What the portal takes in one chunk when it does not say.
const USUAL_CHUNK_BYTES: u64 = 10 * 1024 * 1024;

/// The largest file that a portal takes unless somebody has configured it otherwise, which it does not tell.
const USUAL_FILE_BYTES: u64 = 100 * 1024 * 1024;

const NEEDS: &str = "files:write or *:write";

/// What becomes of an upload whose title is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTwin {
    /// A second file, whose title gets a number.
    KeepBoth,
    /// Another version of that file; where it is open or locked, a second file of the same title.
    NewVersion,
}

impl OnTwin {
    fn creates_new(self) -> bool {
        self == OnTwin::KeepBoth
    }
}

/// An upload in chunks that was begun. The portal forgets it twelve hours after the last chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadSession {
    pub folder: EntryId,
    pub id: String,
}

impl Client {
    /// How many bytes the portal takes at once; more go in chunks.
    pub async fn upload_chunk_bytes(&self) -> Result<u64, Error> {
        let question = Question::new("the portal's upload settings", "files/settings", "files:read or *:read");
        let dto: UploadSettingsDto = self.get(question).await?.response;
        Ok(dto.chunk_upload_size.filter(|bytes| *bytes > 0).unwrap_or(USUAL_CHUNK_BYTES))
    }

    /// How large a file the portal takes: what its plan says, and no more than it takes unless it is configured otherwise.
    pub async fn upload_file_bytes(&self) -> Result<u64, Error> {
        let of_plan = self.quota().await?.max_file_bytes;
        Ok(of_plan.map_or(USUAL_FILE_BYTES, |bytes| bytes.min(USUAL_FILE_BYTES)))
    }

    /// Whether the key's owner may put files into the folder. DocSpace admins may not where they are no members.
    ///
    /// # Errors
    /// `NotFound` for a folder that is not there.
    pub async fn may_upload_to(&self, folder: &EntryId) -> Result<bool, Error> {
        let path = format!("files/folder/{}", segment(folder));
        let question = Question::new("the rights in a folder", &path, "files:read or *:read");
        let dto: RightsDto = self.get(question).await?.response;
        Ok(dto.security.get("Create").copied().unwrap_or(false))
    }

    /// Puts a file into a folder in one request, and gives it as the portal says it is. The title must be one that the portal does not
    /// change.
    ///
    /// # Errors
    /// `NoSpace`, `MissingRight`, `MissingScope`, `NotFound`; `BadRequest` for a title that the portal would change. Never repeated.
    pub async fn upload(&self, folder: &EntryId, title: &str, content: &[u8], on_twin: OnTwin) -> Result<File, Error> {
        const ASKED: &str = "a file";
        let path = format!("files/{}/upload", segment(folder));
        let flag = on_twin.creates_new().to_string();
        let query = [("createNewIfExist", flag.as_str())];
        let question = Question::new(ASKED, &path, NEEDS).query(&query);
        let sent = async {
            kept_title(ASKED, title)?;
            let body = self.send_form(&question, title, content).await?;
            let dto = match parse::<OneOrMany>(&question, &body)?.response {
                OneOrMany::Many(mut files) if files.len() == 1 => files.remove(0),
                OneOrMany::One(file) => *file,
                OneOrMany::Many(_) => return Err(Error::new(ASKED, ErrorKind::UnexpectedForm)),
            };
            file_value(dto).ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))
        };
        sent.await.map_err(uploading)
    }

    /// Begins an upload in chunks.
    ///
    /// # Errors
    /// As for [`Client::upload`]: rights and size are looked at now. Never repeated.
    pub async fn begin_upload(
        &self,
        folder: &EntryId,
        title: &str,
        size_bytes: u64,
        on_twin: OnTwin,
    ) -> Result<UploadSession, Error> {
        const ASKED: &str = "a file";
        kept_title(ASKED, title).map_err(uploading)?;
        let path = format!("files/{}/session", segment(folder));
        let body = json!({ "fileName": title, "fileSize": size_bytes, "createNewIfExist": on_twin.creates_new() });
        let question = Question::change(ASKED, &path, NEEDS, &body);
        let dto: SessionDto = self.post(question).await.map_err(uploading)?;
        Ok(UploadSession { folder: folder.clone(), id: dto.id })
    }

    /// Sends a chunk, counted from 1. Repeated where that may help: a number is stored over itself.
    pub async fn send_chunk(&self, session: &UploadSession, number: u64, content: &[u8]) -> Result<(), Error> {
        let path = session.path("/upload");
        let number = number.to_string();
        let query = [("chunkNumber", number.as_str())];
        let question = Question::new("a part of a file", &path, NEEDS).query(&query);
        let sent = self.repeated(|| async {
            let body = self.send_form(&question, "part", content).await?;
            parse::<SessionDto>(&question, &body).map(|_| ())
        });
        sent.await.map_err(uploading)
    }

    /// Makes a file of the chunks, and gives it as the portal says it is. Never repeated: each call writes an event and tells the room.
    pub async fn end_upload(&self, session: &UploadSession) -> Result<File, Error> {
        const ASKED: &str = "a file";
        let path = session.path("/finalize");
        let question = Question::new(ASKED, &path, NEEDS);
        let ended = async {
            let body = self.exchange(&question, self.request(Method::PUT, &question)?).await?;
            let dto = parse::<CommittedDto>(&question, &body)?.response;
            file_value(dto.file).ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))
        };
        ended.await.map_err(uploading)
    }

    /// Forgets an upload that was begun. One that is not there any more is forgotten already.
    pub async fn forget_upload(&self, session: &UploadSession) -> Result<(), Error> {
        let path = session.path("");
        let question = Question::new("an upload", &path, NEEDS);
        let request = self.request(Method::DELETE, &question)?;
        match self.exchange(&question, request).await {
            // the portal trips over a session that it does not know
            Err(error) if !matches!(error.kind, ErrorKind::ServerFault { .. }) => Err(error.trying_to("forget")),
            _ => Ok(()),
        }
    }

    /// Hands on the bytes of a version of a file, part by part. Writes no event, and neither a watermark nor a conversion comes between.
    pub async fn read_file(&self, file: &EntryId, version: i64, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        const ASKED: &str = "the content of a file";
        let (id, version) = (file.to_string(), version.to_string());
        let query = [("action", "stream"), ("fileid", id.as_str()), ("version", &version)];
        let question = Question::new(ASKED, "filehandler.ashx", "files:read or *:read").query(&query);
        let request = self.request_to(Method::GET, &question, "/filehandler.ashx")?;
        self.receive(&question, request, None, |part| {
            take(part);
            true
        })
        .await
        .map(|_| ())
    }

    /// A form with one file in it, which the portal wants under the name `file`.
    async fn send_form(&self, question: &Question<'_>, title: &str, content: &[u8]) -> Result<Vec<u8>, Error> {
        let boundary = Uuid::new_v4().simple().to_string();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{title}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let mut form = Vec::with_capacity(content.len() + 300);
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = self.request(Method::POST, question)?.header(CONTENT_TYPE, kind).body(form);
        self.exchange(question, request).await
    }
}

impl UploadSession {
    fn path(&self, step: &str) -> String {
        format!("files/{}/session/{}{step}", segment(&self.folder), segment(&EntryId::Text(self.id.clone())))
    }
}

/// A title that the portal changes would not be found again, and one with a quote would end early.
fn kept_title(asked: &'static str, title: &str) -> Result<(), Error> {
    match title_problem(title) {
        None => Ok(()),
        Some(_) => Err(Error::new(asked, ErrorKind::BadRequest { parameters: vec!["title".into()] })),
    }
}

/// To an upload, 402 with an explanation says that there is no space.
fn uploading(error: Error) -> Error {
    let kind = if error.kind == ErrorKind::PlanLacks { ErrorKind::NoSpace } else { error.kind.clone() };
    Error { kind, ..error }.trying_to("upload")
}
