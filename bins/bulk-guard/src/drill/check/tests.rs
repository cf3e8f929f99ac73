use audit_model::Person;

use super::*;

const OWN: Uuid = Uuid::from_u128(1);
const DRILL: Uuid = Uuid::from_u128(2);

fn account(role: PortalRole) -> PortalAccount {
    let mut person = Person::named(DRILL, "Dora".into());
    (person.role, person.status, person.email) =
        (Some(role), Some(PersonStatus::Active), Some("dora@example.com".into()));
    PortalAccount { person, is_ldap: false, is_sso: false, culture: None }
}

#[test]
fn only_a_room_admin_of_its_own_may_be_drilled_with() {
    let refused = |account: &PortalAccount, robots: &[String]| {
        plain(account, OWN, robots).map(|refusal| (refusal.key, refusal.text))
    };
    assert_eq!(refused(&account(PortalRole::RoomAdmin), &[]), None);
    for (role, word) in [
        (PortalRole::Owner, "owner"),
        (PortalRole::DocspaceAdmin, "DocSpace admin"),
        (PortalRole::User, "may not make rooms"),
        (PortalRole::Guest, "may not make rooms"),
    ] {
        let (key, text) = refused(&account(role), &[]).unwrap_or_default();
        assert!(key == Some("drill.account") && text.contains(word), "{text}");
    }
    assert!(refused(&account(PortalRole::RoomAdmin), &["dora@example.com".to_owned()]).is_some());
    let directory = PortalAccount { is_ldap: true, ..account(PortalRole::RoomAdmin) };
    assert!(refused(&directory, &[]).is_some());
    let mut own = account(PortalRole::RoomAdmin);
    own.person.id = OWN;
    assert!(refused(&own, &[]).is_some());
}

#[test]
fn a_key_must_be_the_accounts_own_and_its_only_one() {
    let key = |owner: Uuid, active: bool| ListedKey {
        name: "a key".into(),
        owner: Some(owner),
        last_used: None,
        expires: None,
        active,
    };
    assert_eq!(other_keys(DRILL, &[key(DRILL, true), key(DRILL, false), key(OWN, true)]), None);
    assert!(other_keys(DRILL, &[key(DRILL, true), key(DRILL, true)]).is_some());
    assert_eq!(super::key(DRILL, OWN, None).and_then(|refusal| refusal.key), Some("drill.key_file"));
    assert!(super::key(DRILL, DRILL, None).is_some());
}

#[test]
fn settings_that_allow_no_drill_are_named_each() {
    let keys = |config: &Config| settings(config).into_iter().filter_map(|problem| problem.key).collect::<Vec<_>>();
    assert_eq!(keys(&Config::default()), ["drill.account", "drill.key_file", "mode"]);
    let mut config = Config { mode: crate::config::Mode::Enforce, ..Config::default() };
    (config.drill.account, config.drill.key_file) = (Some("dora@example.com".to_owned()), Some("key".into()));
    assert_eq!(keys(&config), ["suspend.kinds"]);
    config.suspend.kinds = vec!["renamed".to_owned()];
    assert_eq!((keys(&config), documents(&config)), (Vec::new(), 25));
    config.limits.renamed.documents = 0;
    assert_eq!(keys(&config), ["limits.renamed.documents"]);
    config.limits.renamed.documents = 1_000;
    assert_eq!(keys(&config), ["limits.renamed.documents"]);
}
