//! Who the people of the findings are, in the portal and in the room, and which people a run is restricted to.

use std::collections::BTreeMap;

use audit_model::{GUEST_ACCOUNT, RoomId, RoomRole};
use docspace_client::{Directory, Error, ErrorKind, Member};
use event_archive::Look;
use job_runner::Job;
use job_runner::names::{accounts, restriction};
use tracing::warn;
use uuid::Uuid;

use crate::rule::Found;

/// Fills in what the portal says of everybody found.
///
/// Somebody who cannot be looked up is as they were remembered, else as the audit trail names them: a finding is never lost for that. It is a gap, because
/// failed logins and service accounts are known by their e-mail addresses.
pub(super) async fn identify(found: &mut [Found], look: &mut Look) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = found.iter().map(|found| found.finding.person.id).collect();
    let people = attribution::people(ids, look).await?;
    for Found { finding, .. } in found {
        if let Some(person) = people.get(&finding.person.id) {
            finding.person = person.clone();
        }
    }
    Ok(())
}

/// Fills in what everybody found is in the room of the finding, and who owns it, where that is one known room. Members that cannot be read are a gap.
pub(super) async fn add_room_roles(found: &mut [Found], job: &Job, look: &mut Look) {
    let mut rooms: BTreeMap<RoomId, Result<Vec<Member>, Error>> = BTreeMap::new();
    for Found { finding, detail } in found {
        let Some(id) = finding.room.as_ref().and_then(|room| room.id.clone()) else { continue };
        // nobody is a member without an account
        if finding.person.id == GUEST_ACCOUNT {
            continue;
        }
        if !rooms.contains_key(&id) {
            let members = job.client.members(&id).await;
            if let Err(error) = &members
                && error.kind != ErrorKind::NotFound
            {
                look.gap("members", job.window, error.gap_reason());
                warn!(room.id = %id, "{error:#}");
            }
            rooms.insert(id.clone(), members);
        }
        let owner = rooms[&id].as_ref().ok().and_then(|members| members.iter().find(|member| member.is_owner));
        detail.room_owner = owner.map(|owner| owner.account.person.clone());
        finding.person.room_role = Some(match &rooms[&id] {
            Ok(members) => role_among(members, finding.person.id),
            Err(error) if error.kind == ErrorKind::NotFound => RoomRole::RoomGone,
            Err(error) => RoomRole::Unknown { why: error.gap_reason() },
        });
    }
}

fn role_among(members: &[Member], person: Uuid) -> RoomRole {
    match members.iter().find(|member| member.account.person.id == person) {
        None => RoomRole::NoMember,
        Some(member) if member.is_owner => RoomRole::Owner,
        Some(member) => {
            // a row of their own counts, whatever the groups say
            let groups = if member.is_direct { &[][..] } else { &member.groups };
            let groups = groups.iter().map(|group| group.name.clone()).collect();
            RoomRole::Member { access: member.access.to_string(), groups }
        }
    }
}

/// The people that a run is restricted to, by id or e-mail address. Empty: everybody.
pub(super) struct Chosen(Vec<String>);

impl Chosen {
    /// Looks the entries of the setting up. One that fits nobody is a mistake only when the list of people could be read.
    pub(super) async fn look_up(entries: &[String], job: &Job, look: &mut Look) -> anyhow::Result<Self> {
        let chosen = Chosen(entries.iter().map(|entry| entry.trim().to_lowercase()).collect());
        if chosen.0.is_empty() {
            return Ok(chosen);
        }
        let mut directory = Directory::default();
        if look.answered("people", directory.read_people(&job.client).await).is_some() {
            accounts("people", entries, &directory)?;
        }
        Ok(chosen)
    }

    /// Drops the findings about others. Somebody whose address is not known may be meant by an address, and stays.
    pub(super) fn restrict(&self, found: &mut Vec<Found>) {
        if self.0.is_empty() {
            return;
        }
        let names_an_address = self.0.iter().any(|entry| entry.parse::<Uuid>().is_err());
        found.retain(|found| {
            let person = &found.finding.person;
            let may_be_meant = person.email.is_none() && person.id != GUEST_ACCOUNT && names_an_address;
            person.is_meant_by_one_of(&self.0) || may_be_meant
        });
    }

    /// What the reader of the report must know of the restriction.
    pub(super) fn note(&self) -> Option<String> {
        restriction(&self.0)
    }
}
