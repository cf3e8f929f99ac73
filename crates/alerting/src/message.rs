//! An alert as people read it, once for all channels: a line that says who did what, what to do, and the facts. Pure.
//!
//! Every text is one line of plain text, in which nothing acts on a terminal or becomes a link by itself. Whoever puts it into a markup
//! escapes it for that.

mod html;
mod words;

use audit_model::{Attributed, FindingRoom, GUEST_ACCOUNT, Gap, Person, PortalText, SYSTEM_ACCOUNT, Sentence};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use report::words::Clock;
use url::Url;

use crate::alert::Alert;
use crate::said::InLanguage;

pub use words::Language;
use words::Words;

/// Longest subject, in characters: phones show no more.
pub(crate) const LONGEST_SUBJECT: usize = 80;

/// Longest heading of a mail, in characters.
const LONGEST_TITLE: usize = 200;

/// Of a subject, in characters, so that no title pushes the rest out of sight.
const LONGEST_PERSON: usize = 24;
const LONGEST_ROOM: usize = 18;

/// Of a fact, in characters.
const LONGEST_QUOTE: usize = 120;

/// Lines of what to do, and gaps, that are told one by one.
const MOST_LINES: usize = 6;

/// What is this recent goes on.
const GOING_ON: TimeDelta = TimeDelta::hours(1);

/// One alert for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who did what, in at most 80 characters.
    pub subject: String,
    /// The same for places that take more, in at most 200 characters.
    pub(crate) title: String,
    /// `high`, or that it is over, in the language of the message.
    pub severity: String,
    /// What to do, the most urgent first; never empty.
    pub what_to_do: Vec<String>,
    /// Who, where, how many, how fast, since when, still going on, how sure, why, what was not seen: those that are known, in this order.
    pub facts: Vec<Fact>,
    /// Pages of the portal, each with what it shows.
    pub links: Vec<(String, Url)>,
    /// Which program says so of which portal, and what to call the matter by.
    pub footer: String,
    /// Of the page.
    pub(crate) language: Language,
    /// The heading above what to do.
    pub(crate) heading: &'static str,
}

/// One line of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub label: &'static str,
    pub value: String,
}

impl Message {
    /// The message that leaves at this moment.
    pub fn new(alert: &Alert, language: Language, now: DateTime<Utc>) -> Self {
        let (words, said) = (language.words(), InLanguage::of(alert, language));
        let mut links = Vec::new();
        links.extend(alert.links.room.clone().map(|page| (words.room_page.to_owned(), page)));
        links.extend(alert.links.person.clone().map(|page| (words.person_page.to_owned(), page)));
        let matter = alert.matter.as_ref().map(|matter| format!(" · {} {matter}", words.matter)).unwrap_or_default();
        let (program, version) = (line(&alert.program.name), line(&alert.program.version));
        Message {
            subject: subject(alert, &said, language, LONGEST_SUBJECT),
            title: subject(alert, &said, language, LONGEST_TITLE),
            severity: severity(alert, language).to_owned(),
            what_to_do: what_to_do(alert, &said, words),
            facts: facts(alert, &said, words, now),
            links,
            footer: format!("{program} {version} · {}{matter}", line(&alert.portal.url)),
            language,
            heading: words.what_to_do,
        }
    }

    /// All of it as lines of plain text, without the subject.
    pub fn text(&self) -> String {
        let mut text = format!("{}:\n", self.heading);
        self.what_to_do.iter().for_each(|step| text.push_str(&format!("- {step}\n")));
        text.push('\n');
        self.facts.iter().for_each(|Fact { label, value }| text.push_str(&format!("{label}: {value}\n")));
        text.push('\n');
        self.links.iter().for_each(|(label, page)| text.push_str(&format!("{label}: {page}\n")));
        text.push_str(&format!("{}\n", self.footer));
        text
    }

    /// The same as a page of its own, for mail: no scripts, nothing that is fetched, readable on a phone, by day and by night.
    pub fn html(&self) -> String {
        html::page(self)
    }
}

/// `high: Anna Example in "Alpha": 41 actions within 1 h, more than 20`, or in the words of the program
/// `critical: Anna Example signed in from 203.0.113.66 after 40 wrong passwords`
fn subject(alert: &Alert, said: &InLanguage, language: Language, longest: usize) -> String {
    let words = language.words();
    let own = said.said.facts.who.as_deref().map(line);
    let person = own.unwrap_or_else(|| called(&alert.person, words).unlinked_within(LONGEST_PERSON));
    if let Some(did) = said.said.did.as_ref().filter(|_| !alert.is_over()) {
        let said = format!("{}: {person} {}", severity(alert, language), line(did));
        return PortalText::new(said).for_terminal_within(longest);
    }
    let room = alert.room.as_ref().map(|room| room.title.unlinked_within(LONGEST_ROOM));
    let room = room.map(|title| format!(" {} {}", words.in_room, (words.title)(&title))).unwrap_or_default();
    let what = match said.reasons.first().filter(|_| !alert.is_over()) {
        Some(reason) => reason.clone(),
        None => said.said.facts.how_many.as_deref().map_or_else(|| how_many(alert, words), str::to_owned),
    };
    let start = format!("{}: {person}{room}: ", severity(alert, language));
    let left = longest.saturating_sub(start.chars().count());
    PortalText::new(format!("{start}{}", PortalText::new(what).unlinked_within(left))).for_terminal_within(longest)
}

fn severity(alert: &Alert, language: Language) -> &'static str {
    if alert.is_over() { language.words().over } else { language.severity(alert.severity) }
}

/// What the program says; else what is right whatever was found.
fn what_to_do(alert: &Alert, said: &InLanguage, words: &Words) -> Vec<String> {
    let steps: Vec<String> = said.said.what_to_do.iter().take(MOST_LINES).map(|step| line(step)).collect();
    match steps {
        _ if alert.is_over() => vec![words.nothing_to_do.to_owned()],
        steps if steps.is_empty() => vec![words.ask.to_owned()],
        steps => steps,
    }
}

fn facts(alert: &Alert, said: &InLanguage, words: &'static Words, now: DateTime<Utc>) -> Vec<Fact> {
    let fact = |label, value: Option<String>| value.map(|value| Fact { label, value });
    let counted = alert.counts.acts > 0;
    // what is over was said by the program when it began, and has other numbers by now
    let own = |said: &Option<Sentence>| said.as_deref().filter(|_| !alert.is_over()).map(line);
    let of_room = || alert.room.as_ref().map(|room| place(room, words));
    let times = Times::of(alert, words);
    let facts = [
        fact(words.who, said.said.facts.who.as_deref().map(line).or_else(|| Some(who(&alert.person, words)))),
        fact(words.place, own(&said.said.facts.place).or_else(of_room)),
        fact(words.count, own(&said.said.facts.how_many).or_else(|| counted.then(|| how_many(alert, words)))),
        fact(words.speed, own(&said.said.facts.how_fast).or_else(|| how_fast(alert, words))),
        fact(words.since, Some(times.first(alert.window.since))),
        fact(words.going_on, going_on(alert, said, times, words, now)),
        fact(words.sure, own(&said.said.facts.how_sure).or_else(|| how_sure(alert, words))),
        fact(words.why, Some(quoted(&said.reasons.join("; "), 3 * LONGEST_QUOTE)).filter(|why| !why.is_empty())),
        fact(words.held_back, (alert.suppressed > 0).then(|| (words.number)(alert.suppressed))),
        fact(words.not_seen, Some(not_seen(alert, times, words))),
    ];
    facts.into_iter().flatten().collect()
}

fn who(person: &Person, words: &Words) -> String {
    let email = person.email.as_ref().map(|email| format!(" <{}>", email.unlinked_within(LONGEST_QUOTE)));
    called(person, words).unlinked_within(LONGEST_QUOTE) + &email.unwrap_or_default()
}

/// By name; by id where there is none.
fn called(person: &Person, words: &Words) -> PortalText {
    let is_nobody = person.id.is_nil() || [GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(&person.id);
    match (words.nobody)(person.name.raw()).filter(|_| is_nobody) {
        Some(name) => PortalText::new(name),
        None if person.name.raw().trim().is_empty() => PortalText::new(person.id.to_string()),
        None => person.name.clone(),
    }
}

fn place(room: &FindingRoom, words: &Words) -> String {
    let title = room.title.unlinked_within(LONGEST_QUOTE);
    match room.candidates.len() {
        0 | 1 => title,
        rooms => format!("{title} ({})", (words.one_of_rooms)(rooms)),
    }
}

fn how_many(alert: &Alert, words: &Words) -> String {
    (words.acts)(alert.counts.acts, alert.counts.documents)
}

/// Of one action there is no speed.
fn how_fast(alert: &Alert, words: &Words) -> Option<String> {
    if alert.counts.acts < 2 {
        return None;
    }
    let length = alert.window.until - alert.window.since;
    let minutes = (length.num_seconds().unsigned_abs()).div_ceil(60).max(1);
    let rate = alert.counts.acts.div_ceil(minutes);
    Some((words.rate)(minutes, rate, alert.counts.acts < minutes))
}

/// When people read times: as the portal shows them, where its zone is known.
#[derive(Clone, Copy)]
struct Times {
    zone: Option<Tz>,
    words: &'static Words,
}

impl Times {
    fn of(alert: &Alert, words: &'static Words) -> Times {
        Times { zone: alert.portal.time_zone.as_ref().and_then(|zone| zone.parse().ok()), words }
    }

    fn at(self, instant: DateTime<Utc>) -> String {
        let shown = (self.words.at)(Clock(self.zone.unwrap_or(Tz::UTC)), instant);
        if self.zone.is_none() { format!("{shown} UTC") } else { shown }
    }

    /// The first time of a message, which says in which zone all are.
    fn first(self, instant: DateTime<Utc>) -> String {
        let zone = self.zone.map(|zone| format!(" ({} {})", self.words.times_in, zone.name())).unwrap_or_default();
        format!("{}{zone}", self.at(instant))
    }
}

/// Of what has no actions, such as a summary, nothing goes on.
fn going_on(alert: &Alert, said: &InLanguage, times: Times, words: &Words, now: DateTime<Utc>) -> Option<String> {
    let last = times.at(alert.window.until);
    let goes_on = said.said.facts.goes_on.or((now - alert.window.until < GOING_ON).then_some(true));
    let phrase = match goes_on {
        _ if alert.is_over() => words.ended_at,
        Some(true) => words.probably,
        Some(false) => words.ended_at,
        None => words.last_at,
    };
    Some(format!("{phrase} {last}")).filter(|_| alert.counts.acts > 0 || alert.is_over())
}

fn how_sure(alert: &Alert, words: &Words) -> Option<String> {
    let room = alert.room.as_ref()?;
    let [target, log, title, tree] = words.sureness;
    Some(match room.attributed {
        _ if room.candidates.len() > 1 => words.open_room.to_owned(),
        Attributed::Target => target.to_owned(),
        Attributed::Log => log.to_owned(),
        Attributed::Title => title.to_owned(),
        Attributed::Tree => tree.to_owned(),
    })
}

fn not_seen(alert: &Alert, times: Times, words: &Words) -> String {
    let coverage = &alert.coverage;
    if coverage.complete {
        return words.all_seen.to_owned();
    }
    let gap = |gap: &Gap| {
        let (what, since, until) = ((words.source)(&gap.what), times.at(gap.span.since), times.at(gap.span.until));
        format!("{}, {since} {} {until}", line(what), words.to)
    };
    let mut gaps: Vec<String> = coverage.gaps.iter().take(MOST_LINES).map(gap).collect();
    let more = coverage.gaps.len().saturating_sub(MOST_LINES);
    gaps.extend((more > 0).then(|| (words.more)(more)));
    if gaps.is_empty() { words.something.to_owned() } else { format!("{}: {}", words.more_possible, gaps.join("; ")) }
}

fn line(text: &str) -> String {
    // what programs of ours say holds addresses of the portal, which readers may follow
    PortalText::new(text).for_terminal_within(2 * LONGEST_QUOTE)
}

fn quoted(text: &str, longest: usize) -> String {
    PortalText::new(text).unlinked_within(longest)
}
