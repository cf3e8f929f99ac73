//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::{Finding, GUEST_ACCOUNT, PortalText, SYSTEM_ACCOUNT, Sentence, Severity};
use job_runner::Found;
use report::words::{german, plural};

use super::{how_many, how_sure};
use crate::rule::found::{Detail, Kind};

/// Who came from where, what to do, and the answers to what people ask first.
pub(crate) fn said(found: &Found<Detail>) -> Said {
    let Found { finding, detail } = found;
    Said {
        did: Some(did(finding, detail)),
        what_to_do: detail.what_to_do.clone(),
        facts: SaidFacts {
            who: who(finding, detail),
            place: place(finding, detail),
            how_many: Some(Sentence::new(how_many(finding, detail), how_many_german(finding, detail))),
            how_sure: Some(Sentence::new(how_sure(detail.kind), how_sure_german(detail.kind))),
            ..SaidFacts::default()
        },
    }
}

/// Whoever it is that is no single person.
fn who(finding: &Finding, detail: &Detail) -> Option<Sentence> {
    let people = detail.people.len() as u64;
    match detail.kind {
        Kind::Unnamed if people > 1 => {
            Some(Sentence::new(plural(people, "person"), german::counted(people, "Person", "Personen")))
        }
        Kind::Spraying => Some(("many accounts", "viele Konten").into()),
        Kind::ListChanged if finding.person.id == SYSTEM_ACCOUNT => {
            Some(("the portal's address list", "die Adressliste des Portals").into())
        }
        Kind::NotEnforced => Some(("the portal", "das Portal").into()),
        _ => None,
    }
}

/// What follows on the name: `signed in after 40 wrong passwords, from 203.0.113.66`.
fn did(finding: &Finding, detail: &Detail) -> Sentence {
    let reason = finding.reasons.first().map(Sentence::english).unwrap_or_default();
    // a reason that goes on from the name says the most
    let goes_on = ["signed in ", "came ", "wrote "].iter().any(|verb| reason.starts_with(verb));
    let (english, german) = in_both(finding, detail);
    Sentence::new(if goes_on { reason.to_owned() } else { english }, german)
}

fn in_both(finding: &Finding, detail: &Detail) -> (String, String) {
    let from = from(finding).map(|address| format!(" von {address}")).unwrap_or_default();
    let place = detail.place.as_ref().map(|place| place.unlinked_within(80)).unwrap_or_default();
    let fixed = |english: &str, german: &str| (english.to_owned(), german.to_owned());
    let tries = german::counted(detail.logins, "Fehlversuch", "Fehlversuchen");
    match detail.kind {
        Kind::NotAllowed if detail.logins > 0 => (
            "signed in from where no rule allows them".to_owned(),
            format!("hat sich{from} angemeldet, was keine Regel erlaubt"),
        ),
        Kind::NotAllowed => {
            ("came from where no rule allows them".to_owned(), format!("kam{from}, was keine Regel erlaubt"))
        }
        Kind::CannotJudge => fixed(
            "came from an address that nobody can judge",
            "kam von einer Adresse, die sich nicht beurteilen lässt",
        ),
        Kind::AddressSet => {
            fixed("came with an address that the caller has set", "kam mit einer Adresse, die der Aufrufer gesetzt hat")
        }
        Kind::Unnamed if detail.people.len() > 1 => fixed("are named by no rule", "kommen in keiner Regel vor"),
        Kind::Unnamed => fixed("is named by no rule", "kommt in keiner Regel vor"),
        Kind::Disabled => {
            fixed("still appears, though the account is disabled", "taucht noch auf, obwohl das Konto deaktiviert ist")
        }
        Kind::NewCountry => (
            "signed in from a country for the first time".to_owned(),
            format!("hat sich zum ersten Mal aus {place} angemeldet"),
        ),
        Kind::FailedBurst if finding.severity >= Severity::High => (
            format!("signed in after {}", plural(detail.logins, "failed login")),
            format!("hat sich nach {tries} angemeldet"),
        ),
        Kind::FailedBurst => {
            (format!("was the target of {}", plural(detail.logins, "failed login")), format!("war Ziel von {tries}"))
        }
        Kind::Spraying => {
            let (from, from_german) = match place.as_str() {
                "" => Default::default(),
                place => (format!(" from {place}"), format!(" von {place}")),
            };
            (
                format!("were the target of {}{from}", plural(detail.logins, "failed login")),
                format!("waren Ziel von {tries}{from_german}"),
            )
        }
        Kind::ListChanged => list_changed(finding),
        Kind::NotEnforced => {
            fixed("lets people in whom its address list refuses", "lässt Personen ein, die seine Adressliste abweist")
        }
        Kind::BreakGlass => fixed(
            "signed in as the owner, whom the list does not stop",
            "hat sich als Eigentümer angemeldet, den die Liste nicht aufhält",
        ),
    }
}

fn list_changed(finding: &Finding) -> (String, String) {
    let says = |words: &str| finding.reasons.iter().any(|reason| reason.contains(words));
    let is_known = ![SYSTEM_ACCOUNT, GUEST_ACCOUNT].contains(&finding.person.id);
    let (english, german) = match (is_known, says("was switched off"), says("was switched on")) {
        (true, true, _) => (
            "switched the portal's address list off: everybody can enter",
            "hat die Adressliste des Portals ausgeschaltet: Jeder kommt hinein",
        ),
        (true, _, true) => ("switched the portal's address list on", "hat die Adressliste des Portals eingeschaltet"),
        (true, ..) => ("changed the portal's address list", "hat die Adressliste des Portals geändert"),
        (false, true, _) => ("was switched off: everybody can enter", "wurde ausgeschaltet: Jeder kommt hinein"),
        (false, _, true) => ("was switched on", "wurde eingeschaltet"),
        (false, ..) => ("was changed", "wurde geändert"),
    };
    (english.to_owned(), german.to_owned())
}

/// The address of the first row.
fn from(finding: &Finding) -> Option<String> {
    let ip = finding.evidence.first()?.ip.as_ref()?;
    Some(ip.unlinked_within(80))
}

/// The address of the first row, and the network or country that it was judged by: `from 203.0.113.66 (203.0.113.0/24)`.
fn place(finding: &Finding, detail: &Detail) -> Option<Sentence> {
    let shown = |text: &PortalText| text.unlinked_within(80);
    let place = match (from(finding), detail.place.as_ref().map(shown)) {
        (Some(address), Some(place)) if address != place => format!("{address} ({place})"),
        (Some(place), _) | (None, Some(place)) => place,
        (None, None) => return None,
    };
    Some(Sentence::new(format!("from {place}"), format!("von {place}")))
}

fn how_many_german(finding: &Finding, detail: &Detail) -> String {
    let (logins, acts) = (detail.logins, finding.counts.acts.saturating_sub(detail.logins));
    let logins_german = german::counted(logins, "Anmeldung", "Anmeldungen");
    let acts_german = german::counted(acts, "Aktion", "Aktionen");
    match (detail.kind, logins, acts) {
        (Kind::FailedBurst | Kind::Spraying, ..) => {
            german::counted(logins, "fehlgeschlagene Anmeldung", "fehlgeschlagene Anmeldungen")
        }
        (_, _, 0) => logins_german,
        (_, 0, _) => acts_german,
        _ => format!("{logins_german} und {acts_german}"),
    }
}

fn how_sure_german(kind: Kind) -> &'static str {
    match kind {
        Kind::NotAllowed => {
            "so sicher wie die Adresse, die das Portal vermerkt hat: Ein VPN, ein Proxy oder der Aufrufer kann sie ändern"
        }
        Kind::CannotJudge => "nicht bekannt: Die Adresse kann erlaubt sein oder nicht",
        Kind::AddressSet => {
            "sicher, dass jemand sie gesetzt hat; nicht sicher, wer: Ein falsch eingerichteter Proxy tut das auch"
        }
        Kind::Unnamed => "sicher; ob es eine Lücke in den Regeln oder im Portal ist, müssen Menschen sagen",
        Kind::Disabled => {
            "sicher, was das Konto betrifft; Hintergrundaufgaben können unter seinem Namen noch eine Weile laufen"
        }
        Kind::NewCountry => {
            "ein Hinweis: Länder werden nach der Adresse bestimmt, und VPNs und Mobilfunknetze versetzen Leute über Grenzen"
        }
        Kind::FailedBurst => {
            "die Versuche sind sicher, ihr Urheber nicht: Ein Programm mit einem veralteten Passwort sieht genauso aus"
        }
        Kind::Spraying => {
            "wahrscheinlich: viele Konten vergeblich versucht; ein gemeinsames Büro oder VPN kann so aussehen"
        }
        Kind::ListChanged => {
            "sicher; das Portal vermerkt, wer wann geschrieben hat, und nicht was; was geändert wurde, haben zwei Läufe gelesen"
        }
        Kind::BreakGlass => "sicher, was das Konto betrifft; die Adresse ist die, die das Portal vermerkt hat",
        Kind::NotEnforced => {
            "wahrscheinlich: Entweder ist die Funktion auf dem Server ausgeschaltet, oder die Aufrufer setzen diese Adressen"
        }
    }
}

#[cfg(test)]
mod tests;
