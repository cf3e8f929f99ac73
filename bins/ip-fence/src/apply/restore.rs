//! The file that restores the list by hand. It stands there before the first write.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use docspace_client::AddressList;
use job_runner::{Desk, Setup};
use job_store::files;
use serde_json::json;
use url::Url;

use super::entry::Entry;
use crate::config::Config;

/// Writes the file beside the store; beside the plan where the store is on a server.
pub(super) fn restoring(
    entry: &Entry,
    setup: &Setup<'_, Config>,
    (desk, plan): (&Desk, &Path),
) -> anyhow::Result<PathBuf> {
    let is_folder = |path: &Path| path.parent().is_some_and(Path::is_dir);
    let place = [desk.store.path(), plan].into_iter().find(|path| is_folder(path)).unwrap_or(Path::new("."));
    let path = beside(place, &entry.id);
    let text = script(&setup.portal_url()?, &entry.intent.plan, &entry.intent.before)?;
    files::replace(&path, text.as_bytes(), files::PRIVATE)
        .with_context(|| format!("{} cannot be written, so nothing is written to the portal", path.display()))?;
    Ok(path)
}

/// The file of an application beside the store.
pub(super) fn beside(store: &Path, id: &str) -> PathBuf {
    store.with_file_name(format!("restore-{id}.sh"))
}

/// Neither the key nor the list is an argument: the first would show in the list of processes, and the second may be longer than one can be.
fn script(url: &Url, plan: &str, before: &AddressList) -> serde_json::Result<String> {
    let body = serde_json::to_string(&json!({ "ipRestrictions": before.entries, "enable": before.enabled }))?;
    let base = url.as_str().trim_end_matches('/').replace('\'', "%27");
    Ok(format!(
        "#!/bin/sh\n# Writes the address list of {base} as it was before plan {plan}, whatever others have changed since.\n\
         # Run it as: DOCSPACE_API_KEY=... sh FILE, with a key of the portal's owner, whom no list stops.\n\
         : \"${{DOCSPACE_API_KEY:?set it to a key of the owner of the portal}}\"\n\
         printf 'Authorization: Bearer %s\\n' \"$DOCSPACE_API_KEY\" |\n  \
         curl --fail --show-error -X PUT '{base}/api/2.0/settings/iprestrictions' \\\n  \
         -H @- -H 'Content-Type: application/json' --data-binary @/dev/fd/3 3<<'LIST'\n{body}\nLIST\n"
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use docspace_client::ListEntry;

    use super::*;

    /// As a shell runs it, with what `curl` is given written down.
    #[tokio::test]
    async fn the_longest_list_is_handed_over_and_the_key_is_no_argument() {
        let entry = |number: u32| ListEntry {
            ip: std::net::Ipv4Addr::from(0xC000_0200 + number).to_string().as_str().into(),
            for_admin: false,
        };
        let odd = ListEntry { ip: "it's $HOME `id`".into(), for_admin: true };
        let entries: Vec<ListEntry> = std::iter::once(odd).chain((0..10_000).map(entry)).collect();
        let before = AddressList { entries, enabled: true };
        let folder = tempfile::TempDir::new().unwrap();
        let curl = folder.path().join("curl");
        std::fs::write(&curl, "#!/bin/sh\necho \"$@\" >arguments\ncat >header\ncat <&3 >body\n").unwrap();
        std::fs::set_permissions(&curl, PermissionsExt::from_mode(0o700)).unwrap();
        let text = script(&"https://docs.example.com/".parse().unwrap(), "7fk2-9qwd", &before).unwrap();
        std::fs::write(folder.path().join("restore.sh"), text).unwrap();
        let run = async |key: Option<&str>| {
            let mut command = cli_test::command(Path::new("/bin/sh"), folder.path());
            command.arg("restore.sh").env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
            command.envs(key.map(|key| ("DOCSPACE_API_KEY", key))).output().await.unwrap()
        };
        let without = run(None).await;
        assert!(!without.status.success() && !folder.path().join("body").exists(), "{without:?}");
        let ended = run(Some("sk-secret")).await;
        assert!(ended.status.success(), "{ended:?}");
        let written = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(written("header"), "Authorization: Bearer sk-secret\n");
        assert!(written("arguments").contains("https://docs.example.com/api/2.0/settings/iprestrictions"));
        assert!(!written("arguments").contains("secret"), "{}", written("arguments"));
        let body: serde_json::Value = serde_json::from_str(&written("body")).unwrap();
        assert_eq!(body, json!({ "ipRestrictions": before.entries, "enable": true }));
    }
}
