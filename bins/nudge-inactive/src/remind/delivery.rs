//! One mail on its way: what the server says of it, in the words of the journal and of the report.

use alerting::{Fate, Mail, Mailer};
use safe_actions::{Act, Begun, Called, Intent, Looked};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;
use tracing::warn;

use super::ledger::Content;

/// A mail of which the fate is unknown so many times is given up: there may be as many copies of it.
const MOST_TRIES: u32 = 3;

pub(super) struct Delivery<'a> {
    mailer: &'a Mutex<Mailer>,
    mail: &'a Mail,
    is_server_gone: AtomicBool,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(mailer: &'a Mutex<Mailer>, mail: &'a Mail) -> Self {
        Delivery { mailer, mail, is_server_gone: AtomicBool::new(false) }
    }

    /// Whether it failed in a way that the next mail would fail in too.
    pub(super) fn is_server_gone(&self) -> bool {
        self.is_server_gone.load(Ordering::Relaxed)
    }
}

impl Act for Delivery<'_> {
    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, job_store::Error> {
        let Err(error) = self.mailer.lock().await.send(self.mail).await else { return Ok(Called::Done) };
        let fate = error.fate();
        self.is_server_gone.store(error.is_about_the_server(), Ordering::Relaxed);
        warn!(user.id = %begun.intent().subject, "mail not sent: {:#}", anyhow::Error::new(error));
        Ok(match fate {
            Fate::NotSent => Called::NotNow("the mail server did not take it now; the next run tries again".to_owned()),
            Fate::Refused => {
                Called::Refused("the mail server refused the address or the mail for good; see the log".to_owned())
            }
            Fate::Unknown if count_try(begun).await? >= MOST_TRIES => {
                Called::Refused("the mail server may have taken it; it is not sent a fourth time".to_owned())
            }
            Fate::Unknown => {
                let why = "the mail server may have taken it; the next run sends it again, under the same Message-ID";
                Called::Broke(why.to_owned())
            }
        })
    }

    /// Nobody sees what arrives, and copies have the same `Message-ID`.
    async fn look(&self, _: &Intent) -> Looked {
        Looked::Repeatable
    }
}

/// Notes that the mail may have left once more, and gives how often by now.
async fn count_try(begun: &mut Begun<'_>) -> Result<u32, job_store::Error> {
    let mut payload = begun.intent().payload.clone();
    let tries = serde_json::from_value::<Content>(payload.clone()).map_or(0, |content| content.tries) + 1;
    payload["tries"] = tries.into();
    begun.note(payload).await?;
    Ok(tries)
}
