//! Why a call failed, in terms of what the operator can do.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use audit_model::{GapReason, PortalText};
use outbound::{CertificateFault, Repeat};

use crate::Halt;

/// What went wrong, what was asked for, and what to do about it. The cause, where there is one below, is the source.
#[derive(Debug, thiserror::Error)]
#[error("{}; {}", self.meaning(), self.remedy())]
pub struct Error {
    /// What was asked for, for instance `the audit trail`.
    pub asked: &'static str,
    pub kind: ErrorKind,
    /// `read`, or what else was tried.
    pub(crate) verb: &'static str,
    #[source]
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What an error means. Displays without what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection.
    Unreachable,
    /// What answered speaks TLS, and was asked without.
    SpeaksTls,
    /// What answered speaks plain HTTP, and was asked for TLS.
    SpeaksPlainHttp,
    /// The connection broke before an answer was complete.
    EndedEarly,
    /// The portal shows a certificate that cannot be trusted, so nothing was sent.
    BadCertificate(CertificateFault),
    /// Connected, but no complete answer in time.
    TimedOut,
    /// The key cannot be sent at all.
    MalformedKey,
    /// 401: unknown, expired, switched off, deleted, or its owner is disabled.
    DeadKey,
    /// 403 without a body: the key lacks a scope; `needs` names the smallest.
    MissingScope { needs: &'static str },
    /// 403 `Access denied`: the key's owner may not do this.
    MissingRight,
    /// 403 problem on a public route: a dead key, a key without the scope, or a portal under restoration.
    ClosedRoute,
    /// 403 as text: the portal's address list refuses this machine.
    BlockedAddress,
    /// 402 without an explanation: the portal is not paid.
    Unpaid,
    /// 402 with one: the portal's plan does not include this.
    PlanLacks,
    /// 402 with one, to an upload: larger than a file may be, or no space left.
    NoSpace,
    /// 402 for an account that is to be enabled: all seats are taken.
    NoSeat,
    /// 404 problem: suspended, being removed, or no portal at this address.
    NoPortal,
    /// 404 with an error: there is no such room, person, …
    NotFound,
    /// 404 or 405 without a body: this server does not know the call.
    UnknownCall,
    /// 429; `limit` tells which limiter, `after` is what it asks for.
    TooManyRequests { limit: Option<u64>, after: Option<Duration> },
    /// 502, 503, 504, or 500 with a page: the proxy in front of the portal.
    ProxyFault { status: u16 },
    /// 403 of an installation whose database is down.
    DatabaseDown,
    /// 400 raised by an action: it cannot work with the arguments, or with a stored row.
    Refused { server_type: Option<PortalText> },
    /// 400 of the binding: the request is wrong for this server. Names of parameters.
    BadRequest { parameters: Vec<PortalText> },
    /// 5xx raised by the portal itself.
    ServerFault { status: u16, server_type: Option<PortalText> },
    /// 3xx; redirects are not followed, because the next host would get the key.
    Redirected { to: Option<PortalText> },
    /// HTML, or something else that no DocSpace API sends.
    NotAPortal { status: u16 },
    /// JSON, but in a form that we do not know; of a list, every row of it.
    UnexpectedForm,
    /// This run has asked for as much as it may; names the limit.
    BudgetExhausted { limit: &'static str },
    /// The time of [`Client::until`](crate::Client::until) is over.
    Postponed,
    /// This run asks nothing more. A request that was on its way may have had its effect.
    Halted { why: Halt },
    /// A member list without members: what the portal answers to somebody who may not see it.
    MembersHidden,
    /// The portal keeps no activity log of third-party storage.
    ThirdPartyStorage,
    /// The list changed while it was paged, or rows are missing from it.
    IncompleteList { read: u64, total: u64 },
    /// The list is empty, and something else says that it cannot be.
    EmptyList,
}

impl fmt::Display for ErrorKind {
    /// What only the call knows; all else is said by the reason of the gap that it leaves, with the status.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::BadCertificate(fault) => write!(f, "the portal's certificate {fault}"),
            ErrorKind::MalformedKey => f.write_str("the key has characters that no HTTP header can carry"),
            ErrorKind::MissingScope { needs } => write!(f, "the key lacks the scope `{needs}` (403)"),
            ErrorKind::MissingRight => f.write_str("the owner of the key may not do this (403)"),
            ErrorKind::PlanLacks => f.write_str("the portal's plan does not include this (402)"),
            ErrorKind::NoSpace => f.write_str(
                "the portal does not take it (402), because it is larger than a file may be, or because the portal, the room or the account has no space left",
            ),
            ErrorKind::NoSeat => f.write_str("the portal has no free seat for the account (402)"),
            ErrorKind::TooManyRequests { limit, after } => {
                f.write_str("the portal's limit was reached (429")?;
                if let Some(limit) = limit {
                    write!(f, ", {}", limiter(*limit))?;
                }
                if let Some(after) = after {
                    write!(f, ", free again in {}", in_words(*after))?;
                }
                f.write_str("), which is shared by everything that runs as the key's owner")
            }
            ErrorKind::Refused { server_type } => write!(f, "the portal refused it (400{})", Comma(server_type)),
            ErrorKind::BadRequest { parameters } => {
                let names: Vec<String> = parameters.iter().take(MOST_NAMES).map(PortalText::for_log).collect();
                write!(f, "this server does not accept the request (400, {})", names.join(", "))
            }
            ErrorKind::ServerFault { status, server_type } => {
                write!(f, "the portal failed to answer the request ({status}{})", Comma(server_type))
            }
            ErrorKind::Redirected { to: Some(to) } => write!(f, "the portal redirects to {}", to.for_log()),
            ErrorKind::Redirected { to: None } => f.write_str("the portal redirects to another address"),
            ErrorKind::BudgetExhausted { limit } => write!(f, "this run has reached its limit of {limit}"),
            ErrorKind::Halted { why: Halt::OutOfTime } => f.write_str("this run has reached its limit of time"),
            ErrorKind::Halted { why: Halt::Interrupted } => {
                f.write_str("the run was stopped while it waited for the portal")
            }
            ErrorKind::MembersHidden => f.write_str("the portal shows no members at all, not even an owner"),
            ErrorKind::IncompleteList { read, total: 1 } => write!(f, "the list has 1 row, and {read} came"),
            ErrorKind::IncompleteList { read, total } => write!(f, "the list has {total} rows, and {read} came"),
            other => {
                f.write_str(other.gap_reason().meaning())?;
                other.status().map_or(Ok(()), |status| write!(f, " ({status})"))
            }
        }
    }
}

impl ErrorKind {
    /// The status of the answers that are told apart by more than their status, where it says something to somebody.
    fn status(&self) -> Option<u16> {
        match self {
            ErrorKind::DeadKey => Some(401),
            ErrorKind::Unpaid => Some(402),
            ErrorKind::ClosedRoute | ErrorKind::BlockedAddress | ErrorKind::DatabaseDown => Some(403),
            ErrorKind::NoPortal | ErrorKind::NotFound => Some(404),
            ErrorKind::ProxyFault { status } | ErrorKind::NotAPortal { status } => Some(*status),
            _ => None,
        }
    }

    /// What to do about it, without a full stop.
    pub fn remedy(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            ErrorKind::BadCertificate(fault) => fault.remedy(),
            ErrorKind::MalformedKey => "copy it again",
            ErrorKind::MissingScope { needs } => return format!("create a key with the scope `{needs}`").into(),
            ErrorKind::MissingRight | ErrorKind::MembersHidden => "use the key of a DocSpace admin or of the owner",
            ErrorKind::PlanLacks => "upgrade to a plan that includes it",
            ErrorKind::NoSpace => "make room or raise the quota",
            ErrorKind::NoSeat => "disable another account, or raise the number of seats",
            ErrorKind::Redirected { .. } => "set the address that it redirects to",
            ErrorKind::Refused { .. } => "ask whoever runs the server for the reason, which is in its log",
            ErrorKind::IncompleteList { .. } => {
                "run again; if it says the same again, the portal counts rows that it does not show, so ask whoever runs it"
            }
            other => return other.gap_reason().remedy_now(),
        })
    }

    /// The reason that a gap left by this has in a coverage statement.
    pub(crate) fn gap_reason(&self) -> GapReason {
        match self {
            ErrorKind::MissingScope { .. } | ErrorKind::MissingRight | ErrorKind::MembersHidden => {
                GapReason::Permission
            }
            ErrorKind::MalformedKey | ErrorKind::DeadKey => GapReason::KeyRefused,
            ErrorKind::ClosedRoute => GapReason::RouteClosed,
            ErrorKind::BlockedAddress => GapReason::AddressBlocked,
            ErrorKind::PlanLacks => GapReason::AuditFeatureMissing,
            ErrorKind::BudgetExhausted { .. } | ErrorKind::Halted { why: Halt::OutOfTime } => {
                GapReason::BudgetExhausted
            }
            ErrorKind::Halted { why: Halt::Interrupted } => GapReason::Interrupted,
            ErrorKind::Postponed => GapReason::Postponed,
            ErrorKind::ThirdPartyStorage => GapReason::ThirdPartyStorage,
            ErrorKind::UnexpectedForm => GapReason::UnknownForm,
            ErrorKind::Unreachable => GapReason::Unreachable,
            ErrorKind::SpeaksTls => GapReason::SpeaksTls,
            ErrorKind::SpeaksPlainHttp => GapReason::SpeaksPlainHttp,
            ErrorKind::EndedEarly => GapReason::EndedEarly,
            ErrorKind::BadCertificate(_) => GapReason::CertificateRefused,
            ErrorKind::TimedOut => GapReason::TimedOut,
            ErrorKind::Unpaid => GapReason::Unpaid,
            ErrorKind::NoPortal => GapReason::NoPortal,
            ErrorKind::NotAPortal { .. } => GapReason::NotAPortal,
            ErrorKind::Redirected { .. } => GapReason::Redirected,
            ErrorKind::UnknownCall => GapReason::ServerTooOld,
            ErrorKind::Refused { .. } | ErrorKind::BadRequest { .. } => GapReason::QuestionRefused,
            ErrorKind::TooManyRequests { .. } => GapReason::TooManyRequests,
            ErrorKind::ProxyFault { .. } => GapReason::ProxyFailed,
            ErrorKind::DatabaseDown => GapReason::DatabaseDown,
            ErrorKind::ServerFault { .. } => GapReason::ServerFailed,
            ErrorKind::IncompleteList { .. } => GapReason::ListIncomplete,
            ErrorKind::EmptyList => GapReason::ListEmpty,
            ErrorKind::NotFound => GapReason::NotThere,
            ErrorKind::NoSpace | ErrorKind::NoSeat => GapReason::PortalError,
        }
    }
}

/// Which of the portal's limiters has this limit, as far as the shipped numbers tell.
fn limiter(limit: u64) -> String {
    match limit {
        1500 => "1500 requests per minute".to_owned(),
        15 | 50 => format!("{limit} requests at once"),
        5 => "5 calls of this kind per 15 minutes".to_owned(),
        other => format!("limit {other}"),
    }
}

/// `45 s`, `15 min`, `6 h`: rounded up, so that nobody comes too early.
fn in_words(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// How long to leave a limiter alone that does not say so itself.
fn pause(limit: u64) -> Option<Duration> {
    let seconds = match limit {
        // a sliding minute: it frees bit by bit, and after a minute for sure
        1500 => 15,
        // slots are free as soon as others have their answers
        15 | 50 => 2,
        5 => 15 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// So many parameters are named; a request of ours has no more.
const MOST_NAMES: usize = 10;

/// `, TYPE` behind a status.
struct Comma<'a>(&'a Option<PortalText>);

impl fmt::Display for Comma<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |text| write!(f, ", {}", text.for_log()))
    }
}

impl Error {
    pub(crate) fn new(asked: &'static str, kind: ErrorKind) -> Self {
        Error { asked, kind, verb: "read", source: None }
    }

    /// A failure below HTTP. The URL is removed: its query carries ids.
    pub(crate) fn transport(asked: &'static str, error: reqwest::Error) -> Self {
        if let Some(fault) = outbound::certificate_fault(&error) {
            return Error::new(asked, ErrorKind::BadCertificate(fault));
        }
        let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
        let kind = match () {
            () if error.is_timeout() => ErrorKind::TimedOut,
            () if outbound::is_no_tls(&error) => ErrorKind::SpeaksPlainHttp,
            () if error.is_connect() => ErrorKind::Unreachable,
            () if is_plain && outbound::is_no_http(&error) => ErrorKind::SpeaksTls,
            () => ErrorKind::EndedEarly,
        };
        Error { asked, kind, verb: "read", source: Some(Box::new(error.without_url())) }
    }

    pub(crate) fn form(asked: &'static str, error: serde_json::Error) -> Self {
        let source = Some(FormError(without_values(&error.to_string())).into());
        Error { asked, kind: ErrorKind::UnexpectedForm, verb: "read", source }
    }

    /// Of a call that changes something: what it tried.
    pub(crate) fn trying_to(self, verb: &'static str) -> Self {
        Error { verb, ..self }
    }

    /// Whether somebody has to change something before the call can succeed: key, rights, plan, or what was asked for.
    pub fn needs_somebody(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::BadCertificate(_)
                | ErrorKind::SpeaksTls
                | ErrorKind::SpeaksPlainHttp
                | ErrorKind::MalformedKey
                | ErrorKind::DeadKey
                | ErrorKind::MissingScope { .. }
                | ErrorKind::MissingRight
                | ErrorKind::ClosedRoute
                | ErrorKind::BlockedAddress
                | ErrorKind::Unpaid
                | ErrorKind::PlanLacks
                | ErrorKind::NoSpace
                | ErrorKind::NoSeat
                | ErrorKind::UnknownCall
                | ErrorKind::Refused { .. }
                | ErrorKind::BadRequest { .. }
                | ErrorKind::Redirected { .. }
        )
    }

    /// Whether a call that was to change something may have changed it all the same: the portal did not get around to saying no.
    pub fn may_have_acted(&self) -> bool {
        let surely_not = matches!(
            self.kind,
            ErrorKind::NoPortal
                | ErrorKind::NotFound
                | ErrorKind::TooManyRequests { .. }
                | ErrorKind::BudgetExhausted { .. }
        );
        !surely_not && !self.needs_somebody()
    }

    /// Whether one stored row may be the cause, so that a narrower question can get around it.
    pub(crate) fn may_be_one_row(&self) -> bool {
        matches!(self.kind, ErrorKind::ServerFault { .. } | ErrorKind::Refused { .. })
    }

    /// How often a read may be repeated after this.
    pub(crate) fn repeat(&self) -> Repeat {
        match &self.kind {
            ErrorKind::Unreachable | ErrorKind::EndedEarly | ErrorKind::ProxyFault { .. } | ErrorKind::DatabaseDown => {
                Repeat::Often { after: None }
            }
            ErrorKind::TooManyRequests { limit, after } => match after.or(limit.and_then(pause)) {
                Some(after) => Repeat::Later { after },
                None => Repeat::Often { after: None },
            },
            ErrorKind::TimedOut | ErrorKind::ServerFault { .. } => Repeat::Once,
            _ => Repeat::Never,
        }
    }

    /// Whether the portal answered that this will not be had: by this key, on this plan, from this server.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::MissingScope { .. }
                | ErrorKind::MissingRight
                | ErrorKind::ClosedRoute
                | ErrorKind::PlanLacks
                | ErrorKind::UnknownCall
        )
    }

    /// What went wrong and what was asked for, without a full stop.
    pub fn meaning(&self) -> String {
        format!("cannot {} {}: {}", self.verb, self.asked, self.kind)
    }

    /// What to do about it, without a full stop.
    pub fn remedy(&self) -> Cow<'static, str> {
        self.kind.remedy()
    }

    /// The reason that a gap left by this error has in a coverage statement.
    pub fn gap_reason(&self) -> GapReason {
        self.kind.gap_reason()
    }
}

/// What of an answer could not be understood, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.for_log())]
struct FormError(PortalText);

/// A parser quotes what it found instead of what it expected, which can be anybody's name.
fn without_values(message: &str) -> PortalText {
    let (mut shown, mut is_value, mut is_escaped) = (String::new(), false, false);
    for character in message.chars() {
        let is_quote = character == '"' && !is_escaped;
        if !is_value || is_quote {
            shown.push(character);
        }
        is_value ^= is_quote;
        is_escaped = character == '\\' && !is_escaped;
    }
    PortalText::new(shown)
}
