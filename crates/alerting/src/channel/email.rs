//! Alerts as mails to one address: text and HTML, and one thread for each matter.

use serde::Deserialize;
use tokio::sync::Mutex;

use super::Way;
use super::kind::Kind;
use super::offer::{Offer, Sent};
use super::settings::{Fault, read};
use crate::error::Error;
use crate::mail::{Mail, Mailer, Recipient, is_mail_address};

/// `kind = "email"`
pub(super) const KIND: Kind = Kind {
    name: "email",
    secrets: &[],
    keeps_open: false,
    check: |members| read::<Settings>(members)?.check(),
    build: |members, _, out| {
        let Settings { to } = read(members)?;
        Ok(Way::Email(std::sync::Arc::new(Email { to, mailer: Mutex::new(out.mailer()?) })))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Whom to. Several people: the address of a list, or a channel each, so that one that is refused is tried again alone.
    to: String,
}

impl Settings {
    fn check(&self) -> Result<(), Fault> {
        if is_mail_address(&self.to) {
            return Ok(());
        }
        Err(Fault::new("to", "must be one mail address without a name, such as `soc@example.com`"))
    }
}

pub(super) struct Email {
    to: String,
    mailer: Mutex<Mailer>,
}

impl Email {
    pub(super) async fn send(&self, offer: &Offer<'_>) -> Result<Sent, Error> {
        let mail = mail(&self.to, offer);
        self.mailer.lock().await.send(&mail).await.map_err(|source| Error::Mail { source })?;
        Ok(Sent { reference: Some(mail.message_id) })
    }
}

/// Every mail refers to an id that is made of the matter, and to the first that was sent about it: mail clients make one thread of them.
fn mail(to: &str, offer: &Offer<'_>) -> Mail {
    let alert = &offer.alert;
    let host = alert.portal.url.split("://").nth(1).unwrap_or_default().split([':', '/']).next().unwrap_or_default();
    let host = if host.is_empty() { "localhost" } else { host };
    let root = alert.matter.as_ref().map(|matter| format!("matter-{matter}.{}@{host}", alert.program.name));
    Mail {
        to: Recipient { name: String::new(), address: to.to_owned() },
        subject: offer.message.subject.clone(),
        text: offer.message.text(),
        html: Some(offer.message.html()),
        message_id: format!("alert-{}@{host}", alert.id),
        references: root.into_iter().chain(offer.thread.map(str::to_owned)).collect(),
        unsubscribe: Vec::new(),
        one_click: false,
        reply_to: None,
        files: Vec::new(),
        date: offer.now,
    }
}
