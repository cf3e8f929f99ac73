//! The portal's HTTP side: which route answers, in which order the layers refuse.
//!
//! The order is the portal's: unknown route, wrong verb, key, scope, parameters and body, right, action.

mod admission;
mod audit;
mod audit_row;
mod audit_rows;
mod audit_text;
mod auth;
mod body;
mod deletion;
mod download;
mod entries;
mod entry_routes;
mod files;
mod gates;
mod groups;
mod json_body;
mod keys;
mod log_data;
mod log_groups;
mod logins;
mod manner;
mod meanwhile;
mod members;
mod method;
mod misbehave;
mod multipart;
mod odd_data;
mod people;
mod people_change;
mod people_list;
mod person_shape;
mod query;
mod reply;
mod restrictions;
mod rights;
mod room_create;
mod room_log;
mod room_shape;
mod rooms;
mod route;
mod settings;
mod titles;
mod trail;
mod upload;
mod upload_session;
mod wire;

use std::fmt::Display;

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};

pub(crate) use reply::{Reply, too_many};
pub(crate) use wire::{Wire, wait};

use crate::fault::{Effects, FaultKind, Side};
use crate::scenario::{Event, GUEST, Key, Person, Scenario, mix};
use crate::version::Ability;
use auth::Caller;
use body::Body;
use method::{Action, Method, Need};
use query::Query;
use reply::{Echo, Failure, Output};
use route::Route;

/// The longest path and query that the web server takes, in bytes.
const MAX_TARGET: usize = 8_150;

/// A request, as far as the portal looks at it.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path as sent.
    pub(crate) path: &'a str,
    /// Query as sent, without the question mark.
    pub(crate) query: Option<&'a str>,
    /// Of the portal's URL.
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    pub(crate) authorization: Option<&'a str>,
    /// All headers as sent.
    pub(crate) headers: &'a HeaderMap,
    /// The body as sent; empty without one.
    pub(crate) body: &'a [u8],
    /// Number of the request, from 1.
    pub(crate) serial: u64,
}

/// What happens to a request.
pub(crate) enum Outcome {
    Reply(Reply),
    /// The connection is reset.
    Reset,
}

/// Everything an action may look at.
struct Context<'a> {
    scenario: &'a Scenario,
    caller: Caller<'a>,
    query: &'a Query,
    headers: &'a HeaderMap,
    /// Scheme and host, for addresses in answers.
    base: &'a str,
}

/// Everything an action that may change the portal has at hand.
struct Change<'a> {
    scenario: &'a mut Scenario,
    /// Who asks; `None` on anonymous routes without a key.
    caller: Option<(Person, Key)>,
    query: &'a Query,
    headers: &'a HeaderMap,
    /// What the request carries; reading it comes before any look at rights.
    body: Body<'a>,
    /// The path behind `/api/2.0/`, decoded, in the case it was sent in.
    path: &'a str,
    base: &'a str,
    /// The page that rows name: where the caller says to come from, else the request itself, with its query.
    page: String,
}

impl Change<'_> {
    /// The same request for the functions that only look.
    fn context(&self) -> Context<'_> {
        let caller = match &self.caller {
            Some((person, key)) => Caller::Person { person, key },
            None => Caller::Anonymous,
        };
        let Change { query, headers, base, .. } = *self;
        Context { scenario: self.scenario, caller, query, headers, base }
    }

    /// Who asks; without a key a route that is not open to anybody is not reached.
    fn person(&self) -> Result<Person, Failure> {
        self.caller.as_ref().map(|(person, _)| person.clone()).ok_or(Failure::Empty(401))
    }

    /// Sends a row about what the caller does on its way to the audit trail.
    ///
    /// Its address is what the request says it is, if it says so: the portal believes this parameter. Else it is where
    /// the portal sees the request come from, and for one from this machine the person's usual address.
    fn write_row(&mut self, action: i32, fill: impl FnOnce(Event) -> Event) {
        let context = self.context();
        let seen = admission::address(context.scenario, context.caller, context.headers);
        let actor = self.caller.as_ref().map_or(GUEST, |(person, _)| person.id);
        let mut event = fill(Event::new(action, actor, self.scenario.now));
        event.ip = self.query.all("request-x-real-ip").next().map(str::to_owned);
        if event.ip.is_none() && !seen.is_loopback() {
            event.ip = Some(seen.to_string());
        }
        self.scenario.write_row(event, Some(&self.page));
    }
}

/// The longest first line of a request that the web server takes, in bytes.
const MAX_REQUEST_LINE: usize = 8192;

/// What answers at this path behind `/api/2.0/`, in lower case.
fn route(path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.split('/').collect();
    Some(match parts[..] {
        ["people", "@self"] => Route::new(Need::Area("accounts.self"), people::own).trimmed(),
        ["keys", "@self"] => Route::new(Need::Nothing, keys::own),
        ["portal"] => Route::new(Need::Global, settings::tenant),
        ["portal", "quota"] => Route::new(Need::Global, settings::quota),
        ["settings"] => Route::anonymous(Need::Global, settings::portal),
        ["files", "settings"] => Route::anonymous(Need::Area("files"), settings::files),
        ["settings", "version", "build"] => Route::anonymous(Need::Global, settings::build),
        ["security", "audit", "events", "filter"] => Route::security(audit::filter),
        ["security", "audit", "events", "last"] => Route::security(audit::last),
        ["security", "audit", "login", "filter"] => Route::security(logins::filter),
        ["security", "audit", "login", "last"] => Route::security(logins::last),
        ["security", "audit", "settings", "lifetime"] => Route::security(audit::lifetimes),
        ["settings", "iprestrictions"] => {
            Route::security(restrictions::list).put(Need::Global, restrictions::put_list).trimmed()
        }
        ["settings", "iprestrictions", "settings"] => {
            Route::security(restrictions::switch).put(Need::Global, restrictions::put_switch).trimmed()
        }
        ["files", "folder", id, "log"] => {
            // an id that is no 32-bit number is another route, which does not exist
            let id: i32 = id.parse().ok()?;
            Route::new(Need::Area("files"), move |context| room_log::folder(context, id)).trimmed()
        }
        ["files", "file", id, "log"] => {
            let id: i32 = id.parse().ok()?;
            Route::new(Need::Area("files"), move |context| room_log::file(context, id)).trimmed()
        }
        _ => return entry_routes::route(&parts).map(Route::trimmed_throughout),
    })
}

/// The path behind `/api/2.0/` as routes and faults see it: decoded, in lower case, one slash at the end dropped.
pub(crate) fn route_path(path: &str) -> String {
    let decoded = query::decode(path);
    let path = decoded.strip_prefix("/api/2.0/").unwrap_or_default();
    path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase()
}

/// Whether a request names `fields` outside the two lists where a client may; `route` is from [`route_path`].
///
/// The answer is the recorded one all the same: only the log of requests tells.
pub(crate) fn asks_for_forbidden_fields(route: &str, query: Option<&str>) -> bool {
    let is_list = ["security/audit/events/", "security/audit/login/"].iter().any(|list| route.starts_with(list));
    !is_list && query.is_some_and(|query| Query::parse(query).fields().is_some())
}

/// The account that asks, whatever it asks for.
pub(crate) fn caller<'a>(scenario: &'a Scenario, authorization: Option<&str>) -> Option<&'a Person> {
    auth::identify(scenario, authorization).person()
}

/// Answers one request; faults have been counted and are given as `effects`.
pub(crate) fn answer(scenario: &mut Scenario, request: &Request<'_>, effects: &Effects) -> Outcome {
    scenario.deliver();
    if let Err(error) = meanwhile::happen(scenario, effects, Side::Before) {
        return cannot_be_done(&error);
    }
    auth::note_use(scenario, request.authorization);
    let real = misbehave::pretend(scenario, effects);
    let outcome = judge(scenario, request, effects.answer.as_ref());
    misbehave::restore(scenario, real);
    match meanwhile::happen(scenario, effects, Side::After) {
        Ok(()) => outcome,
        Err(error) => cannot_be_done(&error),
    }
}

/// The answer when a fault asks for something that cannot happen in this portal.
pub(crate) fn cannot_be_done(error: &dyn Display) -> Outcome {
    Outcome::Reply(Reply::new(500, None, format!("a fault cannot be done: {error}\n")))
}

fn judge(scenario: &mut Scenario, request: &Request<'_>, fault: Option<&FaultKind>) -> Outcome {
    let decoded = query::decode(request.path);
    if !request.path.is_ascii() || request.query.is_some_and(|query| !query.is_ascii()) {
        // the web server itself refuses letters that should have been encoded
        return Outcome::Reply(Reply::new(400, None, Vec::new()));
    }
    let target = request.path.len() + request.query.map_or(0, |query| query.len() + 1);
    if request.method.len() + target + " ".len() + " HTTP/1.1\r\n".len() > MAX_REQUEST_LINE {
        return Outcome::Reply(Reply::new(414, None, Vec::new()));
    }
    let sent = decoded.strip_prefix("/api/2.0/").or_else(|| outside(&decoded)).unwrap_or_default();
    let sent = sent.strip_suffix('/').unwrap_or(sent);
    let path = sent.to_ascii_lowercase();
    if request.path.len() + request.query.map_or(0, str::len) > MAX_TARGET {
        return Outcome::Reply(Reply::new(414, None, Vec::new()));
    }
    let base = format!("{}://{}", request.scheme, request.host);
    let mut parsed = Query::parse(request.query.unwrap_or_default());
    parsed.cuts_count = !scenario.can(Ability::StrictCount);
    parsed.ignores_fields = !scenario.can(Ability::Fields);
    let question = request.query.map(|query| format!("?{query}")).unwrap_or_default();
    if !scenario.can(Ability::Keys) && path.split('/').next() == Some("keys") {
        return Outcome::Reply(reply::no_location());
    }
    let found = route(&path).filter(|route| route.since.is_none_or(|ability| scenario.can(ability)));
    let method = found.as_ref().and_then(|route| route.method(request.method));
    let echo = Echo {
        href: format!("{base}{decoded}{question}"),
        method: request.method,
        fields: parsed.fields(),
        trims: method.is_some_and(|method| method.trims),
        serial: request.serial,
    };
    if let Some(outcome) = fault.and_then(|kind| misbehave::instead(kind, &echo, scenario.now)) {
        return outcome;
    }
    let reply = match (&found, method) {
        (None, _) => echo.failure(Failure::Empty(404)),
        (Some(route), None) => echo.failure(Failure::Empty(405)).header("allow", &route.allow()),
        (Some(_), Some(method)) => match serve(scenario, method, request, &parsed, (sent, &path, &base), fault) {
            Ok(output) => echo.output(odd_data::bent(output, fault)),
            Err(failure) => echo.failure(failure),
        },
    };
    match fault {
        Some(FaultKind::DoneThenStatus { status }) => return Outcome::Reply(echo.fault(*status, None)),
        Some(FaultKind::DoneThenReset) => return Outcome::Reset,
        _ => {}
    }
    Outcome::Reply(reply.naming_versions(scenario.can(Ability::VersionsHeader)).by(misbehave::manner(fault)))
}

/// The handler beside the API, under the name that `route` knows it by.
fn outside(path: &str) -> Option<&str> {
    path.strip_prefix('/').filter(|name| name.eq_ignore_ascii_case("filehandler.ashx"))
}

fn serve(
    scenario: &mut Scenario,
    method: &Method,
    request: &Request<'_>,
    query: &Query,
    (sent, path, base): (&str, &str, &str),
    fault: Option<&FaultKind>,
) -> Result<Output, Failure> {
    let headers = request.headers;
    if method.anonymous {
        // here the portal's state is looked at before the key
        let caller = auth::identify(scenario, request.authorization);
        admission::admit(scenario, caller, (method.verb, path), headers)?;
    }
    let caller = auth::authorize_for(scenario, request.authorization, method)?;
    admission::admit(scenario, caller, (method.verb, path), headers)?;
    match fault {
        Some(FaultKind::Blocked) if caller.person().is_some() => return Err(admission::blocked(headers)),
        _ => {}
    }
    match &method.action {
        Action::Read(action) => action(&Context { scenario, caller, query, headers, base }),
        Action::Change(action) => {
            let caller = caller.cloned();
            let body = Body::new(headers, request.body);
            let mut shadow = (fault == Some(&FaultKind::Unchanged)).then(|| scenario.clone());
            let scenario = shadow.as_mut().unwrap_or(scenario);
            let page = page_of(request, base);
            action(&mut Change { scenario, caller, query, headers, body, path: sent, base, page })
        }
    }
}

/// What the rows of a request name as their page.
fn page_of(request: &Request<'_>, base: &str) -> String {
    let referer = request.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
    referer.map_or_else(|| format!("{base}{}{query}", request.path), str::to_owned)
}

/// Rows in the portal's order: newest first, equal dates in an order that depends on the page asked for.
///
/// The real order among ties comes from the database's sort and changes with its limit; a hash does the same here. On a
/// portal that reads by an index it is always the same.
fn newest_first<'a, T>(
    scenario: &Scenario,
    mut rows: Vec<&'a T>,
    at: impl Fn(&T) -> DateTime<Utc>,
    id: impl Fn(&T) -> i64,
    page: (i32, usize),
) -> Vec<&'a T> {
    let (start, count) = if scenario.condition.stable_order { (0, 0) } else { page };
    let salt = mix(count as u64) ^ mix((i64::from(start.max(0)) + 1_000_000).unsigned_abs());
    rows.sort_by_key(|row| (std::cmp::Reverse(at(row)), mix(id(row).unsigned_abs() ^ salt)));
    rows
}

/// `startIndex` and `count` applied; a start below zero means the beginning.
fn page<T>(rows: Vec<T>, start: i32, count: usize) -> Vec<T> {
    rows.into_iter().skip(usize::try_from(start).unwrap_or(0)).take(count).collect()
}

/// The stored address as the portal shows it: cut at the first colon, so nothing is left of most IPv6 addresses.
fn shown_ip(ip: &str) -> String {
    ip.split(':').next().unwrap_or_default().to_owned()
}
