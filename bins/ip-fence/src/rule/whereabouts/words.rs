//! What a finding about one person's whereabouts says. Pure.

use ::report::Who;
use ::report::words::list_of;

use super::{Place, Why};
use crate::policy::{Allowed, Policy, Rule, shown};
use crate::rule::found::{Counted, Kind, Rows};
use crate::rule::sighting::Sighting;

/// People named in a sentence.
const NAMED: usize = 5;

/// Beside an account that is disabled today, when nothing tells since when.
pub(super) const NO_BEGINNING: &str = "when the account was disabled is not known, so this may have happened before; look for the change in the portal's audit trail";

/// `most often: Anna <anna@example.com> (12), Bob <bob@example.com> (3) and 4 more`
pub(super) fn most_often(counted: &[Counted]) -> String {
    let named = counted.iter().take(NAMED);
    let named =
        named.map(|one| format!("{} ({})", Who::from(&one.person).line().for_terminal(), one.logins + one.acts));
    format!("most often: {}", list_of(&named.collect::<Vec<_>>(), NAMED, counted.len() as u64))
}

/// What happened, in one sentence.
pub(super) fn headline(kind: Kind, why: Why, place: &Place, rows: &Rows) -> String {
    let counted = rows.counted();
    let from = rows.first().map(Sighting::shown_ip).unwrap_or_default();
    match (kind, why) {
        (Kind::NotAllowed, _) => not_allowed(place, rows, &from),
        (Kind::AddressSet, Why::SetByRequest) => {
            format!("the request itself claimed to come from {from}, so its true address is unknown: {counted}")
        }
        (Kind::AddressSet, _) => {
            format!("came from \"{from}\", which is not an address, so the caller must have set it: {counted}")
        }
        (Kind::CannotJudge, Why::Cut) => {
            format!("came from an IPv6 address that begins with {from}; the portal cuts the rest: {counted}")
        }
        (Kind::CannotJudge, Why::Gone) => {
            format!("came from {from}, and the account is gone, so nobody can tell which groups it was in: {counted}")
        }
        (Kind::CannotJudge, Why::Private) => {
            format!("came from {from}, a private address, while the portal is public: {counted}")
        }
        (Kind::CannotJudge, _) => format!("the portal noted no address, as for some IPv6 addresses: {counted}"),
        (Kind::Unnamed, _) => format!("no rule names this person: {counted}"),
        (Kind::Disabled, _) => format!("the account is disabled, and still appears from {from}: {counted}"),
        (_, _) => {
            let country = place.shown().unwrap_or_default();
            format!("signed in from {country} for the first time: {counted}, the first from {from}")
        }
    }
}

fn not_allowed(place: &Place, rows: &Rows, from: &str) -> String {
    let counted = rows.counted();
    let verb = if rows.logins > 0 { "signed in" } else { "came" };
    let about = rows.first().map(Sighting::circumstances).unwrap_or_default();
    // what a subject has no room for stands last
    match (place.shown(), rows.addresses()) {
        (Some(network), several) if several > 1 => format!(
            "{verb} from {several} addresses of {network}, which no rule allows them: {counted}, first from {from}{about}"
        ),
        _ => format!("{verb} from {from}, which no rule allows them{about}: {counted}"),
    }
}

/// Why no rule allows it, and whom to ask.
pub(super) fn because(policy: &Policy, allowed: &Allowed, kind: Kind) -> String {
    let counting: Vec<String> = allowed.rules.iter().map(|rule| named(&policy.rules[*rule])).collect();
    let idle = allowed.idle.iter().map(|rule| {
        let rule = &policy.rules[*rule];
        match rule.expires.filter(|_| rule.has_expired(policy.today())) {
            Some(end) => format!("{} has expired on {end}", named(rule)),
            None => format!("{} counts for admins only", named(rule)),
        }
    });
    let idle = idle.collect::<Vec<_>>().join(", ");
    let mut text = match (&counting[..], &idle[..]) {
        ([], idle) => return format!("no rule of theirs counts: {idle}"),
        (rules, "") => format!("their rules: {}", rules.join(", ")),
        (rules, idle) => format!("their rules: {}; {idle}", rules.join(", ")),
    };
    if kind == Kind::CannotJudge {
        let could = if allowed.has_v6() {
            "; rules with IPv6 addresses could allow it"
        } else {
            "; no rule has IPv6 addresses"
        };
        text.push_str(could);
    }
    text
}

/// Whether one of the rules that are named says whom to ask about it.
pub(super) fn has_owner(policy: &Policy, allowed: &Allowed) -> bool {
    allowed.rules.iter().chain(&allowed.idle).any(|rule| policy.rules[*rule].owner.is_some())
}

/// A rule with its line, its reason, and whom to ask about it.
fn named(rule: &Rule) -> String {
    let mut about = vec![format!("line {}", rule.line)];
    about.extend(rule.reason.as_ref().map(|reason| shown(reason)));
    about.extend(rule.owner.as_ref().map(|owner| format!("ask {}", shown(owner))));
    format!("\"{}\" ({})", shown(&rule.label), about.join("; "))
}
