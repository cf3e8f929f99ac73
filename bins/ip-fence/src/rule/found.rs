//! A finding, and what this program knows of it besides what all programs have.

use std::collections::BTreeSet;

use ::report::words::{german, plural};
use audit_model::{Counts, Course, Finding, MAX_EVIDENCE, Person, PortalText, Sentence, Severity, Window};
use chrono::TimeDelta;
use serde::Serialize;

use super::sighting::{Sighting, Source};

/// Name of the rule in findings and alerts.
pub(crate) const RULE: &str = "address_policy";

/// The shortest time that a portal tells apart: a window ends just after its last event.
pub(crate) const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// Rows of the audit trail that the published list of events has of one finding; logins it has all.
const ACTS_LISTED: usize = MAX_EVIDENCE;

/// A kind of finding; each has a severity and advice of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Somebody came from an address that no rule allows them.
    NotAllowed,
    /// Nobody can tell whether the address is allowed.
    CannotJudge,
    /// The address was set by the caller, or is none.
    AddressSet,
    /// No rule names the person.
    Unnamed,
    /// The account was disabled before.
    Disabled,
    /// A country that the person has not signed in from before.
    NewCountry,
    /// Many failed logins with one typed address.
    FailedBurst,
    /// Failed logins with many typed addresses, from one caller.
    Spraying,
    /// The portal's own list or its switch was changed.
    ListChanged,
    /// The portal says that its list counts, and lets people in all the same.
    NotEnforced,
    /// The portal's owner, whom its list does not stop, signed in.
    BreakGlass,
}

impl Kind {
    /// A burst has a first and a last login; everything else is so, for as long as people come from there.
    fn course(self) -> Course {
        match self {
            Kind::FailedBurst | Kind::Spraying | Kind::ListChanged | Kind::BreakGlass => Course::Burst,
            Kind::NotAllowed
            | Kind::CannotJudge
            | Kind::AddressSet
            | Kind::Unnamed
            | Kind::Disabled
            | Kind::NewCountry
            | Kind::NotEnforced => Course::Condition,
        }
    }

    /// The word that fingerprints were made of from the beginning on. It must never change.
    fn in_fingerprint(self) -> &'static str {
        match self {
            Kind::NotAllowed => "NotAllowed",
            Kind::CannotJudge => "CannotJudge",
            Kind::AddressSet => "AddressSet",
            Kind::Unnamed => "Unnamed",
            Kind::Disabled => "Disabled",
            Kind::NewCountry => "NewCountry",
            Kind::FailedBurst => "FailedBurst",
            Kind::Spraying => "Spraying",
            Kind::ListChanged => "ListChanged",
            Kind::NotEnforced => "NotEnforced",
            Kind::BreakGlass => "BreakGlass",
        }
    }
}

/// A finding with what it is about and the rows behind it; the report has it as `job_runner::Found`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) finding: Finding,
    pub(crate) detail: Detail,
    /// Its rows, by time: all logins, and the first of the audit trail.
    pub(crate) rows: Vec<Sighting>,
    /// Whether a rule of the person names whom to ask.
    pub(crate) has_owner: bool,
}

/// What this program says of a finding besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    pub(crate) kind: Kind,
    /// The network, the country, or what is left of the address; absent where the finding is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<PortalText>,
    pub(crate) logins: u64,
    /// Of a finding about several people, who they are; most rows first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<Counted>,
    /// Filled in when it is told.
    pub(crate) what_to_do: Vec<Sentence>,
}

/// One of several people that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    #[serde(flatten)]
    pub(crate) person: Person,
    pub(crate) logins: u64,
    pub(crate) acts: u64,
}

/// Rows that belong together, taken in by time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    span: Option<Window>,
    pub(crate) logins: u64,
    pub(crate) acts: u64,
    kept: Vec<Sighting>,
    kept_acts: usize,
    addresses: BTreeSet<PortalText>,
}

impl Rows {
    pub(crate) fn push(&mut self, row: &Sighting) {
        let span = self.span.get_or_insert(Window::new(row.at, row.at));
        span.until = span.until.max(row.at + INSTANT);
        if let Some(ip) = &row.ip
            && !self.addresses.contains(ip)
        {
            self.addresses.insert(ip.clone());
        }
        match row.source {
            Source::Logins => self.logins += 1,
            Source::Audit => {
                self.acts += 1;
                self.kept_acts += 1;
                if self.kept_acts > ACTS_LISTED {
                    return;
                }
            }
        }
        self.kept.push(row.clone());
    }

    /// Takes in others, which may be earlier.
    pub(crate) fn add(&mut self, rows: &Rows) {
        let Some(span) = rows.span else { return };
        let whole = self.span.get_or_insert(span);
        *whole = Window::new(whole.since.min(span.since), whole.until.max(span.until));
        self.logins += rows.logins;
        self.acts += rows.acts;
        self.kept.extend(rows.kept.iter().cloned());
        self.addresses.extend(rows.addresses.iter().cloned());
    }

    pub(crate) fn by_time(mut self) -> Self {
        self.kept.sort_by_key(Sighting::order);
        self
    }

    /// By time, and with no more actions than are listed of one finding.
    pub(crate) fn settled(self) -> Self {
        let mut settled = self.by_time();
        let mut acts = 0;
        settled.kept.retain(|row| {
            acts += usize::from(row.source == Source::Audit);
            row.source == Source::Logins || acts <= ACTS_LISTED
        });
        settled
    }

    /// How many different addresses were noted.
    pub(crate) fn addresses(&self) -> usize {
        self.addresses.len()
    }

    pub(crate) fn first(&self) -> Option<&Sighting> {
        self.kept.first()
    }

    pub(crate) fn logins(&self) -> impl Iterator<Item = &Sighting> {
        self.kept.iter().filter(|row| row.source == Source::Logins)
    }

    /// `3 logins and 41 actions`
    pub(crate) fn counted(&self) -> String {
        counted(self.logins, self.acts)
    }

    /// `3 Anmeldungen und 41 Aktionen`
    pub(crate) fn counted_german(&self) -> String {
        counted_german(self.logins, self.acts)
    }

    /// The finding that the rows are.
    pub(crate) fn found(self, subject: Subject) -> Case {
        let Subject { kind, severity, person, place, key, reasons } = subject;
        let total = self.logins + self.acts;
        let fingerprint = audit_model::fingerprint(&[RULE, kind.in_fingerprint(), &key]);
        let span = self.span.unwrap_or(Window::new(Default::default(), Default::default()));
        let finding = Finding {
            severity,
            course: kind.course(),
            // documents play no part here
            counts: Counts { acts: total, documents: 0 },
            reasons,
            evidence: self.kept.iter().take(MAX_EVIDENCE).map(Sighting::evidence).collect(),
            evidence_total: total,
            ..Finding::new(RULE, fingerprint, person, span)
        };
        Case {
            finding,
            detail: Detail { kind, place, logins: self.logins, people: Vec::new(), what_to_do: Vec::new() },
            rows: self.kept,
            has_owner: false,
        }
    }
}

impl Case {
    /// The first, the last, and what followed from them: the same row ten times tells nothing.
    pub(crate) fn shown_by_its_ends(mut self, followed: Option<&Sighting>) -> Self {
        let ends = [self.rows.first(), self.rows.last().filter(|_| self.rows.len() > 1), followed];
        self.finding.evidence = ends.into_iter().flatten().map(Sighting::evidence).collect();
        if let Some(followed) = followed {
            self.finding.evidence_total += 1;
            self.finding.window.until = self.finding.window.until.max(followed.at + INSTANT);
            self.rows.push(followed.clone());
        }
        self
    }
}

/// `3 logins and 41 actions`
pub(crate) fn counted(logins: u64, actions: u64) -> String {
    match (logins, actions) {
        (logins, 0) => plural(logins, "login"),
        (0, actions) => plural(actions, "action"),
        (logins, actions) => format!("{} and {}", plural(logins, "login"), plural(actions, "action")),
    }
}

/// `3 Anmeldungen und 41 Aktionen`
pub(crate) fn counted_german(logins: u64, actions: u64) -> String {
    let logins_german = german::counted(logins, "Anmeldung", "Anmeldungen");
    let actions_german = german::counted(actions, "Aktion", "Aktionen");
    match (logins, actions) {
        (_, 0) => logins_german,
        (0, _) => actions_german,
        _ => format!("{logins_german} und {actions_german}"),
    }
}

/// What a finding is about.
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) person: Person,
    pub(crate) place: Option<PortalText>,
    /// What makes it the same matter in the next run.
    pub(crate) key: String,
    pub(crate) reasons: Vec<Sentence>,
}

/// Puts findings in the order of every report: most severe first, then by person, kind, place and time.
pub(crate) fn sort(found: &mut [Case]) {
    found.sort_by(|a, b| {
        let key = |found: &Case| (found.finding.person.id, found.detail.kind, found.detail.place.clone());
        let times =
            (a.finding.window.since, a.finding.window.until).cmp(&(b.finding.window.since, b.finding.window.until));
        b.finding.severity.cmp(&a.finding.severity).then_with(|| key(a).cmp(&key(b))).then(times)
    });
}

#[cfg(test)]
mod tests;
