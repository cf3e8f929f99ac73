//! A Detection Finding (class 2004) as OCSF 1.7 describes it. What it has no name for stands in `unmapped`.

use audit_model::{FindingState, Severity};
use serde_json::{Value, json};

use super::super::offer::Offer;
use super::ip;

/// The version of OCSF.
const VERSION: &str = "1.7.0";

const CLASS: u32 = 2004;

/// Of a name or a title, in characters: receivers have limits of size, and the alert in `unmapped` has the whole where there is room for it.
const LONGEST_NAME: usize = 1_000;
const LONGEST_DESCRIPTION: usize = 4_000;

pub(super) fn detection_finding(offer: &Offer<'_>, document: Value) -> Value {
    let alert = &offer.alert;
    let (activity_id, activity, status_id, status) = match alert.state {
        FindingState::Ended => (3, "Close", 4, "Resolved"),
        FindingState::New => (1, "Create", 1, "New"),
        _ => (2, "Update", 2, "In Progress"),
    };
    let (severity_id, severity) = severity(alert.severity);
    let (since, until) = (alert.window.since.timestamp_millis(), alert.window.until.timestamp_millis());
    let mut finding = json!({
        "activity_id": activity_id,
        "activity_name": activity,
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": CLASS,
        "type_name": format!("Detection Finding: {activity}"),
        "type_uid": CLASS * 100 + activity_id,
        "severity": severity,
        "severity_id": severity_id,
        "status": status,
        "status_id": status_id,
        "is_alert": !alert.is_over(),
        "time": offer.now.timestamp_millis(),
        "start_time": since,
        "end_time": until,
        "count": alert.counts.acts.max(1),
        "message": alert.subject,
        "metadata": {
            "version": VERSION,
            "uid": alert.id,
            "product": {
                "name": alert.program.name,
                "vendor_name": alert.program.name,
                "version": alert.program.version,
            },
        },
        "finding_info": {
            "uid": offer.matter_key(),
            "title": alert.subject,
            "desc": cut(&alert.reasons.join("; "), LONGEST_DESCRIPTION),
            "types": [alert.rule],
            "analytic": { "name": alert.rule, "type": "Rule", "type_id": 1, "version": alert.program.version },
            "first_seen_time": since,
            "last_seen_time": until,
        },
        "resources": resources(offer),
        "evidences": evidences(offer, &document),
        "remediation": { "desc": offer.message.what_to_do.join("; ") },
        "unmapped": document,
    });
    if let Some(page) = &alert.links.room {
        finding["finding_info"]["src_url"] = page.as_str().into();
    }
    finding
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// OCSF counts from 1.
fn severity(severity: Severity) -> (u32, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// The room, or the portal where there is none.
fn resources(offer: &Offer<'_>) -> Value {
    let alert = &offer.alert;
    match &alert.room {
        Some(room) => {
            let mut resource =
                json!({ "name": cut(room.title.raw(), LONGEST_NAME), "type": "room", "namespace": alert.portal.url });
            if let Some(id) = &room.id {
                resource["uid"] = id.to_string().into();
            }
            json!([resource])
        }
        None => json!([{ "name": alert.portal.url, "type": "portal" }]),
    }
}

/// Whoever did it, once, and from which address each of the examples came.
fn evidences(offer: &Offer<'_>, document: &Value) -> Value {
    let person = &offer.alert.person;
    let mut user = json!({ "uid": person.id, "name": cut(person.name.raw(), LONGEST_NAME) });
    if let Some(email) = &person.email {
        user["email_addr"] = cut(email.raw(), LONGEST_NAME).into();
    }
    let actor = json!({ "user": user });
    let mut evidences = vec![json!({ "actor": actor })];
    let examples = document["evidence"].as_array().into_iter().flatten();
    evidences.extend(examples.map(|example| {
        let mut evidence = json!({ "data": example });
        if let Some(ip) = example["ip"].as_str().and_then(|text| ip(&text.into())) {
            evidence["src_endpoint"] = json!({ "ip": ip });
        }
        evidence
    }));
    json!(evidences)
}

#[cfg(test)]
mod tests {
    use boon::{Compiler, Schemas};

    use super::super::super::golden;
    use super::*;

    const SCHEMA: &str = include_str!("../../../tests/ocsf/detection_finding-1.7.0.schema.json");

    #[test]
    fn says() {
        let made = |offer: &Offer<'_>| {
            format!("{:#}", detection_finding(offer, json!({ "evidence": golden::alert("hostile")["evidence"] })))
        };
        insta::assert_snapshot!(golden::each("", made));
    }

    #[test]
    fn is_a_detection_finding_as_the_published_schema_has_it() {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("ocsf.json", serde_json::from_str(SCHEMA).unwrap()).unwrap();
        let index = compiler.compile("ocsf.json", &mut schemas).unwrap();
        golden::each("", |offer| {
            let document: Value = serde_json::from_str(offer.json).unwrap();
            let finding = detection_finding(offer, document);
            schemas.validate(&finding, index).unwrap_or_else(|error| panic!("{error:#}"));
            for spoilt in ["class_uid", "finding_info", "metadata", "severity_id"] {
                let mut spoilt_finding = finding.clone();
                spoilt_finding.as_object_mut().unwrap().remove(spoilt);
                assert!(schemas.validate(&spoilt_finding, index).is_err(), "{spoilt} may be missing");
            }
            String::new()
        });
    }
}
