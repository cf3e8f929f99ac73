//! What the channels for people in chats have in common: messages that fit, threads, and answers in JSON.

#[cfg(test)]
mod tests;

use audit_model::PortalText;

use super::http::{Answer, AnswerMeans};
use super::offer::{Offer, Sent};
use crate::message::{Fact, Message};

/// So long are texts made, in characters, one after the other, until the message fits.
const SHORTER: [usize; 6] = [400, 200, 100, 50, 20, 10];

/// No page of a portal has a longer address, in bytes; such a link is left out.
const LONGEST_LINK: usize = 1_000;

/// Between a place and the message in it.
const BETWEEN: char = ' ';

/// What `made` makes of the message where that fits. Where it does not, what it makes of one whose texts are cut, as little as is needed:
/// `…` ends each text that was cut, and nothing else is missing.
pub(super) fn fitted<T>(message: &Message, made: impl Fn(&Message) -> T, fits: impl Fn(&T) -> bool) -> T {
    let mut whole = message.clone();
    whole.links.retain(|(_, page)| page.as_str().len() <= LONGEST_LINK);
    let mut made_of = made(&whole);
    for longest in SHORTER {
        if fits(&made_of) {
            break;
        }
        made_of = made(&shortened(&whole, longest));
    }
    made_of
}

fn shortened(message: &Message, longest: usize) -> Message {
    let cut = |text: &String| PortalText::new(text.as_str()).for_terminal_within(longest);
    Message {
        subject: cut(&message.subject),
        what_to_do: message.what_to_do.iter().map(cut).collect(),
        facts: message.facts.iter().map(|Fact { label, value }| Fact { label, value: cut(value) }).collect(),
        footer: cut(&message.footer),
        ..message.clone()
    }
}

/// A name for the message in this place: `thread_in` finds it again.
pub(super) fn sent_in(place: &str, message: Option<&str>) -> Sent {
    Sent { reference: message.map(|message| format!("{place}{BETWEEN}{message}")) }
}

/// The first message about the matter, unless it stands in another place: the settings may have changed since.
pub(super) fn thread_in<'a>(place: &str, offer: &Offer<'a>) -> Option<&'a str> {
    offer.thread?.strip_prefix(place)?.strip_prefix(BETWEEN)
}

/// Text or number of this member of an answer in JSON.
pub(super) fn member(answer: &Answer, path: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let member = answer.pointer(path)?;
    member.as_str().map(str::to_owned).or_else(|| member.as_i64().map(|number| number.to_string()))
}

/// Whole number, not below zero, of this member of an answer in JSON.
pub(super) fn number(answer: &Answer, path: &str) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(&answer.body).ok()?.pointer(path)?.as_u64()
}

/// Refused, for the reason in this member of the answer.
pub(super) fn refused(answer: &Answer, path: &str) -> AnswerMeans {
    AnswerMeans::Refused(member(answer, path).map(|said| said.replace(' ', "_")))
}

/// Taken by 2xx; otherwise refused for the reason in this member of the answer.
pub(super) fn taken_by_status(answer: &Answer, path: &str) -> AnswerMeans {
    if answer.status.is_success() { AnswerMeans::Taken(Sent::default()) } else { refused(answer, path) }
}

/// The whole message as one block of code in Markdown, in which nothing is formatted, mentioned or linked, and the links below it.
pub(super) fn code_block(message: &Message) -> String {
    let text = Message { links: Vec::new(), ..message.clone() }.text();
    let lines = without_mentions(&format!("{}\n\n{}", message.subject, text.replace("\n\n\n", "\n\n")));
    let links: Vec<String> = message
        .links
        .iter()
        .map(|(label, page)| format!("[{label}]({})", page.as_str().replace('(', "%28").replace(')', "%29")))
        .collect();
    format!("```\n{}\n```\n{}", lines.trim_end(), links.join(" · ")).trim_end().to_owned()
}

/// Servers look for mentions in code as well, and some end a block of code at any three backticks: an invisible space behind each `@` and
/// each backtick leaves nothing to find. Mail addresses stay as they are. Invisible characters of the portal are shown as `\u{…}` by then.
fn without_mentions(text: &str) -> String {
    const INVISIBLE: char = '\u{200b}';
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        shown.push(character);
        let is_in_address = before.is_ascii_alphanumeric() && rest.peek().is_some_and(char::is_ascii_alphanumeric);
        if character == '`' || character == '@' && !is_in_address {
            shown.push(INVISIBLE);
        }
        before = character;
    }
    shown
}

/// Text between tags of HTML.
pub(super) fn html(text: &str) -> String {
    PortalText::new(text).for_html()
}

/// All of the message as inline HTML, by lines. Texts are code, in which receivers look for no mentions, commands and addresses.
pub(super) fn html_lines(message: &Message) -> Vec<String> {
    let code = |text: &str| format!("<code>{}</code>", html(text));
    let mut lines = vec![code(&message.subject), format!("<b>{}</b>", html(message.heading))];
    lines.extend(message.what_to_do.iter().map(|step| format!("• {}", code(step))));
    lines.extend(message.facts.iter().map(|Fact { label, value }| format!("<b>{}</b>: {}", html(label), code(value))));
    let link = |(label, page): &(String, url::Url)| format!("<a href=\"{}\">{}</a>", html(page.as_str()), html(label));
    let links: Vec<String> = message.links.iter().map(link).collect();
    lines.extend(Some(links.join(" · ")).filter(|links| !links.is_empty()));
    lines.push(code(&message.footer));
    lines
}
