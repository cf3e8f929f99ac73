//! People and groups.

use audit_model::{Person, PersonStatus, PortalRole, PortalText, RoomId};
use uuid::{Uuid, uuid};

use crate::client::Question;
use crate::wire::{GroupDto, GroupsDto, PersonDto};
use crate::{Client, Error, ErrorKind};

/// The built-in group of everybody with an account, guests included.
pub const EVERYONE: Uuid = uuid!("c5cc67d1-c3e8-43c0-a3ad-3928ae3e5b5e");

/// An account of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub person: Person,
    /// Comes from a directory, which gives it its status back whenever they are synchronised.
    pub is_ldap: bool,
    /// Signs in through somebody else's page.
    pub is_sso: bool,
    /// The language that the person has chosen, such as `de` or `en-US`; `None` for the portal's own.
    pub culture: Option<String>,
}

/// What a person is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    pub groups: Vec<Uuid>,
    pub rooms: Vec<RoomId>,
}

/// A group of people, without those who are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: Uuid,
    pub name: PortalText,
    pub manager: Option<Person>,
    /// How many active and invited people are in it; disabled ones are not counted.
    pub size: Option<u64>,
}

impl Client {
    /// All accounts of every kind and status, by e-mail address. To a key whose owner is no admin the portal hides disabled people
    /// and says nothing of it.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct people than it says it has; `MissingRight` for users and guests.
    pub async fn people(&self) -> Result<Vec<Account>, Error> {
        const ASKED: &str = "the list of people";
        let people = self.people_of(ASKED, &[]).await?;
        // the key's owner is one of them
        if people.is_empty() {
            return Err(Error::new(ASKED, ErrorKind::IncompleteList { read: 0, total: 1 }));
        }
        Ok(people)
    }

    /// Whether the portal says that it has no such group (any more).
    ///
    /// # Errors
    /// As for [`Client::people`].
    pub async fn is_group_gone(&self, group: Uuid) -> Result<bool, Error> {
        let path = format!("group/{group}");
        let question = Question::new("a group", &path, "accounts:read or *:read");
        match self.get::<GroupDto>(question.query(&[("includeMembers", "false")])).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The error of a list of groups that is empty where somebody names one.
    pub fn no_groups() -> Error {
        Error::new("the list of groups", ErrorKind::EmptyList)
    }

    /// Everybody in a group, disabled people included, by e-mail address; empty for a group that is not there.
    ///
    /// # Errors
    /// As for [`Client::people`].
    pub async fn group_members(&self, group: Uuid) -> Result<Vec<Account>, Error> {
        if group == EVERYONE {
            return self.people().await; // it has no stored members
        }
        self.people_of("the members of a group", &[("groupId", &group.to_string())]).await
    }

    async fn people_of(&self, asked: &'static str, filter: &[(&str, &str)]) -> Result<Vec<Account>, Error> {
        // addresses are unique, unlike first names, so pages have an order to follow
        let mut query = vec![("sortBy", "email"), ("sortOrder", "ascending")];
        query.extend(filter);
        let question = Question::new(asked, "people/filter", "accounts:read or *:read").query(&query);
        let rows = self.whole_list::<Vec<PersonDto>, _>(question, |person| Some(person.id)).await?;
        Ok(rows.into_iter().map(Account::from).collect())
    }

    /// A person of the portal, or `None` when there is no such account any more.
    pub async fn person(&self, id: Uuid) -> Result<Option<Person>, Error> {
        Ok(self.account(id).await?.map(|account| account.person))
    }

    /// An account of the portal, or `None` when there is no such one any more.
    pub async fn account(&self, id: Uuid) -> Result<Option<Account>, Error> {
        let path = format!("people/{id}");
        let question = Question::new("a person's account", &path, "accounts:read or *:read");
        match self.get::<PersonDto>(question).await {
            // a removed account is answered with the placeholder for removed accounts, which is nobody
            Ok(answer) if answer.response.id == id => Ok(Some(answer.response.into())),
            Ok(_) => Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The groups and the rooms that a person is in: groups and rooms by id, rooms without those that only a group leads to. To a key
    /// whose owner is no admin the portal shows neither.
    ///
    /// # Errors
    /// `NotFound` for a person who is not there (any more); as for [`Client::rooms`].
    pub async fn memberships(&self, person: Uuid) -> Result<Memberships, Error> {
        let path = format!("people/{person}");
        let question = Question::new("a person's groups", &path, "accounts:read or *:read");
        let account = self.get::<GroupsDto>(question).await?.response;
        if account.id != person {
            return Err(Error::new("a person's groups", ErrorKind::NotFound));
        }
        let groups = account.groups.into_iter().map(|group| group.id).collect();
        let rooms = self.rooms_with_person(person).await?.into_iter().map(|room| room.fact.id).collect();
        Ok(Memberships { groups, rooms })
    }

    /// All groups that somebody made, by name; the built-in ones are never listed.
    ///
    /// # Errors
    /// `IncompleteList` when the portal gave fewer distinct groups than it says it has; `MissingRight` for users and guests.
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        let question = Question::new("the list of groups", "group", "accounts:read or *:read")
            .query(&[("sortBy", "title"), ("sortOrder", "ascending")]);
        let rows = self.whole_list::<Vec<GroupDto>, _>(question, |group| Some(group.id)).await?;
        Ok(rows.into_iter().map(Group::from).collect())
    }

    /// One group, a built-in one too, or `None` when there is no such group any more.
    pub async fn group(&self, id: Uuid) -> Result<Option<Group>, Error> {
        let path = format!("group/{id}");
        let question = Question::new("a group", &path, "accounts:read or *:read").query(&[("includeMembers", "false")]);
        match self.get::<GroupDto>(question).await {
            Ok(answer) => Ok(Some(answer.response.into())),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<PersonDto> for Account {
    fn from(dto: PersonDto) -> Self {
        Account { is_ldap: dto.is_ldap, is_sso: dto.is_sso, culture: dto.culture_name.clone(), person: person(dto) }
    }
}

impl From<GroupDto> for Group {
    fn from(dto: GroupDto) -> Self {
        let size = dto.members_count.and_then(|count| u64::try_from(count).ok());
        Group { id: dto.id, name: dto.name, manager: dto.manager.map(person), size }
    }
}

fn person(dto: PersonDto) -> Person {
    let names = [dto.first_name.trim(), dto.last_name.trim()];
    let full = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    // invited people have no name yet; the portal shows their address, but HTML-encoded
    let name = match &dto.email {
        _ if !full.is_empty() => PortalText::new(full),
        Some(email) if !email.raw().is_empty() => email.clone(),
        _ => PortalText::new(dto.display_name),
    };
    let status = dto.status.and_then(|status| match status {
        1 => Some(PersonStatus::Active),
        2 => Some(PersonStatus::Disabled),
        4 => Some(PersonStatus::Pending),
        _ => None,
    });
    // up to 3.6 the owner is an admin too, so the order counts
    let flags = [
        (dto.is_owner, PortalRole::Owner),
        (dto.is_admin, PortalRole::DocspaceAdmin),
        (dto.is_room_admin, PortalRole::RoomAdmin),
        (dto.is_visitor, PortalRole::Guest),
        (dto.is_collaborator, PortalRole::User),
    ];
    let role = flags.into_iter().find_map(|(is_set, role)| is_set.then_some(role));
    Person { id: dto.id, name, email: dto.email, status, role, registered: dto.registration_date, room_role: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(json: &str) -> Account {
        serde_json::from_str::<PersonDto>(json).unwrap().into()
    }

    /// Up to 3.6 the owner is an admin too.
    #[test]
    fn the_owner_is_the_owner_on_any_server() {
        for is_admin in [true, false] {
            let json = format!(r#"{{"id":"{EVERYONE}","isOwner":true,"isAdmin":{is_admin}}}"#);
            assert_eq!(account(&json).person.role, Some(PortalRole::Owner));
        }
        assert_eq!(account(&format!(r#"{{"id":"{EVERYONE}"}}"#)).person.role, None);
    }

    #[test]
    fn somebody_without_a_name_is_called_by_address_and_not_html_encoded() {
        let invited = account(&format!(
            r#"{{"id":"{EVERYONE}","firstName":"","displayName":"o&#39;brien@example.com","email":"o'brien@example.com","status":4}}"#
        ));
        assert_eq!(invited.person.name.raw(), "o'brien@example.com");
        assert_eq!(invited.person.status, Some(PersonStatus::Pending));
    }
}
