#![doc = include_str!("../README.md")]

mod alert;
mod channel;
mod deliver;
mod error;
mod file;
mod mail;
mod matter;
mod memory;
mod outbox;
mod subject;
mod templates;
mod waiting;
mod webhook;

pub use alert::{Alert, AlertContext, AlertCoverage, AlertPortal, AlertProgram, Links, SCHEMA, person_page, room_page};
pub use channel::Channel;
pub use deliver::{Delivery, DeliveryReport, Failure, deliver};
pub use error::Error;
pub use mail::{Fate, Mail, MailError, MailFile, Mailer, Recipient, is_mail_address};
pub use matter::{Matter, Moment, state_of};
pub use memory::{OUTBOX_TABLES, forgetting_matters};
pub use outbox::{Compared, Outbox};
pub use templates::{TemplateError, Templates};
pub use waiting::{Drained, Lapsed, Refused};
