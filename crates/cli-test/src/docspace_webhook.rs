//! Webhooks of the portal: what a server has sent, and more that are signed in the same way.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The header that holds the signature.
pub const SIGNATURE: &str = "x-docspace-signature-256";

/// A webhook as it comes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub name: String,
    pub secret: String,
    /// The value of the header: `sha256=6DCB80…`.
    pub signature: String,
    pub body: Vec<u8>,
}

impl Delivery {
    /// Signs a body as the portal does.
    pub fn signed(name: &str, secret: &str, body: Vec<u8>) -> Self {
        let mut hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        hash.update(&body);
        let signature = format!("sha256={}", hex::encode_upper(hash.finalize().into_bytes()));
        Delivery { name: name.to_owned(), secret: secret.to_owned(), signature, body }
    }

    /// The webhook with this number about a document that was moved to the trash.
    pub fn trashed(secret: &str, number: u32) -> Self {
        let person = "5f0c1a52-8d8e-4a53-9a53-0d8f6b4d7c11";
        let event = json!({ "id": number, "createOn": "2026-11-20T09:00:00Z", "createBy": person,
                            "trigger": "file.trashed", "triggerId": 1024 });
        let payload = json!({ "id": 9000 + number, "parentId": 71, "title": "paper.docx", "createBy": person });
        let webhook = json!({ "id": 4, "name": "guard", "url": "https://hooks.example.com/webhooks/docspace",
                              "triggers": ["*"] });
        let body = json!({ "event": event, "payload": payload, "webhook": webhook });
        Self::signed("file.trashed", secret, body.to_string().into_bytes())
    }
}

/// Everything that was recorded of a server, retries included.
pub fn recorded() -> Vec<Delivery> {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../../fixtures/recorded/webhook-signatures.json")).unwrap();
    let delivery = |vector: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Delivery {
            name: text(&vector["name"]),
            secret: text(&vector["secret"]),
            signature: text(&vector["headers"][SIGNATURE]),
            // ASCII, as the portal writes it
            body: text(&vector["body_text"]).into_bytes(),
        }
    };
    recorded.iter().map(delivery).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_signed_as_the_portal_does_it() {
        for delivery in recorded() {
            assert_eq!(Delivery::signed(&delivery.name, &delivery.secret, delivery.body.clone()), delivery);
        }
    }
}
