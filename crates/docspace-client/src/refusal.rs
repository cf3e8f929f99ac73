//! What an answer that is no success means.
//!
//! Decided by HTTP status first, then by content type, then by the shape of the body: the `statusCode` inside a body can differ
//! from the real one, and 403 alone comes with five kinds of body.

use std::time::Duration;

use audit_model::PortalText;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::ErrorKind;

/// What matters of an answer that is not a success.
pub(crate) struct Refusal<'a> {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'a str,
    pub(crate) location: Option<&'a str>,
    pub(crate) limit: Option<u64>,
    pub(crate) after: Option<Duration>,
    pub(crate) body: &'a [u8],
    /// The smallest scope that the call needs.
    pub(crate) needs: &'static str,
}

/// The bodies of errors; every member is optional.
#[derive(Default, Deserialize)]
struct ErrorBody {
    error: Option<ServerError>,
    response: Option<Value>,
    title: Option<String>,
    #[serde(rename = "traceId")]
    trace_id: Option<String>,
}

#[derive(Deserialize)]
struct ServerError {
    message: Option<String>,
    #[serde(rename = "type")]
    server_type: Option<PortalText>,
}

/// The type that a PostgreSQL installation reports while its database is down, with a 403.
const DATABASE_DOWN: &str = "System.InvalidOperationException";

/// Tells what an answer that is no success means.
pub(crate) fn classify(refusal: &Refusal<'_>) -> ErrorKind {
    let status = refusal.status.as_u16();
    if refusal.status.is_redirection() {
        return ErrorKind::Redirected { to: refusal.location.map(origin) };
    }
    let is_html = refusal.content_type.contains("html");
    let body: ErrorBody = serde_json::from_slice(refusal.body).unwrap_or_default();
    let is_problem = body.title.is_some() || (body.trace_id.is_some() && body.error.is_none());
    let server_type = body.error.as_ref().and_then(|error| error.server_type.clone());
    match status {
        429 => ErrorKind::TooManyRequests { limit: refusal.limit, after: refusal.after },
        502..=504 => ErrorKind::ProxyFault { status },
        // the portal itself answers in JSON
        500 if is_html => ErrorKind::ProxyFault { status },
        401 => ErrorKind::DeadKey,
        400 if wants_tls(refusal.body) => ErrorKind::SpeaksTls,
        _ if is_html => ErrorKind::NotAPortal { status },
        400 | 415 if body.response.is_some() => {
            ErrorKind::BadRequest { parameters: parameters(body.response.as_ref()) }
        }
        400 => ErrorKind::Refused { server_type },
        402 if body.error.is_some() => ErrorKind::PlanLacks,
        402 => ErrorKind::Unpaid,
        403 => match &body.error {
            Some(error) if server_type == Some(DATABASE_DOWN.into()) && is_transient(error) => ErrorKind::DatabaseDown,
            Some(_) => ErrorKind::MissingRight,
            None if is_problem => ErrorKind::ClosedRoute,
            None if refusal.body.is_empty() => ErrorKind::MissingScope { needs: refusal.needs },
            // plain text or a JSON string, in the portal's language
            None => ErrorKind::BlockedAddress,
        },
        404 if body.error.is_some() => ErrorKind::NotFound,
        404 if is_problem => ErrorKind::NoPortal,
        404 | 405 => ErrorKind::UnknownCall,
        500.. => ErrorKind::ServerFault { status, server_type },
        _ => ErrorKind::NotAPortal { status },
    }
}

/// What nginx, Apache and servers in Go say on a port for TLS that is asked without.
fn wants_tls(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    ["sent to HTTPS port", "SSL-enabled server port", "HTTP request to an HTTPS server"]
        .iter()
        .any(|sentence| body.contains(sentence))
}

/// Entity Framework's own sentence, which is not localised. Other invalid operations are refusals for good.
fn is_transient(error: &ServerError) -> bool {
    error.message.as_ref().is_some_and(|message| message.contains("transient failure"))
}

/// Scheme and host of a redirect's target; the rest may carry ids.
fn origin(location: &str) -> PortalText {
    let parsed = url::Url::parse(location).map(|url| url.origin().ascii_serialization());
    PortalText::new(parsed.unwrap_or_else(|_| "another path of the same host".to_owned()))
}

/// Names of the parameters that a binding error lists, in alphabetical order.
fn parameters(response: Option<&Value>) -> Vec<PortalText> {
    let errors = response.and_then(|response| response.get("errors")).and_then(Value::as_object);
    let names = errors.into_iter().flat_map(|errors| errors.keys());
    let mut names: Vec<PortalText> = names.map(|name| PortalText::new(name.as_str())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn kind(status: u16, content_type: &str, body: &str) -> ErrorKind {
        classify(&Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            content_type,
            location: None,
            limit: None,
            after: None,
            body: body.as_bytes(),
            needs: "*:read",
        })
    }

    #[test]
    fn five_kinds_of_403() {
        assert_eq!(kind(403, "", ""), ErrorKind::MissingScope { needs: "*:read" });
        let denied = r#"{"error":{"message":"Access denied","type":"System.Security.SecurityException","stack":"","hresult":1},"status":1,"statusCode":403}"#;
        assert_eq!(kind(403, "application/json", denied), ErrorKind::MissingRight);
        let problem = r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.4","title":"Forbidden","status":403,"traceId":"00-1"}"#;
        assert_eq!(kind(403, "application/problem+json", problem), ErrorKind::ClosedRoute);
        assert_eq!(kind(403, "text/plain", "The access to the portal is restricted"), ErrorKind::BlockedAddress);
        assert_eq!(
            kind(403, "application/json", "\"The access to the portal is restricted\""),
            ErrorKind::BlockedAddress
        );
        assert_eq!(kind(403, "text/html", "<html>"), ErrorKind::NotAPortal { status: 403 });
    }

    #[test]
    fn the_page_of_the_proxy_says_500_whatever_happened() {
        assert_eq!(kind(502, "text/html", "<title>500 Error Page</title>"), ErrorKind::ProxyFault { status: 502 });
        assert_eq!(kind(500, "text/html", "<title>500 Error Page</title>"), ErrorKind::ProxyFault { status: 500 });
        assert_eq!(kind(404, "text/html", "<title>404 Error Page</title>"), ErrorKind::NotAPortal { status: 404 });
    }

    #[test]
    fn a_port_for_tls_that_is_asked_without_says_so() {
        for (content_type, body) in [
            ("text/html", "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"),
            ("text/html", "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"),
            ("text/plain", "Client sent an HTTP request to an HTTPS server.\n"),
        ] {
            assert_eq!(kind(400, content_type, body), ErrorKind::SpeaksTls, "{body}");
        }
    }

    #[test]
    fn unpaid_and_suspended_portals_explain_nothing() {
        assert_eq!(kind(402, "application/problem+json", r#"{"status":402,"traceId":"00-1"}"#), ErrorKind::Unpaid);
        let problem = r#"{"type":"t","title":"Not Found","status":404,"traceId":"00-1"}"#;
        assert_eq!(kind(404, "application/problem+json", problem), ErrorKind::NoPortal);
        assert_eq!(kind(404, "", ""), ErrorKind::UnknownCall);
    }

    /// A server fills in types and names as it likes.
    #[test]
    fn no_text_of_a_server_makes_a_second_line_or_a_long_one() {
        let forged = format!("E\\n2026-11-20T09:00:00Z ERROR forged\\u001b[2J{}", "x".repeat(3_000));
        let error = format!(r#"{{"error":{{"message":"m","type":"{forged}"}},"status":1,"statusCode":500}}"#);
        let names: Vec<String> = (0..50).map(|n| format!(r#""{n}{forged}":["bad"]"#)).collect();
        let bad = format!(r#"{{"response":{{"errors":{{{}}}}},"status":0,"statusCode":400}}"#, names.join(","));
        let location = format!("https://docs.example.com{}/", "x".repeat(3_000));
        let redirect = classify(&Refusal {
            status: StatusCode::FOUND,
            content_type: "",
            location: Some(&location),
            limit: None,
            after: None,
            body: b"",
            needs: "*:read",
        });
        let json = "application/json";
        for kind in [kind(500, json, &error), kind(400, json, &error), kind(400, json, &bad), redirect] {
            let shown = Error::new("the audit trail", kind).to_string();
            assert!(shown.len() < 2_000 && !shown.contains(char::is_control), "{} bytes: {shown:.300}", shown.len());
        }
        let row = format!(r#"{{"id":"Anna {forged}"}}"#);
        let unread = serde_json::from_str::<crate::wire::PersonDto>(&row).err().unwrap();
        let source = Error::form("a person's account", unread).source.unwrap().to_string();
        assert!(!source.contains("Anna") && !source.contains(char::is_control), "{source}");
        assert!(source.contains("line 1 column"), "{source}");
    }

    #[test]
    fn a_redirect_is_named_by_its_origin_only() {
        let refusal = Refusal {
            status: StatusCode::MOVED_PERMANENTLY,
            content_type: "text/html",
            location: Some("https://docs.example.com/api/2.0/people/@self?x=secret"),
            limit: None,
            after: None,
            body: b"",
            needs: "*:read",
        };
        assert_eq!(classify(&refusal), ErrorKind::Redirected { to: Some("https://docs.example.com".into()) });
    }
}
