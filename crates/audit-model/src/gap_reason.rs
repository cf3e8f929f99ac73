//! Why something could not be seen, and what to do about it, in sentences for people: the one place for both, whether a call fails or a
//! report has a gap.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

/// Why a span could not be seen. Its own form is for our memory; in reports, whose values are fixed, several causes share one
/// ([`reported`](Self::reported)). Readers accept values they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The portal's plan has no audit feature, so the filter is silently ignored.
    AuditFeatureMissing,
    /// The portal has forgotten it: logins are kept for a number of days.
    BeyondRetention,
    /// One stored row makes every page that holds it fail.
    UnreadableRow,
    /// The server answered, but in a form that this version does not know.
    UnknownForm,
    /// A cap on requests, rows or time ended the read.
    BudgetExhausted,
    /// It would have kept the alerts waiting.
    Postponed,
    /// The portal or the way to it failed, and nothing more is known.
    PortalError,
    /// The portal's answers lack rows that it has shown before, or it has more of one second than it can page through.
    UnstablePaging,
    /// The key lacks a scope, or its owner a right.
    Permission,
    /// This machine's clock and the portal's differ: of that span one of them says that it has not come yet.
    ClockSkew,
    /// Our own store failed, so what was read could not be used.
    StoreError,
    /// The rooms or the activity log of a room could not be read.
    RoomUnreadable,
    /// It is so recent that the portal may still be storing events of it.
    NotSettled,
    /// The portal says that it has no row at all, though it must have some.
    NothingRecorded,
    /// Somebody ended the run before it had read everything.
    Interrupted,
    /// The portal does not accept the key at all.
    KeyRefused,
    /// The portal's list of addresses refuses this machine.
    AddressBlocked,
    /// The portal closed a public route: to a dead key, to a key without the scope, or to everybody while it is being restored.
    RouteClosed,
    /// No connection came about.
    Unreachable,
    /// What answers speaks TLS, and was asked without.
    SpeaksTls,
    /// What answers speaks plain HTTP, and was asked for TLS.
    SpeaksPlainHttp,
    /// The portal's certificate is not trusted, so nothing was asked.
    CertificateRefused,
    /// The connection broke before an answer was complete.
    EndedEarly,
    /// There was no complete answer in time.
    TimedOut,
    /// The portal is not paid.
    Unpaid,
    /// The portal is suspended or being removed, or none is there.
    NoPortal,
    /// Something answered that is no DocSpace portal.
    NotAPortal,
    /// The portal says that it is elsewhere.
    Redirected,
    /// The server does not know the question.
    ServerTooOld,
    /// The server does not accept the question.
    QuestionRefused,
    /// A limiter of the portal refused.
    TooManyRequests,
    /// The proxy in front of the portal failed.
    ProxyFailed,
    /// The portal's database is down.
    DatabaseDown,
    /// The portal itself failed.
    ServerFailed,
    /// A list changed while it was read, or rows are missing from it.
    ListIncomplete,
    /// A list is empty that cannot be.
    ListEmpty,
    /// The portal says that there is no such thing.
    NotThere,
    /// The portal keeps no activity log of third-party storage.
    ThirdPartyStorage,
}

impl GapReason {
    /// The value in reports, one of those that scripts know.
    pub fn reported(self) -> GapReason {
        match self {
            GapReason::KeyRefused | GapReason::AddressBlocked | GapReason::RouteClosed => GapReason::Permission,
            GapReason::Unreachable
            | GapReason::SpeaksTls
            | GapReason::SpeaksPlainHttp
            | GapReason::CertificateRefused
            | GapReason::EndedEarly
            | GapReason::TimedOut
            | GapReason::Unpaid
            | GapReason::NoPortal
            | GapReason::NotAPortal
            | GapReason::Redirected
            | GapReason::ServerTooOld
            | GapReason::QuestionRefused
            | GapReason::TooManyRequests
            | GapReason::ProxyFailed
            | GapReason::DatabaseDown
            | GapReason::ServerFailed
            | GapReason::ListIncomplete
            | GapReason::ListEmpty
            | GapReason::NotThere => GapReason::PortalError,
            GapReason::ThirdPartyStorage => GapReason::RoomUnreadable,
            GapReason::Postponed => GapReason::BudgetExhausted,
            reported => reported,
        }
    }

    /// Writes the value in reports.
    ///
    /// # Errors
    /// Of the serializer.
    pub fn serialize_reported<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.reported().serialize(serializer)
    }

    /// What is the matter, without a full stop. The error of a call says the same, with its status.
    pub fn meaning(self) -> &'static str {
        self.words().0
    }

    /// What to do about it when it left a gap, which the next run asks for again. Without a full stop.
    pub fn remedy(self) -> Cow<'static, str> {
        self.words().1.after("the next run tries again")
    }

    /// What to do about it for somebody who waits for the answer, without a full stop.
    pub fn remedy_now(self) -> Cow<'static, str> {
        self.words().1.after("try again")
    }

    /// What is the matter and what to do about it, without a full stop. [`Gap::explanation`](crate::Gap::explanation) knows the source, too.
    pub fn explanation(self) -> String {
        format!("{}; {}", self.meaning(), self.remedy())
    }

    fn words(self) -> (&'static str, Remedy) {
        use Remedy::{Do, Wait, WaitOr};
        match self {
            GapReason::AuditFeatureMissing => (
                "the portal's plan does not include the audit feature, so its records cannot be searched",
                Do("upgrade to a plan that includes the audit trail"),
            ),
            GapReason::BeyondRetention => (
                "the portal no longer keeps records this old; what an earlier run read of them is still used",
                Do("raise the lifetime of the login history in the portal's security settings"),
            ),
            GapReason::UnreadableRow => {
                ("the portal fails on a record that is stored here", Do("ask whoever runs the server to repair it"))
            }
            GapReason::UnknownForm => (
                "the server answers in a form that this version does not know",
                Do("install a newer version of this program, or report it to its makers"),
            ),
            GapReason::BudgetExhausted => (
                "the run reached one of its limits before it got to this",
                Do(
                    "raise `run_limit` or `budget`, or run more often; if the portal is slow, ask whoever runs the server",
                ),
            ),
            GapReason::PortalError => ("the portal failed, could not be reached, or gave an unexpected answer", Wait),
            GapReason::UnstablePaging => (
                "the portal has more events of one moment than it can list",
                Do("look at that moment in the portal itself"),
            ),
            GapReason::Permission => (
                "the key does not have the permission to read this",
                Do("use the key of a DocSpace admin or of the owner, with the scope `*:read`"),
            ),
            GapReason::Postponed => (
                "the portal did not answer this within the time that alerts wait for",
                WaitOr("ask whoever runs the server why the portal is slow"),
            ),
            GapReason::ClockSkew => (
                "the clocks of this machine and of the portal differ by more than a minute",
                Do("set this machine's clock by NTP"),
            ),
            GapReason::StoreError => (
                "this program's own store, or another file that it needs, could not be used",
                Do("the notes say which one, and why"),
            ),
            GapReason::RoomUnreadable => ("the portal did not show the rooms, or the activity log of one", Wait),
            GapReason::NotSettled => {
                ("this is so recent that the portal may still be storing events of it", Do("run again later"))
            }
            GapReason::NothingRecorded => (
                "the portal lists no event at all, although the creation of the API key alone leaves one",
                Do("check what is between this machine and the portal, such as a proxy"),
            ),
            GapReason::Interrupted => {
                ("the run was stopped before it got to this", Do("run it again; it continues where this run stopped"))
            }
            GapReason::KeyRefused => (
                "the portal does not accept the key, which is unknown, expired or switched off, or whose owner is disabled",
                Do("create a new key and put it in place of the old one"),
            ),
            GapReason::AddressBlocked => (
                "the portal's address list refuses this machine",
                Do("add this machine's address to the list, or use the key of the portal's owner"),
            ),
            GapReason::RouteClosed => (
                "the portal refuses the request, because the key is dead or lacks the scope, or because the portal is being restored",
                Do("create a new key with the scope `*:read`, unless the portal is being restored"),
            ),
            GapReason::Unreachable => {
                ("no connection to the portal could be made", Do("check the address, DNS, firewall and proxy"))
            }
            GapReason::SpeaksTls => (
                "this port expects TLS, but the request was sent without it",
                Do("use an address that begins with `https://`"),
            ),
            GapReason::SpeaksPlainHttp => (
                "this port speaks plain HTTP, but the request was sent over TLS",
                Do("use an address that begins with `http://` (with `--allow-http`), or the port for TLS"),
            ),
            GapReason::CertificateRefused => (
                "the portal's certificate is not trusted, so nothing was sent",
                Do("run `doctor`, which says what is wrong with the certificate and what to do"),
            ),
            GapReason::EndedEarly => (
                "the connection broke before the portal's answer was complete",
                WaitOr("check the proxies between this machine and the portal"),
            ),
            GapReason::TimedOut => {
                ("the portal did not send a complete answer in time", WaitOr("ask whoever runs the server"))
            }
            GapReason::Unpaid => (
                "the portal's subscription is not paid, so it answers no requests",
                Do("ask its owner to renew the subscription"),
            ),
            GapReason::NoPortal => (
                "the portal is suspended or being removed, or there is none at this address",
                Do("check the address, or ask the portal's owner"),
            ),
            GapReason::NotAPortal => (
                "the answer does not come from a DocSpace portal; it may come from a proxy or a sign-in page",
                Do("check the address, and what is between this machine and the portal"),
            ),
            GapReason::Redirected => (
                "the portal redirects to another address, which is not followed because it would get the key",
                Do("set the address that `doctor` names"),
            ),
            GapReason::ServerTooOld => {
                ("this server does not know the request", Do("update the server; DocSpace 3.2 or later is needed"))
            }
            GapReason::QuestionRefused => (
                "this server does not accept the request",
                Do("install a newer version of this program, or report it to its makers"),
            ),
            GapReason::TooManyRequests => (
                "the portal's limit of requests was reached, which is shared by everything that runs as the key's owner",
                WaitOr("use the key of a separate account"),
            ),
            GapReason::ProxyFailed => (
                "the proxy in front of the portal failed, as it does while the portal restarts",
                WaitOr("ask whoever runs the server"),
            ),
            GapReason::DatabaseDown => ("the portal's database does not answer", WaitOr("ask whoever runs the server")),
            GapReason::ServerFailed => {
                ("the portal failed to answer the request", WaitOr("ask whoever runs the server"))
            }
            GapReason::ListIncomplete => (
                "the list changed while it was read, or rows are missing from it",
                WaitOr("check what is between this machine and the portal"),
            ),
            GapReason::ListEmpty => (
                "the list is empty, although the settings or an earlier run name something in it",
                Do("check the names in the settings, and what is between this machine and the portal, such as a proxy"),
            ),
            GapReason::NotThere => {
                ("the portal has no such entry", Do("check in the portal whether somebody removed it"))
            }
            GapReason::ThirdPartyStorage => (
                "the portal keeps no activity log of third-party storage",
                Do("keep what has to be watched in rooms on the portal's own storage"),
            ),
        }
    }
}

/// What somebody can do about a gap.
enum Remedy {
    Do(&'static str),
    /// It may pass.
    Wait,
    /// It may pass; if it does not, somebody has to do this.
    WaitOr(&'static str),
}

impl Remedy {
    /// `wait` says who tries again.
    fn after(self, wait: &'static str) -> Cow<'static, str> {
        match self {
            Remedy::Do(what) => what.into(),
            Remedy::Wait => wait.into(),
            Remedy::WaitOr(what) => format!("{wait}; if that does not help, {what}").into(),
        }
    }
}
