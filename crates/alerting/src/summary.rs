//! Many alerts as one, where a channel takes only so many.

use audit_model::{Counts, FindingState, Person, Severity, Window};
use report::words::plural;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::alert::{Alert, Links};
use crate::history::SUMMARY;

/// So many of the alerts are named.
const NAMED: usize = 10;

/// So many of their ids a receiver gets.
const IDS_LISTED: usize = 100;

/// One alert that counts the others; `None` for none.
pub(crate) fn summary_of(alerts: &[Alert]) -> Option<Alert> {
    let first = alerts.first()?;
    let count = alerts.len() as u64;
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let by_severity: Vec<String> = severities
        .iter()
        .map(|severity| (alerts.iter().filter(|alert| alert.severity == *severity).count(), severity.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let ids: Vec<&str> = alerts.iter().map(|alert| alert.id.as_str()).collect();
    let since = alerts.iter().map(|alert| alert.window.since).min()?;
    let until = alerts.iter().map(|alert| alert.window.until).max()?;
    let sentence = format!("{} in one message: {}", plural(count, "more alert"), by_severity.join(", "));
    let mut reasons = vec![sentence.clone()];
    reasons.extend(alerts.iter().take(NAMED).map(|alert| alert.subject.clone()));
    reasons.extend((alerts.len() > NAMED).then(|| format!("and {} more", alerts.len() - NAMED)));
    let severity = alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info);
    let steps = [format!(
        "read the report of {}, or `{} alerts list`: this channel got as many as it takes",
        first.program.name, first.program.name
    )];
    Some(Alert {
        id: hex::encode(&Sha256::digest(ids.join(" "))[..16]),
        fingerprint: format!("{SUMMARY}:{}", first.program.name),
        matter: None,
        state: FindingState::New,
        rule: SUMMARY.to_owned(),
        severity,
        subject: format!("{}: {}: {sentence}", severity.name(), first.program.name),
        person: Person::named(Uuid::nil(), first.program.name.as_str().into()),
        room: None,
        window: Window::new(since, until),
        counts: Counts { acts: 0, documents: 0 },
        reasons,
        evidence: Vec::new(),
        evidence_total: 0,
        links: Links { room: None, person: None },
        coverage: first.coverage.clone(),
        suppressed: 0,
        detail: [
            ("what_to_do".to_owned(), json!(steps)),
            ("summary".to_owned(), json!({ "alerts": count, "ids": &ids[..ids.len().min(IDS_LISTED)] })),
        ]
        .into_iter()
        .collect(),
        schema: first.schema.clone(),
        program: first.program.clone(),
        portal: first.portal.clone(),
    })
}
