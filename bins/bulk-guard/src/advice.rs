//! What to do about a finding. Pure.

use audit_model::{Sentence, Severity};

use crate::body::Of;

/// A step in English and in German.
type Step = (&'static str, &'static str);

const KEEP_THE_TRASH: Step = (
    "let nobody empty a trash or delete versions before you know what was changed",
    "Lassen Sie niemanden einen Papierkorb leeren oder Versionen löschen, bevor Sie wissen, was geändert wurde",
);

/// What follows on it in a report, where the command cannot name the matter.
pub(crate) const INCIDENT_IS: Step =
    (", with the `matter` of this finding as INCIDENT", ", mit dem Vorgang (`matter`) dieses Befunds als INCIDENT");

const LIST: Step = (
    "list what was changed, what it was before and who can put it back: `bulk-guard restore-list INCIDENT \
     --out list.csv`, with the `matter` of this finding as INCIDENT",
    "Listen Sie auf, was geändert wurde, was es vorher war und wer es zurückholen kann: `bulk-guard restore-list \
     INCIDENT --out list.csv`, mit dem Vorgang (`matter`) dieses Befunds als INCIDENT",
);

const ASK_OTHERS: Step = (
    "ask somebody who knows the work, such as the owner of the room, and not by mail to the account itself: an attacker may read it",
    "Fragen Sie jemanden, der die Arbeit kennt, zum Beispiel den Eigentümer des Raums, und nicht per E-Mail an das Konto selbst: Ein Angreifer kann sie lesen",
);

/// The most urgent first.
pub(crate) fn what_to_do(of: Of, severity: Severity) -> Vec<Sentence> {
    steps(of, severity).iter().map(|&step| step.into()).collect()
}

/// Where the account is disabled already, by whomever.
pub(crate) fn where_disabled() -> Vec<Sentence> {
    const LEAVE: Step = (
        "leave the account disabled until you know what this work is for; you can enable it again at any time",
        "Lassen Sie das Konto deaktiviert, bis Sie wissen, wofür diese Arbeit ist; Sie können es jederzeit wieder aktivieren",
    );
    [LEAVE, ASK_OTHERS, KEEP_THE_TRASH, LIST].into_iter().map(Sentence::from).collect()
}

fn steps(of: Of, severity: Severity) -> &'static [Step] {
    match of {
        Of::Person if severity == Severity::Critical => &[
            (
                "disable the account now, unless you know what this work is for; you can enable it again at any time",
                "Deaktivieren Sie das Konto jetzt, außer Sie wissen, wofür diese Arbeit ist; Sie können es jederzeit wieder aktivieren",
            ),
            ASK_OTHERS,
            KEEP_THE_TRASH,
            LIST,
        ],
        Of::Person if severity == Severity::High => &[
            ASK_OTHERS,
            (
                "disable the account if it goes on, or if nobody can say what it is for",
                "Deaktivieren Sie das Konto, wenn es andauert oder wenn niemand sagen kann, wofür es ist",
            ),
            KEEP_THE_TRASH,
            LIST,
        ],
        Of::Person => &[(
            "ask the owner of the room whether this was meant, or call the person; if it was, there is nothing to do",
            "Fragen Sie den Eigentümer des Raums, ob das gewollt war, oder rufen Sie die Person an; wenn ja, ist nichts zu tun",
        )],
        Of::Visitors => &[
            (
                "find out who came through links to this room, and remove the links that nobody needs",
                "Finden Sie heraus, wer über Links zu diesem Raum kam, und entfernen Sie die Links, die niemand braucht",
            ),
            KEEP_THE_TRASH,
            LIST,
        ],
        Of::VisitorsOfRooms => &[
            (
                "find out who came through links to these rooms, and remove the links that nobody needs",
                "Finden Sie heraus, wer über Links zu diesen Räumen kam, und entfernen Sie die Links, die niemand braucht",
            ),
            KEEP_THE_TRASH,
            LIST,
        ],
        Of::Room => &[(
            "ask the owner of the room whether this was meant",
            "Fragen Sie den Eigentümer des Raums, ob das gewollt war",
        )],
        Of::Crowd => &[
            (
                "find out whether all of them use the same sync client, or whether somebody is migrating documents",
                "Finden Sie heraus, ob alle dasselbe Synchronisierungsprogramm benutzen oder ob jemand Dokumente umzieht",
            ),
            (
                "if neither explains it, disable the accounts and ask their owners",
                "Wenn beides es nicht erklärt, deaktivieren Sie die Konten und fragen Sie, wem sie gehören",
            ),
            KEEP_THE_TRASH,
        ],
    }
}
