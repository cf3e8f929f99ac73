use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use super::*;
use crate::time_spec::Age;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    limits: Limits,
    rooms: Vec<String>,
    label: String,
    ratio: f64,
    enabled: bool,
    mode: Mode,
    top: Option<u16>,
    note: Option<String>,
    policy: Option<PathSetting>,
    portal: OwnPortal,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Limits {
    per_hour: u32,
    per_day: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Observe,
    Enforce,
}

/// A table that the program shares with the common settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct OwnPortal {
    enforce: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            rooms: Vec::new(),
            label: "vdr".to_owned(),
            ratio: 0.5,
            enabled: false,
            mode: Mode::Observe,
            top: None,
            note: None,
            policy: None,
            portal: OwnPortal::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_hour: 20, per_day: 100 }
    }
}

impl Settings for Config {
    fn places() -> &'static [&'static str] {
        &["policy"]
    }

    fn validate(&self) -> Vec<Problem> {
        let too_many = self.limits.per_hour > self.limits.per_day;
        too_many.then(|| Problem::new("limits.per_hour", "must not exceed `limits.per_day`")).into_iter().collect()
    }
}

/// Sources in a folder of their own; the portal's address is set, so that only what a test is about can be wrong.
struct Setup {
    folder: TempDir,
    sources: Sources,
}

impl Setup {
    fn new() -> Self {
        let flags = vec![FlagSetting::new("--portal", "portal.url", "https://docs.example.com")];
        Self { folder: TempDir::new().unwrap(), sources: Sources { flags, ..Sources::default() } }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn own(mut self, text: &str) -> Self {
        self.sources.own_files = vec![self.write("vdr-watch.toml", text)];
        self
    }

    fn portal(mut self, text: &str) -> Self {
        self.sources.portal_file = Some(self.write("portal.toml", text));
        self
    }

    fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.sources.environment = variables.iter().copied().collect();
        self
    }

    fn flag(mut self, flag: &'static str, key: &'static str, value: impl Into<Value>) -> Self {
        self.sources.flags.push(FlagSetting::new(flag, key, value));
        self
    }

    fn load(&self) -> Result<Loaded<Config>, Problems> {
        load("vdr-watch", &self.sources)
    }

    fn loaded(&self) -> Loaded<Config> {
        self.load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The problems as lines, without the name of the temporary folder.
    fn problems(&self) -> Vec<String> {
        let Err(problems) = self.load() else { panic!("no problems") };
        let folder = format!("{}/", self.folder.path().display());
        problems.to_string().lines().map(|line| line.replace(&folder, "")).collect()
    }
}

#[test]
fn without_sources_only_the_portal_is_missing() {
    let Err(problems) = load::<Config>("vdr-watch", &Sources::default()) else { panic!("no problems") };
    assert_eq!(
        problems.to_string(),
        "config key `portal.url`: is missing: give `--portal URL`, set `DOCSPACE_API_HOST`, or write it into the \
         configuration"
    );
}

#[test]
fn each_layer_wins_over_the_ones_below() {
    let portal = "label = 'portal'\n[limits]\nper_hour = 1\nper_day = 31";
    let own = "label = 'own'\n[limits]\nper_hour = 2";
    let setup = Setup::new();
    assert_eq!(setup.loaded().own.label, "vdr");
    assert_eq!(setup.loaded().place_of("label"), Some(&SettingPlace::Default));

    let setup = setup.portal(portal);
    assert_eq!(setup.loaded().own.label, "portal");

    let setup = setup.own(own);
    let loaded = setup.loaded();
    assert_eq!(loaded.own.label, "own");
    assert_eq!((loaded.own.limits.per_hour, loaded.own.limits.per_day), (2, 31));

    let setup = setup.environment(&[("VDR_WATCH_LABEL", "environment")]);
    let loaded = setup.loaded();
    assert_eq!(loaded.own.label, "environment");
    assert_eq!(loaded.own.limits.per_hour, 2);

    let setup = setup.flag("--label", "label", "flag");
    let loaded = setup.loaded();
    assert_eq!(loaded.own.label, "flag");
    assert_eq!(loaded.place_of("label"), Some(&SettingPlace::Flag("--label".to_owned())));
    assert_eq!(loaded.place_of("limits.per_day"), setup.sources.portal_file.clone().map(SettingPlace::File).as_ref());
    assert_eq!(loaded.place_of("nothing"), None);
}

#[test]
fn names_without_a_prefix_stand_below_those_with_one_and_above_files() {
    let mut setup = Setup::new().own("state = '/file'\n[portal]\nurl = 'https://file.example.com'");
    setup.sources.flags.clear();
    let setup =
        setup.environment(&[("DOCSPACE_API_HOST", "https://host.example.com"), ("STATE_DIRECTORY", "/one:/two")]);
    let loaded = setup.loaded();
    assert_eq!(loaded.common.portal.url.as_deref(), Some("https://host.example.com"));
    assert_eq!(loaded.common.state, Some("/one".into()));
    assert_eq!(loaded.place_of("portal.url"), Some(&SettingPlace::Variable("DOCSPACE_API_HOST".to_owned())));

    let setup = setup.environment(&[
        ("DOCSPACE_API_HOST", "https://host.example.com"),
        ("VDR_WATCH_PORTAL__URL", "https://prefixed.example.com"),
        ("STATE_DIRECTORY", ""),
    ]);
    let loaded = setup.loaded();
    assert_eq!(loaded.common.portal.url.as_deref(), Some("https://prefixed.example.com"));
    assert_eq!(loaded.common.state, Some("/file".into()));
}

/// Every unit has a folder. It must not have two hosts keep their memory apart that were told to share it.
#[test]
fn a_server_that_a_file_names_counts_more_than_the_folder_of_the_unit() {
    let unit = [("STATE_DIRECTORY", "/var/lib/vdr-watch")];
    let server = "postgres://vdr@db.example.com/audit";
    let setup = Setup::new().portal(&format!("state = '{server}'")).environment(&unit);
    let loaded = setup.loaded();
    assert_eq!(loaded.common.state, Some(server.into()));
    assert_eq!(loaded.place_of("state"), setup.sources.portal_file.clone().map(SettingPlace::File).as_ref());
    let setup = setup.own("state = '/elsewhere'");
    assert_eq!(setup.loaded().common.state, Some("/var/lib/vdr-watch".into()));
    let setup = setup.environment(&[unit[0], ("VDR_WATCH_STATE", server)]);
    assert_eq!(setup.loaded().common.state, Some(server.into()));
}

#[test]
fn tables_may_be_shared_with_the_common_settings() {
    let loaded = Setup::new().own("[portal]\nenforce = 'keep'\nallow_http = true").loaded();
    assert_eq!(loaded.own.portal.enforce, "keep");
    assert!(loaded.common.portal.allow_http);
}

#[test]
fn common_settings_are_read() {
    let text = "
        run_limit = '2h'
        service_accounts = ['robot@example.com']
        outbound.proxy = 'http://192.0.2.1:3128'
        alerts.file.path = 'alerts.ndjson'
        alerts.webhook.url = 'https://hooks.example.com/x'
    ";
    let setup = Setup::new().own(text);
    let common = setup.loaded().common;
    assert_eq!(common.run_limit.0, Duration::from_secs(7_200));
    assert_eq!(common.service_accounts, ["robot@example.com"]);
    assert_eq!(common.outbound.proxy.as_deref(), Some("http://192.0.2.1:3128"));
    assert_eq!(common.alerts.file.path.unwrap().as_path(), setup.folder.path().join("alerts.ndjson"));
    assert_eq!(common.alerts.webhook.url.as_deref(), Some("https://hooks.example.com/x"));
    assert_eq!(Setup::new().loaded().common.run_limit.to_string(), "30m");
}

#[test]
fn a_programs_default_wins_over_the_common_one() {
    #[derive(Serialize, Deserialize)]
    #[serde(default)]
    struct Own {
        run_limit: Age,
    }
    impl Default for Own {
        fn default() -> Self {
            Self { run_limit: Age(Duration::from_secs(7_200)) }
        }
    }
    impl Settings for Own {
        fn validate(&self) -> Vec<Problem> {
            Vec::new()
        }
    }
    let loaded = load::<Own>("compliance-monthly", &Setup::new().sources).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.common.run_limit.to_string(), "2h");
}

#[test]
fn relative_paths_resolve_against_their_file_and_nothing_else() {
    let text = "key_file = 'keys/api'\nstate = 'state'\npolicy = '/etc/policy.toml'\noutbound.ca_file = '../ca.pem'";
    let setup = Setup::new().own(text);
    let (folder, loaded) = (setup.folder.path(), setup.loaded());
    let path = |setting: &Option<PathSetting>| setting.as_ref().unwrap().as_path().to_owned();
    assert_eq!(path(&loaded.common.key_file), folder.join("keys/api"));
    assert_eq!(path(&loaded.common.state), folder.join("state"));
    assert_eq!(path(&loaded.common.outbound.ca_file), folder.join("../ca.pem"));
    assert_eq!(path(&loaded.own.policy), Path::new("/etc/policy.toml"));

    let setup = setup.environment(&[("VDR_WATCH_KEY_FILE", "keys/other")]).flag("--state", "state", "here");
    let loaded = setup.loaded();
    assert_eq!(path(&loaded.common.key_file), Path::new("keys/other"));
    assert_eq!(path(&loaded.common.state), Path::new("here"));
}

/// One file of settings serves every program and portal.
#[test]
fn placeholders_are_filled_in_in_every_path_and_address() {
    let text = "state = 'state/{portal}'\nkey_file = 'keys/{portal}'\ntextfile = '/m/{program}-{portal}.prom'\npolicy = '{portal}.toml'\n\
                label = '{portal}'\nalerts.file.path = '{program}.ndjson'\nheartbeat.url = 'https://beat.example.com/{portal}'\n\
                portal.url = 'https://file.example.com'";
    let setup = Setup::new().own(text);
    let (folder, loaded) = (setup.folder.path(), setup.loaded());
    let path = |setting: &Option<PathSetting>| setting.as_ref().unwrap().as_path().to_owned();
    assert_eq!(path(&loaded.common.state), folder.join("state/docs.example.com"), "of the portal that counts");
    assert_eq!(path(&loaded.common.key_file), folder.join("keys/docs.example.com"));
    assert_eq!(path(&loaded.common.textfile), Path::new("/m/vdr-watch-docs.example.com.prom"));
    assert_eq!(path(&loaded.common.alerts.file.path), folder.join("vdr-watch.ndjson"));
    assert_eq!(loaded.common.heartbeat.url.as_deref(), Some("https://beat.example.com/docs.example.com"));
    assert_eq!(path(&loaded.own.policy), folder.join("docs.example.com.toml"));
    assert_eq!(loaded.own.label, "{portal}", "a text that is neither stays as it is");
    let wrong = Setup::new().own("state = '{Portal}'\nheartbeat.url = 'https://beat.example.com/{host}'").problems();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong.iter().all(|problem| problem.contains("use `{program}` and `{portal}`")), "{wrong:?}");
}

/// What many portals share, and then each one's own.
#[test]
fn of_several_own_files_the_later_win() {
    let mut setup = Setup::new().own("label = 'first'\nratio = 0.25");
    setup.sources.own_files.push(setup.write("second.toml", "label = 'second'"));
    let loaded = setup.loaded();
    assert_eq!((loaded.own.label.as_str(), loaded.own.ratio), ("second", 0.25));
}

#[test]
fn a_url_for_the_state_is_not_taken_for_a_path() {
    let loaded = Setup::new().own("state = 'postgres://db.example.com/state'").loaded();
    assert_eq!(loaded.common.state, Some("postgres://db.example.com/state".into()));
}

#[test]
fn the_environment_keeps_text_as_text() {
    for text in ["007", "true", "1e3", "[a]", "", "\"quoted\"", "a = 1", " x "] {
        let own = Setup::new().environment(&[("VDR_WATCH_LABEL", text), ("VDR_WATCH_NOTE", text)]).loaded().own;
        assert_eq!(own.label, text);
        assert_eq!(own.note.as_deref(), Some(text));
    }
}

#[test]
fn the_environment_gives_numbers_truth_values_lists_and_names() {
    let own = Setup::new()
        .environment(&[
            ("VDR_WATCH_LIMITS__PER_HOUR", "5"),
            ("VDR_WATCH_RATIO", "2"),
            ("VDR_WATCH_ENABLED", "true"),
            ("VDR_WATCH_ROOMS", r#"["12", "Board, open"]"#),
            ("VDR_WATCH_MODE", "enforce"),
            ("VDR_WATCH_TOP", "7"),
            ("VDR_WATCHDOG", "not ours"),
        ])
        .loaded()
        .own;
    assert_eq!(own.limits.per_hour, 5);
    assert_eq!(own.ratio, 2.0);
    assert!(own.enabled);
    assert_eq!(own.rooms, ["12", "Board, open"]);
    assert_eq!(own.mode, Mode::Enforce);
    // `top` has no default that would tell its type
    assert_eq!(own.top, Some(7));
}

#[test]
fn the_environment_refuses_what_does_not_fit() {
    let setup = Setup::new().environment(&[
        ("VDR_WATCH_ENABLED", "yes"),
        ("VDR_WATCH_LIMITS", "5"),
        ("VDR_WATCH_LIMITS__PER_HOUR", "2O"),
        ("VDR_WATCH_ROOMS", "12"),
        ("VDR_WATCH_TOP", "many"),
    ]);
    assert_eq!(
        setup.problems(),
        [
            "config key `limits` (environment variable VDR_WATCH_LIMITS): is a table of settings, not a value: name one \
             of the settings in it",
            "config key `enabled` (environment variable VDR_WATCH_ENABLED): expected `true` or `false`, found the text \
             \"yes\"",
            "config key `limits.per_hour` (environment variable VDR_WATCH_LIMITS__PER_HOUR): expected a whole number \
             from 0 to 4294967295, found the text \"2O\"",
            "config key `rooms` (environment variable VDR_WATCH_ROOMS): expected a list such as `[\"a\", \"b\"]`, found \
             the text \"12\"",
            "config key `top` (environment variable VDR_WATCH_TOP): expected a whole number from 0 to 65535, found the \
             text \"many\"",
        ]
    );
}

/// TOML has dates of its own, which need no quotes.
#[test]
fn a_date_is_a_text_with_quotes_or_without() {
    let setup = Setup::new()
        .own("label = 2030-01-01\nrooms = [2030-01-02, '2030-01-03']\nnote = 2030-01-01T10:00:00Z\n")
        .environment(&[("VDR_WATCH_ROOMS", "[2030-01-04]")]);
    let own = setup.loaded().own;
    assert_eq!((own.label.as_str(), own.note.as_deref()), ("2030-01-01", Some("2030-01-01T10:00:00Z")));
    assert_eq!(own.rooms, ["2030-01-04"]);
    let own = Setup::new().own("rooms = [2030-01-02, '2030-01-03']").loaded().own;
    assert_eq!(own.rooms, ["2030-01-02", "2030-01-03"]);
}

#[test]
fn typing_errors_are_reported_together_with_suggestions() {
    let setup =
        Setup::new().own("servce_accounts = []\n[limits]\nper_hourr = 5\n[portal]\nallow_htpp = true\n[zzz]\na = 1");
    assert_eq!(
        setup.problems(),
        [
            "config key `limits.per_hourr` (vdr-watch.toml): unknown setting, did you mean `limits.per_hour`?",
            "config key `portal.allow_htpp` (vdr-watch.toml): unknown setting, did you mean `portal.allow_http`?",
            "config key `servce_accounts` (vdr-watch.toml): unknown setting, did you mean `service_accounts`?",
            "config key `zzz` (vdr-watch.toml): unknown setting",
        ]
    );
}

#[test]
fn an_unknown_key_is_reported_for_every_place_that_has_it() {
    let setup = Setup::new().portal("per_hour = 1").own("per_hour = 2").environment(&[
        ("VDR_WATCH_PER_HOUR", "3"),
        ("VDR_WATCH_", "x"),
        ("VDR_WATCH_LIMITS__", "y"),
    ]);
    assert_eq!(
        setup.problems(),
        [
            "config key `` (environment variable VDR_WATCH_): unknown setting",
            "config key `limits.` (environment variable VDR_WATCH_LIMITS__): unknown setting, did you mean `limits`?",
            "config key `per_hour` (environment variable VDR_WATCH_PER_HOUR): unknown setting, did you mean \
             `limits.per_hour`?",
            "config key `per_hour` (vdr-watch.toml): unknown setting, did you mean `limits.per_hour`?",
            "config key `per_hour` (portal.toml): unknown setting, did you mean `limits.per_hour`?",
        ]
    );
}

#[test]
fn types_names_and_bounds_are_reported_at_once() {
    let text = "
        mode = 'obsrve'
        run_limit = '0m'
        key_file = 5
        colour = 'red'
        rooms = ['a', 7]
        [limits]
        per_hour = 200
        per_day = -1
    ";
    let mut setup = Setup::new().portal("run_limit = 'soon'\nlabel = 1").own(text);
    setup.sources.flags.clear();
    assert_eq!(
        setup.problems(),
        [
            "config key `key_file` (vdr-watch.toml): expected a path in quotes, found `5`",
            "config key `label` (portal.toml): expected text in quotes, found `1`",
            "config key `limits.per_day` (vdr-watch.toml): expected a whole number from 0 to 4294967295, found `-1`",
            "config key `mode` (vdr-watch.toml): expected one of `observe`, `enforce`, found the text \"obsrve\"",
            "config key `rooms.1` (vdr-watch.toml): expected text in quotes, found `7`",
            "config key `colour` (vdr-watch.toml): unknown setting",
            "config key `portal.url`: is missing: give `--portal URL`, set `DOCSPACE_API_HOST`, or write it into the \
             configuration",
            "config key `run_limit` (vdr-watch.toml): must be longer than 0",
            "config key `limits.per_hour` (vdr-watch.toml): must not exceed `limits.per_day`",
        ]
    );
}

#[test]
fn a_length_of_time_says_how_it_is_written() {
    let setup = Setup::new().own("run_limit = '30 minutes'");
    assert_eq!(
        setup.problems(),
        ["config key `run_limit` (vdr-watch.toml): expected a whole number with a unit `s`, `m`, `h`, `d` or `w`, \
             such as `45m`"]
    );
}

#[test]
fn files_that_cannot_be_read_or_parsed_are_named_with_the_line() {
    let mut setup = Setup::new().own("label = 'x'\nsecret = sk-1234\n").environment(&[("VDR_WATCH_TOP", "x")]);
    setup.sources.portal_file = Some(setup.folder.path().join("missing.toml"));
    let problems = setup.problems();
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].starts_with("config file missing.toml: cannot be read: "), "{}", problems[0]);
    assert!(problems[1].starts_with("config file vdr-watch.toml: line 2, column 10: "), "{}", problems[1]);
    assert!(!problems[1].contains("sk-1234"));
    assert!(problems[2].contains("VDR_WATCH_TOP"), "{}", problems[2]);
}

#[test]
fn long_texts_in_the_wrong_place_are_not_repeated() {
    let problems = Setup::new().own("[limits]\nper_hour = 'sk-0123456789abcdef'").problems();
    assert_eq!(
        problems,
        [
            "config key `limits.per_hour` (vdr-watch.toml): expected a whole number from 0 to 4294967295, found a longer text"
        ]
    );
}

#[test]
fn a_program_adds_its_own_flags() {
    let rooms = vec!["12".to_owned(), "Board".to_owned()];
    let loaded = Setup::new().own("rooms = ['9']").flag("--room", "rooms", rooms.clone()).loaded();
    assert_eq!(loaded.own.rooms, rooms);
}

#[test]
fn channels_are_read_with_their_paths() {
    let text = "[[alerts.channel]]\nname = 'soc'\nkind = 'webhook'\nurl_file = 'hooks/{portal}'\n\
                [[alerts.channel]]\nname = 'log'\nkind = 'file'\npath = '{program}.ndjson'\nrooms = [71, 'Alpha']\n\
                [[alerts.channel]]\nname = 'chat'\nkind = 'matrix'\nserver = 'https://{portal}'\nroom = '!soc'";
    let setup = Setup::new().own(text);
    let tables = setup.loaded().common.alerts.channel.clone();
    let channels = channels::read(&tables);
    let [Ok(hook), Ok(log), Ok(_)] = &channels[..] else { panic!("{channels:?}") };
    assert_eq!(tables[2]["server"], "https://docs.example.com");
    let folder = setup.folder.path();
    let secret = &hook.kind.secrets[0];
    assert_eq!(hook.secret_file(secret), folder.join("hooks/docs.example.com").to_str());
    assert_eq!(log.file(), folder.join("vdr-watch.ndjson").to_str());
}

#[test]
fn every_mistake_in_a_channel_is_named_with_its_place_and_without_its_secret() {
    let text = "[[alerts.channel]]\nname = 'soc'\nkind = 'pigeon'\n\
                [[alerts.channel]]\nname = 'soc'\nkind = 'email'\nto = 'soc@example.com'\n\
                [[alerts.channel]]\nname = 'mail'\nkind = 'email'\n\
                [[alerts.channel]]\nname = 'hook'\nkind = 'webhook'\nurl = 'https://hooks.example.com/s3cret'\nsecret = 's3cret'";
    let problems = Setup::new().own(text).problems();
    assert_eq!(problems.len(), 4, "{problems:?}");
    for (problem, key, said) in [
        (&problems[0], "alerts.channel.0.kind", "channel `soc`: is not known here"),
        (&problems[1], "alerts.channel.2", "channel `mail`: `to` is missing"),
        (&problems[2], "alerts.channel.3.secret", "secret_file"),
        (&problems[3], "alerts.channel.1.name", "the name of another channel"),
    ] {
        assert!(problem.contains(&format!("`{key}`")) && problem.contains(said), "{problem}");
        assert!(problem.contains(".toml") && !problem.contains("s3cret"), "{problem}");
    }
}
