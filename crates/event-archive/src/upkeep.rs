//! Looking after the store: what is in it, forgetting what is old, and making somebody nameless.

use audit_model::{GUEST_ACCOUNT, SYSTEM_ACCOUNT, SpanSet, Window};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use job_store::{Select, Statement, Value, Write};
use uuid::Uuid;

use crate::keep::replace_spans;
use crate::rows::{micros, person};
use crate::{Archive, Error};

/// Before this moment nothing is remembered.
const PRUNED: &str = "pruned";

/// Texts that no row refers to any more. The indexes of rows do not help, so all are gone through once.
const UNUSED_SQL: &str =
    "DELETE FROM phrase WHERE id NOT IN (SELECT actor FROM audit_event UNION SELECT actor_name FROM audit_event
     UNION SELECT ip FROM audit_event WHERE ip IS NOT NULL
     UNION SELECT context FROM audit_event WHERE context IS NOT NULL
     UNION SELECT details FROM audit_event WHERE details IS NOT NULL)";

const REWRITTEN_SQL: &str = "DELETE FROM rewritten WHERE event NOT IN (SELECT id FROM audit_event)";

/// What is kept of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name of the source, for instance `audit`.
    pub source: String,
    /// The spans that were read completely, oldest first; of a source named `… (unreadable)` those that could not be read.
    pub covered: SpanSet,
}

/// An account as an event or a sign-in names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub name: String,
    /// What they signed in with; usually their e-mail address.
    pub login: Option<String>,
}

impl Archive {
    /// Which spans of which source are known completely, by name of the source.
    ///
    /// # Errors
    /// Of the store.
    pub async fn kept(&self) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT DISTINCT source FROM covered_span ORDER BY source";
        let sources = self.store().all("reading the covered spans", sql, [], |row| Ok(row.text(0)?.to_owned())).await?;
        let mut kept = Vec::new();
        for source in sources {
            let covered = self.covered(&source).await?;
            kept.push(Kept { source, covered });
        }
        Ok(kept)
    }

    /// Before which moment nothing is remembered any more; `None` when nothing was forgotten yet.
    ///
    /// # Errors
    /// Of the store.
    pub async fn pruned_before(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.moment(PRUNED).await
    }

    /// Forgets that the time before a moment was ever read or judged: it counts neither as seen nor as a hole. Call it before the rows are
    /// forgotten, so that none of it counts as seen when that is cut short. Gives the holes that were forgotten with it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn prune_spans(&self, before: DateTime<Utc>) -> Result<SpanSet, Error> {
        let kept = self.kept().await?;
        let parts = self.judged_by_part().await?;
        let holes: SpanSet =
            parts.iter().flat_map(|(_, judged)| judged.holes(before).iter().copied().collect::<Vec<_>>()).collect();
        let forget = move |write: &Write<'_>| {
            for Kept { source, mut covered } in kept {
                covered.remove(Window::new(DateTime::<Utc>::MIN_UTC, before));
                replace_spans(write, &source, &covered)?;
            }
            let moment = Value::Int(micros(before));
            let twice = [moment.clone(), moment.clone()];
            for table in ["judged_span", "left_open"] {
                let old = std::slice::from_ref(&moment);
                write.execute(&format!("DELETE FROM {table} WHERE until_us <= ?"), old)?;
                write.execute(&format!("UPDATE {table} SET since_us = ? WHERE since_us < ?"), &twice)?;
            }
            write.execute("UPDATE watched SET since_us = ? WHERE since_us < ?", &twice)?;
            // what nobody has looked at since is not watched any more
            write.execute(
                "DELETE FROM watched WHERE part NOT IN (SELECT part FROM judged_span) AND NOT EXISTS
                 (SELECT 1 FROM moment WHERE name = 'looked ' || watched.part AND at_us >= ?)",
                std::slice::from_ref(&moment),
            )?;
            write.execute(
                "INSERT INTO moment (name, at_us) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at_us = excluded.at_us
                 WHERE moment.at_us < excluded.at_us",
                &[Value::Text(PRUNED.into()), moment],
            )
        };
        self.store().write_many("forgetting what was read", forget).await?;
        self.prune_members(before).await?;
        Ok(holes)
    }

    /// Forgets the texts that no row refers to any more.
    ///
    /// # Errors
    /// Of the store.
    pub async fn prune_texts(&self) -> Result<(), Error> {
        let statements = [UNUSED_SQL, REWRITTEN_SQL].map(|sql| (sql.to_owned(), Vec::new()));
        self.store().write_all("forgetting old texts", statements.into()).await?;
        Ok(())
    }

    /// All accounts that events and sign-ins name, each name once.
    ///
    /// # Errors
    /// Of the store.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let sql = "SELECT DISTINCT actor, actor_name, NULL FROM event UNION SELECT DISTINCT user_id, user_name, login FROM login_event";
        let select =
            Select { doing: "reading who is remembered", sql: sql.into(), values: Vec::new(), dictionary: None };
        let rows = self.store().rows(select, |row| {
            // what belongs to nobody is not somebody
            let is_person = |id: &Uuid| !id.is_nil() && ![GUEST_ACCOUNT, SYSTEM_ACCOUNT].contains(id);
            let id = Uuid::parse_str(row.text(0)?).ok().filter(is_person);
            let (name, login) = (row.text(1)?.to_owned(), row.optional_text(2)?.map(str::to_owned));
            Ok(id.map(|id| Account { id, name, login }))
        });
        let accounts: Vec<Option<Account>> = rows.try_collect().await?;
        Ok(accounts.into_iter().flatten().collect())
    }
}

/// Takes the addresses and devices away from failed sign-ins with a login, which belong to no account: an e-mail address as it was typed
/// or, of those that failed after the password, the name. Databases know upper and lower case of ASCII alone, so other letters have to be
/// as they stand there.
pub fn without_place(login: &str) -> Statement {
    let sql = "UPDATE login_event SET ip = NULL, country = NULL, city = NULL, browser = NULL, platform = NULL WHERE lower(login) = ?";
    (sql.to_owned(), vec![Value::Text(login.to_ascii_lowercase().into())])
}

/// What makes somebody nameless in the archive, before and after other texts take the place of those that name them.
///
/// Their actions and sign-ins stay as those of `new`, called `name`, without the addresses and devices they came from; reading them again
/// does not change that. What was learned of their account goes.
pub fn making_nameless(id: Uuid, (new, name): (Uuid, &str)) -> [Vec<Statement>; 2] {
    let text = |text: String| Value::Text(text.into());
    let (hyphenated, name) = (text(id.hyphenated().to_string()), text(name.to_owned()));
    let of_account = "actor IN (SELECT id FROM phrase WHERE value = ?)";
    let before = vec![
        (
            format!(
                "INSERT INTO rewritten (event) SELECT id FROM audit_event
                 WHERE {of_account} OR target LIKE '%' || ? || '%' ON CONFLICT DO NOTHING"
            ),
            vec![Value::Text(person(id)), hyphenated.clone()],
        ),
        (
            "UPDATE login_event SET user_name = ?, login = NULL, ip = NULL, country = NULL, city = NULL, browser = NULL,
                 platform = NULL WHERE user_id = ?"
                .to_owned(),
            vec![name.clone(), Value::Text(person(id))],
        ),
        ("DELETE FROM fact WHERE name = ?".to_owned(), vec![hyphenated]),
    ];
    let after = vec![
        // a server keeps no index that would refuse a second one
        (
            "INSERT INTO phrase (value) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM phrase WHERE value = ?1)".to_owned(),
            vec![name.clone()],
        ),
        (
            format!(
                "UPDATE audit_event SET actor_name = (SELECT id FROM phrase WHERE value = ?), ip = NULL, details = NULL
                 WHERE {of_account}"
            ),
            vec![name, Value::Text(person(new))],
        ),
        (UNUSED_SQL.to_owned(), Vec::new()),
    ];
    [before, after]
}
