//! The kinds of misbehaviour, as they stand in scenario files and in `POST /__sim/faults`.
//!
//! Each kind has a line in the crate's README and a test that observes it over HTTP.

use serde::{Deserialize, Serialize};

use super::meanwhile::{Intervention, Side};
use crate::scenario::{PersonKind, Traffic};

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// This status, with the body that the portal or its proxy sends with it.
    Status {
        /// HTTP status.
        status: u16,
        /// Which body, where a status comes with several.
        #[serde(default)]
        body: Option<FaultBody>,
    },
    /// 429 with an empty body and the headers of the limiter.
    TooManyRequests {
        /// Seconds in `Retry-After`; absent sends none, as the portal's one-minute limit does.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// 429 of a certain limiter; `X-RateLimit-Reset` and `Retry-After` come together or not at all.
    Limited {
        /// Which limiter refuses.
        by: LimitKind,
        /// Seconds in `Retry-After`. The portal itself sends it with the day's limit only.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The error envelope of an exception with this type, which a server may fill with anything.
    Exception {
        /// HTTP status.
        #[serde(default = "internal_error")]
        status: u16,
        /// Name of the exception's type.
        #[serde(rename = "type")]
        class: String,
        /// Its message.
        #[serde(default)]
        message: String,
    },
    /// The true list with rows left out; 200, and `count` is what is left. Other answers stay as they are.
    FewerRows {
        /// How many; absent leaves out all of them.
        #[serde(default)]
        drop: Option<u32>,
        /// Position of the first that is left out; absent leaves out the last ones.
        #[serde(default)]
        at: Option<u32>,
        /// What `total` says instead of the truth, where the list has one.
        #[serde(default)]
        total: Option<i64>,
    },
    /// The true list with rows of another form. Other answers stay as they are.
    OddRows {
        /// What is odd about them.
        form: RowForm,
        /// Rows whose id is divisible by this; absent means all. Ids that are no numbers are hashed first.
        #[serde(default)]
        every: Option<u32>,
        /// This row alone.
        #[serde(default)]
        id: Option<String>,
    },
    /// 200 with something else than what the route answers.
    OddAnswer {
        /// What comes.
        form: AnswerForm,
    },
    /// The bytes of a file come back changed, as many as there are, as behind a scanner or a proxy. Other answers stay as they are.
    OtherBytes,
    /// What was asked for is done, and then this status is answered.
    DoneThenStatus {
        /// HTTP status.
        status: u16,
    },
    /// What was asked for is done, and then the connection is reset before any byte of the answer.
    DoneThenReset,
    /// The connection is reset before any byte of the answer.
    Reset,
    /// The connection is reset after half of the body.
    ResetInside,
    /// The true answer, cut in the middle of its body.
    Truncated,
    /// The true answer, its body in pieces with pauses between them.
    Slow {
        /// How many pieces.
        pieces: u32,
        /// Milliseconds before each piece but the first.
        pause_ms: u64,
    },
    /// The answer comes late.
    Latency {
        /// Milliseconds.
        ms: u64,
        /// Up to so many more, drawn from the fault's seed.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// The caller's address is blocked: 403 with a text, or with a JSON string for those who want JSON alone.
    Blocked,
    /// The portal is not paid for: 402 with bare problem details, except on the routes that stay open then.
    Unpaid,
    /// The portal is suspended: 404 with bare problem details, except for the portal's settings, which say so.
    Suspended,
    /// The tariff's seats are taken: what would take another one is 402 with a message.
    FullSeats,
    /// What would change something answers as if it had, and changes nothing.
    Unchanged,
    /// The audit trail's filters are ignored, as without the audit feature, but the quota still claims to have it.
    Fallback,
    /// The `Date` header is wrong by so many seconds; the answers are not.
    ClockSkew {
        /// Seconds; above zero the portal's clock seems fast.
        seconds: i64,
    },
    /// The portal's clock moves before the request is answered.
    TimePasses {
        /// Seconds; below zero it goes back.
        seconds: i64,
    },
    /// Somebody else does something over the API. A request that the portal refuses them makes this one a 500.
    Meanwhile {
        /// What they do.
        request: Box<Intervention>,
        /// When.
        #[serde(default)]
        side: Side,
    },
    /// An account is changed by no request: by the synchronisation with a directory, or on a page without a simulated
    /// route.
    AccountChanges {
        /// E-mail address of the account.
        person: String,
        /// 1 active, 2 disabled, 4 pending; absent leaves it.
        #[serde(default)]
        status: Option<i32>,
        /// Its new role, with the row of a changed type (4019) if somebody is named who gave it; absent leaves it.
        #[serde(default)]
        role: Option<PersonKind>,
        /// E-mail address of who gave the role.
        #[serde(default)]
        by: Option<String>,
        /// When.
        #[serde(default)]
        side: Side,
    },
    /// The document server saves what was typed into an open document. It asks for no right, and not whether the account that typed is
    /// still active.
    EditorSaves {
        /// Id of the document, which must be open.
        file: i32,
        /// When.
        #[serde(default)]
        side: Side,
    },
    /// The rows that the request writes enter the audit trail late; with neither member, never.
    LateRows {
        /// So many later requests are answered before.
        #[serde(default)]
        requests: Option<u64>,
        /// So many seconds of the portal's clock pass before.
        #[serde(default)]
        seconds: Option<u32>,
    },
    /// A change of the IP restrictions saves the list and loses the switch; the answer is the usual one.
    LostSwitch,
    /// What is read, and who is let in, follows IP restrictions as another process remembers them.
    Stale {
        /// Before how many of the latest changes; one, unless it is given.
        #[serde(default = "one")]
        changes: usize,
        /// What is remembered; absent for list and switch.
        #[serde(default)]
        what: Option<Remembered>,
    },
    /// Rows enter the audit trail before the request is answered; late ones carry an old date and a new id.
    Arrive {
        /// The rows; their times are relative to the portal's clock at the moment of arrival.
        traffic: Vec<Traffic>,
    },
}

fn internal_error() -> u16 {
    500
}

fn one() -> usize {
    1
}

/// The halves of the IP restrictions, which are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remembered {
    /// The addresses.
    List,
    /// Whether the list counts.
    Switch,
}

/// What a row looks like that no client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowForm {
    /// Without its date.
    NoDate,
    /// An id beyond 64 bits.
    HugeId,
    /// A person whose id is no GUID.
    NoGuid,
    /// `null` in place of the row.
    Null,
    /// A text in place of the row.
    Text,
}

/// What comes in place of the portal's envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// `{"response":null}`
    NullResponse,
    /// `{}`
    NoMembers,
    /// The envelope with an object where the route has a list, and the other way round.
    OtherResponse,
    /// `[]`
    List,
    /// A JSON string.
    Text,
    /// A page for browsers, as of a proxy that wants somebody to sign in.
    Html,
}

/// The kinds of error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// No body: dead key, missing scope, unknown route.
    Empty,
    /// `{"error": …}`: an exception of the action.
    Error,
    /// The error envelope of a database that is down; comes with 403.
    Database,
    /// Bare problem details: unpaid or suspended portal.
    Problem,
    /// Plain text: the caller's address is blocked.
    Text,
    /// The same as a JSON string.
    JsonText,
    /// The proxy's page.
    Html,
}

/// The portal's limiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Requests of any verb within a minute.
    Minute,
    /// GET requests at the same time.
    Reads,
    /// Other requests at the same time.
    Writes,
    /// POST and PUT within a day.
    Day,
    /// Calls of one sensitive route within a quarter of an hour.
    Sensitive,
}

impl LimitKind {
    /// The portal's default, which is also what `X-RateLimit-Limit` says.
    #[must_use]
    pub fn usual(self) -> u32 {
        match self {
            LimitKind::Minute => 1500,
            LimitKind::Reads => 50,
            LimitKind::Writes => 15,
            LimitKind::Day => 10_000,
            LimitKind::Sensitive => 5,
        }
    }
}

impl FaultKind {
    /// Whether it means anything for this request; others do not count for `skip` and `times`.
    pub(super) fn concerns(&self, method: &str, route: &str) -> bool {
        match self {
            FaultKind::FullSeats => !method.eq_ignore_ascii_case("GET") && route.starts_with("people"),
            FaultKind::Unchanged | FaultKind::LateRows { .. } => !method.eq_ignore_ascii_case("GET"),
            FaultKind::LostSwitch => {
                !method.eq_ignore_ascii_case("GET") && route.starts_with("settings/iprestrictions")
            }
            // the handler of files has no path behind that of the API
            FaultKind::OtherBytes => route.is_empty(),
            FaultKind::Stale { .. } => method.eq_ignore_ascii_case("GET"),
            FaultKind::Fallback => route.starts_with("security/audit/") && route.ends_with("/filter"),
            _ => true,
        }
    }

    /// Whether it says what is answered; of these only the first that fits a request counts.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(
            self,
            FaultKind::Latency { .. }
                | FaultKind::ClockSkew { .. }
                | FaultKind::Arrive { .. }
                | FaultKind::Fallback
                | FaultKind::TimePasses { .. }
                | FaultKind::Meanwhile { .. }
                | FaultKind::AccountChanges { .. }
                | FaultKind::EditorSaves { .. }
                | FaultKind::LateRows { .. }
                | FaultKind::LostSwitch
                | FaultKind::Stale { .. }
        )
    }
}
