//! Alerts and mails on their way. One executable, for each is linked with everything.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod alert;
mod channels;
mod chat;
mod common;
mod machines;
mod mail;
mod misbehaving;
mod named;
mod outbox;
mod outbox_on_server;
