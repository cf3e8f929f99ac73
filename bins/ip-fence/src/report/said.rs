//! A finding in the words of an alert. Pure.

use alerting::{Said, SaidFacts};
use audit_model::{Finding, GUEST_ACCOUNT, PortalText, SYSTEM_ACCOUNT, Sentence};
use job_runner::Found;
use report::words::{german, plural};

use super::{how_many, how_sure};
use crate::rule::found::{Detail, Kind, counted_german};

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
    // a reason that goes on from the name says the most
    let goes_on = |reason: &&Sentence| ["signed in ", "came ", "wrote "].iter().any(|verb| reason.starts_with(verb));
    match finding.reasons.first().filter(goes_on) {
        Some(reason) => reason.clone(),
        None => in_both(finding, detail),
    }
}

/// Where no reason goes on from the name.
fn in_both(finding: &Finding, detail: &Detail) -> Sentence {
    let place = detail.place.as_ref().map(|place| place.unlinked_within(80)).unwrap_or_default();
    let tries = german::counted(detail.logins, "Fehlversuch", "Fehlversuchen");
    match detail.kind {
        Kind::NotAllowed => ("came from where no rule allows them", "kam von dort, wo es keine Regel erlaubt").into(),
        Kind::CannotJudge => {
            ("came from an address that nobody can judge", "kam von einer Adresse, die sich nicht beurteilen lässt")
                .into()
        }
        Kind::AddressSet => {
            ("came with an address that the caller has set", "kam mit einer Adresse, die der Aufrufer gesetzt hat")
                .into()
        }
        Kind::Unnamed if detail.people.len() > 1 => ("are named by no rule", "kommen in keiner Regel vor").into(),
        Kind::Unnamed => ("is named by no rule", "kommt in keiner Regel vor").into(),
        Kind::Disabled => {
            ("still appears, though the account is disabled", "taucht noch auf, obwohl das Konto deaktiviert ist")
                .into()
        }
        Kind::NewCountry => {
            ("signed in from a country for the first time", "hat sich zum ersten Mal aus einem Land angemeldet").into()
        }
        Kind::FailedBurst => Sentence::new(
            format!("was the target of {}", plural(detail.logins, "failed login")),
            format!("war Ziel von {tries}"),
        ),
        Kind::Spraying => {
            let (from, from_german) = match place.as_str() {
                "" => Default::default(),
                place => (format!(" from {place}"), format!(" von {place}")),
            };
            Sentence::new(
                format!("were the target of {}{from}", plural(detail.logins, "failed login")),
                format!("waren Ziel von {tries}{from_german}"),
            )
        }
        Kind::ListChanged => list_changed(finding).into(),
        Kind::NotEnforced => {
            ("lets people in whom its address list refuses", "lässt Personen ein, die seine Adressliste abweist").into()
        }
        Kind::BreakGlass => (
            "signed in as the owner, whom the list does not stop",
            "hat sich als Eigentümer angemeldet, den die Liste nicht aufhält",
        )
            .into(),
    }
}

fn list_changed(finding: &Finding) -> (&'static str, &'static str) {
    let says = |words: &str| finding.reasons.iter().any(|reason| reason.contains(words));
    let is_known = ![SYSTEM_ACCOUNT, GUEST_ACCOUNT].contains(&finding.person.id);
    match (is_known, says("was switched off"), says("was switched on")) {
        (true, true, _) => (
            "switched the portal's address list off: everybody can enter",
            "hat die Adressliste des Portals ausgeschaltet: Jeder kommt hinein",
        ),
        (true, _, true) => ("switched the portal's address list on", "hat die Adressliste des Portals eingeschaltet"),
        (true, ..) => ("changed the portal's address list", "hat die Adressliste des Portals geändert"),
        (false, true, _) => ("was switched off: everybody can enter", "wurde ausgeschaltet: Jeder kommt hinein"),
        (false, _, true) => ("was switched on", "wurde eingeschaltet"),
        (false, ..) => ("was changed", "wurde geändert"),
    }
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
    match detail.kind {
        Kind::FailedBurst | Kind::Spraying => {
            german::counted(detail.logins, "fehlgeschlagene Anmeldung", "fehlgeschlagene Anmeldungen")
        }
        _ => counted_german(detail.logins, finding.counts.acts.saturating_sub(detail.logins)),
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
