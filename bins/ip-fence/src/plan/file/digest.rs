//! What a digest is made of: the same whatever the order of members and the white space. Pure.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What depends on the digest.
const LEFT_OUT: [&str; 2] = ["digest", "id"];

/// SHA-256 over all members, known or not, but those that depend on it.
pub(super) fn of(plan: &Value) -> [u8; 32] {
    let mut text = String::new();
    match plan {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            object(members, &mut text);
        }
        other => canonical(other, &mut text),
    }
    Sha256::digest(text).into()
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => object(members, text),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        // one form each: nothing here is a number with a fraction
        simple => text.push_str(&simple.to_string()),
    }
}

fn object<'v>(members: impl IntoIterator<Item = (&'v String, &'v Value)>, text: &mut String) {
    let sorted: BTreeMap<&String, &Value> = members.into_iter().collect();
    text.push('{');
    for (name, value) in sorted {
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        canonical(value, text);
        text.push(',');
    }
    text.push('}');
}
