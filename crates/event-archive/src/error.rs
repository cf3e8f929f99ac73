//! What can go wrong between a portal and its archive. A portal that fails is not an error here but a gap in coverage.

/// Why the archive could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the archive of events cannot be used")]
pub struct Error(#[from] job_store::Error);
