//! What a finding about failed logins says. Pure.

use std::collections::BTreeSet;

use ::report::words::{german, list_of, plural};
use audit_model::{PortalText, Sentence};

use super::{Burst, SLOWLY};
use crate::config::Limits;
use crate::rule::sighting::{Sighting, in_german};

/// Texts named in a sentence.
const SHOWN: usize = 3;

/// How many rows there are, as what.
struct Failed {
    english: String,
    german: String,
    /// As it stands behind `nach`.
    after: String,
}

impl Failed {
    /// `40 wrong passwords`
    fn of(burst: &Burst) -> Failed {
        let count = burst.rows.logins;
        let de = |one, many| german::counted(count, one, many);
        if burst.rows.logins().all(Sighting::is_wrong_password) {
            return Failed {
                english: plural(count, "wrong password"),
                german: de("falsches Passwort", "falsche Passwörter"),
                after: de("falschen Passwort", "falschen Passwörtern"),
            };
        }
        Failed {
            english: plural(count, "failed login"),
            german: de("fehlgeschlagene Anmeldung", "fehlgeschlagene Anmeldungen"),
            after: de("fehlgeschlagenen Anmeldung", "fehlgeschlagenen Anmeldungen"),
        }
    }
}

/// Somebody's password was tried; first what came of it.
pub(super) fn tried(
    burst: &Burst,
    (typed, callers): (&PortalText, &BTreeSet<String>),
    pace: &Sentence,
    success: Option<&Sighting>,
) -> Vec<Sentence> {
    let (failed, typed) = (Failed::of(burst), typed.for_terminal());
    let (from, from_de) = (listed(callers), listed_german(callers));
    let tried = Sentence::new(
        format!("{} with {typed} typed, {pace}, from {from}", failed.english),
        format!("{} bei Eingabe von {typed}, {}, von {from_de}", failed.german, pace.german()),
    );
    let Some(login) = success else { return vec![tried] };
    let (after, after_de) = match (login.at - burst.last.at).num_minutes().unsigned_abs() {
        0 => ("at once".to_owned(), "sofort".to_owned()),
        minutes => (
            format!("{} later", plural(minutes, "minute")),
            format!("{} später", german::counted(minutes, "Minute", "Minuten")),
        ),
    };
    let (ip, about) = (login.shown_ip(), login.circumstances());
    vec![
        Sentence::new(
            format!("signed in after {}, from {ip}{about}", failed.english),
            format!("hat sich nach {} von {} angemeldet{about}", failed.after, in_german(&ip)),
        ),
        Sentence::new(
            format!("{tried}; the login came {after}"),
            format!("{}; die Anmeldung folgte {after_de}", tried.german()),
        ),
    ]
}

pub(super) const NOT_ALLOWED_THERE: (&str, &str) =
    ("no rule allows them to sign in from there", "keine Regel erlaubt dieser Person, sich von dort anzumelden");

pub(super) const NO_ACCOUNT: (&str, &str) = ("no account has that address", "kein Konto hat diese Adresse");

/// How fast it went, for a sentence.
pub(super) fn pace(limits: &Limits, is_slow: bool) -> Sentence {
    let day = SLOWLY.num_hours();
    if is_slow {
        let least = limits.failed_logins_per_day;
        return Sentence::new(
            format!("at least {least} of them within {day} hours"),
            format!("mindestens {least} davon innerhalb von {day} Stunden"),
        );
    }
    let (least, minutes) = (limits.failed_logins, u64::from(limits.minutes));
    Sentence::new(
        format!("at least {least} of them within {}", plural(minutes, "minute")),
        format!("mindestens {least} davon innerhalb von {}", german::counted(minutes, "Minute", "Minuten")),
    )
}

/// Many accounts were tried from one place; `None`: from where the requests said themselves. `known` are accounts of the portal, `hit` those
/// who signed in from there.
pub(super) fn sprayed(
    burst: &Burst,
    from: Option<&PortalText>,
    is_slow: bool,
    (known, hit): (usize, &BTreeSet<String>),
) -> Vec<Sentence> {
    let (from, from_de) = match from.map(PortalText::for_terminal) {
        None => ("addresses that the requests themselves set".to_owned(), "selbst gesetzten Adressen".to_owned()),
        Some(shown) if shown.is_empty() => ("no noted address".to_owned(), "unbekannter Adresse".to_owned()),
        Some(shown) => (shown.clone(), shown),
    };
    let (slowly, slowly_de) = if is_slow { (", slowly,", ", langsam") } else { ("", "") };
    let (failed, typed) = (Failed::of(burst), burst.typed.len());
    let mut said = vec![Sentence::new(
        format!(
            "{} from {from}{slowly} with {typed} different addresses typed, {known} of them of accounts here",
            failed.english
        ),
        format!(
            "{} von {from_de}{slowly_de}: {typed} verschiedene Adressen eingegeben, davon {known} von Konten dieses Portals",
            failed.german
        ),
    )];
    if !hit.is_empty() {
        said.push(Sentence::new(
            format!("from there signed in: {}", listed(hit)),
            format!("von dort haben sich angemeldet: {}", listed_german(hit)),
        ));
    }
    said
}

/// Many accounts were tried from everywhere. `usual`: how many different addresses are usually typed on a day.
pub(super) fn spread(burst: &Burst, (callers, known): (usize, usize), usual: Option<u64>) -> Vec<Sentence> {
    let (failed, typed, day) = (Failed::of(burst), burst.typed.len(), SLOWLY.num_hours());
    let callers = callers as u64;
    let usual = match usual {
        Some(usual) => Sentence::new(format!("usual are {usual} a day"), format!("üblich sind {usual} pro Tag")),
        None => (
            "too little is known of earlier days to say how many are usual",
            "über frühere Tage ist zu wenig bekannt, um zu sagen, wie viele üblich sind",
        )
            .into(),
    };
    vec![
        Sentence::new(
            format!(
                "{} from {} with {typed} different addresses typed within {day} hours, {known} of them of accounts here",
                failed.english,
                plural(callers, "caller")
            ),
            format!(
                "{} von {} innerhalb von {day} Stunden: {typed} verschiedene Adressen eingegeben, davon {known} von Konten dieses Portals",
                failed.german,
                german::counted(callers, "Aufrufer", "Aufrufern")
            ),
        ),
        usual,
    ]
}

/// Some of them, and how many more.
fn listed(texts: &BTreeSet<String>) -> String {
    let all: Vec<&String> = texts.iter().collect();
    list_of(&all, SHOWN, all.len() as u64)
}

fn listed_german(texts: &BTreeSet<String>) -> String {
    let all: Vec<&str> = texts.iter().map(|text| in_german(text)).collect();
    german::list_of(&all, SHOWN, all.len() as u64)
}
