//! A client of a simulated portal, and archives for what it reads.

use std::path::Path;

use audit_model::{SpanSet, Window};
use chrono::{DateTime, Utc};
use docspace_client::{ApiKey, Budget, Client};
use event_archive::{Archive, LookedAt};
use job_store::{Store, testing};
use outbound::{HttpOptions, RetryPolicy, http_client};
use portal_sim::{PortalSim, Scenario};
use secrecy::SecretString;
use url::Url;

/// The moment at which every portal of these tests stands still.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A client with the portal's first key, which has not asked for anything yet.
pub(crate) fn client(sim: &PortalSim, budget: Budget) -> Client {
    let base: Url = sim.url().parse().unwrap();
    let http = http_client(&HttpOptions::new("test", "1.0.0"), &base).unwrap();
    Client::new(http, base, ApiKey::new(SecretString::from(sim.key())), RetryPolicy::immediate(), budget)
}

/// A portal, and a client that has probed it.
pub(crate) async fn start(portal: Scenario) -> (PortalSim, Client) {
    let sim = PortalSim::start(portal).await.unwrap();
    let client = client(&sim, Budget::default());
    client.probe().await.unwrap();
    (sim, client)
}

/// The archive of this folder.
pub(crate) async fn open(folder: &Path) -> Archive {
    let store = Store::open(&format!("sqlite://{}/portal.sqlite", folder.display())).await.unwrap();
    Archive::open(store).await.unwrap()
}

/// Forgets what is older.
pub(crate) async fn prune(store: &Store, before: DateTime<Utc>) {
    let archive = Archive::open(store.clone()).await.unwrap();
    archive.prune_spans(before).await.unwrap();
    store.prune(event_archive::ARCHIVE_TABLES, before, u32::MAX).await.unwrap();
    archive.prune_texts().await.unwrap();
}

/// An archive that holds nothing and is forgotten.
pub(crate) async fn empty_archive() -> Archive {
    Archive::open(Store::temporary().await.unwrap()).await.unwrap()
}

/// A run that has judged all of its window, and what came late before.
pub(crate) fn judged(window: Window) -> LookedAt {
    let judged = Some([window].into_iter().collect());
    LookedAt { window, has_seen: true, is_present: false, judged, with_late: true, left_open: SpanSet::default() }
}

/// One on each engine.
pub(crate) async fn empty_archives() -> Vec<Archive> {
    let mut archives = Vec::new();
    for store in testing::stores().await {
        archives.push(Archive::open(store).await.unwrap());
    }
    archives
}
