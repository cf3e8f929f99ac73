//! What receivers take: sizes, and the form of cards and blocks.

use boon::{Compiler, Schemas};

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

/// These schemas are written by hand, after what the receivers document.
#[test]
fn cards_and_blocks_keep_their_schemas() {
    for (name, schema, part) in [
        ("teams", "adaptive-card-1.4.handwritten.schema.json", "/attachments/0/content"),
        ("slack", "slack-message.handwritten.schema.json", ""),
        ("slack_bot", "slack-message.handwritten.schema.json", ""),
    ] {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let file = format!("{}/tests/schemas/{schema}", env!("CARGO_MANIFEST_DIR"));
        let index = compiler.compile(&file, &mut schemas).unwrap();
        let says = kinds().into_iter().find(|(kind, _)| *kind == name).unwrap().1;
        let findings = hostile_texts().into_iter().map(|(_, text)| hostile(&text)).chain([plain_finding()]);
        for finding in findings {
            let body = body_of(&requested(&*says, &finding, Some("C0123456789 17.1"), None));
            let objection = schemas.validate(body.pointer(part).unwrap(), index).err().map(|error| error.to_string());
            assert_eq!(objection, None, "{name}: {body:#}");
        }
    }
}
