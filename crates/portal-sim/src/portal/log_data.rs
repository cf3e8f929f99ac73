//! One row of an activity log in words: who did it, and the members that depend on the action.
//!
//! Everything is read from the stored description, whose last text is data about the place. A row that cannot be read
//! fails with what .NET says about it, and its page with it.

use serde_json::Value;
use uuid::Uuid;

use super::Context;
use super::person_shape::{html, initiator, nobody, short};
use super::reply::Failure;
use crate::json::Json;
use crate::scenario::{Event, GUEST, Reference, Scenario, Stored};

/// Who an editor without a name is to the editor.
const NAMELESS: &str = "Anonymous";

/// A row with its description taken apart.
pub(super) struct LogRow<'a> {
    pub(super) event: &'a Event,
    /// The action after aliasing.
    pub(super) action: i32,
    /// All texts but the last.
    texts: Vec<String>,
    /// The last one: data about the place.
    pub(super) info: Value,
    /// The last one as stored.
    pub(super) info_text: String,
    target: Option<String>,
    references: Vec<Reference>,
}

/// Some actions are shown under another number.
pub(super) fn alias(action: i32) -> i32 {
    match action {
        5016 => 5015,
        5014 => 5013,
        5025 => 5024,
        5023 => 5022,
        5044 | 5099 => 5034,
        other => other,
    }
}

impl<'a> LogRow<'a> {
    pub(super) fn read(scenario: &Scenario, event: &'a Event) -> Result<LogRow<'a>, Failure> {
        let Stored { description, target, references, .. } = event.columns();
        let description = description.ok_or_else(|| missing("json"))?;
        let mut texts = list(&description)?;
        let info_text = texts.pop().unwrap_or_default();
        let mut info: Value = serde_json::from_str(&info_text).map_err(|_| no_json(&info_text))?;
        if event.stored.is_none()
            && let Some(members) = info.as_object_mut()
            && let Some(room) = event.room().and_then(|id| scenario.room(id))
        {
            members.insert("ParentType".to_owned(), folder_type(room.room_type).into());
        }
        Ok(LogRow { event, action: alias(event.action), texts, info, info_text, target, references })
    }

    fn text(&self, index: usize) -> Json {
        self.texts.get(index).map(String::as_str).into()
    }

    fn info_text(&self, name: &str) -> Json {
        self.info.get(name).and_then(Value::as_str).into()
    }

    fn info_number(&self, name: &str) -> Json {
        self.info.get(name).and_then(Value::as_i64).into()
    }

    /// Where the row's entry is; a number even when nothing is known.
    pub(super) fn parent(&self) -> i64 {
        self.info.get("ParentId").and_then(Value::as_i64).unwrap_or_default()
    }

    /// The folder something was moved or copied from, as far as the row says.
    pub(super) fn source(&self) -> Option<i64> {
        self.info.get("FromFolderId").and_then(Value::as_i64)
    }

    /// The folder something was moved or copied to.
    pub(super) fn destination(&self) -> Option<&str> {
        self.target.as_deref()?.split(',').nth(1)
    }

    /// The id the row is about.
    fn entry(&self) -> Result<i64, Failure> {
        let target = self.target.as_deref().ok_or_else(Failure::null_reference)?;
        let first = target.split(',').next().unwrap_or_default();
        first.parse().map_err(|_| {
            let message = format!("The input string '{first}' was not in a correct format.");
            Failure::exception(500, &message, "System.FormatException", -2_146_233_033)
        })
    }

    /// The id as shown: 0 once the file is deleted for good.
    fn shown(&self) -> Result<i64, Failure> {
        let id = self.entry()?;
        let gone = |reference: &Reference| matches!(reference, Reference::Gone(file) if i64::from(*file) == id);
        Ok(if self.references.iter().any(gone) { 0 } else { id })
    }

    /// Whoever did it. An editor from outside is shown under the name they typed.
    pub(super) fn initiator(&self, context: &Context<'_>) -> Json {
        let typed = self.texts.get(1).filter(|name| !name.is_empty() && self.event.actor == GUEST);
        match typed.map(String::as_str) {
            Some(NAMELESS) => nobody(NAMELESS),
            Some(name) => nobody(&html(&format!("{name} (External user)"))),
            None => initiator(context.scenario, context.base, self.event.actor),
        }
    }

    /// The members that depend on the action; [`Json::Absent`] for none, `None` for an action nobody interprets.
    pub(super) fn data(&self, context: &Context<'_>) -> Result<Option<Json>, Failure> {
        Ok(Some(match self.action {
            5000 => self.seen(0).and([("title", self.text(0))]).joined(self.place()).joined(self.id()?),
            5001 => self.link(context, 0)?.joined(self.renamed()?),
            5020 => self.renamed()?,
            5006 | 5007 | 5011 | 5120 | 5121 => self.link(context, 0)?.joined(self.titled()?),
            5034 | 5150..=5153 | 5201..=5204 | 6046 | 6047 => self.edited(context)?,
            5013 | 5015 => self.link(context, 0)?.joined(self.moved()?),
            5022 | 5024 => self.moved()?,
            5017 | 5018 | 5026 | 5027 => Json::object([("title", self.text(0))]).joined(self.id()?),
            5019 => Json::object([("title", self.text(0))])
                .joined(self.place())
                .and([("type", self.info_number("Type"))])
                .joined(self.id()?),
            5035 | 5108 => self.titled()?,
            5119 => Json::object([("version", self.number(1))]).joined(self.titled()?),
            5107 => self.indices().joined(self.titled()?),
            5111 => self.indices().joined(self.link(context, 0)?).joined(self.titled()?),
            5071 | 5155 => {
                Json::object([("oldTitle", self.info_text("RoomOldTitle")), ("newTitle", self.info_text("RoomTitle"))])
                    .joined(self.id()?)
            }
            5070 | 5072 | 5073 | 5100 | 5106 | 5109 | 5110 | 5112..=5115 | 5117 | 5154 => {
                Json::object([("title", self.info_text("RoomTitle"))]).joined(self.id()?)
            }
            5116 => {
                Json::object([("lifeTime", self.lifetime()), ("title", self.info_text("RoomTitle"))]).joined(self.id()?)
            }
            5078 | 5079 => Json::object([("tags", self.texts.clone().into())]),
            5080 | 5081 | 5102 | 5103 => Json::Absent,
            5085 => Json::object([("user", self.user(context, 0)?), ("access", self.text(1))]),
            5075 => Json::object([
                ("user", self.user(context, 0)?),
                ("access", self.text(1)),
                ("oldAccess", if self.known(context, 0) { self.info_text("OldAccess") } else { Json::Absent }),
            ]),
            5084 | 5118 => Json::object([("user", self.user(context, 0)?)]),
            5159 => Json::object([("owner", self.user(context, 0)?), ("oldOwner", self.user(context, 1)?)]),
            5094..=5096 => Json::object([
                ("group", self.group()),
                ("access", self.text(1)),
                ("oldAccess", self.info_text("OldAccess")),
            ]),
            5088 => Json::object([("title", self.text(0)), ("id", self.info_text("LinkId")), ("access", self.text(1))]),
            5097 | 5098 => {
                Json::object([("title", self.text(0)), ("id", self.info_text("LinkId")), ("oldTitle", self.text(1))])
            }
            5090 => Json::object([("title", self.text(0))]),
            _ => return Ok(None),
        }))
    }

    fn id(&self) -> Result<Json, Failure> {
        Ok(Json::object([("id", self.shown()?.into())]))
    }

    /// The entry's parent.
    fn place(&self) -> Json {
        Json::object([
            ("parentTitle", self.info_text("ParentTitle")),
            ("parentId", self.parent().into()),
            ("parentType", self.info_number("ParentType")),
        ])
    }

    fn titled(&self) -> Result<Json, Failure> {
        Ok(Json::object([("title", self.text(0))]).joined(self.place()).joined(self.id()?))
    }

    /// Old and new title; here the parent's id stands before its title.
    fn renamed(&self) -> Result<Json, Failure> {
        // renamed through the room's own route a folder has no old title, and the place is taken for it
        let old = self.texts.get(1).map_or_else(|| self.info_text.as_str().into(), |old| old.as_str().into());
        Ok(Json::object([
            ("oldTitle", old),
            ("newTitle", self.text(0)),
            ("parentId", self.parent().into()),
            ("parentTitle", self.info_text("ParentTitle")),
            ("parentType", self.info_number("ParentType")),
        ])
        .joined(self.id()?))
    }

    fn moved(&self) -> Result<Json, Failure> {
        let to = self.destination().ok_or_else(|| {
            let message = "Index was outside the bounds of the array.";
            Failure::exception(500, message, "System.IndexOutOfRangeException", -2_146_233_080)
        })?;
        Ok(Json::object([
            ("title", self.text(0)),
            ("toFolderId", to.into()),
            ("parentTitle", self.info_text("ParentTitle")),
            ("parentType", self.info_number("ParentType")),
            ("fromParentTitle", self.info_text("FromParentTitle")),
            ("fromParentType", self.info_number("FromParentType")),
            ("fromFolderId", self.source().into()),
        ])
        .joined(self.id()?))
    }

    /// Saved, filled or opened: with the name of whoever the editor says it was, if it says so.
    fn edited(&self, context: &Context<'_>) -> Result<Json, Failure> {
        Ok(Json::object([("userName", self.text(1))])
            .joined(self.link(context, 0)?)
            .and([("initiatorName", self.text(1))])
            .joined(self.titled()?))
    }

    /// What a viewer can do with the file, and where its bytes are.
    fn link(&self, context: &Context<'_>, title: usize) -> Result<Json, Failure> {
        let url = format!("{}/filehandler.ashx?action=download&fileid={}", context.base, self.entry()?);
        Ok(self.seen(title).and([("viewUrl", url.into())]))
    }

    fn seen(&self, title: usize) -> Json {
        let title = self.texts.get(title).map_or("", String::as_str);
        Json::object([("accessibility", accessibility(title))])
    }

    fn number(&self, index: usize) -> Json {
        self.texts.get(index).and_then(|text| text.parse::<i64>().ok()).into()
    }

    fn indices(&self) -> Json {
        Json::object([("oldIndex", self.number(1)), ("newIndex", self.number(2))])
    }

    fn lifetime(&self) -> Json {
        let life = self.info.get("LifeTime").unwrap_or(&Value::Null);
        let number = |name: &str| Json::from(life.get(name).and_then(Value::as_i64));
        Json::object([
            ("deletePermanently", life.get("DeletePermanently").and_then(Value::as_bool).into()),
            ("period", number("Period")),
            ("value", number("Value")),
        ])
    }

    fn group(&self) -> Json {
        Json::object([
            ("id", self.info_text("GroupId")),
            ("name", self.text(0)),
            ("isSystem", self.info.get("IsSystem").and_then(Value::as_bool).unwrap_or_default().into()),
        ])
    }

    fn user_id(&self, index: usize) -> Result<Uuid, Failure> {
        let ids = self.info.get("UserIds").and_then(Value::as_array).ok_or_else(|| missing("source"))?;
        Ok(ids.get(index).and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or_default())
    }

    fn known(&self, context: &Context<'_>, index: usize) -> bool {
        self.user_id(index).is_ok_and(|id| context.scenario.person(id).is_some())
    }

    /// The person concerned; of somebody who is gone only the name that was stored is left.
    fn user(&self, context: &Context<'_>, index: usize) -> Result<Json, Failure> {
        let id = self.user_id(index)?;
        Ok(match context.scenario.person(id) {
            Some(person) => short(context.base, person),
            None => nobody(&html(self.texts.get(index).map_or("", String::as_str))),
        })
    }
}

/// A description as a list of texts.
fn list(description: &str) -> Result<Vec<String>, Failure> {
    let value: Value = serde_json::from_str(description).map_err(|_| no_json(description))?;
    serde_json::from_value(value).map_err(|_| {
        json_failure(&format!(
            "The JSON value could not be converted to System.Collections.Generic.List`1[System.String]. \
             Path: $ | LineNumber: 0 | BytePositionInLine: {}.",
            description.len()
        ))
    })
}

/// What .NET says about a text that is no JSON at all.
fn no_json(text: &str) -> Failure {
    match text.chars().next() {
        Some(first) => json_failure(&format!(
            "'{first}' is an invalid start of a value. Path: $ | LineNumber: 0 | BytePositionInLine: 0."
        )),
        None => json_failure(
            "The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when \
             isFinalBlock is true. Path: $ | LineNumber: 0 | BytePositionInLine: 0.",
        ),
    }
}

fn json_failure(message: &str) -> Failure {
    Failure::exception(500, message, "System.Text.Json.JsonException", -2_146_233_088)
}

fn missing(parameter: &str) -> Failure {
    let message = format!("Value cannot be null. (Parameter '{parameter}')");
    Failure::exception(400, &message, "System.ArgumentNullException", -2_147_467_261)
}

/// The folder type of a room of this type.
fn folder_type(room_type: i32) -> i32 {
    match room_type {
        1 => 15,
        2 => 16,
        6 => 22,
        8 => 29,
        _ => 19,
    }
}

/// What the editor can do with a file of this extension: texts, sheets and forms; nothing for the others.
fn accessibility(title: &str) -> Json {
    let extension = title.rsplit_once('.').map_or("", |(_, extension)| extension);
    let (text, sheet, form) = (extension == "docx", extension == "xlsx", extension == "pdf");
    let document = text || sheet || form;
    Json::object([
        ("ImageView", false.into()),
        ("MediaView", false.into()),
        ("WebView", document.into()),
        ("WebEdit", document.into()),
        ("WebReview", text.into()),
        ("WebCustomFilterEditing", sheet.into()),
        ("WebRestrictedEditing", form.into()),
        ("WebComment", (text || sheet).into()),
        ("CanConvert", false.into()),
        ("MustConvert", false.into()),
    ])
}
