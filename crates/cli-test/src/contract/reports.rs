//! `--report` in each form.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Program, SETTINGS};
use crate::Setting;
use crate::faults::world;

/// The four forms, each with the beginning of every file of that form.
const FORMS: [(&str, &str); 4] =
    [("whole.html", "<!doctype html>"), ("whole.txt", ""), ("whole.csv", "\"row\","), ("whole.json", "{")];

impl Program {
    /// [`reports`], on a portal on which the program finds somebody.
    pub async fn reports(&self) {
        let setting = self.setting(world()).await;
        let config = setting.state.path().join(SETTINGS).display().to_string();
        let people: Vec<String> = self.found.iter().map(|name| format!("{name} Test")).collect();
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        reports(&setting, &["--config", &config], &people).await;
    }
}

/// `--report` in each form: files that nobody else may read, replaced in one step, which tell exactly these people; and a sentence with
/// exit code 2 where a file cannot be written. `flags` are those of a run on a fresh state that finds them.
pub async fn reports(setting: &Setting, flags: &[&str], people: &[&str]) {
    each_form(setting, flags, people).await;
    an_ending_of_no_form(setting, flags).await;
    a_folder_that_is_missing(setting, flags).await;
}

async fn each_form(setting: &Setting, flags: &[&str], people: &[&str]) {
    let folder = setting.state.path().join("reports");
    fs::create_dir(&folder).unwrap();
    let before = Before::put(&folder);
    let mut arguments = [flags, &["--format", "json"]].concat();
    let paths = FORMS.map(|(name, _)| format!("reports/{name}"));
    paths.iter().for_each(|path| arguments.extend(["--report", path]));
    let ended = setting.run(&arguments).await;
    assert!([0, 3, 4].contains(&ended.exit), "exit {}: {}", ended.exit, ended.stderr);
    let read = |name: &str| setting.comparable(fs::read_to_string(folder.join(name)).unwrap());
    for (name, beginning) in FORMS {
        let text = read(name);
        assert!(text.to_lowercase().starts_with(beginning) && text.ends_with('\n'), "{name}: {text}");
        assert_eq!(mode(&folder.join(name)), 0o600, "{name} is for nobody else");
    }
    before.assert_replaced(&folder);
    assert_eq!(read("whole.json"), ended.stdout, "the same JSON as on stdout");
    tells_all(&read, people);
    // what is told already is no news, and stands in a whole report all the same
    let files = ["--report", &paths[0], "--report", &paths[1], "--report", &paths[2]];
    let again = setting.run(&[flags, &files].concat()).await;
    assert_eq!(again.exit, ended.exit, "{}", again.stderr);
    tells_all(&read, people);
}

fn tells_all(read: &impl Fn(&str) -> String, people: &[&str]) {
    let expected: BTreeSet<String> = people.iter().map(|&name| name.to_owned()).collect();
    let (table, page, text, data) = (read("whole.csv"), read("whole.html"), read("whole.txt"), read("whole.json"));
    assert_eq!(of_table(&table), expected, "{table}");
    assert_eq!(of_page(&page.replace("&#39;", "'")), expected, "{page}");
    let data: Value = serde_json::from_str(&data).unwrap();
    for name in people {
        assert!(text.contains(name), "{name} in {text}");
        assert!(data.to_string().contains(name), "{name} in {data}");
    }
}

/// The people of a CSV report; no name has a comma or a quotation mark in it.
fn of_table(table: &str) -> BTreeSet<String> {
    let mut rows = table.lines().map(|row| row.split("\",\"").map(|cell| cell.trim_matches('"')).collect::<Vec<_>>());
    let columns = rows.next().unwrap();
    let at = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (kind, person) = (at("row"), at("person"));
    rows.filter(|row| row[kind] == "person").map(|row| row[person].to_owned()).collect()
}

/// The people of a page: each is an article under a heading.
fn of_page(page: &str) -> BTreeSet<String> {
    let articles = page.split("<article class=\"person").skip(1);
    articles.map(|article| without_tags(article.split("<h3>").nth(1).unwrap().split("</h3>").next().unwrap())).collect()
}

fn without_tags(text: &str) -> String {
    text.split('<').map(|part| part.split_once('>').map_or(part, |(_, behind)| behind)).collect()
}

/// What stands in the place of the reports before a run.
struct Before {
    elsewhere: std::path::PathBuf,
}

impl Before {
    const OLD: &str = "the report of yesterday\n";

    /// A report of yesterday that somebody still reads and others may read, and a link to a file elsewhere.
    fn put(folder: &Path) -> Self {
        let elsewhere = folder.parent().unwrap().join("elsewhere");
        fs::write(&elsewhere, Self::OLD).unwrap();
        fs::write(folder.join("whole.txt"), Self::OLD).unwrap();
        fs::hard_link(folder.join("whole.txt"), folder.join("being-read")).unwrap();
        #[cfg(unix)]
        {
            let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            fs::set_permissions(folder.join("whole.txt"), readable).unwrap();
            std::os::unix::fs::symlink(&elsewhere, folder.join("whole.csv")).unwrap();
        }
        Before { elsewhere }
    }

    /// Whoever was reading goes on reading yesterday's, links were not followed, and nothing half-written is left.
    fn assert_replaced(&self, folder: &Path) {
        assert_eq!(fs::read_to_string(folder.join("being-read")).unwrap(), Self::OLD, "replaced, not overwritten");
        assert_eq!(fs::read_to_string(&self.elsewhere).unwrap(), Self::OLD, "no link is followed");
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let expected = FORMS.iter().map(|(name, _)| (*name).to_owned()).chain(["being-read".to_owned()]);
        assert_eq!(names.collect::<BTreeSet<String>>(), expected.collect());
    }
}

/// A mistake in the flags: nothing is asked, and nothing is written.
async fn an_ending_of_no_form(setting: &Setting, flags: &[&str]) {
    let asked = setting.sim.requests().len();
    for (name, remedy) in [
        ("page.pdf", "the name must end in .html, .txt, .csv or .json"),
        ("page", "the name must end in .html, .txt, .csv or .json"),
        ("page.xlsx", "use a name that ends in .csv"),
    ] {
        let ended = setting.run(&[flags, &["--report", "before.txt", "--report", name]].concat()).await;
        assert_eq!((ended.exit, ended.stdout.as_str()), (2, ""), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(name) && ended.stderr.contains(remedy), "{name}: {}", ended.stderr);
        assert!(["before.txt", name].iter().all(|name| !setting.state.path().join(name).exists()), "{name}");
    }
    assert_eq!(setting.sim.requests().len(), asked);
}

/// Found out at the end: the report is printed, and the other files are written.
async fn a_folder_that_is_missing(setting: &Setting, flags: &[&str]) {
    let files = ["--report", "missing/report.html", "--report", "there.csv", "--format", "json"];
    let ended = setting.run(&[flags, &files].concat()).await;
    assert_eq!(ended.exit, 2, "{}", ended.stderr);
    let told = ended.stderr.lines().find(|line| line.contains("cannot write the report missing/report.html"));
    assert!(told.is_some_and(|line| line.contains("check the folder and its rights")), "{}", ended.stderr);
    assert!(ended.json()["coverage"].is_object(), "{}", ended.stdout);
    assert!(setting.state.path().join("there.csv").exists() && !setting.state.path().join("missing").exists());
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> u32 {
    0o600
}
