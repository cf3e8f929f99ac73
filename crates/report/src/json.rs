//! The document as data. Texts of the portal's are raw, escaped for JSON only: whoever shows them must escape them.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::{Document, words};

/// Name and version of the shape; described by `schema/document-1.schema.json`. A change that breaks readers gets a new number.
pub const SCHEMA: &str = "report/1";

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seal = words::seal_name(self.seal());
        let mut document = serializer.serialize_struct("Document", 12)?;
        document.serialize_field("schema", SCHEMA)?;
        document.serialize_field("program", &self.program)?;
        document.serialize_field("portal", &self.portal)?;
        match &self.run {
            Some(run) => document.serialize_field("run", run)?,
            None => document.skip_field("run")?,
        }
        document.serialize_field("window", &self.window)?;
        document.serialize_field("seal", seal)?;
        document.serialize_field("headline", &self.headline)?;
        document.serialize_field("figures", &self.figures)?;
        document.serialize_field("sections", &self.sections)?;
        document.serialize_field("timelines", &self.timelines)?;
        document.serialize_field("coverage", &self.coverage)?;
        document.serialize_field("notes", &self.notes)?;
        document.end()
    }
}

/// The document, indented, with a newline at its end.
///
/// # Panics
/// Never: a document holds no map whose keys are not strings.
pub(crate) fn render(document: &Document) -> String {
    let json = serde_json::to_string_pretty(document).expect("a document has only string keys");
    json + "\n"
}
