//! The upload of a report: which files go, in which order, and what became of each.

use std::collections::BTreeMap;
use std::path::Path;

use docspace_client::EntryId;
use job_runner::Job;
use job_store::{Journal, JournalEntry, JournalState, Store};
use safe_actions::{ActionState, Actions, Intent};
use serde::Serialize;
use tracing::warn;

use crate::config::Collision;
use crate::manifest::{FILE_NAME, FileEntry};
use crate::sending::{Payload, Sending};
use crate::target::Target;

const KIND: &str = "upload";

/// What became of one file, as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Action {
    pub(crate) kind: &'static str,
    pub(crate) file: String,
    /// As it stands in the portal.
    pub(crate) title: String,
    pub(crate) state: ActionState,
    pub(crate) reason: String,
    /// Id of the file in the portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<EntryId>,
}

/// A file that is to be uploaded.
pub(crate) struct Upload<'a> {
    pub(crate) entry: &'a FileEntry,
    pub(crate) title: String,
}

/// The files of a report in the order in which they are uploaded: the manifest last. The page is left out, because the portal would
/// convert it.
pub(crate) fn uploads<'a>(files: &'a [FileEntry], manifest: &'a FileEntry, label: &str) -> Vec<Upload<'a>> {
    let data = files.iter().filter(|file| !file.name.ends_with(".html"));
    let mut all: Vec<Upload<'a>> = data.map(|entry| Upload { entry, title: entry.name.clone() }).collect();
    all.push(Upload { entry: manifest, title: format!("compliance-report-{label}-{FILE_NAME}") });
    all
}

impl Upload<'_> {
    pub(crate) fn action(&self, state: ActionState, reason: impl Into<String>) -> Action {
        Action {
            kind: KIND,
            file: self.entry.name.clone(),
            title: self.title.clone(),
            state,
            reason: reason.into(),
            id: None,
        }
    }

    /// The same bytes under the same title in the same folder are one upload, however often it is asked for.
    fn intent(&self, target: &Target) -> Result<Intent, serde_json::Error> {
        let payload = Payload::new(&target.folder, &self.title, self.entry);
        Ok(Intent {
            key: format!("{KIND} {} {} {}", target.folder, self.title, self.entry.sha256),
            kind: KIND.to_owned(),
            subject: self.title.clone(),
            payload: serde_json::to_value(payload)?,
        })
    }
}

/// Uploads the files of a report into one folder, each once.
pub(crate) struct Uploader<'a> {
    actions: Actions,
    sending: Sending<'a>,
    target: &'a Target,
    /// What earlier runs have uploaded, by key.
    done: BTreeMap<String, JournalEntry>,
}

impl<'a> Uploader<'a> {
    /// Settles what earlier runs left open. `local` is the folder of the report.
    ///
    /// # Errors
    /// Of the store, and of the portal when it does not say how much it takes at once.
    pub(crate) async fn new(
        job: &'a Job,
        store: &Store,
        target: &'a Target,
        local: &'a Path,
        policy: Collision,
    ) -> anyhow::Result<Self> {
        let journal = Journal::open(store.clone()).await?;
        let actions = Actions::open(store.clone(), job.now).await?;
        let (me, open) = (job.portal.me.person.id, journal.open_of_kind(KIND).await?);
        let sending = Sending::new(&job.client, me, local, policy, &open).await?;
        actions.settle(KIND, &sending).await?;
        let all = journal.of_kind(KIND).await?.into_iter();
        let done = all.filter(|entry| entry.state == JournalState::Done).map(|entry| (entry.key.clone(), entry));
        Ok(Uploader { actions, sending, target, done: done.collect() })
    }

    /// Uploads a file unless that was done before. What the portal refuses is told in the action.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) async fn apply(&self, upload: &Upload<'_>) -> anyhow::Result<Action> {
        let intent = upload.intent(self.target)?;
        if let Some(entry) = self.done.get(&intent.key) {
            match self.sending.is_still_there(entry).await {
                Ok(Some(id)) => {
                    let reason = "uploaded by an earlier run";
                    return Ok(Action { id: Some(id), ..upload.action(ActionState::Already, reason) });
                }
                Ok(None) => {
                    warn!(file = upload.entry.name, "it was uploaded by an earlier run and deleted there since")
                }
                Err(why) => return Ok(upload.action(ActionState::Failed, why)),
            }
        }
        let outcome = self.actions.apply(intent, &self.sending).await?;
        let found = self.sending.found(&outcome.intent);
        let id = found.as_ref().map(|file| file.id.clone());
        Ok(match outcome.state {
            ActionState::Done => {
                let numbered = found
                    .as_ref()
                    .filter(|file| file.title.raw() != upload.title)
                    .map(|file| format!(", as \"{}\" because the title was taken", file.title.for_terminal()));
                let version = found.as_ref().filter(|file| file.version > 1);
                let version = version.map(|file| format!(", as version {}", file.version));
                let reason = ["read back and compared".to_owned()].into_iter().chain(numbered).chain(version);
                Action { id, ..upload.action(ActionState::Done, reason.collect::<String>()) }
            }
            ActionState::Already => {
                Action { id, ..upload.action(ActionState::Already, "the same file of ours is there") }
            }
            // a report tells an upload that may yet appear as one that is not there
            _ => upload.action(ActionState::Failed, outcome.reason.unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_here_and_the_manifest_goes_last() {
        let entry = |name: &str| FileEntry { name: name.to_owned(), sha256: String::new(), bytes: 1, rows: None };
        let files = [
            entry("compliance-report-2026-06-events.csv"),
            entry("compliance-report-2026-06.html"),
            entry("compliance-report-2026-06.txt"),
        ];
        let manifest = entry(FILE_NAME);
        let titles: Vec<String> =
            uploads(&files, &manifest, "2026-06").into_iter().map(|upload| upload.title).collect();
        let expected = [
            "compliance-report-2026-06-events.csv",
            "compliance-report-2026-06.txt",
            "compliance-report-2026-06-manifest.json",
        ];
        assert_eq!(titles, expected);
    }
}
