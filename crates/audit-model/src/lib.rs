#![doc = include_str!("../README.md")]

mod action;
mod action_info;
mod action_names;
mod action_table;
mod address;
mod bilingual;
mod counting;
mod coverage;
mod event;
mod finding;
mod fingerprint;
mod forgotten;
mod gap_reason;
mod halves;
mod person;
mod pseudonym;
mod room;
mod sentence;
mod source;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod window;

pub use action::{ActClass, ActionId};
pub use action_info::{ActionInfo, EntryKind, Location, RecordedIn};
pub use address::{Address, AddressRange, AddressSet, NoEntry, RangeError, portal_form};
pub use bilingual::{Bilingual, Spoken};
pub use counting::{ACT_REPEAT, Act, Documents, Episode, Episodes, Measure, Peak, Sessions, SlidingWindow, Weight};
pub use coverage::{BlindSpot, Coverage, Gap, MainSource, SourceCoverage, UnreadableSpan, Verdict};
pub use event::{AuditEvent, EventDetails, GUEST_ACCOUNT, LoginEvent, SYSTEM_ACCOUNT, is_robot};
pub use finding::{Counts, Course, Evidence, Finding, FindingRoom, FindingState, MAX_EVIDENCE, Severity};
pub use fingerprint::fingerprint;
pub use forgotten::Forgotten;
pub use gap_reason::GapReason;
pub use halves::{Halves, is_other_half};
pub use person::{Person, PersonStatus, PortalRole, RoomRole};
pub use pseudonym::{Pseudonym, is_sayable, sayable};
pub use room::{
    AI_AGENT_ROOM, Attributed, Place, Placer, RoomFact, RoomId, RoomKind, RoomLogs, Rooms, VIRTUAL_DATA_ROOM,
    title_in_context,
};
pub use sentence::Sentence;
pub use source::Source;
pub use text::PortalText;
pub use window::{SpanSet, Window};
