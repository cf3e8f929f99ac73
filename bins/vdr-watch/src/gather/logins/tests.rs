use audit_model::testing;

use super::*;

fn login(ip: &str, country: &str) -> LoginEvent {
    let login = testing::login(ip, country, "2026-11-20T09:00:00Z".parse().unwrap());
    LoginEvent { user: Uuid::from_u128(7), user_name: "Eve".into(), ..login }
}

fn new(earlier: &[LoginEvent], ip: &str, country: &str) -> Vec<Novelty> {
    Known::new(earlier).mark(login(ip, country)).new
}

#[test]
fn only_what_was_not_used_before_is_new() {
    let earlier = [login("192.0.2.7", "Germany"), login("192.0.2.8", "France")];
    assert_eq!(new(&earlier, "192.0.2.8", "Germany"), []);
    assert_eq!(new(&earlier, "203.0.113.7", "France"), [Novelty::Address]);
    assert_eq!(new(&earlier, "203.0.113.7", "Chile"), [Novelty::Address, Novelty::Country]);
    assert_eq!(new(&earlier, "192.0.2.7", "Chile"), [Novelty::Country]);
}

#[test]
fn what_the_portal_does_not_know_is_not_new() {
    let earlier = [login("192.0.2.7", "")];
    assert_eq!(new(&earlier, "", ""), []);
    assert_eq!(new(&earlier, "192.0.2.7", "Germany"), [], "no country was ever told before");
}

#[test]
fn the_first_login_of_somebody_is_new_in_every_way() {
    assert_eq!(new(&[], "192.0.2.7", "Germany"), [Novelty::Address, Novelty::Country]);
}

#[test]
fn a_failed_login_is_of_whom_it_names_and_never_of_an_anonymous_visitor() {
    let person = |id| Person { email: Some("Eve@example.com".into()), ..Person::named(id, "Eve".into()) };
    let eve = Uuid::from_u128(7);
    let failed = |typed: &str| LoginEvent { user: GUEST_ACCOUNT, login: Some(typed.into()), ..login("192.0.2.7", "") };
    assert!(is_of(&failed("eve@EXAMPLE.com"), &person(eve)));
    assert!(!is_of(&failed("adam@example.com"), &person(eve)));
    assert!(!is_of(&failed("eve@example.com"), &Person::named(eve, "Eve".into())));
    assert!(!is_of(&failed("eve@example.com"), &person(GUEST_ACCOUNT)));
    assert!(is_of(&login("192.0.2.7", ""), &person(eve)));
}
