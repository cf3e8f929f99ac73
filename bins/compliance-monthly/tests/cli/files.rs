//! The files of a report as evidence: the same bytes again, nothing half, and no changed byte unnoticed.

use std::collections::BTreeMap;
use std::path::Path;

use cli_test::Run;
use portal_sim::{Event, Fault};

use crate::common::{Setting, names_in};
use crate::portal::{at, june};

#[tokio::test]
async fn the_same_archive_gives_the_same_bytes() {
    let setting = Setting::new(june()).await;
    // when all of it has been read once more, nothing is to come
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::days(20));
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    let first = setting.bytes();
    assert_eq!(first.len(), 8);
    let dates = |setting: &Setting| -> BTreeMap<String, std::time::SystemTime> {
        let date = |name: &String| std::fs::metadata(setting.out().join(name)).unwrap().modified().unwrap();
        names_in(&setting.out()).iter().map(|name| (name.clone(), date(name))).collect()
    };
    let written = dates(&setting);
    let folder_date = || std::fs::metadata(setting.out()).unwrap().modified().unwrap();
    let made = folder_date();
    // three months later, with names that have changed meanwhile: of somebody, of a busy room and of a quiet one
    setting.sim.edit(|portal| {
        portal.now += chrono::TimeDelta::days(90);
        portal.people[1].first_name = "Hanna".to_owned();
        let now = portal.now;
        portal.rename_room(71, "Eagle", now);
        portal.rename_room(72, "Loud", now);
    });
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.bytes(), first);
    assert_eq!(dates(&setting), written, "what has not changed is not written again");
    assert_eq!(folder_date(), made, "nor is it written beside it, to be compared");
    // what somebody has changed meanwhile is written again
    std::fs::write(setting.out().join("compliance-report-2026-06-events.ndjson"), "less").unwrap();
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.bytes(), first);
    std::fs::remove_dir_all(setting.out()).unwrap();
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.bytes(), first);
    // a portal that was restored from a backup gives an id a second time
    setting.sim.edit(|portal| {
        let last = portal.events.iter_mut().find(|event| event.target == ["9003"]).unwrap();
        last.target = vec!["9999".to_owned()];
    });
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert!(setting.written("-events.csv").contains("\"9999\""), "{}", setting.written("-events.csv"));
}

#[tokio::test]
async fn a_late_row_makes_another_report() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        portal.add_event(Event::new(5009, olga, at("2026-06-30T20:30:00Z")).file(1, "late.docx"));
    });
    let ended = setting.month("2026-06", &["--format", "json"]).await;
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["coverage"]["audit"]["late_rows"], 1);
    assert!(setting.written("2026-06.txt").contains("Total events: 22"));
}

/// A worse view never replaces a better one.
#[tokio::test]
async fn a_complete_report_is_not_replaced_by_a_blind_one() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let complete = setting.bytes();
    setting.sim.edit(|portal| portal.audit = false);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 1);
    assert!(ended.stdout.contains("was kept: this run saw less"), "{}", ended.stdout);
    assert_eq!(setting.bytes(), complete);
}

/// What was recorded does not get fewer: of two reports that call themselves complete the one that counts more stays, also when the
/// store is a new one.
#[tokio::test]
async fn a_complete_report_is_not_replaced_by_one_that_counts_less() {
    let setting = Setting::new(june()).await;
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    let complete = setting.bytes();
    setting.sim.edit(|portal| {
        portal.events.remove(portal.events.len() / 2);
    });
    std::fs::remove_dir_all(setting.home().join("state")).unwrap();
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    assert!(ended.stdout.contains("was kept, because it counts more events and logins"), "{}", ended.stdout);
    assert_eq!(setting.bytes(), complete);
    std::fs::rename(setting.out(), setting.home().join("old")).unwrap();
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
}

#[tokio::test]
async fn two_months_do_not_share_a_folder() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let june = setting.bytes();
    let ended = setting.month("2026-05", &[]).await;
    assert_eq!(ended.exit, 2, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("holds the report of 2026-06") && ended.stderr.contains("{month}"),
        "{}",
        ended.stderr
    );
    assert_eq!(setting.bytes(), june);
}

#[cfg(unix)]
#[tokio::test]
async fn only_this_user_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    for name in names_in(&setting.out()) {
        let mode = std::fs::metadata(setting.out().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// `verify` needs nothing but the folder.
async fn verify(setting: &Setting) -> Run {
    verify_with(setting, &[]).await
}

async fn verify_with(setting: &Setting, extra: &[&str]) -> Run {
    let out = setting.out().display().to_string();
    let mut command = cli_test::command(Path::new(env!("CARGO_BIN_EXE_compliance-monthly")), setting.home());
    command.args(["verify", &out]).args(extra);
    cli_test::run(command).await
}

/// Nobody is named in any file, the manifest says so, and what was written is proven as ever; the next run writes the same.
#[tokio::test]
async fn with_pseudonyms_the_files_name_nobody_and_say_so() {
    let setting = Setting::new(june()).await;
    setting.sim.edit(|portal| portal.now += chrono::TimeDelta::days(20));
    setting.file("names-key", "0123456789abcdef0123456789abcdef");
    let text = "names = \"pseudonym\"\nnames_key_file = \"names-key\"\nonly.people = [\"anna@example.com\", \"bob@example.com\"]";
    let config = setting.config(text);
    let run = async || setting.month("2026-06", &["--config", &config]).await;
    let first = run().await;
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""), "{}", first.stdout);
    let written = setting.files();
    let names = cli_test::contract::names_of(&setting, |_| true);
    for name in names.iter().flatten().filter(|name| name.trim().len() > 3) {
        let naming = written.iter().filter(|(_, text)| text.contains(name.as_str())).map(|(file, _)| file);
        assert_eq!(naming.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
    assert!(setting.written("2026-06.txt").contains("\nUser: person-"), "{}", setting.written("2026-06.txt"));
    let manifest = |setting: &Setting| -> serde_json::Value {
        let text = setting.written("manifest.json");
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/compliance-manifest-1.schema.json");
        cli_test::assert_keeps(&schema, &text);
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(manifest(&setting)["names"], "pseudonym");
    assert_eq!(verify(&setting).await.exit, 0);
    let bytes = setting.bytes();
    assert_eq!((run().await.exit, setting.bytes() == bytes), (0, true), "the same folder, the same report");
    // whom a report with pseudonyms is restricted to cannot be read from it
    setting.config(&text.replace("pseudonym", "clear"));
    let refused = run().await;
    assert!(refused.exit == 2 && refused.stderr.contains("restricted otherwise"), "{}", refused.stderr);
    std::fs::remove_dir_all(setting.out()).unwrap();
    assert_eq!(run().await.exit, 0);
    assert!(setting.written("2026-06.txt").contains("\nUser: Anna Schmidt ("));
    assert!(manifest(&setting)["names"].is_null());
    // the other way round both are known
    setting.config(text);
    assert_eq!(run().await.exit, 0);
    assert_eq!((setting.bytes() == bytes, verify(&setting).await.exit), (true, 0));
}

#[tokio::test]
async fn a_changed_byte_in_any_file_is_named() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let whole = verify(&setting).await;
    assert_eq!((whole.exit, whole.stderr.as_str()), (0, ""), "{}", whole.stdout);
    for said in
        [": June 2026, http://", ": complete, 21 events, 12 logins; 7 files, none changed; digest ", "; unsigned\n"]
    {
        assert!(whole.stdout.contains(said), "{said}: {}", whole.stdout);
    }
    for (name, bytes) in setting.bytes() {
        let path = setting.out().join(&name);
        // the first, the last, and some in between
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            let ended = verify(&setting).await;
            assert_eq!(ended.exit, 1, "{name} at {at}");
            assert!(
                ended.stdout.contains(&name) || ended.stderr.contains(&name),
                "{name} at {at}: {}{}",
                ended.stdout,
                ended.stderr
            );
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(verify(&setting).await.exit, 1, "{name} cut");
        std::fs::remove_file(&path).unwrap();
        let ended = verify(&setting).await;
        assert_eq!(ended.exit, 1, "{name} gone");
        assert!(
            ended.stdout.contains(&name) || ended.stderr.contains(&name),
            "{name}: {}{}",
            ended.stdout,
            ended.stderr
        );
        std::fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(verify(&setting).await.exit, 0);
}

/// Auditors keep reports for years.
#[tokio::test]
async fn a_report_that_an_older_version_wrote_is_still_verified() {
    let setting = Setting::new(june()).await;
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/written-by-1.0.0");
    let ended = setting.run(&["verify", &old.display().to_string()]).await;
    assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    assert!(ended.stdout.contains("; 7 files, none changed; digest "), "{}", ended.stdout);
}

/// A file that was written half, as a crash leaves it, is neither taken for a report nor in the way of the next run.
#[tokio::test]
async fn a_crash_leaves_no_half_report() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let whole = setting.bytes();
    std::fs::remove_file(setting.out().join("manifest.json")).unwrap();
    std::fs::write(setting.out().join("compliance-report-2026-06.txt"), "half").unwrap();
    std::fs::write(setting.out().join(".compliance-report-2026-06.html.a1b2c3.part"), "half").unwrap();
    let ended = verify(&setting).await;
    assert_eq!(ended.exit, 1);
    assert!(
        ended.stderr.contains("a folder without it is no report, or one that was not finished"),
        "{}",
        ended.stderr
    );
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.bytes(), whole, "nothing is left of it");
}

/// A mistake in the folder is found before anything is read, and a disk that is full does not keep the first page from being printed.
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said() {
    let setting = Setting::new(june()).await;
    std::fs::write(setting.out(), "a file").unwrap();
    let refused = setting.month("2026-06", &[]).await;
    assert_eq!(refused.exit, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("`out`: names /home/report, which cannot be made"), "{}", refused.stderr);
    std::fs::remove_file(setting.out()).unwrap();
    // where a file should go is a folder
    std::fs::create_dir_all(setting.out().join("compliance-report-2026-06.txt")).unwrap();
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("Total events: 21")
            && ended.stdout.contains("could not be written: cannot write the report into"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("\nNot seen: files of the report, "), "{}", ended.stdout);
    assert!(ended.stderr.contains("cannot give compliance-report-2026-06.txt its name"), "{}", ended.stderr);
    assert!(!setting.out().join("manifest.json").exists());
}

/// What fails at the end leaves every file of the report of before as it was.
#[tokio::test]
async fn what_fails_at_the_end_keeps_the_files_of_before() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let whole = setting.bytes();
    setting.sim.edit(|portal| {
        let olga = portal.owner().id;
        portal.add_event(Event::new(5009, olga, at("2026-06-30T20:30:00Z")).file(1, "late.docx"));
    });
    // a manifest that cannot be replaced
    let manifest = setting.out().join("manifest.json");
    std::fs::remove_file(&manifest).unwrap();
    std::fs::create_dir(&manifest).unwrap();
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 4, "{}", ended.stdout);
    std::fs::remove_dir(&manifest).unwrap();
    std::fs::write(&manifest, &whole["manifest.json"]).unwrap();
    assert_eq!(setting.bytes(), whole, "and nothing else is left");
    let checked = verify(&setting).await;
    assert_eq!(checked.exit, 0, "{}{}", checked.stdout, checked.stderr);
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(setting.bytes().len(), whole.len());
    assert!(setting.written("2026-06.txt").contains("Total events: 22"));
}

/// Somebody who may write into the folder cannot have the report written elsewhere, or keep a link in its place.
#[cfg(unix)]
#[tokio::test]
async fn no_link_is_followed_and_none_stays() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let folder = std::fs::metadata(setting.out()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let whole = setting.bytes();
    let victim = setting.home().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    for name in [".manifest.json.part", ".compliance-report-2026-06.txt.part"] {
        symlink(&victim, setting.out().join(name)).unwrap();
    }
    // the same bytes, kept where they can be exchanged
    for name in ["manifest.json", "compliance-report-2026-06.txt"] {
        std::fs::rename(setting.out().join(name), setting.home().join(name)).unwrap();
        symlink(setting.home().join(name), setting.out().join(name)).unwrap();
    }
    let ended = verify(&setting).await;
    assert_eq!((ended.exit, ended.stderr.contains("it is a link")), (1, true), "{}", ended.stderr);
    assert_eq!(setting.month("2026-06", &[]).await.exit, 0);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    for name in whole.keys() {
        assert!(!std::fs::symlink_metadata(setting.out().join(name)).unwrap().is_symlink(), "{name}");
    }
    assert_eq!(verify(&setting).await.exit, 0);
}

/// A report of part of the events, of other clocks or of another portal does not take the place of one of all of them.
#[tokio::test]
async fn a_report_is_not_replaced_by_one_of_something_else() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let all = setting.bytes();
    for (content, why) in [
        ("[only]\nactions = [\"download\"]", "that is restricted otherwise"),
        ("time_zone = \"America/New_York\"", "of other clocks"),
    ] {
        let config = setting.config(content);
        let refused = setting.month("2026-06", &["--config", &config]).await;
        assert_eq!(refused.exit, 2, "{content}: {}", refused.stdout);
        assert!(refused.stderr.contains(why), "{content}: {}", refused.stderr);
        assert_eq!(setting.bytes(), all, "{content}");
    }
    let other = Setting::new(june()).await;
    let out = setting.out().display().to_string();
    let refused = other.run(&["--month", "2026-06", "--out", &out]).await;
    assert_eq!(refused.exit, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("of another portal"), "{}", refused.stderr);
    assert_eq!(setting.bytes(), all);
}

/// Part of a month is more than nothing of it.
#[tokio::test]
async fn a_report_of_a_part_is_not_replaced_by_a_blind_one() {
    let setting = Setting::new(june()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/rooms")]);
    assert_eq!(setting.month("2026-06", &[]).await.exit, 4);
    let part = setting.bytes();
    setting.sim.set_faults(Vec::new());
    setting.sim.edit(|portal| portal.audit = false);
    let ended = setting.month("2026-06", &[]).await;
    assert_eq!(ended.exit, 1);
    assert!(ended.stdout.contains("was kept: this run saw less"), "{}", ended.stdout);
    assert_eq!(setting.bytes(), part);
}

/// What lies beside a report and looks like a part of it is none, and a link leads to bytes that somebody can exchange later.
#[cfg(unix)]
#[tokio::test]
async fn what_was_put_beside_a_report_or_in_its_place_is_named() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    // remarks of an auditor, and what a broken run leaves, are not taken for a part of it
    std::fs::write(setting.out().join("remarks.txt"), "seen").unwrap();
    std::fs::write(setting.out().join(".compliance-report-2026-06.txt.part"), "half").unwrap();
    assert_eq!(verify(&setting).await.exit, 0);
    let extra = setting.out().join("compliance-report-2026-06-more.csv");
    std::fs::write(&extra, "more").unwrap();
    let ended = verify(&setting).await;
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("compliance-report-2026-06-more.csv: is no part of it"), "{}", ended.stdout);
    std::fs::remove_file(&extra).unwrap();
    let name = "compliance-report-2026-06.txt";
    let elsewhere = setting.home().join("elsewhere");
    std::fs::rename(setting.out().join(name), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, setting.out().join(name)).unwrap();
    let ended = verify(&setting).await;
    assert_eq!(ended.exit, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("compliance-report-2026-06.txt: cannot be read: it is a link"), "{}", ended.stdout);
}

/// Who makes a manifest anew, after a row was taken out, cannot make the digest that was kept elsewhere.
#[tokio::test]
async fn a_report_that_was_made_anew_is_told_by_its_digest() {
    let setting = Setting::new(june()).await;
    let ended = setting.month("2026-06", &[]).await;
    let digest = ended.stdout.lines().last().unwrap().strip_prefix("Digest: ").unwrap().split(' ').next().unwrap();
    assert_eq!(digest.len(), 64, "{}", ended.stdout);
    assert!(ended.stdout.contains("- manifest.json ("), "{}", ended.stdout);
    let kept = verify_with(&setting, &["--digest", digest]).await;
    assert!(kept.exit == 0 && kept.stdout.contains(digest), "{}", kept.stdout);
    // another report in its place, whole and sealed
    let config = setting.config("bulk_downloads = 99");
    assert_eq!(setting.month("2026-06", &["--config", &config]).await.exit, 0);
    assert_eq!(verify(&setting).await.exit, 0);
    let forged = verify_with(&setting, &["--digest", digest]).await;
    assert_eq!(forged.exit, 1, "{}", forged.stdout);
    assert!(forged.stdout.contains("manifest.json: not the one that was written then"), "{}", forged.stdout);
    let json = setting.month("2026-06", &["--format", "json"]).await;
    let manifest: serde_json::Value = serde_json::from_str(&setting.written("manifest.json")).unwrap();
    assert_eq!(json.json()["report"]["digest"], manifest["digest"]);
}

#[tokio::test]
async fn several_reports_are_verified_at_once() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    let nothing = setting.home().join("nothing").display().to_string();
    let both = verify_with(&setting, &[&nothing]).await;
    assert_eq!(both.exit, 1, "{}", both.stdout);
    assert!(
        both.stdout.contains("7 files, none changed") && both.stdout.contains("/nothing: cannot read"),
        "{}",
        both.stdout
    );
    let refused = verify_with(&setting, &[&nothing, "--digest", "0"]).await;
    assert_eq!(refused.exit, 2, "{}", refused.stderr);
}

/// A pipe has no end, and neither has what a link to a device leads to.
#[cfg(unix)]
#[tokio::test]
async fn nothing_but_a_file_is_read() {
    let setting = Setting::new(june()).await;
    setting.month("2026-06", &[]).await;
    for name in ["manifest.json", "compliance-report-2026-06.txt"] {
        let path = setting.out().join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let ended = cli_test::in_time(verify(&setting)).await;
        assert_eq!(ended.exit, 1, "{name}");
        let said = [ended.stdout, ended.stderr].concat();
        assert!(said.contains("it is no file, but a folder, a pipe or a device"), "{name}: {said}");
        // nor by a run, which makes it anew
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(cli_test::in_time(verify(&setting)).await.exit, 1, "{name}");
        assert_eq!(cli_test::in_time(setting.month("2026-06", &[])).await.exit, 0, "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), whole, "{name}");
    }
    let huge = std::fs::File::create(setting.out().join("manifest.json")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let ended = cli_test::in_time(verify(&setting)).await;
    assert!(ended.exit == 1 && ended.stderr.contains("is damaged"), "{}", ended.stderr);
}

/// A report that is there and incomplete says so, whatever its files are.
#[tokio::test]
async fn an_incomplete_report_is_not_called_complete() {
    let setting = Setting::new(june()).await;
    setting.sim.set_faults(vec![Fault::status(403).on("files/rooms")]);
    assert_eq!(setting.month("2026-06", &[]).await.exit, 4);
    let ended = verify(&setting).await;
    assert!(ended.exit == 0 && ended.stdout.contains(": INCOMPLETE, 21 events"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let setting = Setting::new(june()).await;
    let dry = setting.month("2026-06", &["--dry-run"]).await;
    assert_eq!(dry.exit, 0, "{}", dry.stderr);
    assert!(dry.stdout.contains("dry run: nothing was written into /home/report"), "{}", dry.stdout);
    assert!(!setting.out().exists() && !setting.home().join("state").exists());
}
