//! Against what the portal's own code answered.

use std::path::Path;

use audit_model::{AddressRange, PortalText, portal_form};
use serde_json::Value;

use super::*;

fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recorded").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn entry(ip: &str, for_admin: bool) -> ListEntry {
    ListEntry { ip: PortalText::new(ip), for_admin }
}

/// What a recorded PUT leaves behind.
fn stored(body: &Value) -> AddressList {
    let sent = body["ipRestrictions"].as_array().cloned().unwrap_or_default();
    let entries = sent.iter().map(|sent| entry(sent["ip"].as_str().unwrap(), sent["forAdmin"] == true)).collect();
    AddressList { entries, enabled: body["enable"].as_bool().unwrap_or(!sent.is_empty()) }
}

/// Every recorded caller at every recorded list.
#[test]
fn callers_are_ruled_as_the_portal_ruled_them() {
    let (mut list, mut compared) = (AddressList::default(), 0);
    for exchange in recorded("iprestrictions-matching.json") {
        let name = exchange["name"].as_str().unwrap();
        let request = &exchange["request"];
        let status = exchange["response"]["status"].as_u64().unwrap();
        if request["method"] == "PUT" && status == 200 {
            list = stored(&request["body"]);
            // written into the table afterwards
            if name.starts_with("last: empty list") {
                list.entries.clear();
            }
            continue;
        }
        let Some((what, rest)) = name.split_once(" | caller ") else { continue };
        let Some((caller, key)) = rest.split_once(" | sk-") else { continue };
        let mut list = list.clone();
        list.entries.extend(what.strip_prefix("row in the table: ").map(|ip| entry(ip, false)));
        if what == "switch on, list empty" {
            list = AddressList { entries: Vec::new(), enabled: true };
        }
        let address = match caller {
            "direct (loopback)" => "127.0.0.1".parse().ok(),
            text => dotnet_address(text),
        };
        // ports, several hops and garbage are read before the list is looked at
        let Some(address) = address.filter(|_| !what.starts_with("X-Forwarded-For")) else { continue };
        let caller = Caller { is_owner: key == "owner", is_admin: key != "user", address };
        let ruling = if status == 200 { Ruling::Admitted } else { Ruling::Refused };
        compared += 1;
        if name == "bad entry second | caller 192.0.2.1 | sk-user" {
            // admitted, because the matching entry came first; the order is none to rely on
            assert_eq!((ruling, rule(&list, &caller)), (Ruling::Admitted, Ruling::Refused));
        } else {
            assert_eq!(rule(&list, &caller), ruling, "{name}");
        }
    }
    assert!(compared > 100, "{compared}");
}

/// Every text that was sent to the portal, and its answer.
#[test]
fn texts_are_read_as_the_portal_reads_them() {
    let mut compared = 0;
    for exchange in recorded("iprestrictions-accepted-addresses.json") {
        if exchange["request"]["method"] != "PUT" {
            continue;
        }
        let text = exchange["request"]["body"]["ipRestrictions"][0]["ip"].as_str().unwrap();
        // the column has 50 characters
        let is_accepted = exchange["response"]["status"] == 200 || text.len() > 50;
        assert_eq!(dotnet_address(text).is_some(), is_accepted, "{text:?}");
        let trouble = Trouble::of(&entry(text, false));
        assert!(is_accepted || trouble == Some(Trouble::Unreadable), "{text:?}");
        // what the policy takes for one address is written in the one form that matches
        if let Ok(range) = text.parse::<AddressRange>()
            && range.size() == Some(1)
            && let Ok(form) = portal_form(range.addresses().next().unwrap())
        {
            assert_eq!(Trouble::of(&entry(&form, false)), None, "{text:?} as {form:?}");
            let list = AddressList { entries: vec![entry(&form, false)], enabled: true };
            let caller = Caller { is_owner: false, is_admin: false, address: form.parse().unwrap() };
            assert_eq!(rule(&list, &caller), Ruling::Admitted, "{form}");
        }
        compared += 1;
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn what_is_wrong_with_entries() {
    for (text, trouble) in [
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        ("2001:DB8::1", Some(Trouble::NeverMatches)),
        ("2001:db8:0:0:0:0:0:1", Some(Trouble::NeverMatches)),
        ("192.000.002.001", Some(Trouble::NeverMatches)),
        ("0x7f000001", Some(Trouble::NeverMatches)),
        ("1", Some(Trouble::NeverMatches)),
        ("0.0.0.0", Some(Trouble::NeverMatches)),
        ("::ffff:192.0.2.1", Some(Trouble::NeverMatches)),
        ("[2001:db8::1]", Some(Trouble::NeverMatches)),
        ("fe80::1%eth0", Some(Trouble::NeverMatches)),
        ("2001:db8::1%x-2001:db8::ff", Some(Trouble::Range)),
        ("::1%a-b", Some(Trouble::Breaks)),
        ("192.0.2.0/24", Some(Trouble::Unreadable)),
        ("192.0.2.0-192.0.2.9", Some(Trouble::Unreadable)),
        ("example.com", Some(Trouble::Unreadable)),
        ("", Some(Trouble::Unreadable)),
    ] {
        assert_eq!(Trouble::of(&entry(text, false)), trouble, "{text}");
    }
}
