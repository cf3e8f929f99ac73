//! A suggestion as a policy, with everything else in comments. Pure.

use std::fmt::Write as _;

use ::report::words::{Clock, list_of, plural};
use audit_model::{Person, PortalText};

use super::rules::people;
use super::{
    Against, Counted, Inputs, LeftOut, LookAt, NotSuggested, Presence, Proof, Robot, SuggestedEntry, SuggestedRule,
    Suggestion, Why, WhyNot,
};
use crate::policy::import::quoted;
use crate::rule::found::counted;

/// Lines of one kind; JSON has all.
const SHOWN: usize = 50;
const ADDRESSES_SHOWN: usize = 3;

/// The whole policy.
pub(super) fn policy(inputs: &Inputs<'_>, suggestion: &Suggestion, proof: Option<&Proof>, portal: &str) -> String {
    let clock = Clock(inputs.zone);
    let seen = suggestion.seen;
    let mut text = String::new();
    comment(
        &mut text,
        &format!(
            "A policy suggested from what was seen on {portal} from {} to {}.",
            clock.day(seen.since),
            clock.day(seen.until)
        ),
    );
    comment(
        &mut text,
        "Read it before you use it: what people did is not proof that they may. Nothing was changed, here or at the portal.",
    );
    text.push_str("#\n");
    comment(&mut text, &proven(proof, clock));
    if let Some(proxy) = suggestion.proxy {
        text.push_str("#\n");
        comment(
            &mut text,
            &format!(
                "Nothing is suggested: everybody came from {proxy}, so the portal sees a proxy, and not the people. Let whoever runs the server name the proxy in `knownProxies`. If everybody does work behind that one address, write a rule for it by hand."
            ),
        );
    }
    if suggestion.proxy.is_none() && suggestion.rules.is_empty() {
        text.push_str("#\n");
        comment(&mut text, "Nothing is suggested: no place was used often enough.");
    }
    text.push_str(&rules(inputs, suggestion));
    text.push_str(&remarks(suggestion, clock));
    text
}

/// Only what an existing policy does not have, and what it has in vain.
pub(super) fn difference(inputs: &Inputs<'_>, against: &Against, portal: &str) -> String {
    let clock = Clock(inputs.zone);
    let mut text = String::new();
    let (since, until) = (clock.day(against.seen.since), clock.day(against.seen.until));
    comment(&mut text, &format!("Compared with what was seen on {portal} from {since} to {until}."));
    let new = match against.new.len() {
        0 => "Nothing is new.".to_owned(),
        count => format!(
            "New: {} that the policy does not have. Read them before you add them.",
            plural(count as u64, "rule")
        ),
    };
    comment(&mut text, &new);
    against.new.iter().for_each(|one| text.push_str(&rule(one, clock)));
    let unseen: Vec<String> = against
        .unseen
        .iter()
        .map(|unseen| {
            format!(
                "line {}: {} of rule \"{}\"",
                unseen.line,
                unseen.entry,
                PortalText::new(unseen.rule.as_str()).for_terminal()
            )
        })
        .collect();
    section(&mut text, &format!("Entries from which nobody whom they are for was seen since {since}:"), unseen);
    text
}

/// The rules alone.
pub(super) fn rules(inputs: &Inputs<'_>, suggestion: &Suggestion) -> String {
    let mut text = "\ndefault = \"report\"\n".to_owned();
    suggestion.rules.iter().for_each(|one| text.push_str(&rule(one, Clock(inputs.zone))));
    text
}

fn rule(rule: &SuggestedRule, clock: Clock) -> String {
    let mut text = format!("\n[[rule]]\nlabel = {}\n", quoted(&rule.label));
    let names = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let mut line = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    if !rule.groups.is_empty() {
        line("groups", format!("[{}]", names(&rule.groups)));
    }
    if !rule.people.is_empty() {
        line("people", format!("[{}]", names(&rule.people)));
    }
    let entries = rule.allow.iter().map(|entry| format!("    \"{}\", # {}\n", entry.entry, sure(entry, clock)));
    line("allow", format!("[\n{}]", entries.collect::<String>()));
    line("reason", quoted(&rule.reason));
    if let Some(end) = rule.expires {
        line("expires", format!("\"{end}\""));
    }
    text
}

/// `3 people, 61 days, 412 logins, 2026-08-22 to 2026-11-19, 62 % of their logins`
fn sure(entry: &SuggestedEntry, clock: Clock) -> String {
    let many = if entry.people > 1 { format!("{}, ", people(entry.people)) } else { String::new() };
    let what = if entry.seen.logins > 0 { "logins" } else { "actions" };
    format!("{many}{}, {} % of their {what}", seen(&entry.seen, clock), entry.share_percent)
}

fn seen(seen: &Presence, clock: Clock) -> String {
    let (first, last) = (clock.day(seen.first), clock.day(seen.last));
    let when = if first == last { first } else { format!("{first} to {last}") };
    format!("{}, {}, {when}", plural(seen.days as u64, "day"), counted(seen.logins, seen.acts))
}

fn proven(proof: Option<&Proof>, clock: Clock) -> String {
    let Some(proof) = proof else {
        return "Not tried: the history is too short to make a policy from its first three quarters and to judge the last one by it.".to_owned();
    };
    let unnamed = match proof.unnamed {
        0 => String::new(),
        1 => "; 1 more person signed in whom it does not name".to_owned(),
        count => format!("; {count} more people signed in whom it does not name"),
    };
    let mut text = format!(
        "Tried: a policy made in the same way from what was seen before {} would have raised {} in {} since then, and locked out {} of {} whom it names{unnamed}.",
        clock.day(proof.judged.since),
        plural(proof.findings, "finding"),
        plural(proof.logins, "login"),
        proof.locked_out.len(),
        people(proof.people),
    );
    if !proof.locked_out.is_empty() {
        let names: Vec<String> = proof.locked_out.iter().map(who).collect();
        let _ = write!(text, " Locked out: {}.", list_of(&names, SHOWN, names.len() as u64));
    }
    text
}

fn remarks(suggestion: &Suggestion, clock: Clock) -> String {
    let mut text = String::new();
    let look_at = |one: &LookAt| {
        let addresses: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
        let addresses = list_of(&addresses, ADDRESSES_SHOWN, addresses.len() as u64);
        format!("{}, {addresses}: {} ({})", who(&one.person), why(one.why), seen(&one.seen, clock))
    };
    let places = suggestion.not_proposed.iter().map(look_at).collect();
    section(&mut text, "Not proposed, look at them:", places);
    let person = |one: &NotSuggested| format!("{}: {}", who(&one.person), why_not(one));
    section(&mut text, "People for whom nothing is suggested:", suggestion.people.iter().map(person).collect());
    let robot = |robot: &Robot| {
        let addresses: Vec<String> = robot.addresses.iter().map(ToString::to_string).collect();
        format!("{}: {}", who(&robot.person), list_of(&addresses, ADDRESSES_SHOWN, addresses.len() as u64))
    };
    section(
        &mut text,
        "Robots, which are not watched; a plan for the portal's own list needs their addresses:",
        suggestion.robots.iter().map(robot).collect(),
    );
    let left_out = |one: &Counted| format!("{}: {}", counted(one.logins, one.acts), left_out(one.why));
    section(&mut text, "Left out:", suggestion.left_out.iter().map(left_out).collect());
    text
}

fn who(person: &Person) -> String {
    let name = person.name.for_terminal();
    match &person.email {
        Some(email) => format!("{name} <{}>", email.for_terminal()),
        None => name,
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::AfterFailedLogins => {
            "many failed logins came right before its first use, or from there; somebody may have guessed the password"
        }
        Why::AfterTakeover => "came into use after somebody may have guessed the password",
        Why::NewCountry => "in a country that was new to this person",
        Why::OneDay => "on one day only",
        Why::FewDays => "on fewer than 3 days",
    }
}

fn why_not(one: &NotSuggested) -> String {
    match one.why {
        WhyNot::Roaming => format!(
            "roams, came from {}; a VPN with a fixed address would help",
            plural(one.networks as u64, "network")
        ),
        WhyNot::Ipv6Only => "comes over IPv6, of which the portal notes only the beginning".to_owned(),
        WhyNot::ShortHistory => format!("seen on {} only, 3 are needed", plural(one.days as u64, "day")),
        WhyNot::InDoubt => "only from the places above that are not proposed".to_owned(),
        WhyNot::NoHabit => "from no place on 3 days or more".to_owned(),
        WhyNot::Unseen => "not seen".to_owned(),
    }
}

fn left_out(why: LeftOut) -> &'static str {
    match why {
        LeftOut::SetByRequest => "the request itself set the address",
        LeftOut::NoAddress => "a text that is no address",
        LeftOut::Cut => "only the beginning of an IPv6 address",
        LeftOut::Empty => "no address",
        LeftOut::Private => "a private address, while the portal is public",
        LeftOut::SavedByEditor => "saved by the editor, which may book it on somebody else",
        LeftOut::Robot => "robots",
        LeftOut::Disabled => "accounts that are disabled",
        LeftOut::Gone => "accounts that are gone",
    }
}

fn section(text: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    text.push('\n');
    comment(text, title);
    for line in lines.iter().take(SHOWN) {
        comment(text, &format!("  {line}"));
    }
    if lines.len() > SHOWN {
        comment(text, &format!("  and {} more: `--format json` has all", lines.len() - SHOWN));
    }
}

/// One line, whatever the portal has put into it.
fn comment(text: &mut String, line: &str) {
    let safe: String = line.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let _ = writeln!(text, "# {}", safe.trim_end());
}
