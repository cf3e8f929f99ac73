//! Which events of the audit trail are of this program's own writes: whoever tells of changes of the list leaves them out.

use std::collections::BTreeSet;

use audit_model::Window;
use chrono::{DateTime, TimeDelta, Utc};
use docspace_client::Client;
use job_store::Store;
use tracing::warn;

use super::entry::Entry;
use super::journal::Kept;
use super::portal::row;
use super::run::Ledger as _;
use super::seen::Row;
use crate::rule::sighting::Sighting;

/// An event is dated so long before or after its write at most: clocks differ, and a write can be repeated on its way.
const AROUND: TimeDelta = TimeDelta::minutes(5);

/// Ids of the events of own writes, and when those were that arrived. What the journal does not know yet of `writes` is asked of the portal: the archive does not keep from
/// which page a write came.
///
/// # Errors
/// Of the store. What the portal does not tell is taken for others' writes.
pub(crate) async fn own_writes(
    store: &Store,
    client: &Client,
    writes: &[Sighting],
) -> anyhow::Result<(BTreeSet<i64>, Vec<DateTime<Utc>>)> {
    let entries = Kept::open(store.clone(), DateTime::UNIX_EPOCH).await?.entries().await?;
    let mut own = noted(&entries);
    let arrived = entries.iter().flat_map(|entry| &entry.puts).filter(|put| put.arrived == Some(true));
    let arrived = arrived.map(|put| put.at).collect();
    let unknown = writes.iter().filter(|write| !own.contains(&write.id)).map(|write| write.at);
    let Some(window) = to_ask(&entries, unknown) else { return Ok((own, arrived)) };
    match client.address_list_writes(window).await {
        Ok(events) => own.extend(tagged(&entries, &events.into_iter().map(row).collect::<Vec<_>>())),
        Err(error) => warn!("whose the latest writes of the address list are cannot be told: {error}"),
    }
    Ok((own, arrived))
}

/// Ids of the events of own writes that the journal knows by now: those of an application that a run has followed.
///
/// # Errors
/// Of the store.
pub(crate) async fn own_events(store: &Store) -> anyhow::Result<BTreeSet<i64>> {
    Ok(noted(&Kept::open(store.clone(), DateTime::UNIX_EPOCH).await?.entries().await?))
}

/// What earlier runs have seen.
fn noted(entries: &[Entry]) -> BTreeSet<i64> {
    entries.iter().flat_map(|entry| &entry.puts).flat_map(|put| &put.events).map(|own| own.event).collect()
}

/// The time of the events that may be ours; `None` when none may.
fn to_ask(entries: &[Entry], unknown: impl Iterator<Item = DateTime<Utc>>) -> Option<Window> {
    let puts = || entries.iter().flat_map(|entry| &entry.puts);
    let near: BTreeSet<DateTime<Utc>> = unknown.filter(|at| puts().any(|put| (*at - put.at).abs() <= AROUND)).collect();
    let (first, last) = (near.first()?, near.last()?);
    Some(Window::new(*first, *last + TimeDelta::seconds(1)))
}

/// Events that say which write of ours they are.
fn tagged(entries: &[Entry], rows: &[Row]) -> impl Iterator<Item = i64> {
    let is_ours = |row: &&Row| entries.iter().any(|entry| entry.puts.iter().any(|put| row.is_of(entry, put.number)));
    rows.iter().filter(is_ours).map(|row| row.event)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::testing::{entry, row, written};
    use super::*;

    /// Ours, and those of somebody else, of a plan that nobody knows here, and of a write that was never kept.
    #[test]
    fn a_write_says_whose_it_is_before_the_journal_knows() {
        let mut entry = entry();
        entry.puts.iter_mut().for_each(|put| put.events.clear());
        let tags =
            [Some("/ip-fence/a1/1"), Some("/ip-fence/a1/2"), None, Some("/ip-fence/a2/1"), Some("/ip-fence/a1/3")];
        let rows: Vec<Row> = (101..).zip(tags).map(|(event, tag)| row(event, tag)).collect();
        let entries = [entry];
        assert_eq!(noted(&entries), BTreeSet::new());
        assert_eq!(tagged(&entries, &rows).collect::<Vec<_>>(), [101, 102]);
    }

    /// Another host applies the same plan with the same key.
    #[test]
    fn the_same_plan_of_another_host_is_somebody_elses() {
        let own = entry().marked();
        let theirs = [entry().marked(), entry()].map(|entry| row(101, Some(&entry.tag(1))));
        assert_eq!(tagged(std::slice::from_ref(&own), &theirs).count(), 0, "{own:?}");
        assert_eq!(tagged(std::slice::from_ref(&own), &[row(101, Some(&own.tag(1)))]).count(), 1);
    }

    /// What a write says of itself anybody can say.
    #[test]
    fn what_another_account_says_of_a_write_is_not_believed() {
        let entries = [entry()];
        let other = Row { actor: Uuid::from_u128(2), ..row(101, Some("/ip-fence/a1/1")) };
        assert_eq!(tagged(&entries, &[other]).count(), 0);
    }

    /// The portal is asked only where something was written at that time.
    #[test]
    fn only_what_may_be_ours_is_asked_for() {
        let entries = [entry()];
        assert_eq!(noted(&entries), BTreeSet::from([101, 102]));
        let after = |minutes| written() + TimeDelta::minutes(minutes);
        assert_eq!(to_ask(&entries, [after(-60), after(60)].into_iter()), None);
        assert_eq!(to_ask(&[], [after(0)].into_iter()), None);
        let window = to_ask(&entries, [after(60), after(1), after(0)].into_iter()).unwrap();
        assert_eq!(window, Window::new(after(0), after(1) + TimeDelta::seconds(1)));
    }
}
