//! Whether the services that judge the list, each for itself, still let this machine in after a write.

use std::time::Duration;

use chrono::TimeDelta;

use super::portal::Live;
use super::run::Portal as _;

/// Without a common cache a service can go by an older switch for five minutes: so long after the write they are asked again.
pub(super) const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(6);

/// A service that does not let in is asked again for twenty seconds: for fifteen it may go by what it remembers.
const MORE_TRIES: u32 = 4;
const POLL: Duration = Duration::from_secs(5);

/// Which services are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Those of people and files: the one of the settings has just shown the list.
    Others,
    All,
}

/// What is wrong, of a service that does not let in for longer than it may remember an older list; `None`: all of them do.
pub(super) async fn trouble(live: &Live, asked: Asked) -> Option<String> {
    let mut why = refusal(live, asked).await?;
    for _ in 0..MORE_TRIES {
        live.wait(POLL).await;
        why = refusal(live, asked).await?;
    }
    Some(why)
}

async fn refusal(live: &Live, asked: Asked) -> Option<String> {
    let client = live.client();
    if asked == Asked::All
        && let Err(why) = live.read().await
    {
        return Some(why);
    }
    if let Err(error) = client.identity().await {
        return Some(error.to_string());
    }
    // no list of files has a smaller answer
    client.upload_chunk_bytes().await.err().map(|error| error.to_string())
}
