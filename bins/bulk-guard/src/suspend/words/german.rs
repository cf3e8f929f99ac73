//! The same sentences in German.

use audit_model::{PersonStatus, Sentence};
use chrono::{DateTime, Utc};
use report::words::german::{after_colon, number};
use uuid::Uuid;

use super::{LINKS_SHOWN, asker, id, name};
use crate::suspend::entry::{Entry, Incident};
use crate::suspend::seen::AccountNow;

/// What a suspension does not stop.
const GOES_ON: &str = "Dokumente, die im Editor geöffnet sind, können noch gespeichert werden, externe Links funktionieren weiter, und API-Schlüssel der Person funktionieren wieder, sobald das Konto aktiviert ist.";

/// How to undo it without this program.
const BY_HAND: &str = "Um das Konto ohne dieses Programm zu aktivieren, öffnen Sie im Portal als Administrator die Kontakte und aktivieren Sie die Person dort.";

const NOBODY_YET: &str = "Das Konto bleibt deaktiviert, bis jemand entscheidet.";

/// `20.11.2026 15:00 UTC`
fn moment(at: DateTime<Utc>) -> String {
    at.format("%d.%m.%Y %H:%M UTC").to_string()
}

fn as_read(account: &AccountNow) -> &'static str {
    let status = match account {
        AccountNow::Gone => return "Das Konto gibt es nicht mehr.",
        AccountNow::Unread(_) => return "Das Konto war nicht zu lesen.",
        AccountNow::There(account) => account.person.status,
    };
    match status {
        Some(PersonStatus::Active) => "Das Konto ist aktiv.",
        Some(PersonStatus::Disabled) => "Das Konto ist deaktiviert.",
        Some(PersonStatus::Pending) => "Das Konto ist eine Einladung, die noch nicht angenommen ist.",
        None => "Der Status des Kontos war nicht zu lesen.",
    }
}

pub(super) fn held(incident: &Incident, why: &Sentence) -> String {
    format!(
        "{} wird nicht gesperrt: {}. Befund: {}. Damit die Person doch gesperrt wird, rufen Sie innerhalb von 30 Minuten `bulk-guard approve {} --by NAME --reason TEXT` auf.",
        name(incident),
        after_colon(why.german()),
        after_colon(incident.reason.german()),
        id(incident)
    )
}

pub(super) fn held_together(people: usize, incidents: &[&str], why: &Sentence) -> String {
    format!(
        "Niemand wird gesperrt, weil der Plan zu groß ist: {}. Er nennt {} Personen. Sehen Sie sich jede an und rufen Sie für die richtigen `bulk-guard approve INCIDENT --by NAME --reason TEXT` auf: {}.",
        after_colon(why.german()),
        number(people as u64),
        incidents.join(", ")
    )
}

pub(super) fn suspending(entry: &Entry) -> String {
    let term = match (entry.deadline(), &entry.incident.needs_decision) {
        (Some(end), _) => format!("Die Frist würde am {} enden.", moment(end)),
        (None, Some(why)) => format!("Keine Frist beendet die Sperre ({}): {NOBODY_YET}", why.german()),
        (None, None) => NOBODY_YET.to_owned(),
    };
    let asked_by = entry.intent.as_ref().and_then(|intent| intent.asked_by.as_deref());
    let asked = asked_by.map_or_else(String::new, |who| format!(" Angefordert hat den Lauf: {}.", asker(who)));
    format!("{} wird gesperrt: {}. {term}{asked}", name(&entry.incident), entry.incident.reason.german())
}

pub(super) fn done(entry: &Entry) -> String {
    let incident = &entry.incident;
    let term = match (entry.deadline(), &incident.needs_decision) {
        (Some(end), _) => format!("Am {} wird das Konto wieder aktiviert, nach einer Warnung.", moment(end)),
        (None, Some(why)) => {
            format!("Das Konto bleibt deaktiviert, bis jemand entscheidet; der Grund: {}.", after_colon(why.german()))
        }
        (None, None) => NOBODY_YET.to_owned(),
    };
    format!(
        "{} ist gesperrt: Das Konto ist deaktiviert, und das Audit-Protokoll zeigt es. {term} {GOES_ON}{} Um es jetzt zu aktivieren, rufen Sie `bulk-guard release {} --reason TEXT` auf; damit es deaktiviert bleibt, `bulk-guard keep {} --reason TEXT`. {BY_HAND}",
        name(incident),
        links(incident),
        incident.person,
        id(incident)
    )
}

fn links(incident: &Incident) -> String {
    let many = incident.links.len();
    let shown: Vec<String> =
        incident.links.iter().take(LINKS_SHOWN).map(|link| format!("„{}“", super::title(link))).collect();
    let shown = shown.join(", ");
    match many {
        0 => String::new(),
        1 => format!(
            " Die Person hat in den letzten 24 h 1 externen Link angelegt, zu {shown}; entfernen Sie ihn im Portal, wenn er nicht weiter gelten soll."
        ),
        _ => {
            let among = if many > LINKS_SHOWN { "darunter zu" } else { "zu" };
            format!(
                " Die Person hat in den letzten 24 h {} externe Links angelegt, {among} {shown}; entfernen Sie im Portal diejenigen, die nicht weiter gelten sollen.",
                number(many as u64)
            )
        }
    }
}

pub(super) fn failed(incident: &Incident, why: &Sentence, account: &AccountNow) -> String {
    format!("{} konnte nicht gesperrt werden: {}. {}", name(incident), after_colon(why.german()), as_read(account))
}

pub(super) fn unknown(incident: &Incident, why: &Sentence) -> String {
    format!(
        "Es ist nicht bekannt, ob {} gesperrt ist: {}. Sehen Sie sich das Konto im Portal an; dieses Programm lässt es unberührt, bis das klar ist. {BY_HAND}",
        name(incident),
        after_colon(why.german())
    )
}

pub(super) fn warning(incident: &Incident, end: DateTime<Utc>) -> String {
    format!(
        "Das Konto von {} wird etwa am {} wieder aktiviert. Damit es deaktiviert bleibt, rufen Sie `bulk-guard keep {} --reason TEXT` auf. {BY_HAND}",
        name(incident),
        moment(end),
        id(incident)
    )
}

pub(super) fn blocked(incident: &Incident, why: &Sentence) -> String {
    format!(
        "Die Sperre von {} sollte enden, und dieses Programm kann sie nicht beenden: {}. Es versucht es bei jedem Lauf erneut. {BY_HAND}",
        name(incident),
        after_colon(why.german())
    )
}

pub(super) fn overdue(incident: &Incident, why: &Sentence) -> String {
    format!(
        "Die Frist der Sperre von {} ist vielleicht vorbei, und dieses Programm beendet keine Sperre, solange es die Uhrzeit nicht kennt: {}. Die nächsten Läufe beenden sie, sobald die Uhren übereinstimmen. {BY_HAND}",
        name(incident),
        after_colon(why.german())
    )
}

pub(super) fn released(incident: &Incident) -> String {
    format!(
        "Das Konto von {} ist wieder aktiviert. Die Person muss sich neu anmelden; alte Sitzungen bleiben geschlossen.",
        name(incident)
    )
}

pub(super) fn release_failed(incident: &Incident, why: &Sentence) -> String {
    format!(
        "Es ist nicht bekannt, ob das Konto von {} wieder aktiviert ist: {}. Dieses Programm versucht es erneut, jedes Mal nach einer längeren Pause von bis zu 1 h. {BY_HAND}",
        name(incident),
        after_colon(why.german())
    )
}

pub(super) fn settled(incident: &Incident, why: &Sentence, account: &AccountNow) -> String {
    let is_off = matches!(account, AccountNow::There(account) if account.person.status == Some(PersonStatus::Disabled));
    let by_hand = if is_off { format!(" {BY_HAND}") } else { String::new() };
    format!(
        "Dieses Programm lässt das Konto von {} von nun an unberührt: {}. {} Prüfen Sie, ob das so sein soll.{by_hand}",
        name(incident),
        after_colon(why.german()),
        as_read(account)
    )
}

pub(super) fn dropped(incident: &Incident, why: &Sentence) -> String {
    format!(
        "{} wurde nicht gesperrt: {}. Befund: {}.",
        name(incident),
        after_colon(why.german()),
        after_colon(incident.reason.german())
    )
}

pub(super) fn lost(person: Uuid, at: DateTime<Utc>) -> String {
    format!(
        "Laut Audit-Protokoll hat das Konto des Schlüssels dieses Programms am {} das Konto {person} aktiviert oder deaktiviert, und dieses Programm weiß nicht mehr, warum: Sein Speicher ging verloren, oder ein anderer Rechner oder eine Person benutzt das Konto des Schlüssels. Es aktiviert das Konto nicht und sperrt 24 h lang niemanden. {BY_HAND}",
        moment(at)
    )
}

pub(super) fn kept(incident: &Incident) -> String {
    format!("Das Konto von {} bleibt deaktiviert, bis es jemand im Portal aktiviert. {BY_HAND}", name(incident))
}

pub(super) fn cancelled(incident: &Incident) -> String {
    format!("{} wird wegen dieses Vorgangs nicht gesperrt: Jemand hat es abgebrochen.", name(incident))
}
