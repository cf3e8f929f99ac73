//! A plan as a document and as JSON. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ::report::words::plural;
use ::report::{Block, Cell, Details, Document, Line, Section, TEXT_WIDTH, Table, Who, line};
use audit_model::{AddressRange, PortalText, Verdict};
use chrono::{DateTime, Utc};
use job_runner::Head;
use job_runner::args::ReportFormat;
use serde::Serialize;
use uuid::Uuid;

use super::simulate::Blocked;
use super::steps::{Deed, Step, Whose};
use super::{Danger, Plan, PlanFile};
use crate::policy::shown;

/// Version of the JSON form; a change that breaks readers raises it.
const SCHEMA: &str = "ip-fence-plan/1";

/// Rows shown of one kind; JSON has all.
const SHOWN: usize = 20;
const ALL: &str = "`--format json`";

/// The file to which the plan was written.
#[derive(Debug, Serialize)]
pub(crate) struct Saved {
    id: String,
    path: String,
    usable_until: DateTime<Utc>,
}

impl Saved {
    pub(crate) fn of(file: &PlanFile, path: &Path) -> Self {
        Saved { id: file.id.clone(), path: path.display().to_string(), usable_until: file.usable_until }
    }
}

/// Serialises to the JSON form.
#[derive(Debug, Serialize)]
pub(crate) struct PlanReport {
    /// Its window is what was replayed.
    #[serde(flatten)]
    head: Head,
    /// Whether the plan must not be carried out as it is.
    refused: bool,
    #[serde(rename = "file", skip_serializing_if = "Option::is_none")]
    saved: Option<Saved>,
    #[serde(flatten)]
    plan: Plan,
}

impl PlanReport {
    pub(crate) fn new(head: Head, plan: Plan, saved: Option<Saved>) -> Self {
        PlanReport { head: Head { schema: SCHEMA.to_owned(), ..head }, refused: plan.is_refused(), saved, plan }
    }

    pub(crate) fn render(&self, format: ReportFormat) -> anyhow::Result<String> {
        match format {
            ReportFormat::Json => Ok(format!("{}\n", serde_json::to_string_pretty(self)?)),
            ReportFormat::Text => Ok(self.document().text(TEXT_WIDTH)),
        }
    }

    fn document(&self) -> Document {
        let mut document = Document { run: None, ..self.head.document() };
        document.program.name += " plan";
        document.headline = self.headline().into();
        document.notes.push("this is a plan: nothing was changed, here or at the portal".into());
        document.notes.extend(self.saved.as_ref().map(|Saved { id, path, usable_until }| {
            let path = PortalText::new(path.as_str()).for_terminal();
            let end = usable_until.format("%Y-%m-%d %H:%M UTC");
            format!("plan {id} is in {path}, and can be used until {end}").into()
        }));
        let (refusing, others): (Vec<&Danger>, Vec<&Danger>) =
            self.plan.dangers.iter().partition(|danger| danger.refuses);
        document.sections.extend(dangers("what forbids it", &refusing, Block::Warning));
        let list = |line| Block::List(vec![line]);
        document.sections.extend(dangers("what to know before", &others, list));
        document.sections.push(self.list());
        document.sections.push(self.simulation());
        document
    }

    fn headline(&self) -> &'static str {
        match (self.refused, self.head.coverage.verdict()) {
            (_, Verdict::Nothing) => "nothing can be concluded: the login history could not be read",
            (true, _) => "REFUSED: this plan must not be carried out as it is",
            (false, Verdict::Incomplete) => {
                "incomplete: nothing found against this plan so far, but some records could not be read"
            }
            (false, Verdict::Complete) if !self.plan.switch.planned => {
                "nothing forbids this plan while the list's switch is off"
            }
            (false, Verdict::Complete) => "nothing forbids this plan",
        }
    }

    /// The list and its switch.
    fn list(&self) -> Section {
        let Plan { steps, expanded, cannot_hold, .. } = &self.plan;
        let mut section = Section::new("the portal's list").with(Block::Paragraph(switch(&self.plan).into()));
        for (deed, title) in [
            (Deed::Add, "to add"),
            (Deed::Remove, "to remove"),
            (Deed::Keep, "to keep"),
            (Deed::Foreign, "left alone, because the policy does not have them and this program did not write them"),
            (Deed::Withheld, "left out, because somebody else has taken them out"),
        ] {
            let own: Vec<&Step> = steps.iter().filter(|step| step.deed == deed).collect();
            if !own.is_empty() {
                let summary = format!("{title} ({})", plural(own.len() as u64, "entry")).into();
                let blocks = vec![Block::Table(entries(&own))];
                section = section.with(Block::Details(Details { summary, blocks }));
            }
        }
        let of = |rule: &str, line: usize| format!("of \"{}\" (line {line})", shown(rule));
        let written = expanded
            .iter()
            .map(|one| format!("{} {} is written as {} entries", one.entry, of(&one.rule, one.line), one.addresses));
        let missing = cannot_hold
            .iter()
            .map(|one| format!("not in the list: {} {} {}", one.entry, of(&one.rule, one.line), one.why));
        let notes: Vec<Line> = written.chain(missing).map(Line::from).collect();
        if !notes.is_empty() {
            section = section.with(Block::List(notes));
        }
        section
            .with(Block::Paragraph("whoever writes the list replaces all of it, so read it again right before".into()))
    }

    /// Whom it would have refused.
    fn simulation(&self) -> Section {
        let simulation = &self.plan.simulation;
        let condition = if self.plan.switch.planned { "" } else { ", had its switch been on" };
        let (came, blocked) = (plural(simulation.people as u64, "active person"), people(&simulation.blocked));
        let mut section = Section::new("whom the list would have refused").with(Block::Paragraph(
            format!(
                "{came} came in this time, the owner not counted; the list would have refused {blocked}{condition}"
            )
            .into(),
        ));
        section.blocks.extend(visits("", &simulation.blocked));
        if !simulation.unclear.is_empty() {
            let unclear = people(&simulation.unclear);
            let text = format!("it cannot be determined for {unclear}, because no full address was recorded");
            section.blocks.extend(visits(&text, &simulation.unclear));
        }
        if simulation.unseen > 0 {
            let unseen = plural(simulation.unseen as u64, "active account");
            let text = format!("{unseen} did not come, so nobody knows from where they will");
            section = section.with(Block::Paragraph(text.into()));
        }
        section
    }
}

fn dangers(title: &str, dangers: &[&Danger], block: impl Fn(Line) -> Block) -> Option<Section> {
    let blocks: Vec<Block> = dangers.iter().map(|danger| block(danger.text.as_str().into())).collect();
    (!blocks.is_empty()).then(|| Section { blocks, ..Section::new(title) })
}

fn switch(plan: &Plan) -> String {
    let word = |on| if on { "on" } else { "off" };
    match (plan.switch.now, plan.switch.planned) {
        (now, planned) if now == planned => format!("its switch stays {}", word(now)),
        (now, planned) => format!("its switch is {}, and would be switched {}", word(now), word(planned)),
    }
}

/// Entries with which the same is done.
fn entries(steps: &[&Step]) -> Table {
    let runs = runs(steps);
    let (has_rules, has_remarks) =
        (runs.iter().any(|(step, _)| !step.rules.is_empty()), runs.iter().any(|(step, _)| !remarks(step).is_empty()));
    let headings = [(true, "Address"), (has_rules, "Rules"), (has_remarks, "Remarks")];
    let headings: Vec<&str> =
        headings.into_iter().filter_map(|(is_there, heading)| is_there.then_some(heading)).collect();
    let mut table = Table::new("", &headings);
    // what somebody else wrote does not go without being named
    let is_foreign = |step: &Step| step.deed == Deed::Remove && step.whose != Some(Whose::Ours);
    let shown_runs = runs.iter().enumerate().filter(|(position, (step, _))| *position < SHOWN || is_foreign(step));
    for (_, (step, range)) in shown_runs {
        let ip = match range {
            Some(range) => Line::from(range.to_string()),
            None => Line::from(&step.entry.ip),
        };
        let rules: Vec<String> = step.rules.iter().map(|rule| format!("\"{}\"", shown(rule))).collect();
        let rules = has_rules.then(|| Cell::from(rules.join(", ")));
        let remarks = has_remarks.then(|| Cell::from(remarks(step)));
        table.row([Some(Cell::Text(ip)), rules, remarks].into_iter().flatten());
    }
    table.of(runs.len() as u64, ALL)
}

fn remarks(step: &Step) -> String {
    let whose = match step.whose {
        Some(Whose::OursChanged) => Some("ours, and somebody else has changed for whom it counts"),
        Some(Whose::Ours) if step.why.is_none() => Some("ours"),
        _ => None,
    };
    let admins = step.entry.for_admin.then_some("for admins only");
    [admins, whose, step.why.as_deref(), step.trouble].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Addresses that follow each other under the same rules as one: the first of them, and what they are together.
fn runs<'s>(steps: &[&'s Step]) -> Vec<(&'s Step, Option<AddressRange>)> {
    let mut runs: Vec<(&Step, Option<AddressRange>)> = Vec::new();
    for step in steps {
        let own = step.address().and_then(|ip| AddressRange::new(ip, ip).ok());
        let longer = runs.last().and_then(|(first, range)| {
            let is_alike = (first.entry.for_admin, &first.rules, first.whose, &first.why)
                == (step.entry.for_admin, &step.rules, step.whose, &step.why);
            range.filter(|_| is_alike)?.followed_by(own?)
        });
        match (longer, runs.last_mut()) {
            (Some(longer), Some((_, range))) => *range = Some(longer),
            _ => runs.push((step, own)),
        }
    }
    runs
}

fn people(blocked: &[Blocked]) -> String {
    let people: BTreeSet<Uuid> = blocked.iter().map(|blocked| blocked.person.id).collect();
    if people.is_empty() { "nobody".to_owned() } else { plural(people.len() as u64, "person") }
}

/// By person: from where they came, how often, and whether the policy allows it.
fn visits(caption: &str, blocked: &[Blocked]) -> Option<Block> {
    let mut by_person: BTreeMap<Uuid, Vec<&Blocked>> = BTreeMap::new();
    blocked.iter().for_each(|one| by_person.entry(one.person.id).or_default().push(one));
    let mut table = Table::new(caption, &["Who", "From", "Logins", "Actions", "Last", "Policy"]);
    for visit in by_person.into_values().flatten().take(SHOWN) {
        let ip = if visit.ip.raw().is_empty() { line!["no address noted"] } else { Line::from(&visit.ip) };
        let policy = match (visit.meant, visit.allowed) {
            (true, _) => "locked out on purpose",
            (false, Some(true)) => "allowed",
            (false, Some(false)) => "not allowed",
            (false, None) => "",
        };
        let (logins, acts) = (Cell::Number(visit.logins), Cell::Number(visit.acts));
        let who = Cell::Text(Who::from(&visit.person).line());
        table.row([who, Cell::Text(ip), logins, acts, Cell::At(visit.last), policy.into()]);
    }
    (!blocked.is_empty()).then(|| Block::Table(table.of(blocked.len() as u64, ALL)))
}
