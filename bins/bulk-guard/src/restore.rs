//! `restore-list PERSON|INCIDENT --out FILE`: every document that somebody changed, what it was before, where it is now, and who can put it
//! back. It only reads: this program never restores or deletes a document.
//!
//! [`affected`] (what the stored events tell) → [`now`] (what only the portal tells, in as few questions as possible) → [`mod@table`] (the
//! rows).

mod affected;
mod now;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ::report::words::{self, plural};
use alerting::Outbox;
use anyhow::Context;
use audit_model::{Finding, GUEST_ACCOUNT, PortalText, Window};
use docspace_client::Client;
use job_runner::config::Settings;
use job_runner::exit::Exit;
use job_runner::{Error, Setup};
use job_store::files::{PRIVATE, replace};
use uuid::Uuid;

use crate::config::Config;
use crate::explain::find;
use crate::restore::affected::{Affected, Fate};
use crate::restore::now::Now;
use crate::restore::table::{List, table};

/// Whose changes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// `None`: of everybody in the room.
    pub(crate) person: Option<Uuid>,
    /// Of this room alone, by its title of then.
    pub(crate) room: Option<PortalText>,
    pub(crate) window: Window,
}

pub(crate) async fn run(subject: &str, out: &[PathBuf], setup: &Setup<'_, Config>) -> anyhow::Result<Exit> {
    if let Some(wrong) = out.iter().find(|path| form_of(path).is_none()) {
        let message = format!("`{}` must end in .csv or .json", wrong.display());
        return Err(Error::setting("--out", message).into());
    }
    let length = setup.config.reach(setup.about.window);
    let (job, _) = setup.rehearsal(length, "which documents were changed").await?;
    let store = job.store.clone()?;
    let told = Outbox::open(store).await?.told_of(subject.trim()).await?;
    let subject = match told {
        Some(finding) => of_finding(&finding)?,
        None => of_person(&setup.revealed(subject).await?, &job.client, job.window).await?,
    };
    // what has become of the documents since counts, up to this moment
    let until_now = Window::new(subject.window.since, job.now.max(subject.window.until));
    job.archive.refresh_audit(&job.client.with_details(), until_now, job.now).await?;
    let unread = job.archive.unread_audit(until_now).await?;
    let affected = Affected::of(&subject, &job.archive, job.now).await?;
    let now = Now::ask(&job.client, &affected).await;
    let mut open: Vec<String> = unread.iter().map(|gap| format!("not remembered: {}", span(*gap))).collect();
    open.extend(now.open.iter().cloned());
    open.extend(unnamed(&affected, &now));
    open.extend(out_of_sight(&affected));
    let list = List {
        schema: "bulk-guard-restore/1",
        portal: job.portal_url.to_string(),
        made_at: words::utc(job.now),
        since: words::utc(subject.window.since),
        until: words::utc(subject.window.until),
        documents: table(&affected, &now, &setup.naming()?),
        not_seen: open,
    };
    for path in out {
        let bytes = if form_of(path) == Some(Form::Json) { list.json()? } else { list.csv() };
        replace(path, bytes.as_bytes(), PRIVATE).with_context(|| format!("cannot write {}", path.display()))?;
    }
    setup.print(&summary(&list, &affected, subject.window, out)?)?;
    Ok(if list.not_seen.is_empty() { Exit::Concluded } else { Exit::Incomplete })
}

/// What a file holds, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Json,
}

fn form_of(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "csv" => Some(Form::Csv),
        "json" => Some(Form::Json),
        _ => None,
    }
}

/// Of many people the portal's rows do not say who belongs to the incident, so each of them is asked for by name.
fn of_finding(finding: &Finding) -> Result<Subject, Error> {
    let room = finding.room.as_ref().map(|room| room.title.clone());
    let window = finding.window;
    match finding.person.id {
        id if !id.is_nil() => {
            // what a person did, they did in any room; people behind links have one account for all rooms
            let room = room.filter(|_| id == GUEST_ACCOUNT);
            Ok(Subject { person: Some(id), room, window })
        }
        _ if room.is_some() => Ok(Subject { person: None, room, window }),
        _ => Err(Error::setting(
            "PERSON|INCIDENT",
            "this incident is of several people in several rooms; run the command for each of them, with --since and --until",
        )),
    }
}

async fn of_person(name: &str, client: &Client, window: Window) -> anyhow::Result<Subject> {
    let id = match name.parse() {
        Ok(id) => id,
        Err(_) => find(name, &client.people().await?)?.person.id,
    };
    Ok(Subject { person: Some(id), room: None, window })
}

fn span(window: Window) -> String {
    format!("{} to {}", words::utc(window.since), words::utc(window.until))
}

/// Folders of which nobody can tell what was in them.
fn unnamed(affected: &[Affected], now: &Now) -> Option<String> {
    let is_hidden = |one: &&Affected| one.is_folder && one.fate != Fate::There && !now.inside.contains_key(&one.id);
    let folders = affected.iter().filter(is_hidden).count() as u64;
    (folders > 0).then(|| {
        format!(
            "the documents that were inside {} are not named, because the audit trail tells only of the folder",
            plural(folders, "folder")
        )
    })
}

/// Documents in a trash, which its owner alone can open.
fn out_of_sight(affected: &[Affected]) -> Option<String> {
    let is_in_trash = |one: &&Affected| !one.is_folder && matches!(one.fate, Fate::Trash(..));
    let documents = affected.iter().filter(is_in_trash).count() as u64;
    (documents > 0).then(|| {
        let which = if documents == 1 { "is" } else { "are" };
        format!(
            "the versions of {} that {which} in somebody's trash are not known, because only that person can open it",
            plural(documents, "document")
        )
    })
}

fn summary(list: &List, affected: &[Affected], window: Window, out: &[PathBuf]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let folders = affected.iter().filter(|one| one.is_folder).count() as u64;
    let documents = plural(list.documents.len() as u64 - folders, "document");
    let what = if folders > 0 { format!("{documents} and {}", plural(folders, "folder")) } else { documents };
    writeln!(text, "Changed, {}: {what}.", span(window))?;
    for open in &list.not_seen {
        writeln!(text, "Incomplete: {open}.")?;
    }
    for path in out {
        writeln!(text, "Written to {}.", path.display())?;
    }
    writeln!(text, "Nothing was changed in the portal.")?;
    Ok(text)
}
