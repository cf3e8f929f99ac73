//! What is published of the plain text: its first lines, and a block for every event. No text of an event can begin a line.

use std::io;

use audit_model::{AuditEvent, PortalText, Verdict};
use chrono_tz::Tz;

use crate::facts::Facts;
use crate::period::local;

const RULE: &str = "--------------------------------------------------------------------------------";

/// The three lines that scripts rely on. Where nothing could be read the number of events is unknown, which is not zero.
pub(crate) fn published_lines(facts: &Facts, verdict: Verdict) -> String {
    let period = &facts.period;
    let events = match verdict {
        Verdict::Nothing => "unknown".to_owned(),
        Verdict::Incomplete | Verdict::Complete => facts.summary.events.count.to_string(),
    };
    format!("Compliance report\nPeriod: {} - {}\nTotal events: {events}\n", period.first_day(), period.last_day())
}

/// The line before all events, with the first rule.
pub(crate) fn events_head(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "\nEvents:\n{RULE}")
}

/// The published block of one event, with the rule behind it.
pub(crate) fn event(event: &AuditEvent, zone: Tz, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "ID: {}", event.id)?;
    writeln!(out, "Date: {}", local(event.at, zone))?;
    writeln!(out, "User: {} ({})", event.actor_name.for_terminal(), event.actor)?;
    // in the portal's sentence where it has one
    let done = event.text.as_ref().map_or_else(|| event.action.to_string(), PortalText::for_terminal);
    writeln!(out, "Action: {done} ({}, {})", event.action.0, event.action)?;
    let target = PortalText::new(event.target.join(", "));
    writeln!(out, "Target: {}", if event.target.is_empty() { "-".to_owned() } else { target.for_terminal() })?;
    if let Some(context) = &event.context {
        writeln!(out, "Context: {}", context.for_terminal())?;
    }
    let details = event.details.as_deref().cloned().unwrap_or_default();
    if let Some(page) = &details.page {
        writeln!(out, "Page: {}", page.for_terminal())?;
    }
    let shown = |text: &Option<PortalText>| text.as_ref().map(PortalText::for_terminal);
    let place: Vec<String> = [shown(&details.country), shown(&details.city)].into_iter().flatten().collect();
    match (shown(&event.ip), place.is_empty()) {
        (None, true) => {}
        (Some(ip), true) => writeln!(out, "Location/IP: {ip}")?,
        (ip, false) => writeln!(out, "Location/IP: {} | {}", ip.unwrap_or_else(|| "-".to_owned()), place.join(", "))?,
    }
    let client: Vec<String> = [shown(&details.browser), shown(&details.platform)].into_iter().flatten().collect();
    if !client.is_empty() {
        writeln!(out, "Client: {}", client.join(" on "))?;
    }
    writeln!(out, "{RULE}")
}

#[cfg(test)]
mod tests {
    use audit_model::{ActionId, EventDetails};
    use chrono::DateTime;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn block(event: &AuditEvent) -> String {
        let mut out = Vec::new();
        super::event(event, Tz::Europe__Berlin, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn with_everything(text: &str) -> AuditEvent {
        let some = || Some(PortalText::new(text));
        AuditEvent {
            id: 48_213,
            at: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
            actor: Uuid::from_u128(7),
            actor_name: PortalText::new(text),
            action: ActionId(5009),
            text: some(),
            ip: some(),
            target: vec![text.to_owned(), "71".to_owned()],
            context: some(),
            details: Some(Box::new(EventDetails {
                country: some(),
                city: some(),
                browser: some(),
                platform: some(),
                page: some(),
            })),
        }
    }

    #[test]
    fn the_published_block() {
        let event = AuditEvent {
            actor_name: "Anna Schmidt".into(),
            text: Some("File Downloaded: plan.docx".into()),
            ip: Some("203.0.113.7".into()),
            target: vec!["9417".to_owned()],
            context: Some("Rooms: Alpha".into()),
            details: Some(Box::new(EventDetails {
                country: Some("Germany".into()),
                city: Some("Berlin".into()),
                browser: Some("Chrome 131".into()),
                platform: Some("Windows 10".into()),
                page: Some("https://docs.example.com/rooms/shared/71/filter".into()),
            })),
            ..with_everything("")
        };
        insta::assert_snapshot!("published_block", block(&event));
    }

    #[test]
    fn what_is_not_known_has_no_line() {
        let event = AuditEvent {
            text: None,
            ip: None,
            target: Vec::new(),
            context: None,
            details: None,
            ..with_everything("Anna")
        };
        insta::assert_snapshot!("bare_block", block(&event));
    }

    proptest! {
        /// Whatever the portal stored, the lines of a block begin with the published words, in order, and end with the rule.
        #[test]
        fn no_text_can_begin_a_line(text in any::<String>()) {
            let text = block(&with_everything(&text));
            let begin = ["ID: ", "Date: ", "User: ", "Action: ", "Target: ", "Context: ", "Page: ", "Location/IP: ", "Client: ", RULE];
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(lines.len(), begin.len() + 1, "{}", &text);
            for (line, begin) in lines.iter().zip(begin) {
                prop_assert!(line.starts_with(begin), "{}", line);
                prop_assert!(!line.contains(char::is_control), "{}", line);
            }
        }
    }
}
