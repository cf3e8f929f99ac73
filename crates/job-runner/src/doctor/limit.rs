//! How long a check may take, so that those behind it are told.

use std::time::Duration;

/// A server that needs longer for what a check asks of it will hold up runs as well.
pub(super) const LONGEST_CHECK: Duration = Duration::from_secs(10);

/// Waits for a check no longer than so long, so that those behind it are told.
///
/// # Errors
/// The end of a sentence about whoever did not answer.
pub(super) async fn within<T>(limit: Duration, check: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(limit, check)
        .await
        .map_err(|_| format!("gave no complete answer within {} s", limit.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_stays_silent_holds_up_no_other_check() {
        let late = within(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(late, "gave no complete answer within 0 s");
        assert_eq!(within(LONGEST_CHECK, async { 7 }).await, Ok(7));
    }
}
