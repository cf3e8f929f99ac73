//! What a simulated portal holds: people, keys, rooms, events, logins.
//!
//! Plain data with public members; ids and texts that follow from other members are filled in by `Scenario`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::row::Stored;

/// The account that failed logins and anonymous editors are booked on.
pub const GUEST: Uuid = Uuid::from_u128(0x712d_9ec3_5d2b_4b13_824f_71f0_0191_dcca);
/// The portal's own account.
pub const SYSTEM: Uuid = Uuid::from_u128(0xa37e_e56e_3302_4a7b_b67e_ddbe_a64c_d032);

/// The room type of AI agents.
const AGENT: i32 = 9;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// The portal's owner.
    Owner,
    /// DocSpace administrator.
    Admin,
    /// May create rooms.
    RoomAdmin,
    /// Ordinary member.
    #[default]
    User,
    /// Guest, only in rooms they were invited to.
    Guest,
}

impl PersonKind {
    /// Whether the audit trail is open to them.
    #[must_use]
    pub fn is_admin(self) -> bool {
        matches!(self, PersonKind::Owner | PersonKind::Admin)
    }
}

/// An account of the portal.
#[derive(Debug, Clone)]
pub struct Person {
    /// The portal's id.
    pub id: Uuid,
    /// First name, not encoded.
    pub first_name: String,
    /// Last name, not encoded.
    pub last_name: String,
    /// E-mail address; also how scenarios name people.
    pub email: String,
    /// What they may do.
    pub kind: PersonKind,
    /// 1 active, 2 disabled, 4 pending.
    pub status: i32,
    /// Where their requests come from unless an event says otherwise.
    pub ip: String,
    /// Whether the account comes from a directory.
    pub is_ldap: bool,
    /// The language they chose, such as `de`; `None` for the portal's.
    pub culture: Option<String>,
}

impl Person {
    /// An active ordinary member with an id made from the e-mail address, so it is the same in every run.
    #[must_use]
    pub fn new(email: &str, first_name: &str, last_name: &str) -> Person {
        Person {
            id: Uuid::from_u64_pair(digest(email, 1), digest(email, 2)),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: email.to_owned(),
            kind: PersonKind::User,
            status: 1,
            ip: "192.0.2.10".to_owned(),
            is_ldap: false,
            culture: None,
        }
    }

    /// With another kind of account.
    #[must_use]
    pub fn kind(mut self, kind: PersonKind) -> Person {
        self.kind = kind;
        self
    }

    /// With this id.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Person {
        self.id = id;
        self
    }

    /// First and last name, or the one there is; Chinese names start with the last one, without a space.
    #[must_use]
    pub fn display_name(&self) -> String {
        let chinese = |name: &str| name.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if chinese(&self.first_name) || chinese(&self.last_name) {
            return format!("{}{}", self.last_name, self.first_name);
        }
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// An API key.
#[derive(Debug, Clone)]
pub struct Key {
    /// The whole key: `sk-` and 64 hexadecimal digits. Any other text is a personal access token, which has no scopes.
    pub key: String,
    /// Whose it is.
    pub person: Uuid,
    /// Scopes such as `*:read`; empty means all.
    pub scopes: Vec<String>,
    /// When it dies.
    pub expires: Option<DateTime<Utc>>,
    /// Switched on.
    pub active: bool,
    /// When it was last used; the portal notes each use, also one that it refuses because the person is disabled.
    pub used: Option<DateTime<Utc>>,
    /// Where requests with it come from. Without an address they come from this machine, which IP restrictions never
    /// refuse, and rows name the person's usual address.
    pub from: Option<IpAddr>,
}

impl Key {
    /// An unrestricted key with digits made from the person's id.
    #[must_use]
    pub fn of(person: &Person) -> Key {
        let digits: String = (1..=4).map(|part| format!("{:016x}", digest(&person.email, 100 + part))).collect();
        Key {
            key: format!("sk-{digits}"),
            person: person.id,
            scopes: Vec::new(),
            expires: None,
            active: true,
            used: None,
            from: None,
        }
    }

    /// Switched on and not expired.
    pub(crate) fn is_alive(&self, now: DateTime<Utc>) -> bool {
        self.active && self.expires.is_none_or(|expires| expires > now)
    }

    /// Restricted to these scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Key {
        self.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self
    }
}

/// A room.
#[derive(Debug, Clone)]
pub struct Room {
    /// Folder id of the room.
    pub id: i32,
    /// The title it has now.
    pub title: String,
    /// 8 is a virtual data room; 1, 2, 5, 6 are the others, and 9 is an AI agent, which has a list of its own.
    pub room_type: i32,
    /// In the archive.
    pub archived: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Its owner.
    pub owner: Uuid,
    /// Who else may read it.
    pub members: Vec<Uuid>,
    /// Earlier titles and when they ended, oldest first.
    pub former: Vec<(DateTime<Utc>, String)>,
}

impl Room {
    /// A virtual data room, made long ago. `Scenario::add_room` gives it to the portal's owner if it has no owner.
    #[must_use]
    pub fn vdr(id: i32, title: &str) -> Room {
        Room {
            id,
            title: title.to_owned(),
            room_type: 8,
            archived: false,
            created: DateTime::UNIX_EPOCH,
            owner: Uuid::nil(),
            members: Vec::new(),
            former: Vec::new(),
        }
    }

    /// With another room type.
    #[must_use]
    pub fn room_type(mut self, room_type: i32) -> Room {
        self.room_type = room_type;
        self
    }

    /// Whether it is an AI agent: stored like a room, and listed elsewhere.
    #[must_use]
    pub fn is_agent(&self) -> bool {
        self.room_type == AGENT
    }

    /// The title at that instant.
    #[must_use]
    pub fn title_at(&self, at: DateTime<Utc>) -> &str {
        self.former.iter().find(|(until, _)| at < *until).map_or(&self.title, |(_, title)| title)
    }
}

/// Where a Documents event happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// Nowhere the portal knows; `context` is the location's name.
    #[default]
    None,
    /// In this room, with the title it had then (filled in by `Scenario::add_event` if empty).
    Room {
        /// The room.
        id: i32,
        /// Its title at the time.
        title: String,
    },
    /// In this AI agent, which is told apart from a room by the word before its title alone.
    Agent {
        /// The agent.
        id: i32,
        /// Its title at the time.
        title: String,
    },
    /// In somebody's own documents.
    MyDocuments,
}

/// A row of the audit trail.
#[derive(Debug, Clone)]
pub struct Event {
    /// Insertion id; 0 lets `Scenario::add_event` give the next one.
    pub id: i64,
    /// True instant of the act.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: Uuid,
    /// Shown instead of a name when the actor is no account: `DocsService`, `AutoCleanUp`, …
    pub initiator: Option<String>,
    /// Number of the action.
    pub action: i32,
    /// Ids it concerns, as stored: file, or room, or entry and destination.
    pub target: Vec<String>,
    /// What fills the action's text; the first is the title of the file.
    pub texts: Vec<String>,
    /// Where.
    pub place: Place,
    /// The person concerned, for room membership events.
    pub about: Option<Uuid>,
    /// Stored address; `None` leaves the member out.
    pub ip: Option<String>,
    /// A row that the portal cannot convert: every page that holds it is a 500.
    pub poison: bool,
    /// The columns as stored, instead of what follows from the other members.
    pub stored: Option<Stored>,
}

impl Event {
    /// An act by this account, at this time, with nothing else known.
    #[must_use]
    pub fn new(action: i32, actor: Uuid, at: DateTime<Utc>) -> Event {
        Event {
            id: 0,
            at,
            actor,
            initiator: None,
            action,
            target: Vec::new(),
            texts: Vec::new(),
            place: Place::None,
            about: None,
            ip: None,
            poison: false,
            stored: None,
        }
    }

    /// On this file.
    #[must_use]
    pub fn file(mut self, id: i32, title: &str) -> Event {
        self.target = vec![id.to_string()];
        self.texts = vec![title.to_owned()];
        self
    }

    /// Inside this room, under the title the room had then.
    #[must_use]
    pub fn in_room(mut self, id: i32) -> Event {
        self.place = Place::Room { id, title: String::new() };
        self
    }

    /// With this insertion id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Event {
        self.id = id;
        self
    }

    /// From this address.
    #[must_use]
    pub fn ip(mut self, ip: &str) -> Event {
        self.ip = Some(ip.to_owned());
        self
    }

    /// A tag named `{x}`: the row that the portal cannot read back.
    #[must_use]
    pub fn poison(actor: Uuid, at: DateTime<Utc>) -> Event {
        let mut event = Event::new(5076, actor, at);
        event.texts = vec!["{x}".to_owned()];
        event.poison = true;
        event
    }
}

/// A row of the login history.
#[derive(Debug, Clone)]
pub struct Login {
    /// Insertion id; 0 lets `Scenario::add_login` give the next one.
    pub id: i64,
    /// True instant.
    pub at: DateTime<Utc>,
    /// Whose login; [`GUEST`] for failed ones.
    pub user: Uuid,
    /// What was typed; absent for most successes.
    pub login: Option<String>,
    /// 1029 success, 1013 failure, 1006 logout, …
    pub action: i32,
    /// Stored address.
    pub ip: String,
    /// Where the address is registered; the portal looks it up.
    pub country: Option<String>,
    /// The page, instead of the portal's login page: `request-x-real-ip` in its query sets the address.
    pub page: Option<String>,
    /// The columns as stored, instead of what follows from the other members.
    pub stored: Option<Stored>,
}

impl Login {
    /// A login through the web form.
    #[must_use]
    pub fn success(person: &Person, at: DateTime<Utc>) -> Login {
        Login { user: person.id, login: None, action: 1029, ..Login::failure("", &person.ip, at) }
    }

    /// A row without an address: the portal cannot read it back, and every page that holds it is a 500.
    #[must_use]
    pub fn poison(person: &Person, at: DateTime<Utc>) -> Login {
        Login { stored: Some(Stored::default()), ..Login::success(person, at) }
    }

    /// A wrong password; the portal books it on the guest account.
    #[must_use]
    pub fn failure(email: &str, ip: &str, at: DateTime<Utc>) -> Login {
        Login {
            id: 0,
            at,
            user: GUEST,
            login: Some(email.to_owned()),
            action: 1013,
            ip: ip.to_owned(),
            country: None,
            page: None,
            stored: None,
        }
    }
}

/// Sixty-four bits that depend only on the text and the salt (FNV-1a, then a finishing mix).
pub(crate) fn digest(text: &str, salt: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash)
}

/// The finishing step of `SplitMix64`: every input bit reaches every output bit.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
