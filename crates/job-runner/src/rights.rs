//! `store show` and `store forget`: what is kept about somebody, and making them nameless in all of it.

use std::collections::BTreeSet;

use alerting::forgetting_matters;
use anyhow::{Context, bail};
use audit_model::{Forgotten, PortalText, Pseudonym};
use chrono::{DateTime, Utc};
use event_archive::{Archive, making_nameless, without_place};
use job_store::{JOURNAL_TABLES, Shown, Statement, Store, Table, giving_up, open_subject};
use report::words::{plural, utc};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::Error;
use crate::args::ReportFormat;
use crate::keeping::{open_all, tables};
use crate::memory::Memory;
use crate::naming::{Known, NamesKey};

mod needles;
pub(crate) use needles::{Needles, Who};

/// What is kept about somebody.
#[derive(Clone)]
pub(crate) struct About {
    who: Who,
    kept: Vec<(&'static Table, Vec<Shown>)>,
}

/// Whom an id, an e-mail address or a pseudonym means in this store.
///
/// # Errors
/// Nobody, or more than one: exit code 2.
pub(crate) async fn resolve(
    store: &Store,
    archive: &Archive,
    person: &str,
    key: Option<&NamesKey>,
) -> anyhow::Result<Who> {
    let revealed = match is_pseudonym(person) {
        true => Some(reveal(store, archive, person, key, []).await?.to_string()),
        false => None,
    };
    let person = revealed.as_deref().unwrap_or(person).trim();
    let id = Uuid::parse_str(person).ok();
    if id.is_none() && !person.contains('@') {
        let message = "is neither an id nor an e-mail address; give one of them: several people can have one name";
        return Err(Error::Argument(line(person), message.to_owned()).into());
    }
    let known = known(store, archive).await?;
    let email = person.to_lowercase();
    let is_meant = |known: &&Known| match id {
        Some(id) => known.id == id,
        None => known.email.as_ref().is_some_and(|known| known.to_lowercase() == email),
    };
    let ids: BTreeSet<Uuid> = known.iter().filter(is_meant).map(|known| known.id).collect();
    if ids.len() > 1 {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let message = format!("belongs to several accounts: {}; give the id of one", ids.join(", "));
        return Err(Error::Argument(line(person), message).into());
    }
    let id = id.or(ids.first().copied());
    let mut who = Who { id, pseudonym: id.zip(key).map(|(id, key)| key.person(id)), ..Who::default() };
    if person.contains('@') {
        who.emails.extend([email, person.to_ascii_lowercase()]);
    }
    let (own, others): (Vec<&Known>, Vec<&Known>) = known.iter().partition(|known| Some(known.id) == id);
    let names_of_others: BTreeSet<&String> = others.iter().filter_map(|known| known.name.as_ref()).collect();
    for Known { name, email, .. } in own {
        who.emails.extend(email.iter().flat_map(|email| [email.to_lowercase(), email.to_ascii_lowercase()]));
        if let Some(name) = name.as_ref().filter(|name| !name.trim().is_empty()) {
            let is_shared = names_of_others.contains(name);
            if is_shared { &mut who.shared_names } else { &mut who.names }.insert(name.clone());
        }
    }
    Ok(who)
}

/// All accounts that anything in the store names.
async fn known(store: &Store, archive: &Archive) -> anyhow::Result<Vec<Known>> {
    known_in(store, archive, |_| true).await
}

/// All accounts whose names the store has learned: from what happened, from what was looked up, and from what people were told.
pub(crate) async fn named(store: &Store, archive: &Archive) -> anyhow::Result<Vec<Known>> {
    known_in(store, archive, |table| matches!(table.name, "fact" | "matter")).await
}

async fn known_in(store: &Store, archive: &Archive, is_read: fn(&Table) -> bool) -> anyhow::Result<Vec<Known>> {
    let accounts = archive.accounts().await?.into_iter().map(|account| {
        let email = account.login.filter(|login| login.contains('@'));
        Known { id: account.id, name: Some(account.name), email }
    });
    let mut known: Vec<Known> = accounts.collect();
    for table in tables().into_iter().filter(|table| is_read(table)) {
        for (_, text) in store.texts(table).await? {
            if text.starts_with(['{', '['])
                && let Ok(value) = serde_json::from_str(&text)
            {
                collect(&value, &mut known);
            }
        }
    }
    Ok(known)
}

/// Whether a word is what stands for somebody where names are pseudonyms: `person-7fk2-9qwd`, in any case, or the id beside it.
pub(crate) fn is_pseudonym(person: &str) -> bool {
    let person = person.trim().to_lowercase();
    Uuid::parse_str(&person).map_or_else(|_| Pseudonym::is_name(&person), Pseudonym::is)
}

/// Whose pseudonym it is, of those whom the store knows and of these people.
///
/// # Errors
/// There is no key, or it makes this pseudonym of none of them, or of several: exit code 2. Others are of the store.
pub(crate) async fn reveal(
    store: &Store,
    archive: &Archive,
    person: &str,
    key: Option<&NamesKey>,
    people: impl IntoIterator<Item = Uuid>,
) -> anyhow::Result<Uuid> {
    let wrong = |message: &str| Error::Argument(line(person), message.to_owned());
    let key = key.ok_or_else(|| {
        wrong("is a pseudonym, and only the key that it was made with tells whose; name the file with the key in `names_key_file`")
    })?;
    let known = known(store, archive).await?.into_iter().map(|known| known.id);
    let message = "is a pseudonym of nobody whom this store knows: it may be of another portal, made with another key, or of somebody who \
                   was forgotten";
    Ok(meant(person, known.chain(people), key)?.ok_or_else(|| wrong(message))?)
}

/// Which of these people a pseudonym stands for.
///
/// # Errors
/// Several of them have it: exit code 2.
fn meant(person: &str, people: impl IntoIterator<Item = Uuid>, key: &NamesKey) -> Result<Option<Uuid>, Error> {
    let lower = person.trim().to_lowercase();
    let as_id = Uuid::parse_str(&lower).ok();
    let is_meant = |id: &Uuid| {
        let pseudonym = key.person(*id);
        as_id.map_or_else(|| pseudonym.name() == lower, |id| pseudonym.id() == id)
    };
    let ids: BTreeSet<Uuid> = people.into_iter().filter(is_meant).collect();
    if ids.len() > 1 {
        let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let message = format!("is the pseudonym of several accounts: {}; give the id of one", ids.join(", "));
        return Err(Error::Argument(line(person), message));
    }
    Ok(ids.first().copied())
}

/// The accounts in a JSON document: objects with an id, and addresses that ids stand behind.
pub(crate) fn collect(value: &serde_json::Value, known: &mut Vec<Known>) {
    match value {
        serde_json::Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(|value| value.as_str()).map(str::to_owned);
            let id = text("id").and_then(|id| Uuid::parse_str(&id).ok());
            known.extend(id.map(|id| Known { id, name: text("name"), email: text("email") }));
            for (key, value) in members {
                let id = value.as_str().filter(|_| key.contains('@')).and_then(|id| Uuid::parse_str(id).ok());
                known.extend(id.map(|id| Known { id, name: None, email: Some(key.clone()) }));
                collect(value, known);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, known)),
        _ => {}
    }
}

/// The portal names accounts by id and name in what happened, so that an address which nobody has looked up is not known to be theirs.
const BY_ID_TOO: &str = "actions and sign-ins are kept by id and name, so give the id of the account as well before you conclude that nothing is kept about them";

impl Who {
    /// What is not known of them, as a line; empty where the account is known.
    fn unknown(&self) -> String {
        let is_known = self.id.is_some();
        if is_known { String::new() } else { format!("no account is known by this e-mail address; {BY_ID_TOO}\n") }
    }
}

/// Everything that is kept about somebody.
///
/// # Errors
/// Nobody, or more than one is meant: exit code 2. Others are of the store.
pub(crate) async fn about(
    store: &Store,
    archive: &Archive,
    person: &str,
    key: Option<&NamesKey>,
) -> anyhow::Result<About> {
    let who = resolve(store, archive, person, key).await?;
    // what would take their place does not matter here
    let needles = Needles::of(&who, Forgotten::new(Uuid::nil()));
    let mut kept = Vec::new();
    for table in tables() {
        let needles = needles.clone();
        let rows = store.shown(table, move |row| row.iter().flatten().any(|text| needles.is_in(text))).await?;
        kept.push((table, rows));
    }
    if kept.iter().all(|(_, rows)| rows.is_empty()) {
        let message = match who.id {
            Some(_) => "is nobody that this store knows: nothing is kept about them".to_owned(),
            None => format!("is nobody that this store knows by their e-mail address; {BY_ID_TOO}"),
        };
        return Err(Error::Argument(line(person), message).into());
    }
    Ok(About { who, kept })
}

/// Everything that is kept about somebody: in the store, and in what lies elsewhere, each with its name.
pub(crate) fn shown(kept: &[(String, About)], format: ReportFormat) -> String {
    let texts = || kept.iter().map(|(store, about)| about.text(store)).collect::<Vec<_>>().join("\n");
    let (ReportFormat::Json, Some(((store, about), elsewhere))) = (format, kept.split_first()) else { return texts() };
    let mut whole = about.json(store);
    if !elsewhere.is_empty() {
        let elsewhere: Vec<_> = elsewhere.iter().map(|(store, about)| about.kept_in(store)).collect();
        whole["elsewhere"] = elsewhere.into();
    }
    format!("{whole:#}\n")
}

impl About {
    fn names(&self) -> Vec<&String> {
        self.who.names.iter().chain(&self.who.shared_names).collect()
    }

    fn json(&self, store: &str) -> serde_json::Value {
        let mut person = json!({ "id": self.who.id, "names": self.names(), "emails": self.who.emails });
        if let Some(pseudonym) = self.who.pseudonym {
            person["pseudonym"] = json!(pseudonym.name());
        }
        let mut whole = self.kept_in(store);
        whole["schema"] = json!("store-show/1");
        whole["person"] = person;
        whole
    }

    fn kept_in(&self, store: &str) -> serde_json::Value {
        let kept = self.kept.iter().map(|(table, rows)| {
            let rows: Vec<_> = rows.iter().map(|row| members(table, row)).collect();
            json!({ "table": table.name, "holds": table.holds, "rows": rows })
        });
        json!({ "store": store, "kept": kept.collect::<Vec<_>>() })
    }

    fn text(&self, store: &str) -> String {
        let listed = |texts: Vec<&String>| texts.iter().map(|text| line(text)).collect::<Vec<_>>().join(", ");
        let mut text = format!("kept about one person in {store}\n");
        text.extend(self.who.id.map(|id| format!("id: {id}\n")));
        text.push_str(&format!("names: {}\n", listed(self.names())));
        text.extend(self.who.pseudonym.map(|pseudonym| format!("pseudonym: {}\n", pseudonym.name())));
        text.push_str(&format!("e-mail addresses: {}\n", listed(self.who.emails.iter().collect())));
        text.push_str(&self.who.unknown());
        for (table, rows) in self.kept.iter().filter(|(_, rows)| !rows.is_empty()) {
            text.push_str(&format!("\n{} ({}): {}\n", table.holds, table.name, plural(rows.len() as u64, "row")));
            for row in rows {
                let members = members(table, row);
                let parts = members.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("{key} {}", line(&value))
                });
                text.push_str(&format!("  {}\n", parts.collect::<Vec<_>>().join("; ")));
            }
        }
        text
    }
}

fn line(text: &str) -> String {
    PortalText::new(text).for_terminal()
}

/// A row by its columns: moments as instants, JSON as it is.
fn members(table: &Table, row: &Shown) -> Map<String, serde_json::Value> {
    let columns = table.columns.iter().zip(row).map(|(column, text)| {
        let at = column.strip_suffix("_us").zip(text.as_ref().and_then(|micros| micros.parse().ok()));
        if let Some((name, at)) = at.and_then(|(name, at)| Some((name, DateTime::from_timestamp_micros(at)?))) {
            let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            return (name.to_owned(), json!(at));
        }
        let document = text.as_ref().filter(|text| text.starts_with(['{', '[']));
        let document = document.and_then(|text| serde_json::from_str(text).ok());
        (column.trim_end_matches("_us").to_owned(), document.unwrap_or_else(|| json!(text)))
    });
    columns.collect()
}

/// Makes somebody nameless in everything that is kept about them, and says what was done.
///
/// # Errors
/// Nobody, or more than one is meant: exit code 2. Others are of the store; then nothing was changed, unless they say so.
pub(crate) async fn forget(
    store: &Store,
    (person, key): (&str, Option<&NamesKey>),
    reason: &str,
    random: Uuid,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let archive = open_all(store).await?;
    let About { who, kept } = about(store, &archive, person, key).await?;
    if who.id.is_some_and(Forgotten::is) {
        bail!("this person was forgotten already");
    }
    let forgotten = Forgotten::new(random);
    let needles = Needles::of(&who, forgotten);
    let open = still_open(store, &needles).await?;
    let statements = statements(store, &who, &needles, forgotten).await?;
    store.write_all("making somebody nameless", statements).await?;
    let reason = needles.rewrite(reason).unwrap_or_else(|| reason.to_owned());
    Memory::open(store).await?.keep(&format!("forgotten {}", forgotten.tag()), &reason, now).await?;
    store.compact().await.context(
        "nothing in this store names the person any more, but its file may still hold the bytes: make room on the disk, and run \
         `store prune`, which rewrites the file",
    )?;
    let mut text = format!("the person is now \"{}\" ({}) in this store\n", forgotten.name(), forgotten.id());
    for (table, rows) in kept.iter().filter(|(_, rows)| !rows.is_empty()) {
        let rows = plural(rows.len() as u64, "row");
        text.push_str(&format!("{} ({}): {rows} {}\n", table.holds, table.name, fate(table)));
    }
    if open > 0 {
        text.push_str(&format!(
            "ended as failed, because nobody is left to act on: {}\n",
            plural(open, "entry of the journal")
        ));
    }
    text.push_str(&who.unknown());
    if !who.shared_names.is_empty() {
        text.push_str(
            "other people have the same name: where only the name stands, without id or e-mail address, it was left\n",
        );
    }
    let covered = archive.kept().await?.into_iter().find(|kept| kept.source == "audit");
    let since = covered.and_then(|kept| kept.covered.iter().next().map(|first| first.since));
    let since = since.map(|since| format!(" from {} on", utc(since))).unwrap_or_default();
    text.push_str(&format!(
        "The portal itself still has its events. Those that are stored here{since} stay nameless when they are read again; a run that reads \
         other time (`--since`) or finds new events of this person stores them with the name.\n\
         As long as the account is on the portal, runs also look it up again.\n\
         Reports, alerts and backups that have left this store are not changed.\n"
    ));
    Ok(text)
}

fn fate(table: &Table) -> &'static str {
    match table.name {
        "matter" => "about this person removed, in others the name replaced",
        "fact" => "about this person removed, in others the name replaced",
        "journal_entry" => "kept, with the name replaced: what was done has to be accounted for",
        "waiting" => "kept, with the name replaced: they leave without it",
        "audit_event" | "login_event" => {
            "kept for the counts, with the name replaced, and without addresses and devices"
        }
        _ => "kept, with the name replaced",
    }
}

async fn still_open(store: &Store, needles: &Needles) -> anyhow::Result<u64> {
    let needles = needles.clone();
    let is_theirs = move |row: &Shown| open_subject(row).is_some_and(|subject| needles.is_in(subject));
    Ok(store.shown(JOURNAL_TABLES[0], is_theirs).await?.len() as u64)
}

/// Everything that has to be done in the store, in its order.
async fn statements(
    store: &Store,
    who: &Who,
    needles: &Needles,
    forgotten: Forgotten,
) -> anyhow::Result<Vec<Statement>> {
    let [before, after] = match who.id {
        Some(id) => making_nameless(id, (forgotten.id(), &forgotten.name())),
        None => Default::default(),
    };
    let mut statements = before;
    statements.extend(who.emails.iter().chain(&who.names).map(|login| without_place(login)));
    let subjects = who.id.map(|id| id.to_string()).into_iter().chain(who.emails.iter().cloned());
    statements.extend(who.id.into_iter().flat_map(forgetting_matters));
    statements.extend(subjects.map(|subject| giving_up(&subject)));
    for table in tables() {
        statements.extend(store.rewriting(table, |text| needles.rewrite(text)).await?);
    }
    statements.extend(after);
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use job_store::{Journal, JournalState, Write};

    use super::*;

    #[test]
    fn an_address_that_begins_like_a_pseudonym_is_none() {
        let id = Pseudonym::new([7; 16]).id();
        let braced = format!("{{{}}}", id.to_string().to_uppercase());
        for word in ["person-7fk2-9qwd", "Person-7FK2-9QWD", " person-7fk2-9qwd ", &id.to_string(), &braced] {
            assert!(is_pseudonym(word), "{word}");
        }
        for word in ["person-office@example.com", "person-office", "person-7fk2", &Uuid::from_u128(7).to_string()] {
            assert!(!is_pseudonym(word), "{word}");
        }
    }

    /// Who mistypes the second factor is called by name in the history of sign-ins, and is no account there; a database takes no `Ü` for
    /// an `ü`.
    #[tokio::test]
    async fn failed_sign_ins_of_somebody_who_is_forgotten_keep_no_address() {
        let (id, other) = (Uuid::from_u128(0xa11a), Uuid::from_u128(0xb0b));
        let guest = audit_model::GUEST_ACCOUNT;
        let rows = [
            (id, "\u{dc}na Example", None),
            (guest, "\u{dc}na Example", Some("\u{dc}na Example")),
            (guest, "\u{dc}NA@example.com", Some("\u{dc}NA@example.com")),
            (guest, "\u{fc}na@example.com", Some("\u{fc}na@Example.com")),
            (other, "Bob Example", None),
            (guest, "Bob Example", Some("Bob Example")),
        ];
        for store in job_store::testing::stores().await {
            let archive = open_all(&store).await.unwrap();
            let person = serde_json::json!({ "id": id, "name": "\u{dc}na Example", "email": "\u{dc}na@example.com" });
            archive.keep_fact("person", &id.to_string(), &person, DateTime::UNIX_EPOCH).await.unwrap();
            for (number, (user, name, login)) in rows.into_iter().enumerate() {
                let sql = "INSERT INTO login_event (id, at_us, user_id, user_name, login, action, ip)
                     VALUES (?, 0, ?, ?, ?, 1002, '192.0.2.7')";
                let values = [(number as i64).into(), user.simple().to_string().into(), name.into(), login.into()];
                store.execute("storing", sql, values).await.unwrap();
            }
            forget(&store, (&id.to_string(), None), "asked", Uuid::from_u128(7), DateTime::UNIX_EPOCH).await.unwrap();
            let left = "SELECT user_name FROM login_event WHERE ip IS NOT NULL ORDER BY id";
            let left = store.all("reading", left, [], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
            assert_eq!(left, ["Bob Example", "Bob Example"]);
            let table = tables().into_iter().find(|table| table.name == "login_event").unwrap();
            let texts = store.texts(table).await.unwrap();
            let is_named = |text: &str| text.to_lowercase().contains("\u{fc}na");
            assert!(!texts.iter().any(|(_, text)| is_named(text)), "{texts:?}");
        }
    }

    /// What was done has to be accounted for: it stays, about nobody, and that is said. What is open is done to nobody any more.
    #[tokio::test]
    async fn what_was_done_about_somebody_who_is_forgotten_stays_without_the_name_and_says_so() {
        let (id, now) = (Uuid::from_u128(0xa11a), DateTime::UNIX_EPOCH);
        for store in job_store::testing::stores().await {
            open_all(&store).await.unwrap();
            let journal = Journal::open(store.clone()).await.unwrap();
            let (kept, payload) = (journal.clone(), json!({ "person": { "id": id, "name": "Anna Example" } }));
            let act = move |write: &Write<'_>| {
                for (key, state) in [("mail 1", JournalState::Done), ("mail 2", JournalState::Started)] {
                    kept.plan(write, (key, "mail", &id.to_string()), &payload, now)?;
                    kept.advance(write, key, state, &payload, now)?;
                }
                Ok(())
            };
            store.write("acting", act).await.unwrap();
            let said = forget(&store, (&id.to_string(), None), "asked", Uuid::from_u128(7), now).await.unwrap();
            for part in [
                "(journal_entry): 2 rows kept, with the name replaced: what was done has to be accounted for\n",
                "ended as failed, because nobody is left to act on: 1 entry of the journal\n",
            ] {
                assert!(said.contains(part), "{part}: {said}");
            }
            let entries = journal.of_kind("mail").await.unwrap();
            let states: Vec<JournalState> = entries.iter().map(|entry| entry.state).collect();
            assert_eq!(states, [JournalState::Done, JournalState::Failed]);
            let forgotten = Forgotten::new(Uuid::from_u128(7));
            for entry in entries {
                assert_eq!(entry.subject, forgotten.id().to_string());
                assert_eq!(entry.payload["person"], json!({ "id": forgotten.id(), "name": forgotten.name() }));
            }
        }
    }

    /// What is kept of actions has no e-mail addresses in it.
    #[tokio::test]
    async fn an_address_that_nobody_has_looked_up_is_no_proof_that_nothing_is_kept() {
        let store = Store::temporary().await.unwrap();
        let archive = open_all(&store).await.unwrap();
        let anna = "anna@example.com";
        let unknown = about(&store, &archive, anna, None).await.err().unwrap().to_string();
        assert!(unknown.contains("give the id of the account"), "{unknown}");
        let id = Uuid::from_u128(0xa11a).to_string();
        let unknown = about(&store, &archive, &id, None).await.err().unwrap().to_string();
        assert!(unknown.contains("nothing is kept about them"), "{unknown}");
        let (sql, guest) = (
            "INSERT INTO login_event (id, at_us, user_id, user_name, login, action) VALUES (1, 0, ?, ?, ?, 1002)",
            audit_model::GUEST_ACCOUNT.simple().to_string(),
        );
        store.execute("storing", sql, [guest.into(), anna.into(), anna.into()]).await.unwrap();
        let shown = about(&store, &archive, anna, None).await.unwrap().text("here");
        let done = forget(&store, (anna, None), "asked", Uuid::from_u128(7), DateTime::UNIX_EPOCH).await.unwrap();
        for said in [shown, done] {
            assert!(said.contains("no account is known by this e-mail address"), "{said}");
        }
    }

    /// Of a million people, a few have one that somebody else has, too.
    #[test]
    fn a_pseudonym_of_two_means_neither() {
        let key = NamesKey::new(b"0123456789abcdef", &"https://docs.example.com".parse().unwrap());
        let [one, two, other] = [803_970, 1_539_814, 7].map(Uuid::from_u128);
        let shared = key.person(one).name();
        assert_eq!(shared, key.person(two).name());
        let alone = meant(&shared.to_uppercase(), [one, other], &key);
        assert_eq!(alone.unwrap(), Some(one));
        assert_eq!(meant(&shared, [other], &key).unwrap(), None);
        let failure = meant(&shared, [one, other, two, one], &key).unwrap_err().to_string();
        assert!(failure.contains(&format!("several accounts: {one}, {two}; give the id of one")), "{failure}");
        // the id beside it is longer
        assert_eq!(meant(&key.person(two).id().to_string(), [one, two], &key).unwrap(), Some(two));
    }
}
