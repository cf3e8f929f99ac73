//! What became of somebody, and what to do about it. Pure.

use alerting::Said as InAlert;
use audit_model::Sentence;

use crate::suspend::entry::{Entry, Said, Topic};

/// A sentence in English and in German. `{id}` stands for what the incident is called.
type Step = (&'static str, &'static str);

const LOOK: Step = (
    "look at what the person did; if it is an attack, disable the account in the portal yourself",
    "Sehen Sie nach, was die Person getan hat; wenn es ein Angriff ist, deaktivieren Sie das Konto selbst im Portal",
);

const APPROVE: Step = (
    "to let this program suspend the person, run `bulk-guard approve {id} --by NAME --reason TEXT` within 30 minutes",
    "Damit dieses Programm die Person sperrt, rufen Sie innerhalb von 30 Minuten `bulk-guard approve {id} --by NAME --reason TEXT` auf",
);

const RELEASE: Step = (
    "if it was wrong, run `bulk-guard release {id} --reason TEXT`",
    "Wenn es falsch war, rufen Sie `bulk-guard release {id} --reason TEXT` auf",
);

const KEEP: Step = (
    "to keep the account disabled, run `bulk-guard keep {id} --reason TEXT`",
    "Damit das Konto deaktiviert bleibt, rufen Sie `bulk-guard keep {id} --reason TEXT` auf",
);

const LIST: Step = (
    "list what was changed: `bulk-guard restore-list {id} --out list.csv`",
    "Listen Sie auf, was geändert wurde: `bulk-guard restore-list {id} --out list.csv`",
);

const BY_HAND: Step = (
    "to enable the account without this program, open Contacts in the portal as an administrator and enable the person there",
    "Um das Konto ohne dieses Programm zu aktivieren, öffnen Sie im Portal als Administrator die Kontakte und aktivieren Sie die Person dort",
);

const CHECK: Step = (
    "look at the account in the portal, and enable or disable it there as you want it",
    "Sehen Sie sich das Konto im Portal an und aktivieren oder deaktivieren Sie es dort, wie Sie es wollen",
);

/// What an alert says of it in its first lines.
pub(super) fn said(entry: &Entry, said: &Said) -> InAlert {
    let id = entry.incident.called();
    let sentence = |&step: &Step| Sentence::from(step).map(|text| text.replace("{id}", id));
    // one alert tells that the whole plan is held
    let (did, steps) = if said.topic == Topic::Held && said.is_critical { PLAN_HELD } else { of(said.topic) };
    InAlert { did: Some(did.into()), what_to_do: steps.iter().map(sentence).collect(), ..InAlert::default() }
}

const PLAN_HELD: (Step, &[Step]) = (
    ("and others are not suspended: the plan is too large", "und andere werden nicht gesperrt: Der Plan ist zu groß"),
    &[
        (
            "look at each person, and run `bulk-guard approve INCIDENT --by NAME --reason TEXT` for those that are right; the reasons name the incidents",
            "Sehen Sie sich jede Person an und rufen Sie für die richtigen `bulk-guard approve INCIDENT --by NAME --reason TEXT` auf; die Gründe nennen die Vorgänge",
        ),
        (
            "if it is an attack, disable the accounts in the portal yourself",
            "Wenn es ein Angriff ist, deaktivieren Sie die Konten selbst im Portal",
        ),
    ],
);

fn of(topic: Topic) -> (Step, &'static [Step]) {
    match topic {
        Topic::Held => (
            ("is not suspended: somebody has to decide", "wird nicht gesperrt: Jemand muss entscheiden"),
            &[LOOK, APPROVE],
        ),
        Topic::Suspending => (("is about to be suspended", "wird gleich gesperrt"), &[LIST, RELEASE]),
        Topic::Done => (
            ("is suspended: the account is disabled", "ist gesperrt: Das Konto ist deaktiviert"),
            &[LIST, RELEASE, KEEP, BY_HAND],
        ),
        Topic::Failed => (("could not be suspended", "konnte nicht gesperrt werden"), &[LOOK, CHECK]),
        Topic::Unknown => (
            ("may be suspended or not: look at the account", "ist vielleicht gesperrt: Sehen Sie sich das Konto an"),
            &[CHECK],
        ),
        Topic::Warning => (
            ("will be enabled again soon", "wird bald wieder aktiviert"),
            &[
                KEEP,
                (
                    "if the account may be enabled, there is nothing to do",
                    "Wenn das Konto wieder aktiviert werden darf, ist nichts zu tun",
                ),
            ],
        ),
        Topic::Blocked => (
            ("stays suspended: it cannot be ended now", "bleibt gesperrt: Die Sperre ist jetzt nicht zu beenden"),
            &[BY_HAND],
        ),
        Topic::Released => (
            ("is enabled again", "ist wieder aktiviert"),
            &[
                (
                    "tell the person to sign in anew: old sessions stay closed",
                    "Sagen Sie der Person, dass sie sich neu anmelden muss: Alte Sitzungen bleiben geschlossen",
                ),
                (
                    "watch whether it goes on, and disable the account in the portal if it does",
                    "Beobachten Sie, ob es weitergeht, und deaktivieren Sie dann das Konto im Portal",
                ),
            ],
        ),
        Topic::ReleaseFailed => (("could not be enabled again", "konnte nicht wieder aktiviert werden"), &[BY_HAND]),
        Topic::Settled => {
            (("is left alone by this program from now on", "bleibt für dieses Programm von nun an unberührt"), &[CHECK])
        }
        Topic::Kept => (("stays suspended", "bleibt gesperrt"), &[BY_HAND]),
        Topic::Dropped => (("was not suspended", "wurde nicht gesperrt"), &[LOOK]),
        Topic::Cancelled => {
            (("is not suspended: somebody has cancelled it", "wird nicht gesperrt: Jemand hat es abgebrochen"), &[LOOK])
        }
    }
}
