//! This program's settings. `bulk-guard.example.toml` says the same.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use job_runner::config::{PathSetting, Problem, Settings, Validation, text};
use job_runner::names::NamedList;
use job_runner::time_spec::Age;
use safe_actions::Breaker;
use serde::{Deserialize, Serialize};

use crate::suspend::terms::Terms;

mod drill;
mod limits;
mod suspend;

pub(crate) use drill::DrillSettings;
pub(crate) use limits::{Armed, Limit, Limits, RoomLimit, Threshold, counts};
#[cfg(test)]
pub(crate) use suspend::KINDS;
pub(crate) use suspend::Suspend;

/// What is usual for somebody is learnt from thirty days.
const KEEP: Duration = Duration::from_secs(35 * 86_400);

/// What a folder counts that nobody can list any more.
const FOLDER_WEIGHT: u64 = 10;

/// Somebody deletes hundreds of documents in the time in which one alert waits for a slow portal.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(5);

/// As often as the portal looks whether it has webhooks to send.
const WEBHOOK_DEBOUNCE: Duration = Duration::from_secs(5);

/// Shorter, and a busy portal is asked without end; longer, and cron is faster.
const DEBOUNCES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);

/// How far back a run looks at least when nothing says otherwise.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Nobody lets a plan touch more people than this.
const MOST_PEOPLE: u64 = 1_000;

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// `observe` reports and plans; `enforce` suspends.
    #[serde(with = "text")]
    pub(crate) mode: Mode,
    pub(crate) limits: Limits,
    /// Documents that a folder stands for when it cannot be listed. At least 1.
    pub(crate) folder_weight: u64,
    /// How long look-ups may keep an alert waiting, and once more those of the plan; 0 is off.
    pub(crate) look_up_limit: Age,
    pub(crate) protect: Protect,
    pub(crate) breaker: Breaker,
    pub(crate) suspend: Suspend,
    pub(crate) serve: Serve,
    pub(crate) drill: DrillSettings,
    /// How long is remembered what happened.
    pub(crate) keep: Age,
    /// Whatever the other settings say, this run changes nothing at the portal. `serve` gives the flag to scans that only read; it stands
    /// in no file, and `config show` does not list it.
    #[serde(skip_serializing)]
    pub(crate) cannot_act: bool,
    /// Who asked `serve` for this run, for the journal: `POST from 192.0.2.7`. Empty for a run that cron or a person has started.
    #[serde(skip_serializing)]
    pub(crate) asked_by: String,
}

/// What the program may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Report and plan; release whom earlier runs have suspended.
    #[default]
    Observe,
    /// Suspend, too.
    Enforce,
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, &'static str> {
        match word {
            "observe" => Ok(Mode::Observe),
            "enforce" => Ok(Mode::Enforce),
            _ => Err("must be `observe` or `enforce`"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
        })
    }
}

impl Config {
    pub(crate) fn is_enforcing(&self) -> bool {
        self.mode == Mode::Enforce
    }

    /// For how long, how many, and whom a run suspends.
    pub(crate) fn terms(&self) -> Terms {
        self.suspend.terms(self.breaker)
    }

    /// How long look-ups may keep an alert waiting; `None`: as long as they take.
    pub(crate) fn look_up_limit(&self) -> Option<Duration> {
        Some(self.look_up_limit.0).filter(|limit| !limit.is_zero())
    }
}

/// `serve.*`: how the program answers over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Serve {
    /// File with the token that callers must present.
    pub(crate) token_file: Option<PathSetting>,
    /// File with the secret that the portal signs its webhooks with; without it none are taken.
    pub(crate) webhook_secret_file: Option<PathSetting>,
    /// How long after the first webhook its scan begins, which is for all that come in the meantime. 1 s to 10 min.
    pub(crate) webhook_debounce: Age,
    /// Whether a scan that a webhook asked for may change as much as one of cron. Otherwise it only tells.
    pub(crate) webhook_acts: bool,
}

impl Default for Serve {
    fn default() -> Self {
        Serve {
            token_file: None,
            webhook_secret_file: None,
            webhook_debounce: Age(WEBHOOK_DEBOUNCE),
            webhook_acts: false,
        }
    }
}

/// `protect.*`: people who are never suspended, besides those whom the portal protects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Protect {
    /// By id or e-mail.
    pub(crate) people: Vec<String>,
    /// By id or exact name.
    pub(crate) groups: Vec<String>,
}

impl Protect {
    pub(crate) fn named_people(&self) -> NamedList {
        NamedList::people("protect.people", &self.people)
    }

    pub(crate) fn named_groups(&self) -> NamedList {
        NamedList::groups("protect.groups", &self.groups)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mode: Mode::Observe,
            limits: Limits::default(),
            folder_weight: FOLDER_WEIGHT,
            look_up_limit: Age(LOOK_UP_LIMIT),
            protect: Protect::default(),
            breaker: Breaker::default(),
            suspend: Suspend::default(),
            serve: Serve::default(),
            drill: DrillSettings::default(),
            keep: Age(KEEP),
            cannot_act: false,
            asked_by: String::new(),
        }
    }
}

impl Settings for Config {
    /// It writes no mails.
    fn places() -> &'static [&'static str] {
        &["serve.token_file", "serve.webhook_secret_file", "drill.key_file"]
    }

    /// As far as the longest `minutes`.
    fn reach(&self, usual: TimeDelta) -> TimeDelta {
        usual.max(self.limits.longest_short())
    }

    fn named(&self, _now: DateTime<Utc>) -> Vec<NamedList> {
        vec![self.protect.named_people(), self.protect.named_groups(), self.suspend.named_leavers()]
    }

    fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        let Serve { token_file, webhook_secret_file, .. } = &self.serve;
        let token = token_file.iter().map(|path| ("the token in", path.as_path()));
        let secret = webhook_secret_file.iter().map(|path| ("the secret of webhooks in", path.as_path()));
        let drill = self.drill.key_file.iter().map(|path| ("the key of the drill's account in", path.as_path()));
        token.chain(secret).chain(drill).collect()
    }

    fn remembers(&self) -> (TimeDelta, &'static str) {
        (TimeDelta::days(31), "the comparison with what people usually do")
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        self.limits.validate(&mut wrong);
        wrong.keep(self.keep, self.remembers());
        let debounce = self.serve.webhook_debounce;
        let message = "must be between 1s and 10m: each scan costs the portal requests";
        wrong.refuse_if(!DEBOUNCES.contains(&debounce.0), "serve.webhook_debounce", message);
        wrong.between("breaker.percent", self.breaker.percent, 0..=100, "");
        wrong.between("breaker.people", self.breaker.people, 0..=MOST_PEOPLE, "");
        wrong.between("breaker.per_day", self.breaker.per_day, 0..=MOST_PEOPLE, "");
        wrong.refuse_if(self.folder_weight == 0, "folder_weight", "must be at least 1: a folder is something");
        wrong.no_blanks("protect.people", &self.protect.people, "ids or e-mail addresses");
        wrong.no_blanks("protect.groups", &self.protect.groups, "ids or exact names");
        self.suspend.validate(self.is_enforcing(), &mut wrong);
        self.drill.validate(&mut wrong);
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels of the kind `email` send by it.
    #[test]
    fn a_mail_server_may_be_set() {
        let environment = [
            ("DOCSPACE_API_HOST", "https://docs.example.com"),
            ("BULK_GUARD_MAIL__HOST", "smtp.example.com"),
            ("BULK_GUARD_MAIL__FROM", "docspace@example.com"),
        ];
        let sources =
            job_runner::config::Sources { environment: environment.into_iter().collect(), ..Default::default() };
        let problems = job_runner::config::load::<Config>("bulk-guard", &sources).err();
        assert_eq!(problems.map(|problems| problems.to_string()), None);
    }

    /// It is asked for, and for what.
    #[test]
    fn nobody_suspends_without_saying_for_what() {
        assert_eq!(["observe".parse(), "enforce".parse()], [Ok(Mode::Observe), Ok(Mode::Enforce)]);
        assert_eq!("Observe".parse::<Mode>(), Err("must be `observe` or `enforce`"));
        assert_eq!(Config::default().validate(), []);
        let wrong = |kinds: &[&str]| {
            let suspend = Suspend { kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(), ..Suspend::default() };
            let problems = Config { mode: Mode::Enforce, suspend, ..Config::default() }.validate();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert!(wrong(&[]).contains("suspend nobody"), "{}", wrong(&[]));
        assert!(wrong(&["renamd"]).contains("do you mean `renamed`"), "{}", wrong(&["renamd"]));
        assert_eq!(wrong(&["renamed", "deleted_for_good"]), "");
    }

    #[test]
    fn a_breaker_that_never_trips_is_refused() {
        let breaker = Breaker { percent: 1_000, people: 1 << 63, per_day: 1_001 };
        let keys: Vec<_> =
            Config { breaker, ..Config::default() }.validate().into_iter().filter_map(|one| one.key).collect();
        assert_eq!(keys, ["breaker.percent", "breaker.people", "breaker.per_day"]);
    }

    #[test]
    fn a_limit_without_time_is_refused() {
        let mut config = Config::default();
        config.limits.moved_out.minutes = 0;
        config.limits.changes.minutes = 100_000;
        let keys: Vec<_> = config.validate().into_iter().filter_map(|problem| problem.key).collect();
        assert_eq!(keys, ["limits.changes.minutes", "limits.moved_out.minutes"]);
    }
}
