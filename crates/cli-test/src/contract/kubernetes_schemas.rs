//! All manifests, held against the schemas that Kubernetes publishes of its API. Python's `kubernetes-validate` brings them along.

use std::path::{Path, PathBuf};
use std::process::Command;

use job_store::testing::not_tested;

/// Of its schemas.
const VERSION: &str = "1.31";

const JOB: &str = include_str!("../../../../bins/vdr-watch/deploy/vdr-watch-cronjob.yaml");

/// The manifests of all programs.
fn shipped() -> Vec<PathBuf> {
    let listed = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let programs = listed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bins"));
    let files = programs.flat_map(|program| listed(&program.join("deploy")));
    files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect()
}

#[test]
fn the_published_schemas_take_every_manifest() {
    let manifests = shipped();
    assert!(manifests.len() > 10, "{manifests:?}");
    let folder = tempfile::tempdir().unwrap();
    let wrong = [("backoffLimit", "backOffLimit"), ("backoffLimit: 0", "backoffLimit: none")];
    let wrong = wrong.map(|(before, after)| {
        assert!(JOB.contains(before));
        let path = folder.path().join(format!("{}.yaml", after.replace(": ", "-")));
        std::fs::write(&path, JOB.replacen(before, after, 1)).unwrap();
        path
    });
    // an unknown member is as wrong as a value of another kind
    let check = ["-m", "kubernetes_validate", "--strict", "--quiet", "-k", VERSION];
    let said = ["python3", "/usr/bin/python3"].iter().find_map(|python| {
        let checked = Command::new(python).args(check).args(&manifests).args(&wrong).output().ok()?;
        let said = [checked.stdout, checked.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        (!said.contains("No module named kubernetes_validate")).then_some(said)
    });
    let Some(said) = said else {
        return not_tested("published schemas of Kubernetes", "python's kubernetes-validate is not installed");
    };
    let refused: Vec<&str> = said.lines().filter(|line| line.contains("did not validate")).collect();
    let is_named = |path: &PathBuf| refused.iter().any(|line| line.contains(&path.display().to_string()));
    assert!(refused.len() == wrong.len() && wrong.iter().all(is_named), "{said}");
    assert_eq!(said.lines().count(), refused.len(), "{said}");
}
