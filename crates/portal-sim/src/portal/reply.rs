//! Answers: the success envelope, the error envelopes, bare problems, empty bodies, the proxy's page.
//!
//! Which of them a situation deserves is decided by the routes; how they leave, by `wire`.

use super::manner::Manner;
use crate::fault::FaultBody;
use crate::json::{Json, length};
use crate::limiter::Refusal;

pub(super) const JSON: &str = "application/json; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
/// What a caller from a refused address reads.
const BLOCKED: &str = "The access to the portal is restricted";
const PROBLEM: &str = "application/problem+json; charset=utf-8";

/// Who made an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The portal's server.
    Portal,
    /// The proxy before it; such answers have none of the server's headers.
    Proxy,
}

/// An answer before it goes on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(super) content_type: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(super) maker: Maker,
    pub(super) manner: Manner,
    /// Says which versions of the API there are.
    pub(super) names_versions: bool,
}

/// What an action gives back.
pub(crate) struct Answer {
    pub(crate) response: Json,
    pub(crate) count: i64,
    pub(crate) total: Option<i64>,
}

impl Answer {
    /// A list without a total.
    pub(crate) fn list(rows: Vec<Json>) -> Answer {
        Answer { count: length(rows.len()), response: Json::List(rows), total: None }
    }

    /// One object.
    pub(crate) fn one(response: Json) -> Answer {
        Answer { response, count: 1, total: None }
    }

    /// An action that gives back nothing: no `response`, `count` 0.
    pub(crate) fn nothing() -> Answer {
        Answer { response: Json::Absent, count: 0, total: None }
    }

    /// With a status other than 200.
    pub(crate) fn with_status(self, status: u16) -> Output {
        Output::Answer { answer: self, status, headers: Vec::new() }
    }

    /// With another header; the name is in lower case.
    pub(crate) fn with_header(self, name: &'static str, value: &str) -> Output {
        Output::Answer { answer: self, status: 200, headers: vec![(name, value.to_owned())] }
    }
}

/// What an action gives back, in every form there is.
pub(crate) enum Output {
    /// The success envelope.
    Answer { answer: Answer, status: u16, headers: Vec<(&'static str, String)> },
    /// Something outside the envelope.
    Reply(Reply),
}

impl Output {
    /// With another header; the name is in lower case.
    pub(crate) fn and_header(mut self, name: &'static str, value: &str) -> Output {
        match &mut self {
            Output::Answer { headers, .. } => headers.push((name, value.to_owned())),
            Output::Reply(reply) => reply.headers.push((name, value.to_owned())),
        }
        self
    }
}

impl From<Answer> for Output {
    fn from(answer: Answer) -> Output {
        answer.with_status(200)
    }
}

impl From<Reply> for Output {
    fn from(reply: Reply) -> Output {
        Output::Reply(reply)
    }
}

/// An exception of an action, or of the layers before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// An empty body: 401, scope 403, 404, 405.
    Empty(u16),
    /// Bare problem details.
    Problem(u16),
    /// The caller's address is refused: a plain text, or the same as a JSON string.
    Blocked { json: bool },
    /// The body is of a type that the route does not read: 415 inside a success envelope that says 200.
    MediaType,
    /// Wrong parameters: 400 inside the success envelope.
    Validation(Vec<(String, String)>),
    /// `{"error": …}` with a stack.
    Exception { status: u16, message: String, class: &'static str, hresult: i64 },
    /// `{"error": …}` without one.
    Refused { status: u16, message: &'static str },
}

impl Failure {
    /// The caller lacks the right; `class` differs by route.
    pub(crate) fn access_denied(class: &'static str, hresult: i64) -> Failure {
        Failure::Exception { status: 403, message: "Access denied".to_owned(), class, hresult }
    }

    /// The 403 of files and people.
    pub(crate) fn security() -> Failure {
        Failure::access_denied("System.Security.SecurityException", -2_146_233_078)
    }

    pub(crate) fn not_found(message: &str) -> Failure {
        Failure::exception(404, message, "ASC.Common.Web.ItemNotFoundException", -2_146_233_088)
    }

    /// The 403 of entries, with a text of its own.
    pub(crate) fn invalid_operation(message: &str) -> Failure {
        Failure::exception(403, message, "System.InvalidOperationException", -2_146_233_079)
    }

    /// A 400 of the action itself.
    pub(crate) fn argument(message: &str) -> Failure {
        Failure::exception(400, message, "System.ArgumentException", -2_147_024_809)
    }

    /// A 400 about something that must not be missing.
    pub(crate) fn null_argument(name: &str) -> Failure {
        let message = format!("Value cannot be null. (Parameter '{name}')");
        Failure::exception(400, &message, "System.ArgumentNullException", -2_147_467_261)
    }

    pub(crate) fn out_of_range(text: &str) -> Failure {
        let message = format!("Specified argument was out of the range of valid values. {text}");
        Failure::exception(400, &message, "System.ArgumentOutOfRangeException", -2_146_233_086)
    }

    /// The 402 of a portal that is full.
    pub(crate) fn quota(message: &str) -> Failure {
        Failure::exception(402, message, "ASC.Core.Tenants.TenantQuotaException", -2_146_233_088)
    }

    pub(crate) fn null_reference() -> Failure {
        let message = "Object reference not set to an instance of an object.";
        Failure::exception(500, message, "System.NullReferenceException", -2_147_467_261)
    }

    pub(crate) fn exception(status: u16, message: &str, class: &'static str, hresult: i64) -> Failure {
        Failure::Exception { status, message: message.to_owned(), class, hresult }
    }
}

/// What an answer says about the request it answers.
pub(crate) struct Echo<'a> {
    /// The URL as the server sees it.
    pub(crate) href: String,
    pub(crate) method: &'a str,
    /// Member names that the answer is to be trimmed to.
    pub(crate) fields: Option<Vec<&'a str>>,
    /// Whether the route trims what it answers; refused parameters are trimmed everywhere.
    pub(crate) trims: bool,
    /// For `traceId`.
    pub(crate) serial: u64,
}

/// Members whose content is no object of the portal's own: a path below them keeps them whole.
const WHOLE: &[&str] = &["errors", "extensions"];

/// Only the named members; a name with a dot reaches into objects and lists of objects.
pub(super) fn trimmed(value: Json, fields: &[&str]) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| {
                    let below: Vec<&str> = fields
                        .iter()
                        .filter_map(|field| field.strip_prefix(name.as_str())?.strip_prefix('.'))
                        .collect();
                    if fields.contains(&name.as_str()) || (WHOLE.contains(&name.as_str()) && !below.is_empty()) {
                        return Some((name, value));
                    }
                    (!below.is_empty()).then(|| (name, trimmed(value, &below)))
                })
                .collect(),
        ),
        Json::List(items) => Json::List(items.into_iter().map(|item| trimmed(item, fields)).collect()),
        plain => plain,
    }
}

impl Echo<'_> {
    fn envelope(&self, response: Json, count: i64, total: Option<i64>, status: i64, code: u16) -> String {
        let link = Json::object([("href", self.href.as_str().into()), ("action", self.method.into())]);
        let response = if self.trims || code >= 400 { self.trim(response) } else { response };
        Json::object([
            ("response", response),
            ("count", count.into()),
            ("total", total.into()),
            ("links", Json::List(vec![link])),
            ("status", status.into()),
            ("statusCode", i64::from(code).into()),
        ])
        .render()
    }

    /// Leaves only the named members of an object, or of each object of a list.
    fn trim(&self, response: Json) -> Json {
        match &self.fields {
            Some(fields) => trimmed(response, fields),
            None => response,
        }
    }

    fn trace_id(&self) -> Json {
        let serial = self.serial;
        format!("00-{:032x}-{serial:016x}-00", u128::from(serial) + (1 << 96)).into()
    }

    /// What an action gave back, on its way out.
    pub(crate) fn output(&self, output: Output) -> Reply {
        match output {
            Output::Reply(reply) => reply,
            Output::Answer { answer: Answer { response, count, total }, status, headers } => {
                let mut reply = Reply::new(status, Some(JSON), self.envelope(response, count, total, 0, status));
                reply.headers = headers;
                reply
            }
        }
    }

    /// The body that this failure has on the portal.
    pub(crate) fn failure(&self, failure: Failure) -> Reply {
        match failure {
            Failure::Empty(status) => Reply::new(status, None, String::new()),
            Failure::Problem(status) => Reply::new(status, Some(PROBLEM), self.problem(status).render()),
            Failure::Blocked { json: false } => Reply::new(403, Some(PLAIN), BLOCKED),
            Failure::Blocked { json: true } => Reply::new(403, Some(JSON), Json::from(BLOCKED).render()),
            Failure::MediaType => {
                let response = self.trim(Json::object([
                    ("type", "https://tools.ietf.org/html/rfc9110#section-15.5.16".into()),
                    ("title", "Unsupported Media Type".into()),
                    ("status", 415.into()),
                    ("traceId", self.trace_id()),
                ]));
                Reply::new(415, Some(PROBLEM), self.envelope(response, 1, None, 0, 200))
            }
            Failure::Validation(errors) => {
                let mut members: Vec<(String, Json)> = Vec::new();
                for (name, text) in errors {
                    match members.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, Json::List(texts))) => texts.push(text.into()),
                        _ => members.push((name, vec![text].into())),
                    }
                }
                let response = self.validation(Json::Object(members));
                Reply::new(400, Some(PROBLEM), self.envelope(response, 1, None, 1, 400))
            }
            Failure::Exception { status, message, class, hresult } => {
                error(status, &message, class.into(), "   at Portal.Simulated()".into(), hresult)
            }
            Failure::Refused { status, message } => error(status, message, Json::Null, Json::Null, 0),
        }
    }

    /// The details of a 400. Asked for with `fields` the members stand in another order and the trace id is hidden.
    fn validation(&self, errors: Json) -> Json {
        let kind = [
            ("type", "https://tools.ietf.org/html/rfc9110#section-15.5.1".into()),
            ("title", "One or more validation errors occurred.".into()),
            ("status", 400.into()),
        ];
        let trace = [("traceId", self.trace_id())];
        if self.fields.is_some() {
            return Json::object([("errors", errors)]).and(kind).and([("extensions", Json::object(trace))]);
        }
        Json::object(kind).and([("errors", errors)]).and(trace)
    }

    fn problem(&self, status: u16) -> Json {
        let known = match status {
            403 => Some(("https://tools.ietf.org/html/rfc9110#section-15.5.4", "Forbidden")),
            404 => Some(("https://tools.ietf.org/html/rfc9110#section-15.5.5", "Not Found")),
            // the framework has no entry for 402
            _ => None,
        };
        Json::object([
            ("type", known.map(|(address, _)| address).into()),
            ("title", known.map(|(_, title)| title).into()),
            ("status", i64::from(status).into()),
            ("traceId", self.trace_id()),
        ])
    }

    /// The answer to a request that a fault hits with this status.
    pub(crate) fn fault(&self, status: u16, body: Option<FaultBody>) -> Reply {
        let usual = match status {
            401 | 404 | 405 | 429 => FaultBody::Empty,
            402 => FaultBody::Problem,
            502..=504 => FaultBody::Html,
            _ => FaultBody::Error,
        };
        match body.unwrap_or(usual) {
            FaultBody::Empty => self.failure(Failure::Empty(status)),
            FaultBody::Problem => self.failure(Failure::Problem(status)),
            FaultBody::Text => Reply::new(status, Some(PLAIN), BLOCKED),
            FaultBody::JsonText => Reply::new(status, Some(JSON), Json::from(BLOCKED).render()),
            FaultBody::Html => Reply::new(status, Some("text/html"), PROXY_PAGE.to_owned()).by_proxy(),
            FaultBody::Error if status == 403 => self.failure(Failure::security()),
            FaultBody::Error => {
                let message = "Object reference not set to an instance of an object.";
                self.failure(Failure::exception(status, message, "System.NullReferenceException", -2_147_467_261))
            }
            FaultBody::Database => {
                let message = "An exception has been raised that is likely due to a transient failure.";
                self.failure(Failure::exception(status, message, "System.InvalidOperationException", -2_146_233_079))
            }
        }
    }
}

/// A limiter's 429; only the day's limit says how long to wait, unless a fault orders otherwise.
pub(crate) fn too_many(refusal: Refusal, now: chrono::DateTime<chrono::Utc>) -> Reply {
    let reply = Reply::new(429, None, String::new())
        .header("x-ratelimit-limit", &refusal.limit.to_string())
        .header("x-ratelimit-remaining", "0");
    match refusal.retry_after {
        None => reply,
        Some(seconds) => reply
            .header("x-ratelimit-reset", &(now.timestamp() + seconds).to_string())
            .header("retry-after", &seconds.to_string()),
    }
}

/// The page of the proxy; it says 500 whatever the status is.
const PROXY_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>500 Error Page</title></head>\
                          <body><h1>500 Error!</h1></body></html>\n";

/// The proxy's answer to a path that it has no service for.
pub(super) fn no_location() -> Reply {
    let page = PROXY_PAGE.replace("500 Error", "404 Error");
    Reply::new(404, Some("text/html"), page).by_proxy()
}

pub(super) fn error(status: u16, message: &str, class: Json, stack: Json, hresult: i64) -> Reply {
    let body = Json::object([
        (
            "error",
            Json::object([("message", message.into()), ("type", class), ("stack", stack), ("hresult", hresult.into())]),
        ),
        ("status", 1.into()),
        ("statusCode", i64::from(status).into()),
    ]);
    let mut reply = Reply::new(status, Some(JSON), body.render());
    reply.headers.extend([
        ("cache-control", "no-cache,no-store".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("expires", "-1".to_owned()),
    ]);
    reply
}

impl Reply {
    /// An answer outside the envelope.
    pub(crate) fn new(status: u16, content_type: Option<&'static str>, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        Reply {
            status,
            content_type,
            headers: Vec::new(),
            body,
            maker: Maker::Portal,
            manner: Manner::Whole,
            names_versions: true,
        }
    }

    /// 304: no body and no validators, but a content type.
    pub(crate) fn not_modified() -> Reply {
        Reply::new(304, Some(JSON), Vec::new())
    }

    /// With another header; the name is in lower case.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Reply {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With or without the header that names the versions of the API.
    pub(super) fn naming_versions(mut self, names: bool) -> Reply {
        self.names_versions = names;
        self
    }

    /// As the proxy's own answer.
    pub(super) fn by_proxy(mut self) -> Reply {
        self.maker = Maker::Proxy;
        self
    }

    /// Its body travels like this.
    pub(super) fn by(mut self, manner: Manner) -> Reply {
        self.manner = manner;
        self
    }
}
