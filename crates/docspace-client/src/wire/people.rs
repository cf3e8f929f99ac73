//! People, groups, and rows of member lists.

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::maybe_instant;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonDto {
    pub(crate) id: Uuid,
    #[serde(default)]
    pub(crate) first_name: String,
    #[serde(default)]
    pub(crate) last_name: String,
    /// HTML-encoded, unlike the two above.
    #[serde(default)]
    pub(crate) display_name: String,
    pub(crate) email: Option<PortalText>,
    /// 1 active, 2 disabled, 4 invited.
    pub(crate) status: Option<i32>,
    /// False for the owner, since 3.7.
    #[serde(default)]
    pub(crate) is_admin: bool,
    #[serde(default)]
    pub(crate) is_owner: bool,
    #[serde(default)]
    pub(crate) is_room_admin: bool,
    /// An ordinary user.
    #[serde(default)]
    pub(crate) is_collaborator: bool,
    /// A guest.
    #[serde(default)]
    pub(crate) is_visitor: bool,
    #[serde(default, rename = "isLDAP")]
    pub(crate) is_ldap: bool,
    #[serde(default, rename = "isSSO")]
    pub(crate) is_sso: bool,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) registration_date: Option<DateTime<Utc>>,
    /// Absent where it is the portal's.
    pub(crate) culture_name: Option<String>,
}

/// The groups of a person.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupsDto {
    pub(crate) id: Uuid,
    /// Absent where there are none.
    #[serde(default)]
    pub(crate) groups: Vec<ShortGroupDto>,
}

/// A group as people name it; of its members only the id is of use.
#[derive(Deserialize)]
pub(crate) struct ShortGroupDto {
    pub(crate) id: Uuid,
}

/// A person as authors of things are named; of its members only the id is of use.
#[derive(Deserialize)]
pub(crate) struct ShortPersonDto {
    pub(crate) id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupDto {
    pub(crate) id: Uuid,
    #[serde(default)]
    pub(crate) name: PortalText,
    pub(crate) manager: Option<PersonDto>,
    /// Without the disabled ones.
    pub(crate) members_count: Option<i64>,
}

/// A row of a room's member list: a person or a group.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShareDto {
    #[serde(default)]
    pub(crate) access: i32,
    shared_to_user: Option<PersonDto>,
    shared_to_group: Option<GroupRefDto>,
    /// A copy of one of the two above, and all that servers before 3.5 send.
    shared_to: Option<Value>,
    #[serde(default)]
    pub(crate) is_owner: bool,
    subject_type: Option<i32>,
}

/// A group as rows name it; the manager there is a user name.
#[derive(Deserialize)]
pub(crate) struct GroupRefDto {
    pub(crate) id: Uuid,
    #[serde(default)]
    pub(crate) name: PortalText,
}

/// Whom a row of a member list is about.
pub(crate) enum Subject {
    Person(Box<PersonDto>),
    Group(GroupRefDto),
}

/// The portal's number for groups in `subjectType`; people are 0.
const GROUP: i32 = 2;

impl ShareDto {
    /// What tells rows apart; `None` for a link, or for a row that names nobody.
    pub(crate) fn id(&self) -> Option<Uuid> {
        let user = self.shared_to_user.as_ref().map(|user| user.id);
        let named = user.or(self.shared_to_group.as_ref().map(|group| group.id));
        named.or_else(|| self.shared_to.as_ref()?.get("id")?.as_str()?.parse().ok())
    }

    pub(crate) fn into_subject(self) -> Option<Subject> {
        match (self.shared_to_user, self.shared_to_group, self.shared_to) {
            (Some(user), _, _) => Some(Subject::Person(Box::new(user))),
            (None, Some(group), _) => Some(Subject::Group(group)),
            (None, None, Some(copy)) if self.subject_type == Some(GROUP) => {
                GroupRefDto::deserialize(copy).ok().map(Subject::Group)
            }
            (None, None, Some(copy)) => PersonDto::deserialize(copy).ok().map(|user| Subject::Person(Box::new(user))),
            (None, None, None) => None,
        }
    }
}

/// A person who is in a room through a group. The own right of the person is not needed: it has a row in the member list.
#[derive(Deserialize)]
pub(crate) struct GroupMemberDto {
    pub(crate) user: Option<PersonDto>,
}
