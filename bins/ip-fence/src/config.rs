//! This program's settings. `ip-fence.example.toml` says the same.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use audit_model::Address;
use chrono::TimeDelta;
use job_runner::config::{PathSetting, Problem, Settings, Validation};
use job_runner::time_spec::Age;
use serde::{Deserialize, Serialize};

/// Long enough to tell a usual country from a new one.
const KEEP: Duration = Duration::from_secs(90 * 86_400);

/// Time to ask somebody to sign in.
const CONFIRM_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Processes of the portal remember the switch for five minutes, so in less time nobody sees what the list does. Whoever waits keeps runs
/// from watching.
const CONFIRM_BOUNDS: std::ops::RangeInclusive<Duration> = Duration::from_secs(600)..=Duration::from_secs(7_200);

/// Five wrong passwords within ten minutes are more than somebody types who has forgotten one.
const FAILED_LOGINS: u64 = 5;
const FAILED_MINUTES: u32 = 10;

/// In a day, so that whoever guesses slowly is seen, too. A phone with an outdated password reaches the first, a large office behind one
/// address hardly the second.
const FAILED_LOGINS_PER_DAY: u64 = 30;
const PEOPLE_PER_DAY: u64 = 20;

/// A whole /24. More entries than that make a list that nobody reads, and each is compared with every request.
const EXPANSION_CAP: u64 = 256;

/// No list needs more: beyond, expanding only fills the memory.
const LARGEST_CAP: u64 = 65_536;

/// Own settings, besides those that all programs share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// The file that says who may come from where.
    pub(crate) policy: Option<PathSetting>,
    /// The file of a plan that runs hold against the logins before it is carried out.
    pub(crate) shadow: Option<PathSetting>,
    /// Report only findings about these people, by id or e-mail address. Empty: everybody.
    pub(crate) people: Vec<String>,
    /// A single IPv6 address of the policy stands for its /64.
    pub(crate) ipv6_by_64: bool,
    /// A key that may write the portal's list, read only where the list is written or taken back. Without it: the key of runs.
    pub(crate) apply_key_file: Option<PathSetting>,
    pub(crate) apply: Apply,
    pub(crate) portal: OwnPortal,
    pub(crate) limits: Limits,
    /// How long is remembered what happened.
    pub(crate) keep: Age,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            policy: None,
            shadow: None,
            people: Vec::new(),
            ipv6_by_64: false,
            apply_key_file: None,
            apply: Apply::default(),
            portal: OwnPortal::default(),
            limits: Limits::default(),
            keep: Age(KEEP),
        }
    }
}

/// `apply.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Apply {
    /// How long somebody has to confirm a list that was written.
    pub(crate) confirm_within: Age,
}

impl Default for Apply {
    fn default() -> Self {
        Apply { confirm_within: Age(CONFIRM_WITHIN) }
    }
}

/// `portal.*`, beside the common ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OwnPortal {
    pub(crate) enforce: Enforce,
    /// Whether people reach the portal over the internet, so that a private address is not genuine. By default judged by the
    /// portal's own address.
    pub(crate) public: Option<bool>,
    /// Tell the sign-ins of the portal's owner, whom no list stops, while the list counts.
    pub(crate) break_glass: bool,
    /// A network or range of more addresses than this is not expanded in a plan.
    pub(crate) expansion_cap: u64,
}

impl Default for OwnPortal {
    fn default() -> Self {
        OwnPortal { enforce: Enforce::default(), public: None, break_glass: true, expansion_cap: EXPANSION_CAP }
    }
}

impl OwnPortal {
    /// Whether people come to the portal over the internet. By default: unless it has a private address or a name that only a company's own
    /// network knows.
    pub(crate) fn is_public(&self, portal: &url::Url) -> bool {
        let is_private = |ip: IpAddr| matches!(Address::from(ip), Address::Private(_));
        self.public.unwrap_or_else(|| match portal.host() {
            Some(url::Host::Domain(name)) => {
                let is_inner =
                    [".local", ".internal", ".lan", ".intranet", ".home.arpa"].iter().any(|end| name.ends_with(end));
                name.contains('.') && !is_inner
            }
            Some(url::Host::Ipv4(ip)) => !is_private(ip.into()),
            Some(url::Host::Ipv6(ip)) => !is_private(ip.into()),
            None => true,
        })
    }
}

/// What a plan does to the portal's switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Enforce {
    #[default]
    Keep,
    On,
    Off,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum EnforceForm {
    Switch(bool),
    Word(String),
}

impl Serialize for Enforce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Enforce::Keep => serializer.serialize_str("keep"),
            Enforce::On => serializer.serialize_bool(true),
            Enforce::Off => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Enforce {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = EnforceForm::deserialize(deserializer).map_err(|_| expected_enforce())?;
        match form {
            EnforceForm::Switch(true) => Ok(Enforce::On),
            EnforceForm::Switch(false) => Ok(Enforce::Off),
            // from the environment everything is a word
            EnforceForm::Word(word) => match word.as_str() {
                "keep" => Ok(Enforce::Keep),
                "true" => Ok(Enforce::On),
                "false" => Ok(Enforce::Off),
                _ => Err(expected_enforce()),
            },
        }
    }
}

fn expected_enforce<E: serde::de::Error>() -> E {
    E::custom("must be \"keep\", true or false")
}

/// Failed logins that are still usual; so many or more are a finding. 0 switches one off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// With one typed address.
    pub(crate) failed_logins: u64,
    /// Typed addresses that one caller tried.
    pub(crate) sprayed_people: u64,
    /// The sliding window of both.
    pub(crate) minutes: u32,
    /// With one typed address within 24 hours.
    pub(crate) failed_logins_per_day: u64,
    /// Typed addresses that one caller tried within 24 hours.
    pub(crate) sprayed_people_per_day: u64,
    /// Typed addresses that all callers together tried within 24 hours; three times the usual number when that is more.
    pub(crate) spread_people_per_day: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            failed_logins: FAILED_LOGINS,
            sprayed_people: FAILED_LOGINS,
            minutes: FAILED_MINUTES,
            failed_logins_per_day: FAILED_LOGINS_PER_DAY,
            sprayed_people_per_day: PEOPLE_PER_DAY,
            spread_people_per_day: PEOPLE_PER_DAY,
        }
    }
}

impl Settings for Config {
    /// It writes no mails.
    fn places() -> &'static [&'static str] {
        &["policy", "shadow", "apply_key_file"]
    }

    fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        self.apply_key_file.iter().map(|path| ("the key that writes in", path.as_path())).collect()
    }

    /// The people whom the settings restrict a run to.
    fn part(&self) -> String {
        let people: BTreeSet<String> = self.people.iter().map(|person| person.trim().to_lowercase()).collect();
        if people.is_empty() {
            return String::new();
        }
        serde_json::to_string(&people).expect("strings are always JSON")
    }

    fn remembers(&self) -> (TimeDelta, &'static str) {
        (TimeDelta::days(31), "`plan`, as do the rules about usual places,")
    }

    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        wrong.no_blanks("people", &self.people, "ids or e-mail addresses");
        wrong.keep(self.keep, self.remembers());
        wrong.refuse_if(self.limits.minutes == 0, "limits.minutes", "must be at least 1");
        let limits = &self.limits;
        for (key, limit) in [
            ("limits.failed_logins", limits.failed_logins),
            ("limits.sprayed_people", limits.sprayed_people),
            ("limits.failed_logins_per_day", limits.failed_logins_per_day),
            ("limits.sprayed_people_per_day", limits.sprayed_people_per_day),
            ("limits.spread_people_per_day", limits.spread_people_per_day),
        ] {
            wrong.refuse_if(limit == 1, key, "must be 0 (off) or at least 2: everybody mistypes once");
        }
        let is_in_bounds = CONFIRM_BOUNDS.contains(&self.apply.confirm_within.0);
        wrong.refuse_if(!is_in_bounds, "apply.confirm_within", "must be at least 10m and at most 2h");
        wrong.between("portal.expansion_cap", self.portal.expansion_cap, 1..=LARGEST_CAP, "");
        wrong.problems()
    }
}

#[cfg(test)]
mod tests {
    use job_runner::config::{Sources, load};

    use super::*;

    fn from(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ip-fence.toml");
        std::fs::write(&path, text).unwrap();
        let sources = Sources { own_files: vec![path], ..Sources::default() };
        load::<Config>("ip-fence", &sources).map(|loaded| loaded.own).map_err(|problems| problems.to_string())
    }

    /// Channels of the kind `email` send by it.
    #[test]
    fn a_mail_server_may_be_set() {
        let environment = [
            ("DOCSPACE_API_HOST", "https://docs.example.com"),
            ("IP_FENCE_MAIL__HOST", "smtp.example.com"),
            ("IP_FENCE_MAIL__FROM", "docspace@example.com"),
        ];
        let sources =
            job_runner::config::Sources { environment: environment.into_iter().collect(), ..Default::default() };
        let problems = job_runner::config::load::<Config>("ip-fence", &sources).err();
        assert_eq!(problems.map(|problems| problems.to_string()), None);
    }

    #[test]
    fn the_example_is_a_policy() {
        assert!(crate::policy::parse(include_str!("../policy.example.toml")).is_ok());
    }

    #[test]
    fn the_switch_takes_three_values() {
        let portal = "[portal]\nurl = \"https://docs.example.com\"\nenforce = ";
        for (text, enforce) in [("\"keep\"", Enforce::Keep), ("true", Enforce::On), ("false", Enforce::Off)] {
            assert_eq!(from(&format!("{portal}{text}")).unwrap().portal.enforce, enforce);
        }
        let problem = from(&format!("{portal}\"on\"")).unwrap_err();
        assert!(problem.contains("portal.enforce") && problem.contains("\"keep\", true or false"), "{problem}");
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        let limits =
            Limits { failed_logins: 1, sprayed_people: 1, minutes: 0, spread_people_per_day: 1, ..Limits::default() };
        let portal = OwnPortal { expansion_cap: 0, ..OwnPortal::default() };
        assert_eq!(Config { limits, portal, ..Config::default() }.validate().len(), 5);
    }
}
