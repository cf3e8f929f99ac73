#![doc = include_str!("../README.md")]

pub mod coverage;
pub mod csv;
mod document;
mod form;
mod html;
mod line;
mod person;
mod reworded;
mod table;
mod text;
mod timeline;
pub mod words;

pub use document::{Block, Details, Document, Figure, Maker, PortalLine, RunLine, Section};
pub use form::{Error, Form, TEXT_WIDTH};
pub use line::{Line, Link};
pub use person::{PersonLine, Where, Who};
pub use reworded::Wording;
pub use table::{Cell, Rest, Table};
pub use timeline::{Bar, Mark, Timeline};
