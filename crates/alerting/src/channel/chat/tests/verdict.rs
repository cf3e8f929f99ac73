//! What the answers of receivers mean.

use super::*;

#[test]
fn only_an_answer_that_says_so_means_taken() {
    let refused = |word: &str| AnswerMeans::Refused(Some(word.to_owned()));
    let taken = |reference: Option<&str>| AnswerMeans::Taken(Sent { reference: reference.map(str::to_owned) });
    let kinds = kinds();
    for (name, status, body, means) in [
        ("matrix", 200, r#"{"event_id":"$1:example.com"}"#, taken(Some("!soc:example.com $1:example.com"))),
        ("matrix", 403, r#"{"errcode":"M_FORBIDDEN","error":"not in the room"}"#, refused("M_FORBIDDEN")),
        ("matrix", 429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#, refused("M_LIMIT_EXCEEDED")),
        ("matrix", 200, "<html>sign in</html>", AnswerMeans::Refused(None)),
        ("mattermost", 200, "ok", taken(None)),
        (
            "mattermost",
            404,
            r#"{"id":"web.incoming_webhook.invalid.app_error"}"#,
            refused("web.incoming_webhook.invalid.app_error"),
        ),
        ("ntfy", 200, r#"{"id":"xE73Iyuabi","event":"message"}"#, taken(None)),
        ("ntfy", 403, r#"{"code":40301,"http":403,"error":"forbidden"}"#, refused("40301")),
        ("rocketchat", 200, r#"{"success":true}"#, taken(None)),
        ("rocketchat", 200, r#"{"success":false,"error":"dropped"}"#, refused("dropped")),
        ("rocketchat", 400, r#"{"success":false,"error":"invalid-channel"}"#, refused("invalid-channel")),
        ("slack", 200, "ok", taken(None)),
        ("slack", 404, "no_service", refused("no_service")),
        ("slack", 502, "<html>Bad Gateway</html>", AnswerMeans::Refused(None)),
        ("slack_bot", 200, r#"{"ok":true,"channel":"C1","ts":"17.1"}"#, taken(Some("C0123456789 17.1"))),
        ("slack_bot", 200, r#"{"ok":false,"error":"channel_not_found"}"#, refused("channel_not_found")),
        ("slack_bot", 429, r#"{"ok":false,"error":"ratelimited"}"#, refused("ratelimited")),
        ("slack_bot", 200, r#"{"ok":tr"#, AnswerMeans::Refused(None)),
        ("teams", 202, "", taken(None)),
        ("teams", 400, r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#, refused("TriggerInputSchemaMismatch")),
        ("telegram", 200, r#"{"ok":true,"result":{"message_id":42}}"#, taken(Some("-1001234567890 42"))),
        (
            "telegram",
            400,
            r#"{"ok":false,"description":"Bad Request: chat not found"}"#,
            refused("Bad_Request:_chat_not_found"),
        ),
        ("telegram", 200, "", AnswerMeans::Refused(None)),
    ] {
        let says = &kinds.iter().find(|(kind, _)| *kind == name).unwrap().1;
        let answer = Answer { status: status.try_into().unwrap(), body: body.as_bytes().to_vec() };
        let verdict = says.verdict(&answer);
        assert_eq!(verdict, means, "{name}: {status} {body}");
    }
}

/// Where the receiver says in the body how long to wait.
#[test]
fn a_pause_that_stands_in_the_answer_is_read() {
    let kinds = kinds();
    let millis = std::time::Duration::from_millis;
    for (name, body, pause) in [
        ("matrix", r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}"#, Some(millis(2_500))),
        ("matrix", r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":-1}"#, None),
        ("matrix", r#"{"errcode":"M_LIMIT_EXCEEDED"}"#, None),
        ("telegram", r#"{"ok":false,"error_code":429,"parameters":{"retry_after":14}}"#, Some(millis(14_000))),
        ("telegram", r#"{"ok":false,"error_code":429,"parameters":{"retry_after":"soon"}}"#, None),
        ("slack_bot", r#"{"ok":false,"retry_after":14,"retry_after_ms":14}"#, None),
    ] {
        let says = &kinds.iter().find(|(kind, _)| *kind == name).unwrap().1;
        let answer = Answer { status: reqwest::StatusCode::TOO_MANY_REQUESTS, body: body.as_bytes().to_vec() };
        assert_eq!(says.pause(&answer), pause, "{name}: {body}");
    }
}

/// Whoever looks whether a secret is right asks something that nobody sees.
#[test]
fn secrets_are_proven_by_requests_that_send_nothing() {
    for (name, says) in kinds() {
        let asked = says.probe(&says.address().unwrap()).map(|request| format!("{} {}", request.method, request.url));
        let expected = match name {
            "matrix" => Some("GET https://matrix.example.com/_matrix/client/v3/account/whoami"),
            "slack_bot" => Some("POST https://slack.com/api/auth.test"),
            "telegram" => Some("GET https://api.telegram.org/bot1:s3cret/getMe"),
            _ => None,
        };
        assert_eq!(asked.as_deref(), expected, "{name}");
    }
}
