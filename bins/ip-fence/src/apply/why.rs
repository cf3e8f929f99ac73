//! Why an application is as it is, as clauses in English and in German.

use audit_model::{PortalText, Sentence};

/// A clause in both languages.
pub(crate) type Clause = (&'static str, &'static str);

pub(crate) const ARRIVED_AFTER_BACK: Clause = (
    "a write arrived twice, the second time after it was taken back",
    "ein Schreibzugriff kam zweimal an, beim zweiten Mal erst nach dem Zurücknehmen",
);

pub(crate) const ARRIVED_AFTER_NEXT: Clause = (
    "a write arrived twice, the second time after the next one",
    "ein Schreibzugriff kam zweimal an, beim zweiten Mal erst nach dem nächsten",
);

pub(crate) const NOT_CONFIRMED: Clause = ("it was not confirmed", "sie wurde nicht bestätigt");

pub(crate) const NOT_CONFIRMED_IN_TIME: Clause =
    ("nobody has confirmed it in time", "niemand hat sie rechtzeitig bestätigt");

pub(crate) const TIME_IS_OVER: Clause = ("the time to confirm is over", "die Zeit zum Bestätigen ist abgelaufen");

pub(crate) const OTHER_SWITCH: Clause =
    ("the portal's switch is not as it was written", "der Schalter des Portals ist nicht so, wie er geschrieben wurde");

pub(crate) const APPLIER_GONE: Clause =
    ("whoever applied it is gone", "der Prozess, der sie angewendet hat, läuft nicht mehr");

pub(crate) const INTERRUPTED: Clause = ("it was interrupted", "die Anwendung wurde unterbrochen");

pub(crate) const RACED: Clause = (
    "somebody else wrote the list at the same moment",
    "jemand anderes hat die Liste im selben Augenblick geschrieben",
);

pub(crate) const NOT_READ_BACK: Clause = ("the list cannot be read back", "die Liste lässt sich nicht zurücklesen");

pub(crate) const OTHER_LIST: Clause =
    ("the portal's list is not what was written", "die Liste des Portals ist nicht die, die geschrieben wurde");

pub(crate) const PROBE_NOT_NOTED: Clause = (
    "the portal has not noted the first write, so nobody knows from where it sees this machine",
    "das Portal hat den ersten Schreibzugriff nicht vermerkt; es ist also nicht bekannt, unter welcher Adresse es diesen Rechner sieht",
);

pub(crate) const NOTHING_TO_WRITE: Clause = ("there is nothing to write", "es gibt nichts zu schreiben");

pub(crate) const CHANGED_SINCE: Clause =
    ("somebody else has changed the list since", "jemand anderes hat die Liste seither geändert");

pub(crate) const WRITTEN_SINCE: Clause =
    ("somebody else has written the list since", "jemand anderes hat die Liste seither geschrieben");

pub(crate) const TRAIL_UNREAD: Clause =
    ("the audit trail cannot be read", "das Audit-Protokoll lässt sich nicht lesen");

pub(crate) const NO_TIME: Clause = ("the portal does not tell what time it is", "das Portal nennt seine Uhrzeit nicht");

pub(crate) const OTHER_PORTAL_THAN_PLAN: Clause =
    ("the list is of another portal than the plan", "die Liste gehört zu einem anderen Portal als der Plan");

pub(crate) const OTHER_PORTAL: Clause = ("the list is of another portal", "die Liste gehört zu einem anderen Portal");

pub(crate) const OLD_SERVER: Clause = (
    "the server is older than 3.1, and writes its list in another way",
    "der Server ist älter als 3.1 und schreibt seine Liste auf andere Weise",
);

pub(crate) const KEY_ENDS: Clause = (
    "the key dies within a day after the time to confirm, and might not be able to take it back",
    "der Schlüssel läuft innerhalb eines Tages nach der Zeit zum Bestätigen ab und könnte sie vielleicht nicht zurücknehmen",
);

pub(crate) const KEY_CHANGED: Clause =
    ("whose key it is has changed", "der Schlüssel gehört jetzt zu einem anderen Konto");

pub(crate) const OTHERS_WRITE: Clause =
    ("somebody else writes the list right now", "jemand anderes schreibt die Liste gerade");

pub(crate) const NOT_SHOWN: Clause =
    ("the portal does not show yet what became of it", "das Portal zeigt noch nicht, was daraus geworden ist");

pub(crate) const STAYS_OFF: Clause = (
    "somebody else has written the list since it was switched off, so it stays off: switch it on by hand if it is to count",
    "jemand anderes hat die Liste geschrieben, seit sie ausgeschaltet ist, also bleibt sie ausgeschaltet: Schalten Sie sie von Hand ein, wenn sie gelten soll",
);

pub(crate) const ON_BUT_WAS_OFF: Clause =
    ("the list is switched on, and was off before", "die Liste ist eingeschaltet und war vorher ausgeschaltet");

pub(crate) const NO_REASON: Clause = ("no reason was given", "ohne Angabe eines Grundes");

pub(crate) const STOPPED: Clause =
    ("the process that applied it was stopped", "der Prozess, der sie anwendete, wurde beendet");

/// Kept as the answer to a write that this machine did not send.
pub(crate) const SLEPT: Clause = (
    "this machine has slept, so what was read is old",
    "dieser Rechner war im Ruhezustand, deshalb ist veraltet, was gelesen wurde",
);

/// What is kept as the answer to a call: words of our own in both languages, and what a machine has said in quotation marks.
pub(crate) fn answer(text: &str) -> Sentence {
    if text == SLEPT.0 { SLEPT.into() } else { Sentence::quoted(text) }
}

/// The answer to a call, behind what it is about.
pub(crate) fn answered((english, german): Clause, text: &str) -> Sentence {
    let answer = answer(text);
    Sentence::new(format!("{english}: {answer}"), format!("{german}: {}", answer.german()))
}

pub(crate) const NOT_TAKEN: Clause = ("the portal does not take it", "das Portal nimmt sie nicht an");

pub(crate) const PERHAPS_TAKEN: Clause =
    ("nobody knows whether the portal has taken it", "es ist nicht bekannt, ob das Portal sie angenommen hat");

pub(crate) const UNREAD: Clause = ("the list cannot be read", "die Liste lässt sich nicht lesen");

/// Somebody wants it taken back.
pub(crate) fn ordered(by: &Sentence, why: &Sentence) -> Sentence {
    Sentence::new(
        format!("{by} has asked for it ({why})"),
        format!("angefordert von: {} ({})", by.german(), why.german()),
    )
}

/// The portal would shut this machine out, which it sees as this address.
pub(crate) fn shut_out(ip: &PortalText) -> Sentence {
    let ip = ip.for_terminal();
    Sentence::new(
        format!(
            "the key is not the owner's, and the portal sees this machine as {ip}, which is not in the list before and after"
        ),
        format!(
            "der Schlüssel gehört nicht dem Eigentümer, und das Portal sieht diesen Rechner als {ip}; diese Adresse steht nicht vorher und nachher in der Liste"
        ),
    )
}

pub(crate) fn never_matches(ip: &PortalText) -> Sentence {
    let ip = ip.for_terminal();
    Sentence::new(
        format!("{ip} is not written as the portal writes addresses, so it would never match"),
        format!("{ip} ist nicht so geschrieben, wie das Portal Adressen schreibt, und würde nie zutreffen"),
    )
}

pub(crate) fn cannot_be_sent((english, german): Clause) -> Sentence {
    Sentence::new(
        format!("what was written cannot be taken back, because {english}"),
        format!("was geschrieben wurde, lässt sich nicht zurücknehmen; der Grund: {german}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing of ours stands in a German alert in English; what a server says does, as it says it.
    #[test]
    fn an_answer_of_our_own_is_said_in_german() {
        let slept = answered(NOT_TAKEN, SLEPT.0);
        let german =
            "das Portal nimmt sie nicht an: dieser Rechner war im Ruhezustand, deshalb ist veraltet, was gelesen wurde";
        assert_eq!(slept.german(), german);
        assert_eq!(slept.english(), "the portal does not take it: this machine has slept, so what was read is old");
        assert_eq!(answer("the portal answers with 403").german(), "„the portal answers with 403“");
    }
}
