//! What a drill decides about the suspension that came of it, as an operator would.

use chrono::{DateTime, Utc};

use crate::drill::course::Do;
use crate::suspend::command::{Command, decide};
use crate::suspend::entry::Entry;
use crate::suspend::ledger::Ledger;

/// Who decides, in the journal.
const WHO: &str = "bulk-guard drill";

/// Writes one decision down. `false`: it cannot be decided any more, or somebody has changed the entry meanwhile.
pub(crate) async fn order<L: Ledger>(ledger: &L, entry: &Entry, what: &Do, now: DateTime<Utc>) -> anyhow::Result<bool> {
    let (command, why) = match what {
        Do::Approve => {
            (Command::Approve { shown: entry.person() }, "this is a drill, and the key in use is that of the drill")
        }
        Do::Cancel => (Command::Cancel, "the drill is over"),
        Do::Release => (Command::Release, "the drill is over"),
        _ => return Ok(false),
    };
    match decide(entry, &command, (WHO, why), now) {
        Ok(decided) if decided == *entry => Ok(true),
        Ok(decided) => ledger.commit(&decided).await,
        Err(_) => Ok(false),
    }
}
