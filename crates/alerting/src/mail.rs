//! Mail to one person: the message, and handing it to an SMTP server. Who is written to, and when, is the caller's.
//!
//! A server that has the whole message and dies before it says so may have taken it. That is [`Fate::Unknown`]: sending again may make
//! a second copy, with the same `Message-ID`.

use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::time::{Duration, SystemTime};

use audit_model::PortalText;
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
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
    /// Mails that this one belongs to, the oldest first, without angle brackets: `References`, and the last as `In-Reply-To`.
    pub references: Vec<String>,
    /// Addresses for `List-Unsubscribe`: `https:` or `mailto:`.
    pub unsubscribe: Vec<String>,
    /// Whether one of them is of this person alone, and ends such mails when it is posted to (RFC 8058).
    pub one_click: bool,
    /// Whom an answer reaches; without, who reads the answers to all mails.
    pub reply_to: Option<Recipient>,
    /// Besides the text.
    pub files: Vec<MailFile>,
    pub date: DateTime<Utc>,
}

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFile {
    pub name: String,
    /// Such as `text/csv; charset=utf-8`.
    pub kind: &'static str,
    pub content: Vec<u8>,
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

/// Longest name in a header, in characters: lines of a header have at most 998 octets.
const LONGEST_NAME: usize = 80;

/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// How long a server is waited for that is told goodbye: nothing depends on its answer.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether this is an address that mail can be sent to, without a name.
pub fn is_mail_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    #[error("no connection to the mail server could be made")]
    Connect(#[from] SmtpError),
    #[error("`{what}` is not a valid mail address; correct it")]
    Address { what: &'static str, source: lettre::address::AddressError },
    #[error("the message cannot be built; check its subject and templates")]
    Message { source: lettre::error::Error },
    #[error("the mail server accepts only addresses in ASCII")]
    NoUnicode,
    /// It answered with 4xx, or the connection broke before it had the message.
    #[error("the mail server did not accept the message this time; a later run tries again")]
    NotNow { source: ServerSaid },
    /// It does not take mails from this sender, whoever they are for.
    #[error(
        "the mail server does not accept mail from this sender; correct `mail.from`, or ask whoever runs the server"
    )]
    Sender { source: ServerSaid },
    /// It answered with 5xx, and not because of the address: it does not like the message, or who we are.
    #[error("the mail server does not accept this message for any recipient; ask whoever runs the server")]
    NotTaken { source: ServerSaid },
    /// It answered with 5xx to the address.
    #[error("the mail server refused the address; check it and what the server says")]
    Refused { source: ServerSaid },
    #[error("the connection broke after the mail server had received the message, so it may have accepted it")]
    Broken { source: ServerSaid },
    #[error("the mail server did not answer in time")]
    Silent { had_message: bool },
}

impl MailError {
    /// What became of the mail.
    pub fn fate(&self) -> Fate {
        match self {
            MailError::Connect(_)
            | MailError::NotNow { .. }
            | MailError::Sender { .. }
            | MailError::NotTaken { .. }
            | MailError::Silent { had_message: false } => Fate::NotSent,
            MailError::Address { .. }
            | MailError::Message { .. }
            | MailError::NoUnicode
            | MailError::Refused { .. } => Fate::Refused,
            MailError::Broken { .. } | MailError::Silent { had_message: true } => Fate::Unknown,
        }
    }

    /// Whether the next mail would meet the same: there is no way to the server, it is silent, or it takes nothing from us.
    pub fn is_about_the_server(&self) -> bool {
        matches!(self, MailError::Connect(_) | MailError::Sender { .. } | MailError::Silent { .. })
    }

    /// Whether the server refuses what it was given and not whom it is for: the next mail may meet the same.
    pub fn is_about_us(&self) -> bool {
        matches!(self, MailError::Sender { .. } | MailError::NotTaken { .. })
    }

    /// Whether no server was asked, because the address itself is none.
    pub fn is_about_the_address(&self) -> bool {
        matches!(self, MailError::Address { .. } | MailError::NoUnicode)
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
        let taken = in_time(connection.command(from), patience, Step::Sender).await;
        let _ = timeout(GOODBYE, connection.command(Rset)).await;
        let _ = timeout(GOODBYE, connection.quit()).await;
        match taken {
            Err(MailError::NotNow { source }) => Err(MailError::Sender { source }),
            taken => taken,
        }
    }

    /// The mail as it goes over the wire.
    ///
    /// # Errors
    /// [`MailError::Address`] or [`MailError::Message`].
    pub fn format(&self, mail: &Mail) -> Result<Vec<u8>, MailError> {
        Ok(self.message(mail)?.formatted())
    }

    /// Hands a mail over. `Ok` only when the server says that it has taken it. A connection that the server has ended since the mail
    /// before, or ends for want of another, is replaced once.
    ///
    /// # Errors
    /// [`MailError`]; its [`fate`](MailError::fate) says whether the mail may have left.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), MailError> {
        match self.send_if(mail, || ready(Ok::<(), Infallible>(()))).await {
            Ok(sent) => sent,
            Err(never) => match never {},
        }
    }

    /// The same for a mail that may have lost its reason to leave while a server was connected to: asked right before the message is handed
    /// over, once the server is ready for it.
    ///
    /// # Errors
    /// Why it may not leave: then it has not.
    pub async fn send_if<E, F>(&mut self, mail: &Mail, may_leave: impl Fn() -> F) -> Result<Result<(), MailError>, E>
    where
        F: Future<Output = Result<(), E>>,
    {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(error) => return Ok(Err(error)),
        };
        let bytes = message.formatted();
        let was_open = self.connection.is_some();
        let sent = self.send_once(message.envelope(), &bytes, may_leave()).await?;
        // a server that takes so many mails over one connection says so to the next
        if matches!(sent, Err(MailError::NotNow { .. })) && was_open && self.connection.is_none() {
            return self.send_once(message.envelope(), &bytes, may_leave()).await;
        }
        Ok(sent)
    }

    async fn send_once<E>(
        &mut self,
        envelope: &Envelope,
        bytes: &[u8],
        may_leave: impl Future<Output = Result<(), E>>,
    ) -> Result<Result<(), MailError>, E> {
        let patience = self.options.patience;
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(error)),
        };
        let sent = match offer(&mut connection, envelope, patience).await {
            Ok(()) => match may_leave.await {
                Ok(()) => hand_over(&mut connection, bytes, patience).await,
                Err(why) => {
                    let _ = timeout(GOODBYE, connection.abort()).await;
                    return Err(why);
                }
            },
            Err(error) => Err(error),
        };
        let may_go_on = match &sent {
            Ok(()) => true,
            Err(MailError::NotNow { .. } | MailError::NotTaken { .. } | MailError::Refused { .. }) => {
                timeout(GOODBYE, connection.command(Rset)).await.is_ok_and(|reset| reset.is_ok())
            }
            Err(_) => false,
        };
        if may_go_on {
            self.connection = Some(connection);
        } else {
            let _ = timeout(GOODBYE, connection.abort()).await;
        }
        Ok(sent)
    }

    async fn connect(&mut self) -> Result<AsyncSmtpConnection, MailError> {
        if let Some(mut open) = self.connection.take()
            && timeout(GOODBYE, open.command(Noop)).await.is_ok_and(|heard| heard.is_ok())
        {
            return Ok(open);
        }
        // a server that hung up in between is no failure
        Ok(smtp_connect(&self.options).await?)
    }

    /// Says goodbye, if there is a connection: the next mail goes over another one.
    pub async fn close(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let to = mailbox("to", &mail.to)?;
        // made here: one that is read back from the header gets lost with some names
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()]);
        let mut builder = Message::builder()
            .envelope(envelope.map_err(|source| MailError::Message { source })?)
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&mail.subject, LONGEST_SUBJECT))
            .date(SystemTime::from(mail.date))
            .message_id(Some(format!("<{}>", mail.message_id)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        let own = mail.reply_to.as_ref().and_then(|recipient| mailbox("reply_to", recipient).ok());
        if let Some(reply_to) = own.or_else(|| self.reply_to.clone()) {
            builder = builder.reply_to(reply_to);
        }
        if let Some(last) = mail.references.last() {
            let references: Vec<String> = mail.references.iter().map(|id| format!("<{id}>")).collect();
            builder = builder.references(references.join(" ")).in_reply_to(format!("<{last}>"));
        }
        if !mail.unsubscribe.is_empty() {
            let addresses: Vec<String> = mail.unsubscribe.iter().map(|address| format!("<{address}>")).collect();
            builder = builder.raw_header(header("List-Unsubscribe", &addresses.join(", ")));
        }
        if mail.one_click {
            builder = builder.raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let text = SinglePart::plain(mail.text.clone());
        // the same message has the same bytes
        let boundary: String = mail.message_id.chars().filter(char::is_ascii_alphanumeric).collect();
        let body = mail.html.as_ref().map(|html| {
            let parts = MultiPart::alternative().boundary(format!("part-{boundary}"));
            parts.singlepart(text.clone()).singlepart(SinglePart::html(html.clone()))
        });
        let message = if mail.files.is_empty() {
            match body {
                None => builder.singlepart(text),
                Some(body) => builder.multipart(body),
            }
        } else {
            let parts = MultiPart::mixed().boundary(format!("mail-{boundary}"));
            let parts = match body {
                None => parts.singlepart(text),
                Some(body) => parts.multipart(body),
            };
            builder.multipart(
                mail.files.iter().try_fold(parts, |parts, file| attached(file).map(|file| parts.singlepart(file)))?,
            )
        };
        message.map_err(|source| MailError::Message { source })
    }
}

fn attached(file: &MailFile) -> Result<SinglePart, MailError> {
    let kind = file.kind.parse().map_err(|_| MailError::Message { source: lettre::error::Error::NonAsciiChars })?;
    Ok(Attachment::new(one_line(&file.name, LONGEST_NAME)).body(file.content.clone(), kind))
}

/// A line break in a header would end it, and `lettre` panics on one.
fn one_line(text: &str, longest: usize) -> String {
    PortalText::new(text).for_terminal_within(longest)
}

fn mailbox(what: &'static str, recipient: &Recipient) -> Result<Mailbox, MailError> {
    let address = recipient.address.parse().map_err(|source| MailError::Address { what, source })?;
    let name = Some(one_line(&recipient.name, LONGEST_NAME)).filter(|name| !name.trim().is_empty());
    Ok(Mailbox::new(name, address))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// MAIL and RCPT: whether the server takes mails from whom to whom.
async fn offer(connection: &mut AsyncSmtpConnection, envelope: &Envelope, patience: Duration) -> Result<(), MailError> {
    let mut parameters = Vec::new();
    let is_plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.to().iter().chain(envelope.from()).all(is_plain) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(MailError::NoUnicode);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let from = MailFrom::new(envelope.from().cloned(), parameters);
    in_time(connection.command(from), patience, Step::Sender).await?;
    for to in envelope.to() {
        in_time(connection.command(Rcpt::new(to.clone(), Vec::new())), patience, Step::Recipient).await?;
    }
    Ok(())
}

/// DATA and the message, each by itself, so that it is known how far the server came.
async fn hand_over(connection: &mut AsyncSmtpConnection, bytes: &[u8], patience: Duration) -> Result<(), MailError> {
    in_time(connection.command(Data), patience, Step::Sender).await?;
    in_time(connection.message(bytes), patience, Step::Message).await
}

/// What a step of handing a mail over is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Sender,
    Recipient,
    Message,
}

/// Waits for the answer to one step.
async fn in_time<T>(
    step_done: impl Future<Output = Result<T, Smtp>>,
    patience: Duration,
    step: Step,
) -> Result<(), MailError> {
    match timeout(patience, step_done).await {
        Err(_) => Err(MailError::Silent { had_message: step == Step::Message }),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refused(error, step)),
    }
}

fn refused(error: Smtp, step: Step) -> MailError {
    let is_permanent = error.is_permanent();
    let may_be_heard = error.is_transient() || step != Step::Message;
    let is_about_us = is_about_us(&error);
    let source = error.into();
    match step {
        Step::Sender if is_permanent => MailError::Sender { source },
        Step::Recipient if is_permanent && !is_about_us => MailError::Refused { source },
        Step::Recipient | Step::Message if is_permanent => MailError::NotTaken { source },
        _ if may_be_heard => MailError::NotNow { source },
        _ => MailError::Broken { source },
    }
}

/// Whether a refusal of an address is one of the sender: many servers wait with that until they know the first recipient. It is when
/// they ask for signing in, or the status is one of policy (5.7) or of the sender's address (RFC 3463).
fn is_about_us(error: &Smtp) -> bool {
    let asks_for_signing_in =
        error.status().is_some_and(|code| ["530", "535", "538"].contains(&code.to_string().as_str()));
    let text = error.to_string();
    let is_status = |word: &str| word.starts_with("5.7.") || ["5.1.7", "5.1.8"].contains(&word);
    asks_for_signing_in || text.split_whitespace().any(is_status)
}
