//! Alerts as requests to an address of the owner's choice.

use outbound::{Repeat, RetryPolicy, certificate_fault, parse_retry_after, with_retries};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use url::Url;

use crate::error::{Error, is_overload};

/// Posts one alert; any 2xx answer means that it was taken.
pub(crate) async fn post(url: &Url, http: &reqwest::Client, retry: RetryPolicy, json: &str) -> Result<(), Error> {
    with_retries(retry, || post_once(url, http, json.to_owned()), repeat).await
}

/// Scheme, host and port: what may be shown of an address.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

async fn post_once(url: &Url, http: &reqwest::Client, json: String) -> Result<(), Error> {
    let answer =
        http.post(url.clone()).header(CONTENT_TYPE, "application/json").body(json).send().await.map_err(|source| {
            match certificate_fault(&source) {
                Some(fault) => Error::Certificate { origin: origin(url), fault },
                None => Error::Unreachable { origin: origin(url), source: source.without_url() },
            }
        })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(Error::Refused { origin: origin(url), status, retry_after: retry_after(answer.headers()) })
}

/// Only a pause in seconds is understood; a date counts as no answer, and the usual pauses apply.
fn retry_after(headers: &HeaderMap) -> Option<std::time::Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, None)
}

/// Another try only where nothing can have been delivered, since a receiver may not know an alert that it already has.
fn repeat(error: &Error) -> Repeat {
    match error {
        Error::Unreachable { source, .. } if source.is_connect() => Repeat::Often { after: None },
        Error::Refused { status, retry_after, .. } if is_overload(*status) => Repeat::Often { after: *retry_after },
        _ => Repeat::Never,
    }
}
