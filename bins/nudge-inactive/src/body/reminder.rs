//! What the report says of one mail: planned, held or sent.

use audit_model::{Person, PortalText, RoomId};
use chrono::{DateTime, NaiveDate, Utc};
use safe_actions::ActionState;
use serde::{Serialize, Serializer};

/// One room that a person is reminded of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct RemindedRoom {
    pub(crate) id: RoomId,
    pub(crate) title: PortalText,
    /// Since when they are found inactive there.
    pub(crate) since: DateTime<Utc>,
    /// How many times they had been active and then inactive again, this time included.
    #[serde(skip)]
    pub(crate) series: u32,
    /// The step that is due, in days.
    pub(crate) step_days: u32,
}

/// Why somebody who is due is not written to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    Stopped,
    Snoozed(NaiveDate),
    Guest,
    NoAddress,
    /// Enough mails in a year.
    EnoughThisYear(usize),
    /// The last mail was not long enough ago.
    TooSoon,
    QuietHours,
    /// The run has sent what one run may; the next goes on.
    RunIsFull,
    TooMany {
        people: usize,
        judged: usize,
    },
    /// The window ended long ago, so what it says may be over.
    OldWindow,
    /// Nobody knows whom the settings leave in peace: an entry means nobody, or could not be looked up.
    Unclear,
}

impl Hold {
    /// Whether it is about the whole run: nobody is written to before somebody has looked.
    pub(crate) fn is_of_all(self) -> bool {
        matches!(self, Hold::TooMany { .. } | Hold::Unclear)
    }

    pub(crate) fn words(self) -> String {
        match self {
            Hold::Stopped => "the settings stop all mails to this person (`remind.stop`)".to_owned(),
            Hold::Snoozed(until) => format!("snoozed until {until} (`remind.snooze`)"),
            Hold::Guest => "guests are not written to (`remind.guests`)".to_owned(),
            Hold::NoAddress => "the portal tells no mail address".to_owned(),
            Hold::EnoughThisYear(count) => format!("{count} mails within 365 days are enough (`remind.most_per_year`)"),
            Hold::TooSoon => "the last mail was not long enough ago (`remind.apart_days`)".to_owned(),
            Hold::QuietHours => {
                "outside the hours and days for mails (`remind.hours`); a later run sends it".to_owned()
            }
            Hold::RunIsFull => "one run sends no more (`remind.most_per_run`); the next goes on".to_owned(),
            Hold::TooMany { people, judged } => format!(
                "{people} of {judged} people would be reminded at once, which is too many, so no mail was sent; check the report, and raise `remind.hold_above_percent` if it is right"
            ),
            Hold::OldWindow => {
                "the window ended more than a day ago; nobody is reminded of what may be over".to_owned()
            }
            Hold::Unclear => {
                "no mail is sent until the settings are right, because it is not clear whom they exclude; the notes say what to correct".to_owned()
            }
        }
    }
}

impl Serialize for Hold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Hold::Stopped => "stopped",
            Hold::Snoozed(_) => "snoozed",
            Hold::Guest => "guest",
            Hold::NoAddress => "no_address",
            Hold::EnoughThisYear(_) => "enough_this_year",
            Hold::TooSoon => "too_soon",
            Hold::QuietHours => "quiet_hours",
            Hold::RunIsFull => "run_is_full",
            Hold::TooMany { .. } => "too_many",
            Hold::OldWindow => "old_window",
            Hold::Unclear => "unclear",
        })
    }
}

/// One mail to one person, planned, held or sent; an action of the report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reminder {
    pub(crate) kind: &'static str,
    pub(crate) person: Person,
    pub(crate) state: ActionState,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Hold>,
    pub(crate) rooms: Vec<RemindedRoom>,
    /// Of the mail; the same however often it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// Whether a server may have taken it, of which nobody knows.
    #[serde(skip)]
    pub(crate) may_have_left: bool,
    /// Whether it leaves only within the hours for mails; in a dry run only.
    #[serde(skip)]
    pub(crate) waits_for_hours: bool,
    /// What the mail says; in a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mail: Option<ShownMail>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ShownMail {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}
