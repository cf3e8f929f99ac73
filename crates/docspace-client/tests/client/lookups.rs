//! People, groups, members, folders, files, keys and settings, read from a simulated portal.

use std::collections::{BTreeMap, HashSet};

use audit_model::{PersonStatus, PortalRole, RoomId, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{
    Ability, Access, ApiKey, Area, Budget, Client, EVERYONE, EntryId, ErrorKind, Member, PortalState,
};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{
    Event, Folder, Group, Key, Person, PersonKind, PortalSim, Room, Scenario, Share, StoredFile, TenantState,
};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

const ROOM: RoomId = RoomId::Number(71);

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

async fn start(scenario: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(scenario).await.unwrap();
    let client = client(&sim, &sim.key());
    (sim, client)
}

fn client(sim: &PortalSim, key: &str) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    Client::new(http, base, ApiKey::new(SecretString::from(key)), RetryPolicy::immediate(), Budget::default())
}

/// Somebody whose first name many share, so that the portal's order of first names is none.
fn person(n: usize, kind: PersonKind, status: i32) -> Person {
    let mut person = Person::new(&format!("p{n}@example.com"), "Anna", &format!("No {n}")).kind(kind);
    person.status = status;
    person
}

fn no_fields_were_asked_for(sim: &PortalSim) {
    let harmful: Vec<_> = sim
        .requests()
        .into_iter()
        .filter(|request| request.target.contains("fields") && !request.target.contains("security/audit"))
        .collect();
    assert!(harmful.is_empty(), "{harmful:?}");
}

/// A room with an owner, a manager, an invited guest, a disabled editor, and a group of 230, three of whom are special.
fn with_members() -> (Scenario, Group) {
    let mut portal = Scenario::empty(now());
    let owner = person(1, PersonKind::RoomAdmin, 1);
    let manager = person(2, PersonKind::RoomAdmin, 1);
    let guest = person(3, PersonKind::Guest, 4);
    let disabled = person(4, PersonKind::User, 2);
    let mut room = Room::vdr(71, "Falcon");
    room.owner = owner.id;
    let mut group = Group::new("Auditors");
    for n in 100..330 {
        let status = match n {
            100 => 2,
            101 => 4,
            _ => 1,
        };
        let member = person(n, PersonKind::User, status);
        group.members.push(member.id);
        portal = portal.with_person(member);
    }
    group.members.push(manager.id);
    let shares = [(manager.id, 9), (guest.id, 2), (disabled.id, 10), (group.id, 11)];
    for someone in [owner, manager, guest, disabled] {
        portal = portal.with_person(someone);
    }
    portal = portal.with_room(room).with_group(group.clone());
    for (subject, access) in shares {
        portal.share(Share { room: 71, subject, access });
    }
    (portal, group)
}

fn group_ids(member: &Member) -> Vec<Uuid> {
    member.groups.iter().map(|group| group.id).collect()
}

#[tokio::test]
async fn members_are_everybody_with_the_groups_taken_apart() {
    let (portal, group) = with_members();
    let (sim, client) = start(portal).await;
    let members = client.members(&ROOM).await.unwrap();
    let ids: HashSet<Uuid> = members.iter().map(|member| member.account.person.id).collect();
    // the manager is in the group too
    assert_eq!((members.len(), ids.len()), (4 + 230, 4 + 230));
    let owner = &members[0];
    assert!(owner.is_owner && owner.is_direct && owner.access == Access::FULL);
    assert_eq!(members.iter().filter(|member| member.is_owner).count(), 1);
    assert!(members[..4].iter().all(|member| member.is_direct));
    let of = |n: usize| {
        let email = format!("p{n}@example.com");
        let found = members.iter().find(|member| member.account.person.email.as_ref().unwrap().raw() == email);
        found.unwrap_or_else(|| panic!("{email} is no member"))
    };
    let (manager, guest, disabled) = (of(2), of(3), of(4));
    assert_eq!((manager.access, group_ids(manager)), (Access::ROOM_MANAGER, vec![group.id]));
    assert_eq!((guest.access, guest.account.person.role), (Access::READ, Some(PortalRole::Guest)));
    assert_eq!(guest.account.person.status, Some(PersonStatus::Pending));
    assert_eq!(disabled.account.person.status, Some(PersonStatus::Disabled));
    assert_eq!(of(100).account.person.status, Some(PersonStatus::Disabled));
    assert_eq!(of(101).account.person.status, Some(PersonStatus::Pending));
    assert!(!of(200).is_direct && of(200).access == Access::CONTENT_CREATOR && group_ids(of(200)) == [group.id]);
    assert_eq!(of(200).groups[0].name.raw(), "Auditors");
    assert_eq!(sim.requests().len(), 1 + 3, "one page of rows, three of the group");
    no_fields_were_asked_for(&sim);
}

#[tokio::test]
async fn a_room_for_everyone_has_everybody_and_the_higher_right_counts() {
    let (mut portal, group) = with_members();
    portal.share(Share { room: 71, subject: EVERYONE, access: 2 });
    let everybody = portal.people.len();
    let admin = portal.owner().id;
    let (_sim, client) = start(portal).await;
    let members = client.members(&ROOM).await.unwrap();
    assert_eq!(members.len(), everybody);
    let through_both = members.iter().filter(|member| member.groups.len() == 2 && !member.is_direct);
    let rights: HashSet<i32> = through_both.map(|member| member.access.0).collect();
    assert_eq!(rights, HashSet::from([Access::CONTENT_CREATOR.0]), "the group's, not the one of everyone");
    let admin = members.iter().find(|member| member.account.person.id == admin).unwrap();
    assert_eq!((admin.access, group_ids(admin)), (Access::READ, vec![EVERYONE]));
    assert!(members.iter().any(|member| group_ids(member).contains(&group.id)));
}

#[tokio::test]
async fn a_member_list_that_is_hidden_is_not_an_empty_room() {
    let (portal, _) = with_members();
    let stranger = person(900, PersonKind::User, 1);
    let key = Key::of(&stranger);
    let portal = portal.with_person(stranger).with_key(key.clone()).with_room(Room::vdr(72, "Just made"));
    let (sim, admin) = start(portal).await;
    let stranger = client(&sim, &key.key);
    assert_eq!(stranger.members(&ROOM).await.unwrap_err().kind, ErrorKind::MembersHidden);
    assert_eq!(admin.members(&RoomId::Number(72)).await.unwrap().len(), 1, "a new room has its owner");
    assert_eq!(admin.members(&RoomId::Number(99)).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(admin.members(&RoomId::Text("sbox-1".into())).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn people_of_every_status_are_listed() {
    let (portal, _) = with_members();
    let expected: HashSet<Uuid> = portal.people.iter().map(|person| person.id).collect();
    let user = portal.people.iter().find(|person| person.kind == PersonKind::User && person.status == 1).unwrap();
    let key = Key::of(user);
    let (sim, admin) = start(portal.with_key(key.clone())).await;
    let people = admin.people().await.unwrap();
    assert_eq!(people.iter().map(|account| account.person.id).collect::<HashSet<_>>(), expected);
    assert_eq!(people.len(), expected.len());
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    people.iter().for_each(|account| *statuses.entry(format!("{:?}", account.person.status)).or_default() += 1);
    let counted: Vec<_> = statuses.iter().map(|(status, count)| (status.as_str(), *count)).collect();
    assert_eq!(counted, [("Some(Active)", 231), ("Some(Disabled)", 2), ("Some(Pending)", 2)]);
    let owner = people.iter().find(|account| account.person.role == Some(PortalRole::Owner)).unwrap();
    assert_eq!(admin.account(owner.person.id).await.unwrap().as_ref(), Some(owner));
    assert_eq!(admin.person(Uuid::from_u128(7)).await.unwrap(), None);
    assert_eq!(client(&sim, &key.key).people().await.unwrap_err().kind, ErrorKind::MissingRight);
    no_fields_were_asked_for(&sim);
}

#[tokio::test]
async fn groups_are_listed_and_their_members_include_disabled_ones() {
    let (mut portal, group) = with_members();
    for n in 0..140 {
        portal = portal.with_group(Group::new(&format!("Team {n}")));
    }
    let everybody = portal.people.len();
    let (_sim, client) = start(portal).await;
    let groups = client.groups().await.unwrap();
    assert_eq!(groups.len(), 141);
    let auditors = groups.iter().find(|known| known.id == group.id).unwrap();
    assert_eq!((auditors.name.raw(), auditors.size), ("Auditors", Some(230)), "the portal counts no disabled ones");
    assert_eq!(client.group_members(group.id).await.unwrap().len(), 231);
    assert_eq!(client.group_members(EVERYONE).await.unwrap().len(), everybody);
    assert_eq!(client.group(group.id).await.unwrap().as_ref(), Some(auditors));
    assert_eq!(client.group(EVERYONE).await.unwrap().unwrap().id, EVERYONE);
    assert_eq!(client.group(Uuid::from_u128(7)).await.unwrap(), None);
}

#[tokio::test]
async fn folders_are_read_whole_and_without_what_is_deeper() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    let folder = |id, parent| Folder { id, parent, title: format!("F {id}"), author, created: now() };
    for n in 0..130 {
        portal = portal.with_folder(folder(1_000 + n, 71));
    }
    for n in 0..120 {
        // the same ids as folders have, and one title for all
        portal = portal.with_file(StoredFile::new(1_000 + n, 71, "a.docx", author, now(), b"12345"));
    }
    let deep = StoredFile::new(5_000, 1_500, "deep.txt", author, now(), b"");
    portal = portal.with_folder(folder(1_500, 1_000)).with_file(deep);
    let (sim, client) = start(portal).await;
    let contents = client.folder_contents(&ROOM).await.unwrap();
    assert_eq!((contents.folders.len(), contents.files.len()), (130, 120));
    assert!(contents.files.iter().all(|file| file.size_bytes == 5 && file.folder == Some(ROOM) && file.in_room));
    let files = client.files_in(&ROOM).await.unwrap();
    let below = files.iter().find(|file| file.id == EntryId::Number(5_000)).unwrap();
    assert_eq!(
        (files.len(), below.folder.clone()),
        (121, Some(EntryId::Number(1_500))),
        "at any depth, and no folders"
    );
    let outer = contents.folders.iter().find(|folder| folder.id == EntryId::Number(1_000)).unwrap();
    assert_eq!((outer.files, outer.folders, outer.room_type), (Some(1), Some(1), None));
    assert_eq!(client.folder_contents(&EntryId::Number(99)).await.unwrap_err().kind, ErrorKind::NotFound);

    let file = client.file(&EntryId::Number(5_000)).await.unwrap().unwrap();
    assert_eq!((file.title.raw(), file.version, file.size_bytes), ("deep.txt", 1, 0));
    assert_eq!((file.author, file.created), (Some(author), Some(now())));
    let path = client.folder_path(&file.folder.unwrap()).await.unwrap();
    let titles: Vec<&str> = path.iter().skip(1).map(|folder| folder.title.raw()).collect();
    assert_eq!(titles, ["Falcon", "F 1000", "F 1500"]);
    let room = path.iter().find(|folder| folder.room_type.is_some()).unwrap();
    assert_eq!((&room.id, room.author, path[0].parent.as_ref()), (&ROOM, Some(author), None));
    assert_eq!(client.file(&EntryId::Number(99)).await.unwrap(), None);
    assert_eq!(client.file(&EntryId::Text("sbox-12-|folder".into())).await.unwrap(), None);
    assert_eq!(client.room(&ROOM).await.unwrap().unwrap().owner, Some(author));
    no_fields_were_asked_for(&sim);
}

#[tokio::test]
async fn a_file_log_is_read_like_a_rooms() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    portal = portal.with_file(StoredFile::new(9_000, 71, "a.docx", author, now(), b"1"));
    for n in 0..250 {
        portal.add_event(Event::new(5011, author, now() - TimeDelta::minutes(n + 1)).file(9_000, "a.docx").in_room(71));
        portal.add_event(Event::new(5011, author, now() - TimeDelta::minutes(n + 1)).file(9_001, "b.docx").in_room(71));
    }
    let of_file = |event: &&Event| event.target.first().map(String::as_str) == Some("9000");
    let expected: HashSet<i64> = portal.events.iter().filter(of_file).map(|event| event.id).collect();
    let (sim, client) = start(portal).await;
    let day = Window::new(now() - TimeDelta::days(1), now());
    let slice = client.file_log(&EntryId::Number(9_000), day).await;
    assert_eq!(slice.rows.iter().map(|entry| entry.event).collect::<HashSet<_>>(), expected);
    assert_eq!((slice.rows.len(), slice.gaps.len(), sim.requests().len()), (250, 0, 3));
    let foreign = client.file_log(&EntryId::Text("sbox-1".into()), day).await;
    assert_eq!(foreign.error.unwrap().kind, ErrorKind::ThirdPartyStorage);
    assert_eq!((foreign.gaps.len(), sim.requests().len()), (1, 3), "no such log, so nothing is asked");
}

#[tokio::test]
async fn a_key_knows_itself() {
    let admin = person(5, PersonKind::Admin, 1);
    let mut key = Key::of(&admin).scopes(&["*:read", "accounts:write"]);
    key.expires = Some(now() + TimeDelta::days(20));
    let zone = chrono_tz::Tz::Europe__Berlin;
    let portal = Scenario::empty(now()).with_zone(zone).with_person(admin.clone()).with_key(key.clone());
    let (sim, owners) = start(portal).await;
    let facts = client(&sim, &key.key).key().await.unwrap().unwrap();
    assert_eq!(facts.scopes.names(), ["*:read", "accounts:write"]);
    assert!(facts.scopes.can_read(Area::Portal) && !facts.scopes.can_write(Area::Rooms));
    assert_eq!((facts.expires, facts.owner, facts.active), (key.expires, Some(admin.id), true));
    assert_eq!(facts.postfix.unwrap().raw(), &key.key[key.key.len() - 4..]);
    assert!(owners.key().await.unwrap().unwrap().scopes.is_unrestricted());
    let asked = sim.requests().len();
    let token = client(&sim, "a-personal-access-token");
    assert_eq!(token.key().await.unwrap(), None);
    assert_eq!(sim.requests().len(), asked, "the portal fails at anything but a key");
    sim.edit(|portal| portal.now = now() + TimeDelta::days(21));
    assert_eq!(client(&sim, &key.key).key().await.unwrap_err().kind, ErrorKind::DeadKey);
}

#[tokio::test]
async fn a_group_says_itself_whether_it_is_gone() {
    let (portal, group) = with_members();
    let (sim, client) = start(portal).await;
    assert!(!client.is_group_gone(group.id).await.unwrap());
    assert!(client.is_group_gone(Uuid::from_u128(99)).await.unwrap());
    sim.set_faults(vec![portal_sim::Fault::status(500).on("group")]);
    assert!(client.is_group_gone(Uuid::from_u128(99)).await.is_err(), "nobody knows");
}

/// An admin sees everybody's; whoever is none sees their own.
#[tokio::test]
async fn the_keys_of_a_portal_are_listed_with_their_last_use() {
    let (admin, user) = (person(5, PersonKind::Admin, 1), person(6, PersonKind::User, 1));
    let used = now() - TimeDelta::days(3);
    let keys = [Key { used: Some(used), ..Key::of(&admin) }, Key { active: false, ..Key::of(&user) }];
    let zone = chrono_tz::Tz::Europe__Berlin;
    let portal = Scenario::empty(now()).with_zone(zone).with_person(admin.clone()).with_person(user.clone());
    let [first, second] = keys;
    let (sim, owners) = start(portal.with_key(first.clone()).with_key(second)).await;
    let listed = owners.keys().await.unwrap();
    let of = |owner| listed.iter().find(|key| key.owner == Some(owner)).unwrap();
    assert_eq!((of(admin.id).last_used, of(admin.id).active), (Some(used), true));
    assert_eq!((of(user.id).last_used, of(user.id).active), (None, false));
    let own = client(&sim, &first.key).keys().await.unwrap();
    assert_eq!(own.len(), listed.len());
}

#[tokio::test]
async fn everybody_may_read_public_settings_even_with_a_narrow_or_dead_key() {
    let admin = person(5, PersonKind::Admin, 1);
    let key = Key::of(&admin).scopes(&["rooms:read"]);
    let portal =
        Scenario::empty(now()).with_zone(chrono_tz::Tz::Asia__Kolkata).with_person(admin).with_key(key.clone());
    let (sim, owners) = start(portal).await;
    let known = owners.settings().await.unwrap();
    assert_eq!(known.time_zone, Some(chrono_tz::Tz::Asia__Kolkata));
    assert!(known.owner.is_some() && known.state == Some(PortalState::Active));
    for text in [key.key, format!("sk-{}", "0".repeat(64))] {
        let narrow = client(&sim, &text);
        assert_eq!(narrow.settings().await.unwrap_err().kind, ErrorKind::ClosedRoute);
        let public = narrow.public_settings().await.unwrap();
        assert_eq!((public.version.as_deref(), public.time_zone, public.owner), (Some("3.7.2"), None, None));
        assert_eq!(narrow.server_version().await.unwrap().docspace.as_deref(), Some("3.7.2"));
    }
}

#[tokio::test]
async fn lifetimes_and_plan_are_read() {
    let mut portal = Scenario::empty(now());
    (portal.condition.audit_lifetime, portal.condition.login_lifetime) = (90, 30);
    let (sim, client) = start(portal).await;
    let lifetimes = client.lifetimes().await.unwrap();
    assert_eq!((lifetimes.audit_days, lifetimes.login_days), (90, 30));
    let quota = client.quota().await.unwrap();
    assert!(quota.audit && !quota.free);
    sim.edit(|portal| portal.condition.history_hidden = true);
    assert_eq!(client.lifetimes().await.unwrap_err().kind, ErrorKind::PlanLacks);
}

#[tokio::test]
async fn capabilities_say_what_works_and_what_is_refused() {
    let admin = person(5, PersonKind::Admin, 1);
    let mut narrow = Key::of(&admin).scopes(&["accounts:read", "rooms:read"]);
    narrow.expires = Some(now() + TimeDelta::days(20));
    let portal = Scenario::empty(now()).with_person(admin).with_key(narrow.clone());
    let (sim, owners) = start(portal).await;

    let all = owners.capabilities().await.unwrap();
    assert!(all.owner && all.admin && all.api_keys && all.audit_filter.works() && all.login_history.works());
    assert_eq!((all.version.as_deref(), all.key_expires), (Some("3.7.2"), None));
    assert!(all.scopes.is_unrestricted() && all.quota.unwrap().audit);
    assert!(sim.requests().len() <= 6, "{} requests", sim.requests().len());

    let few = client(&sim, &narrow.key).capabilities().await.unwrap();
    let refused = Ability::Refused(ErrorKind::MissingScope { needs: "*:read" });
    assert_eq!((&few.audit_filter, &few.login_history), (&refused, &refused));
    assert!(few.admin && !few.owner, "known by the account, which every key may read");
    assert_eq!((few.quota, few.time_zone, few.key_expires), (None, None, narrow.expires));
    assert_eq!(few.version.as_deref(), Some("3.7.2"), "asked without the key");
    assert!(few.scopes.can_read(Area::Groups) && !few.scopes.can_read(Area::Files));

    sim.edit(|portal| portal.audit = false);
    let fallback = owners.capabilities().await.unwrap();
    assert_eq!(fallback.audit_filter, Ability::Refused(ErrorKind::PlanLacks));
    assert_eq!(fallback.login_history, Ability::Refused(ErrorKind::PlanLacks));
}

#[tokio::test]
async fn what_is_no_refusal_is_an_error() {
    let (sim, owners) = start(Scenario::empty(now())).await;
    let dead = client(&sim, &format!("sk-{}", "0".repeat(64)));
    assert_eq!(dead.capabilities().await.unwrap_err().kind, ErrorKind::DeadKey);
    assert_eq!(sim.requests().len(), 1, "a dead key is noticed at once");
    sim.edit(|portal| portal.condition.tenant = TenantState::Suspended);
    assert_eq!(owners.capabilities().await.unwrap_err().kind, ErrorKind::NoPortal);
    assert_eq!(owners.public_settings().await.unwrap().state, Some(PortalState::Suspended));
}

/// The list as it is stored, odd texts and doubles included, and never with a conditional header: the portal's tags are broken.
#[tokio::test]
async fn the_address_list_is_read_with_its_switch() {
    let mut portal = Scenario::empty(now());
    for (ip, for_admin) in [("192.0.2.7", false), ("2001:DB8::1", true), ("192.0.2.7", false)] {
        portal.restrict(ip, for_admin);
    }
    portal.condition.restrictions.enabled = true;
    let (sim, client) = start(portal).await;
    let list = client.address_list().await.unwrap();
    let entries: Vec<(&str, bool)> = list.entries.iter().map(|entry| (entry.ip.raw(), entry.for_admin)).collect();
    assert_eq!(entries, [("192.0.2.7", false), ("192.0.2.7", false), ("2001:DB8::1", true)]);
    assert!(list.enabled);
    assert_eq!(client.address_list().await.unwrap(), list, "read again, and not from a cache");
    let stored = client.stored_list().await.unwrap();
    let texts: Vec<&str> = stored.entries.iter().map(|entry| entry.ip.raw()).collect();
    assert_eq!(texts, ["192.0.2.7", "2001:DB8::1", "192.0.2.7"], "in the portal's order");
    assert_eq!((stored.tenant, stored.sorted()), (Some(2), list));
    sim.edit(|scenario| scenario.restrict("192.0.2.0/24", false));
    let error = client.address_list().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::ServerFault { .. }), "a row that is no address: {error}");
    no_fields_were_asked_for(&sim);
}

/// An empty list has no entry that says whose it is.
#[tokio::test]
async fn an_empty_list_is_known_by_the_number_of_its_portal() {
    let (sim, client) = start(Scenario::empty(now())).await;
    assert_eq!(client.stored_list().await.unwrap().tenant, Some(2));
    assert!(sim.requests().iter().any(|request| request.target == "/api/2.0/portal"), "{:?}", sim.requests());
}

#[tokio::test]
async fn a_login_whose_request_set_its_address_is_told_apart() {
    let mut portal = Scenario::empty(now());
    let olga = portal.owner().clone();
    for (minutes, page) in [
        (3, "https://docs.example.com/login"),
        (2, "https://docs.example.com/api/2.0/authentication?x=1&Request-X-Real-IP=192.0.2.7"),
        (1, "https://docs.example.com/?q=request-x-real-ip"),
    ] {
        let mut login = portal_sim::Login::success(&olga, now() - TimeDelta::minutes(minutes));
        login.page = Some(page.to_owned());
        portal.add_login(login);
    }
    let (_sim, client) = start(portal).await;
    let slice = client.login_slice(Window::new(now() - TimeDelta::hours(1), now())).await;
    let mut rows = slice.rows;
    rows.sort_by_key(|login| login.at);
    assert_eq!(rows.iter().map(|login| login.ip_was_set).collect::<Vec<_>>(), [false, true, false]);
}

#[tokio::test]
async fn versions_come_oldest_first_and_the_room_log_tells_former_titles() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let owner = portal.owner().id;
    let mut file = StoredFile::new(9417, 71, "plan.docx.locked", owner, now() - TimeDelta::days(3), b"one");
    let mut second = file.versions[0].clone();
    second.at = now() - TimeDelta::hours(1);
    file.versions.push(second);
    portal = portal.with_file(file);
    let mut renamed = Event::new(5001, owner, now() - TimeDelta::hours(1)).file(9417, "plan.docx.locked").in_room(71);
    renamed.texts.push("plan.docx".to_owned());
    let event = portal.add_event(renamed);
    portal.add_event(Event::new(5011, owner, now() - TimeDelta::hours(2)).file(9417, "plan.docx").in_room(71));
    let (sim, client) = start(portal).await;
    let versions = client.versions_of(&EntryId::Number(9417)).await.unwrap();
    let shown: Vec<(i64, Option<DateTime<Utc>>)> = versions.iter().map(|one| (one.version, one.updated)).collect();
    assert_eq!(shown, [(1, Some(now() - TimeDelta::days(3))), (2, Some(now() - TimeDelta::hours(1)))]);
    assert_eq!(client.versions_of(&EntryId::Number(1)).await.unwrap(), []);
    let log = client.room_log(&ROOM, Window::new(now() - TimeDelta::days(1), now())).await.rows;
    let former = |id| log.iter().find(|row| row.event == id).unwrap().former_title.clone();
    assert_eq!(former(event), Some("plan.docx".into()));
    assert!(log.iter().filter(|row| row.event != event).all(|row| row.former_title.is_none()) && log.len() == 2);
    no_fields_were_asked_for(&sim);
}
