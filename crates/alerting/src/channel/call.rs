//! `kind = "http"`: calls that the owner writes as templates, for ticket systems and whatever else has no kind of its own.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::http::{Answer, AnswerMeans, HttpKind, Request};
use super::offer::{Offer, Sent};
use super::settings::{Fault, address_of};
use super::templated::{Part, fill_in, samples};
use crate::error::in_full;
use crate::templates::TemplateError;

/// Headers that are set already.
const OWN: [&str; 3] = ["content-length", "content-type", "host"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    /// The address that every path stands behind.
    url: SecretString,
    /// The value of the header `secret_header`.
    secret: Option<SecretString>,
    #[serde(default = "usual_header")]
    secret_header: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Where in the answer to `first` stands what the receiver calls it, as a JSON pointer; templates find it as `thread`.
    reference: Option<String>,
    first: Say,
    /// When it has grown.
    later: Option<Say>,
    over: Option<Say>,
}

fn usual_header() -> String {
    "authorization".to_owned()
}

/// One call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    #[serde(default)]
    method: Verb,
    /// In which values are escaped for addresses.
    #[serde(default)]
    path: String,
    /// In which values are JSON, strings with their quotes.
    body: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Post,
    Put,
    Patch,
}

impl HttpKind for Call {
    fn address(&self) -> Result<Url, Fault> {
        if let Some(secret) = &self.secret
            && HeaderValue::from_str(secret.expose_secret().trim()).is_err()
        {
            return Err(Fault::new("secret", "must be one line of ASCII, as a header has it"));
        }
        let url = address_of("url", &self.url)?;
        let mut paths = [Some(&self.first), self.later.as_ref(), self.over.as_ref()].into_iter().flatten();
        if (url.query().is_some() || url.fragment().is_some()) && paths.any(|say| !say.path.is_empty()) {
            let message = "must end before `?` and `#` where a `path` stands behind it: write that part into `path`";
            return Err(Fault::new("url", message));
        }
        Ok(url)
    }

    fn check(&self) -> Result<(), Fault> {
        for name in self.headers.keys().chain([&self.secret_header]) {
            if HeaderName::from_bytes(name.as_bytes()).is_err() || OWN.contains(&name.to_ascii_lowercase().as_str()) {
                let member = if *name == self.secret_header { "secret_header" } else { "headers" };
                return Err(Fault::new(member, format!("must name headers, and none of `{}`", OWN.join("`, `"))));
            }
        }
        if self.headers.values().any(|value| HeaderValue::from_str(value).is_err()) {
            return Err(Fault::new("headers", "must have values of one line of ASCII"));
        }
        if self.reference.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
            return Err(Fault::new("reference", "must be a JSON pointer such as `/key`"));
        }
        [("first", Some(&self.first)), ("later", self.later.as_ref()), ("over", self.over.as_ref())]
            .into_iter()
            .filter_map(|(name, say)| Some((name, say?)))
            .try_for_each(|(name, say)| {
                // only later calls know what the answer to the first has said, and only where that is looked for
                let thread = self.reference.as_ref().filter(|_| name != "first").map(|_| "1");
                say.check(name, thread)
            })
    }

    fn sayable(&self, offer: &Offer<'_>) -> Result<(), TemplateError> {
        self.say(offer).filled_in(offer).map(drop)
    }

    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request {
        let say = self.say(offer);
        // what cannot be filled in is not sent: see `sayable`
        let (path, body) = say.filled_in(offer).unwrap_or_default();
        let request = Request::post(below(address, &path), "application/json", body).method(say.method.into());
        let request = self.headers.iter().fold(request, |made, (name, value)| made.header(name.clone(), value));
        match &self.secret {
            Some(secret) => request.header(self.secret_header.clone(), secret.expose_secret().trim()),
            None => request,
        }
    }

    /// A page where JSON is expected is not what takes tickets.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        let Some(pointer) = self.reference.as_ref().filter(|_| answer.status.is_success()) else {
            let taken = AnswerMeans::Taken(Sent::default());
            return if answer.status.is_success() { taken } else { AnswerMeans::Refused(None) };
        };
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(said) => {
                let reference = said.pointer(pointer).and_then(|found| match found {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                });
                AnswerMeans::Taken(Sent { reference })
            }
            Err(_) if answer.body.is_empty() => AnswerMeans::Taken(Sent::default()),
            Err(_) => AnswerMeans::Refused(Some("no_json".to_owned())),
        }
    }
}

impl Call {
    /// What to say: `later` and `over` only where the receiver knows the matter, as far as that can be known.
    fn say(&self, offer: &Offer<'_>) -> &Say {
        let is_known = self.reference.is_none() || offer.thread.is_some();
        let is_new = offer.alert.state == audit_model::FindingState::New;
        let later = self.later.as_ref().unwrap_or(&self.first);
        match is_known {
            true if offer.is_over() => self.over.as_ref().unwrap_or(later),
            true if !is_new => later,
            _ => &self.first,
        }
    }
}

impl Say {
    /// Path and body.
    fn filled_in(&self, offer: &Offer<'_>) -> Result<(String, String), TemplateError> {
        Ok((fill_in(Part::Path, &self.path, offer)?, fill_in(Part::Body, &self.body, offer)?))
    }

    /// Fills the templates in with samples, of which one has everything and the other as little as an alert can have.
    fn check(&self, name: &str, thread: Option<&str>) -> Result<(), Fault> {
        if !(self.path.is_empty() || self.path.starts_with(['/', '?'])) {
            return Err(Fault::new(name, "must have a `path` that begins with `/` or `?`"));
        }
        samples(thread, |offer| {
            let (_, body) = self.filled_in(offer).map_err(|error| Fault::new(name, in_full(&error)))?;
            serde_json::from_str::<Value>(&body).map(drop).map_err(|error| {
                let message = format!(
                    "must have a `body` that becomes JSON ({error}): write `{{{{ value }}}}` without quotes around it"
                );
                Fault::new(name, message)
            })
        })
    }
}

/// The path stands behind the address, so that it leads to no other host.
fn below(address: &Url, path: &str) -> Url {
    let base = address.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}{path}")).unwrap_or_else(|_| address.clone())
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
        }
    }
}

#[cfg(test)]
mod tests;
