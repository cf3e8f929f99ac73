use figment::Figment;
use figment::providers::{Format, Toml};
use serde_json::json;

use super::super::golden;
use super::*;

const DOCS: &str = include_str!("../../../../../docs/alerts.md");

/// The settings of a recipe as they stand in the documentation, with what only the place knows.
fn recipe(heading: &str) -> Call {
    let section = DOCS.split_once(&format!("#### {heading}\n")).unwrap().1;
    let text = section.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let settings: Value = Figment::from(Toml::string(text)).extract().unwrap();
    let mut channel = settings["alerts"]["channel"][0].clone();
    let members = channel.as_object_mut().unwrap();
    assert_eq!(members.remove("kind").unwrap(), "http");
    members.remove("name").unwrap();
    assert!(members.remove("secret_file").is_some());
    members.insert("secret".to_owned(), json!("S3CRET"));
    let call = golden::kind::<Call>(channel);
    call.check().unwrap();
    call
}

#[test]
fn recipes_of_the_documentation_say_what_ticket_systems_take() {
    for heading in ["GitHub issues", "GLPI", "Jira", "ServiceNow"] {
        insta::assert_snapshot!(heading.to_lowercase().replace(' ', "_"), golden::said(&recipe(heading), "42"));
    }
}

/// What the systems answer to a new ticket.
#[test]
fn recipes_find_the_ticket_in_the_answer() {
    for (heading, answer, reference) in [
        ("GitHub issues", r#"{"id":1,"number":1347,"state":"open"}"#, "1347"),
        ("GLPI", r#"{"id":42,"message":""}"#, "42"),
        ("Jira", r#"{"id":"10000","key":"SOC-24","self":"https://…"}"#, "SOC-24"),
        ("ServiceNow", r#"{"result":{"number":"INC0010002","sys_id":"c537bae64f41"}}"#, "c537bae64f41"),
    ] {
        let taken = AnswerMeans::Taken(Sent { reference: Some(reference.to_owned()) });
        assert_eq!(golden::means(&recipe(heading), 201, answer), taken, "{heading}");
    }
    let jira = recipe("Jira");
    assert_eq!(golden::means(&jira, 204, ""), AnswerMeans::Taken(Sent::default()));
    assert_eq!(golden::means(&jira, 200, "<html>sign in</html>"), AnswerMeans::Refused(Some("no_json".into())));
    assert_eq!(golden::means(&jira, 400, r#"{"errors":{}}"#), AnswerMeans::Refused(None));
}

#[test]
fn mistakes_are_found_before_an_alert_waits_for_them() {
    for (change, member) in [
        (json!({ "first": { "body": r#"{"a": "{{ message.subject }}"}"# } }), "first"),
        (json!({ "first": { "body": r#"{"a": {{ alert.room.title }}}"# } }), "first"),
        (json!({ "later": { "body": "{{ nobody }}" } }), "later"),
        (json!({ "over": { "path": "@evil.example", "body": "{}" } }), "over"),
        (json!({ "headers": { "Host": "a" } }), "headers"),
        (json!({ "headers": { "X-A": "a\nb" } }), "headers"),
        (json!({ "secret_header": "a b" }), "secret_header"),
        (json!({ "reference": "key" }), "reference"),
    ] {
        let mut settings = json!({ "url": "https://tickets.example.com", "first": { "body": "{}" } });
        settings.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(golden::kind::<Call>(settings).check().unwrap_err().member, member, "{change}");
    }
}

/// Nobody knows the ticket before the first call, or where no answer is looked at; and no path stands behind a query.
#[test]
fn a_ticket_that_nobody_can_know_is_refused() {
    let say = |path: &str| serde_json::json!({ "path": path, "body": "{{ message.subject }}" });
    let kind = |more: serde_json::Value| {
        let mut settings = serde_json::json!({ "url": "https://t.example.com", "first": say("/new") });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        golden::kind::<Call>(settings)
    };
    kind(serde_json::json!({ "reference": "/key", "later": say("/{{ thread }}") })).check().unwrap();
    let unknown = kind(serde_json::json!({ "later": say("/{{ thread }}") })).check().unwrap_err();
    assert_eq!(unknown.member, "later");
    let first = kind(serde_json::json!({ "reference": "/key", "first": say("/{{ thread }}") })).check().unwrap_err();
    assert_eq!(first.member, "first");
    let query = kind(serde_json::json!({ "url": "https://t.example.com/hook?token=a" }));
    assert_eq!(query.address().unwrap_err().member, "url");
}
