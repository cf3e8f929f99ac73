//! What the rule says of a member, and in which words.

use audit_model::PortalRole;
use chrono::{DateTime, Utc};
use docspace_client::{Access, Member};
use serde::{Deserialize, Serialize};

/// Why a member is not judged at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Excluded {
    Disabled,
    /// Invited, has not signed in yet.
    Pending,
    /// The account is gone, or its status is not known.
    Removed,
    Robot,
    /// The account of this program's key.
    OwnAccount,
    /// A setting names them.
    Listed,
    Owner,
    Manager,
}

impl Excluded {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Excluded::Disabled => "disabled",
            Excluded::Pending => "invited only",
            Excluded::Removed => "account gone, or its status is not known",
            Excluded::Robot => "service account",
            Excluded::OwnAccount => "account that this program itself uses",
            Excluded::Listed => "excluded by the settings",
            Excluded::Owner => "owner of the room",
            Excluded::Manager => "room manager",
        }
    }
}

/// Why nobody can say whether a member is inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unsure {
    /// The window is shorter than the period.
    HistoryTooShort,
    /// The portal has not one event in the whole period.
    NoEvents,
    /// The audit trail begins inside the period.
    TrailTooShort,
    /// Part of the period could not be read.
    NotAllRead,
    /// This machine's clock is not the portal's, so nobody knows which period was looked at.
    ClocksDiffer,
    /// The log of the room could not be read, so nobody knows who joined when.
    NoRoomLog,
    /// Acts of theirs were in a room of which only the title is known.
    SomewhereElse,
    /// Somebody joined lately, and the portal does not say who.
    MayHaveJoined,
    /// Who may only read leaves no trace, and they were at the portal, or may have been.
    MayHaveRead,
}

impl Unsure {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Unsure::HistoryTooShort => "the window is shorter than `period_days`",
            Unsure::NoEvents => "the portal has no event of the whole period",
            Unsure::TrailTooShort => "the portal's audit trail begins inside the period",
            Unsure::NotAllRead => "not all of the period could be read",
            Unsure::ClocksDiffer => "this machine's clock differs from the portal's by more than a minute",
            Unsure::NoRoomLog => "the log of the room could not be read, so nobody knows who joined when",
            Unsure::SomewhereElse => "acted in a room of which only the title is known; it may be this one",
            Unsure::MayHaveJoined => "may have joined lately: the portal does not say who did, or through which group",
            Unsure::MayHaveRead => {
                "may only read, which the portal does not always record, and may have been at the portal in the period"
            }
        }
    }
}

/// What the rule says of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Excluded(Excluded),
    Active,
    /// Joined too lately to be judged.
    New {
        joined: DateTime<Utc>,
    },
    Unknown(Unsure),
    Inactive,
}

/// Whether what they do leaves traces: who may only read can be there without any.
pub(super) fn may_change(member: &Member) -> bool {
    member.is_owner
        || matches!(member.access, Access::FULL | Access::ROOM_MANAGER | Access::EDITING | Access::CONTENT_CREATOR)
}

/// How much an inactive member matters, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Risk {
    GuestWhoMayChange,
    Guest,
    MayChange,
    Reader,
}

impl Risk {
    pub(crate) fn of(member: &Member) -> Risk {
        match (member.account.person.role == Some(PortalRole::Guest), may_change(member)) {
            (true, true) => Risk::GuestWhoMayChange,
            (true, false) => Risk::Guest,
            (false, true) => Risk::MayChange,
            (false, false) => Risk::Reader,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Risk::GuestWhoMayChange => "a guest who may change documents",
            Risk::Guest => "a guest",
            Risk::MayChange => "may change documents",
            Risk::Reader => "may only read",
        }
    }
}
