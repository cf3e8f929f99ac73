//! Signs of life, in the protocol of Healthchecks: `URL/start`, then `URL` or `URL/fail`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use outbound::{HttpOptions, Repeat, RetryPolicy, certificate_fault, http_client, with_retries};
use url::Url;
use uuid::{Builder, Uuid};

use crate::exit::Exit;

/// A heartbeat must not hold up a run: its absence says enough.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a run's signs of life go. Has no `Debug`: the address is a secret.
pub(crate) struct Heartbeat {
    url: Url,
    http: reqwest::Client,
    /// Ties start and end together.
    run: Uuid,
}

impl Heartbeat {
    /// `now` and the process number make the run's id.
    pub(crate) fn new(url: Url, options: &HttpOptions, now: DateTime<Utc>) -> Result<Self, outbound::Error> {
        let http = http_client(options, &url)?;
        Ok(Heartbeat { url, http, run: run_id(now, std::process::id()) })
    }

    /// # Errors
    /// Why it was not taken, without the address.
    pub(crate) async fn start(&self) -> Result<(), String> {
        let request = self.http.get(address(&self.url, Some("start"), self.run));
        // a start that is lost costs only the measured duration
        ping(request, Repeat::Never).await
    }

    /// `log` goes along with a failure, and with a success that is not a plain one.
    ///
    /// # Errors
    /// Why it was not taken, without the address.
    pub(crate) async fn end(&self, exit: Exit, is_plain: bool, log: String) -> Result<(), String> {
        let sign = (!exit.is_success()).then_some("fail");
        let address = address(&self.url, sign, self.run);
        let is_bare = exit.is_success() && is_plain;
        let request = if is_bare { self.http.get(address) } else { self.http.post(address).body(log) };
        ping(request, Repeat::Often { after: None }).await
    }
}

async fn ping(request: reqwest::RequestBuilder, repeat: Repeat) -> Result<(), String> {
    let send = || async {
        let request = request.try_clone().expect("the body is text");
        request.send().await.and_then(reqwest::Response::error_for_status).map_err(reqwest::Error::without_url)
    };
    let judge = |error: &reqwest::Error| {
        let fails_again = error.status().is_some_and(|status| status.is_client_error());
        if fails_again || certificate_fault(error).is_some() { Repeat::Never } else { repeat }
    };
    match tokio::time::timeout(PATIENCE, with_retries(RetryPolicy::default(), send, judge)).await {
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err(format!("the answer was {}", answer.status())),
        Ok(Err(error)) => Err(match certificate_fault(&error) {
            Some(fault) => format!("its certificate {fault}; {}", fault.remedy()),
            None => format!("{:#}", anyhow::Error::new(error)),
        }),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// The address of a sign; a query that stands in it stays.
fn address(url: &Url, sign: Option<&str>, run: Uuid) -> Url {
    let mut address = url.clone();
    if let (Some(sign), Ok(mut path)) = (sign, address.path_segments_mut()) {
        path.pop_if_empty().push(sign);
    }
    address.query_pairs_mut().append_pair("rid", &run.to_string());
    address
}

/// Different for two runs on one machine, which never begin in one second with one process number.
fn run_id(now: DateTime<Utc>, process: u32) -> Uuid {
    let number = (now.timestamp() as u128) << 64 | u128::from(process);
    Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_protocol() {
        let run = run_id(DateTime::UNIX_EPOCH, 7);
        for (url, sign, expected) in [
            ("https://beat.example.com/uuid", None, "https://beat.example.com/uuid?rid="),
            ("https://beat.example.com/uuid", Some("start"), "https://beat.example.com/uuid/start?rid="),
            ("https://beat.example.com/key/slug/", Some("fail"), "https://beat.example.com/key/slug/fail?rid="),
            (
                "https://beat.example.com/key/slug?create=1",
                Some("fail"),
                "https://beat.example.com/key/slug/fail?create=1&rid=",
            ),
        ] {
            assert_eq!(address(&url.parse().unwrap(), sign, run).as_str(), format!("{expected}{run}"));
        }
    }

    #[test]
    fn runs_have_ids_of_their_own() {
        let second = DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1);
        let ids = [run_id(DateTime::UNIX_EPOCH, 7), run_id(DateTime::UNIX_EPOCH, 8), run_id(second, 7)];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_eq!(run_id(second, 7), ids[2]);
    }
}
