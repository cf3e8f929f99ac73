//! What people who mean harm type into a portal, in every form for machines.

use audit_model::testing::hostile_texts;
use serde_json::{Value, json};

use super::super::golden;
use super::*;

/// An alert with the text wherever it has text of the portal's.
fn alert_of(text: &str) -> String {
    let mut alert = golden::naming(text, "new");
    alert["person"]["email"] = json!(text);
    alert["reasons"] = json!([format!("opened {text}"), text]);
    alert["evidence"][0]["target"] = json!(text);
    alert["evidence"][0]["ip"] = json!(text);
    alert["did"] = json!(format!("opened {text}"));
    alert["what_to_do"] = json!([format!("ask {text}")]);
    alert["facts"] = json!({ "where": text, "how_many": text });
    alert.to_string()
}

/// Without what stands behind a backslash.
fn unescaped(text: &str) -> String {
    let mut left = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            characters.next();
        } else {
            left.push(character);
        }
    }
    left
}

fn acts_in_a_line(line: &str) -> bool {
    line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

#[test]
fn no_text_gets_out_of_a_document_for_machines() {
    for (tried, text) in hostile_texts() {
        let json = alert_of(&text);
        let offer = golden::offer(&json, None);
        let alert: Value = serde_json::from_str(&Format::Alert.line(&offer)).unwrap();
        assert_eq!((&alert["person"]["name"], &alert["room"]["title"]), (&json!(text), &json!(text)), "{tried}");
        let finding = Format::Ocsf.line(&offer);
        assert!(!finding.contains(['\r', '\n']), "{tried}");
        let finding: Value = serde_json::from_str(&finding).unwrap();
        assert_eq!(finding["unmapped"]["room"]["title"], json!(text), "{tried}: {finding:.2000}");
    }
}

#[test]
fn no_text_makes_a_field_of_a_line_in_the_common_event_format() {
    // behind a header of seven fields
    let keys = |line: &str| {
        let line = unescaped(line);
        let parts: Vec<&str> = line.splitn(8, '|').nth(7).unwrap().split('=').collect();
        let before = &parts[..parts.len() - 1];
        before.iter().map(|part| part.rsplit(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let said = |text: &str| {
        let json = alert_of(text);
        cef(&golden::offer(&json, None))
    };
    let plain = said("192.0.2.7");
    for (tried, text) in hostile_texts() {
        let line = said(&text);
        assert!(!acts_in_a_line(&line), "{tried}: {line:.1000}");
        let expected: Vec<String> = keys(&plain).into_iter().filter(|key| key != "src").collect();
        assert_eq!(keys(&line), expected, "{tried}: {line:.1000}");
    }
}
