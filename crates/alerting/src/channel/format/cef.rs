//! The Common Event Format: one line, of a header and of pairs.

use audit_model::{PortalText, Severity};

use super::super::offer::Offer;
use super::ip;

/// `CEF:0|docspace|vdr-watch|1.0.0|unusual_activity|…|8|rt=… suser=… …`
///
/// Text is not cut; control characters stand as `\u{…}`.
pub(in super::super) fn cef(offer: &Offer<'_>) -> String {
    let alert = &offer.alert;
    let header = [
        "CEF:0".to_owned(),
        "docspace".to_owned(),
        in_header(&alert.program.name),
        in_header(&alert.program.version),
        in_header(&alert.rule),
        in_header(&offer.message.subject),
        severity(alert.severity).to_string(),
    ];
    let room = alert.room.as_ref();
    let pairs = [
        ("rt", Some(offer.now.timestamp_millis().to_string())),
        ("start", Some(alert.window.since.timestamp_millis().to_string())),
        ("end", Some(alert.window.until.timestamp_millis().to_string())),
        ("externalId", Some(alert.id.clone())),
        ("suid", Some(alert.person.id.to_string())),
        ("suser", Some(alert.person.name.for_terminal())),
        ("src", alert.evidence.iter().find_map(|evidence| ip(evidence.ip.as_ref()?)).map(|ip| ip.to_string())),
        ("cnt", Some(alert.counts.acts.to_string())),
        ("outcome", Some(state(offer).to_owned())),
        ("request", Some(alert.links.room.as_ref().map_or(alert.portal.url.clone(), ToString::to_string))),
        ("cs1Label", Some("matter".to_owned())),
        ("cs1", Some(offer.matter_key())),
        ("cs2Label", room.map(|_| "room".to_owned())),
        ("cs2", room.map(|room| room.title.for_terminal())),
        ("msg", Some(PortalText::new(alert.reasons.join("; ")).for_terminal())),
    ];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", in_value(&value?))));
    format!("{}|{}", header.join("|"), pairs.collect::<Vec<_>>().join(" "))
}

fn state(offer: &Offer<'_>) -> &'static str {
    if offer.is_over() { "ended" } else { "open" }
}

/// From 0 to 10.
fn severity(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

fn in_header(text: &str) -> String {
    in_one_line(&text.replace('\\', "\\\\").replace('|', "\\|"))
}

fn in_value(text: &str) -> String {
    in_one_line(&text.replace('\\', "\\\\").replace('=', "\\="))
}

/// Programs and rules make no line breaks; whatever does, begins no event of its own.
fn in_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::golden;
    use super::*;

    #[test]
    fn says() {
        insta::assert_snapshot!(golden::each("", cef));
    }

    #[test]
    fn nothing_ends_a_field_or_the_line() {
        assert_eq!(in_header("a|b\\c\n=d"), "a\\|b\\\\c =d");
        assert_eq!(in_value("a|b\\c\r=d"), "a|b\\\\c \\=d");
    }
}
