//! Runs of this program as processes of their own, as cron starts them.

use std::pin::pin;
use std::process::{Output, Stdio};

use anyhow::Context as _;
use audit_model::Sentence;
use job_runner::{Setup, ask_to_end};
use serde_json::Value;
use tokio::process::Command;
use uuid::Uuid;

use crate::config::Config;

/// Runs this program with these arguments before those that it was itself started with. Whoever stops this process stops that, too, which
/// tells what it has read.
pub(crate) async fn call(setup: &Setup<'_, Config>, before: &[&str], after: &[&str]) -> anyhow::Result<Output> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(before).args(crate::serve::place(setup)).args(after);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().context("cannot start a run")?;
    let process = child.id();
    let mut output = pin!(child.wait_with_output());
    tokio::select! {
        biased;
        output = &mut output => return output.context("cannot wait for a run"),
        () = setup.stopping().asked() => ask_to_end(process),
    }
    output.await.context("cannot wait for a run")
}

/// An ordinary run.
pub(crate) async fn run(setup: &Setup<'_, Config>) -> anyhow::Result<Output> {
    call(setup, &[], &["--format", "json", "--verbose", "--asked-by", "a drill"]).await
}

/// What a run says about an account, and how it ended, as a clause.
pub(crate) fn said(output: &Output, account: Uuid) -> Sentence {
    let code = output.status.code();
    let (code, code_de) = code.map_or_else(
        || ("no code".to_owned(), "ohne Code".to_owned()),
        |code| (format!("code {code}"), format!("mit Code {code}")),
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let of_account = |list: &str, of: &str| {
        let all = report[list].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one.pointer(of).and_then(Value::as_str) == Some(&account.to_string()))
    };
    let action = of_account("actions", "/person/id");
    let finding = of_account("findings", "/person/id");
    let why = |action: &Value| action["held"].as_object().map(|held| Value::from(held.clone()).to_string());
    let what: Sentence = match (finding, action) {
        (None, _) => ("found nothing of it", "hat nichts davon gefunden").into(),
        (Some(_), None) => {
            ("found it, and planned nobody", "hat es gefunden und niemanden zum Sperren vorgesehen").into()
        }
        (Some(_), Some(action)) => match why(&action) {
            Some(why) => Sentence::new(
                format!("found it, and suspended nobody ({why})"),
                format!("hat es gefunden und niemanden gesperrt ({why})"),
            ),
            None => ("found it", "hat es gefunden").into(),
        },
    };
    let log = String::from_utf8_lossy(&output.stderr);
    let warning =
        log.lines().rev().find(|line| line.contains("WARN") || line.contains("ERROR") || line.contains("rror:"));
    let (warning, warning_de) = warning
        .map(|line| (format!(", and said: {}", line.trim()), format!(" und meldete: „{}“", line.trim())))
        .unwrap_or_default();
    Sentence::new(
        format!("the last run {what}; it ended with {code}{warning}"),
        format!("der letzte Lauf {}; er endete {code_de}{warning_de}", what.german()),
    )
}
