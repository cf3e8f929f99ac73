//! What a channel is given to send, and what it hands back.

use chrono::{DateTime, Utc};

use crate::alert::Alert;
use crate::error::Error;
use crate::message::{Language, Message};

/// One alert on its way through one channel.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// The alert as the document that the schema describes; receivers of machines get these bytes.
    pub json: &'a str,
    /// The same as a value. Its `id` is the same for every try: use it wherever a receiver drops copies.
    pub alert: Alert,
    /// The same for people, in the language of the channel.
    pub message: Message,
    /// When it leaves.
    pub now: DateTime<Utc>,
    /// What the receiver called the first alert about this matter, if the channel has sent one: [`Sent::reference`] of then.
    pub thread: Option<&'a str>,
}

impl<'a> Offer<'a> {
    /// # Errors
    /// [`Error::Unreadable`]: the document is none of ours.
    pub fn new(json: &'a str, language: Language, now: DateTime<Utc>, thread: Option<&'a str>) -> Result<Self, Error> {
        let alert: Alert = serde_json::from_str(json).map_err(|source| Error::Unreadable { source })?;
        let message = Message::new(&alert, language, now);
        Ok(Offer { json, alert, message, now, thread })
    }

    /// What stays the same from the first alert about a matter to the one that says that it is over: for receivers that group by a key
    /// of the sender's choice. At most 100 characters of ASCII.
    pub fn matter_key(&self) -> String {
        let alert = &self.alert;
        match &alert.matter {
            Some(matter) => format!("{}:{matter}", alert.program.name),
            None => format!("{}:{}", alert.program.name, alert.id),
        }
    }

    /// Whether it says that the matter is over.
    pub fn is_over(&self) -> bool {
        self.alert.is_over()
    }
}

/// An alert that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// What the receiver calls the message (an id, a timestamp, an alias), for later alerts about the matter.
    pub reference: Option<String>,
}
