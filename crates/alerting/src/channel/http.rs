//! One request per alert, for every channel that speaks HTTP: connection, time limits, tries, size of answers, and errors that name
//! nothing secret. What is said, and which answer means that it was taken, is the channel's ([`HttpKind`]).

use std::borrow::Cow;
use std::time::Duration;

use outbound::{Repeat, RetryPolicy, certificate_fault, http_client, parse_retry_after, with_retries};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use url::Url;

use super::Way;
use super::offer::{Offer, Sent};
use super::settings::{Fault, WayOut};
use crate::error::{Error, in_full, is_overload};
use crate::templates::TemplateError;

/// No answer that says whether an alert was taken is longer; the rest is not read.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// What one kind of channel says over HTTP. All of it is pure.
pub trait HttpKind: Send + Sync {
    /// Where requests go. Errors show its origin only.
    ///
    /// # Errors
    /// A member that makes no address.
    fn address(&self) -> Result<Url, Fault>;

    /// The member that [`address`](Self::address) is made of.
    fn address_member(&self) -> &'static str {
        "url"
    }

    /// What is wrong with members that are no secrets.
    ///
    /// # Errors
    /// The first of them.
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// A request that changes and shows nothing, and that the receiver answers with 2xx, without `"ok": false`, only where it knows the
    /// secret; `None` where it has none such.
    fn probe(&self, _address: &Url) -> Option<Request> {
        None
    }

    /// The request; `address` is what [`address`](Self::address) has made. It keeps to the receiver's limit of size by leaving out what
    /// matters least, and says that something was left out.
    fn request(&self, address: &Url, offer: &Offer<'_>) -> Request;

    /// Why the alert cannot be said at all, where the owner says how: then nothing is sent.
    ///
    /// # Errors
    /// The template that cannot be filled in.
    fn sayable(&self, _: &Offer<'_>) -> Result<(), TemplateError> {
        Ok(())
    }

    /// What to find in [`Offer::thread`] later, where the answer does not say it.
    fn reference(&self, _: &Offer<'_>) -> Option<String> {
        None
    }

    /// What the answer means. Unless a kind says otherwise, 2xx is taken, without a reference.
    fn verdict(&self, answer: &Answer) -> AnswerMeans {
        if answer.status.is_success() { AnswerMeans::Taken(Sent::default()) } else { AnswerMeans::Refused(None) }
    }

    /// The pause that an answer asks for in its body, where the receiver says it there. `Retry-After` wins.
    fn pause(&self, _: &Answer) -> Option<Duration> {
        None
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub content_type: &'static str,
    /// Names and values; values are hidden nowhere but in errors.
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: String,
}

impl Request {
    /// A POST of JSON.
    pub fn json(url: Url, body: &impl Serialize) -> Self {
        // values that kinds make here hold only strings, numbers, lists and named members
        Request::post(url, "application/json", serde_json::to_string(body).unwrap_or_default())
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Request::post(url, "application/json", String::new()).method(Method::GET)
    }

    /// A POST.
    pub fn post(url: Url, content_type: &'static str, body: String) -> Self {
        Request { method: Method::POST, url, content_type, headers: Vec::new(), body }
    }

    /// With another method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Request { method, ..self }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a receiver answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// Its first 64 KiB.
    pub body: Vec<u8>,
}

/// What an answer means for the alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerMeans {
    Taken(Sent),
    /// Not taken; a word of the receiver's that says why, such as `invalid_auth`. Only its letters, digits, `_`, `.` and `-` are shown.
    Refused(Option<String>),
}

/// A kind, and the way to its receiver.
pub(crate) struct Http {
    kind: &'static str,
    says: std::sync::Arc<dyn HttpKind>,
    address: Url,
    client: reqwest::Client,
    retry: RetryPolicy,
}

impl Way {
    pub(crate) fn http(kind: &'static str, says: impl HttpKind + 'static, out: &WayOut<'_>) -> Result<Way, Fault> {
        says.check()?;
        let address = says.address()?;
        let client = http_client(out.http, &address).map_err(|source| Fault::new("", in_full(&source)))?;
        let says: std::sync::Arc<dyn HttpKind> = std::sync::Arc::new(says);
        Ok(Way::Http(std::sync::Arc::new(Http { kind, says, address, client, retry: RetryPolicy::default() })))
    }
}

impl Http {
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn address(&self) -> &Url {
        &self.address
    }

    pub(crate) fn with_retry(&self, retry: RetryPolicy) -> Self {
        let (says, address, client) = (self.says.clone(), self.address.clone(), self.client.clone());
        Http { kind: self.kind, says, address, client, retry }
    }

    pub(crate) async fn send(&self, offer: &Offer<'_>) -> Result<Sent, Error> {
        self.says.sayable(offer).map_err(|source| Error::Template { kind: self.kind, source })?;
        let request = self.says.request(&self.address, offer);
        let sent = with_retries(self.retry, || self.send_once(&request), repeat).await?;
        Ok(Sent { reference: sent.reference.or_else(|| self.says.reference(offer)) })
    }

    /// Whether the receiver knows the secret, without sending an alert; `None` where it does not tell.
    pub(crate) async fn probe(&self) -> Option<Result<(), Error>> {
        let request = self.says.probe(&self.address)?;
        let (answer, retry_after) = match self.ask(&request).await {
            Ok(answered) => answered,
            Err(error) => return Some(Err(error)),
        };
        let says_no = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok_and(|said| said["ok"] == false);
        if answer.status.is_success() && !says_no {
            return Some(Ok(()));
        }
        let AnswerMeans::Refused(said) = self.says.verdict(&answer) else { return Some(Ok(())) };
        Some(Err(self.refused(&request, &answer, said, retry_after)))
    }

    async fn send_once(&self, request: &Request) -> Result<Sent, Error> {
        let (answer, retry_after) = self.ask(request).await?;
        match self.says.verdict(&answer) {
            AnswerMeans::Taken(sent) => Ok(sent),
            AnswerMeans::Refused(said) => Err(self.refused(request, &answer, said, retry_after)),
        }
    }

    fn refused(
        &self,
        request: &Request,
        answer: &Answer,
        said: Option<String>,
        retry_after: Option<Duration>,
    ) -> Error {
        let (kind, origin, status) = (self.kind, origin(&self.address), answer.status);
        let retry_after = retry_after.or_else(|| self.says.pause(answer));
        Error::Refused { kind, origin, status, said: said.and_then(|said| word(&said, request)), retry_after }
    }

    /// The answer, and the pause that its head asks for.
    async fn ask(&self, request: &Request) -> Result<(Answer, Option<Duration>), Error> {
        let (kind, origin) = (self.kind, origin(&self.address));
        let mut made = self.client.request(request.method.clone(), request.url.clone());
        made = made.header(CONTENT_TYPE, request.content_type).body(request.body.clone());
        for (name, value) in &request.headers {
            made = made.header(name.as_ref(), value);
        }
        let mut response = made.send().await.map_err(|source| match certificate_fault(&source) {
            Some(fault) => Error::Certificate { kind, origin: origin.clone(), fault },
            None => Error::Unreachable { kind, origin: origin.clone(), source: source.without_url() },
        })?;
        let status = response.status();
        // only a pause in seconds is understood; a date counts as no answer, and the usual pauses apply
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|value| parse_retry_after(value, None));
        let mut body = Vec::new();
        // an answer that breaks off has said its status all the same
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(LONGEST_ANSWER_BYTES - body.len())]);
            if body.len() == LONGEST_ANSWER_BYTES {
                break;
            }
        }
        Ok((Answer { status, body }, retry_after))
    }
}

/// Scheme, host and port: what may be shown of an address.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Shorter parts of a request are no secrets.
const SHORTEST_SECRET: usize = 6;

/// Only what cannot be a sentence or an address; nothing where it repeats what may be a secret of the request.
fn word(said: &str, request: &Request) -> Option<String> {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).collect() };
    let said = plain(said);
    let values = request.headers.iter().flat_map(|(_, value)| value.split_whitespace());
    let of_address = request.url.path_segments().into_iter().flatten();
    let of_query = request.url.query().unwrap_or_default().split(['&', '=']);
    let secrets = values.chain(of_address).chain(of_query).map(plain);
    let is_repeated = secrets.into_iter().any(|secret| secret.len() >= SHORTEST_SECRET && said.contains(&secret));
    (!is_repeated).then(|| said.chars().take(40).collect())
}

/// Another try only where nothing can have been delivered, since a receiver may not know an alert that it already has.
fn repeat(error: &Error) -> Repeat {
    match error {
        Error::Unreachable { source, .. } if source.is_connect() => Repeat::Often { after: None },
        Error::Refused { status, retry_after, .. } if is_overload(*status) => Repeat::Often { after: *retry_after },
        _ => Repeat::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_repeats_a_secret_is_not_shown() {
        let url = Url::parse("https://api.example.com/bot123:S3CRET/send?key=Q-S3CRET").unwrap();
        let request = Request::get(url).header("authorization", "Bearer xoxb-S3CRET");
        for said in ["token xoxb-S3CRET is unknown", "bot123:S3CRET", "no key Q-S3CRET"] {
            assert_eq!(word(said, &request), None, "{said}");
        }
        assert_eq!(word("invalid_auth <b>", &request).as_deref(), Some("invalid_authb"));
    }
}
