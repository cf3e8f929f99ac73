//! A store in PostgreSQL: one schema for a program, and the portal in every key. The server keeps the portals apart by row security, so no
//! statement of ours names them.

mod encryption;
mod pass_file;
mod rewriting;
mod server;
mod session;
mod texts;
mod url;

pub use encryption::Encryption;
pub use server::OnServer;
pub(crate) use server::{Server, micros};
pub(crate) use session::Session;
pub(crate) use texts::ServerTexts;
pub use url::{ServerUrl, UrlError};
