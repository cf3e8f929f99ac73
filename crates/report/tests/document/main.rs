//! A document in all its forms.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod escape;
mod forms;
mod news;
mod pages;
