//! The files of `deploy/`: what they start must run, as it is printed there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use job_store::OnServer;

use super::Program;
use crate::Setting;
use crate::faults::quiet_world;

/// What every service of ours gives up.
const HARDENING: [(&str, &str); 9] = [
    ("DynamicUser", "yes"),
    ("LimitCORE", "0"),
    ("PrivateMounts", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("MemoryDenyWriteExecute", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
];

impl Program {
    /// The cron lines, at the times expected, run the program as a user of its own, with nothing but the environment that the file sets;
    /// also where the settings name a server for what is remembered.
    pub async fn cron_lines(&self) {
        let text = self.deploy_file("cron");
        assert!(text.ends_with('\n') && text.lines().any(|line| line.starts_with("MAILTO=")), "{text}");
        let set: Vec<(&str, &str)> = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
            .filter_map(|line| line.split_once('='))
            .filter(|(name, _)| *name != "MAILTO")
            .collect();
        let names: Vec<&str> = set.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["PATH", "STATE_DIRECTORY"], "cron's own path lacks our folder, and its users have no home");
        let lines: Vec<&str> =
            text.lines().filter(|line| line.starts_with(|c: char| c == '*' || c.is_ascii_digit())).collect();
        let found: Vec<String> = lines.iter().map(|line| words(line)[..5].join(" ")).collect();
        assert_eq!(found, self.shipped.cron);
        for line in lines {
            assert_eq!(words(line)[5..7], [self.name(); 2], "user, program");
            for machine in Machine::on_file_and_server(self).await {
                let set: Vec<(&str, String)> = set.iter().map(|(name, value)| (*name, machine.here(value))).collect();
                machine.start(&words(line)[6..].join(" "), &set).await;
            }
        }
    }

    /// systemd accepts the units; each service runs, gives up what it does not need, and takes settings from an environment file whose
    /// settings exist; the timer starts it when it must, and catches up.
    pub async fn systemd_units(&self) {
        let names = self.units();
        crate::assert_systemd_accepts(
            &self.path("deploy"),
            self.name(),
            self.binary,
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        for name in names.iter().filter(|name| name.ends_with(".service")) {
            // of a template, the instance for a portal
            let unit = fs::read_to_string(self.path("deploy").join(name)).unwrap();
            assert_eq!(unit.contains("%i"), name.contains('@'), "{name}");
            self.service(&unit.replace("%i", PORTAL)).await;
        }
        let fleet = |ending: &str| names.contains(&format!("{}-fleet.{ending}", self.name()));
        assert_eq!(
            (fleet("service"), fleet("timer")),
            (true, !self.is_frequent()),
            "a timer waits for the slowest portal"
        );
        for name in names.iter().filter(|name| name.ends_with(".timer")) {
            let timer = fs::read_to_string(self.path("deploy").join(name)).unwrap();
            for expected in
                [("OnCalendar", self.shipped.calendar), ("Persistent", "true"), ("WantedBy", "timers.target")]
            {
                assert!(entries(&timer).contains(&expected), "{name}: {expected:?}");
            }
            assert!(names.contains(&name.replace(".timer", ".service")), "{name} starts what is there");
        }
        let environment = self.deploy_file("env");
        let prefix = self.prefix();
        let set = environment.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
        let set: Vec<(String, String)> = set
            .filter(|(name, _)| name.starts_with(&prefix))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert!(!set.is_empty(), "{environment}");
        let shown = self.shown_settings(&["--portal", "https://docs.example.com"], &set).await;
        for (name, value) in set {
            let key = name[prefix.len()..].to_lowercase().replace("__", ".");
            let found = shown.get(&key).unwrap_or_else(|| panic!("{key} is no setting"));
            assert_eq!(found.trim_matches('"'), value, "{key}");
        }
    }

    async fn service(&self, unit: &str) {
        let entries = entries(unit);
        for entry in HARDENING {
            assert!(entries.contains(&entry), "{entry:?} in {unit}");
        }
        let environment = format!("-/etc/docspace/{}.env", self.name());
        assert!(
            entries.contains(&("EnvironmentFile", &environment)) && entries.contains(&("StateDirectory", self.name()))
        );
        // the units of a program share a folder, which belongs to one user
        assert!(entries.contains(&("User", self.name())), "{unit}");
        let start = entries.iter().find(|(key, _)| *key == "ExecStart").unwrap().1;
        for machine in Machine::on_file_and_server(self).await {
            machine.hand_over(entries.iter().filter(|(key, _)| *key == "LoadCredential").map(|(_, file)| *file));
            self.service_starts(&machine, unit, &entries, start).await;
        }
    }

    /// The command of a unit, on this machine.
    async fn service_starts(&self, machine: &Machine<'_>, unit: &str, entries: &[(&str, &str)], start: &str) {
        let (state, credentials) = (machine.folder("lib"), machine.folder("credentials"));
        let environment = [("STATE_DIRECTORY", state.as_str()), ("CREDENTIALS_DIRECTORY", credentials.as_str())];
        let stays = !entries.contains(&("Type", "oneshot"));
        if words(start).contains(&"fleet") {
            assert_eq!(stays, self.is_frequent(), "{unit}");
            // nobody else begins it again
            let begins = [("Restart", "always"), ("WantedBy", "multi-user.target")];
            assert!(begins.iter().all(|entry| entries.contains(entry) == stays), "{unit}");
            machine.start(&self.one_round(start, stays), &environment).await;
        } else if !stays {
            machine.start(start, &environment).await;
        } else {
            // it would not end: its flags are taken, and then help is printed
            machine.parse(start, &environment).await;
        }
    }

    /// Whether it is for every few minutes, and not for certain hours. What looks at many portals stays then.
    pub(super) fn is_frequent(&self) -> bool {
        self.shipped.cron[0].starts_with('*')
    }

    /// The command line of a fleet without what makes it stay, which is as often as the cron file says.
    pub(super) fn one_round(&self, line: &str, stays: bool) -> String {
        let mut words = words(line);
        let every = words.iter().position(|word| *word == "--every");
        assert_eq!(every.is_some(), stays, "{line}");
        if let Some(every) = every {
            let minutes: u32 = words[every + 1].strip_suffix('m').unwrap().parse().unwrap();
            let cron = if minutes == 1 { "* * * * *".to_owned() } else { format!("*/{minutes} * * * *") };
            assert_eq!(cron, self.shipped.cron[0]);
            words.drain(every..every + 2);
        }
        words.join(" ")
    }

    fn deploy_file(&self, ending: &str) -> String {
        fs::read_to_string(self.path("deploy").join(format!("{}.{ending}", self.name()))).unwrap()
    }

    fn units(&self) -> Vec<String> {
        let files =
            fs::read_dir(self.path("deploy")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut units: Vec<String> =
            files.filter(|name| name.ends_with(".service") || name.ends_with(".timer")).collect();
        units.sort();
        units
    }
}

/// What files of one portal of several are named after.
const PORTAL: &str = "example";

/// A machine on which the program is installed, for a portal that is quiet.
pub(super) struct Machine<'a> {
    program: &'a Program,
    setting: Setting,
    server: Option<OnServer>,
}

impl<'a> Machine<'a> {
    pub(super) async fn new(program: &'a Program) -> Self {
        let setting = Setting::new(program.binary, quiet_world()).await;
        let machine = Machine { program, setting, server: None };
        let name = program.name();
        for folder in ["lib", "credentials", &format!("docspace/{name}/policies")] {
            fs::create_dir_all(machine.folder(folder)).unwrap();
        }
        machine.setting.file(&format!("docspace/{name}.toml"), &program.settings_for(&machine.setting.sim.url()));
        machine.setting.file(&format!("docspace/{name}.key"), &machine.setting.key);
        machine.setting.file(&format!("docspace/{name}.token"), "0123456789abcdef0123456789abcdef");
        for (file, content) in program.files {
            machine.setting.file(&format!("docspace/{file}"), content);
        }
        machine.add_portal();
        machine
    }

    /// One that keeps what is remembered in files, and one whose settings name a server for it, if there is one.
    async fn on_file_and_server(program: &'a Program) -> Vec<Self> {
        let mut machines = vec![Machine::new(program).await];
        if let Some(place) = job_store::testing::place() {
            let mut machine = Machine::new(program).await;
            machine.keep_on(place);
            machines.push(machine);
        }
        machines
    }

    /// The portal in the folder for several.
    fn add_portal(&self) {
        let Program { settings, files, .. } = self.program;
        let own = |ending: &str| format!("docspace/{}/{PORTAL}.{ending}", self.program.name());
        let policy = format!("policies/{PORTAL}.toml");
        let mut settings = (*settings).to_owned();
        for (file, content) in *files {
            settings = settings.replace(file, &policy);
            self.setting.file(&format!("docspace/{}/{policy}", self.program.name()), content);
        }
        let key = format!("key_file = \"{PORTAL}.key\"\n");
        self.setting.file(&own("toml"), &format!("{key}{settings}\n[portal]\nurl = \"{}\"\n", self.setting.sim.url()));
        self.setting.file(&own("key"), &self.setting.key);
    }

    /// From now on the settings name a server for what is remembered.
    pub(super) fn keep_on(&mut self, place: OnServer) {
        let url = self.setting.sim.url();
        let state = format!("state = \"{}\"\n", place.url);
        let settings = format!("{state}{}", self.program.settings_for(&url));
        self.setting.file(&format!("docspace/{}.toml", self.program.name()), &settings);
        self.server = Some(self.program.place_for(place, &url));
    }

    /// What a cluster mounts below the folder of settings, besides what is there.
    pub(super) fn mount(&self, is_fleet: bool) {
        let docspace = PathBuf::from(self.folder("docspace"));
        let name = self.program.name();
        fs::rename(docspace.join(name), docspace.join("portals")).unwrap();
        fs::create_dir(docspace.join("shared")).unwrap();
        fs::copy(docspace.join(format!("{name}.toml")), docspace.join(format!("shared/{name}.toml"))).unwrap();
        if !is_fleet {
            fs::copy(docspace.join(format!("{name}.key")), docspace.join("docspace-api-key")).unwrap();
        }
    }

    pub(super) fn folder(&self, name: &str) -> String {
        self.setting.state.path().join(name).display().to_string()
    }

    /// The text with the folders of this machine.
    pub(super) fn here(&self, text: &str) -> String {
        let binaries = Path::new(self.program.binary).parent().unwrap().display().to_string();
        let state = format!("/var/lib/{}", self.program.name());
        text.replace("/usr/local/bin", &binaries)
            .replace("/etc/docspace", &self.folder("docspace"))
            .replace(&state, &self.folder("lib"))
    }

    /// Files as credentials, each as `name:file`.
    fn hand_over<'f>(&self, files: impl Iterator<Item = &'f str>) {
        for (name, file) in files.map(|file| file.split_once(':').unwrap()) {
            fs::copy(PathBuf::from(self.here(file)), Path::new(&self.folder("credentials")).join(name)).unwrap();
        }
    }

    /// Runs a command line as it stands in a file: it sees the whole portal, and has nothing to say.
    pub(super) async fn start(&self, line: &str, environment: &[(&str, impl AsRef<OsStr>)]) {
        let ended = self.shell(line, environment).await;
        assert_eq!((ended.exit, ended.stderr.as_str()), (0, ""), "{line}: {}", ended.stdout);
        assert_eq!(!ended.stdout.is_empty(), self.program.always_prints, "{line}: {}", ended.stdout);
        assert!(!self.setting.sim.requests().is_empty(), "{line}");
        let is_in_folder = fs::read_dir(self.folder("lib")).unwrap().next().is_some();
        assert_eq!(is_in_folder, self.server.is_none(), "{line}: remembers nothing there");
        if let Some(place) = &self.server {
            assert!(!super::server::rows(place).await.is_empty(), "{line}: remembers nothing");
        }
    }

    async fn parse(&self, line: &str, environment: &[(&str, impl AsRef<OsStr>)]) {
        let ended = self.shell(&format!("{line} --help"), environment).await;
        assert_eq!(ended.exit, 0, "{line}: {}", ended.stderr);
    }

    async fn shell(&self, line: &str, environment: &[(&str, impl AsRef<OsStr>)]) -> crate::Run {
        let mut command = crate::command(Path::new("/bin/sh"), self.setting.state.path());
        command.args(["-c", &self.here(line)]).envs(environment.iter().map(|(name, value)| (name, value)));
        command.env(crate::CLOCK, self.setting.sim.now().to_rfc3339());
        crate::run(command).await
    }
}

/// The lines of a unit that count, as (key, value).
fn entries(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

pub(super) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
