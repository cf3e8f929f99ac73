//! Why something is as it is, as clauses: how they end "… is not suspended: ", in English and in German.

use audit_model::Sentence;

/// A clause in both languages.
pub(crate) type Clause = (&'static str, &'static str);

pub(crate) const GONE: Clause = ("the account is not there any more", "das Konto gibt es nicht mehr");

pub(crate) const UNREAD: Clause = ("the account could not be read", "das Konto war nicht zu lesen");

pub(crate) const CHANGED: Clause =
    ("somebody else has changed the account since", "jemand anderes hat das Konto seither geändert");

pub(crate) const CHANGED_MEANWHILE: Clause = (
    "somebody else has changed the account at the same time",
    "jemand anderes hat das Konto zur gleichen Zeit geändert",
);

pub(crate) const ENABLED_BY_OTHERS: Clause =
    ("somebody else has enabled the account", "jemand anderes hat das Konto aktiviert");

pub(crate) const ENABLED: Clause = ("somebody has enabled the account", "jemand hat das Konto aktiviert");

pub(crate) const DISABLED_ALREADY: Clause =
    ("somebody else has disabled the account already", "jemand anderes hat das Konto schon deaktiviert");

pub(crate) const JUDGED: Clause = (
    "somebody has switched the account on or off in the last 24 hours, so a person has already decided",
    "jemand hat das Konto in den letzten 24 Stunden aktiviert oder deaktiviert, also hat schon ein Mensch entschieden",
);

pub(crate) const OBSERVING: Clause = ("the settings say `observe` now", "in den Einstellungen steht jetzt `observe`");

pub(crate) const TOO_OLD: Clause = (
    "the last event was too long ago to act on it now",
    "das letzte Ereignis liegt zu lange zurück, um jetzt zu handeln",
);

pub(crate) const LATE: Clause = (
    "the portal wrote some of these events down late, so they are no fresh evidence",
    "das Portal hat einige dieser Ereignisse verspätet aufgezeichnet, sie sind also kein frischer Beleg",
);

pub(crate) const BEFORE_ENFORCE: Clause =
    ("it began before the settings said `enforce`", "es begann, bevor in den Einstellungen `enforce` stand");

pub(crate) const NOT_REMEMBERED: Clause = (
    "what others have done with the account in more than 30 days is not remembered",
    "was andere in mehr als 30 Tagen mit dem Konto getan haben, ist nicht mehr bekannt",
);

pub(crate) const MEMBERSHIPS_UNREAD: Clause =
    ("the person's groups and rooms could not be read", "die Gruppen und Räume der Person waren nicht zu lesen");

pub(crate) const REMOVED_SINCE: Clause = (
    "somebody has removed the person from a group or a room since",
    "jemand hat die Person seither aus einer Gruppe oder einem Raum entfernt",
);

pub(crate) const CHANGED_WITH_KEY: Clause = (
    "somebody has changed the account with the account of this program's key",
    "jemand hat das Konto mit dem Konto des Schlüssels dieses Programms geändert",
);

pub(crate) const KEY_SHARED: Clause = (
    "somebody else uses the account of this program's key, so the audit trail does not tell who decided",
    "jemand anderes benutzt das Konto des Schlüssels dieses Programms; aus dem Audit-Protokoll geht also nicht hervor, wer entschieden hat",
);

pub(crate) const OVERTAKEN_ENABLED: Clause = (
    "somebody else changed the account before this program enabled it, and the audit trail showed that too late",
    "jemand anderes hat das Konto geändert, bevor dieses Programm es aktivierte, und das Audit-Protokoll zeigte das zu spät",
);

pub(crate) const OVERTAKEN_DISABLED: Clause = (
    "somebody else changed the account before this program disabled it, and the audit trail showed that too late",
    "jemand anderes hat das Konto geändert, bevor dieses Programm es deaktivierte, und das Audit-Protokoll zeigte das zu spät",
);

/// Why no term ends a suspension of which only the row tells, and not the answer to the call.
pub(crate) const UNANSWERED: Clause = (
    "the portal did not answer that the account was disabled, so somebody else who uses the account of this program's key may have done it",
    "das Portal hat nicht geantwortet, dass das Konto deaktiviert ist; es kann also jemand anderes gewesen sein, der das Konto des Schlüssels dieses Programms benutzt",
);

pub(crate) const ROW_WITHOUT_EFFECT: Clause = (
    "the portal wrote that the account was disabled, but it is enabled",
    "das Portal hat aufgezeichnet, dass das Konto deaktiviert wurde, aber es ist aktiv",
);

pub(crate) const IGNORED: Clause = (
    "the portal said that it was done, and did nothing",
    "das Portal hat gemeldet, dass es getan ist, und nichts getan",
);

pub(crate) const REFUSED: Clause = ("the portal refused it", "das Portal hat es abgelehnt");

pub(crate) const NO_EFFECT: Clause = ("the call had no effect", "der Aufruf blieb ohne Wirkung");

pub(crate) const NO_EFFECT_YET: Clause = ("the call had no effect yet", "der Aufruf blieb bisher ohne Wirkung");

pub(crate) const NOT_SHOWN: Clause = (
    "the account is disabled, but the audit trail does not show that this program did it",
    "das Konto ist deaktiviert, aber das Audit-Protokoll zeigt nicht, dass dieses Programm es war",
);

pub(crate) const IN_PROGRESS: Clause = (
    "the account is still enabled, but the call may be in progress",
    "das Konto ist noch aktiv, aber der Aufruf kann noch unterwegs sein",
);

pub(crate) const INVITED_AGAIN: Clause = (
    "the portal made an invitation of the account that has to be accepted again",
    "das Portal hat aus dem Konto eine Einladung gemacht, die neu angenommen werden muss",
);

pub(crate) const DISABLED_AGAIN: Clause = (
    "the audit trail shows that this program enabled the account, but it is disabled",
    "das Audit-Protokoll zeigt, dass dieses Programm das Konto aktiviert hat, aber es ist deaktiviert",
);

pub(crate) const NO_SEAT: Clause = ("the portal has no free seat", "im Portal ist kein Platz für ein Konto mehr frei");

pub(crate) const OWNER_NOW: Clause = ("the person owns the portal now", "der Person gehört jetzt das Portal");

pub(crate) const ADMIN_NOW: Clause =
    ("the person is a DocSpace admin now", "die Person ist jetzt DocSpace-Administrator");

pub(crate) const OWN_ACCOUNT: Clause =
    ("it is the account of this program's key", "es ist das Konto des Schlüssels dieses Programms");

pub(crate) const DIRECTORY_NOW: Clause =
    ("the account comes from a directory now", "das Konto kommt jetzt aus einem Verzeichnis");

pub(crate) const SERVICE_ACCOUNT: Clause = ("it is a service account", "es ist ein Dienstkonto");

pub(crate) const GUESTS_EXEMPT: Clause = (
    "the settings say that guests are not suspended (`suspend.guests`)",
    "nach den Einstellungen werden Gäste nicht gesperrt (`suspend.guests`)",
);

pub(crate) const DELETED_FOR_GOOD: Clause = ("documents were deleted for good", "Dokumente wurden endgültig gelöscht");

pub(crate) const LEAVER: Clause = (
    "the person is on the list of people who leave",
    "die Person steht auf der Liste der Personen, die das Unternehmen verlassen",
);

pub(crate) const DECIDED_SO: Clause = ("it was decided so", "es wurde so entschieden");

pub(crate) const TRAIL_SAYS_SO: Clause = ("the audit trail says so", "das Audit-Protokoll sagt es");

pub(crate) const NOBODY_REMEMBERS: Clause = ("nobody remembers why", "niemand weiß mehr, warum");

/// So many keys of the account are in use.
pub(crate) fn keys_in_use(used: u64) -> Sentence {
    let (keys, verb) = (report::words::plural(used, "API key"), if used == 1 { "was" } else { "were" });
    let german = match used {
        1 => "1 API-Schlüssel dieses Kontos wurde".to_owned(),
        many => format!("{} API-Schlüssel dieses Kontos wurden", report::words::german::number(many)),
    };
    Sentence::new(
        format!("{keys} of this account {verb} used in the last 24 hours, and whatever runs with it would stop"),
        format!("{german} in den letzten 24 Stunden benutzt; was damit läuft, würde stehen bleiben"),
    )
}

/// No more than so many people are suspended within a day.
pub(crate) fn limit_reached(most: u64) -> Sentence {
    Sentence::new(
        format!("the limit of suspensions within 24 h is reached ({most})"),
        format!("die Höchstzahl der Sperren innerhalb von 24 h ist erreicht ({most})"),
    )
}
