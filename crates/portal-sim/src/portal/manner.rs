//! How the body of an answer travels.

use std::time::Duration;

/// What happens to the body on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    /// It arrives.
    #[default]
    Whole,
    /// Only half of it leaves, then the connection ends.
    Truncated,
    /// Only half of it leaves, then the connection is reset.
    ResetInside,
    /// In pieces, with a pause before each but the first.
    Slow { pieces: u32, pause: Duration },
}
