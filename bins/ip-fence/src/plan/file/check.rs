//! Whether a plan may still be carried out. Pure.

use ::report::words::{list_of, plural};
use audit_model::PortalText;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::{ListEntry, StoredList};
use uuid::Uuid;

use super::PlanFile;
use super::content::outcome;
use crate::plan::Danger;
use crate::rule::own_list::difference;
use crate::rule::server::Trouble;

/// A plan that is dated later than now was made by another clock.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// Entries named in a sentence.
const SHOWN: usize = 5;

/// So many days without anybody whom the plan would have refused are proof enough.
pub(crate) const SHADOW_DAYS: u32 = 7;

/// How things stand right before a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now<'n> {
    /// In portal time.
    pub(crate) at: DateTime<Utc>,
    pub(crate) portal_url: &'n url::Url,
    /// With the portal's number, as it was read now.
    pub(crate) list: &'n StoredList,
    pub(crate) policy_sha256: &'n str,
    /// The plan that would be made now with the same flags. Its dangers were looked for, and not those of the file.
    pub(crate) would: &'n PlanFile,
    /// The account of the key that would write.
    pub(crate) key_owner: Uuid,
    /// Of a plan that was made now with the same flags.
    pub(crate) dangers: &'n [Danger],
    /// How many days in a row nobody came whom the plan would have refused; `None` when no run has watched it.
    pub(crate) clean_days: Option<u32>,
    /// Somebody says that the days do not matter.
    pub(crate) without_shadow: bool,
}

/// Why a plan must not be carried out, each a sentence without its end: exit code 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale(pub(crate) Vec<String>);

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the plan must not be carried out: {}", self.0.join("; "))
    }
}

impl PlanFile {
    /// Whether it may be carried out now. All reasons against it are named at once.
    pub(crate) fn check(&self, now: &Now<'_>) -> Result<(), Stale> {
        let reasons: Vec<String> = [
            self.is_old(now),
            self.other_portal(now),
            self.other_key(now),
            self.other_policy(now),
            self.other_list(now),
            self.malformed(),
            self.other_outcome(now),
            self.incomplete(),
            self.not_watched(now),
        ]
        .into_iter()
        .flatten()
        .chain(self.refusing(now))
        .collect();
        if reasons.is_empty() { Ok(()) } else { Err(Stale(reasons)) }
    }

    fn is_old(&self, now: &Now<'_>) -> Option<String> {
        let shown = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
        if now.at + CLOCKS_DIFFER < self.made.at {
            return Some(format!("it was made at {}, which has not come yet at the portal", shown(self.made.at)));
        }
        (now.at >= self.usable_until)
            .then(|| format!("it could be used until {}; make it again, and review it", shown(self.usable_until)))
    }

    fn other_portal(&self, now: &Now<'_>) -> Option<String> {
        if self.portal.url != now.portal_url.as_str() {
            let planned = PortalText::new(self.portal.url.as_str()).for_terminal();
            return Some(format!("it was made for {planned}, and this is {}", now.portal_url));
        }
        match (self.portal.tenant_id, now.list.tenant) {
            (planned, now) if planned == now => None,
            (Some(planned), Some(now)) => {
                Some(format!("it was made for tenant {planned}, and the portal is now tenant {now}"))
            }
            _ => Some(
                "the portal told the number of its tenant only once, so nobody can tell whether it is the same portal"
                    .to_owned(),
            ),
        }
    }

    fn other_key(&self, now: &Now<'_>) -> Option<String> {
        let is_same = self.key.account == now.key_owner;
        (!is_same).then(|| {
            format!(
                "it was made with a key of account {}, and the key that would write belongs to {}",
                self.key.account, now.key_owner
            )
        })
    }

    fn other_policy(&self, now: &Now<'_>) -> Option<String> {
        (self.policy_sha256 != now.policy_sha256).then(|| {
            "the policy has changed since: its file, the people and groups that it names, or the rules that count today"
                .to_owned()
        })
    }

    fn other_list(&self, now: &Now<'_>) -> Option<String> {
        let mut parts = Vec::new();
        let (before, list) = (&self.before.entries, &now.list.entries);
        for (verb, entries) in [("added", difference(list, before)), ("removed", difference(before, list))] {
            if !entries.is_empty() {
                parts.push(format!("somebody has {verb} {}", named(&entries)));
            }
        }
        if self.before.enable != now.list.enabled {
            let switched = if now.list.enabled { "on" } else { "off" };
            parts.push(format!("somebody has switched the list {switched}"));
        }
        (!parts.is_empty()).then(|| format!("the portal's list has changed since: {}", parts.join(", ")))
    }

    /// What no plan of this program is, whatever its digest says.
    fn malformed(&self) -> Option<String> {
        let odd = self.add.iter().find(|change| Trouble::of(&change.entry).is_some());
        if let Some(odd) = odd {
            let shown = odd.entry.ip.for_terminal();
            return Some(format!(
                "it adds `{shown}`, which the portal would store and never match, or which makes it fail"
            ));
        }
        let is_sum = self.after.entries == outcome(&self.before.entries, &self.add, &self.remove);
        (!is_sum).then(|| "the list after it is not the list before it with what it adds and removes".to_owned())
    }

    /// What no look at the policy, the list and what is remembered would plan: somebody has made another file with a digest of its own, or
    /// the plan was made where something else is remembered. Said only where nothing else explains it.
    fn other_outcome(&self, now: &Now<'_>) -> Option<String> {
        let explained = [self.other_portal(now), self.other_policy(now), self.other_list(now), self.malformed()];
        if explained.iter().any(Option::is_some) {
            return None;
        }
        let (planned, would) = (&self.after, &now.would.after);
        let mut parts = Vec::new();
        for (verb, entries) in [
            ("keeps or adds", difference(&planned.entries, &would.entries)),
            ("leaves out", difference(&would.entries, &planned.entries)),
        ] {
            if !entries.is_empty() {
                parts.push(format!("it {verb} {}", named(&entries)));
            }
        }
        if planned.enable != would.enable {
            parts.push(format!("it leaves the switch {}", if planned.enable { "on" } else { "off" }));
        }
        (!parts.is_empty()).then(|| {
            format!(
                "it is not what the policy, the list and the memory of this program make of it: {}; make it again here, and review it",
                parts.join(", ")
            )
        })
    }

    fn incomplete(&self) -> Option<String> {
        (!self.history.complete)
            .then(|| "a part of the history was not read when it was made, so it may lock somebody out".to_owned())
    }

    fn not_watched(&self, now: &Now<'_>) -> Option<String> {
        let days = now.clean_days.unwrap_or_default();
        if now.without_shadow || !self.narrows() || days >= SHADOW_DAYS {
            return None;
        }
        Some(format!(
            "runs have watched it for {} without anybody whom it would have refused, and {SHADOW_DAYS} are needed; let runs go on watching, or give `--without-shadow`",
            plural(days.into(), "day")
        ))
    }

    /// Dangers of then and of now; what both have is named once.
    fn refusing(&self, now: &Now<'_>) -> Vec<String> {
        let mut refusing: Vec<&Danger> = Vec::new();
        for danger in self.dangers.iter().chain(now.dangers).filter(|danger| danger.refuses) {
            if !refusing.iter().any(|known| known.kind == danger.kind) {
                refusing.push(danger);
            }
        }
        refusing.into_iter().map(|danger| danger.text.clone()).collect()
    }
}

fn named(entries: &[ListEntry]) -> String {
    let shown: Vec<String> = entries.iter().take(SHOWN).map(|entry| entry.ip.for_terminal()).collect();
    list_of(&shown, SHOWN, entries.len() as u64)
}
