use audit_model::{ActionId, Window};
use docspace_client::Directory;
use event_archive::SeenMembers;
use proptest::prelude::*;

use super::*;
use crate::policy::Policy;
use crate::rule::then::{Memory, Then, Trail};
use crate::testing::{ANNA, BOB, GIL, HANA, OLGA, act, book, directory, login, now, policy, policy_of};

struct World {
    policy: Policy,
    directory: Directory,
    is_public: bool,
    service_accounts: Vec<String>,
    memory: Memory,
    unread: Vec<Window>,
}

impl World {
    fn new(policy: Policy) -> Self {
        let (service_accounts, memory, unread) = Default::default();
        World { policy, directory: directory(), is_public: true, service_accounts, memory, unread }
    }

    fn judge(&self, rows: &[Sighting]) -> Vec<Case> {
        self.judge_with(Habits::default(), rows)
    }

    fn judge_with(&self, habits: Habits, rows: &[Sighting]) -> Vec<Case> {
        self.judge_and_say(habits, rows).0
    }

    /// Changes among the rows are those of the trail.
    fn judge_and_say(&self, habits: Habits, rows: &[Sighting]) -> (Vec<Case>, Vec<String>) {
        let changes = rows.iter().filter(|row| crate::rule::then::is_change(row)).cloned().collect();
        let trail = Trail { since: now() - chrono::TimeDelta::days(1), changes, unread: self.unread.clone() };
        let then = Then::new((&self.policy, &self.directory), &self.memory, &trail);
        let book = book(&self.policy, &self.directory, &then);
        let book = Rulebook { service_accounts: &self.service_accounts, is_public: self.is_public, ..book };
        let mut whereabouts = Whereabouts::new(book, habits);
        rows.iter().for_each(|row| whereabouts.push(row));
        let (mut found, notes) = whereabouts.finish();
        crate::rule::found::sort(&mut found);
        (crate::testing::spoken(found), notes)
    }

    fn kinds(&self, rows: &[Sighting]) -> Vec<(Uuid, Kind, Severity)> {
        self.judge(rows)
            .iter()
            .map(|found| (found.finding.person.id, found.detail.kind, found.finding.severity))
            .collect()
    }
}

fn office() -> World {
    World::new(policy(&["192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"]))
}

#[test]
fn allowed_addresses_are_no_finding_in_whatever_dress() {
    let rows = [
        login(BOB, "192.0.2.7", 90),
        login(BOB, "192.0.2.7:4711", 80),
        act(ANNA, "::ffff:192.0.2.9", 70),
        act(OLGA, "2001:DB8::1", 60),
    ];
    assert_eq!(office().judge(&rows), []);
}

#[test]
fn severity_goes_by_role() {
    let rows = [login(BOB, "203.0.113.7", 90), login(ANNA, "203.0.113.7", 80), act(OLGA, "203.0.113.7", 70)];
    let expected = [
        (OLGA, Kind::NotAllowed, Severity::High),
        (ANNA, Kind::NotAllowed, Severity::High),
        (BOB, Kind::NotAllowed, Severity::Medium),
    ];
    assert_eq!(office().kinds(&rows), expected);
}

#[test]
fn one_network_of_one_person_is_one_finding() {
    let rows = [
        login(BOB, "203.0.113.7", 90),
        login(BOB, "203.0.113.200", 80),
        act(BOB, "203.0.113.7", 70),
        login(BOB, "198.51.100.7", 60),
    ];
    let found = office().judge(&rows);
    let places: Vec<_> = found.iter().map(|found| found.detail.place.as_ref().unwrap().raw()).collect();
    assert_eq!(places, ["198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!((found[1].detail.logins, found[1].finding.counts.acts), (2, 3));
    assert!(found[1].finding.reasons[0].contains("2 logins and 1 action"), "{:?}", found[1].finding.reasons);
}

/// Stumps and nothing are never taken for allowed, even when the policy holds all of IPv6.
#[test]
fn what_cannot_be_judged_is_never_allowed() {
    let world = World::new(policy(&["::/0", "0.0.0.0/0"]));
    let rows = [login(BOB, "2001", 90), login(BOB, "", 80), login(BOB, "10.1.2.3", 70), login(BOB, "192.0.2.1", 60)];
    assert!(
        world.kinds(&rows).iter().all(|(_, kind, severity)| (*kind, *severity) == (Kind::CannotJudge, Severity::Low))
    );
    assert_eq!(world.judge(&rows).len(), 3, "a whole public address is judged");
    let inner = World { is_public: false, ..world };
    assert_eq!(inner.judge(&rows).len(), 2, "inside a company's own network a private address says who it is");
}

#[test]
fn a_private_address_that_no_rule_allows_is_foreign_inside_and_unclear_outside() {
    let world = World { is_public: false, ..World::new(policy(&["192.0.2.0/24"])) };
    assert_eq!(world.kinds(&[login(BOB, "10.1.2.3", 90)])[0].1, Kind::NotAllowed);
    let public = World { is_public: true, ..world };
    assert_eq!(public.kinds(&[login(BOB, "10.1.2.3", 90)])[0].1, Kind::CannotJudge);
}

#[test]
fn addresses_that_callers_set_are_told_even_when_allowed_and_of_people_nobody_names() {
    let set = |user| Sighting { ip_was_set: true, ..login(user, "192.0.2.7", 90) };
    let world = World::new(policy_of(
        "default = \"ignore\"\n[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.0/24\"]",
    ));
    for row in [set(BOB), set(HANA), login(BOB, "office", 80), login(HANA, "010.0.0.1", 70)] {
        assert_eq!(world.kinds(std::slice::from_ref(&row))[0].1, Kind::AddressSet, "{row:?}");
    }
    // however many texts somebody thinks of, it is one finding
    let many: Vec<_> = (0..50).map(|n| login(BOB, &format!("text {n}"), 90)).collect();
    assert_eq!(world.judge(&many).len(), 1);
}

/// The portal books what people wrote together on the first of them, with the address of another.
#[test]
fn saves_of_the_editor_accuse_nobody() {
    for action in [5034, 5152, 5201] {
        let save = Sighting { action: audit_model::ActionId(action), ..act(BOB, "203.0.113.7", 90) };
        assert_eq!(office().judge(&[save]), [], "{action}");
    }
    assert_eq!(office().judge(&[act(BOB, "203.0.113.7", 90)]).len(), 1, "an action of his own does");
}

#[test]
fn people_whom_no_rule_names_are_told_once_or_not_at_all() {
    let rows = [login(HANA, "192.0.2.7", 90), login(HANA, "203.0.113.7", 80), act(HANA, "2001", 70)];
    assert_eq!(office().kinds(&rows), [(HANA, Kind::Unnamed, Severity::Low)]);
    let ignored = World::new(policy_of(
        "default = \"ignore\"\n[[rule]]\nlabel = \"a\"\npeople = [\"bob@example.com\"]\nallow = []",
    ));
    assert_eq!(ignored.judge(&rows), []);
    assert_eq!(ignored.kinds(&[login(BOB, "192.0.2.7", 60)])[0].1, Kind::NotAllowed, "an empty list allows nothing");
}

#[test]
fn rules_that_do_not_count_allow_nothing_and_are_named() {
    let text = "[[rule]]\nlabel = \"fair\"\npeople = [\"bob@example.com\"]\nallow = [\"0.0.0.0/0\"]\nexpires = \"2026-11-20\"\n\
                [[rule]]\nlabel = \"admins\"\npeople = [\"bob@example.com\", \"anna@example.com\"]\nallow = [\"0.0.0.0/0\"]\nfor_admin = true";
    let world = World::new(policy_of(text));
    let found = world.judge(&[login(BOB, "192.0.2.7", 90), login(ANNA, "192.0.2.7", 80)]);
    assert_eq!(found.len(), 1, "the admin may");
    let reasons = found[0].finding.reasons.iter().map(|reason| reason.english()).collect::<Vec<_>>().join("\n");
    assert!(reasons.contains("\"fair\" (line 1)") && reasons.contains("\"admins\" (line 6)"), "{reasons}");
}

#[test]
fn disabled_people_who_appear_are_told_but_not_what_they_did_before() {
    let disable = Sighting {
        action: ActionId::USERS_UPDATED_STATUS,
        targets: vec![GIL.to_string()],
        ..act(ANNA, "192.0.2.1", 50)
    };
    let before = act(GIL, "192.0.2.7", 90);
    let after = act(GIL, "192.0.2.7", 10);
    let judge = |looks: &[SeenMembers], rows: &[Sighting]| {
        let memory = Memory { disabled: looks.to_vec(), ..Memory::default() };
        let (found, notes) = World { memory, ..office() }.judge_and_say(Habits::default(), rows);
        let disabled = found.into_iter().find(|found| found.detail.kind == Kind::Disabled);
        (disabled.map(|found| found.finding.severity), notes)
    };
    let severity = |looks: &[SeenMembers], rows: &[Sighting]| judge(looks, rows).0;
    assert_eq!(severity(&[], &[before.clone(), disable.clone()]), None);
    assert_eq!(severity(&[], &[before.clone(), disable, after]), Some(Severity::High));
    let rows = [before];
    assert_eq!(severity(&[seen(&[GIL], 60, 0)], &rows), Some(Severity::High), "seen disabled before the window");
    assert_eq!(severity(&[seen(&[GIL], 0, 0)], &rows), Some(Severity::Medium), "nobody knows since when");
    // an earlier run saw the account active, and the event that disabled it is still on its way
    let (severity, notes) = judge(&[seen(&[], 60, 30), seen(&[GIL], 0, 0)], &rows);
    assert!(severity.is_none() && notes[0].contains("does not show the change yet"), "{severity:?} {notes:?}");
}

#[test]
fn robots_visitors_and_service_accounts_are_passed_over() {
    let world = World { service_accounts: vec!["bob@example.com".to_owned()], ..office() };
    let rows = [
        act(Uuid::nil(), "203.0.113.7", 90),
        act(audit_model::SYSTEM_ACCOUNT, "203.0.113.7", 80),
        act(GUEST_ACCOUNT, "203.0.113.7", 70),
        login(BOB, "203.0.113.7", 60),
    ];
    assert_eq!(world.judge(&rows), []);
}

#[test]
fn a_country_that_is_new_to_a_habit_is_told() {
    let habits = || Habits::new(BTreeMap::from([(BOB, BTreeMap::from([(PortalText::from("Germany"), 5)]))]));
    let from = |country: &str| Sighting { country: Some(country.into()), ..login(BOB, "192.0.2.7", 90) };
    let found = office().judge_with(habits(), &[from("France")]);
    assert_eq!((found[0].detail.kind, found[0].finding.severity), (Kind::NewCountry, Severity::Low));
    assert_eq!(office().judge_with(habits(), &[from("Germany")]), []);
    let failed = Sighting { action: ActionId(1013), ..from("France") };
    assert_eq!(office().judge_with(habits(), &[failed]), []);
}

/// Known until the network changes, or what the policy allows.
#[test]
fn the_fingerprint_changes_with_network_and_policy_and_with_nothing_else() {
    let print = |world: &World, row: Sighting| world.judge(&[row])[0].finding.fingerprint.clone();
    let first = print(&office(), login(BOB, "203.0.113.7", 90));
    assert_eq!(print(&office(), act(BOB, "203.0.113.99", 10)), first, "same network");
    assert_ne!(print(&office(), login(BOB, "198.51.100.7", 90)), first);
    assert_ne!(print(&office(), login(ANNA, "203.0.113.7", 90)), first);
    assert_ne!(print(&World::new(policy(&["192.0.2.0/24"])), login(BOB, "203.0.113.7", 90)), first);
}

proptest! {
    /// Whatever is noted: a row is a finding unless its whole address is in the policy.
    #[test]
    fn nothing_but_a_whole_address_is_allowed(noted in prop_oneof![
        "\\PC{0,12}", "192\\.0\\.2\\.[0-9]{1,3}(:[0-9]{1,5})?", "[0-9a-f]{1,4}", "(::ffff:)?192\\.0\\.2\\.[0-9]{1,2}",
    ]) {
        let world = office();
        let found = world.judge(&[login(BOB, &noted, 90)]);
        let is_allowed = Address::parse(&noted).ip().is_some_and(|ip| {
            ["192.0.2.0/24", "2001:db8::/32"].iter().any(|entry| entry.parse::<AddressRange>().unwrap().contains(ip))
        });
        prop_assert_eq!(found.is_empty(), is_allowed, "{:?}: {:?}", noted, found);
    }
}

/// A rule that ends today allowed what happened yesterday.
#[test]
fn a_rule_counts_for_what_happened_before_it_expired() {
    let rule = |more: &str| {
        World::new(policy_of(&format!(
            "[[rule]]\nlabel = \"fair\"\npeople = [\"bob@example.com\"]\nallow = [\"203.0.113.0/24\"]\nexpires = \"2026-11-20\"\n{more}"
        )))
    };
    // it is nine in the morning
    let (yesterday, today) = (login(BOB, "203.0.113.7", 36_000), login(BOB, "203.0.113.7", 32_400));
    assert_eq!(rule("").judge(std::slice::from_ref(&yesterday)), []);
    assert_eq!(rule("").kinds(&[today])[0].1, Kind::NotAllowed);
    assert_eq!(rule("").kinds(&[login(BOB, "203.0.114.7", 36_000)])[0].1, Kind::NotAllowed, "not that address");
    assert_eq!(rule("for_admin = true").kinds(&[yesterday])[0].1, Kind::NotAllowed, "never counted for bob");
}

fn change(action: ActionId, target: Uuid, seconds: i64) -> Sighting {
    Sighting { action, targets: vec![target.to_string()], ..act(OLGA, "192.0.2.1", seconds) }
}

/// What Gil did in a window of last week he did as what he was then.
#[test]
fn what_people_were_at_the_time_counts() {
    let row = act(GIL, "192.0.2.7", 90);
    let judge = |hole: Option<i64>, more: &[Sighting]| {
        let hole = hole.map(|seconds| now() - chrono::TimeDelta::seconds(seconds));
        let unread = hole.into_iter().map(|until| Window::new(until - chrono::TimeDelta::seconds(9), until)).collect();
        let rows: Vec<Sighting> = std::iter::once(row.clone()).chain(more.iter().cloned()).collect();
        let (found, notes) = World { unread, ..office() }.judge_and_say(Habits::default(), &rows);
        (found.iter().any(|found| found.detail.kind == Kind::Disabled), notes)
    };
    assert_eq!(judge(None, &[]), (true, Vec::new()));
    let disable = change(ActionId::USERS_UPDATED_STATUS, GIL, 0);
    assert_eq!(judge(None, &[disable]), (false, Vec::new()), "disabled after the window");
    // a hole in the trail after the row, and one before it
    let (found, notes) = judge(Some(60), &[]);
    assert!(!found && notes[0].contains("whether that was so before is not known"), "{notes:?}");
    assert!(judge(Some(100), &[]).0);
}

const STAFF: Uuid = Uuid::from_u128(70);

/// The office allows it to the group that Bob is in today, and Anna is not.
fn staffed() -> World {
    let text = "default = \"ignore\"\n[[rule]]\nlabel = \"office\"\ngroups = [\"Staff\"]\nallow = [\"192.0.2.0/24\"]\n\
                [[rule]]\nlabel = \"home\"\npeople = [\"anna@example.com\", \"bob@example.com\"]\nallow = [\"198.51.100.7\"]";
    let group = docspace_client::Group { id: STAFF, name: "Staff".into(), manager: None, size: None };
    let directory = Directory { groups: vec![group], members: [(STAFF, vec![BOB])].into(), ..directory() };
    let file = crate::policy::parse(text).unwrap();
    let policy = Policy::resolve(file, &directory, None, now().date_naive(), false).unwrap();
    World { directory, ..World::new(policy) }
}

fn seen(members: &[Uuid], since: i64, until: i64) -> SeenMembers {
    let ago = |minutes| now() - chrono::TimeDelta::minutes(minutes);
    SeenMembers { members: members.iter().copied().collect(), first: ago(since), last: ago(until) }
}

/// Anna has changed places with Bob since: what they did before is judged by the groups of then.
#[test]
fn people_are_judged_by_the_groups_that_runs_saw_them_in() {
    let rows = [
        login(ANNA, "192.0.2.7", 1_200),
        login(BOB, "192.0.2.8", 1_100),
        change(ActionId::GROUP_UPDATED, STAFF, 600),
        login(ANNA, "192.0.2.9", 90),
        login(BOB, "192.0.2.9", 80),
    ];
    let memory = Memory { members: [(STAFF, vec![seen(&[ANNA], 600, 30)])].into(), ..Memory::default() };
    let (found, notes) = World { memory, ..staffed() }.judge_and_say(Habits::default(), &rows);
    let told: Vec<_> = found.iter().map(|one| (one.finding.person.id, one.finding.evidence[0].ip.clone())).collect();
    assert_eq!(told, [(ANNA, Some("192.0.2.9".into())), (BOB, Some("192.0.2.8".into()))]);
    assert!(notes.is_empty() && found.iter().all(|one| one.finding.reasons.len() == 2), "{found:?} {notes:?}");
    // who saw only what came of it says so
    let memory = Memory { members: [(STAFF, vec![seen(&[BOB], 9, 5)])].into(), ..Memory::default() };
    let (found, notes) = World { memory, ..staffed() }.judge_and_say(Habits::default(), &rows);
    let told: Vec<_> = found.iter().map(|one| one.finding.person.id).collect();
    assert_eq!(told, [ANNA]);
    let doubt = "the group \"Staff\" was changed afterwards, at 2026-11-20 09:50 (Europe/Berlin); who was in it before is not known";
    assert_eq!(found[0].finding.reasons.last().unwrap(), doubt);
    assert_eq!(
        notes,
        [
            "the group \"Staff\" was changed at 2026-11-20 09:50 (Europe/Berlin): what people did before is judged by who was in it afterwards"
        ]
    );
}

/// Whoever is deleted leaves all groups, and no event says so of a group.
#[test]
fn people_who_were_deleted_are_judged_by_the_groups_that_they_were_in() {
    let lee = Uuid::from_u128(99);
    let rows =
        [login(lee, "192.0.2.7", 1_200), login(lee, "203.0.113.7", 1_100), change(ActionId::USER_DELETED, lee, 600)];
    let memory = Memory { members: [(STAFF, vec![seen(&[BOB, lee], 600, 30)])].into(), ..Memory::default() };
    let kinds = World { memory, ..staffed() }.kinds(&rows);
    assert_eq!(kinds, [(lee, Kind::NotAllowed, Severity::Medium)]);
}

/// Directories put people into groups without an event, and whoever is deleted while a run reads is gone before the event is there.
#[test]
fn a_change_that_no_event_tells_is_seen_by_runs() {
    let rows = [login(ANNA, "192.0.2.7", 1_200), login(ANNA, "192.0.2.7", 60)];
    let memory =
        Memory { members: [(STAFF, vec![seen(&[ANNA], 600, 10), seen(&[BOB], 4, 4)])].into(), ..Memory::default() };
    let found = World { memory, ..staffed() }.judge(&rows);
    assert_eq!((found.len(), found[0].finding.counts.acts), (1, 1), "{found:?}");
    let memory = Memory { admins: vec![seen(&[OLGA, BOB], 600, 10), seen(&[OLGA, ANNA], 4, 4)], ..Memory::default() };
    let severity =
        |seconds| World { memory: memory.clone(), ..staffed() }.kinds(&[login(BOB, "203.0.113.7", seconds)])[0].2;
    assert_eq!((severity(1_200), severity(60)), (Severity::High, Severity::Medium));
}

/// Who was an admin then is told as one, and who was none as none.
#[test]
fn people_are_judged_by_the_kind_of_account_that_runs_saw() {
    let rows = [
        login(ANNA, "203.0.113.7", 1_200),
        login(BOB, "203.0.113.7", 1_100),
        change(ActionId::USERS_UPDATED_TYPE, ANNA, 600),
        change(ActionId::USERS_UPDATED_TYPE, BOB, 600),
    ];
    let memory = Memory { admins: vec![seen(&[OLGA, BOB], 600, 30)], ..Memory::default() };
    let severities: Vec<_> = World { memory, ..staffed() }
        .judge(&rows)
        .iter()
        .map(|one| (one.finding.person.id, one.finding.severity))
        .collect();
    assert_eq!(severities, [(BOB, Severity::High), (ANNA, Severity::Medium)]);
    let found = staffed().judge(&rows);
    assert_eq!((found[0].finding.person.id, found[0].finding.severity), (ANNA, Severity::High), "as they are today");
    assert!(
        found[0].finding.reasons[2]
            .contains("the kind of account was changed afterwards, at 2026-11-20 09:50 (Europe/Berlin)")
    );
    assert!(
        !staffed().judge(&rows[..3])[1].finding.reasons.iter().any(|reason| reason.contains("afterwards")),
        "not Bob's"
    );
}

/// Nobody knows what was changed in a hole of the trail, unless runs looked right before it.
#[test]
fn a_hole_in_the_trail_is_said_where_groups_decide() {
    let hole = Window::new(now() - chrono::TimeDelta::minutes(10), now() - chrono::TimeDelta::minutes(5));
    let rows = [login(BOB, "192.0.2.7", 1_200)];
    let say =
        |memory: Memory| World { memory, unread: vec![hole], ..staffed() }.judge_and_say(Habits::default(), &rows).1;
    assert!(say(Memory::default())[0].contains("whether these were changed since is not known"));
    let before = || vec![seen(&[BOB], 600, 20)];
    assert_eq!(say(Memory { members: [(STAFF, before())].into(), admins: before(), ..Memory::default() }), [""; 0]);
}

/// Each of them would say the same.
#[test]
fn all_people_whom_no_rule_names_are_one_finding() {
    let rows = [login(HANA, "192.0.2.7", 90), act(GIL, "203.0.113.7", 80), login(HANA, "203.0.113.8", 70)];
    let found = office().judge(&rows);
    let unnamed: Vec<_> = found.iter().filter(|found| found.detail.kind == Kind::Unnamed).collect();
    assert_eq!((unnamed.len(), unnamed[0].finding.person.name.raw()), (1, "2 people"));
    assert_eq!(
        unnamed[0].finding.reasons,
        [
            "no rule names them: 2 logins and 1 action",
            "most often: hana <hana@example.com> (2), gil <gil@example.com> (account disabled) (1)"
        ]
    );
    let people: Vec<_> = unnamed[0].detail.people.iter().map(|one| (one.person.id, one.logins, one.acts)).collect();
    assert_eq!(people, [(HANA, 2, 0), (GIL, 0, 1)]);
    assert_eq!((unnamed[0].finding.counts.acts, unnamed[0].rows.len()), (3, 3));
    // whoever comes or goes, it is the same matter
    let other = office().judge(&[login(HANA, "192.0.2.7", 30), act(GIL, "203.0.113.7", 20)]);
    let print =
        |found: &[Case]| found.iter().find(|one| one.detail.kind == Kind::Unnamed).unwrap().finding.fingerprint.clone();
    assert_eq!(print(&found), print(&other));
    let four = [ANNA, BOB, HANA, GIL].map(|person| login(person, "192.0.2.7", 30));
    let nobody = World::new(policy_of("[[rule]]\nlabel = \"a\"\npeople = [\"olga@example.com\"]\nallow = []"));
    assert_ne!(print(&nobody.judge(&four[..2])), print(&nobody.judge(&four)), "twice as many are news");
    assert_eq!(print(&nobody.judge(&four[..3])), print(&nobody.judge(&four)));
}

#[test]
fn several_addresses_of_a_network_are_counted_and_the_first_is_described() {
    let row = |ip: &str, seconds| Sighting {
        country: Some("France".into()),
        city: Some("Paris".into()),
        browser: Some("Chrome 131".into()),
        platform: Some("Windows 10".into()),
        ..login(BOB, ip, seconds)
    };
    let text = "[[rule]]\nlabel = \"home\"\npeople = [\"bob@example.com\"]\nallow = [\"192.0.2.7\"]\nreason = \"his flat\"\nowner = \"it@example.com\"";
    let world = World::new(policy_of(text));
    assert_eq!(
        world.judge(&[row("203.0.113.77", 90)])[0].finding.reasons,
        [
            "signed in from 203.0.113.77, which no rule allows them (France, Paris; Chrome 131, Windows 10): 1 login",
            "their rules: \"home\" (line 1; his flat; ask it@example.com)"
        ]
    );
    let several: Vec<Sighting> = (1..13).map(|n| row(&format!("203.0.113.{n}"), 90 - n)).collect();
    assert_eq!(
        world.judge(&several)[0].finding.reasons[0],
        "signed in from 12 addresses of 203.0.113.0/24, which no rule allows them: 12 logins, first from 203.0.113.1 (France, Paris; Chrome 131, Windows 10)"
    );
    assert!(
        world.judge(&[act(BOB, "203.0.113.7", 90)])[0].finding.reasons[0].starts_with("came from 203.0.113.7, which")
    );
}

/// What was done before somebody left is not that of a person whom no rule names.
#[test]
fn people_who_have_left_are_judged_by_the_rules_that_name_them() {
    use event_archive::KnownNames;
    let lee = Uuid::from_u128(99);
    let known = KnownNames { people: [("lee@example.com".to_owned(), lee)].into(), ..KnownNames::default() };
    let text = "[[rule]]\nlabel = \"home\"\npeople = [\"lee@example.com\"]\nallow = [\"192.0.2.7\"]";
    let policy = crate::policy::parse(text).unwrap();
    let today = crate::testing::now().date_naive();
    let world = World::new(Policy::resolve(policy, &directory(), Some(&known), today, false).unwrap());
    assert_eq!(world.judge(&[login(lee, "192.0.2.7", 90)]), []);
    let found = world.judge(&[login(lee, "203.0.113.7", 90)]);
    assert_eq!((found[0].detail.kind, found[0].finding.severity), (Kind::CannotJudge, Severity::Low));
    assert!(found[0].finding.reasons[0].contains("the account is gone"), "{:?}", found[0].finding.reasons);
    assert_eq!(world.kinds(&[login(Uuid::from_u128(98), "192.0.2.7", 90)])[0].1, Kind::Unnamed, "never named");
}

/// Every first sentence, in both languages.
#[test]
fn every_headline_is_written_in_both_languages() {
    let mut rows = Rows::default();
    rows.push(&login(BOB, "203.0.113.7", 60));
    rows.push(&act(BOB, "203.0.113.7", 50));
    let place = Place::Country("France".into());
    let kinds = [
        (Kind::NotAllowed, Why::Plain),
        (Kind::AddressSet, Why::SetByRequest),
        (Kind::AddressSet, Why::NoAddress),
        (Kind::CannotJudge, Why::Cut),
        (Kind::CannotJudge, Why::Gone),
        (Kind::CannotJudge, Why::Private),
        (Kind::CannotJudge, Why::Nothing),
        (Kind::Unnamed, Why::Plain),
        (Kind::Disabled, Why::Plain),
        (Kind::NewCountry, Why::Plain),
    ];
    let said = kinds.map(|(kind, why)| words::headline(kind, why, &place, &rows));
    assert_eq!(audit_model::testing::untranslated(&said), [""; 0]);
    insta::assert_snapshot!(said.map(|said| format!("{said}\n{}\n", said.german())).join("\n"));
}
