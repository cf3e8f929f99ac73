//! Changes of the list that are mistakes more often than wishes, and lists that nobody could restore. Pure.

use ::report::words::plural;

use super::kind::{Danger, DangerKind, danger, listed};
use crate::plan::steps::Deed;
use crate::plan::{Inputs, Plan};
use crate::rule::server::Trouble;

/// A list of fewer entries may be replaced at once.
const NO_SMALL_LIST: u64 = 10;

/// So much of a list, in percent, is much.
const MUCH_PERCENT: u64 = 30;

/// More entries at once than anybody reads.
const MANY: u64 = 2_000;

/// The portal's column is so long, in characters.
const LONGEST: usize = 50;

/// Whether or not the list counts: an entry that is gone is gone.
pub(super) fn large(inputs: &Inputs<'_>, plan: &Plan) -> Option<Danger> {
    let count = |deed| plan.steps.iter().filter(|step| step.deed == deed).count() as u64;
    let (added, removed, all) = (count(Deed::Add), count(Deed::Remove), inputs.list.entries.len() as u64);
    let is_much = all >= NO_SMALL_LIST && removed * 100 >= all * MUCH_PERCENT;
    let is_large = is_much || added + removed > MANY;
    let text = match inputs.yes_remove {
        Some(said) if said == removed => return None,
        Some(said) => format!(
            "`--yes-remove {said}` was given, and the plan removes {} of {all}; look at them, then give their number",
            plural(removed, "entry")
        ),
        None if is_large => format!(
            "the plan adds {} and removes {removed} of {all}: so large a change is a mistake more often than a wish; look at them, then give `--yes-remove {removed}`",
            plural(added, "entry")
        ),
        None => return None,
    };
    danger(DangerKind::LargeChange, true, text)
}

/// What the portal would not take back as it stands must not be written over.
pub(super) fn cannot_write_back(inputs: &Inputs<'_>) -> Option<Danger> {
    let is_refused = |text: &str| text.chars().count() > LONGEST;
    let entries = inputs.list.entries.iter();
    let names: Vec<String> = entries
        .filter(|entry| Trouble::of(entry) == Some(Trouble::Unreadable) || is_refused(entry.ip.raw()))
        .map(|entry| format!("`{}`", entry.ip.for_terminal()))
        .collect();
    if names.is_empty() {
        return None;
    }
    let text = format!(
        "the portal's list holds what the portal refuses when it is written, so this list could not be restored: {}; have whoever runs the server remove it from the table",
        listed(names.into_iter())
    );
    danger(DangerKind::CannotWriteBack, true, text)
}
