//! What a finding about one person's whereabouts says. Pure.

use ::report::Who;
use ::report::words::{german, list_of};
use audit_model::Sentence;

use super::{Place, Why};
use crate::policy::{Allowed, Policy, Rule, shown};
use crate::rule::found::{Counted, Kind, Rows};
use crate::rule::sighting::{Sighting, in_german};

/// People named in a sentence.
const NAMED: usize = 5;

/// Beside an account that is disabled today, when nothing tells since when.
pub(super) const NO_BEGINNING: (&str, &str) = (
    "when the account was disabled is not known, so this may have happened before; look for the change in the portal's audit trail",
    "seit wann das Konto deaktiviert ist, ist nicht bekannt; dies kann also vorher gewesen sein; suchen Sie die Änderung im Audit-Protokoll des Portals",
);

/// `most often: Anna <anna@example.com> (12), Bob <bob@example.com> (3) and 4 more`
pub(super) fn most_often(counted: &[Counted]) -> Sentence {
    let named = counted.iter().take(NAMED);
    let named =
        named.map(|one| format!("{} ({})", Who::from(&one.person).line().for_terminal(), one.logins + one.acts));
    let (named, total) = (named.collect::<Vec<_>>(), counted.len() as u64);
    Sentence::new(
        format!("most often: {}", list_of(&named, NAMED, total)),
        format!("am häufigsten: {}", german::list_of(&named, NAMED, total)),
    )
}

/// What happened, in one sentence.
pub(super) fn headline(kind: Kind, why: Why, place: &Place, rows: &Rows) -> Sentence {
    let (counted, counted_de) = (rows.counted(), rows.counted_german());
    let from = rows.first().map(Sighting::shown_ip).unwrap_or_default();
    let from_de = in_german(&from);
    let (english, german) = match (kind, why) {
        (Kind::NotAllowed, _) => return not_allowed(place, rows, &from),
        (Kind::AddressSet, Why::SetByRequest) => (
            format!("the request itself claimed to come from {from}, so its true address is unknown: {counted}"),
            format!(
                "die Anfrage gab selbst an, von {from_de} zu kommen; ihre wahre Adresse ist nicht bekannt: {counted_de}"
            ),
        ),
        (Kind::AddressSet, _) => (
            format!("came from \"{from}\", which is not an address, so the caller must have set it: {counted}"),
            format!(
                "kam von „{from_de}“; das ist keine Adresse, also muss der Aufrufer es gesetzt haben: {counted_de}"
            ),
        ),
        (Kind::CannotJudge, Why::Cut) => (
            format!("came from an IPv6 address that begins with {from}; the portal cuts the rest: {counted}"),
            format!(
                "kam von einer IPv6-Adresse, die mit {from} beginnt; das Portal schneidet den Rest ab: {counted_de}"
            ),
        ),
        (Kind::CannotJudge, Why::Gone) => (
            format!("came from {from}, and the account is gone, so nobody can tell which groups it was in: {counted}"),
            format!(
                "kam von {from_de}; das Konto gibt es nicht mehr, und niemand kann sagen, in welchen Gruppen es war: {counted_de}"
            ),
        ),
        (Kind::CannotJudge, Why::Private) => (
            format!("came from {from}, a private address, while the portal is public: {counted}"),
            format!("kam von {from_de}, einer privaten Adresse, obwohl das Portal öffentlich ist: {counted_de}"),
        ),
        (Kind::CannotJudge, _) => (
            format!("the portal noted no address, as for some IPv6 addresses: {counted}"),
            format!("das Portal hat keine Adresse vermerkt, wie bei manchen IPv6-Adressen: {counted_de}"),
        ),
        (Kind::Unnamed, _) => (
            format!("no rule names this person: {counted}"),
            format!("diese Person kommt in keiner Regel vor: {counted_de}"),
        ),
        (Kind::Disabled, _) => (
            format!("the account is disabled, and still appears from {from}: {counted}"),
            format!("das Konto ist deaktiviert und taucht noch auf, und zwar von {from_de}: {counted_de}"),
        ),
        (_, _) => {
            let country = place.shown().unwrap_or_default();
            (
                format!("signed in from {country} for the first time: {counted}, the first from {from}"),
                format!("hat sich zum ersten Mal aus {country} angemeldet: {counted_de}, zuerst von {from_de}"),
            )
        }
    };
    Sentence::new(english, german)
}

fn not_allowed(place: &Place, rows: &Rows, from: &str) -> Sentence {
    let (counted, counted_de) = (rows.counted(), rows.counted_german());
    let has_signed_in = rows.logins > 0;
    let verb = if has_signed_in { "signed in" } else { "came" };
    let about = rows.first().map(Sighting::circumstances).unwrap_or_default();
    let german = |from: &str| if has_signed_in { format!("hat sich {from} angemeldet") } else { format!("kam {from}") };
    // what a subject has no room for stands last
    match (place.shown(), rows.addresses()) {
        (Some(network), several) if several > 1 => Sentence::new(
            format!(
                "{verb} from {several} addresses of {network}, which no rule allows them: {counted}, first from {from}{about}"
            ),
            format!(
                "{}, was keine Regel erlaubt: {counted_de}, zuerst von {}{about}",
                german(&format!("von {several} Adressen aus {network}")),
                in_german(from)
            ),
        ),
        _ => Sentence::new(
            format!("{verb} from {from}, which no rule allows them{about}: {counted}"),
            format!("{}, was keine Regel erlaubt{about}: {counted_de}", german(&format!("von {}", in_german(from)))),
        ),
    }
}

/// Why no rule allows it, and whom to ask.
pub(super) fn because(policy: &Policy, allowed: &Allowed, kind: Kind) -> Sentence {
    let counting: Vec<Sentence> = allowed.rules.iter().map(|rule| named(&policy.rules[*rule])).collect();
    let idle = allowed.idle.iter().map(|rule| {
        let rule = &policy.rules[*rule];
        let name = named(rule);
        match rule.expires.filter(|_| rule.has_expired(policy.today())) {
            Some(end) => Sentence::new(
                format!("{name} has expired on {end}"),
                format!("{} ist am {} abgelaufen", name.german(), end.format("%d.%m.%Y")),
            ),
            None => Sentence::new(
                format!("{name} counts for admins only"),
                format!("{} gilt nur für Administratoren", name.german()),
            ),
        }
    });
    let idle: Vec<Sentence> = idle.collect();
    let (rules, rules_de) = joined(&counting);
    let (idle, idle_de) = joined(&idle);
    let (mut english, mut german) = match (counting.is_empty(), idle.is_empty()) {
        (true, _) => {
            return Sentence::new(
                format!("no rule of theirs counts: {idle}"),
                format!("keine Regel dieser Person gilt: {idle_de}"),
            );
        }
        (_, true) => (format!("their rules: {rules}"), format!("Regeln dieser Person: {rules_de}")),
        _ => (format!("their rules: {rules}; {idle}"), format!("Regeln dieser Person: {rules_de}; {idle_de}")),
    };
    if kind == Kind::CannotJudge {
        let (could, could_de) = if allowed.has_v6() {
            ("; rules with IPv6 addresses could allow it", "; Regeln mit IPv6-Adressen könnten es erlauben")
        } else {
            ("; no rule has IPv6 addresses", "; keine Regel enthält IPv6-Adressen")
        };
        english.push_str(could);
        german.push_str(could_de);
    }
    Sentence::new(english, german)
}

fn joined(sentences: &[Sentence]) -> (String, String) {
    let join = |of: fn(&Sentence) -> &str| sentences.iter().map(of).collect::<Vec<_>>().join(", ");
    (join(Sentence::english), join(Sentence::german))
}

/// Whether one of the rules that are named says whom to ask about it.
pub(super) fn has_owner(policy: &Policy, allowed: &Allowed) -> bool {
    allowed.rules.iter().chain(&allowed.idle).any(|rule| policy.rules[*rule].owner.is_some())
}

/// A rule with its line, its reason, and whom to ask about it.
fn named(rule: &Rule) -> Sentence {
    let about = |line: &str, ask: &str| {
        let mut about = vec![format!("{line} {}", rule.line)];
        about.extend(rule.reason.as_ref().map(|reason| shown(reason)));
        about.extend(rule.owner.as_ref().map(|owner| format!("{ask} {}", shown(owner))));
        about.join("; ")
    };
    let label = shown(&rule.label);
    Sentence::new(
        format!("\"{label}\" ({})", about("line", "ask")),
        format!("„{label}“ ({})", about("Zeile", "Auskunft gibt")),
    )
}
