//! Documents for machines: the alert as our schema describes it, or in a form that others have agreed on.

mod cef;
mod ocsf;

use std::net::IpAddr;

use audit_model::PortalText;
use serde::Deserialize;
use serde_json::Value;

use super::offer::Offer;

pub(super) use cef::cef;

/// `format = "…"`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// `alert-1.schema.json`
    #[default]
    Alert,
    /// A Detection Finding of the Open Cybersecurity Schema Framework.
    Ocsf,
}

impl Format {
    /// `alert` is the document of the offer, or as much of it as the receiver takes.
    pub(super) fn document(self, offer: &Offer<'_>, alert: Value) -> Value {
        match self {
            Format::Alert => alert,
            Format::Ocsf => ocsf::detection_finding(offer, alert),
        }
    }

    /// The same in one line, whole.
    pub(super) fn line<'a>(self, offer: &Offer<'a>) -> std::borrow::Cow<'a, str> {
        match self {
            // these very bytes: the order of their members is part of what readers get
            Format::Alert => offer.json.into(),
            Format::Ocsf => {
                let alert = serde_json::from_str(offer.json).unwrap_or_default();
                ocsf::detection_finding(offer, alert).to_string().into()
            }
        }
    }
}

/// What the portal noted as an address, if it is one.
fn ip(text: &PortalText) -> Option<IpAddr> {
    text.raw().trim().parse().ok()
}

#[cfg(test)]
mod tests;
