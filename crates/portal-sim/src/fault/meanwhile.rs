//! What somebody else does while a client is at work.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::scenario::Person;

/// A request that somebody else sends from their browser, with all their rights and from their usual address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervention {
    /// E-mail address of who does it.
    pub by: String,
    /// HTTP method.
    pub method: String,
    /// Path behind `/api/2.0/`.
    pub path: String,
    /// JSON body; absent for none.
    #[serde(default)]
    pub body: Option<Value>,
}

impl Intervention {
    /// Any request.
    #[must_use]
    pub fn new(by: &Person, method: &str, path: &str, body: Option<Value>) -> Intervention {
        Intervention { by: by.email.clone(), method: method.to_owned(), path: path.to_owned(), body }
    }

    /// Switches somebody's account off.
    #[must_use]
    pub fn disable(by: &Person, whom: Uuid) -> Intervention {
        Intervention::new(by, "PUT", "people/status/Terminated", Some(json!({ "userIds": [whom] })))
    }

    /// Switches somebody's account on.
    #[must_use]
    pub fn enable(by: &Person, whom: Uuid) -> Intervention {
        Intervention::new(by, "PUT", "people/status/Active", Some(json!({ "userIds": [whom] })))
    }

    /// Replaces the IP restrictions, for everybody, and the switch.
    #[must_use]
    pub fn restrict(by: &Person, addresses: &[&str], enable: bool) -> Intervention {
        let entries: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip, "forAdmin": false })).collect();
        let body = json!({ "ipRestrictions": entries, "enable": enable });
        Intervention::new(by, "PUT", "settings/iprestrictions", Some(body))
    }
}

/// On which side of the answer something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the portal answers: the answer shows it.
    #[default]
    Before,
    /// Right after it: the next answer shows it.
    After,
}
