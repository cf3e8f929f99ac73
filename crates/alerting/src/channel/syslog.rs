//! Alerts as syslog messages (RFC 5424) over UDP, TCP, TLS or a socket of this machine.

mod message;
mod way;

use std::path::PathBuf;

use outbound::is_loopback;
use serde::Deserialize;
use url::Url;

use super::Way;
use super::kind::Kind;
use super::offer::{Offer, Sent};
use super::settings::{Fault, read};
use crate::error::Error;
use message::{Facility, Form};

/// `kind = "syslog"`
pub(super) const KIND: Kind = Kind {
    name: "syslog",
    secrets: &[],
    keeps_open: true,
    check: |members| read::<Settings>(members)?.address().map(drop),
    build: |members, _, out| {
        let settings: Settings = read(members)?;
        let (address, hostname) = (settings.address()?, settings.hostname.clone().unwrap_or_else(this_machine));
        let ca_file = out.http.ca_file.clone();
        Ok(Way::Syslog(std::sync::Arc::new(Syslog { address, hostname, settings, ca_file })))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// `udp://host:514`, `tcp://host:514`, `tls://host:6514` or `unix:///dev/log`.
    address: String,
    #[serde(default)]
    format: Form,
    #[serde(default)]
    facility: Facility,
    /// The name of this machine, where it is not what the system says.
    hostname: Option<String>,
    /// Whether alerts may go to another machine unencrypted.
    #[serde(default)]
    allow_plain: bool,
    /// Of a whole message. Receivers cut what is longer than they take.
    #[serde(default = "usual_length")]
    longest_bytes: usize,
}

fn usual_length() -> usize {
    8192
}

impl Settings {
    fn address(&self) -> Result<Url, Fault> {
        if !(2048..=65_000).contains(&self.longest_bytes) {
            return Err(Fault::new("longest_bytes", "must be from 2048 to 65000"));
        }
        let printable = |name: &str| !name.is_empty() && name.len() < 256 && name.chars().all(|c| c.is_ascii_graphic());
        if self.hostname.as_deref().is_some_and(|name| !printable(name)) {
            return Err(Fault::new("hostname", "must be up to 255 printable characters of ASCII without blanks"));
        }
        let form = "must be like `tls://host:6514`, `tcp://host:514`, `udp://host:514` or `unix:///dev/log`";
        let url = Url::parse(&self.address).map_err(|_| Fault::new("address", form))?;
        let is_host = url.has_host() && matches!(url.path(), "" | "/");
        match url.scheme() {
            "unix" if !url.has_host() && url.path().len() > 1 => Ok(url),
            "tls" if is_host => Ok(url),
            "tcp" | "udp" if is_host && !self.allow_plain && !leads_here(&url) => {
                let message = "must start with `tls://`: an alert names people; `allow_plain = true` sends it unencrypted to another machine";
                Err(Fault::new("address", message))
            }
            "tcp" | "udp" if is_host => Ok(url),
            _ => Err(Fault::new("address", form)),
        }
    }
}

/// Addresses are read as such in the schemes of the web only.
fn leads_here(url: &Url) -> bool {
    let as_web = format!("http://{}/", url.host_str().unwrap_or_default());
    Url::parse(&as_web).is_ok_and(|url| is_loopback(&url))
}

/// As the kernel calls it; `-`, which stands for nothing, where it does not say.
fn this_machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

pub(super) struct Syslog {
    settings: Settings,
    address: Url,
    hostname: String,
    ca_file: Option<PathBuf>,
}

impl Syslog {
    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    pub(super) async fn send(&self, offer: &Offer<'_>) -> Result<Sent, Error> {
        let Settings { format, facility, longest_bytes, .. } = self.settings;
        let message = message::message(offer, format, facility, &self.hostname, longest_bytes);
        way::send(&self.address, self.ca_file.as_deref(), &message).await.map(|()| Sent::default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses() {
        let checked = |address: &str, more: serde_json::Value| {
            let mut settings = json!({ "address": address });
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            (KIND.check)(settings.as_object().unwrap().clone())
        };
        for address in
            ["unix:///dev/log", "udp://127.0.0.1:514", "tcp://[::1]:514", "tcp://localhost", "tls://a.example"]
        {
            checked(address, json!({})).unwrap();
        }
        checked("udp://siem.example.com:514", json!({ "allow_plain": true })).unwrap();
        for address in ["udp://siem.example.com:514", "http://a.example", "unix://a/b", "unix:///", "tls:///", "a"] {
            assert_eq!(checked(address, json!({})).unwrap_err().member, "address", "{address}");
        }
        for (more, member) in
            [(json!({ "longest_bytes": 100 }), "longest_bytes"), (json!({ "hostname": "a b" }), "hostname")]
        {
            assert_eq!(checked("unix:///dev/log", more).unwrap_err().member, member);
        }
    }
}
