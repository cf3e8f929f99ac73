//! Pages in a browser: readable for everybody (axe-core), in light and dark, on narrow screens and on paper; nothing is fetched, and
//! nothing runs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;

/// Where npm has put axe-core and playwright-core: `$PAGE_TOOLS`, else a folder of the user's.
fn tools() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/page-tools");
    std::env::var_os("PAGE_TOOLS").map_or_else(home, PathBuf::from)
}

/// Says what is missing, and fails where nothing may be.
fn not_tested(what: &str, remedy: &str) {
    // past what keeps the output of tests that pass from being seen
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {what} ({remedy})");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what} is missing");
}

fn browser() -> Option<PathBuf> {
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    names.into_iter().map(PathBuf::from).find(|path| path.exists())
}

#[test]
fn every_page_is_one_that_everybody_can_read() {
    let Some(browser) = browser() else {
        return not_tested("chromium", "Debian package chromium");
    };
    let tools = tools();
    let has = |package: &str| tools.join("node_modules").join(package).is_dir();
    if !has("axe-core") || !has("playwright-core") || Command::new("node").arg("--version").output().is_err() {
        return not_tested("axe-core", "node, and the npm packages axe-core and playwright-core in $PAGE_TOOLS");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    let pages = common::all().map(|(name, document)| {
        let path = folder.join(format!("{name}.html"));
        std::fs::write(&path, document.html()).unwrap();
        path
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/document/pages/check.mjs");
    let run = Command::new("node").arg(script).arg(tools).arg(browser).args(&pages).output().unwrap();
    let (said, log) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!((said.trim(), run.status.success()), ("looked at 4", true), "{log}");
}
