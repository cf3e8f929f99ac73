//! Who is suspended: `status`, and `explain INCIDENT`.

use std::path::Path;

use chrono::TimeDelta;
use cli_test::{Clock, Run};
use serde_json::json;

use crate::common::{now, office, setting};
use crate::suspended::{comparable, entry, held, kept, merge, off, remember, three};

fn assert_keeps_schema(run: &Run) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/bulk-guard-status-1.schema.json");
    cli_test::assert_keeps(&schema, &run.stdout);
}

#[tokio::test]
async fn status_says_who_is_disabled_and_what_waits() {
    let (mut setting, [mara, ben, cleo]) = three().await;
    let decision = json!([{ "what": "kept", "who": "olga", "why": "police", "at": "2026-11-20T08:59:00Z" }]);
    let strong = json!({ "strong": ["a note of ransomware"], "needs_decision": "a note of ransomware was left" });
    let mut lasting = off();
    merge(&mut lasting, json!({ "incident": strong, "decisions": decision }));
    let mut asked = off();
    merge(&mut asked, json!({ "intent": { "asked_by": "POST from 192.0.2.7" } }));
    let entries = [
        entry(&mara, "k3f9-q2mw", "done", asked),
        entry(&ben, "b2b2-b2b2", "held", held()),
        entry(&cleo, "c3c3-c3c3", "done", lasting),
    ];
    remember(&setting, &entries).await;
    let (text, document) = (setting.run(&["status"]).await, setting.run(&["status", "--format", "json"]).await);
    assert_eq!((text.exit, text.stderr.as_str(), document.exit), (0, "", 0));
    assert_keeps_schema(&document);
    let people = [mara, ben, cleo];
    insta::assert_snapshot!("status", comparable(&text.stdout, &people));
    insta::assert_snapshot!("status_json", comparable(&document.stdout, &people));
    // two hours on, the same store is older, and says so
    setting.clock = Clock::At(now() + TimeDelta::hours(2));
    let later = setting.run(&["status"]).await.stdout;
    assert!(later.contains("until 2026-11-20 09:00 UTC, 2 h ago"), "{later}");
}

/// Before the first run, too; and nothing is made.
#[tokio::test]
async fn status_of_nothing_is_told_in_words() {
    let setting = setting(office()).await;
    let told = setting.run(&["status"]).await;
    assert_eq!((told.exit, told.stderr.as_str()), (0, ""));
    assert!(told.stdout.contains("No run has looked at the portal yet."), "{}", told.stdout);
    assert!(told.stdout.contains("Nobody's account is disabled through this program."), "{}", told.stdout);
    let document = setting.run(&["status", "--format", "json"]).await;
    assert_keeps_schema(&document);
    assert_eq!(document.json()["off"], json!([]));
    assert!(!setting.state.path().join("state").exists());
    let unknown = setting.run(&["cancel", "k3f9-q2mw"]).await;
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("`k3f9-q2mw` is no incident"), "{}", unknown.stderr);
    assert!(!setting.state.path().join("state").exists());
}

#[tokio::test]
async fn explain_tells_the_course_of_an_incident() {
    let (setting, [mara, ben, cleo]) = three().await;
    let mut told = off();
    merge(
        &mut told,
        json!({ "said": [{
        "topic": "done", "words": "Mara is suspended.", "is_critical": true, "at": "2026-11-20T08:55:12Z", "is_handed_on": true,
    }] }),
    );
    merge(&mut told, json!({ "intent": { "asked_by": "POST from 192.0.2.7" } }));
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", told)]).await;
    setting.run(&["keep", "k3f9-q2mw", "--reason", "until she has been called"]).await;
    let explained = setting.run(&["explain", "k3f9-q2mw"]).await;
    assert_eq!((explained.exit, explained.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("explain_incident", comparable(&explained.stdout, &[mara, ben, cleo]));
}

/// What leaves as a document names nobody where the settings say so; what is asked for by hand does.
#[tokio::test]
async fn status_names_people_as_the_settings_say() {
    let (setting, [mara, ..]) = three().await;
    remember(&setting, &[entry(&mara, "k3f9-q2mw", "done", off())]).await;
    setting.file("names-key", "0123456789abcdef0123456789abcdef\n");
    let config = setting.file("names.toml", "names = \"pseudonym\"\nnames_key_file = \"names-key\"\n");
    let document = setting.run(&["status", "--format", "json", "--portal-config", &config]).await;
    assert_keeps_schema(&document);
    assert!(
        !document.stdout.contains(&mara.id.to_string()) && !document.stdout.contains("Mara"),
        "{}",
        document.stdout
    );
    let pseudonym = document.json()["off"][0]["person"]["name"].as_str().unwrap().to_owned();
    assert!(pseudonym.starts_with("person-"), "{pseudonym}");
    let text = setting.run(&["status", "--portal-config", &config]).await.stdout;
    assert!(text.contains("Mara mara") && text.contains(&mara.id.to_string()), "{text}");
    let told = setting.run(&["release", &pseudonym, "--reason", "x", "--portal-config", &config]).await;
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert_eq!(kept(&setting, &mara).await["decisions"][0]["what"], "released");
}
