//! Why something could not be seen, and what to do about it, in sentences for people.

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

    /// What is the matter, without a full stop.
    pub fn meaning(self) -> &'static str {
        self.words().0
    }

    /// What to do about it, without a full stop.
    pub fn remedy(self) -> &'static str {
        self.words().1
    }

    /// What is the matter and what to do about it, without a full stop. [`Gap::explanation`](crate::Gap::explanation) knows the source, too.
    pub fn explanation(self) -> String {
        let (meaning, remedy) = self.words();
        format!("{meaning}; {remedy}")
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            GapReason::AuditFeatureMissing => (
                "the portal's plan has no audit feature, so its records cannot be searched",
                "upgrade to a plan that includes the audit trail",
            ),
            GapReason::BeyondRetention => (
                "the portal no longer keeps what is so old, but what an earlier run read of it is still used",
                "raise the lifetime of the login history in the portal's security settings",
            ),
            GapReason::UnreadableRow => {
                ("the portal fails on a row that is stored here", "ask whoever runs the server to repair it")
            }
            GapReason::UnknownForm => (
                "the server answered in a form that this version does not know",
                "install a newer version, or report it to its makers",
            ),
            GapReason::BudgetExhausted => (
                "the run reached a limit before it came to this",
                "raise `run_limit` or `budget`, or run more often; where the portal is slow, ask whoever runs the server",
            ),
            GapReason::Postponed => (
                "the portal did not tell this in the time for which alerts wait",
                "the next run asks again; where the portal is slow, ask whoever runs the server",
            ),
            GapReason::PortalError => {
                ("the portal failed, could not be reached, or did not answer as it should", "the next run tries again")
            }
            GapReason::UnstablePaging => ("more events at one moment than the portal can list", "look there by hand"),
            GapReason::Permission => {
                ("the key may not read this", "use the key of a DocSpace admin or the owner, with the scope `*:read`")
            }
            GapReason::ClockSkew => (
                "the clocks of this machine and of the portal differ by more than a minute",
                "set this machine's clock by NTP",
            ),
            GapReason::StoreError => (
                "this program's own store, or another file that it needs, could not be used",
                "the notes say which, and why",
            ),
            GapReason::RoomUnreadable => {
                ("the portal did not show rooms or the log of one", "the next run tries again")
            }
            GapReason::NotSettled => ("so recent that the portal may still be storing events of it", "run again later"),
            GapReason::NothingRecorded => (
                "the portal lists nothing at all, ever, and it must have something: making an API key alone leaves an event",
                "look at what stands between this machine and the portal, such as a proxy",
            ),
            GapReason::Interrupted => {
                ("somebody ended the run before it came to this", "run it again: it goes on from here")
            }
            GapReason::KeyRefused => (
                "the portal does not accept the key: it is unknown, expired or switched off, or its owner is disabled",
                "make a new one and put it in its place",
            ),
            GapReason::AddressBlocked => (
                "the portal's address list refuses this machine",
                "add this machine's address to the list, or use the key of the portal's owner",
            ),
            GapReason::RouteClosed => (
                "the portal closed the route: the key is dead or lacks the scope, or the portal is being restored",
                "make a new key with the scope `*:read`, unless the portal is being restored",
            ),
            GapReason::Unreachable => ("the portal does not answer", "check the address, DNS, firewall and proxy"),
            GapReason::SpeaksTls => ("this port speaks TLS, and was asked without", "use an address with `https://`"),
            GapReason::SpeaksPlainHttp => (
                "this port speaks plain HTTP, and was asked for TLS",
                "use an address with `http://` (with `--allow-http`), or the port for TLS",
            ),
            GapReason::CertificateRefused => (
                "the portal's certificate is not trusted, so nothing was asked",
                "run `doctor`: it says what is wrong with the certificate, and what to do",
            ),
            GapReason::EndedEarly => (
                "the connection broke before the portal's answer was complete",
                "the next run tries again; if that does not help, look at the proxies on the way to the portal",
            ),
            GapReason::TimedOut => (
                "the portal gave no complete answer in time",
                "the next run tries again; if that does not help, ask whoever runs the server",
            ),
            GapReason::Unpaid => {
                ("the portal is not paid, so it answers nothing", "have its owner renew the subscription")
            }
            GapReason::NoPortal => (
                "the portal is suspended or being removed, or there is none at this address",
                "check the address, or ask the portal's owner",
            ),
            GapReason::NotAPortal => (
                "what answered is no DocSpace portal, but perhaps a proxy or a page to sign in at",
                "check the address, and what stands between this machine and the portal",
            ),
            GapReason::Redirected => (
                "the portal redirects to another address, which is not followed, because it would get the key",
                "set the address that `doctor` names",
            ),
            GapReason::ServerTooOld => {
                ("this server does not know the question", "update the server; DocSpace 3.2 or newer is needed")
            }
            GapReason::QuestionRefused => (
                "this server does not accept the question",
                "install a newer version of this program, or report it to its makers",
            ),
            GapReason::TooManyRequests => (
                "the portal's limit of requests was reached, which everything shares that runs as the key's owner",
                "the next run tries again; if that does not help, use the key of an account of its own",
            ),
            GapReason::ProxyFailed => (
                "the proxy in front of the portal failed, as it does while the portal restarts",
                "the next run tries again; if that does not help, ask whoever runs the server",
            ),
            GapReason::DatabaseDown => (
                "the portal's database does not answer",
                "the next run tries again; if that does not help, ask whoever runs the server",
            ),
            GapReason::ServerFailed => (
                "the portal failed on the question",
                "the next run tries again; if that does not help, ask whoever runs the server",
            ),
            GapReason::ListIncomplete => (
                "the list changed while it was read, or rows are missing from it",
                "the next run reads it again; if that does not help, look at what stands between this machine and the portal",
            ),
            GapReason::ListEmpty => (
                "the list is empty, though something must be in it",
                "look at what stands between this machine and the portal, such as a proxy",
            ),
            GapReason::NotThere => {
                ("the portal says that this is not there", "check the address, and whether somebody removed it")
            }
            GapReason::ThirdPartyStorage => (
                "the portal keeps no activity log of third-party storage",
                "keep what has to be watched in rooms of the portal's own storage",
            ),
        }
    }
}
