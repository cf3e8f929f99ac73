//! Facts with age, against a simulated portal whose people, files and folders go away.

use std::collections::BTreeSet;

use crate::common::{client, empty_archive, empty_archives, now};
use audit_model::{GapReason, Window};
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{Budget, Client, EntryId, ListEntry};
use event_archive::{Archive, Fact, FilePlace, FolderWeight, KnownNames, LookUps, Looked, OwnEntry};
use portal_sim::{Fault, FaultBody, FaultKind, Folder, Login, Person, PortalSim, Room, Scenario, StoredFile};
use uuid::Uuid;

fn later(hours: i64) -> DateTime<Utc> {
    now() + TimeDelta::hours(hours)
}

async fn start(portal: Scenario) -> (PortalSim, Client, Archive) {
    let sim = PortalSim::start(portal).await.unwrap();
    let client = client(&sim, Budget::default());
    (sim, client, empty_archive().await)
}

fn known<T: std::fmt::Debug>(looked: Looked<T>) -> Fact<T> {
    match looked {
        Looked::Known(fact) => fact,
        other => panic!("{other:?}"),
    }
}

fn remembered_of_gone<T: std::fmt::Debug>(looked: Looked<T>) -> Option<Fact<T>> {
    match looked {
        Looked::Gone { remembered } => remembered,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn look_ups_end_after_five_failures_alike_or_as_many_as_they_may_be() {
    let (sim, client, archive) = start(Scenario::empty(now())).await;
    let people = async |most: usize| {
        let mut look_ups = LookUps::of("people", "hidden", most, now());
        let before = sim.requests().len();
        let ask = async |id: &Uuid| archive.person(&client, *id, now()).await;
        assert_eq!(look_ups.each((1..9).map(Uuid::from_u128), ask).await.unwrap(), []);
        let (gone, (gaps, errors)) = (look_ups.gone(), look_ups.finish(Window::new(later(-1), now())));
        let gaps: Vec<_> = gaps.into_iter().map(|gap| (gap.what, gap.why)).collect();
        (sim.requests().len() - before, gone, gaps, errors.len())
    };
    let gap = |what: &str, why| (what.to_owned(), why);
    assert_eq!(people(20).await, (8, 8, vec![], 0));
    assert_eq!(people(3).await, (3, 3, vec![gap("people", GapReason::BudgetExhausted)], 0));
    sim.set_faults(vec![Fault::status(401).on("people")]);
    assert_eq!(people(20).await, (5, 0, vec![gap("people", GapReason::KeyRefused)], 1));
    // that one is hidden says nothing of the next
    let denied = FaultKind::Status { status: 403, body: Some(FaultBody::Error) };
    sim.set_faults(vec![Fault::new(denied).on("people")]);
    assert_eq!(people(20).await, (8, 0, vec![gap("hidden", GapReason::Permission)], 1));
}

/// None has an answer before three were asked.
#[tokio::test]
async fn look_ups_overlap_and_keep_their_order() {
    let three = tokio::sync::Barrier::new(3);
    let mut look_ups = LookUps::of("people", "hidden", 20, now());
    let ask = async |number: &u8| {
        three.wait().await;
        Ok(Looked::of(Ok((*number != 3).then_some(*number)), None, now()))
    };
    let told: Vec<u8> = look_ups.each(0..9, ask).await.unwrap().into_iter().map(|(_, fact)| fact.value).collect();
    assert_eq!((told, look_ups.gone()), (vec![0, 1, 2, 4, 5, 6, 7, 8], 1));
}

#[tokio::test]
async fn a_person_is_looked_up_afresh_and_remembered_for_bad_times() {
    let mara = Person::new("mara@example.com", "Mara", "Klein");
    let id = mara.id;
    let (sim, client, archive) = start(Scenario::empty(now()).with_person(mara)).await;
    let looked = archive.person(&client, id, now()).await.unwrap();
    assert!(matches!(looked, Looked::Known(fact) if fact.value.name.raw() == "Mara Klein"));
    sim.set_faults(vec![Fault::status(502).on("people")]);
    let looked = archive.person(&client, id, later(5)).await.unwrap();
    let Looked::Failed { remembered: Some(remembered), .. } = looked else { panic!("{looked:?}") };
    assert_eq!((remembered.value.name.raw(), remembered.learned_at), ("Mara Klein", now()));
    let stranger = archive.person(&client, uuid::Uuid::from_u128(9), later(5)).await.unwrap();
    assert!(matches!(stranger, Looked::Failed { remembered: None, .. }), "{stranger:?}");
}

#[tokio::test]
async fn a_files_place_and_a_folders_weight_outlive_them() {
    let mut portal = Scenario::empty(now()).with_room(Room::vdr(71, "Falcon"));
    let author = portal.owner().id;
    let folder = Folder { id: 500, parent: 71, title: "Drafts".to_owned(), author, created: now() };
    portal = portal.with_folder(folder);
    for id in 900..903 {
        portal = portal.with_file(StoredFile::new(id, 500, "a.docx", author, now(), b"text"));
    }
    let (sim, client, archive) = start(portal).await;
    let (file, folder) = (EntryId::Number(900), EntryId::Number(500));
    let day = TimeDelta::days(1);
    let place = FilePlace { folder: folder.clone(), room: Some(EntryId::Number(71)) };
    let weight = FolderWeight { files: 3, folders: 0 };

    let looked = archive.place_of_file(&client, &file, day, now()).await.unwrap();
    assert_eq!(known(looked), Fact { value: place.clone(), learned_at: now() });
    let looked = archive.weight_of_folder(&client, &folder, day, now()).await.unwrap();
    assert_eq!(known(looked), Fact { value: weight, learned_at: now() });

    let asked = sim.requests().len();
    let again = archive.place_of_file(&client, &file, day, later(5)).await.unwrap();
    assert_eq!(known(again).learned_at, now());
    assert_eq!(sim.requests().len(), asked, "young enough: not asked again");

    sim.edit(|portal| {
        portal.content.files.clear();
        portal.content.folders.clear();
    });
    let gone = archive.place_of_file(&client, &file, day, later(30)).await.unwrap();
    assert_eq!(remembered_of_gone(gone), Some(Fact { value: place, learned_at: now() }));
    let gone = archive.weight_of_folder(&client, &folder, day, later(30)).await.unwrap();
    assert_eq!(remembered_of_gone(gone), Some(Fact { value: weight, learned_at: now() }));
}

#[tokio::test]
async fn the_address_list_is_kept_with_what_it_was_before() {
    let mut portal = Scenario::empty(now());
    portal.restrict("192.0.2.7", false);
    let (sim, client, archive) = start(portal).await;
    assert!(archive.address_list().await.unwrap().is_none());
    let first = client.address_list().await.unwrap();
    for hours in [0, 1] {
        archive.keep_address_list(&first, later(hours)).await.unwrap();
    }
    let known = archive.address_list().await.unwrap().unwrap();
    assert_eq!((known.learned_at, known.value.before), (now(), None), "as old as it is known to be so");
    sim.edit(|portal| portal.condition.restrictions.enabled = true);
    let second = client.address_list().await.unwrap();
    archive.keep_address_list(&second, later(2)).await.unwrap();
    archive.keep_address_list(&second, later(3)).await.unwrap();
    let known = archive.address_list().await.unwrap().unwrap();
    let (seen, before_seen) = (known.value.seen, known.value.before_seen);
    assert_eq!((seen, before_seen), (Some(later(3)), Some(later(1))), "when each was last read");
    assert_eq!((known.learned_at, known.value.before, known.value.list), (later(2), Some(first), second));
}

#[tokio::test]
async fn names_and_own_entries_of_a_policy_are_kept() {
    let (_sim, _client, archive) = start(Scenario::empty(now())).await;
    assert_eq!(archive.names().await.unwrap(), KnownNames::default());
    let named =
        |name: &str| KnownNames { people: [(name.to_owned(), Uuid::from_u128(7))].into(), ..KnownNames::default() };
    // two policies share the store, and one of them is not used any more
    for (days, name) in [(0, "anna@example.com"), (1, "bob@example.com"), (80, "anna@example.com")] {
        archive.keep_names(&named(name), now() + TimeDelta::days(days)).await.unwrap();
    }
    assert_eq!(archive.names().await.unwrap().people.len(), 2);
    archive.keep_names(&named("anna@example.com"), now() + TimeDelta::days(92)).await.unwrap();
    assert_eq!(archive.names().await.unwrap(), named("anna@example.com"));
    assert_eq!(archive.own_entries().await.unwrap(), []);
    let entry = ListEntry { ip: "192.0.2.7".into(), for_admin: false };
    let own = OwnEntry { entry, rule: "office".to_owned(), owner: None, since: now(), plan: "1".to_owned() };
    archive.keep_own_entries(std::slice::from_ref(&own), now()).await.unwrap();
    assert_eq!(archive.own_entries().await.unwrap(), [own]);
}

/// Of a group that stays the same the time is brought up to date, and each change is kept.
#[tokio::test]
async fn who_was_in_a_group_is_kept() {
    let (_sim, _client, archive) = start(Scenario::empty(now())).await;
    let people = |ids: &[u128]| ids.iter().copied().map(Uuid::from_u128).collect::<BTreeSet<_>>();
    let look = |hours: i64| Window::new(later(hours), later(hours) + TimeDelta::minutes(1));
    for (hours, ids) in [(0, &[1][..]), (1, &[1]), (2, &[1, 2]), (3, &[1])] {
        archive.saw_members("70", &people(ids), look(hours)).await.unwrap();
    }
    let seen = archive.members_seen("70").await.unwrap();
    let seen: Vec<_> = seen.into_iter().map(|seen| (seen.members.len(), seen.first, seen.last)).collect();
    let minute = TimeDelta::minutes(1);
    assert_eq!(
        seen,
        [(1, later(0) + minute, later(1)), (2, later(2) + minute, later(2)), (1, later(3) + minute, later(3))]
    );
    assert_eq!(archive.members_seen("71").await.unwrap(), []);
    archive.saw_members("70", &people(&[1]), look(24 * 91)).await.unwrap();
    assert_eq!(archive.members_seen("70").await.unwrap().len(), 1, "what is old is forgotten");
}

/// Of many groups, and each keeps what was seen since.
#[tokio::test]
async fn who_was_in_groups_before_is_forgotten() {
    let people = BTreeSet::from([Uuid::from_u128(1)]);
    for archive in empty_archives().await {
        let see = async |group: &str, days: i64| {
            let look = Window::new(later(24 * days), later(24 * days) + TimeDelta::minutes(1));
            let people = if days % 2 == 0 { people.clone() } else { BTreeSet::new() };
            archive.saw_members(group, &people, look).await.unwrap();
        };
        for group in 0..30 {
            see(&group.to_string(), 0).await;
        }
        for (group, days) in [("3", 1), ("3", 2), ("20", 2), ("new", 3)] {
            see(group, days).await;
        }
        archive.prune_spans(later(24 * 2)).await.unwrap();
        for (group, days) in [("0", &[][..]), ("3", &[2]), ("20", &[2]), ("29", &[]), ("new", &[3])] {
            let seen = archive.members_seen(group).await.unwrap();
            let seen: Vec<_> = seen.iter().map(|seen| seen.last).collect();
            assert_eq!(seen, days.iter().map(|days| later(24 * days)).collect::<Vec<_>>(), "{group}");
        }
    }
}

#[tokio::test]
async fn logins_keep_who_set_their_address_and_are_counted_by_country() {
    let mut portal = Scenario::empty(now());
    let olga = portal.owner().clone();
    for (hours, country, page) in
        [(-5, Some("Germany"), None), (-4, Some("Germany"), None), (-3, None, Some("/?request-x-real-ip=1"))]
    {
        let mut login = Login::success(&olga, later(hours));
        (login.country, login.page) = (country.map(str::to_owned), page.map(str::to_owned));
        portal.add_login(login);
    }
    let mut failed = Login::failure("olga@example.com", "192.0.2.1", later(-2));
    failed.country = Some("France".to_owned());
    portal.add_login(failed);
    let (_sim, client, archive) = start(portal).await;
    let day = Window::new(later(-24), now());
    archive.refresh_logins(&client, day, now()).await.unwrap();
    let set: Vec<bool> = archive.logins(day).await.unwrap().iter().map(|login| login.ip_was_set).collect();
    assert_eq!(set, [false, false, true, false]);
    let countries = archive.login_countries(day).await.unwrap();
    assert_eq!(countries.len(), 1, "failed logins come from nobody");
    assert_eq!(
        countries[&olga.id].iter().map(|(country, logins)| (country.raw(), *logins)).collect::<Vec<_>>(),
        [("Germany", 2)]
    );
    let earlier = Window::new(later(-24), later(-5));
    assert!(archive.login_countries(earlier).await.unwrap().is_empty(), "half-open");
}
