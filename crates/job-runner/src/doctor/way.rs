//! How the host of an address is reached, directly or through the proxy that runs use.

use std::time::Duration;

use outbound::{TunnelError, tunnel};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use super::Check;
use super::limit::{LONGEST_CHECK, within};
use crate::config::is_loopback;
use crate::setup::Setup;

/// A name server or host that needs longer will fail runs as well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the proxy for this address is set, if one is.
pub(super) fn proxy<C>(setup: &Setup<'_, C>, url: &Url) -> Option<&'static str> {
    if is_loopback(url) {
        return None;
    }
    if setup.common.outbound.proxy.is_some() {
        return Some("the proxy of `outbound.proxy`");
    }
    let is_set = environment_proxies(url).any(|name| setup.environment.get(name).is_some());
    let exempt = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| setup.environment.get(name)).unwrap_or_default();
    (is_set && !is_exempt(url.host_str().unwrap_or_default(), exempt)).then_some("the proxy of the environment")
}

/// Whether a list of hosts and domains, as `NO_PROXY` holds it, has this host.
fn is_exempt(host: &str, list: &str) -> bool {
    let mut entries =
        list.split(',').map(|entry| entry.trim().trim_start_matches('.')).filter(|entry| !entry.is_empty());
    entries
        .any(|entry| entry == "*" || host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.')))
}

fn environment_proxies(url: &Url) -> impl Iterator<Item = &'static str> {
    let own = if url.scheme() == "https" { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    own.into_iter().chain(["ALL_PROXY", "all_proxy"])
}

/// A connection to a host, on which nothing was sent.
///
/// # Errors
/// A sentence: it has no address, or accepts none.
pub(super) async fn reach(url: &Url) -> Result<TcpStream, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<_> = match tokio::time::timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(format!("the name {host} has no address here ({error})")),
        Err(_) => return Err(format!("no name server told the address of {host} in time")),
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("{host} does not accept connections on port {port} ({error})")),
        Err(_) => Err(format!("{host} does not answer on port {port}")),
    }
}

/// A connection to the host of an address through the proxy that runs use, on which nothing was sent to the host. Without TLS nothing
/// leaves this machine, so it goes through no proxy.
pub(super) async fn through<C>(
    setup: &Setup<'_, C>,
    name: &'static str,
    url: &Url,
    proxy: &'static str,
) -> Result<TcpStream, Check> {
    let host = url.host_str().unwrap_or_default();
    let Some(address) = proxy_address(setup, url).filter(|address| address.scheme() == "http") else {
        let text =
            format!("{host} was not tried: {proxy} has no address like `http://host:port`, and `doctor` asks no other");
        return Err(Check::warn(name, text, "see that the sign of the next run arrives there"));
    };
    let stream = reach(&address).await.map_err(|why| {
        Check::fail(name, format!("{proxy} fails: {why}"), "check the address of the proxy, DNS and firewall")
    })?;
    match within(LONGEST_CHECK, tunnel(stream, &address, url)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(TunnelError::Refused(407))) => Err(Check::fail(
            name,
            format!("{proxy} wants a name and a password, or others (407)"),
            "write them into its address: `http://name:password@host:port`",
        )),
        Ok(Err(error)) => Err(Check::fail(
            name,
            format!("{proxy} opens no way to {host}: {error}"),
            "check the address, and ask whoever runs the proxy to let this machine through to it",
        )),
        Err(late) => Err(Check::fail(name, format!("{proxy} {late}"), "ask whoever runs the proxy")),
    }
}

fn proxy_address<C>(setup: &Setup<'_, C>, url: &Url) -> Option<Url> {
    if let Some(own) = &setup.common.outbound.proxy {
        return own.as_str().parse().ok();
    }
    let text = environment_proxies(url).find_map(|name| setup.environment.get(name))?;
    if text.contains("://") { text.parse().ok() } else { format!("http://{text}").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_domains_are_exempt_from_the_proxy() {
        for (list, is_listed) in [
            ("", false),
            ("*", true),
            ("a.example, example.com", true),
            (".example.com", true),
            ("com.example", false),
            ("ple.com", false),
        ] {
            assert_eq!(is_exempt("beat.example.com", list), is_listed, "{list}");
        }
    }
}
