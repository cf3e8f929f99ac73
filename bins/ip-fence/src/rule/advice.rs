//! What to do about a finding. Pure.

use audit_model::{Address, Finding, PortalText, Sentence, Severity};

use super::found::{Case, Detail, Kind};

impl From<&Case> for job_runner::Found<Detail> {
    fn from(found: &Case) -> Self {
        let detail = Detail { what_to_do: of(found), ..found.detail.clone() };
        job_runner::Found { finding: found.finding.clone(), detail }
    }
}

/// A step in English and in German.
type Step = (&'static str, &'static str);

/// Sentences in the order in which they should be followed.
fn of(found: &Case) -> Vec<Sentence> {
    let kind = found.detail.kind;
    let has_followed = kind == Kind::FailedBurst && found.finding.severity >= Severity::High;
    let steps = if has_followed { &TAKEN_OVER[..] } else { what_to_do(kind) };
    let is_said = |step: &Step| *step != WHOM_TO_ASK || found.has_owner;
    let mut steps: Vec<Sentence> = steps.iter().filter(|step| is_said(step)).map(|&step| step.into()).collect();
    if let Some(command) = allowing(&found.finding).filter(|_| kind == Kind::NotAllowed) {
        let german = format!("Wenn ja, und wenn es wieder vorkommen darf: {command}");
        steps.insert(1, Sentence::new(format!("if so, and it may be again: {command}"), german));
    }
    steps
}

const ASK_THE_PERSON: Step = (
    "ask the person, by another way than the portal, whether that was them",
    "Fragen Sie die Person auf einem anderen Weg als über das Portal, ob sie das war",
);

/// Of an account that somebody has signed in to after guessing.
const TAKEN_OVER: [Step; 2] = [
    ASK_THE_PERSON,
    (
        "if not, the account is taken over: disable it, end its sessions, change the password, and look at what was done since",
        "Wenn nicht, ist das Konto übernommen: Deaktivieren Sie es, beenden Sie seine Sitzungen, ändern Sie das Passwort und sehen Sie nach, was seither getan wurde",
    ),
];

/// Said only where some rule has an owner.
const WHOM_TO_ASK: Step = (
    "whom to ask about an address stands beside the rules",
    "Wen Sie nach einer Adresse fragen können, steht bei den Regeln",
);

/// Sentences in the order in which they should be followed.
fn what_to_do(kind: Kind) -> &'static [Step] {
    match kind {
        Kind::NotAllowed => &[
            ASK_THE_PERSON,
            WHOM_TO_ASK,
            (
                "if not, disable the account, end its sessions, and change the password",
                "Wenn nicht, deaktivieren Sie das Konto, beenden Sie seine Sitzungen und ändern Sie das Passwort",
            ),
        ],
        Kind::CannotJudge => &[
            (
                "look the rows up in the proxy's log, which has whole addresses",
                "Suchen Sie die Zeilen im Protokoll des Proxys, das ganze Adressen enthält",
            ),
            ("or let people come over IPv4 only", "Oder lassen Sie Verbindungen nur über IPv4 zu"),
        ],
        Kind::AddressSet => &[
            (
                "look the rows up in the proxy's log for the real address",
                "Suchen Sie die Zeilen im Protokoll des Proxys, um die wahre Adresse zu finden",
            ),
            (
                "let the proxy drop `request-x-real-ip` from what comes from outside",
                "Lassen Sie den Proxy `request-x-real-ip` aus allem entfernen, was von außen kommt",
            ),
        ],
        Kind::Unnamed => &[(
            "add the person or a group to the policy, or set `default = \"ignore\"`",
            "Nehmen Sie die Person oder eine Gruppe in die Regeln auf, oder setzen Sie `default = \"ignore\"`",
        )],
        Kind::Disabled => &[(
            "end the account's sessions, and revoke its API keys and links",
            "Beenden Sie die Sitzungen des Kontos und widerrufen Sie seine API-Schlüssel und Links",
        )],
        Kind::NewCountry => &[(
            "ask the person whether they travel or use a VPN",
            "Fragen Sie die Person, ob sie auf Reisen ist oder ein VPN benutzt",
        )],
        Kind::FailedBurst => &[(
            "ask the person whether that was them; if not, see that the account has a second factor",
            "Fragen Sie die Person, ob sie das war; wenn nicht, sorgen Sie dafür, dass das Konto einen zweiten Faktor hat",
        )],
        Kind::Spraying => &[
            ("block the addresses of the rows at the proxy", "Sperren Sie die Adressen der Zeilen am Proxy"),
            (
                "see that the accounts named in the rows have a second factor",
                "Sorgen Sie dafür, dass die Konten, die die Zeilen nennen, einen zweiten Faktor haben",
            ),
        ],
        Kind::ListChanged => &[
            (
                "ask whoever did it what was changed, and why",
                "Fragen Sie die Person, die es getan hat, was geändert wurde und warum",
            ),
            (
                "see with `ip-fence plan` what the list would do now",
                "Sehen Sie mit `ip-fence plan` nach, was die Liste jetzt bewirken würde",
            ),
        ],
        Kind::BreakGlass => &[
            (
                "ask the owner, by another way than the portal, whether that was them",
                "Fragen Sie den Eigentümer auf einem anderen Weg als über das Portal, ob er das war",
            ),
            (
                "if not, end the account's sessions and change its password and keys: no list stops it",
                "Wenn nicht, beenden Sie die Sitzungen des Kontos und ändern Sie Passwort und Schlüssel: Keine Liste hält es auf",
            ),
        ],
        Kind::NotEnforced => &[(
            "ask whoever runs the server whether `web:hide-settings` names IpSecurity",
            "Fragen Sie die Betreiber des Servers, ob `web:hide-settings` IpSecurity nennt",
        )],
    }
}

/// The command that allows the first address. Whoever chose the account's address must not write it.
fn allowing(finding: &Finding) -> Option<String> {
    let ip = finding.evidence.first()?.ip.as_ref()?;
    let ip = Address::parse(ip.raw()).ip()?;
    let is_plain = |email: &&str| {
        let mut characters = email.chars();
        characters.all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c)) && !email.starts_with('-')
    };
    let email = finding.person.email.as_ref().map(PortalText::raw).filter(is_plain);
    let person = email.map_or_else(|| finding.person.id.to_string(), str::to_owned);
    Some(format!("`ip-fence policy allow {person} {ip} --reason TEXT`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::habits::Habits;
    use crate::rule::then::Then;
    use crate::rule::whereabouts::Whereabouts;
    use crate::testing::{BOB, book, directory, login, policy};

    /// Whoever chose their own address must not write the command that somebody else runs.
    #[test]
    fn the_command_that_allows_an_address_holds_no_text_of_others() {
        let (policy, directory, then) = (policy(&["192.0.2.0/24"]), directory(), Then::default());
        let mut whereabouts = Whereabouts::new(book(&policy, &directory, &then), Habits::default());
        whereabouts.push(&login(BOB, "203.0.113.7:4711", 90));
        let mut found = whereabouts.finish().0.remove(0);
        let told = "if so, and it may be again: `ip-fence policy allow bob@example.com 203.0.113.7 --reason TEXT`";
        assert_eq!(of(&found)[1], told);
        assert!(!of(&found).contains(&WHOM_TO_ASK.into()), "no rule has an owner");
        found.has_owner = true;
        assert!(of(&found).contains(&WHOM_TO_ASK.into()));
        for hostile in ["$(id)@example.com", "-x@example.com", "a b@example.com"] {
            found.finding.person.email = Some(hostile.into());
            assert!(of(&found)[1].contains(&format!("allow {BOB} 203.0.113.7")), "{hostile}");
        }
    }
}
