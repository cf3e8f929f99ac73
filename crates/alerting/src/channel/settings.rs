//! One table of `[[alerts.channel]]`: what every channel has, and what its kind makes of the rest.

use outbound::{HttpOptions, is_loopback};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::kind::{KINDS, Kind, SecretMember};
use super::route::Route;
use super::{Channel, Way};
use crate::mail::{MailError, Mailer};
use crate::message::Language;

/// Longest name: it stands in every line about the channel.
const LONGEST_NAME: usize = 40;

/// Longest text from the settings that an error repeats; a secret in the wrong place is longer.
const LONGEST_ECHO: usize = 24;

/// Members of one channel as they stand in the settings.
pub type Members = Map<String, Value>;

/// What is wrong with a channel: the member, or nothing where it is the whole, and what would be right, continuing its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub member: String,
    pub message: String,
}

impl Fault {
    pub fn new(member: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { member: member.into(), message: message.into() }
    }

    /// The member, if there is one, and what is wrong with it.
    pub fn in_words(&self) -> String {
        let Fault { member, message } = self;
        if member.is_empty() { message.clone() } else { format!("`{member}` {message}") }
    }
}

/// How a channel gets out of here.
pub struct WayOut<'a> {
    pub(super) http: &'a HttpOptions,
    /// Whether plain `http` to other hosts is allowed.
    allow_http: bool,
    mailer: Option<&'a dyn Fn() -> Result<Option<Mailer>, Fault>>,
}

impl<'a> WayOut<'a> {
    pub fn new(http: &'a HttpOptions, allow_http: bool) -> Self {
        WayOut { http, allow_http, mailer: None }
    }

    /// With what makes a [`Mailer`]; `None` where no mail server is set.
    #[must_use]
    pub fn with_mail(self, mailer: &'a dyn Fn() -> Result<Option<Mailer>, Fault>) -> Self {
        WayOut { mailer: Some(mailer), ..self }
    }

    /// The kind, if its address may be used: an alert names people.
    pub(super) fn permitted<S: super::http::HttpKind>(&self, says: S) -> Result<S, Fault> {
        let url = says.address()?;
        let may_be_plain = self.allow_http || is_loopback(&url);
        if url.scheme() == "https" || url.scheme() == "http" && may_be_plain {
            return Ok(says);
        }
        let message = "must start with `https://`: an alert names people; plain `http` is for this machine, or with `--allow-http`";
        Err(Fault::new(says.address_member(), message))
    }

    pub(super) fn mailer(&self) -> Result<Mailer, Fault> {
        let mailer = self.mailer.map(|make| make()).transpose()?.flatten();
        mailer.ok_or_else(|| Fault::new("", "sends mail, but no mail server is set: set `mail.host` and `mail.from`"))
    }
}

/// What every channel has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Common {
    name: String,
    kind: String,
    language: Language,
    #[serde(flatten)]
    route: Route,
}

/// The names of what every channel has.
const COMMON: [&str; 11] =
    ["name", "kind", "language", "min_severity", "rules", "rooms", "people", "groups", "quiet", "per_run", "per_hour"];

/// One channel in the settings, without its secrets.
#[derive(Clone, Debug)]
pub struct ChannelSettings {
    pub name: String,
    pub kind: &'static Kind,
    language: Language,
    route: Route,
    members: Members,
}

impl ChannelSettings {
    /// Reads one table. Relative paths must have been resolved.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(table: &Members) -> Result<Self, Fault> {
        let (common, mut members): (Members, Members) =
            table.clone().into_iter().partition(|(name, _)| COMMON.contains(&name.as_str()));
        let text = |member: &str| common.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, kind) = (text("name"), text("kind"));
        checked_name(&name)?;
        let known = || KINDS.iter().map(|kind| format!("`{}`", kind.name)).collect::<Vec<_>>().join(", ");
        if kind.is_empty() {
            return Err(Fault::new("kind", format!("is missing: it is one of {}", known())));
        }
        let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
            return Err(Fault::new("kind", format!("is not known here: it is one of {}", known())));
        };
        let Common { language, route, .. } = read(common)?;
        for secret in kind.secrets {
            let file = format!("{}_file", secret.name);
            match members.get(&file) {
                Some(Value::String(path)) if path.is_empty() => {
                    members.remove(&file);
                }
                Some(Value::String(_)) | None => {}
                Some(_) => return Err(Fault::new(file, "must be a path in quotes")),
            }
            if members.contains_key(secret.name) && !secret.may_be_inline {
                let message = format!("must not stand in the settings: write it into a file and name that in `{file}`");
                return Err(Fault::new(secret.name, message));
            }
            if members.contains_key(secret.name) && members.contains_key(&file) {
                return Err(Fault::new(secret.name, format!("stands beside `{file}`: leave one of them out")));
            }
        }
        let settings = ChannelSettings { name, kind, language, route, members };
        settings.checked()
    }

    /// With something in the place of secrets that are elsewhere, so that everything else is read.
    fn checked(self) -> Result<Self, Fault> {
        let mut members = self.members.clone();
        for secret in self.kind.secrets {
            if members.remove(&format!("{}_file", secret.name)).is_some()
                || secret.is_required && !members.contains_key(secret.name)
            {
                members.insert(secret.name.to_owned(), "https://elsewhere.invalid/".into());
            }
        }
        (self.kind.check)(members)?;
        Ok(self)
    }

    /// Which alerts it gets.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The file of a secret, where the settings name one.
    pub fn secret_file(&self, secret: &SecretMember) -> Option<&str> {
        self.members.get(&format!("{}_file", secret.name)).and_then(Value::as_str)
    }

    /// The file that alerts are appended to, of that kind.
    pub fn file(&self) -> Option<&str> {
        self.members.get("path").and_then(Value::as_str).filter(|_| self.kind.name == "file")
    }

    /// Makes the channel. `find` looks for a secret in the places besides the settings. Where one is missing or has another form, or there is
    /// no way out of here, it is a channel that takes nothing and says why ([`Channel::missing`]): the others, and the look itself, must not
    /// depend on it.
    pub fn build(
        self,
        find: impl Fn(&SecretMember, Option<&str>) -> Result<Option<SecretString>, Fault>,
        out: &WayOut<'_>,
    ) -> Channel {
        let way = self.way(find, out).unwrap_or_else(|fault| Way::Missing(self.kind.name, fault));
        Channel { name: self.name, way, route: self.route, language: self.language }
    }

    fn way(
        &self,
        find: impl Fn(&SecretMember, Option<&str>) -> Result<Option<SecretString>, Fault>,
        out: &WayOut<'_>,
    ) -> Result<Way, Fault> {
        let mut members = self.members.clone();
        for secret in self.kind.secrets {
            let file = members.remove(&format!("{}_file", secret.name));
            let found = find(secret, file.as_ref().and_then(Value::as_str))?;
            match found {
                Some(found) => {
                    members.insert(secret.name.to_owned(), found.expose_secret().into());
                }
                None if secret.is_required && !members.contains_key(secret.name) => {
                    let message = format!(
                        "is missing: name its file in `{0}_file`, or give the variable `{1}` or the credential `{2}`",
                        secret.name,
                        variable_of(&self.name, secret.name),
                        credential_of(&self.name, secret.name),
                    );
                    return Err(Fault::new(secret.name, message));
                }
                None => {}
            }
        }
        (self.kind.build)(members, self.kind.name, out)
    }
}

/// The variable with a secret of a channel: `ALERT_SOC_SLACK_URL`.
pub fn variable_of(channel: &str, member: &str) -> String {
    format!("ALERT_{channel}_{member}").replace('-', "_").to_ascii_uppercase()
}

/// The credential with it: `alert-soc-slack-url`.
pub fn credential_of(channel: &str, member: &str) -> String {
    format!("alert-{channel}-{member}").replace('_', "-")
}

/// An address that is a secret: the message never repeats it.
pub(super) fn address_of(member: &str, text: &SecretString) -> Result<Url, Fault> {
    let url = Url::parse(text.expose_secret().trim()).ok().filter(Url::has_host);
    url.ok_or_else(|| Fault::new(member, "must be an address like `https://host/path`"))
}

/// An address that is no secret: the one that was given, or the usual one; with these parts behind its path.
pub(super) fn address_with(member: &str, given: Option<&Url>, usual: &str, parts: &[&str]) -> Result<Url, Fault> {
    let url = given.map_or_else(|| Url::parse(usual).ok(), |given| Some(given.clone()));
    let longer = url.filter(Url::has_host).and_then(|mut url| {
        url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
        Some(url)
    });
    longer.ok_or_else(|| Fault::new(member, format!("must be an address like `{usual}`")))
}

/// A token that is sent in a header or an address: the message never repeats it.
pub(super) fn token_of<'a>(member: &str, text: &'a SecretString) -> Result<&'a str, Fault> {
    let token = text.expose_secret().trim();
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(token) } else { Err(Fault::new(member, "must be one line without blanks, as the service shows it")) }
}

/// Reads settings of any kind.
pub(super) fn read<S: DeserializeOwned>(members: Members) -> Result<S, Fault> {
    serde_json::from_value(Value::Object(members.clone())).map_err(|error| {
        let (said, text) = (error.to_string(), without_long_quotes(&error.to_string()));
        let missing = text.split('`').nth(1).filter(|_| text.starts_with("missing field"));
        match missing {
            Some(member) => Fault::new(member, "is missing"),
            None => Fault::new(at_fault::<S>(&members, &said).unwrap_or_default(), text),
        }
    })
}

/// The member with the value that is read with this error, also where it stands alone.
fn at_fault<S: DeserializeOwned>(members: &Members, said: &str) -> Option<String> {
    let is_it = |(name, value): &(&String, &Value)| {
        let alone = Members::from_iter([((*name).clone(), (*value).clone())]);
        serde_json::from_value::<S>(Value::Object(alone)).is_err_and(|error| error.to_string() == said)
    };
    members.iter().find(is_it).map(|(name, _)| name.clone())
}

/// Whether a header of this name usually holds a secret.
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "cookie", "key", "password", "secret", "session", "token"].iter().any(|word| name.contains(word))
}

/// What serde says, without values so long that they could be secrets.
fn without_long_quotes(text: &str) -> String {
    let short = |part: &str| if part.chars().count() > LONGEST_ECHO { "…".to_owned() } else { part.to_owned() };
    let quoted: Vec<String> =
        text.split('"').enumerate().map(|(n, part)| if n % 2 == 1 { short(part) } else { part.to_owned() }).collect();
    let text = quoted.join("\"");
    let ticked: Vec<String> =
        text.split('`').enumerate().map(|(n, part)| if n % 2 == 1 { short(part) } else { part.to_owned() }).collect();
    ticked.join("`")
}

fn checked_name(name: &str) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        return Err(Fault::new("name", "is missing: give the channel a name such as `soc-slack`"));
    }
    if name.len() > LONGEST_NAME || !name.chars().all(fits) || name.starts_with('-') {
        return Err(Fault::new("name", "must be up to 40 small letters, digits and `-`, such as `soc-slack`"));
    }
    Ok(())
}

impl From<MailError> for Fault {
    fn from(error: MailError) -> Self {
        Fault::new("", error.to_string())
    }
}
