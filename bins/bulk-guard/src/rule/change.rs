//! A change: an event that changed documents, how many, and what the portal calls them.

use std::sync::Arc;

use audit_model::{AuditEvent, PortalText, Weight, title_in_context};

use crate::rule::kind::Kind;

/// An event that changed documents, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) event: Arc<AuditEvent>,
    pub(crate) kind: Kind,
    pub(crate) weight: Weight,
    /// Title of the folder that was changed as a whole.
    pub(crate) folder: Option<PortalText>,
    /// The folders around that one, by the names that [`document`](crate::rule::kind::document) gives.
    pub(crate) around: Vec<Arc<str>>,
}

impl AsRef<AuditEvent> for Change {
    fn as_ref(&self) -> &AuditEvent {
        &self.event
    }
}

impl Change {
    /// How many documents it surely was.
    pub(crate) fn documents(&self) -> u64 {
        if self.is_uncountable() { 1 } else { self.weight.documents }
    }

    /// Whether nobody knows how many documents went from a room.
    pub(super) fn is_uncountable(&self) -> bool {
        let is_from_room =
            || title_in_context(&self.event).is_some() || matches!(self.kind, Kind::MovedOut | Kind::RoomDeleted);
        self.weight.at_least && self.kind.takes_away() && is_from_room()
    }
}

/// What the portal's sentence about an event calls the document: the sentences of all languages end with it behind a colon, or have it in
/// brackets. `None` where it is neither.
pub(crate) fn title_in(event: &AuditEvent) -> Option<PortalText> {
    let text = event.text.as_ref()?.raw();
    // whose document it is, or who saved it, stands in brackets, too
    let person = format!("[{}]", event.actor_name.raw());
    let text = if event.actor_name.raw().is_empty() { text.to_owned() } else { text.replace(&person, "") };
    let in_brackets = || {
        let (_, behind) = text.split_once('[')?;
        behind.split_once(']').map(|(title, _)| title)
    };
    let title = text.rsplit_once(": ").map(|(_, title)| title).filter(|title| !title.contains('"'));
    let title = title.or_else(in_brackets).map(str::trim).filter(|title| !title.is_empty() && *title != "{0}")?;
    Some(PortalText::new(title))
}
