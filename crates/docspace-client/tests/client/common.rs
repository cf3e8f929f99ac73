//! What several tests need.

use docspace_client::{ApiKey, Budget, Client};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::PortalSim;
use secrecy::SecretString;
use url::Url;

/// A client with this key that waits for nothing between tries.
pub(crate) fn client(sim: &PortalSim, key: &str) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    Client::new(http, base, ApiKey::new(SecretString::from(key)), RetryPolicy::immediate(), Budget::default())
}
