//! What stands in the file of a plan. Pure.

use audit_model::Window;
use chrono::{DateTime, Utc};
use docspace_client::{ListEntry, StoredList};
use sha2::{Digest as _, Sha256};

use super::{Change, KeyOwner, Listed, Made, PlanFile, PlanFlags, PlannedPortal, Replayed, SCHEMA, USABLE};
use crate::plan::steps::{Deed, Step};
use crate::plan::{Inputs, Plan};
use crate::policy::Rule;
use crate::rule::own_list::difference;

/// What a plan was made under, besides what it was made from.
pub(crate) struct Circumstances<'c> {
    /// In portal time.
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: Option<String>,
    pub(crate) portal_url: &'c url::Url,
    /// The list from which the plan was made.
    pub(crate) stored: &'c StoredList,
    pub(crate) policy_sha256: String,
    pub(crate) window: Window,
    /// Whether the window was read without a gap.
    pub(crate) complete: bool,
    pub(crate) flags: PlanFlags,
}

impl PlanFile {
    pub(crate) fn of(plan: &Plan, inputs: &Inputs<'_>, under: Circumstances<'_>) -> anyhow::Result<Self> {
        let Circumstances { at, by, portal_url, stored, policy_sha256, window, complete, flags } = under;
        let changes = |deed| -> Vec<Change> {
            let own = plan.steps.iter().filter(|step| step.deed == deed);
            own.map(|step| change(step, inputs)).collect()
        };
        let (add, remove) = (changes(Deed::Add), changes(Deed::Remove));
        let withheld = plan.steps.iter().filter(|step| step.deed == Deed::Withheld);
        let withheld = withheld.map(|step| step.entry.clone()).collect();
        let after = Listed { entries: outcome(&stored.entries, &add, &remove), enable: plan.switch.planned };
        PlanFile {
            schema: SCHEMA.to_owned(),
            id: String::new(),
            made: Made { at, by, version: env!("CARGO_PKG_VERSION").to_owned() },
            usable_until: at + USABLE,
            portal: PlannedPortal { url: portal_url.to_string(), tenant_id: stored.tenant },
            policy_sha256,
            key: KeyOwner { account: inputs.me.person.id, is_owner: inputs.me.is_owner },
            history: Replayed { since: window.since, until: window.until, complete },
            flags,
            before: Listed { entries: stored.entries.clone(), enable: stored.enabled },
            after,
            add,
            remove,
            withheld,
            dangers: plan.dangers.clone(),
            digest: String::new(),
        }
        .sealed()
    }
}

/// What comes goes behind what stays, which keeps its order.
pub(super) fn outcome(before: &[ListEntry], add: &[Change], remove: &[Change]) -> Vec<ListEntry> {
    let entries = |changes: &[Change]| changes.iter().map(|change| change.entry.clone()).collect::<Vec<_>>();
    let mut after = difference(before, &entries(remove));
    after.extend(entries(add));
    after
}

fn change(step: &Step, inputs: &Inputs<'_>) -> Change {
    let own = inputs.own_entries.iter().find(|own| own.entry == step.entry);
    let labels: Vec<&str> = match own {
        Some(own) if step.rules.is_empty() => vec![&own.rule],
        _ => step.rules.iter().map(String::as_str).collect(),
    };
    let rules = inputs.policy.rules.iter().filter(|rule| labels.contains(&rule.label.as_str()));
    // no end is the latest of all
    let lasting = rules.max_by_key(|rule| rule.expires.map_or((true, None), |end| (false, Some(end))));
    let rule = lasting.map(|rule| rule.label.clone()).or_else(|| labels.first().map(|label| (*label).to_owned()));
    let reason = |rule: &Rule| rule.reason.clone().filter(|_| step.deed == Deed::Add);
    Change {
        entry: step.entry.clone(),
        rule,
        owner: lasting.and_then(|rule| rule.owner.clone()).or_else(|| own.and_then(|own| own.owner.clone())),
        expires: lasting.and_then(|rule| rule.expires),
        why: step.why.clone().or_else(|| lasting.and_then(reason)),
    }
}

/// The policy as it was read: its file, whom its names meant, whose rules counted on that day, and which entries came of it. `text` is
/// the file.
pub(crate) fn policy_sha256(text: &str, plan: &Plan, inputs: &Inputs<'_>) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(text));
    hash.update(serde_json::to_vec(&inputs.policy.names)?);
    for (person, allowed) in inputs.policy.people_named() {
        hash.update(format!("{person} {:?} {:?}\n", allowed.rules, allowed.idle));
    }
    let mut wanted: Vec<&Step> = plan.steps.iter().filter(|step| !step.rules.is_empty()).collect();
    wanted.sort_by_key(|step| &step.entry);
    for step in wanted {
        hash.update(serde_json::to_vec(&(&step.entry, &step.rules))?);
    }
    hash.update(serde_json::to_vec(&inputs.settings.enforce)?);
    Ok(hex::encode(hash.finalize()))
}
