//! The pages that people read on the forge: links lead somewhere, the summary of `docs/` is whole, and recipes exist.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::fs;
use std::path::{Path, PathBuf};

/// The workflow and the recipe of a release, of which the page on releasing tells already.
const NOT_YET: [&str; 2] = ["../.github/workflows/release.yml", "package"];

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

/// All pages at the top, in `docs/`, and of each package.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let packages = ["bins", "crates"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let packages = packages.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    [root.clone(), root.join("docs")].into_iter().chain(packages).flat_map(|folder| markdown_in(&folder)).collect()
}

/// Lines that are not in a block of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What the links of a page point to, pictures included.
fn targets(text: &str) -> Vec<String> {
    let links = prose(text).flat_map(|line| line.split("](").skip(1));
    links.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The anchors of a page's headings, as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    headings.map(|line| line.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in
            targets(&text).into_iter().filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        {
            let (file, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let has_anchor =
                |anchor: &str| anchors(&fs::read_to_string(&path).unwrap()).iter().any(|one| one == anchor);
            if NOT_YET.contains(&file) {
                continue;
            }
            if !path.exists() || !anchor.is_none_or(has_anchor) {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_summary_lists_every_page() {
    let docs = root().join("docs");
    let listed = targets(&fs::read_to_string(docs.join("SUMMARY.md")).unwrap());
    let pages = markdown_in(&docs).into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    let missing: Vec<String> = pages.filter(|name| name != "SUMMARY.md" && !listed.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn recipes_that_are_named_exist() {
    let justfile = fs::read_to_string(root().join("justfile")).unwrap();
    let is_recipe = |name: &str| justfile.lines().any(|line| line.split([':', ' ']).next() == Some(name));
    let texts: Vec<String> = pages().iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let named = texts.iter().flat_map(|text| text.split("`just ").skip(1));
    let named: Vec<&str> = named.filter_map(|rest| rest.split(['`', ' ']).next()).collect();
    let wrong: Vec<&&str> = named.iter().filter(|name| !is_recipe(name) && !NOT_YET.contains(name)).collect();
    assert!(wrong.is_empty() && !named.is_empty(), "{wrong:?} of {named:?}");
}

/// `cargo … -p PACKAGE --test TARGET`: both exist.
#[test]
fn packages_and_tests_that_cargo_is_told_exist() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for command in text.split("cargo ").skip(1) {
            let line = command.split(['`', '\n']).next().unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let behind = |flag: &str| Some(*words.get(words.iter().position(|word| *word == flag)? + 1)?);
            let Some(package) = behind("-p").filter(|name| !name.starts_with(|c: char| c.is_uppercase() || c == '$'))
            else {
                continue;
            };
            found += 1;
            let folder = ["bins", "crates"]
                .map(|parent| root().join(parent).join(package))
                .into_iter()
                .find(|path| path.is_dir());
            let is_test = |folder: &Path, name: &str| {
                [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")]
                    .iter()
                    .any(|path| folder.join(path).is_file())
                    || fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains(&format!("name = \"{name}\""))
            };
            if !folder.is_some_and(|folder| behind("--test").is_none_or(|name| is_test(&folder, name))) {
                wrong.push(format!("{}: cargo {line}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty() && found > 10, "{wrong:#?} of {found}");
}
