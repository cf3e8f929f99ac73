//! A plan in text and JSON. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ::report::coverage;
use ::report::words::{Clock, plural};
use audit_model::{AddressRange, Coverage, Verdict, Window};
use chrono_tz::Tz;
use docspace_client::Portal;
use job_runner::args::ReportFormat;
use job_runner::{PortalName, ProgramName, RunFacts, Setup};
use serde::Serialize;

use super::Plan;
use super::simulate::Blocked;
use super::steps::{Deed, Step, Whose};
use crate::config::Config;
use crate::found::entries;

/// Version of the JSON form; a change that breaks readers raises it.
const SCHEMA: &str = "ip-fence-plan/1";

/// Addresses shown of one kind in text; JSON has all.
const SHOWN: usize = 20;

/// Serialises to the JSON form.
#[derive(Debug, Serialize)]
pub(crate) struct PlanReport {
    schema: &'static str,
    program: ProgramName,
    portal: PortalName,
    run: RunFacts,
    /// What was replayed.
    window: Window,
    coverage: Coverage,
    /// Whether the plan must not be carried out as it is.
    refused: bool,
    #[serde(flatten)]
    plan: Plan,
}

impl PlanReport {
    pub(crate) fn new(
        setup: &Setup<'_, Config>,
        portal: &Portal,
        window: Window,
        coverage: Coverage,
        plan: Plan,
    ) -> anyhow::Result<Self> {
        Ok(PlanReport {
            schema: SCHEMA,
            program: ProgramName { name: setup.about.name, version: setup.about.version },
            portal: PortalName::new(setup.portal_url()?, Some(portal)),
            run: RunFacts { started_at: setup.now, dry_run: true },
            window,
            coverage,
            refused: plan.is_refused(),
            plan,
        })
    }

    pub(crate) fn render(&self, format: ReportFormat) -> anyhow::Result<String> {
        match format {
            ReportFormat::Json => Ok(format!("{}\n", serde_json::to_string_pretty(self)?)),
            ReportFormat::Text => self.text(),
        }
    }

    fn text(&self) -> anyhow::Result<String> {
        let clock = Clock(self.portal.time_zone.unwrap_or(Tz::UTC));
        let mut text = String::new();
        let headline = match (self.refused, self.coverage.verdict()) {
            (_, Verdict::Nothing) => "nothing can be concluded: the login history could not be read",
            (true, _) => "this plan must not be carried out as it is",
            (false, Verdict::Incomplete) => {
                "incomplete: nothing found against this plan so far, but some records could not be read"
            }
            (false, Verdict::Complete) => "nothing forbids this plan",
        };
        writeln!(text, "ip-fence plan: {headline}. Nothing was changed.")?;
        writeln!(text, "Portal {}, replayed {}, times in {}", self.portal.shown(), clock.span(self.window), clock.0)?;
        for danger in &self.plan.dangers {
            writeln!(text, "{}  {}", if danger.refuses { "REFUSED" } else { "note   " }, danger.text)?;
        }
        writeln!(text, "\n{}", switch(&self.plan))?;
        steps(&self.plan, &mut text)?;
        self.simulation(&clock, &mut text)?;
        writeln!(text, "\nWhoever writes the list replaces it whole: read it again right before.")?;
        coverage::lines(&self.coverage, clock).iter().try_for_each(|line| writeln!(text, "{line}"))?;
        Ok(text)
    }

    fn simulation(&self, clock: &Clock, text: &mut String) -> std::fmt::Result {
        let simulation = &self.plan.simulation;
        let condition = if self.plan.switch.planned { "" } else { " with the switch on" };
        writeln!(
            text,
            "\nOf {} active people who came, the owner left out, would have been refused{condition}: {}",
            simulation.people,
            people(&simulation.blocked)
        )?;
        blocked(&simulation.blocked, clock, text)?;
        if !simulation.unclear.is_empty() {
            writeln!(text, "Cannot be determined for {}: no full address was recorded", people(&simulation.unclear))?;
            blocked(&simulation.unclear, clock, text)?;
        }
        if simulation.unseen > 0 {
            writeln!(
                text,
                "{} active accounts were not seen; nobody knows from where they will come",
                simulation.unseen
            )?;
        }
        Ok(())
    }
}

fn switch(plan: &Plan) -> String {
    let word = |on| if on { "on" } else { "off" };
    match (plan.switch.now, plan.switch.planned) {
        (now, planned) if now == planned => format!("Switch: stays {}", word(now)),
        (now, planned) => format!("Switch: {} -> {}", word(now), word(planned)),
    }
}

fn steps(plan: &Plan, text: &mut String) -> std::fmt::Result {
    let of = |deed: Deed| plan.steps.iter().filter(move |step| step.deed == deed).collect::<Vec<&Step>>();
    for (deed, sign, title) in [
        (Deed::Add, "+", "to add"),
        (Deed::Remove, "-", "to remove"),
        (Deed::Keep, "=", "to keep"),
        (Deed::Foreign, "?", "foreign, kept: not ours, and the policy does not have them"),
        (Deed::Withheld, "!", "of ours that somebody else has taken out: not added again"),
    ] {
        let own = of(deed);
        if own.is_empty() {
            continue;
        }
        writeln!(text, "List: {} {title}", entries(own.len()))?;
        let runs = runs(&own);
        for (step, range) in runs.iter().take(SHOWN) {
            let admins = if step.entry.for_admin { "  admins only" } else { "" };
            let rules: Vec<String> = step.rules.iter().map(|rule| format!("\"{}\"", shown(rule))).collect();
            let rules = if rules.is_empty() { String::new() } else { format!("  {}", rules.join(", ")) };
            let why = step.why.as_ref().map(|why| format!("  {why}")).unwrap_or_default();
            let whose = match step.whose {
                Some(Whose::OursChanged) => "  ours, and somebody else has changed for whom it counts",
                Some(Whose::Ours) if step.why.is_none() => "  ours",
                _ => "",
            };
            let trouble = step.trouble.map(|trouble| format!("  {trouble}")).unwrap_or_default();
            let ip = range.map_or_else(|| step.entry.ip.for_terminal(), |range| range.to_string());
            writeln!(text, "  {sign} {ip}{admins}{rules}{whose}{why}{trouble}")?;
        }
        if runs.len() > SHOWN {
            writeln!(text, "  and {} more lines like these; `--format json` has all", runs.len() - SHOWN)?;
        }
    }
    for expanded in &plan.expanded {
        let (entry, rule, line, count) = (&expanded.entry, shown(&expanded.rule), expanded.line, expanded.addresses);
        writeln!(text, "Expanded: {entry} of \"{rule}\" (line {line}) is {count} entries")?;
    }
    for missing in &plan.cannot_hold {
        let (entry, rule, line, why) = (&missing.entry, shown(&missing.rule), missing.line, &missing.why);
        writeln!(text, "Not in the list: {entry} of \"{rule}\" (line {line}) {why}")?;
    }
    Ok(())
}

/// Addresses that follow each other under the same rules as one line: the first of them, and what they are together.
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
    let people: std::collections::BTreeSet<_> = blocked.iter().map(|blocked| blocked.person.id).collect();
    match people.len() {
        0 => "nobody".to_owned(),
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    }
}

fn blocked(blocked: &[Blocked], clock: &Clock, text: &mut String) -> std::fmt::Result {
    let mut by_person: BTreeMap<_, Vec<&Blocked>> = BTreeMap::new();
    for one in blocked {
        by_person.entry(one.person.id).or_default().push(one);
    }
    for visits in by_person.values() {
        let person = &visits[0].person;
        let email = person.email.as_ref().map(|email| format!(" <{}>", email.for_terminal())).unwrap_or_default();
        writeln!(text, "  {}{email}", person.name.for_terminal())?;
        for visit in visits.iter().take(SHOWN) {
            let ip = if visit.ip.raw().is_empty() { "no noted address".to_owned() } else { visit.ip.for_terminal() };
            let meant = match (visit.meant, visit.allowed) {
                (true, _) => ", which is meant",
                (false, Some(true)) => ", which a rule allows",
                (false, Some(false)) => ", which no rule allows them",
                (false, None) => "",
            };
            let (logins, acts) = (plural(visit.logins, "login"), plural(visit.acts, "action"));
            writeln!(text, "    from {ip}: {logins}, {acts}, last {}{meant}", clock.at(visit.last))?;
        }
        if visits.len() > SHOWN {
            writeln!(text, "    and from {} more addresses", visits.len() - SHOWN)?;
        }
    }
    Ok(())
}

fn shown(text: &str) -> String {
    audit_model::PortalText::new(text).for_terminal()
}
