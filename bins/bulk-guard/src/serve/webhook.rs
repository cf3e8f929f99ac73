//! The portal's own webhooks. Each is a hint that something has happened, and nothing of what it says is believed: the audit trail is.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use hmac::{Hmac, KeyInit, Mac};
use job_runner::Error;
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::Sha256;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::warn;

use super::answer::said;
use super::connections::Caller;
use super::scans::{Scans, Way, Wish};
use crate::config;
use crate::secret_file;

/// Where the portal sends them.
const PATH: &str = "/webhooks/docspace";

/// HMAC-SHA-256 of the body as it was sent, with the secret as the key: `sha256=` and 64 hexadecimal digits, which the portal writes in
/// upper case.
const SIGNATURE: &str = "x-docspace-signature-256";

/// A webhook has 1 kB, and one about a form a few.
const MOST_BYTES: usize = 64 * 1024;

/// Who has not sent the whole body by then is cut off.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// So many signatures are remembered. The portal sends no body twice: each try of the same delivery tells how the last one failed.
const REMEMBERED: usize = 4096;

/// More the portal takes for no secret.
const MOST_SECRET_UNITS: usize = 50;

type Signature = [u8; 32];

/// What the portal signs with.
pub(crate) struct Secret(Hmac<Sha256>);

impl Secret {
    /// Reads the file of `serve.webhook_secret_file`.
    ///
    /// # Errors
    /// It cannot be read, could be guessed, or is longer than the portal takes.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        const KEY: &str = "serve.webhook_secret_file";
        let secret = secret_file::read(KEY, path)?;
        if secret.expose_secret().encode_utf16().count() > MOST_SECRET_UNITS {
            let message = format!(
                "{} holds more than {MOST_SECRET_UNITS} characters, and the portal takes no secret as long as that",
                path.display()
            );
            return Err(Error::setting(KEY, message));
        }
        Ok(Self::new(secret.expose_secret()))
    }

    fn new(secret: &str) -> Self {
        Secret(Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length will do"))
    }

    /// Whether these bytes were signed with it. Compared in constant time.
    fn has_signed(&self, body: &[u8], signature: &Signature) -> bool {
        let mut hash = self.0.clone();
        hash.update(body);
        hash.verify_slice(signature).is_ok()
    }
}

/// The one signature in the head of a request.
fn signature_in(headers: &HeaderMap) -> Option<Signature> {
    let mut values = headers.get_all(SIGNATURE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let mut signature = [0; 32];
    hex::decode_to_slice(value.to_str().ok()?.strip_prefix("sha256=")?, &mut signature).ok()?;
    Some(signature)
}

/// What has come of the portal.
pub(super) struct Webhooks {
    secret: Secret,
    /// Signatures that were right, oldest first.
    seen: Mutex<VecDeque<Signature>>,
    /// From where the last one came.
    hint: watch::Sender<Option<IpAddr>>,
    pub(super) taken: AtomicU64,
    pub(super) refused: AtomicU64,
}

/// Why a webhook is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Unsigned,
    Repeated,
    TooLong,
    TooSlow,
    Broken,
}

impl Refusal {
    fn answer(self) -> Response {
        let (status, detail) = match self {
            Refusal::Unsigned => (StatusCode::UNAUTHORIZED, "the signature is missing or wrong"),
            Refusal::Repeated => (StatusCode::FORBIDDEN, "the same was taken before"),
            Refusal::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
            Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
            Refusal::Broken => (StatusCode::BAD_REQUEST, "the body cannot be read"),
        };
        said(status, [], &json!({ "status": "error", "detail": detail }))
    }
}

impl Webhooks {
    pub(super) fn new(secret: Secret) -> Self {
        let (taken, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Webhooks { secret, seen: Mutex::default(), hint: watch::Sender::new(None), taken, refused }
    }

    /// Reads a webhook as far as it takes to know that it is the portal's, and new.
    async fn check(&self, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let signature = signature_in(headers).ok_or(Refusal::Unsigned)?;
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > MOST_BYTES) {
            return Err(Refusal::TooLong);
        }
        let body = timeout(BODY_WITHIN, to_bytes(body, MOST_BYTES)).await.map_err(|_| Refusal::TooSlow)?;
        // one that does not say how long it is
        let is_endless = length.is_none();
        let body = body.map_err(|_| if is_endless { Refusal::TooLong } else { Refusal::Broken })?;
        if !self.secret.has_signed(&body, &signature) {
            return Err(Refusal::Unsigned);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&signature) {
            return Err(Refusal::Repeated);
        }
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(signature);
        Ok(())
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let earlier = self.refused.fetch_add(1, Ordering::Relaxed);
        if earlier == 0 {
            warn!(
                "a webhook was refused ({refusal:?}): see that the portal's webhook and `serve.webhook_secret_file` have the same \
                 secret; from here on, refused webhooks are only counted"
            );
        }
        refusal.answer()
    }
}

/// The portal's way in. It tries an address with HEAD before it accepts it, and wants a 2xx then.
pub(super) fn router(webhooks: Arc<Webhooks>) -> Router {
    Router::new().route(PATH, post(take).head(|| async { StatusCode::OK })).with_state(webhooks)
}

async fn take(
    State(webhooks): State<Arc<Webhooks>>,
    Extension(Caller(from)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match webhooks.check(&headers, body).await {
        Ok(()) => {
            webhooks.taken.fetch_add(1, Ordering::Relaxed);
            webhooks.hint.send_replace(Some(from));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => webhooks.refuse(refusal),
    }
}

/// A scan for all webhooks that come within a while, and another one for those that come later. Does not end.
#[expect(clippy::disallowed_methods, reason = "a server that collects hints; nothing of a run waits")]
pub(super) async fn follow(webhooks: Arc<Webhooks>, settings: config::Serve, scans: Arc<Scans>) {
    let mut hints = webhooks.hint.subscribe();
    let way = Way::Webhook { may_act: settings.webhook_acts };
    while hints.changed().await.is_ok() {
        tokio::time::sleep(settings.webhook_debounce.0).await;
        scans.last().await;
        // a scan that begins from here on sees what all hints so far are about
        let Some(from) = *hints.borrow_and_update() else { continue };
        if scans.scan(Wish { way, from }).await.is_left_to_another() {
            // that run may have read before it happened
            hints.mark_changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use cli_test::docspace_webhook::{Delivery, recorded};

    use super::*;

    fn is_signed(secret: &str, head: &str, body: &[u8]) -> bool {
        let headers = HeaderMap::from_iter([(SIGNATURE.parse().unwrap(), HeaderValue::from_str(head).unwrap())]);
        signature_in(&headers).is_some_and(|signature| Secret::new(secret).has_signed(body, &signature))
    }

    /// What a server has sent is right as it was sent, and no other bytes, secret or form of the signature are.
    #[test]
    fn signatures_are_those_of_the_portal() {
        let recorded = recorded();
        assert_eq!(recorded.len(), 45);
        for Delivery { name, secret, signature, body } in &recorded {
            assert!(is_signed(secret, signature, body), "{name}");
            let digits = signature.strip_prefix("sha256=").unwrap();
            assert!(is_signed(secret, &format!("sha256={}", digits.to_lowercase()), body), "{name}");
            for wrong in
                [digits, &format!("SHA256={digits}"), &signature[..70], &format!("{signature}0"), "sha256=", ""]
            {
                assert!(!is_signed(secret, wrong, body), "{name}: {wrong}");
            }
            let (mut longer, mut other) = (body.clone(), body.clone());
            longer.push(b'\n');
            other[10] ^= 1;
            assert!(!is_signed(secret, signature, &longer) && !is_signed(secret, signature, &other), "{name}");
            assert!(!is_signed(&format!("{secret}!"), signature, body), "{name}");
        }
    }

    /// Two signatures are none: nobody knows which of them others have checked.
    #[test]
    fn two_signatures_are_none() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("sha256={}", "0".repeat(64))).unwrap();
        headers.append(SIGNATURE, value.clone());
        assert!(signature_in(&headers).is_some());
        headers.append(SIGNATURE, value);
        assert_eq!(signature_in(&headers), None);
    }
}
