//! The alert as a value: a finding, and what a reader far from the machine needs to judge it.

use audit_model::{
    Counts, Coverage, Evidence, Finding, FindingRoom, FindingState, Gap, MAX_EVIDENCE, Person, PortalRole, RoomId,
    Severity, Verdict, Window,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use crate::subject::subject_of;

/// Name and version of the format, as in `schema/alert-1.schema.json`.
pub const SCHEMA: &str = "alert/1";

/// How much of the hash makes the id: 128 bits, so that two alerts never share one by chance.
const ID_BYTES: usize = 16;

/// What an alert says besides the finding; the same for all alerts of a run.
#[derive(Clone, Copy, Debug)]
pub struct AlertContext<'a> {
    /// Name of the program that found it.
    pub program: &'a str,
    /// Version of that program.
    pub version: &'a str,
    /// The portal's address, without user and password.
    pub portal_url: &'a Url,
    /// The portal's, in which people read its times; `None` when the portal could not be asked.
    pub time_zone: Option<Tz>,
    /// What the run could see.
    pub coverage: &'a Coverage,
}

/// One finding for people, in the order of the JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The same for the same finding of the same size and severity; 32 hexadecimal digits.
    pub id: String,
    /// The same for as long as the matter lasts.
    pub fingerprint: String,
    /// What people can call the matter by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter: Option<String>,
    /// Whether it is new, has grown, or is over.
    pub state: FindingState,
    pub program: AlertProgram,
    pub portal: AlertPortal,
    pub rule: String,
    pub severity: Severity,
    /// One line of plain text, safe to show anywhere that takes plain text.
    pub subject: String,
    pub person: Person,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<FindingRoom>,
    /// From the first to just after the last of the acts that were counted.
    pub window: Window,
    pub counts: Counts,
    /// Why, in numbers; each a sentence.
    pub reasons: Vec<String>,
    /// At most [`MAX_EVIDENCE`], by time, then id.
    pub evidence: Vec<Evidence>,
    pub evidence_total: u64,
    pub links: Links,
    pub coverage: AlertCoverage,
    /// How many runs since the last alert about the matter found it larger, and held that back; [`crate::Outbox::keep`] says.
    pub suppressed: u64,
    /// What the program says of the finding besides, under the names of its JSON report.
    #[serde(flatten)]
    pub detail: Map<String, Value>,
}

/// Who found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertProgram {
    pub name: String,
    pub version: String,
}

/// Where it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPortal {
    /// Without a slash at the end.
    pub url: String,
    /// Its name in the IANA database, for instance `Europe/Berlin`. Instants are in UTC all the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_zone: Option<String>,
}

/// Pages of the portal where a reader can look further. Absent means that no address is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<Url>,
}

/// What the run could see, as far as a reader of one alert needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCoverage {
    /// `false` when part of the time asked for was not seen; the true numbers may then be higher.
    pub complete: bool,
    pub gaps: Vec<Gap>,
}

impl Alert {
    /// Makes the alert of a finding. The same input gives the same bytes.
    pub fn from_finding(finding: &Finding, context: &AlertContext<'_>) -> Self {
        Alert {
            schema: SCHEMA.to_owned(),
            id: id_of(finding, context),
            fingerprint: finding.fingerprint.clone(),
            matter: finding.matter.clone(),
            state: finding.state,
            program: AlertProgram { name: context.program.to_owned(), version: context.version.to_owned() },
            portal: AlertPortal {
                url: context.portal_url.as_str().trim_end_matches('/').to_owned(),
                time_zone: context.time_zone.map(|zone| zone.name().to_owned()),
            },
            rule: finding.rule.clone(),
            // that something is over wakes nobody
            severity: if finding.state == FindingState::Ended { Severity::Info } else { finding.severity },
            subject: subject_of(finding),
            person: finding.person.clone(),
            room: finding.room.clone(),
            window: finding.window,
            counts: finding.counts,
            reasons: finding.reasons.iter().map(|reason| reason.english().to_owned()).collect(),
            evidence: finding.evidence.iter().take(MAX_EVIDENCE).cloned().collect(),
            evidence_total: finding.evidence_total,
            links: Links {
                room: room_page(finding.room.as_ref(), context.portal_url),
                person: person_page(&finding.person, context.portal_url),
            },
            coverage: AlertCoverage {
                complete: context.coverage.verdict() == Verdict::Complete,
                gaps: context.coverage.gaps.clone(),
            },
            suppressed: 0,
            detail: Map::new(),
        }
    }

    /// Makes the alert of something that was done about a finding, or is to be done: with an id of its own for each `step`.
    pub fn of_step(finding: &Finding, step: &str, context: &AlertContext<'_>) -> Self {
        let told_apart = (SCHEMA, context.program, context.portal_url, &finding.fingerprint, step);
        Alert { id: hashed(&told_apart, ""), ..Alert::from_finding(finding, context) }
    }

    /// With what the program says of the finding besides; nothing where that is no object.
    #[must_use]
    pub fn with_detail(mut self, detail: &impl Serialize) -> Self {
        if let Ok(Value::Object(detail)) = serde_json::to_value(detail) {
            self.detail = detail;
        }
        self
    }

    /// Whether it says that the matter is over.
    pub fn is_over(&self) -> bool {
        self.state == FindingState::Ended
    }

    /// The JSON document in one line, without a line break at the end.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an alert holds only strings, numbers, lists and named members")
    }
}

/// Hashes what tells one alert from another: whose, which, and how far the matter has gone.
///
/// Program and portal count, because a portal's first account has the same id everywhere. The counts do, because a row
/// that was found late makes a finding grow without moving its end, and the severity, because a lower limit makes it more urgent
/// without another act: a receiver must not drop that as a copy.
fn id_of(finding: &Finding, context: &AlertContext<'_>) -> String {
    let newest = finding.evidence.iter().map(|evidence| (evidence.at, evidence.event)).max();
    let told_apart = (
        (SCHEMA, context.program, context.portal_url, &finding.fingerprint),
        (finding.window.until, newest, finding.counts, finding.evidence_total, finding.severity),
    );
    hashed(&told_apart, if finding.state == FindingState::Ended { " ended" } else { "" })
}

fn hashed(told_apart: &impl Serialize, ending: &str) -> String {
    let text = serde_json::to_string(told_apart).expect("strings, instants and numbers always serialise") + ending;
    hex::encode(&Sha256::digest(text)[..ID_BYTES])
}

/// The portal's list of accounts, narrowed to this person: it has no page of its own for one. `None` without an e-mail address to
/// look for, and without a role, because guests stand in a list of their own.
pub fn person_page(person: &Person, portal: &Url) -> Option<Url> {
    let email = person.email.as_ref()?.raw().trim().to_lowercase();
    let list = if person.role? == PortalRole::Guest { "guests" } else { "people" };
    let mut page = portal.clone();
    page.path_segments_mut().ok()?.pop_if_empty().extend(["accounts", list, "filter"]);
    page.query_pairs_mut().clear().append_pair("search", &email);
    (!email.is_empty()).then_some(page)
}

/// The room's page in the portal; only for rooms with a numeric id, as for the others the address is not established.
pub fn room_page(room: Option<&FindingRoom>, portal: &Url) -> Option<Url> {
    let RoomId::Number(id) = room?.id.as_ref()? else { return None };
    let mut page = portal.clone();
    let id = id.to_string();
    page.path_segments_mut().ok()?.pop_if_empty().extend(["rooms", "shared", &id, "filter"]);
    page.query_pairs_mut().clear().append_pair("folder", &id);
    Some(page)
}
