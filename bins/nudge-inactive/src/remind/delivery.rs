//! One mail on its way: what the server says of it, in the words of the journal and of the report.

use std::sync::Mutex as Shared;

use alerting::{Fate, Mail, MailError, Mailer};
use safe_actions::{Begun, Called, Effect, Intent, Trace};
use tokio::sync::Mutex;
use tracing::warn;

use super::mail::{content, with_tries};

/// A mail of which the fate is unknown so many times is given up: there may be as many copies of it.
pub(super) const MOST_TRIES: u32 = 3;

pub(super) struct Delivery<'a> {
    mailer: &'a Mutex<Mailer>,
    mail: &'a Mail,
    setback: Shared<Option<Setback>>,
}

/// What a mail that was not taken says of those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// Nothing: it is about this person or this mail.
    OfThisMail,
    /// Nothing, but it may be taken over another connection.
    Deferred,
    /// The server does not like what it is given, whoever it is for.
    OfUs,
    /// The next mail would meet the same.
    OfTheServer,
}

impl From<&MailError> for Setback {
    fn from(error: &MailError) -> Self {
        if error.is_about_the_server() {
            Setback::OfTheServer
        } else if error.is_about_us() {
            Setback::OfUs
        } else if error.fate() == Fate::NotSent {
            Setback::Deferred
        } else {
            Setback::OfThisMail
        }
    }
}

impl<'a> Delivery<'a> {
    pub(super) fn new(mailer: &'a Mutex<Mailer>, mail: &'a Mail) -> Self {
        Delivery { mailer, mail, setback: Shared::default() }
    }

    /// Why it was not taken; `None` when it was.
    pub(super) fn setback(&self) -> Option<Setback> {
        self.setback.lock().map_or(None, |setback| *setback)
    }
}

impl Effect for Delivery<'_> {
    /// The intent counts this try already: whatever ends this process, the next one knows.
    async fn call(&self, begun: &mut Begun<'_>) -> Result<Called, job_store::Error> {
        let sent = self.mailer.lock().await.send_if(self.mail, || begun.may_act()).await?;
        let Err(error) = sent else { return Ok(Called::Done) };
        if let Ok(mut setback) = self.setback.lock() {
            *setback = Some(Setback::from(&error));
        }
        let tries = content(begun.intent()).map_or(MOST_TRIES, |content| content.tries);
        let fate = error.fate();
        let called = match fate {
            Fate::NotSent => Called::NotNow(not_now(&error).to_owned()),
            Fate::Refused => Called::Refused(refused(&error).to_owned()),
            Fate::Unknown if tries >= MOST_TRIES => Called::Refused(GIVEN_UP.to_owned()),
            Fate::Unknown => Called::Broke(
                "the mail server may have taken it; the next run sends it again, under the same Message-ID".to_owned(),
            ),
        };
        warn!(user.id = %begun.intent().subject, "mail not sent: {:#}", anyhow::Error::new(error));
        if fate != Fate::Unknown {
            let payload = with_tries(begun.intent().clone(), tries.saturating_sub(1)).payload;
            begun.note(payload).await?;
        }
        Ok(called)
    }

    /// Nobody sees what arrives, and copies have the same `Message-ID`.
    async fn look(&self, _: &Intent) -> Trace {
        Trace::Repeatable
    }
}

pub(super) const GIVEN_UP: &str = "the mail server may have taken it; it is not sent a fourth time";

fn not_now(error: &MailError) -> &'static str {
    match error {
        MailError::Connect(_) => {
            "the mail server cannot be reached, or does not let us sign in; the next run tries again"
        }
        MailError::Silent { .. } => "the mail server does not answer; the next run tries again",
        MailError::Sender { .. } => {
            "the mail server takes no mail from this sender; correct `mail.from`, or ask whoever runs the server; the next run tries again"
        }
        MailError::NotTaken { .. } => {
            "the mail server does not take this mail, whoever it is for; see the log for what it says; the next run tries again"
        }
        _ => "the mail server did not take it now; the next run tries again",
    }
}

fn refused(error: &MailError) -> &'static str {
    if error.is_about_the_address() {
        "no mail can be sent to the address that the portal has; correct it there"
    } else if matches!(error, MailError::Refused { .. }) {
        "the mail server refused the address; correct it in the portal, or see the log for what the server says"
    } else {
        "the mail cannot be made; look at its subject and templates"
    }
}
