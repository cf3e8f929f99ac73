//! The portal's own list of addresses from which it can be entered, and the switch that makes it count.
//!
//! The server's tags for conditional requests are broken: they are the same for every list, so none is ever sent.

use audit_model::PortalText;
use futures::try_join;
use serde::{Deserialize, Serialize};
use tracing::debug;

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

/// The list as the portal's table has it, and whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredList {
    /// In the portal's order, doubles included.
    pub entries: Vec<ListEntry>,
    /// Whether the portal says that the list counts.
    pub enabled: bool,
    /// The portal's number in its installation, the same under each of its names; `None` when the portal does not tell it.
    pub tenant: Option<i64>,
}

impl StoredList {
    /// The same without the portal's order, which means nothing.
    pub fn sorted(&self) -> AddressList {
        let mut entries = self.entries.clone();
        entries.sort();
        AddressList { entries, enabled: self.enabled }
    }
}

#[derive(Deserialize)]
struct RowDto {
    #[serde(flatten)]
    entry: ListEntry,
    #[serde(rename = "tenantId")]
    tenant: Option<i64>,
}

#[derive(Deserialize)]
struct SwitchDto {
    enable: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TenantDto {
    tenant_id: Option<i64>,
}

impl Client {
    /// The list and the switch, in two requests.
    ///
    /// # Errors
    /// As for [`stored_list`](Self::stored_list).
    pub async fn address_list(&self) -> Result<AddressList, Error> {
        Ok(self.rows().await?.sorted())
    }

    /// The same as it is stored, with the portal's number. That stands in every entry; of an empty list it takes a third request.
    ///
    /// # Errors
    /// `MissingRight` when the key's owner is no admin; `ServerFault` when something stands in the list that is no address: the
    /// portal then cannot read it either, and refuses everybody but its owner while the switch is on.
    pub async fn stored_list(&self) -> Result<StoredList, Error> {
        let mut stored = self.rows().await?;
        if stored.tenant.is_none() {
            stored.tenant = self.tenant().await;
        }
        Ok(stored)
    }

    async fn rows(&self) -> Result<StoredList, Error> {
        let list = Question::new("the address list", "settings/iprestrictions", "*:read");
        let switch = Question::new("the switch of the address list", "settings/iprestrictions/settings", "*:read");
        let (list, switch) = try_join!(self.get::<Vec<RowDto>>(list), self.get::<SwitchDto>(switch))?;
        let tenant = list.response.iter().find_map(|row| row.tenant);
        let entries = list.response.into_iter().map(|row| row.entry).collect();
        Ok(StoredList { entries, enabled: switch.response.enable, tenant })
    }

    /// `None` when the portal does not answer that: a portal is known by its address, too.
    async fn tenant(&self) -> Option<i64> {
        let question = Question::new("the portal's number", "portal", "*:read");
        match self.get::<TenantDto>(question).await {
            Ok(answer) => answer.response.tenant_id,
            Err(error) => {
                debug!("the portal does not tell its number: {error}");
                None
            }
        }
    }
}
