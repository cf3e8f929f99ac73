//! Where alerts go: whether each channel can be reached, and knows its secret, without sending an alert.

use alerting::{Channel, Fault, Target};
use audit_model::PortalText;
use url::Url;

use super::Check;
use super::check::CheckState;
use super::limit::{LONGEST_CHECK, within};
use super::local::{address, file};
use super::way::reach;
use crate::config::Settings;
use crate::program::Program;
use crate::setup::Setup;

/// One check per channel.
pub(super) async fn alerts<P: Program>(setup: &Setup<'_, P::Config>) -> Vec<Check> {
    if P::Config::unused().contains(&"alerts") {
        // set where it counts, it is named among the mistakes in the settings
        return Vec::new();
    }
    let mut checks = Vec::new();
    if let Some(path) = &setup.common.alerts.file.path {
        checks.push(file("alerts_file", path.as_path()));
    }
    match setup.common.webhook_url() {
        Ok(Some(url)) => checks.push(address(setup, "alerts_webhook", &url).await),
        Ok(None) => {}
        // named among the mistakes in the settings
        Err(_) => checks.push(Check::warn("alerts_webhook", "not checked", "correct `alerts.webhook.url` first")),
    }
    checks.extend(channels(setup).await);
    if checks.is_empty() {
        checks.push(Check::ok("alerts", "no channel is set: findings are only in the report, which cron mails"));
    }
    checks
}

/// The channels with a name.
async fn channels<C>(setup: &Setup<'_, C>) -> Vec<Check> {
    const NAME: &str = "alerts_channel";
    if setup.common.alerts.channel.is_empty() {
        return Vec::new();
    }
    let channels = match setup.channels() {
        Ok(channels) => channels,
        Err(error) => return vec![Check::usage(NAME, format!("{error:#}"), "correct it")],
    };
    let mut checks = Vec::new();
    let count = setup.common.alerts.channel.len();
    for channel in channels.iter().skip(channels.len().saturating_sub(count)) {
        let check = match channel.target() {
            Target::File(path) => file(NAME, path),
            Target::Address(url) => known(address(setup, NAME, url).await, channel, url).await,
            Target::MailServer => {
                Check::ok(NAME, "sends by the mail server; its own line says whether that can be reached")
            }
            Target::Syslog(url) => syslog(NAME, url).await,
            Target::Nowhere => lacking(channel),
        };
        checks.push(check.about(channel.name()));
    }
    checks
}

/// Of a receiver that can be reached and tells so: whether it knows the secret.
async fn known(reached: Check, channel: &Channel, url: &Url) -> Check {
    const REMEDY: &str = "correct its secret, or the address";
    if reached.state != CheckState::Ok {
        return reached;
    }
    let (name, host) = (reached.name, url.host_str().unwrap_or_default());
    match within(LONGEST_CHECK, channel.probe()).await {
        Ok(None) => reached,
        Ok(Some(Ok(()))) => {
            Check::ok(name, format!("{host} accepts connections and knows the secret; nothing was sent"))
        }
        Ok(Some(Err(error))) => {
            // part of it is what the server said
            let text = format!("{:#}", anyhow::Error::new(error));
            Check::fail(name, PortalText::new(text).for_terminal_within(1_000), REMEDY)
        }
        Err(late) => Check::fail(name, format!("{host} {late}"), "check the address, or ask whoever runs the server"),
    }
}

fn lacking(channel: &Channel) -> Check {
    let why = channel.missing().map_or_else(String::new, Fault::in_words);
    Check::usage("alerts_channel", format!("cannot be used: {why}"), "correct it")
}

/// Connects where there is something to connect to.
async fn syslog(name: &'static str, url: &Url) -> Check {
    if !matches!(url.scheme(), "tcp" | "tls") {
        return Check::ok(name, "not tried: what listens there confirms nothing; `alerts test` sends it a message");
    }
    match reach(url).await {
        Ok(_) => Check::ok(name, format!("{url} accepts connections; nothing was sent")),
        Err(why) => Check::fail(name, why, "check the address, DNS and firewall"),
    }
}
