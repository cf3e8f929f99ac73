//! The portal's own list of addresses from which it can be entered, and the switch that makes it count.
//!
//! Reading only. The server's tags for conditional requests are broken: they are the same for every list, so none is ever sent.

use audit_model::PortalText;
use futures::try_join;
use serde::{Deserialize, Serialize};

use crate::client::Question;
use crate::{Client, Error};

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListEntry {
    /// As somebody stored it. The portal compares texts, not addresses.
    pub ip: PortalText,
    /// Counts only for the owner and DocSpace admins, beside the entries for all.
    #[serde(rename = "forAdmin", default)]
    pub for_admin: bool,
}

/// The list and its switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressList {
    /// In order of text: the portal's own order means nothing. Doubles are kept.
    pub entries: Vec<ListEntry>,
    /// Whether the portal says that the list counts. A deployment can hide the whole feature, and then nothing does.
    pub enabled: bool,
}

#[derive(Deserialize)]
struct SwitchDto {
    enable: bool,
}

impl Client {
    /// The list and the switch, in two requests.
    ///
    /// # Errors
    /// `MissingRight` when the key's owner is no admin; `ServerFault` when something stands in the list that is no address: the
    /// portal then cannot read it either, and refuses everybody but its owner while the switch is on.
    pub async fn address_list(&self) -> Result<AddressList, Error> {
        let list = Question::new("the address list", "settings/iprestrictions", "*:read");
        let switch = Question::new("the switch of the address list", "settings/iprestrictions/settings", "*:read");
        let (list, switch) = try_join!(self.get::<Vec<ListEntry>>(list), self.get::<SwitchDto>(switch))?;
        let mut entries = list.response;
        entries.sort();
        Ok(AddressList { entries, enabled: switch.response.enable })
    }
}
