//! Who the people of findings are.

use std::collections::{BTreeMap, BTreeSet};

use audit_model::{GUEST_ACCOUNT, Person, Source};
use docspace_client::Account;
use event_archive::{Error, Look, LookUps};
use uuid::Uuid;

/// These people as the portal shows them now, else as they were remembered, each looked up once. Nobody is behind the account of
/// anonymous visitors. Who cannot be looked up is a gap.
///
/// # Errors
/// Only of the store.
pub async fn people(ids: impl IntoIterator<Item = Uuid>, look: &mut Look) -> Result<BTreeMap<Uuid, Person>, Error> {
    let mut people = BTreeMap::new();
    let mut look_ups = look_ups(look);
    for id in each_once(ids) {
        if !look_ups.may_ask() {
            break;
        }
        let looked = look.archive.person(&look.client, id, look.now).await?;
        people.extend(look_ups.take(looked).map(|known| (id, known.value)));
    }
    look.finish(look_ups);
    Ok(people)
}

/// The same with all that an account tells, as of now: nothing is remembered, for those who act by it.
pub async fn accounts(ids: impl IntoIterator<Item = Uuid>, look: &mut Look) -> BTreeMap<Uuid, Account> {
    let mut accounts = BTreeMap::new();
    let mut look_ups = look_ups(look);
    for id in each_once(ids) {
        if !look_ups.may_ask() {
            break;
        }
        let answer = look.client.account(id).await;
        accounts.extend(look_ups.take_answer(answer).map(|account| (id, account)));
    }
    look.finish(look_ups);
    accounts
}

fn look_ups(look: &Look) -> LookUps {
    LookUps::of(Source::People.name(), Source::People.name(), usize::MAX, look.now)
}

fn each_once(ids: impl IntoIterator<Item = Uuid>) -> impl Iterator<Item = Uuid> {
    let mut asked = BTreeSet::from([GUEST_ACCOUNT]);
    ids.into_iter().filter(move |id| asked.insert(*id))
}
