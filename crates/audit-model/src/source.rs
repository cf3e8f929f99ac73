//! What of the portal rules are judged by.

/// Something that a run reads and that a rule may need. Gaps call it by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The audit trail.
    Audit,
    /// The login history.
    Logins,
    /// The list of rooms.
    Rooms,
    /// The activity log of a room.
    RoomLog,
    /// Who has an account.
    People,
    /// What folders hold.
    Folders,
    /// Folders that something was moved to.
    Destinations,
    /// Where documents are.
    Files,
}

impl Source {
    pub const ALL: [Source; 8] = [
        Source::Audit,
        Source::Logins,
        Source::Rooms,
        Source::RoomLog,
        Source::People,
        Source::Folders,
        Source::Destinations,
        Source::Files,
    ];

    /// As gaps and reports call it. It must never change.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Audit => "audit",
            Source::Logins => "logins",
            Source::Rooms => "rooms",
            Source::RoomLog => "room_log",
            Source::People => "people",
            Source::Folders => "folders",
            Source::Destinations => "destinations",
            Source::Files => "files",
        }
    }
}
