//! A verb of a path: what it does, and what a key needs for it.

use super::reply::{Failure, Output};
use super::{Change, Context};

pub(super) type Read = Box<dyn Fn(&Context<'_>) -> Result<Output, Failure>>;
pub(super) type Write = Box<dyn Fn(&mut Change<'_>) -> Result<Output, Failure>>;

/// What a verb does.
pub(super) enum Action {
    /// Looks only; a body is not read.
    Read(Read),
    /// May change the portal.
    Change(Write),
}

/// A verb of a path.
pub(super) struct Method {
    pub(super) verb: &'static str,
    pub(super) need: Need,
    pub(super) anonymous: bool,
    /// `fields` trims only what these routes list; elsewhere a client must not send it.
    pub(super) trims: bool,
    pub(super) action: Action,
}

/// Which scopes a route asks for; verbs other than GET want the `write` ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any live key.
    Nothing,
    /// `*:read` or `*:write`.
    Global,
    /// The same, or `AREA:read` or `AREA:write`.
    Area(&'static str),
    /// Any credential or none: a bad one counts as none.
    Anybody,
    /// A global one, or `accounts:read` for GET, `accounts:write` for the other verbs.
    Groups,
    /// What the routes of keys ask for.
    Keys,
}
