//! Sending a request and telling what came back. One [`Client`] per run.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use audit_model::RoomId;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use outbound::{Repeat, RetryPolicy, parse_retry_after, with_retries};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tracing::{debug, info};
use url::Url;

use crate::budget::{Budget, Spent};
use crate::refusal::{Refusal, classify};
use crate::wire::{self, Envelope, Row};
use crate::{ApiKey, EntryId, Error, ErrorKind, Halt};

/// Each request with an API key costs the portal a hash of 100 000 rounds and a write to the key's row, so few run at once.
const REQUESTS_IN_FLIGHT: usize = 4;

/// A page is at most 100 rows of a few kilobytes; a larger body is not a page. Four of them are held in memory at once, each whole,
/// unpacked, before it is parsed.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// A portal, as one account sees it. Cheap to clone; clones share limits and counters.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
    /// Whether events come with where and what they were done from.
    details: bool,
    /// When nothing more is asked through this clone.
    end: Option<Instant>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    base: Url,
    key: ApiKey,
    policy: RetryPolicy,
    in_flight: Semaphore,
    budget: Budget,
    spent: Spent,
    /// The portal's clock at its last answer, and when that came; `None` before the first.
    portal_clock: Mutex<Option<(DateTime<Utc>, Instant)>>,
    /// Why nothing more is asked.
    halt: watch::Sender<Option<Halt>>,
    /// Known once the portal was asked.
    time_zone: OnceLock<Tz>,
}

/// One question: what it is called, where it goes, what a key needs for it.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) asked: &'static str,
    /// Below `/api/2.0/`; ids in it have gone through [`segment`].
    path: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    needs: &'static str,
    /// What is to be changed, as JSON; without it, the question is only asked.
    body: Option<&'a Value>,
    /// Without the key. Public answers are refused to a key without the scope, and to a dead one.
    anonymous: bool,
}

impl<'a> Question<'a> {
    pub(crate) fn new(asked: &'static str, path: &'a str, needs: &'static str) -> Self {
        Question { asked, path, query: &[], needs, body: None, anonymous: false }
    }

    pub(crate) fn anonymous(asked: &'static str, path: &'a str) -> Self {
        Question { asked, path, query: &[], needs: "*:read", body: None, anonymous: true }
    }

    /// Something to be changed; `needs` is the scope for that.
    pub(crate) fn change(asked: &'static str, path: &'a str, needs: &'static str, body: &'a Value) -> Self {
        Question { body: Some(body), ..Question::new(asked, path, needs) }
    }

    pub(crate) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Question { query, ..self }
    }
}

/// What is written as it stands: letters, digits, `-` and `_`.
const BEYOND_WORDS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// An id as one part of a path. Ids in third-party storage are texts with any character.
pub(crate) fn segment(id: &EntryId) -> String {
    match id {
        RoomId::Number(number) => number.to_string(),
        RoomId::Text(text) => utf8_percent_encode(text, BEYOND_WORDS).to_string(),
    }
}

/// What is done about a 500 of the portal itself, which is usually for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFault {
    RepeatOnce,
    GiveUp,
}

/// A success, without its body.
pub(crate) struct Answered {
    status: u16,
    is_json: bool,
}

/// A payload, and what the portal says about the list around it.
pub(crate) struct Answer<T> {
    pub(crate) response: T,
    /// How many rows match in all.
    pub(crate) total: Option<i64>,
    /// How many rows this page has, as [`Envelope`] explains it.
    pub(crate) count: Option<i64>,
}

impl Client {
    /// `http` comes from `outbound::http_client`; `base` is the portal's address without `/api/2.0`.
    pub fn new(http: reqwest::Client, base: Url, key: ApiKey, policy: RetryPolicy, budget: Budget) -> Self {
        Client {
            details: false,
            end: None,
            inner: Arc::new(Inner {
                http,
                base,
                key,
                policy: policy.until(budget.deadline),
                in_flight: Semaphore::new(REQUESTS_IN_FLIGHT),
                budget,
                spent: Spent::default(),
                portal_clock: Mutex::new(None),
                halt: watch::Sender::new(None),
                time_zone: OnceLock::new(),
            }),
        }
    }

    /// The same portal through another key, with limits and counters of its own.
    pub fn with_key(&self, key: ApiKey) -> Self {
        let Inner { http, base, policy, budget, .. } = &*self.inner;
        let other = Client { end: self.end, ..Client::new(http.clone(), base.clone(), key, *policy, *budget) };
        self.time_zone().into_iter().for_each(|zone| other.note_time_zone(zone));
        other
    }

    /// The same client, which reads audit events with [`audit_model::EventDetails`]: a fifth more bytes.
    pub fn with_details(&self) -> Self {
        Client { details: true, ..self.clone() }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.inner.base
    }

    pub(crate) fn wants_details(&self) -> bool {
        self.details
    }

    /// Whether the credential is an API key, and not a personal access token.
    pub(crate) fn has_api_key(&self) -> bool {
        self.inner.key.is_api_key()
    }

    /// The last four characters of the credential, by which the portal lists its keys.
    pub fn key_postfix(&self) -> String {
        self.inner.key.postfix()
    }

    /// How many requests were sent, repeats included.
    pub fn requests(&self) -> u64 {
        self.inner.spent.requests()
    }

    /// The portal's clock when it last answered, to the second.
    pub fn portal_clock(&self) -> Option<DateTime<Utc>> {
        self.last_answer().map(|(clock, _)| clock)
    }

    /// What the portal's clock says now, as far as its last answer tells.
    pub fn portal_now(&self) -> Option<DateTime<Utc>> {
        let (clock, came) = self.last_answer()?;
        Some(clock + TimeDelta::from_std(came.elapsed()).ok()?)
    }

    fn last_answer(&self) -> Option<(DateTime<Utc>, Instant)> {
        *self.inner.portal_clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same client, which asks only until a moment: a request that waits for its answer then is given up, and none is sent after it.
    pub fn until(&self, end: Instant) -> Self {
        Client { end: Some(end), ..self.clone() }
    }

    /// Ends every request that waits for its answer, and refuses all that come later, so that whoever reads goes on with what was read.
    pub fn halt(&self, why: Halt) {
        self.inner.halt.send_replace(Some(why));
    }

    /// Why nothing more is asked; `None` while something is.
    pub fn halted(&self) -> Option<Halt> {
        *self.inner.halt.borrow()
    }

    async fn unless_halted<T>(
        &self,
        asked: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut halt = self.inner.halt.subscribe();
        let work = async {
            let Some(end) = self.end else { return work.await };
            let done = if end > Instant::now() { tokio::time::timeout_at(end.into(), work).await.ok() } else { None };
            done.unwrap_or_else(|| Err(Error::new(asked, ErrorKind::Postponed)))
        };
        tokio::select! {
            biased;
            halted = halt.wait_for(Option::is_some) => {
                let why = halted.ok().and_then(|why| *why).unwrap_or(Halt::OutOfTime);
                Err(Error::new(asked, ErrorKind::Halted { why }))
            }
            done = work => done,
        }
    }

    /// Asks, repeats what may be repeated, and gives the payload.
    pub(crate) async fn get<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<Answer<T>, Error> {
        self.get_or(question, OnFault::RepeatOnce).await
    }

    pub(crate) async fn get_or<T: DeserializeOwned>(
        &self,
        question: Question<'_>,
        on_fault: OnFault,
    ) -> Result<Answer<T>, Error> {
        parse(&question, &self.body(&question, on_fault).await?)
    }

    /// A list whose rows are read one by one: those of another form are told apart, and cost the others nothing.
    pub(crate) async fn get_rows<T: DeserializeOwned>(
        &self,
        question: Question<'_>,
        on_fault: OnFault,
    ) -> Result<Answer<Vec<Row<T>>>, Error> {
        let body = self.body(&question, on_fault).await?;
        answer(&question, wire::rows(&body))
    }

    async fn body(&self, question: &Question<'_>, on_fault: OnFault) -> Result<Vec<u8>, Error> {
        let judge = |error: &Error| match (&error.kind, on_fault) {
            (ErrorKind::ServerFault { .. }, OnFault::GiveUp) => Repeat::Never,
            _ => {
                let repeat = error.repeat();
                if let Repeat::Later { after } = repeat {
                    info!(
                        seconds = after.as_secs(),
                        "the portal's limit is reached; asking again later if there is time"
                    );
                }
                repeat
            }
        };
        let tries = with_retries(self.inner.policy, || self.send_once(question), judge);
        self.unless_halted(question.asked, tries).await
    }

    /// Sends a change, once: nobody knows what a call that broke has done, so a second one is for whoever has looked.
    pub(crate) async fn post<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<T, Error> {
        let body = self.send_once(&question).await?;
        Ok(parse::<T>(&question, &body)?.response)
    }

    async fn send_once(&self, question: &Question<'_>) -> Result<Vec<u8>, Error> {
        let asked = question.asked;
        let Inner { http, base, key, .. } = &*self.inner;
        let mut url = base.clone();
        url.set_path(&format!("{}/api/2.0/{}", base.path().trim_end_matches('/'), question.path));
        let mut request = match question.body {
            Some(body) => http.post(url).json(body),
            None => http.get(url),
        };
        request = request.query(question.query);
        if !question.anonymous {
            let header = key.header().ok_or_else(|| Error::new(asked, ErrorKind::MalformedKey))?;
            request = request.header(AUTHORIZATION, header);
        }
        self.exchange(question, request).await
    }

    /// A request of this method below `/api/2.0/`, with query and key.
    pub(crate) fn request(&self, method: Method, question: &Question<'_>) -> Result<RequestBuilder, Error> {
        self.request_to(method, question, &format!("/api/2.0/{}", question.path))
    }

    /// The same at another path of the portal.
    pub(crate) fn request_to(
        &self,
        method: Method,
        question: &Question<'_>,
        path: &str,
    ) -> Result<RequestBuilder, Error> {
        let Inner { http, base, key, .. } = &*self.inner;
        let header = key.header().ok_or_else(|| Error::new(question.asked, ErrorKind::MalformedKey))?;
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        Ok(http.request(method, url).query(question.query).header(AUTHORIZATION, header))
    }

    /// Sends a request once and gives the body of the answer, which is JSON.
    pub(crate) async fn exchange(&self, question: &Question<'_>, request: RequestBuilder) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let answered = self
            .receive(question, request, Some(self.inner.budget.page), |part| {
                body.extend_from_slice(part);
                body.len() <= MAX_BODY_BYTES
            })
            .await?;
        match answered {
            Answered { is_json: true, .. } => Ok(body),
            Answered { status, .. } => Err(Error::new(question.asked, ErrorKind::NotAPortal { status })),
        }
    }

    /// Sends a request once and hands on the body of a success, part by part, while `take` says that it may go on. From its first byte
    /// to its last it may take so long, and with all else as long as a request of ours may take at all.
    pub(crate) async fn receive(
        &self,
        question: &Question<'_>,
        request: RequestBuilder,
        longest_body: Option<Duration>,
        take: impl FnMut(&[u8]) -> bool,
    ) -> Result<Answered, Error> {
        self.unless_halted(question.asked, self.receive_all(question, request, longest_body, take)).await
    }

    async fn receive_all(
        &self,
        question: &Question<'_>,
        request: RequestBuilder,
        longest_body: Option<Duration>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<Answered, Error> {
        let asked = question.asked;
        let Inner { budget, spent, .. } = &*self.inner;
        let _permit = self.inner.in_flight.acquire().await.expect("the semaphore is never closed");
        spent.take_request(budget).map_err(|limit| Error::new(asked, ErrorKind::BudgetExhausted { limit }))?;
        let started = Instant::now();
        let mut response = in_time(asked, budget.deadline, budget.deadline, request.send()).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.note_clock(&headers);
        let is_success = status.is_success();
        let end = longest_body.map(|longest| Instant::now() + longest).into_iter().chain(budget.deadline).min();
        // of a refusal, what explains it
        let (mut refusal, mut size_bytes) = (Vec::new(), 0);
        while let Some(part) = in_time(asked, end, budget.deadline, response.chunk()).await? {
            spent.note_bytes(part.len());
            size_bytes += part.len();
            let goes_on = if is_success {
                take(&part)
            } else {
                refusal.extend_from_slice(&part);
                refusal.len() <= MAX_BODY_BYTES
            };
            if !goes_on {
                return Err(Error::new(asked, ErrorKind::UnexpectedForm));
            }
        }
        let duration_ms = started.elapsed().as_millis() as u64;
        debug!(path = question.path, status = status.as_u16(), size_bytes, duration_ms, "request");

        let content_type = text(&headers, CONTENT_TYPE);
        if is_success {
            return Ok(Answered { status: status.as_u16(), is_json: content_type.contains("json") });
        }
        Err(Error::new(
            asked,
            classify(&Refusal {
                status,
                content_type,
                location: headers.get(LOCATION).and_then(|value| value.to_str().ok()),
                limit: text(&headers, HeaderName::from_static("x-ratelimit-limit")).parse().ok(),
                after: parse_retry_after(text(&headers, RETRY_AFTER), server_date(&headers)),
                body: &refusal,
                needs: question.needs,
            }),
        ))
    }

    /// Repeats what does no harm when it is done twice.
    pub(crate) async fn repeated<T, Fut>(&self, call: impl FnMut() -> Fut) -> Result<T, Error>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        with_retries(self.inner.policy, call, Error::repeat).await
    }

    /// The portal's zone, once a probe has told it.
    pub fn time_zone(&self) -> Option<Tz> {
        self.inner.time_zone.get().copied()
    }

    pub(crate) fn note_time_zone(&self, zone: Tz) {
        self.inner.time_zone.get_or_init(|| zone);
    }

    /// Counts rows of a list against the budget.
    pub(crate) fn note_rows(&self, rows: usize) {
        self.inner.spent.note_rows(rows);
    }

    fn note_clock(&self, headers: &HeaderMap) {
        if let Some(date) = server_date(headers) {
            let answered = (DateTime::<Utc>::from(date), Instant::now());
            *self.inner.portal_clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
        }
    }
}

pub(crate) fn parse<T: DeserializeOwned>(question: &Question<'_>, body: &[u8]) -> Result<Answer<T>, Error> {
    answer(question, serde_json::from_slice(body))
}

fn answer<T>(question: &Question<'_>, parsed: serde_json::Result<Envelope<T>>) -> Result<Answer<T>, Error> {
    let Envelope { response, total, count } = parsed.map_err(|error| Error::form(question.asked, error))?;
    let response = response.ok_or_else(|| Error::new(question.asked, ErrorKind::UnexpectedForm))?;
    Ok(Answer { response, total, count })
}

/// Waits until `end` and no longer. At the deadline the run's time is over, and before it only that of this answer.
async fn in_time<T>(
    asked: &'static str,
    end: Option<Instant>,
    deadline: Option<Instant>,
    doing: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, Error> {
    let done = match end {
        Some(end) => tokio::time::timeout_at(end.into(), doing).await,
        None => Ok(doing.await),
    };
    match done {
        Ok(done) => done.map_err(|error| Error::transport(asked, error)),
        Err(_) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
            Err(Error::new(asked, ErrorKind::BudgetExhausted { limit: "time" }))
        }
        Err(_) => Err(Error::new(asked, ErrorKind::TimedOut)),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn server_date(headers: &HeaderMap) -> Option<std::time::SystemTime> {
    httpdate::parse_http_date(text(headers, DATE)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_part_of_its_path() {
        assert_eq!(segment(&RoomId::Number(-4217)), "-4217");
        assert_eq!(segment(&RoomId::Text("sbox-12-|a/../b%c?d".into())), "sbox-12-%7Ca%2F%2E%2E%2Fb%25c%3Fd");
    }
}
