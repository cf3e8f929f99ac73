//! What a request carries: which content types are read, and empty bodies.
//!
//! JSON itself is read by `json_body`.

use axum::http::{HeaderMap, header};

use super::json_body::{self, Shape, Value};
use super::query::Binder;

/// What a JSON route says to a body that is empty or `null`.
const EMPTY: &str = "A non-empty request body is required.";
/// What stands beside the place of a problem; the portal has many texts, which no program reads.
const UNREADABLE: &str = "The JSON value could not be converted.";

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    /// As sent, with its parameters.
    pub(super) content_type: Option<&'a str>,
    pub(super) bytes: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn new(headers: &'a HeaderMap, bytes: &'a [u8]) -> Body<'a> {
        Body { content_type: headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()), bytes }
    }

    /// The media type without parameters, in lower case.
    pub(super) fn media_type(&self) -> Option<String> {
        Some(self.content_type?.split(';').next()?.trim().to_ascii_lowercase())
    }

    /// A parameter of the content type, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.content_type?.split(';').skip(1).find_map(|part| {
            let (known, value) = part.split_once('=')?;
            known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// The text of a JSON body, or `None` for a type or charset that is not read.
    fn json_bytes(&self) -> Option<Vec<u8>> {
        let media = self.media_type()?;
        let json = matches!(media.as_str(), "application/json" | "text/json")
            || (media.starts_with("application/") && media.ends_with("+json"));
        if !json {
            return None;
        }
        match self.parameter("charset").map(str::to_ascii_lowercase).as_deref() {
            None | Some("utf-8") => Some(self.bytes.to_vec()),
            Some("utf-16") => {
                let units = self.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>().into_bytes())
            }
            Some(_) => None,
        }
    }
}

impl Binder<'_> {
    /// The JSON body in this shape; [`Value::Null`] when it cannot be read.
    ///
    /// `name` is the key under which an empty body is reported: the member that holds the body, or nothing.
    pub(super) fn json(&mut self, body: Body<'_>, shape: &'static Shape, name: &str) -> Value {
        let Some(bytes) = body.json_bytes() else {
            self.refuse_media_type();
            return Value::Null;
        };
        if bytes.is_empty() {
            self.error(name, EMPTY.to_owned());
            return Value::Null;
        }
        match json_body::read(&bytes, shape) {
            Ok(Value::Null) => {
                self.error(name, EMPTY.to_owned());
                Value::Null
            }
            Ok(value) => value,
            Err(path) => {
                self.error(&path, UNREADABLE.to_owned());
                Value::Null
            }
        }
    }
}
