//! Who the people of findings are.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{GUEST_ACCOUNT, Person, Source};
use docspace_client::Account;
use event_archive::{Error, Look, LookUps, Looked};
use uuid::Uuid;

/// These people as the portal shows them now, else as they were remembered, each looked up once. Nobody is behind the account of
/// anonymous visitors. Who cannot be looked up is a gap.
///
/// # Errors
/// Only of the store.
pub async fn people(ids: impl IntoIterator<Item = Uuid>, look: &mut Look) -> Result<BTreeMap<Uuid, Person>, Error> {
    let mut look_ups = look_ups(look);
    let ask = async |id: &Uuid| look.archive.person(&look.client, *id, look.now).await;
    let people = look_ups.each(each_once(ids), ask).await?;
    look.finish(look_ups);
    Ok(people.into_iter().map(|(id, person)| (id, person.value)).collect())
}

/// The same with all that an account tells, as of now: nothing is remembered, for those who act by it.
///
/// # Errors
/// Only of the store.
pub async fn accounts(ids: impl IntoIterator<Item = Uuid>, look: &mut Look) -> Result<BTreeMap<Uuid, Account>, Error> {
    let mut look_ups = look_ups(look);
    let ask = async |id: &Uuid| Ok(Looked::of(look.client.account(*id).await, None, look.now));
    let accounts = look_ups.each(each_once(ids), ask).await?;
    look.finish(look_ups);
    Ok(accounts.into_iter().map(|(id, account)| (id, account.value)).collect())
}

fn look_ups(look: &Look) -> LookUps {
    LookUps::of(Source::People.name(), Source::People.name(), usize::MAX, look.now)
}

fn each_once(ids: impl IntoIterator<Item = Uuid>) -> impl Iterator<Item = Uuid> {
    let mut asked = BTreeSet::from([GUEST_ACCOUNT]);
    ids.into_iter().filter(move |id| asked.insert(*id))
}
