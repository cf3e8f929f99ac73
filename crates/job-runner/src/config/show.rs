//! Every setting with its value and where it comes from, fit to be shown: `config show`.

use alerting::{KINDS, SecretMember, is_secret_header};
use figment::value::{Dict, Value};
use serde_json::Value as Json;
use url::Url;

use super::layer::Layers;
use super::place::SettingPlace;

/// What is shown instead of a secret.
const MASK: &str = "***";

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownSetting {
    /// With dots between levels.
    pub(crate) key: String,
    /// Null when nothing is set. Addresses show scheme and host only.
    pub(crate) value: Json,
    pub(crate) place: SettingPlace,
}

/// All settings of the layers, by key, without the tables that the program does nothing with.
pub(super) fn settings(layers: &Layers, unused: &[&str]) -> Vec<ShownSetting> {
    let mut merged: Dict = layers.figment().extract().expect("layers are tables");
    merged.retain(|table, _| !unused.contains(&table.as_str()));
    let mut shown = Vec::new();
    collect(&merged, &mut Vec::new(), layers, &mut shown);
    shown
}

fn collect(table: &Dict, path: &mut Vec<String>, layers: &Layers, shown: &mut Vec<ShownSetting>) {
    for (name, value) in table {
        path.push(name.clone());
        match value {
            Value::Dict(_, inner) => collect(inner, path, layers, shown),
            value => {
                let key = path.join(".");
                let mut json = serde_json::to_value(value).expect("settings are plain data");
                mask(&key, &mut json);
                let place = layers.place_of(path).cloned().unwrap_or(SettingPlace::Default);
                shown.push(ShownSetting { key, value: json, place });
            }
        }
        path.pop();
    }
}

/// Takes out what may be a secret: keys, and of addresses all but scheme, host and port. Webhooks and heartbeats carry their secret
/// in the path, proxies before the host.
fn mask(key: &str, value: &mut Json) {
    match value {
        Json::String(text) => {
            let holds_address = key.ends_with("url") || key.ends_with("proxy") || text.contains("://");
            let is_secret = |secret: &SecretMember| secret.name == key && !secret.may_be_inline;
            if text.starts_with("sk-") || KINDS.iter().flat_map(|kind| kind.secrets).any(is_secret) {
                *text = MASK.to_owned();
            } else if holds_address {
                *text = origin(text);
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|element| mask(key, element)),
        Json::Object(table) => table.iter_mut().for_each(|(name, element)| match element {
            // of `headers`
            Json::String(text) if key == "headers" && is_secret_header(name) => *text = MASK.to_owned(),
            _ => mask(name, element),
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Scheme, host and port, and whether there is more.
fn origin(text: &str) -> String {
    let Some(url) = Url::parse(text).ok().filter(Url::has_host) else { return MASK.to_owned() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let is_whole = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let rest = if is_whole { String::new() } else { format!("/{MASK}") };
    format!("{}://{host}{port}{rest}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_hold_secrets_are_not_shown() {
        let headers = serde_json::json!({ "Authorization": "Bearer S3CRET", "X-Api-Key": "S3CRET", "Accept": "a/b" });
        let mut channels = serde_json::json!([{ "kind": "http", "headers": headers }]);
        mask("alerts.channel", &mut channels);
        assert!(!channels.to_string().contains("S3CRET") && channels.to_string().contains("a/b"), "{channels}");
    }

    #[test]
    fn addresses_show_scheme_and_host_only() {
        for (key, text, expected) in [
            ("portal.url", "https://docs.example.com", "https://docs.example.com"),
            ("portal.url", "https://anna:secret@docs.example.com", "https://docs.example.com"),
            ("alerts.webhook.url", "https://hooks.example.com:8443/secret?x=1", "https://hooks.example.com:8443/***"),
            ("alerts.webhook.url", "hooks.example.com:8080/secret", "***"),
            ("outbound.proxy", "http://user:secret@proxy.example.com:3128", "http://proxy.example.com:3128"),
            ("outbound.proxy", "secret@proxy", "***"),
            ("state", "postgres://user:secret@db.example.com/state", "postgres://db.example.com/***"),
            ("key_file", "sk-0123456789", "***"),
            ("key_file", "docspace-api-key", "docspace-api-key"),
            ("rooms", "https is a word", "https is a word"),
        ] {
            let mut value = Json::from(text);
            mask(key, &mut value);
            assert_eq!(value, Json::from(expected), "{key}");
            let mut list = Json::from(vec![text]);
            mask(key, &mut list);
            assert_eq!(list, Json::from(vec![expected]), "{key}");
        }
    }
}
