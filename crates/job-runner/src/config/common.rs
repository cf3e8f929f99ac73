//! The settings that every program has.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;
use url::{Host, Url};

use super::Settings;
use super::channels;
use super::mail::MailSettings;
use super::path::PathSetting;
use super::problem::Problem;
use super::validation::Validation;
use crate::state_path::Placeholders;
use crate::time_spec::Age;

/// Longest run before it counts as stuck, unless a program's own defaults say otherwise: several cron intervals of the
/// programs that run every ten minutes.
const RUN_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Somebody who was told has begun to look; a message an hour about the same matter is what they can take in meanwhile.
const QUIET: Duration = Duration::from_secs(60 * 60);

/// Those that are a path or an address, in which `{program}` and `{portal}` stand for their names.
pub(crate) const PLACES: [&str; 13] = [
    "alerts.file.path",
    "alerts.webhook.secret_file",
    "alerts.webhook.url",
    "heartbeat.url",
    "key_file",
    "mail.ca_file",
    "mail.password_file",
    "names_key_file",
    "outbound.ca_file",
    "outbound.proxy",
    "state",
    "state_password_file",
    "textfile",
];

/// Long enough to find out what led to an alert, unless a program's own defaults say otherwise.
const KEEP: Duration = Duration::from_secs(90 * 86_400);

/// Settings of all programs. Has no `Debug`: the addresses of webhooks and proxies may hold secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct CommonConfig {
    /// `portal.*`: the portal to watch.
    pub portal: PortalSettings,
    /// `key_file`: the file with the API key, when nothing with a higher priority names one.
    pub key_file: Option<PathSetting>,
    /// `state`: the folder for the program's memory, or the URL of a server.
    pub state: Option<PathSetting>,
    /// `state_password_file`: file with the password for that server. The credential `postgres-password` does as well.
    pub state_password_file: Option<PathSetting>,
    /// `run_limit`: how long a run may take. Default `30m`.
    pub run_limit: Age,
    /// `keep`: how long a program remembers what happened; older rows are forgotten once a day. Default `90d`.
    pub keep: Age,
    /// `service_accounts`: people who are robots, by user id or e-mail.
    pub service_accounts: Vec<String>,
    /// `names`: how people are named in reports, alerts and files. Default `clear`.
    pub names: NamesSetting,
    /// `names_key_file`: the file with the key of pseudonyms. The credential `names-key` does as well.
    pub names_key_file: Option<PathSetting>,
    /// `budget.*`: how much a run may ask of the portal.
    pub budget: BudgetSettings,
    /// `outbound.*`: how to get out of here.
    pub outbound: OutboundSettings,
    /// `alerts.*`: where findings go besides the report.
    pub alerts: AlertSettings,
    /// `mail.*`: how programs write to people.
    pub mail: MailSettings,
    /// `heartbeat.*`: who is told that runs go on.
    pub heartbeat: HeartbeatSettings,
    /// `textfile`: the `.prom` file for the textfile collector of Prometheus' node exporter.
    pub textfile: Option<PathSetting>,
}

/// `names`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamesSetting {
    /// By name, e-mail address and id.
    #[default]
    Clear,
    /// By what only the key can lead back to them.
    Pseudonym,
}

/// `heartbeat.*`
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeartbeatSettings {
    /// `heartbeat.url`: address of a check that speaks the protocol of Healthchecks. Holds a secret.
    pub url: Option<String>,
}

/// `portal.*`
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PortalSettings {
    /// `portal.url`: base address, without a path. Required.
    pub url: Option<String>,
    /// `portal.allow_http`: accept plain `http` to other hosts. Default `false`.
    pub allow_http: bool,
}

/// `budget.*`: a run that reaches one of these ends its reading, and says that it is incomplete. Time is limited by `run_limit`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetSettings {
    /// `budget.requests`: requests to the portal, repeats included. Default 25000.
    pub requests: u64,
    /// `budget.rows`: events and logins received, overlaps included. Default 2000000.
    pub rows: u64,
    /// `budget.megabytes`: bodies received, in MiB after decompression. Default 4096.
    pub megabytes: u64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { requests: 25_000, rows: 2_000_000, megabytes: 4_096 }
    }
}

/// `outbound.*`
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OutboundSettings {
    /// `outbound.proxy`: address of an HTTP proxy.
    pub proxy: Option<String>,
    /// `outbound.ca_file`: PEM file with further certificate authorities.
    pub ca_file: Option<PathSetting>,
}

/// `alerts.*`
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertSettings {
    /// `alerts.file.*`
    pub file: FileAlert,
    /// `alerts.webhook.*`
    pub webhook: WebhookAlert,
    /// `[[alerts.channel]]`: further channels, each with a `name`, a `kind`, what is common to all, and what its kind asks for.
    pub channel: Vec<alerting::Members>,
    /// `alerts.quiet`: how long nothing must have happened before a burst counts as over. Default `1h`.
    pub quiet: Age,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self { file: FileAlert::default(), webhook: WebhookAlert::default(), channel: Vec::new(), quiet: Age(QUIET) }
    }
}

/// `alerts.file.*`
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileAlert {
    /// `alerts.file.path`: file to append alerts to.
    pub path: Option<PathSetting>,
}

/// `alerts.webhook.*`
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookAlert {
    /// `alerts.webhook.url`: address to post alerts to.
    pub url: Option<String>,
    /// `alerts.webhook.secret_file`: file with the secret that signs them, `whsec_…`. The credential `alert-webhook-secret` does as well.
    pub secret_file: Option<PathSetting>,
}

impl Default for CommonConfig {
    fn default() -> Self {
        Self {
            portal: PortalSettings::default(),
            key_file: None,
            state: None,
            state_password_file: None,
            run_limit: Age(RUN_LIMIT),
            keep: Age(KEEP),
            service_accounts: Vec::new(),
            names: NamesSetting::default(),
            names_key_file: None,
            budget: BudgetSettings::default(),
            outbound: OutboundSettings::default(),
            alerts: AlertSettings::default(),
            mail: MailSettings::default(),
            heartbeat: HeartbeatSettings::default(),
            textfile: None,
        }
    }
}

impl CommonConfig {
    /// People who are robots: ids or e-mail addresses, lower case.
    pub(crate) fn robots(&self) -> Vec<String> {
        self.service_accounts.iter().map(|account| account.to_lowercase()).collect()
    }

    /// The address of the portal, always with the path `/`.
    ///
    /// # Errors
    /// The problem with `portal.url`. There is none in settings that [`super::load`] returned.
    pub fn portal_url(&self) -> Result<Url, Problem> {
        portal_url(&self.portal).map_err(|message| Problem::new("portal.url", message))
    }

    /// The address of the heartbeat, if one is set.
    ///
    /// # Errors
    /// The problem with `heartbeat.url`. There is none in settings that [`super::load`] returned.
    pub fn heartbeat_url(&self) -> Result<Option<Url>, Problem> {
        let message =
            "must be an address such as `https://host/path`; plain `http` is for this machine, or with `--allow-http`";
        self.address("heartbeat.url", self.heartbeat.url.as_deref(), message)
    }

    /// The same of [`AlertSettings::webhook`].
    pub(crate) fn webhook_url(&self) -> Result<Option<Url>, Problem> {
        let message = "must be an address such as `https://host/path`: an alert names people; plain `http` is for this machine, or with `--allow-http`";
        self.address("alerts.webhook.url", self.alerts.webhook.url.as_deref(), message)
    }

    /// The messages never repeat the address: it is a secret.
    fn address(&self, key: &str, text: Option<&str>, message: &str) -> Result<Option<Url>, Problem> {
        let Some(text) = text else { return Ok(None) };
        let url = Url::parse(text).ok().filter(Url::has_host);
        let url = url.filter(|url| {
            url.scheme() == "https" || url.scheme() == "http" && (self.portal.allow_http || is_loopback(url))
        });
        url.map(Some).ok_or_else(|| Problem::new(key, message))
    }
}

impl Settings for CommonConfig {
    fn validate(&self) -> Vec<Problem> {
        let mut wrong = Validation::new();
        wrong.extend(self.portal_url().err());
        wrong.extend(self.heartbeat_url().err());
        wrong.extend(self.webhook_url().err());
        wrong.extend(self.mail.validate());
        wrong.extend(channels::problems(&self.alerts.channel));
        let textfile = self.textfile.as_ref().map(PathSetting::as_path);
        let ends_otherwise = textfile.is_some_and(|path| path.extension().is_none_or(|end| end != "prom"));
        wrong.refuse_if(ends_otherwise, "textfile", "must end in `.prom`: the collector reads no other files");
        fn path(setting: &Option<PathSetting>) -> Option<&Path> {
            setting.as_ref().map(PathSetting::as_path)
        }
        for (key, path) in [
            ("textfile", textfile),
            ("key_file", path(&self.key_file)),
            ("names_key_file", path(&self.names_key_file)),
            ("state", path(&self.state)),
            ("state_password_file", path(&self.state_password_file)),
            ("alerts.file.path", path(&self.alerts.file.path)),
            ("alerts.webhook.secret_file", path(&self.alerts.webhook.secret_file)),
            ("heartbeat.url", self.heartbeat.url.as_deref().map(Path::new)),
            ("alerts.webhook.url", self.alerts.webhook.url.as_deref().map(Path::new)),
        ] {
            wrong.placeholders(key, path, &Placeholders::NAMES);
        }
        wrong.refuse_if(self.run_limit.0.is_zero(), "run_limit", "must be longer than 0");
        let BudgetSettings { requests, rows, megabytes } = self.budget;
        for (key, value) in [("budget.requests", requests), ("budget.rows", rows), ("budget.megabytes", megabytes)] {
            wrong.refuse_if(value == 0, key, "must be at least 1: with 0 nothing could be read");
        }
        wrong.no_blanks("service_accounts", &self.service_accounts, "ids or e-mail addresses");
        wrong.problems()
    }
}

/// The messages never repeat the address: it may hold a password.
fn portal_url(portal: &PortalSettings) -> Result<Url, &'static str> {
    let text = portal
        .url
        .as_deref()
        .ok_or("is missing: give `--portal URL`, set `DOCSPACE_API_HOST`, or write it into the configuration")?;
    let url = Url::parse(text).map_err(|_| "must be a full address such as `https://docs.example.com`")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must start with `https://`, such as `https://docs.example.com`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password: put the API key in `key_file`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end after the host: leave out everything from `?` or `#` on");
    }
    if url.path() != "/" {
        return Err(if url.path().starts_with("/api") {
            "must be the address of the portal, not of its API: leave out `/api/2.0`"
        } else {
            "must end after the host: leave out the path"
        });
    }
    if url.scheme() == "http" && !portal.allow_http && !is_loopback(&url) {
        return Err(
            "would send the key unencrypted: use `https://`, or allow it with `--allow-http` or `portal.allow_http`",
        );
    }
    Ok(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, allow_http: bool) -> Result<String, &'static str> {
        portal_url(&PortalSettings { url: Some(url.to_owned()), allow_http }).map(String::from)
    }

    #[test]
    fn addresses_that_are_accepted() {
        for (text, expected) in [
            ("https://docs.example.com", "https://docs.example.com/"),
            ("https://DOCS.example.com:443/", "https://docs.example.com/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("http://localhost:8080/", "http://localhost:8080/"),
            ("http://[::1]/", "http://[::1]/"),
        ] {
            assert_eq!(checked(text, false).as_deref(), Ok(expected));
        }
        assert_eq!(checked("http://192.0.2.7", true).as_deref(), Ok("http://192.0.2.7/"));
    }

    #[test]
    fn addresses_that_are_refused_with_a_remedy() {
        for (text, remedy) in [
            ("", "full address"),
            ("docs.example.com", "full address"),
            ("docs.example.com:8080", "https://"),
            ("ftp://docs.example.com", "https://"),
            ("https://anna:secret@docs.example.com", "key_file"),
            ("https://docs.example.com/?a=1", "`?`"),
            ("https://docs.example.com/#top", "`#`"),
            ("https://docs.example.com/api/2.0", "leave out `/api/2.0`"),
            ("https://docs.example.com/api/2.0/", "leave out `/api/2.0`"),
            ("https://docs.example.com/rooms", "leave out the path"),
            ("http://docs.example.com", "--allow-http"),
            ("http://192.0.2.7", "--allow-http"),
            ("http://localhost.example.com", "--allow-http"),
        ] {
            let message = checked(text, false).unwrap_err();
            assert!(message.contains(remedy), "{text}: {message}");
            assert!(!message.contains("secret"));
        }
    }

    #[test]
    fn all_problems_are_returned() {
        let config = CommonConfig { run_limit: Age(Duration::ZERO), ..CommonConfig::default() };
        let keys: Vec<_> = config.validate().into_iter().filter_map(|problem| problem.key).collect();
        assert_eq!(keys, ["portal.url", "run_limit"]);
    }
}
