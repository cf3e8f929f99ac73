//! The people, groups and rooms of a portal, and which of them an entry of a list in the settings means.

use std::collections::BTreeMap;

use audit_model::{PortalRole, PortalText};
use uuid::Uuid;

use crate::{Account, Client, Error, ErrorKind, Group, Room};

/// What was read of a portal's people, groups and rooms. A list that nobody has read is empty, so whoever asks it reads it first, and an
/// error of reading is an answer, too: that nobody can tell.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// By id.
    pub people: BTreeMap<Uuid, Account>,
    pub groups: Vec<Group>,
    /// Who is in a group, for those of which that was read.
    pub members: BTreeMap<Uuid, Vec<Uuid>>,
    /// By id.
    pub rooms: Vec<Room>,
}

impl Directory {
    /// Reads all accounts of every kind and status.
    ///
    /// # Errors
    /// As for [`Client::people`].
    pub async fn read_people(&mut self, client: &Client) -> Result<(), Error> {
        self.people = by_id(client.people().await?);
        Ok(())
    }

    /// Reads all groups that somebody made, without who is in them.
    ///
    /// # Errors
    /// As for [`Client::groups`].
    pub async fn read_groups(&mut self, client: &Client) -> Result<(), Error> {
        self.groups = client.groups().await?;
        Ok(())
    }

    /// Reads who is in a group.
    ///
    /// # Errors
    /// As for [`Client::people`]; `IncompleteList` also for nobody in a group that has people as the list of groups says, if that was read.
    pub async fn read_members(&mut self, group: Uuid, client: &Client) -> Result<(), Error> {
        let members = client.group_members(group).await?;
        let listed = self.groups.iter().find(|listed| listed.id == group).and_then(|group| group.size);
        if let Some(total) = listed.filter(|size| members.is_empty() && *size > 0) {
            return Err(Error::new("the members of a group", ErrorKind::IncompleteList { read: 0, total }));
        }
        self.members.insert(group, members.into_iter().map(|account| account.person.id).collect());
        Ok(())
    }

    /// Reads all rooms that the account can see.
    ///
    /// # Errors
    /// As for [`Client::rooms`].
    pub async fn read_rooms(&mut self, client: &Client) -> Result<(), Error> {
        self.rooms = client.rooms().await?;
        Ok(())
    }

    /// Whom an entry means, as [`audit_model::Person::is_meant_by`] understands it; ids and e-mail addresses are unique.
    pub fn person(&self, entry: &str) -> Option<&Account> {
        match Uuid::parse_str(entry.trim()) {
            Ok(id) => self.people.get(&id),
            Err(_) => self.by_email(entry),
        }
    }

    /// Who has this e-mail address, in any case, and nobody for one of nothing; for texts that somebody typed, of which none is an id.
    pub fn by_email(&self, email: &str) -> Option<&Account> {
        let wanted = email.trim().to_lowercase();
        let is_own = |own: &PortalText| !wanted.is_empty() && own.raw().to_lowercase() == wanted;
        self.people.values().find(|account| account.person.email.as_ref().is_some_and(is_own))
    }

    /// Which groups an entry means, as [`Group::is_meant_by`] understands it; several can have one name.
    pub fn groups_meant_by<'d>(&'d self, entry: &'d str) -> impl Iterator<Item = &'d Group> {
        self.groups.iter().filter(move |group| group.is_meant_by(entry))
    }

    /// Which rooms an entry means, as [`audit_model::RoomFact::is_meant_by`] understands it; several can have one title.
    pub fn rooms_meant_by<'d>(&'d self, entry: &'d str) -> impl Iterator<Item = &'d Room> {
        self.rooms.iter().filter(move |room| room.fact.is_meant_by(entry))
    }

    /// What a person is in the portal; `None` when that is not known, or there is no such account any more.
    pub fn role(&self, person: Uuid) -> Option<PortalRole> {
        self.people.get(&person).and_then(|account| account.person.role)
    }

    /// Whether a person is the portal's owner or a DocSpace admin.
    pub fn is_admin(&self, person: Uuid) -> bool {
        matches!(self.role(person), Some(PortalRole::Owner | PortalRole::DocspaceAdmin))
    }
}

fn by_id(people: Vec<Account>) -> BTreeMap<Uuid, Account> {
    people.into_iter().map(|account| (account.person.id, account)).collect()
}

impl FromIterator<Account> for Directory {
    fn from_iter<I: IntoIterator<Item = Account>>(people: I) -> Self {
        Directory { people: by_id(people.into_iter().collect()), ..Directory::default() }
    }
}

impl Group {
    /// Whether an entry of a list in the settings means this group: by id, with braces or without, or by its exact name.
    pub fn is_meant_by(&self, entry: &str) -> bool {
        let is_called = !entry.trim().is_empty() && self.name.raw() == entry;
        is_called || Uuid::parse_str(entry.trim()).is_ok_and(|id| id == self.id)
    }
}

#[cfg(test)]
mod tests {
    use audit_model::{Person, RoomFact, RoomId};

    use super::*;

    fn account(id: u128, email: &str, role: Option<PortalRole>) -> Account {
        let person = Person { email: Some(email.into()), role, ..Person::named(Uuid::from_u128(id), "Anna".into()) };
        Account { person, is_ldap: false, is_sso: false, culture: None }
    }

    fn room(id: i64, title: &str) -> Room {
        let fact = RoomFact { id: RoomId::Number(id), title: title.into(), room_type: None, created: None };
        Room { fact, archived: false, owner: None, files: None, folders: None }
    }

    #[test]
    fn people_are_meant_by_id_and_address() {
        let invited = account(9, "", None);
        let people =
            [account(7, "Anna@example.com", None), account(8, "bob@example.com", Some(PortalRole::Owner)), invited];
        let directory: Directory = people.into_iter().collect();
        let found = |entry: &str| directory.person(entry).map(|account| account.person.id.as_u128());
        let braced = format!(" {{{}}}", Uuid::from_u128(8).to_string().to_uppercase());
        assert_eq!([" anna@EXAMPLE.com ", &braced, "Anna", ""].map(found), [Some(7), Some(8), None, None]);
        assert_eq!([7, 8, 9].map(|id| directory.is_admin(Uuid::from_u128(id))), [false, true, false]);
    }

    #[test]
    fn groups_and_rooms_are_meant_by_id_and_exact_name() {
        let group = |id, name: &str| Group { id: Uuid::from_u128(id), name: name.into(), manager: None, size: None };
        let groups = vec![group(7, "Board"), group(8, "Board"), group(9, "Staff"), group(10, "")];
        let rooms = vec![room(71, "Falcon"), room(72, "71"), room(73, "")];
        let directory = Directory { groups, rooms, ..Directory::default() };
        let groups = |entry: &str| directory.groups_meant_by(entry).map(|group| group.id.as_u128()).collect::<Vec<_>>();
        let braced = format!("{{{}}}", Uuid::from_u128(9));
        assert_eq!([groups("Board"), groups("board"), groups(&braced)], [vec![7, 8], vec![], vec![9]]);
        let rooms =
            |entry: &str| directory.rooms_meant_by(entry).map(|room| room.fact.id.to_string()).collect::<Vec<_>>();
        assert_eq!(rooms("Falcon"), ["71"]);
        assert_eq!(rooms(" 71 "), ["71"]);
        assert_eq!(rooms("71"), ["71", "72"], "an id and a title");
        assert_eq!([rooms("falcon"), rooms(""), rooms(" ")], [[""; 0]; 3]);
        assert_eq!([groups(""), groups(" ")], [[0; 0]; 2]);
    }
}
