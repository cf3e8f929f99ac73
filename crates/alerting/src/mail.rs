//! Mail to one person: the message, and handing it to an SMTP server. Who is written to, and when, is the caller's.
//!
//! A server that has the whole message and dies before it says so may have taken it. That is [`Fate::Unknown`]: sending again may make
//! a second copy, with the same `Message-ID`.

use std::fmt;
use std::time::{Duration, SystemTime};

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::Error as Smtp;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailParameter};
use outbound::{ServerSaid, SmtpError, SmtpOptions, smtp_connect};
use tokio::time::timeout;

/// One message to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: Recipient,
    /// One line.
    pub subject: String,
    pub text: String,
    /// The same as a page; without, the mail is text only.
    pub html: Option<String>,
    /// Without angle brackets, such as `0123abcd@docs.example.com`. The same for the same message, however often it is sent.
    pub message_id: String,
    /// Addresses for `List-Unsubscribe`: `https:` or `mailto:`.
    pub unsubscribe: Vec<String>,
    pub date: DateTime<Utc>,
}

/// Whom a mail is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub name: String,
    pub address: String,
}

/// What became of a mail that was not taken for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has not taken it; a later try may succeed.
    NotSent,
    /// The server, or the form of an address, refuses it for good.
    Refused,
    /// The connection broke after the server had the message and before it answered.
    Unknown,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    #[error("no connection over which mail could be sent")]
    Connect(#[from] SmtpError),
    #[error("`{what}` is no usable mail address; correct it")]
    Address { what: &'static str, source: lettre::address::AddressError },
    #[error("the message cannot be made; look at its subject and templates")]
    Message { source: lettre::error::Error },
    #[error("the mail server takes no addresses with other letters than ASCII")]
    NoUnicode,
    /// It answered with 4xx, or the connection broke before it had the message.
    #[error("the mail server did not take the message now; a later run tries again")]
    NotNow { source: ServerSaid },
    /// It does not take mails from this sender, whoever they are for.
    #[error("the mail server does not take mails from this sender; correct `mail.from`")]
    Sender { source: ServerSaid },
    /// It answered with 5xx.
    #[error("the mail server refused the message; check the address and what the server says")]
    Refused { source: ServerSaid },
    #[error("the connection broke after the mail server had the message, so it may have taken it")]
    Broken { source: ServerSaid },
    #[error("the mail server did not answer in time")]
    Silent { had_message: bool },
}

impl MailError {
    /// What became of the mail.
    pub fn fate(&self) -> Fate {
        match self {
            MailError::Connect(_) | MailError::NotNow { .. } | MailError::Silent { had_message: false } => {
                Fate::NotSent
            }
            MailError::Address { .. }
            | MailError::Message { .. }
            | MailError::NoUnicode
            | MailError::Sender { .. }
            | MailError::Refused { .. } => Fate::Refused,
            MailError::Broken { .. } | MailError::Silent { had_message: true } => Fate::Unknown,
        }
    }

    /// Whether the next mail would meet the same: there is no way to the server.
    pub fn is_about_the_server(&self) -> bool {
        matches!(self, MailError::Connect(_))
    }
}

/// Hands mails to one SMTP server, over one connection as long as that works.
pub struct Mailer {
    options: SmtpOptions,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    connection: Option<AsyncSmtpConnection>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({}:{})", self.options.host, self.options.port)
    }
}

impl Mailer {
    /// `from` and `reply_to` are addresses, with a name if wanted: `DocSpace <docspace@example.com>`. Connects to nobody yet.
    ///
    /// # Errors
    /// [`MailError::Address`]: somebody has to correct it.
    pub fn new(options: SmtpOptions, from: &str, reply_to: Option<&str>) -> Result<Self, MailError> {
        let from = from.parse().map_err(|source| MailError::Address { what: "from", source })?;
        let reply_to = reply_to.map(str::parse).transpose();
        let reply_to = reply_to.map_err(|source| MailError::Address { what: "reply_to", source })?;
        Ok(Mailer { options, from, reply_to, connection: None })
    }

    /// Whether the server can be reached, lets us sign in and takes our sender; sends nothing.
    ///
    /// # Errors
    /// [`MailError::Connect`], or [`MailError::Sender`] when mails of this sender would be refused.
    pub async fn probe(&self) -> Result<(), MailError> {
        let patience = self.options.patience;
        let mut connection = smtp_connect(&self.options).await?;
        let from = MailFrom::new(Some(self.from.email.clone()), Vec::new());
        let taken = timeout(patience, connection.command(from)).await;
        let _ = timeout(patience, connection.command(Rset)).await;
        let _ = timeout(patience, connection.quit()).await;
        match taken {
            Err(_) => Err(MailError::Silent { had_message: false }),
            Ok(Err(source)) => Err(MailError::Sender { source: source.into() }),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// The mail as it goes over the wire.
    ///
    /// # Errors
    /// [`MailError::Address`] or [`MailError::Message`].
    pub fn format(&self, mail: &Mail) -> Result<Vec<u8>, MailError> {
        Ok(self.message(mail)?.formatted())
    }

    /// Hands a mail over. `Ok` only when the server says that it has taken it.
    ///
    /// # Errors
    /// [`MailError`]; its [`fate`](MailError::fate) says whether the mail may have left.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let patience = self.options.patience;
        let mut connection = self.connect().await?;
        let sent = hand_over(&mut connection, message.envelope(), &message.formatted(), patience).await;
        let may_go_on = match &sent {
            Ok(()) => true,
            Err(MailError::NotNow { .. } | MailError::Refused { .. }) => {
                in_time(connection.command(Rset), patience, false).await.is_ok()
            }
            Err(_) => false,
        };
        if may_go_on {
            self.connection = Some(connection);
        } else {
            let _ = timeout(patience, connection.abort()).await;
        }
        sent
    }

    async fn connect(&mut self) -> Result<AsyncSmtpConnection, MailError> {
        let patience = self.options.patience;
        if let Some(mut open) = self.connection.take()
            && in_time(open.command(Noop), patience, false).await.is_ok()
        {
            return Ok(open);
        }
        // a server that hung up in between is no failure
        Ok(smtp_connect(&self.options).await?)
    }

    /// Says goodbye, if there is a connection.
    pub async fn close(&mut self) {
        let patience = self.options.patience;
        if let Some(mut connection) = self.connection.take() {
            let _ = in_time(connection.quit(), patience, false).await;
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let address = mail.to.address.parse().map_err(|source| MailError::Address { what: "to", source })?;
        // a line break in a header would end it, and `lettre` panics on one
        let one_line = |text: &str| PortalText::new(text).for_terminal();
        let name = Some(one_line(&mail.to.name)).filter(|name| !name.trim().is_empty());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(&mail.subject))
            .date(SystemTime::from(mail.date))
            .message_id(Some(format!("<{}>", mail.message_id)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if !mail.unsubscribe.is_empty() {
            let addresses: Vec<String> = mail.unsubscribe.iter().map(|address| format!("<{address}>")).collect();
            builder = builder.raw_header(header("List-Unsubscribe", &addresses.join(", ")));
        }
        let text = SinglePart::plain(mail.text.clone());
        let message = match &mail.html {
            None => builder.singlepart(text),
            Some(html) => {
                // the same message has the same bytes
                let boundary: String = mail.message_id.chars().filter(char::is_ascii_alphanumeric).collect();
                let parts = MultiPart::alternative().boundary(format!("part-{boundary}"));
                builder.multipart(parts.singlepart(text).singlepart(SinglePart::html(html.clone())))
            }
        };
        message.map_err(|source| MailError::Message { source })
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// MAIL, RCPT, DATA and the message, so that it is known how far the server came.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    bytes: &[u8],
    patience: Duration,
) -> Result<(), MailError> {
    let mut parameters = Vec::new();
    let is_plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.to().iter().chain(envelope.from()).all(is_plain) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(MailError::NoUnicode);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    in_time(connection.command(MailFrom::new(envelope.from().cloned(), parameters)), patience, false).await?;
    for to in envelope.to() {
        in_time(connection.command(Rcpt::new(to.clone(), Vec::new())), patience, false).await?;
    }
    in_time(connection.command(Data), patience, false).await?;
    in_time(connection.message(bytes), patience, true).await
}

/// Waits for the answer to one step.
async fn in_time<T>(
    step: impl Future<Output = Result<T, Smtp>>,
    patience: Duration,
    had_message: bool,
) -> Result<(), MailError> {
    match timeout(patience, step).await.ok() {
        None => Err(MailError::Silent { had_message }),
        Some(Ok(_)) => Ok(()),
        Some(Err(source)) if source.is_permanent() => Err(MailError::Refused { source: source.into() }),
        Some(Err(source)) if source.is_transient() || !had_message => Err(MailError::NotNow { source: source.into() }),
        Some(Err(source)) => Err(MailError::Broken { source: source.into() }),
    }
}
