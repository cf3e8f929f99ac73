use audit_model::{Person, PortalRole, testing};
use docspace_client::{Account, MemberGroup};
use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn ago(days: i64) -> DateTime<Utc> {
    now() - TimeDelta::days(days)
}

fn anna() -> Uuid {
    Uuid::from_u128(7)
}

fn auditors() -> MemberGroup {
    MemberGroup { id: Uuid::from_u128(70), name: "Auditors".into() }
}

fn member() -> Member {
    let person = Person {
        email: Some("Anna@Example.com".into()),
        status: Some(PersonStatus::Active),
        role: Some(PortalRole::User),
        registered: Some(ago(400)),
        ..Person::named(anna(), "Anna".into())
    };
    let account = Account { person, is_ldap: false, is_sso: false, culture: None };
    Member { account, access: Access::EDITING, is_owner: false, is_direct: true, groups: Vec::new() }
}

fn room(members: Vec<Member>) -> RoomView {
    RoomView::new(RoomId::Number(71), "Falcon".into(), Some(ago(300)), members)
}

fn terms() -> Terms {
    Terms {
        min_activity: 1,
        grace: TimeDelta::days(14),
        with_owner: false,
        with_managers: true,
        robots: vec!["robot@example.com".to_owned()],
        listed: vec!["boss@example.com".to_owned()],
        own: Some(Uuid::from_u128(1)),
        period_begins: ago(30),
        sign_ins: SignIns { last: BTreeMap::new(), is_known: true },
        blind: None,
    }
}

fn event(id: i64, document: i64, at: DateTime<Utc>) -> AuditEvent {
    AuditEvent { id, actor: anna(), ..testing::event(5064, &document.to_string(), at) }
}

fn standing_of(room: &RoomView, terms: &Terms) -> Standing {
    judge(room, terms, now()).remove(0).standing
}

#[test]
fn one_opening_is_activity_and_none_is_not() {
    let mut falcon = room(vec![member()]);
    assert_eq!(standing_of(&falcon, &terms()), Standing::Inactive);
    falcon.push(&event(1, 900, ago(29)), ActClass::View, Certainty::Certain);
    assert_eq!(standing_of(&falcon, &terms()), Standing::Active);
}

/// Who may only read leaves no trace, so only somebody who was not at the portal at all is inactive.
#[test]
fn who_may_only_read_is_not_known_unless_they_never_signed_in() {
    let signed_in = |at: Option<DateTime<Utc>>, is_known| Terms {
        sign_ins: SignIns { last: at.map(|at| (anna(), at)).into_iter().collect(), is_known },
        ..terms()
    };
    let unknown = Standing::Unknown(Unsure::MayHaveRead);
    let reader = |access| room(vec![Member { access, ..member() }]);
    for access in [Access::READ, Access(99)] {
        for (terms, expected) in [
            (signed_in(Some(ago(5)), true), unknown.clone()),
            (signed_in(Some(ago(31)), true), Standing::Inactive),
            (signed_in(None, true), Standing::Inactive),
            (signed_in(None, false), unknown.clone()),
        ] {
            assert_eq!(standing_of(&reader(access), &terms), expected);
        }
    }
    let mut seen = reader(Access::READ);
    seen.push(&event(1, 900, ago(3)), ActClass::View, Certainty::Certain);
    assert_eq!(standing_of(&seen, &signed_in(Some(ago(5)), true)), Standing::Active, "an action tells");
    assert_eq!(standing_of(&reader(Access::EDITING), &signed_in(Some(ago(5)), true)), Standing::Inactive);
    assert_eq!(judge(&reader(Access::READ), &signed_in(Some(ago(5)), true), now())[0].last_sign_in, Some(ago(5)));
}

#[test]
fn saving_one_document_all_day_is_one_act() {
    let mut falcon = room(vec![member()]);
    let two = Terms { min_activity: 2, ..terms() };
    for n in 0..10 {
        falcon.push(&event(n, 900, ago(5) - TimeDelta::minutes(n)), ActClass::Change, Certainty::Certain);
    }
    assert_eq!(standing_of(&falcon, &two), Standing::Inactive);
    falcon.push(&event(99, 900, ago(4)), ActClass::Change, Certainty::Certain);
    assert_eq!(standing_of(&falcon, &two), Standing::Active);
    let judged = judge(&falcon, &two, now()).remove(0);
    assert_eq!((judged.acts, judged.documents, judged.last), (2, 1, Some(ago(4))));
}

#[test]
fn what_may_have_been_in_this_room_lets_nobody_be_reminded() {
    let mut falcon = room(vec![member()]);
    falcon.push(&event(1, 900, ago(3)), ActClass::View, Certainty::TitleOnly);
    assert_eq!(standing_of(&falcon, &terms()), Standing::Unknown(Unsure::SomewhereElse));
    falcon.push(&event(2, 901, ago(3)), ActClass::View, Certainty::Possible);
    assert_eq!(standing_of(&falcon, &terms()), Standing::Active);
}

#[test]
fn who_joined_lately_is_not_judged() {
    let mut falcon = room(vec![member()]);
    falcon.joined.insert(anna(), ago(13));
    assert_eq!(standing_of(&falcon, &terms()), Standing::New { joined: ago(13) });
    falcon.joined.insert(anna(), ago(14));
    assert_eq!(standing_of(&falcon, &terms()), Standing::Inactive);
    falcon.created = Some(ago(2));
    assert_eq!(standing_of(&falcon, &terms()), Standing::New { joined: ago(2) });
    let mut falcon = room(vec![member()]);
    falcon.somebody_joined = Some(ago(3));
    assert_eq!(standing_of(&falcon, &terms()), Standing::Unknown(Unsure::MayHaveJoined));
    let through_group = Member { is_direct: false, groups: vec![auditors()], ..member() };
    let mut falcon = room(vec![through_group]);
    falcon.groups_changed.insert(auditors().id, ago(20));
    assert_eq!(standing_of(&falcon, &terms()), Standing::Inactive);
    falcon.groups_changed.insert(auditors().id, ago(1));
    assert_eq!(standing_of(&falcon, &terms()), Standing::Unknown(Unsure::MayHaveJoined));
}

#[test]
fn without_records_of_the_whole_period_nobody_is_inactive_but_who_was_seen_is_active() {
    let mut falcon = room(vec![member()]);
    let blind = Terms { blind: Some(Unsure::NotAllRead), ..terms() };
    assert_eq!(standing_of(&falcon, &blind), Standing::Unknown(Unsure::NotAllRead));
    falcon.blind = Some(Unsure::NoRoomLog);
    assert_eq!(standing_of(&falcon, &terms()), Standing::Unknown(Unsure::NoRoomLog));
    falcon.push(&event(1, 900, ago(3)), ActClass::View, Certainty::Certain);
    assert_eq!(standing_of(&falcon, &blind), Standing::Active);
}

#[test]
fn who_is_left_out_is_left_out_for_a_reason() {
    let status = |status| {
        let mut member = member();
        member.account.person.status = status;
        member
    };
    let named = |id: u128, email: &str| {
        let mut member = member();
        member.account.person.id = Uuid::from_u128(id);
        member.account.person.email = Some(email.into());
        member
    };
    let manager = Member { access: Access::ROOM_MANAGER, ..member() };
    for (member, terms, expected) in [
        (status(Some(PersonStatus::Disabled)), terms(), Excluded::Disabled),
        (status(Some(PersonStatus::Pending)), terms(), Excluded::Pending),
        (status(None), terms(), Excluded::Removed),
        (named(8, "Robot@example.com"), terms(), Excluded::Robot),
        (named(1, "key@example.com"), terms(), Excluded::OwnAccount),
        (named(8, "BOSS@example.com"), terms(), Excluded::Listed),
        (Member { is_owner: true, ..member() }, terms(), Excluded::Owner),
        (manager.clone(), Terms { with_managers: false, ..terms() }, Excluded::Manager),
    ] {
        assert_eq!(standing_of(&room(vec![member]), &terms), Standing::Excluded(expected));
        assert!(!expected.words().is_empty());
    }
    assert_eq!(standing_of(&room(vec![manager]), &terms()), Standing::Inactive);
    let owner = Member { is_owner: true, ..member() };
    assert_eq!(standing_of(&room(vec![owner]), &Terms { with_owner: true, ..terms() }), Standing::Inactive);
}

#[test]
fn guests_who_may_change_documents_come_first() {
    let with = |role, access| {
        let mut member = Member { access, ..member() };
        member.account.person.role = Some(role);
        Risk::of(&member)
    };
    let risks = [
        with(PortalRole::Guest, Access::EDITING),
        with(PortalRole::Guest, Access::READ),
        with(PortalRole::User, Access::CONTENT_CREATOR),
        with(PortalRole::User, Access::FILL_FORMS),
    ];
    assert_eq!(risks, [Risk::GuestWhoMayChange, Risk::Guest, Risk::MayChange, Risk::Reader]);
    assert!(risks.is_sorted());
}

/// Something that is recorded.
#[derive(Clone, Debug)]
enum Row {
    Act { document: i64, days: i64, certainty: Certainty },
    Joined { days: i64 },
    GroupChanged { days: i64 },
    SomebodyJoined { days: i64 },
}

fn record(room: &mut RoomView, id: i64, row: &Row) {
    let latest = |known: Option<DateTime<Utc>>, days| known.max(Some(ago(days)));
    match row {
        Row::Act { document, days, certainty } => {
            room.push(&event(id, *document, ago(*days)), ActClass::View, *certainty)
        }
        Row::Joined { days } => {
            let at = latest(room.joined.get(&anna()).copied(), *days);
            room.joined.extend(at.map(|at| (anna(), at)));
        }
        Row::GroupChanged { days } => {
            let at = latest(room.groups_changed.get(&auditors().id).copied(), *days);
            room.groups_changed.extend(at.map(|at| (auditors().id, at)));
        }
        Row::SomebodyJoined { days } => room.somebody_joined = latest(room.somebody_joined, *days),
    }
}

fn row() -> impl Strategy<Value = Row> {
    let certainty = prop::sample::select(vec![Certainty::Certain, Certainty::Possible, Certainty::TitleOnly]);
    prop_oneof![
        (0i64..4, 0i64..30, certainty).prop_map(|(document, days, certainty)| Row::Act { document, days, certainty }),
        (0i64..30).prop_map(|days| Row::Joined { days }),
        (0i64..30).prop_map(|days| Row::GroupChanged { days }),
        (0i64..30).prop_map(|days| Row::SomebodyJoined { days }),
    ]
}

proptest! {
    /// Whatever else is recorded: nobody becomes inactive by it, and the order does not matter.
    #[test]
    fn adding_an_event_never_makes_anybody_more_inactive(
        rows in prop::collection::vec(row(), 0..6), more in row(), is_direct: bool, min_activity in 1u64..4,
    ) {
        let terms = Terms { min_activity, ..terms() };
        let subject = Member { is_direct, groups: vec![auditors()], ..member() };
        let mut falcon = room(vec![subject.clone()]);
        (0..).zip(&rows).for_each(|(id, row)| record(&mut falcon, id, row));
        let before = judge(&falcon, &terms, now()).remove(0);
        let mut backwards = room(vec![subject]);
        (0..).zip(&rows).collect::<Vec<_>>().into_iter().rev().for_each(|(id, row)| record(&mut backwards, id, row));
        let reversed = judge(&backwards, &terms, now()).remove(0);
        prop_assert_eq!((&reversed.standing, reversed.acts, &reversed.samples), (&before.standing, before.acts, &before.samples));
        record(&mut falcon, 99, &more);
        let after = judge(&falcon, &terms, now()).remove(0);
        prop_assert!(after.acts >= before.acts);
        if before.standing != Standing::Inactive {
            prop_assert_ne!(after.standing.clone(), Standing::Inactive);
        }
        if before.standing == Standing::Active {
            prop_assert_eq!(after.standing, Standing::Active);
        }
    }
}
