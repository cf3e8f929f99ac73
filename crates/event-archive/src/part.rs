//! What runs look at, as far as they remember it apart.

/// What runs look at; empty for everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part(String);

impl Part {
    pub(crate) fn new(part: &str) -> Self {
        Part(part.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
