//! Settings in layers: defaults < portal file < own file < environment < flags.
//!
//! figment merges the layers; nothing outside this module sees it except the values of [`FlagSetting`]. A program's own
//! settings and the common ones are read from the same layers, so that one file serves both. All mistakes are reported
//! at once, with key and place. What the settings mean is left to the parts that use them.

pub(crate) mod channels;
mod common;
mod extract;
mod file;
mod layer;
mod mail;
mod path;
mod place;
mod problem;
mod show;
mod suggest;
pub mod text;
mod validation;
mod variables;

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use common::{
    AlertSettings, BudgetSettings, CommonConfig, FileAlert, HeartbeatSettings, NamesSetting, OutboundSettings,
    PortalSettings, WebhookAlert,
};
pub(crate) use common::{PLACES as COMMON_PLACES, is_loopback};
pub use mail::{MailSecurity, MailSettings};
pub use path::PathSetting;
pub use place::SettingPlace;
pub use problem::{Problem, Problems};
pub(crate) use show::ShownSetting;
pub use suggest::nearest_name;
pub use validation::{Validation, has_blank};
pub(crate) use variables::{PORTAL_URL as PORTAL_VARIABLE, name_of as variable_of, toml_value, typed};

use crate::args::{CommonArgs, FlagSetting};
use crate::environment::Environment;
use crate::names::NamedList;
use crate::state_path::Placeholders;
use extract::Extracted;
use layer::{Layer, Layers};

/// Settings that can be read from layers: one serde struct with `#[serde(default)]` on it and on its tables.
///
/// Neither `#[serde(flatten)]` nor, at the top level, `deny_unknown_fields`: the common settings stand in the same file,
/// and unknown keys are found by [`load`]. `Default` must write a value for every key, `None` included, because the
/// defaults tell the type of a setting and the known keys. A key that both have takes its default from the program.
pub trait Settings: Serialize + DeserializeOwned + Default {
    /// What is wrong across fields or out of bounds; empty if nothing is.
    fn validate(&self) -> Vec<Problem>;

    /// How long everything has to be remembered, and what needs it, for messages: what `keep` and `store prune` leave at least.
    fn remembers(&self) -> (TimeDelta, &'static str) {
        (TimeDelta::zero(), "nothing")
    }

    /// Own settings that are a path or an address, in which `{program}` and `{portal}` are filled in.
    fn places() -> &'static [&'static str] {
        &[]
    }

    /// Tables of the common settings that the program does nothing with. Only the file that several programs share may hold them.
    fn unused() -> &'static [&'static str] {
        &[]
    }

    /// How far the window reaches back from its end when no flag says it; `usual` is [`About::window`](crate::About::window).
    fn reach(&self, usual: TimeDelta) -> TimeDelta {
        usual
    }

    /// Which part of what happened a run judges; empty for everything, else the same text for the same part. What a part has judged is
    /// remembered by itself: a look at one room must not pass for one at all of them.
    fn part(&self) -> String {
        String::new()
    }

    /// The lists that name people, groups or rooms of the portal, besides `service_accounts`, as far as they count at this moment. Entries
    /// that mean nobody are named by `doctor` and in the notes of every run; those whose mistake ends a run are left to the program.
    fn named(&self, _now: DateTime<Utc>) -> Vec<NamedList> {
        Vec::new()
    }

    /// The zone in which the report shows times, where that is not the portal's.
    fn time_zone(&self) -> Option<Tz> {
        None
    }

    /// Whether a run sends mails, so that `mail.*` has to be set.
    fn needs_mail(&self) -> bool {
        false
    }

    /// Files of the program's own that nobody else may read, each with the words that come before its name: `the token in`.
    fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        Vec::new()
    }
}

/// Where settings come from. A value, so that tests need neither flags nor a process environment.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that several programs share.
    pub portal_file: Option<PathBuf>,
    /// The program's own files; the later win.
    pub own_files: Vec<PathBuf>,
    /// The variables of the process.
    pub environment: Environment,
    /// Flags that stand for settings; of two for one key the later counts.
    pub flags: Vec<FlagSetting>,
}

impl Sources {
    /// The files and flags of a command line, a program's own flags after the common ones, and the real environment.
    pub fn from_process(args: &CommonArgs, own_flags: Vec<FlagSetting>) -> Self {
        let mut flags = args.settings();
        flags.extend(own_flags);
        Self {
            portal_file: args.portal_config.clone(),
            own_files: args.config.clone(),
            environment: Environment::from_process(),
            flags,
        }
    }
}

/// The settings of a run.
pub struct Loaded<C> {
    /// What every program has.
    pub common: CommonConfig,
    /// What only this program has.
    pub own: C,
    layers: Layers,
}

impl<C> Loaded<C> {
    /// Where the value of `key` (dots between levels) comes from; `None` for a key that nothing sets.
    pub fn place_of(&self, key: &str) -> Option<&SettingPlace> {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        self.layers.place_of(&path)
    }
}

/// The settings of a run as far as they could be read, and everything that is wrong with them.
pub(crate) struct Read<C> {
    /// `None` when they could not be read even without the values that do not fit.
    pub(crate) settings: Option<(CommonConfig, C)>,
    pub(crate) problems: Vec<Problem>,
    /// `None` when no portal is named.
    pub(crate) placeholders: Option<Placeholders>,
    layers: Layers,
}

impl<C: Settings> Read<C> {
    /// Every setting with its value and where it comes from, by key. Values that do not fit are left out.
    pub(crate) fn shown(&self) -> Vec<ShownSetting> {
        show::settings(&self.layers, C::unused())
    }

    /// The settings, for a command that may do without a portal.
    ///
    /// # Errors
    /// Everything that is wrong, except that no portal is named.
    pub(crate) fn without_portal(self) -> Result<(CommonConfig, C), Problems> {
        let names_no_portal = |(common, _): &(CommonConfig, C)| common.portal.url.is_none();
        let Read { settings, problems, .. } = self;
        let may_be_missing = settings.as_ref().is_some_and(names_no_portal);
        let is_portal = |problem: &Problem| problem.key.as_deref() == Some("portal.url");
        match settings {
            Some(settings) if problems.iter().all(|problem| may_be_missing && is_portal(problem)) => Ok(settings),
            _ => Err(Problems(problems)),
        }
    }
}

/// Reads the settings of `program`, whose name also gives the prefix of its environment variables.
///
/// # Errors
/// Everything that is wrong, at once: files that cannot be read or parsed, unknown keys, wrong types, and what
/// [`Settings::validate`] finds in what is left. Somebody has to edit something (exit code 2).
pub fn load<C: Settings>(program: &str, sources: &Sources) -> Result<Loaded<C>, Problems> {
    let Read { settings, problems, layers, .. } = read::<C>(program, sources);
    match settings {
        Some((common, own)) if problems.is_empty() => Ok(Loaded { common, own, layers }),
        _ => Err(Problems(problems)),
    }
}

/// The same, with the mistakes beside what could be read.
pub(crate) fn read<C: Settings>(program: &str, sources: &Sources) -> Read<C> {
    let mut problems = Vec::new();
    let mut layers = Layers::new(defaults::<CommonConfig>(), defaults::<C>());
    for path in sources.portal_file.iter().chain(&sources.own_files) {
        match file::read(path) {
            Ok(mut layer) => {
                let is_shared = sources.portal_file.as_ref() == Some(path) && !sources.own_files.contains(path);
                problems.extend(layer.take_unused::<C>(program).into_iter().filter(|_| !is_shared));
                layers.push(layer, &mut problems);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let state = layers.text_at("state");
    for mut layer in variables::layers(program, &sources.environment, layers.defaults(), state.as_deref()) {
        problems.extend(layer.take_unused::<C>(program));
        layers.push(layer, &mut problems);
    }
    for FlagSetting { flag, key, value } in &sources.flags {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        layers.push(Layer::single(SettingPlace::Flag((*flag).to_owned()), &path, value.clone()), &mut problems);
    }
    let placeholders = layers.placeholders(program);
    if let Some(placeholders) = &placeholders {
        COMMON_PLACES.iter().chain(C::places()).for_each(|key| layers.fill_in(key, placeholders));
        layers.fill_in_channels(placeholders);
    }

    let common = extract::extract::<CommonConfig>(&mut layers, &mut problems);
    let own = extract::extract::<C>(&mut layers, &mut problems);
    let (Some(common), Some(own)) = (common, own) else {
        return Read { settings: None, problems, placeholders, layers };
    };
    problems.extend(extract::unknown_keys(&common.ignored, &own.ignored, &layers));

    let (Extracted { settings: common, .. }, Extracted { settings: own, .. }) = (common, own);
    for mut problem in common.validate().into_iter().chain(own.validate()) {
        // a key that is reported already has its default here, about which there is nothing to say
        if !problems.iter().any(|known| known.covers(&problem)) {
            layers.locate(&mut problem);
            problems.push(problem);
        }
    }
    Read { settings: Some((common, own)), problems, placeholders, layers }
}

/// Whether a settings file holds what nobody else may know: addresses that are secrets, or a password for a proxy. One that cannot be
/// read does not.
pub(crate) fn holds_secrets(path: &Path) -> bool {
    let Ok(Layer { values, .. }) = file::read(path) else { return false };
    let at = |key: &str| self::at(&values, key).and_then(Value::as_str).map(str::to_owned);
    let is_set = |key: &str| at(key).is_some_and(|text| !text.is_empty());
    let has_password = |state: String| {
        state.contains("password=") || url::Url::parse(&state).is_ok_and(|url| url.password().is_some())
    };
    is_set("heartbeat.url")
        || is_set("alerts.webhook.url")
        || channels::hold_secrets(&values)
        || at("outbound.proxy").is_some_and(|url| url.contains('@'))
        || at("state").is_some_and(has_password)
}

/// The defaults of a program's own settings and of the common ones; what both have, the program decides.
pub(crate) fn both_defaults<C: Settings>() -> Dict {
    let mut both = defaults::<CommonConfig>();
    for (key, value) in defaults::<C>() {
        match (both.get_mut(&key), value) {
            (Some(Value::Dict(_, common)), Value::Dict(_, own)) => common.extend(own),
            (_, value) => {
                both.insert(key, value);
            }
        }
    }
    both
}

/// What stands under a key, dots between levels.
pub(crate) fn at<'d>(values: &'d Dict, key: &str) -> Option<&'d Value> {
    let path: Vec<String> = key.split('.').map(str::to_owned).collect();
    layer::find(values, &path)
}

/// Whether two values are the same, whatever kind of number they are.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    serde_json::to_value(one).ok() == serde_json::to_value(other).ok()
}

/// The default settings as a table.
fn defaults<C: Settings>() -> Dict {
    Value::serialize(C::default())
        .expect("settings are plain data")
        .into_dict()
        .expect("settings are a struct with named fields")
}

#[cfg(test)]
mod tests;
