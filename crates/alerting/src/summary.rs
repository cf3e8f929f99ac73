//! Many alerts as one, where a channel takes only so many.

use audit_model::{Counts, Finding, FindingState, Person, Sentence, Severity, Window};
use report::words::{german, plural};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::alert::{Alert, Links};
use crate::history::SUMMARY;
use crate::message::{Language, Message};
use crate::said::Said;

/// So many of the alerts are named.
const NAMED: usize = 10;

/// So many of their ids a receiver gets.
const IDS_LISTED: usize = 100;

/// One alert that counts the others; `None` for none.
pub(crate) fn summary_of(alerts: &[Alert]) -> Option<Alert> {
    let first = alerts.first()?;
    let count = alerts.len() as u64;
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let by_severity = |name: fn(Severity) -> &'static str| {
        let counted = severities.map(|of| (alerts.iter().filter(|alert| alert.severity == of).count(), name(of)));
        let some = counted.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let ids: Vec<&str> = alerts.iter().map(|alert| alert.id.as_str()).collect();
    let since = alerts.iter().map(|alert| alert.window.since).min()?;
    let until = alerts.iter().map(|alert| alert.window.until).max()?;
    let sentence = Sentence::new(
        format!("{} in one message: {}", plural(count, "more alert"), by_severity(Severity::name)),
        format!(
            "{} in einer Nachricht: {}",
            german::counted(count, "weitere Meldung", "weitere Meldungen"),
            by_severity(|severity| Language::De.severity(severity))
        ),
    );
    let mut reasons = vec![sentence.clone()];
    let named = alerts.iter().take(NAMED);
    reasons.extend(
        named.map(|alert| Sentence::new(alert.subject.as_str(), Message::new(alert, Language::De, until).subject)),
    );
    let left = alerts.len().saturating_sub(NAMED);
    reasons.extend((left > 0).then(|| Sentence::new(format!("and {left} more"), format!("und {left} weitere"))));
    let severity = alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info);
    let (name, fingerprint) = (&first.program.name, format!("{SUMMARY}:{}", first.program.name));
    let step = Sentence::new(
        format!("read the report of {name}, or `{name} alerts list`: this channel got as many as it takes"),
        format!(
            "Lesen Sie den Bericht von {name} oder `{name} alerts list`: Dieser Kanal hat so viele bekommen, wie er nimmt"
        ),
    );
    let person = Person::named(Uuid::nil(), name.as_str().into());
    let finding =
        Finding { reasons, ..Finding::new(SUMMARY, fingerprint.clone(), person.clone(), Window::new(since, until)) };
    let mut detail = Said { what_to_do: vec![step], ..Said::default() }.members(&finding);
    detail.insert("summary".to_owned(), json!({ "alerts": count, "ids": &ids[..ids.len().min(IDS_LISTED)] }));
    Some(Alert {
        id: hex::encode(&Sha256::digest(ids.join(" "))[..16]),
        fingerprint,
        matter: None,
        state: FindingState::New,
        rule: SUMMARY.to_owned(),
        severity,
        subject: format!("{}: {}: {sentence}", severity.name(), first.program.name),
        person,
        room: None,
        window: Window::new(since, until),
        counts: Counts { acts: 0, documents: 0 },
        reasons: finding.reasons.iter().map(|reason| reason.english().to_owned()).collect(),
        evidence: Vec::new(),
        evidence_total: 0,
        links: Links { room: None, person: None },
        coverage: first.coverage.clone(),
        suppressed: 0,
        detail,
        schema: first.schema.clone(),
        program: first.program.clone(),
        portal: first.portal.clone(),
    })
}
