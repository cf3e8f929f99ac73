//! Every kind of finding of this program, as people get it.

use alerting::testing::messages;
use audit_model::{Coverage, Person, Severity};
use chrono::TimeDelta;
use chrono_tz::Tz;

use super::*;
use crate::rule::found::{Case, Counted, Rows, Subject};
use crate::testing::{BOB, login, now};

/// Three logins of Bob's, and why they are a finding.
fn case(kind: Kind, severity: Severity, place: Option<&str>, reason: (&str, &str)) -> Case {
    let mut rows = Rows::default();
    (0..3).for_each(|n| rows.push(&login(BOB, "203.0.113.7", 90 - n)));
    let reasons = vec![reason.into()];
    let person = Person::named(BOB, "Bob Ray".into());
    rows.found(Subject { kind, severity, person, place: place.map(PortalText::new), key: String::new(), reasons })
}

fn of(mut case: Case, person: Person) -> Case {
    case.finding.person = person;
    case
}

fn all() -> Vec<(&'static str, Case)> {
    let list = || Person::named(SYSTEM_ACCOUNT, "the portal's address list".into());
    let many = || Person::named(GUEST_ACCOUNT, "many accounts".into());
    let off = (
        "the portal's address list was switched off: everybody can enter from anywhere",
        "die Adressliste des Portals wurde ausgeschaltet: Jeder kommt von überall hinein",
    );
    let mut unnamed = of(
        case(
            Kind::Unnamed,
            Severity::Low,
            None,
            ("no rule names them: 3 logins", "sie kommen in keiner Regel vor: 3 Anmeldungen"),
        ),
        Person::named(GUEST_ACCOUNT, "2 people".into()),
    );
    unnamed.detail.people = [7, 8]
        .map(|n| Counted { person: Person::named(uuid::Uuid::from_u128(n), "Bob".into()), logins: 1, acts: 1 })
        .into();
    vec![
        (
            "not allowed",
            case(
                Kind::NotAllowed,
                Severity::Medium,
                Some("203.0.113.0/24"),
                (
                    "signed in from 203.0.113.7, which no rule allows them: 3 logins",
                    "hat sich von 203.0.113.7 angemeldet, was keine Regel erlaubt: 3 Anmeldungen",
                ),
            ),
        ),
        (
            "cannot judge",
            case(
                Kind::CannotJudge,
                Severity::Low,
                None,
                (
                    "the portal noted no address, as for some IPv6 addresses: 3 logins",
                    "das Portal hat keine Adresse vermerkt, wie bei manchen IPv6-Adressen: 3 Anmeldungen",
                ),
            ),
        ),
        (
            "address set",
            case(
                Kind::AddressSet,
                Severity::High,
                None,
                (
                    "the request itself claimed to come from 203.0.113.7",
                    "die Anfrage gab selbst an, von 203.0.113.7 zu kommen",
                ),
            ),
        ),
        (
            "unnamed",
            case(
                Kind::Unnamed,
                Severity::Low,
                None,
                ("no rule names this person: 3 logins", "diese Person kommt in keiner Regel vor: 3 Anmeldungen"),
            ),
        ),
        ("several unnamed", unnamed),
        (
            "disabled",
            case(
                Kind::Disabled,
                Severity::High,
                None,
                ("the account is disabled, and still appears", "das Konto ist deaktiviert und taucht noch auf"),
            ),
        ),
        (
            "new country",
            case(
                Kind::NewCountry,
                Severity::Low,
                Some("France"),
                (
                    "signed in from France for the first time: 3 logins",
                    "hat sich zum ersten Mal aus France angemeldet: 3 Anmeldungen",
                ),
            ),
        ),
        (
            "guessed",
            case(
                Kind::FailedBurst,
                Severity::Medium,
                None,
                (
                    "3 wrong passwords with bob@example.com typed",
                    "3 falsche Passwörter bei Eingabe von bob@example.com",
                ),
            ),
        ),
        (
            "guessed, and signed in",
            case(
                Kind::FailedBurst,
                Severity::Critical,
                None,
                (
                    "signed in after 3 wrong passwords, from 203.0.113.7 (Chrome 131)",
                    "hat sich nach 3 falschen Passwörtern von 203.0.113.7 angemeldet (Chrome 131)",
                ),
            ),
        ),
        (
            "spraying",
            of(
                case(
                    Kind::Spraying,
                    Severity::High,
                    Some("203.0.113.7"),
                    ("3 wrong passwords from 203.0.113.7", "3 falsche Passwörter von 203.0.113.7"),
                ),
                many(),
            ),
        ),
        ("list switched off", case(Kind::ListChanged, Severity::High, None, off)),
        ("list switched off by nobody known", of(case(Kind::ListChanged, Severity::High, None, off), list())),
        (
            "list written",
            case(
                Kind::ListChanged,
                Severity::Medium,
                None,
                (
                    "wrote the portal's address list 2 times, at 2026-11-20 08:10 (Europe/Berlin), from 203.0.113.7",
                    "hat die Adressliste des Portals 2-mal geschrieben, am 20.11.2026 08:10 (Europe/Berlin), von 203.0.113.7",
                ),
            ),
        ),
        (
            "not enforced",
            of(
                case(
                    Kind::NotEnforced,
                    Severity::High,
                    None,
                    ("the portal says that its list counts", "das Portal sagt, dass seine Liste gilt"),
                ),
                list(),
            ),
        ),
        (
            "break glass",
            case(
                Kind::BreakGlass,
                Severity::Medium,
                None,
                (
                    "signed in 3 times, 1 time from an address that the list does not have",
                    "hat sich 3-mal angemeldet, davon 1-mal von einer Adresse, die nicht in der Liste steht",
                ),
            ),
        ),
    ]
}

#[test]
fn every_kind_of_finding_says_who_did_what_and_what_to_do() {
    let seen = Coverage { logins: Some(Default::default()), ..Coverage::default() };
    let mut shown = String::new();
    for (kind, case) in all() {
        let found = job_runner::Found::from(&case);
        let about = (&found.finding, &said(&found));
        let now = now() + TimeDelta::minutes(5);
        for message in messages("ip-fence", about, (Some(Tz::Europe__Berlin), &seen), now) {
            shown.push_str(&format!("== {kind}\n{}\n\n{}\n", message.subject, message.text()));
        }
    }
    insta::assert_snapshot!(shown);
}
