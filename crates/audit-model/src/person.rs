//! Who somebody is: account, role in the portal, role in a room.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{GapReason, PortalText};

/// Whether an account can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonStatus {
    Active,
    Disabled,
    /// Invited, has not signed in yet.
    Pending,
}

/// What kind of account somebody has, most powerful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalRole {
    Owner,
    /// Reads every room without being listed there.
    DocspaceAdmin,
    RoomAdmin,
    User,
    Guest,
}

impl PortalRole {
    /// The role in the words of the portal's own pages.
    pub fn words(self) -> &'static str {
        match self {
            PortalRole::Owner => "owner of the portal",
            PortalRole::DocspaceAdmin => "DocSpace admin",
            PortalRole::RoomAdmin => "room admin",
            PortalRole::User => "ordinary user",
            PortalRole::Guest => "guest",
        }
    }

    /// Whether the portal lets them read rooms that they are not members of.
    pub fn reads_every_room(self) -> bool {
        matches!(self, PortalRole::Owner | PortalRole::DocspaceAdmin)
    }
}

/// What somebody is in one room, at the time of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RoomRole {
    Owner,
    Member {
        /// The right, in words: `room manager`, `content creator`, `viewer`, …
        access: String,
        /// The groups that they are in the room through; empty for a row of their own, which counts more than any group.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        groups: Vec<PortalText>,
    },
    /// Not, or not any more.
    NoMember,
    /// The room is not there any more.
    RoomGone,
    /// The members could not be read.
    Unknown {
        #[serde(serialize_with = "GapReason::serialize_reported")]
        why: GapReason,
    },
}

/// Whom a finding is about. Absent members are unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: Uuid,
    pub name: PortalText,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<PortalText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PersonStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<PortalRole>,
    /// Since when there is the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<DateTime<Utc>>,
    /// In the room of the finding; absent when that is not one known room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_role: Option<RoomRole>,
}

impl Person {
    /// Somebody of whom only id and name are known, as rows of the audit trail have them.
    pub fn named(id: Uuid, name: PortalText) -> Self {
        Person { id, name, email: None, status: None, role: None, registered: None, room_role: None }
    }

    /// Whether an entry of a list in the settings means them: by id, in capitals and with braces or without, or by e-mail address in
    /// any case. Blanks around it do not count, and an entry of nothing means nobody.
    pub fn is_meant_by(&self, entry: &str) -> bool {
        let entry = entry.trim();
        match Uuid::parse_str(entry) {
            Ok(id) => id == self.id,
            Err(_) if entry.is_empty() => false,
            Err(_) => self.email.as_ref().is_some_and(|email| email.raw().to_lowercase() == entry.to_lowercase()),
        }
    }

    /// Whether one of the entries means them.
    pub fn is_meant_by_one_of(&self, entries: &[String]) -> bool {
        entries.iter().any(|entry| self.is_meant_by(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts that were stored before roles were known are still facts.
    #[test]
    fn a_person_without_the_newer_members_is_read() {
        let old =
            r#"{"id":"00000000-0000-0000-0000-000000000007","name":"Eve","email":"eve@example.com","status":"active"}"#;
        let person: Person = serde_json::from_str(old).unwrap();
        assert_eq!((person.role, person.registered, person.room_role.clone()), (None, None, None));
        assert_eq!(serde_json::to_string(&person).unwrap(), old);
    }

    #[test]
    fn an_entry_means_somebody_by_id_or_address() {
        let id = Uuid::from_u128(0xABCD);
        let person = Person { email: Some("Anna@Example.com".into()), ..Person::named(id, "Anna".into()) };
        let capitals = id.to_string().to_uppercase();
        for entry in [" anna@example.COM ", &id.to_string(), &format!("{{{capitals}}}"), &id.simple().to_string()] {
            assert!(person.is_meant_by(entry), "{entry}");
        }
        for entry in ["", "Anna", "anna@example.co", &Uuid::from_u128(1).to_string()] {
            assert!(!person.is_meant_by(entry), "{entry}");
        }
        for email in [None, Some("".into())] {
            let nobody = Person { email, ..person.clone() };
            assert!(!nobody.is_meant_by("anna@example.com") && !nobody.is_meant_by("") && !nobody.is_meant_by(" "));
        }
    }

    #[test]
    fn a_room_role_says_its_kind() {
        let member = RoomRole::Member { access: "viewer".to_owned(), groups: vec!["Auditors".into()] };
        let json = serde_json::to_string(&member).unwrap();
        assert_eq!(json, r#"{"kind":"member","access":"viewer","groups":["Auditors"]}"#);
        let unknown = RoomRole::Unknown { why: GapReason::KeyRefused };
        assert_eq!(serde_json::to_string(&unknown).unwrap(), r#"{"kind":"unknown","why":"permission"}"#);
    }
}
