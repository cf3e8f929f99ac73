//! `init`: the first minutes with a program, as a script spends them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Program;
use crate::faults::quiet_world;
use crate::{CLOCK, Run, Setting};

impl Program {
    /// `init` in a pipe asks nothing. Without an address or a key it says what to give (2), and a key that the portal refuses is an error (1):
    /// nothing is written. Else it writes settings and key for this user only, ends as `doctor` does with them, and they are enough for
    /// a run. A second `init` refuses (2), and changes nothing.
    pub async fn sets_up(&self) {
        let setting = Setting::new(self.binary, quiet_world()).await;
        for (name, content) in self.files {
            setting.file(name, content);
        }
        let folder = setting.state.path();
        let before = files(folder);
        let url = setting.sim.url();
        for (arguments, key, exit, said) in [
            (&[][..], Some(setting.key.as_str()), 2, "URL"),
            (&[url.as_str()], None, 2, "DOCSPACE_API_KEY"),
            (&[url.as_str()], Some("sk-of-nobody"), 1, "Nothing was written"),
        ] {
            let ended = self.init(&setting, arguments, key).await;
            assert_eq!(ended.exit, exit, "{arguments:?}: {} {}", ended.stdout, ended.stderr);
            assert!(format!("{}{}", ended.stdout, ended.stderr).contains(said), "{} {}", ended.stdout, ended.stderr);
            assert_eq!(files(folder), before, "{arguments:?}");
        }

        let first = self.init(&setting, &[&url], Some(&setting.key)).await;
        let made = files(folder);
        for file in ["toml", "key"].map(|ending| format!("{}.{ending}", self.name())) {
            assert!(
                made.contains_key(&file) && first.stdout.contains(&file),
                "{file}: {} {}",
                first.stdout,
                first.stderr
            );
            #[cfg(unix)]
            {
                let mode = fs::metadata(folder.join(&file)).unwrap().permissions();
                assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600, "{file}");
            }
        }
        assert!(!format!("{}{}", first.stdout, first.stderr).contains(&setting.key), "{}", first.stdout);
        let config = format!("{}.toml", self.name());
        assert!(first.stdout.contains(&format!("{config} --dry-run")), "{}", first.stdout);
        let doctor = self.with(&setting, &["--config", &config, "doctor"], None).await;
        assert_eq!((first.exit, doctor.exit), (doctor.exit, 0), "{} {}", doctor.stdout, doctor.stderr);

        // cron's environment is another one
        let elsewhere = TempDir::new_in(folder).unwrap();
        for (name, content) in self.files {
            fs::write(elsewhere.path().join(name), content).unwrap();
        }
        let place = elsewhere.path().to_str().unwrap();
        let mut command = crate::command(Path::new(self.binary), folder);
        command.args(["init", "--yes", "--dir", place, "--set", "state=state"]).args(self.settings_as_flags());
        command.env(CLOCK, setting.sim.now().to_rfc3339());
        command.envs([("DOCSPACE_API_HOST", url.as_str()), ("DOCSPACE_API_KEY", setting.key.as_str())]);
        let named = crate::run(command).await;
        assert_eq!(named.exit, 0, "{} {}", named.stdout, named.stderr);
        let config_there = elsewhere.path().join(&config).display().to_string();
        let doctor = self.with(&setting, &["--config", &config_there, "doctor"], None).await;
        assert_eq!(doctor.exit, 0, "{} {}", doctor.stdout, doctor.stderr);

        let again = self.init(&setting, &[&url], Some(&setting.key)).await;
        assert_eq!((again.exit, again.stdout.as_str()), (2, ""), "{}", again.stderr);
        assert!(again.stderr.contains(&config), "{}", again.stderr);
        assert_eq!(files(folder), made);
        let run = self.with(&setting, &["--config", &config], None).await;
        assert_eq!(run.exit, 0, "{} {}", run.stdout, run.stderr);
    }

    /// With everything besides address and key by `--set`, and what is remembered beside the settings.
    async fn init(&self, setting: &Setting, arguments: &[&str], key: Option<&str>) -> Run {
        let set = self.settings_as_flags();
        let set = set.iter().map(String::as_str).chain(["--set", "state=state"]);
        let arguments: Vec<&str> =
            ["init", "--yes", "--dir", "."].into_iter().chain(arguments.iter().copied()).chain(set).collect();
        self.with(setting, &arguments, key).await
    }

    /// What the program needs, as flags of `init`.
    fn settings_as_flags(&self) -> Vec<String> {
        let settings = self.settings.lines().map(|line| line.replacen(" = ", "=", 1));
        settings.flat_map(|setting| ["--set".to_owned(), setting]).collect()
    }

    /// In the setting's folder, at the portal's time, with this key in the environment.
    async fn with(&self, setting: &Setting, arguments: &[&str], key: Option<&str>) -> Run {
        let mut command = crate::command(Path::new(self.binary), setting.state.path());
        command.args(arguments).envs(key.map(|key| ("DOCSPACE_API_KEY", key)));
        command.env(CLOCK, setting.sim.now().to_rfc3339());
        crate::run(command).await
    }
}

/// What stands in the files of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}
