//! Who is in a room.
//!
//! The member list has one row for a group, and rows whose own right wins over the group's. Its rows are not filtered by status:
//! disabled and invited people are in it. To somebody who may not see it, it is empty.

use std::collections::HashMap;
use std::fmt;

use audit_model::{PortalText, RoomId};
use uuid::Uuid;

use crate::client::{Question, segment};
use crate::people::EVERYONE;
use crate::wire::{GroupMemberDto, ShareDto, Subject};
use crate::{Account, Client, Error, ErrorKind};

/// What somebody may do in a room, as the portal's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access(pub i32);

impl Access {
    /// Only the room's owner has it.
    pub const FULL: Access = Access(1);
    pub const READ: Access = Access(2);
    pub const FILL_FORMS: Access = Access(7);
    pub const ROOM_MANAGER: Access = Access(9);
    pub const EDITING: Access = Access(10);
    pub const CONTENT_CREATOR: Access = Access(11);

    /// From least to most. A number that stands nowhere here counts as less than all of them.
    const RISING: [i32; 9] = [7, 2, 6, 5, 8, 10, 11, 9, 1];

    /// The right in words; `None` for a number that we do not know.
    fn words(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "nothing",
            1 => "full access",
            2 => "viewer",
            3 => "shut out",
            5 => "reviewer",
            6 => "commenter",
            7 => "form filler",
            8 => "custom filter",
            9 => "room manager",
            10 => "editor",
            11 => "content creator",
            _ => return None,
        })
    }

    fn rank(self) -> Option<usize> {
        Self::RISING.iter().position(|known| *known == self.0)
    }
}

impl fmt::Display for Access {
    /// In words, for instance `content creator`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => f.write_str(words),
            None => write!(f, "right {}", self.0),
        }
    }
}

/// A group that is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberGroup {
    pub id: Uuid,
    pub name: PortalText,
}

/// A person in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub account: Account,
    /// What counts: the person's own right, else the highest of the groups'.
    pub access: Access,
    pub is_owner: bool,
    /// Has a row of their own in the member list, so a group is not the only way in.
    pub is_direct: bool,
    /// The groups that are in the room and have this person in them.
    pub groups: Vec<MemberGroup>,
}

/// Everybody at the portal, for rooms that are shared with all: read once, when the first such room asks.
#[derive(Debug, Default)]
pub struct Everyone(Option<Vec<Account>>);

impl Everyone {
    async fn read(&mut self, client: &Client) -> Result<&[Account], Error> {
        if self.0.is_none() {
            self.0 = Some(client.people().await?);
        }
        Ok(self.0.as_deref().unwrap_or_default())
    }
}

impl Client {
    /// Everybody in a room, whatever the status, each once: the owner, then people with a row of their own, then those who are in
    /// it through a group only. DocSpace admins and the portal's owner read every room without being listed.
    ///
    /// # Errors
    /// `MembersHidden` for a list without anybody, `NotFound` for a room that is not there, `IncompleteList` when the portal gave
    /// fewer rows than it says there are. A group that holds everybody needs what [`Client::people`] needs.
    pub async fn members(&self, room: &RoomId) -> Result<Vec<Member>, Error> {
        self.members_with(room, &mut Everyone::default()).await
    }

    /// The same for one of many rooms: the list of people is asked for once.
    ///
    /// # Errors
    /// As for [`Client::members`].
    pub async fn members_with(&self, room: &RoomId, everyone: &mut Everyone) -> Result<Vec<Member>, Error> {
        const ASKED: &str = "the members of a room";
        let path = format!("files/rooms/{}/share", segment(room));
        // people and groups; links are no members
        let question = Question::new(ASKED, &path, "rooms:read or *:read").query(&[("filterType", "0")]);
        let rows = self.whole_list::<Vec<ShareDto>, _>(question, ShareDto::id).await?;
        if rows.is_empty() {
            return Err(Error::new(ASKED, ErrorKind::MembersHidden));
        }
        let mut members = Vec::new();
        let mut groups = Vec::new();
        for row in rows {
            let (access, is_owner) = (Access(row.access), row.is_owner);
            match row.into_subject().ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))? {
                Subject::Person(dto) => {
                    let account = Account::from(*dto);
                    members.push(Member { account, access, is_owner, is_direct: true, groups: Vec::new() });
                }
                Subject::Group(dto) => groups.push((MemberGroup { id: dto.id, name: dto.name }, access)),
            }
        }
        members.sort_by_key(|member| !member.is_owner);
        let mut positions: HashMap<Uuid, usize> =
            members.iter().enumerate().map(|(position, member)| (member.account.person.id, position)).collect();
        for (group, access) in groups {
            for account in self.members_through(room, group.id, everyone).await? {
                let position = *positions.entry(account.person.id).or_insert(members.len());
                let Some(member) = members.get_mut(position) else {
                    members.push(Member {
                        account,
                        access,
                        is_owner: false,
                        is_direct: false,
                        groups: vec![group.clone()],
                    });
                    continue;
                };
                member.groups.push(group.clone());
                if !member.is_direct && access.rank() > member.access.rank() {
                    member.access = access;
                }
            }
        }
        Ok(members)
    }

    /// Who is in the room through this group. An empty list costs one question more: how many people the group has.
    async fn members_through(
        &self,
        room: &RoomId,
        group: Uuid,
        everyone: &mut Everyone,
    ) -> Result<Vec<Account>, Error> {
        const ASKED: &str = "the members of a room's group";
        if group == EVERYONE {
            // it has no stored members, so a room lists none of them
            return everyone.read(self).await.map(<[Account]>::to_vec);
        }
        let path = format!("files/folder/{}/group/{group}/share", segment(room));
        let question = Question::new(ASKED, &path, "files:read or *:read");
        let id = |row: &GroupMemberDto| row.user.as_ref().map(|user| user.id);
        let rows = self.whole_list::<Vec<GroupMemberDto>, _>(question, id).await?;
        if rows.is_empty() {
            // a list of nobody proves nothing for a group that has people
            let size = self.group(group).await?.and_then(|group| group.size);
            if let Some(total) = size.filter(|size| *size > 0) {
                return Err(Error::new(ASKED, ErrorKind::IncompleteList { read: 0, total }));
            }
        }
        let people: Option<Vec<Account>> = rows.into_iter().map(|row| row.user.map(Account::from)).collect();
        people.ok_or_else(|| Error::new(ASKED, ErrorKind::UnexpectedForm))
    }
}
