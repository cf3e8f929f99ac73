//! What the policy says about one person and one address, in words. Pure.

use ::report::words::plural;
use audit_model::{Address, Person, PortalText};
use serde::Serialize;

use super::file::shown;
use super::{Allowed, Permission, Policy, Rule, Unnamed};

/// The answer of `policy test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Answer {
    pub(crate) person: Person,
    /// As it was asked.
    pub(crate) address: String,
    pub(crate) verdict: Word,
    /// Label of the rule that allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// The entry that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<String>,
    /// Where the entry stands in the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// Why, each a sentence.
    pub(crate) reasons: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    Allowed,
    NotAllowed,
    CannotJudge,
    Unnamed,
}

impl Policy {
    /// Whether the person may come from there today, and why. On a public portal a private address is nobody's.
    pub(crate) fn answer(&self, person: &Person, text: &str, is_public: bool) -> Answer {
        let address = Address::parse(text.trim());
        let answer = |verdict, reasons| Answer {
            person: person.clone(),
            address: text.to_owned(),
            verdict,
            rule: None,
            entry: None,
            line: None,
            reasons,
        };
        let is_nobodys = is_public && matches!(address, Address::Private(_));
        match self.judge(person.id, address, self.today()) {
            Permission::Allowed(..) | Permission::NotAllowed(_) if is_nobodys => {
                answer(Word::CannotJudge, vec![unclear(address).to_owned()])
            }
            Permission::Allowed(rule, entry) => Answer {
                rule: Some(rule.label.clone()),
                entry: Some(entry.range.to_string()),
                line: Some(entry.line),
                reasons: about(rule),
                ..answer(Word::Allowed, Vec::new())
            },
            Permission::NotAllowed(allowed) => answer(Word::NotAllowed, self.why_not(allowed)),
            Permission::CannotJudge => answer(Word::CannotJudge, vec![unclear(address).to_owned()]),
            Permission::Unnamed => {
                let then = match self.default {
                    Unnamed::Report => "every address of theirs is reported",
                    Unnamed::Ignore => "they are not looked at",
                };
                answer(Word::Unnamed, vec![format!("no rule names this person, so {then}")])
            }
        }
    }

    /// What the reader of a report must know of it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.stale.clone();
        for rule in self.expired_rules() {
            let ask = rule.owner.as_ref().map(|owner| format!("; ask {}", shown(owner))).unwrap_or_default();
            let end = rule.expires.map(|end| end.to_string()).unwrap_or_default();
            let (label, line) = (shown(&rule.label), rule.line);
            notes.push(format!("rule \"{label}\" (line {line}) has expired on {end} and does not count{ask}"));
        }
        if self.rules.is_empty() {
            notes.push("no policy is set, so only failed logins, new countries, disabled accounts and addresses that were set are judged; give `--policy FILE`".to_owned());
        }
        notes
    }

    fn why_not(&self, allowed: &Allowed) -> Vec<String> {
        let named = |rule: &usize| {
            let Rule { label, line, .. } = &self.rules[*rule];
            format!("\"{}\" (line {line})", shown(label))
        };
        let mut reasons: Vec<String> = Vec::new();
        for rule in &allowed.rules {
            let entries = plural(self.rules[*rule].allow.len() as u64, "entry");
            reasons.push(format!("not in the {entries} of {}", named(rule)));
        }
        for rule in &allowed.idle {
            let why = match self.rules[*rule].expires.filter(|end| self.today() >= *end) {
                Some(end) => format!("has expired on {end}"),
                None => "counts for the owner and DocSpace admins only".to_owned(),
            };
            reasons.push(format!("{} {why}", named(rule)));
        }
        reasons
    }
}

fn about(rule: &Rule) -> Vec<String> {
    let reason = rule.reason.as_ref().map(|reason| format!("because: {}", shown(reason)));
    let owner = rule.owner.as_ref().map(|owner| format!("ask {} about it", shown(owner)));
    let end = rule.expires.map(|end| format!("until {end}"));
    [reason, owner, end].into_iter().flatten().collect()
}

fn unclear(address: Address) -> &'static str {
    match address {
        Address::Stump(_) => "it is the beginning of an IPv6 address; the portal cuts the rest, so nobody can tell",
        Address::Empty => "there is no address to judge",
        Address::Private(_) => "it is a private address, while the portal is public (`portal.public`)",
        _ => "it is no address, or is written in a form that the portal never notes",
    }
}

impl Answer {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let who = self.person.email.as_ref().unwrap_or(&self.person.name).for_terminal();
        let address = PortalText::new(self.address.as_str()).for_terminal();
        let verdict = match self.verdict {
            Word::Allowed => {
                let (entry, line) = (self.entry.as_deref().unwrap_or_default(), self.line.unwrap_or_default());
                let rule = shown(self.rule.as_deref().unwrap_or_default());
                format!("allowed by {entry} of rule \"{rule}\" (line {line})")
            }
            Word::NotAllowed => "not allowed".to_owned(),
            Word::CannotJudge => "cannot be judged, and so is never taken for allowed".to_owned(),
            Word::Unnamed => "not judged".to_owned(),
        };
        let reasons: String = self.reasons.iter().map(|reason| format!("  {reason}\n")).collect();
        format!("{who} from {address}: {verdict}\n{reasons}")
    }
}
