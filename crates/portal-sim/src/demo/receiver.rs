//! Who takes the alerts of the tour: a webhook on loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;

/// Listens until it is dropped with the runtime.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    alerts: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen for alerts on loopback")?;
        let address = listener.local_addr().context("find the address for alerts")?;
        let alerts: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&alerts);
        let keep = move |Json(alert): Json<Value>| async move {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(alert);
            StatusCode::NO_CONTENT
        };
        tokio::spawn(axum::serve(listener, Router::new().route("/alerts", post(keep))).into_future());
        Ok(Receiver { address, alerts })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    /// What came since the last call, oldest first.
    pub(super) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.alerts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
