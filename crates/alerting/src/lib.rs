#![doc = include_str!("../README.md")]

mod alert;
mod channel;
mod deliver;
mod error;
mod handover;
mod history;
mod mail;
mod matter;
mod memory;
mod message;
mod outbox;
mod said;
mod silence;
mod subject;
mod summary;
mod templates;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod turn;
mod waiting;

pub use alert::{Alert, AlertContext, AlertCoverage, AlertPortal, AlertProgram, Links, SCHEMA, person_page, room_page};
pub use channel::{
    Answer, AnswerMeans, Channel, ChannelSettings, Fault, HttpKind, KINDS, Kind, Members, Offer, QuietHours, Request,
    Route, SecretMember, Sent, Target, WayOut, credential_of, is_secret_header, variable_of,
};
pub use deliver::{Delivery, DeliveryReport, Failure, deliver};
pub use error::Error;
pub use history::{Noted, Outcome};
pub use mail::{Fate, Mail, MailError, MailFile, Mailer, Recipient, is_mail_address};
pub use matter::{Matter, Moment, state_of};
pub use memory::{OUTBOX_TABLES, forgetting_matters};
pub use message::{Fact, Language, Message};
pub use outbox::{Compared, Outbox};
pub use said::{Said, SaidFacts};
pub use silence::{SILENCE_KEYS, Silence};
pub use templates::{TemplateError, Templates};
pub use waiting::{Drained, Lapsed, Refused};
